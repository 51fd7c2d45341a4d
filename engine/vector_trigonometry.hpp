// sin, cos and arctan on vectors. With a = n pi/2 + r, |r| <= pi/4,
//
//   sin r = r + r^3 s(r^2),   cos r = 1 - r^2 / 2 + r^4 c(r^2)
//
// and arctan x = x + x^3 t(x^2) up to tan(pi/8), beyond by pi/4 + arctan((x - 1) / (x + 1)) and pi/2 - arctan(1 / x). s, c
// and t are minimax; their errors are 2^-26.2, 2^-29.5 and 2^-28.4 (f32), 2^-56, 2^-60 and 2^-57 (f64).
#pragma once

#include "vector_exp.hpp"

namespace deltaprop::DELTAPROP_ISA {

// half_pi: in parts, of few bits but for the last, so that their products with n are exact.
template <class T>
struct TrigonometryConstants;

template <>
struct TrigonometryConstants<float> {
  static constexpr float half_pi[] = {0x1.92p+0f, 0x1.fb4p-12f, 0x1.444p-24f, 0x1.68c234p-39f};
  static constexpr float s[] = {-0.166666647f, 0.00833274827f, -0.000195878909f};
  static constexpr float c[] = {0.0416666647f, -0.0013888303f, 2.45479421e-5f};
  static constexpr float t[] = {-0.333333318f, 0.199995405f, -0.142639556f, 0.107437315f, -0.0645192821f};
};

template <>
struct TrigonometryConstants<double> {
  static constexpr double half_pi[] = {0x1.921fb544p+0, 0x1.0b4611a6p-34, 0x1.3198a2e037073p-69};
  static constexpr double s[] = {-0x1.5555555555555p-3, 0x1.1111111110bb2p-7,   -0x1.a01a019e83aaep-13,
                                 0x1.71de37968a100p-19, -0x1.ae600b02b6262p-26, 0x1.5e0b19f8b1451p-33};
  static constexpr double c[] = {0x1.5555555555555p-5,   -0x1.6c16c16c16967p-10, 0x1.a01a019f4eb01p-16,
                                 -0x1.27e4fa17da09ep-22, 0x1.1eeb68e93b64cp-29,  -0x1.907da367a37cbp-37};
  static constexpr double t[] = {-0x1.5555555555555p-2, 0x1.999999999934cp-3,  -0x1.2492492436201p-3,
                                 0x1.c71c71853d7fap-4,  -0x1.745d0b28a7e37p-4, 0x1.3b1263064f6b9p-4,
                                 -0x1.10fa77b1a6d57p-4, 0x1.dfe6497e96323p-5,  -0x1.a0999c632b6edp-5,
                                 0x1.4162c02b1dda3p-5,  -0x1.3a31b1c0fd3b7p-6};
};

// Beyond this, far from where a network lives, each number goes to the C library: n would not fit the exact products.
template <class T>
inline constexpr T kMostAngle = T{10000};

template <class T>
[[gnu::noinline]] Vector<T> sine_of_large(Vector<T> a, Index quarter) {
  for (int k = 0; k < kWidth<T>; ++k) {
    const double x = static_cast<double>(a[k]);
    a[k] = static_cast<T>(quarter == 0 ? __builtin_sin(x) : __builtin_cos(x));
  }
  return a;
}

// sin(a + quarter pi/2), quarter 0 or 1.
template <class T>
[[gnu::always_inline]] inline Vector<T> sine(Vector<T> a, Index quarter) {
  using C = TrigonometryConstants<T>;
  const Vector<T> shifted = fma(a, static_cast<T>(0.63661977236758134), ExpConstants<T>::round);
  const Bits<T> turns = (Bits<T>)shifted + static_cast<Unsigned<T>>(quarter);
  const Vector<T> n = shifted - ExpConstants<T>::round;
  Vector<T> r = a;
#pragma GCC unroll 4
  for (const T part : C::half_pi) r = fma(n, -part, r);
  const Vector<T> square = r * r;
  const Vector<T> sin_r = fma(r * square, polynomial<T>(square, C::s), r);
  const Vector<T> cos_r = fma(square * square, polynomial<T>(square, C::c), fma(square, T{-0.5}, T{1}));
  const Vector<T> size = (turns & 1) != 0 ? cos_r : sin_r;
  Vector<T> result = (turns & 2) != 0 ? -size : size;
  if (quarter == 0) result = a == T{0} ? a : result;  // the sign of a zero
  bool large = false;
  for (int k = 0; k < kWidth<T>; ++k) large |= !(absolute<T>(a)[k] <= kMostAngle<T>);
  return large ? (absolute<T>(a) <= kMostAngle<T> ? result : sine_of_large<T>(a, quarter)) : result;
}

template <class T>
[[gnu::always_inline]] inline Vector<T> arctan(Vector<T> x) {
  constexpr T half_pi = static_cast<T>(1.5707963267948966);
  constexpr T half_pi_rest = static_cast<T>(1.5707963267948966 - static_cast<double>(half_pi)) +
                             (sizeof(T) == 8 ? static_cast<T>(6.123233995736766e-17) : T{0});
  const Vector<T> size = absolute<T>(x);
  const auto middle = size > static_cast<T>(0.41421356237309503);
  const auto far = size > static_cast<T>(2.4142135623730951);
  const Vector<T> y = far ? T{-1} / size : middle ? (size - T{1}) / (size + T{1}) : size;
  const Vector<T> square = y * y;
  const Vector<T> small = y * square * polynomial<T>(square, TrigonometryConstants<T>::t);
  const Vector<T> factor = far ? broadcast<T>(T{1}) : middle ? broadcast<T>(T{0.5}) : Vector<T>{};
  return with_sign_of<T>(factor * half_pi + (y + (small + factor * half_pi_rest)), x);
}

}  // namespace deltaprop::DELTAPROP_ISA
