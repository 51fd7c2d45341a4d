// exp, log, log1p and tanh on vectors. Same operations on every lane and for every width, so a value does not depend on
// its neighbours. Arguments are reduced to a small interval and the rest is a short polynomial; the comments give the
// interval.
#pragma once

#include "simd.hpp"

namespace deltaprop::DELTAPROP_ISA {

template <class T>
struct MathConstants;

template <>
struct MathConstants<float> {
  static constexpr float round = 0x1.8p23f;      // x + round - round is x, rounded to an integer
  static constexpr float ln2_high = 0x1.63p-1f;  // few bits: a product with an exponent is exact
  static constexpr float ln2_low = -0x1.bd0106p-13f;
  static constexpr float exp_underflow = -104.0f;  // exp rounds to 0 below
  static constexpr float exp_overflow = 88.8f;     // and to inf above
  static constexpr float tanh_one = 9.1f;          // tanh rounds to 1 above
  static constexpr float subnormal_scale = 0x1p24f;
  static constexpr float tiny = 0x1p-126f;
  static constexpr int mantissa_bits = 23;
  static constexpr int bias = 127;
  static constexpr int subnormal_bits = 24;
  // expm1(r) = r + r^2 (c_0 + c_1 r + ...), |r| <= ln2 / 2: the Taylor coefficients 1 / (k + 2)!
  static constexpr int exp_terms = 6;
  // log((1 + s) / (1 - s)) = 2 s + 2 s^3 / 3 + ..., |s| <= 0.1716: terms of s^2
  static constexpr int log_terms = 4;
};

template <>
struct MathConstants<double> {
  static constexpr double round = 0x1.8p52;
  static constexpr double ln2_high = 0x1.62e42feep-1;
  static constexpr double ln2_low = 0x1.a39ef35793c76p-33;
  static constexpr double exp_underflow = -746.0;
  static constexpr double exp_overflow = 709.9;
  static constexpr double tanh_one = 19.1;
  static constexpr double subnormal_scale = 0x1p54;
  static constexpr double tiny = 0x1p-1022;
  static constexpr int mantissa_bits = 52;
  static constexpr int bias = 1023;
  static constexpr int subnormal_bits = 54;
  static constexpr int exp_terms = 12;
  static constexpr int log_terms = 10;
};

inline constexpr double kInverseFactorial[] = {
    1.0 / 2,      1.0 / 6,       1.0 / 24,       1.0 / 120,       1.0 / 720,        1.0 / 5040,       1.0 / 40320,
    1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800, 1.0 / 87178291200};

// 2^n for a vector of whole numbers |n| <= 1023 (f64), 127 (f32).
template <class T>
[[gnu::always_inline]] inline Vector<T> power_of_two(Vector<T> n) {
  using C = MathConstants<T>;
  const Bits<T> k = (Bits<T>)(n + C::round) - (Bits<T>)broadcast<T>(C::round);
  return (Vector<T>)((k + Unsigned<T>{C::bias}) << C::mantissa_bits);
}

// x = n ln2 + r, |r| <= ln2 / 2; returns expm1(r).
template <class T>
[[gnu::always_inline]] inline Vector<T> reduced_expm1(Vector<T> x, Vector<T>& n) {
  using C = MathConstants<T>;
  constexpr T log2e = static_cast<T>(1.4426950408889634);
  n = (x * log2e + C::round) - C::round;
  const Vector<T> r = fma(n, T{-C::ln2_low}, fma(n, T{-C::ln2_high}, x));
  Vector<T> q = broadcast<T>(static_cast<T>(kInverseFactorial[C::exp_terms - 1]));
#pragma GCC unroll 16
  for (int k = C::exp_terms - 2; k >= 0; --k) q = fma(q, r, static_cast<T>(kInverseFactorial[k]));
  return fma(r * r, q, r);
}

template <class T>
[[gnu::always_inline]] inline Vector<T> exp(Vector<T> x) {
  using C = MathConstants<T>;
  const Vector<T> inside =
      x < C::exp_underflow ? broadcast<T>(C::exp_underflow) : (x > C::exp_overflow ? broadcast<T>(C::exp_overflow) : x);
  Vector<T> n;
  const Vector<T> p = reduced_expm1<T>(inside, n);
  // 2^n in two factors: n may be one above the largest exponent, or among the subnormals.
  const Vector<T> half = (n * T{0.5} + C::round) - C::round;
  return (p + T{1}) * power_of_two<T>(half) * power_of_two<T>(n - half);
}

// log(x) = k ln2 + log(m), m in [sqrt(1/2), sqrt(2)), f = m - 1, s = f / (2 + f): log(1 + f) = f - (f^2/2 - s (f^2/2 +
// R)), R = s^2 (2/3 + 2/5 s^2 + ...).
template <class T>
[[gnu::always_inline]] inline Vector<T> log(Vector<T> x) {
  using C = MathConstants<T>;
  const auto subnormal = x < C::tiny;
  const Vector<T> normal = subnormal ? x * C::subnormal_scale : x;
  const Bits<T> sqrt_half = (Bits<T>)broadcast<T>(static_cast<T>(0.70710678118654752));
  const Bits<T> bits = (Bits<T>)normal;
  const Bits<T> shift = (bits - sqrt_half) >> C::mantissa_bits << C::mantissa_bits;  // k, in the exponent's place
  const Vector<T> m = (Vector<T>)(bits - shift);
  // k + bias as a number: a small integer in the low bits of the rounding constant
  const Bits<T> biased = (shift + (Unsigned<T>{C::bias} << C::mantissa_bits)) >> C::mantissa_bits;
  Vector<T> k = (Vector<T>)(biased + (Bits<T>)broadcast<T>(C::round)) - (C::round + T{C::bias});
  k = subnormal ? k - T{C::subnormal_bits} : k;

  const Vector<T> f = m - T{1};
  const Vector<T> s = f / (f + T{2});
  const Vector<T> s2 = s * s;
  Vector<T> q = broadcast<T>(static_cast<T>(2.0 / (2 * C::log_terms + 1)));
#pragma GCC unroll 16
  for (int j = C::log_terms - 1; j >= 1; --j) q = fma(q, s2, static_cast<T>(2.0 / (2 * j + 1)));
  const Vector<T> half_square = f * f * T{0.5};
  const Vector<T> low = fma(k, C::ln2_low, s * fma(s2, q, half_square));
  Vector<T> result = fma(k, C::ln2_high, f - (half_square - low));

  constexpr T infinity = static_cast<T>(__builtin_inf());
  result = x == infinity ? x : result;
  result = x == T{0} ? broadcast<T>(-infinity) : result;
  return x < T{0} || x != x ? broadcast<T>(static_cast<T>(__builtin_nan(""))) : result;
}

// log(1 + x): what rounding 1 + x lost comes back as a correction of first order.
template <class T>
[[gnu::always_inline]] inline Vector<T> log1p(Vector<T> x) {
  constexpr T infinity = static_cast<T>(__builtin_inf());
  const Vector<T> u = x + T{1};
  const Vector<T> lost = x - (u - T{1});
  const Vector<T> result = log<T>(u) + lost / u;
  return x == infinity || x == T{-1} ? log<T>(u) : result;
}

// tanh(x) = e / (e + 2), e = expm1(2 |x|) = 2^n expm1(r) + (2^n - 1).
template <class T>
[[gnu::always_inline]] inline Vector<T> tanh(Vector<T> x) {
  using C = MathConstants<T>;
  const Vector<T> size = absolute<T>(x);
  const Vector<T> inside = size > C::tanh_one ? broadcast<T>(C::tanh_one) : size;
  Vector<T> n;
  const Vector<T> p = reduced_expm1<T>(inside * T{2}, n);
  const Vector<T> scale = power_of_two<T>(n);
  const Vector<T> e = fma(scale, p, scale - T{1});
  const Vector<T> t = e / (e + T{2});
  return x < T{0} ? -t : (x == T{0} ? x : t);
}

}  // namespace deltaprop::DELTAPROP_ISA
