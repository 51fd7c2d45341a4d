// log, log1p and softplus on vectors. With f the argument less 1 and s = f / (2 + f),
//
//   log(1 + f) = 2 atanh(s) = f - (f^2/2 - s (f^2/2 + s^2 q(s^2)))
//
// where all but the leading f is small, and q is minimax.
#pragma once

#include "vector_exp.hpp"

namespace deltaprop::DELTAPROP_ISA {

// q: |s| <= 0.2, that is f in [-1/3, 1/2]; the error is 2^-28.4 (f32), 2^-55.9 (f64) of the log.
template <class T>
struct LogConstants;

template <>
struct LogConstants<float> {
  static constexpr float tiny = 0x1p-126f;
  static constexpr float subnormal_scale = 0x1p24f;
  static constexpr int subnormal_bits = 24;
  static constexpr float nothing_lost = 0x1p25f;  // x + 1 is x above
  static constexpr float ln2 = 0x1.62e43p-1f;     // to the nearest, and what is left
  static constexpr float ln2_rest = -0x1.05c61p-29f;
  static constexpr float q[] = {0.666669476f, 0.399578041f, 0.3036103f};
};

template <>
struct LogConstants<double> {
  static constexpr double tiny = 0x1p-1022;
  static constexpr double subnormal_scale = 0x1p54;
  static constexpr int subnormal_bits = 54;
  static constexpr double nothing_lost = 0x1p54;
  static constexpr double ln2 = 0x1.62e42fefa39efp-1;
  static constexpr double ln2_rest = 0x1.abc9e3b39803fp-56;
  static constexpr double q[] = {0x1.5555555555777p-1, 0x1.99999998f0874p-2, 0x1.249249b24b024p-2, 0x1.c71c014aebc21p-3,
                                 0x1.7474e6b97df97p-3, 0x1.38528878eac95p-3, 0x1.3ac0812ce5256p-3};
};

// log(x + lost), |lost| at most the rounding error of x; only x of normal size may have lost something. x = 2^k m, m in
// [sqrt(1/2), sqrt(2)), f = m - 1; lost counts to first order, with 1 / m as 1 - 2 s.
template <class T, bool kLost>
[[gnu::always_inline]] inline Vector<T> log_of_sum(Vector<T> x, Vector<T> lost) {
  using C = LogConstants<T>;
  using E = ExpConstants<T>;
  constexpr T infinity = static_cast<T>(__builtin_inf());
  constexpr Unsigned<T> one = Unsigned<T>{E::bias} << E::mantissa_bits;
  const auto subnormal = x < C::tiny;
  const Bits<T> bits = (Bits<T>)(subnormal ? x * C::subnormal_scale : x);
  const Bits<T> sqrt_half = (Bits<T>)broadcast<T>(static_cast<T>(0.70710678118654752));
  const Bits<T> shift = (bits - sqrt_half) >> E::mantissa_bits << E::mantissa_bits;  // k, in the exponent's place
  const Vector<T> m = (Vector<T>)(bits - shift);
  // k + bias as a number: a small integer in the low bits of the rounding constant
  const Bits<T> biased = (shift + one) >> E::mantissa_bits;
  Vector<T> k = (Vector<T>)(biased + (Bits<T>)broadcast<T>(E::round)) - (E::round + T{E::bias});
  if constexpr (!kLost) k = subnormal ? k - T{C::subnormal_bits} : k;

  const Vector<T> f = m - T{1};
  const Vector<T> s = f / (f + T{2});
  const Vector<T> s2 = s * s;
  const Vector<T> half_square = f * f * T{0.5};
  Vector<T> low = k * E::ln2_low;
  if constexpr (kLost) {
    const Vector<T> scaled = x > C::nothing_lost ? Vector<T>{} : lost * (Vector<T>)(one - shift);
    low = fma(k, E::ln2_low, fma(scaled * T{-2}, s, scaled));
  }
  low = fma(s, fma(s2, polynomial<T>(s2, C::q), half_square), low);
  Vector<T> result = fma(k, E::ln2_high, f - (half_square - low));

  result = x == infinity ? x : result;
  result = x == T{0} ? broadcast<T>(-infinity) : result;
  return x < T{0} || x != x ? broadcast<T>(static_cast<T>(__builtin_nan(""))) : result;
}

template <class T>
[[gnu::always_inline]] inline Vector<T> log(Vector<T> x) {
  return log_of_sum<T, false>(x, Vector<T>{});
}

// log(1 + x)
template <class T>
[[gnu::always_inline]] inline Vector<T> log1p(Vector<T> x) {
  const Vector<T> sum = x + T{1};
  const Vector<T> result = log_of_sum<T, true>(sum, x - (sum - T{1}));
  return x == T{0} ? x : result;  // the sign of a zero
}

// log(1 + t) for t in [0, 1]: for t = e^-|a|. Where t > 1/2 it is ln2 + log(1 + (t - 1) / 2).
template <class T>
[[gnu::always_inline]] inline Vector<T> log1p_unit(Vector<T> t) {
  using C = LogConstants<T>;
  const auto upper = t > T{0.5};
  const Vector<T> f = upper ? t * T{0.5} - T{0.5} : t;
  const Vector<T> s = f / (f + T{2});
  const Vector<T> s2 = s * s;
  const Vector<T> half_square = f * f * T{0.5};
  const Vector<T> below = fma(-s, fma(s2, polynomial<T>(s2, C::q), half_square), half_square);
  const Vector<T> ln2 = upper ? broadcast<T>(C::ln2) : Vector<T>{};
  const Vector<T> ln2_rest = upper ? broadcast<T>(C::ln2_rest) : Vector<T>{};
  return ln2 + (f - (below - ln2_rest));
}

// log(1 + e^a) = max(a, 0) + log(1 + e^-|a|)
template <class T>
[[gnu::always_inline]] inline Vector<T> softplus(Vector<T> a) {
  return (a > T{0} ? a : Vector<T>{}) + log1p_unit<T>(exp<T>(-absolute<T>(a)));
}

}  // namespace deltaprop::DELTAPROP_ISA
