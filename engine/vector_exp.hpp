// exp, expm1, the sigmoid and tanh on vectors. All write e^x = 2^n e^r with n = x / ln2 rounded to an integer, |r| <= ln2 / 2,
// and
//
//   expm1(r) = r + r^2 / 2 + r^3 q(r)      q is minimax: its error is 2^-28.0 (f32), 2^-57.4 (f64) of e^r
//
// What a function takes from n, powers of two, is ready long before the polynomial. So the chain from argument to value
// is n, r, the polynomial, one sum and at most one division.
#pragma once

#include "simd.hpp"

namespace deltaprop::DELTAPROP_ISA {

template <class T>
struct ExpConstants;

template <>
struct ExpConstants<float> {
  static constexpr float round = 0x1.8p23f;      // x + round - round is x, rounded to an integer
  static constexpr float ln2_high = 0x1.63p-1f;  // few bits: a product with an exponent is exact
  static constexpr float ln2_low = -0x1.bd0106p-13f;
  static constexpr float underflow = -104.0f;  // exp rounds to 0 below
  static constexpr float overflow = 88.8f;     // and to inf above
  static constexpr float minus_one = -18.0f;   // expm1 rounds to -1 below
  static constexpr float epsilon = 0x1p-23f;
  static constexpr int mantissa_bits = 23;
  static constexpr int bias = 127;
  static constexpr float q[] = {0.16666534f, 0.0416672378f, 0.00836748239f, 0.00138637801f};
  static constexpr float tanh_one = 9.1f;  // tanh rounds to 1 above
  static constexpr float tanh[] = {-0.333329461f, 0.133207125f, -0.0526709804f, 0.0164359471f};
};

template <>
struct ExpConstants<double> {
  static constexpr double round = 0x1.8p52;
  static constexpr double ln2_high = 0x1.62e42feep-1;
  static constexpr double ln2_low = 0x1.a39ef35793c76p-33;
  static constexpr double underflow = -746.0;
  static constexpr double overflow = 709.9;
  static constexpr double minus_one = -38.0;
  static constexpr double epsilon = 0x1p-52;
  static constexpr int mantissa_bits = 52;
  static constexpr int bias = 1023;
  static constexpr double q[] = {0x1.5555555555501p-3,  0x1.5555555553207p-5,  0x1.1111111128878p-7,
                                 0x1.6c16c17cc3437p-10, 0x1.a01a011c23b42p-13, 0x1.a019ab2cf83e1p-16,
                                 0x1.71df553f9df58p-19, 0x1.289f8b1928f66p-22, 0x1.ad201a9225893p-26};
  static constexpr double tanh_one = 19.1;
  static constexpr double tanh[] = {-0x1.555555555549dp-2,  0x1.11111111028a8p-3,  -0x1.ba1ba1ad67aa4p-5,
                                    0x1.664f45c109144p-6,   -0x1.226ddd1764c6ep-7, 0x1.d6c617935a39dp-9,
                                    -0x1.7cf380e0bbcbap-10, 0x1.2fa11f22062ecp-11, -0x1.b9006f20eacc9p-13,
                                    0x1.abe72887550cap-15};
};

// x = n ln2 + r. n is also there as an integer: the low bits of x / ln2 + round.
template <class T>
struct Reduced {
  Vector<T> n, r;

  explicit Reduced(Vector<T> x, T factor = T{1}) {  // of factor x, where factor is a power of two
    using C = ExpConstants<T>;
    const Vector<T> shifted = fma(x, factor * static_cast<T>(1.4426950408889634), C::round);
    bits_ = (Bits<T>)shifted;
    n = shifted - C::round;
    r = fma(n, T{-C::ln2_low}, fma(n, T{-C::ln2_high}, x * factor));
  }

  // 2^(n + offset) and 2^(offset - n), where they are normal numbers.
  Vector<T> power(Bits<T> offset) const {
    return (Vector<T>)((bits_ + (offset + (kBias - kRound))) << ExpConstants<T>::mantissa_bits);
  }
  Vector<T> inverse_power(int offset) const {
    return (Vector<T>)((static_cast<Unsigned<T>>(offset) + kBias + kRound - bits_) << ExpConstants<T>::mantissa_bits);
  }

