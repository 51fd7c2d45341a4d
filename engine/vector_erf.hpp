// erf and the normal distribution on vectors. erf:
//
//   |x| < 1:  x + x p(x^2)                                 p: the error is 2^-29.6 (f32), 2^-56.9 (f64) of erf
//   beyond:   1 - e^-x^2 g(v), v = (|x| - c) / (|x| + c)    g: 2^-34.7, 2^-57.1
//
// with p and g minimax, g for |x| up to 4 (f32) or 6 (f64), where erf is 1. v makes erfc e^x^2 a short polynomial; its
// error, and that of the rounded x^2, counts by erfc(x) <= 0.16.
#pragma once

#include "vector_exp.hpp"

namespace deltaprop::DELTAPROP_ISA {

template <class T>
struct ErfConstants;

template <>
struct ErfConstants<float> {
  static constexpr float one = 4.0f;  // erf rounds to 1 from here
  static constexpr float centre = 2.0f;
  static constexpr float p[] = {0.128379166f,   -0.376126258f,    0.112835851f,   -0.0268538119f,
                                0.00518832767f, -0.000801019343f, 7.85386054e-05f};
  static constexpr float g[] = {0.255395678f, -0.427185853f, 0.24165727f, -0.078986906f, 0.00372973895f, 0.0072125506f};
};

template <>
struct ErfConstants<double> {
  static constexpr double one = 6.0;
  static constexpr double centre = 3.0;
  static constexpr double p[] = {0x1.06eba8214db68p-3,   -0x1.812746b0379bdp-2,  0x1.ce2f21a040d16p-4,
                                 -0x1.b82ce311fa950p-6,  0x1.565bccf92b559p-8,   -0x1.c02db03ddcb70p-11,
                                 0x1.f9a2baa9811b8p-14,  -0x1.f4ca4d76c912dp-17, 0x1.b97fd420fcc7ap-20,
                                 -0x1.5c072892360dep-23, 0x1.d71b19dcbc546p-27,  -0x1.abae67a08511ep-31};
  static constexpr double g[] = {0x1.6e9827d229815p-3,  -0x1.4e102b9d04eabp-2, 0x1.f6ff203f5f172p-3,
                                 -0x1.336ffbe9a3170p-3, 0x1.258b1728d40aep-4,  -0x1.8fa4d69f9ee9ap-6,
                                 0x1.17dca5f6a0203p-8,  0x1.75e8c51642716p-11, -0x1.30a8df2929276p-11,
                                 0x1.406b72d038df5p-14, 0x1.afcfa8d444950p-14, 0x1.fe232b27523f9p-17};
};

template <class T>
[[gnu::always_inline]] inline Vector<T> erf(Vector<T> x) {
  using C = ErfConstants<T>;
  const Vector<T> size = at_most<T>(absolute<T>(x), C::one);
  const Vector<T> square = size * size;
  const Vector<T> near = fma(size, polynomial<T>(square, C::p), size);
  const Reduced<T> exponent(-square);
  const Vector<T> power = exponent.power(Bits<T>{});
  const Vector<T> e = fma(power, expm1_reduced<T>(exponent.r, exponent.r), power);
  const Vector<T> g = polynomial<T>((size - C::centre) / (size + C::centre), C::g);
  return with_sign_of<T>(size < T{1} ? near : fma(-e, g, T{1}), x);
}

// The tail of the normal distribution, 1/2 erfc(x) = e^-x^2 p(v) / (x + c), v = (x - c) / (x + c), p minimax on x from
// 0.47 to where it underflows: the error is 2^-28.7 (f32), 2^-57.3 (f64) of the tail.
template <class T>
struct TailConstants;

template <>
struct TailConstants<float> {
  static constexpr float c = 3.0f;
  static constexpr float p[] = {0.537003454f,   -0.441697237f,    0.29511416f,    -0.1552332f,      0.0597645084f,
                                -0.0134183517f, -0.000613481915f, 0.00153565704f, -0.000240915299f, -0.00015831607f};
};

template <>
struct TailConstants<double> {
  static constexpr double c = 4.0;
  static constexpr double p[] = {0x1.18932bf08e154p-1,   -0x1.f3fe31ecb49bfp-2,  0x1.8be202d26c702p-2,
                                 -0x1.14eacb1ad035ap-2,  0x1.52cac237103cap-3,   -0x1.645fd8a4bb3c8p-4,
                                 0x1.38dbd2c8d0085p-5,   -0x1.b00c052c836b7p-7,  0x1.908f4734aa5dbp-9,
                                 -0x1.269b51bb446c8p-13, -0x1.dd284d887f546p-13, 0x1.72cda626246cdp-14,
                                 -0x1.e7d4b7fa4ddedp-20, -0x1.3c6ee9f11ae73p-17, 0x1.3aea48f300297p-19,
                                 0x1.7e588a35befaap-21,  -0x1.c444a99ed9bb5p-22, -0x1.4601ee13d1cd3p-25,
                                 0x1.004dc3c469dddp-24,  0x1.5540de9939c6fp-31,  -0x1.9fbac6a456cd3p-28};
};

// The normal distribution's probability below a, 1/2 erfc(-a / sqrt 2), to its own relative accuracy on both sides.
template <class T>
[[gnu::always_inline]] inline Vector<T> normal_below(Vector<T> a) {
  using C = TailConstants<T>;
  const Vector<T> x = absolute<T>(a) * static_cast<T>(0.70710678118654752);
  const Vector<T> bounded = at_most<T>(x, T{64});
  const Vector<T> den = bounded + C::c;
  const Vector<T> p = polynomial<T>((bounded - C::c) / den, C::p);
  const Vector<T> tail = exp_of_minus_square<T>(a, T{0.5}) * (p / den);
  const Vector<T> far = a < T{0} ? tail : T{1} - tail;
  const Vector<T> square = x * x;
  const Vector<T> half_x = with_sign_of<T>(x, a) * T{0.5};
  const Vector<T> near = fma(half_x, polynomial<T>(square, ErfConstants<T>::p), half_x + T{0.5});
  return x < static_cast<T>(0.5) ? near : far;
}

}  // namespace deltaprop::DELTAPROP_ISA