 private:
  static constexpr Unsigned<T> kRound = __builtin_bit_cast(Unsigned<T>, ExpConstants<T>::round);
  static constexpr Unsigned<T> kBias = ExpConstants<T>::bias;
  Bits<T> bits_;
};

// expm1(r) + more, |r| <= ln2 / 2.
template <class T>
[[gnu::always_inline]] inline Vector<T> expm1_reduced(Vector<T> r, Vector<T> r_and_more) {
  const Vector<T> r2 = r * r;
  return fma(r2 * r, polynomial<T>(r, ExpConstants<T>::q), fma(r2, T{0.5}, r_and_more));
}

// e^x = (2^(n - s) e^r) 2^s with s = 64 or -64: n may be one above the largest exponent, or among the subnormals.
// With one argument e^x; with two e^(x + more), more no larger than the rounding error of x.
template <class T, class... More>
[[gnu::always_inline]] inline Vector<T> exp(Vector<T> x, More... more) {
  using C = ExpConstants<T>;
  const Reduced<T> x_(at_least<T>(at_most<T>(x, C::overflow), C::underflow));
  const Bits<T> up = (Bits<T>)(x_.n < T{0}) & Unsigned<T>{128};
  const Vector<T> power = x_.power(up - Unsigned<T>{64});
  const Vector<T> scale = x_.n < T{0} ? broadcast<T>(T{0x1p-64}) : broadcast<T>(T{0x1p64});
  const Vector<T> r = (x_.r + ... + more);
  return fma(power, expm1_reduced<T>(r, r), power) * scale;
}

// e^x - 1 = (2^(n - s) expm1(r) + (2^(n - s) - 2^-s)) 2^s, with s = 64 where n is large.
template <class T>
[[gnu::always_inline]] inline Vector<T> expm1(Vector<T> x) {
  using C = ExpConstants<T>;
  const Reduced<T> x_(at_least<T>(at_most<T>(x, C::overflow), C::minus_one));
  const auto large = x_.n > T{32};
  const Vector<T> power = x_.power(-((Bits<T>)large & Unsigned<T>{64}));
  const Vector<T> rest = power - (large ? broadcast<T>(T{0x1p-64}) : broadcast<T>(T{1}));
  const Vector<T> result = fma(power, expm1_reduced<T>(x_.r, x_.r), rest);
  return x == T{0} ? x : large ? result * T{0x1p64} : result;  // the sign of a zero
}

// e^-factor a^2, factor a power of two: what the square loses by rounding would be magnified, so it is put back.
template <class T>
[[gnu::always_inline]] inline Vector<T> exp_of_minus_square(Vector<T> a, T factor) {
  const Vector<T> bounded = at_most<T>(absolute<T>(a), T{64});
  const Vector<T> square = bounded * bounded;
  return exp<T>(square * -factor, product_error<T>(bounded, bounded, square) * -factor);
}

// y = sigmoid a, rest = 1 - y = sigmoid(-a), each to its own relative accuracy, and t = e^-|a| for the logarithms. What
// is not used costs nothing. With |a| = n ln2 + r and w = 2^-n,
//
//   a >= 0:  y = 1 / (1 + w e^-r) = 1 / ((1 + w) + w expm1(-r))
//   a < 0:   y = w / (w + e^r)    = w / ((1 + w) + expm1(r))
//
// so that nothing overflows, and only the last sum and the division round where it counts: 1 + w is exact, but for a
// small w, which is then added to expm1. w is made from 2^(64 - n), since it may be subnormal.
template <class T>
struct SigmoidParts {
  Vector<T> t, y, rest;

  [[gnu::always_inline]] explicit SigmoidParts(Vector<T> a) {
    const Reduced<T> size(at_most<T>(absolute<T>(a), -ExpConstants<T>::underflow));
    const Vector<T> one = broadcast<T>(T{1});
    const Vector<T> w_up = size.inverse_power(64);
    const Vector<T> w = w_up * T{0x1p-64};
    const Vector<T> one_w = w + T{1};
    const Vector<T> lost = w < ExpConstants<T>::epsilon ? w : Vector<T>{};
    const auto negative = a < T{0};
    const Vector<T> r = (Vector<T>)((Bits<T>)size.r ^ (~(Bits<T>)a & kSignBit<T>));  // of e^r, as above
    y = (negative ? w : one) / fma(negative ? one : w, expm1_reduced<T>(r, r + lost), one_w);
    rest = (negative ? one : w) / fma(negative ? w : one, expm1_reduced<T>(-r, lost - r), one_w);
    t = fma(w_up, negative ? expm1_reduced<T>(-r, -r) : expm1_reduced<T>(r, r), w_up) * T{0x1p-64};
  }
};

template <class T>
[[gnu::always_inline]] inline Vector<T> sigmoid(Vector<T> a) {
  return SigmoidParts<T>(a).y;
}

// tanh(x) = x + x^3 (...) up to 0.55, where tanh is just above 1/2: the polynomial's error is 2^-24.7 (f32), 2^-55.5
// (f64) of tanh. Beyond, 1 - 2 / (e^2|x| + 1) = 1 - 2 w / ((1 + w) + expm1(r)), 2 |x| = n ln2 + r, w = 2^-n: the
// division's error counts for less than half.
template <class T>
[[gnu::always_inline]] inline Vector<T> tanh(Vector<T> x) {
  using C = ExpConstants<T>;
  const Vector<T> size = absolute<T>(x);
  const Vector<T> square = size * size;
  const Vector<T> near = fma(size * square, polynomial<T>(square, C::tanh), size);
  const Reduced<T> twice(at_most<T>(size, C::tanh_one), T{2});
  const Vector<T> den = expm1_reduced<T>(twice.r, twice.r) + (twice.inverse_power(0) + T{1});
  const Vector<T> far = T{1} - twice.inverse_power(1) / den;
  return with_sign_of<T>(size < static_cast<T>(0.55) ? near : far, x);
}

}  // namespace deltaprop::DELTAPROP_ISA
