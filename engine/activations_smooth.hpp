// Smooth activations beside sigmoid and tanh. NaN stays NaN; where a factor of h falls to 0 faster than a grows, |a| is bounded
// where that factor is 0, so that h(-inf) is 0 and not NaN.
#pragma once

#include "activations.hpp"

namespace deltaprop::DELTAPROP_ISA {

// h(a) = 1.7159 tanh(2 a / 3),  h' = 1.7159 2/3 (1 - t^2), t = z / 1.7159
struct LecunTanh {
  static constexpr double kSize = 1.7159;

  template <class T>
  [[gnu::always_inline]] static Vector<T> value(Vector<T> a) {
    return tanh<T>(a * static_cast<T>(2.0 / 3)) * static_cast<T>(kSize);
  }
  template <class T>
  [[gnu::always_inline]] static Vector<T> derivative(Vector<T>, Vector<T> z) {
    const Vector<T> t = z / static_cast<T>(kSize);
    return (T{1} - t) * (T{1} + t) * static_cast<T>(kSize * 2 / 3);
  }
};

// h(a) = arctan a,  h' = 1 / (1 + a^2)
struct Arctan {
  template <class T>
  [[gnu::always_inline]] static Vector<T> value(Vector<T> a) {
    return arctan<T>(a);
  }
  template <class T>
  [[gnu::always_inline]] static Vector<T> derivative(Vector<T> a, Vector<T>) {
    return T{1} / (a * a + T{1});
  }
};

// h(a) = a / (1 + |a|),  h' = 1 / (1 + |a|)^2
struct Softsign {
  template <class T>
  [[gnu::always_inline]] static Vector<T> value(Vector<T> a) {
    const Vector<T> size = absolute<T>(a);
    return with_sign_of<T>(size > static_cast<T>(1e30) ? broadcast<T>(T{1}) : size / (size + T{1}), a);
  }
  template <class T>
  [[gnu::always_inline]] static Vector<T> derivative(Vector<T> a, Vector<T>) {
    const Vector<T> inverse = T{1} / (absolute<T>(a) + T{1});
    return inverse * inverse;
  }
};

// h(a) = e^a,  h' = z
struct Exp {
  template <class T>
  [[gnu::always_inline]] static Vector<T> value(Vector<T> a) {
    return exp<T>(a);
  }
  template <class T>
  [[gnu::always_inline]] static Vector<T> derivative(Vector<T>, Vector<T> z) {
    return z;
  }
};

// h(a) = sin a,  h' = cos a
struct Sine {
  template <class T>
  [[gnu::always_inline]] static Vector<T> value(Vector<T> a) {
    return sine<T>(a, 0);
  }
  template <class T>
  [[gnu::always_inline]] static Vector<T> derivative(Vector<T> a, Vector<T>) {
    return sine<T>(a, 1);
  }
};

// h(a) = e^-a^2,  h' = -2 a z
struct Gaussian {
  template <class T>
  [[gnu::always_inline]] static Vector<T> value(Vector<T> a) {
    return exp_of_minus_square<T>(a, T{1});
  }
  template <class T>
  [[gnu::always_inline]] static Vector<T> derivative(Vector<T> a, Vector<T> z) {
    return at_most<T>(at_least<T>(a, T{-64}), T{64}) * z * T{-2};
  }
};

// h(a) = log(1 + e^a),  h' = sigmoid a
struct Softplus {
  template <class T>
  [[gnu::always_inline]] static Vector<T> value(Vector<T> a) {
    return softplus<T>(a);
  }
  template <class T>
  [[gnu::always_inline]] static Vector<T> derivative(Vector<T> a, Vector<T>) {
    return sigmoid<T>(a);
  }
};

// h(a) = log sigmoid a = -log(1 + e^-a),  h' = 1 - sigmoid a
struct LogSigmoid {
  template <class T>
  [[gnu::always_inline]] static Vector<T> value(Vector<T> a) {
    return -softplus<T>(-a);
  }
  template <class T>
  [[gnu::always_inline]] static Vector<T> derivative(Vector<T> a, Vector<T>) {
    return sigmoid<T>(-a);
  }
};

// h(a) = (a + sqrt(a^2 + 4)) / 2,  h' = (1 + a / sqrt(a^2 + 4)) / 2. Where a < 0, 2 / (sqrt(a^2 + 4) - a): nothing cancels.
struct Squareplus {
  template <class T>
  [[gnu::always_inline]] static Vector<T> root(Vector<T> a) {
    const Vector<T> size = absolute<T>(a);
    return size > static_cast<T>(1e15) ? size : square_root<T>(a * a + T{4});
  }
  template <class T>
  [[gnu::always_inline]] static Vector<T> value(Vector<T> a) {
    const Vector<T> half = root<T>(a) * T{0.5} + absolute<T>(a) * T{0.5};
    return a < T{0} ? T{1} / half : half;
  }
  template <class T>
  [[gnu::always_inline]] static Vector<T> derivative(Vector<T> a, Vector<T>) {
    const Vector<T> bounded = at_most<T>(at_least<T>(a, static_cast<T>(-1e15)), static_cast<T>(1e15));
    return bounded / root<T>(bounded) * T{0.5} + T{0.5};
  }
};

// h(a) = a sigmoid a,  h' = y (1 + a (1 - y)), y = sigmoid a
struct Silu {
  template <class T>
  [[gnu::always_inline]] static Vector<T> value(Vector<T> a) {
    const Vector<T> bounded = at_least<T>(a, ExpConstants<T>::underflow);
    return bounded * sigmoid<T>(bounded);
  }
  template <class T>
  [[gnu::always_inline]] static Vector<T> derivative(Vector<T> a, Vector<T>) {
    const SigmoidParts<T> s(a);
    const T most = -ExpConstants<T>::underflow;
    return s.y * fma(at_most<T>(at_least<T>(a, -most), most), s.rest, broadcast<T>(T{1}));
  }
};

// h(a) = a w, w = tanh(log(1 + e^a)),  h' = w + a (1 - w) (1 + w) sigmoid a. With t = e^-|a|,
//
//   a >= 0:  w = (1 + 2 t) / (1 + 2 t + 2 t^2),         1 - w = 2 t^2 / (1 + 2 t + 2 t^2)
//   a < 0:   w = t (t + 2) / (t (t + 2) + 2),           1 - w = 2 / (t (t + 2) + 2)
struct Mish {
  template <class T>
  struct Parts {
    Vector<T> w, rest;

    [[gnu::always_inline]] explicit Parts(Vector<T> a) {
      const Vector<T> t = exp<T>(-absolute<T>(a));
      const Vector<T> above = fma(t, T{2}, T{1});
      const Vector<T> below = t * (t + T{2});
      const Vector<T> twice = t * t * T{2};
      const auto negative = a < T{0};
      const Vector<T> den = negative ? below + T{2} : above + twice;
      w = (negative ? below : above) / den;
      rest = (negative ? broadcast<T>(T{2}) : twice) / den;
    }
  };
  template <class T>
  [[gnu::always_inline]] static Vector<T> value(Vector<T> a) {
    const Vector<T> bounded = at_least<T>(a, ExpConstants<T>::underflow);
    return bounded * Parts<T>(bounded).w;
  }
  template <class T>
  [[gnu::always_inline]] static Vector<T> derivative(Vector<T> a, Vector<T>) {
    const T most = -ExpConstants<T>::underflow;
    const Vector<T> bounded = at_most<T>(at_least<T>(a, -most), most);
    const Parts<T> parts(bounded);
    return fma(bounded * sigmoid<T>(bounded), parts.rest * (T{1} + parts.w), parts.w);
  }
};

// h(a) = a P(a), P the normal distribution,  h' = P + a e^(-a^2 / 2) / sqrt(2 pi)
struct Gelu {
  template <class T>
  [[gnu::always_inline]] static Vector<T> value(Vector<T> a) {
    const Vector<T> bounded = at_least<T>(a, T{-64});
    return bounded * normal_below<T>(bounded);
  }
  template <class T>
  [[gnu::always_inline]] static Vector<T> derivative(Vector<T> a, Vector<T>) {
    const Vector<T> bounded = at_most<T>(at_least<T>(a, T{-64}), T{64});
    const Vector<T> density = exp_of_minus_square<T>(a, T{0.5}) * static_cast<T>(0.39894228040143268);
    return fma(bounded, density, normal_below<T>(a));
  }
};

// h(a) = a / 2 (1 + tanh(sqrt(2 / pi) (a + 0.044715 a^3))) = a sigmoid u, u = k a + k 0.044715 a^3, k = 2 sqrt(2 / pi);
// h' = y + a y (1 - y) u'. What u loses by rounding counts to first order, for far from 0 it would be magnified.
struct GeluTanh {
  static constexpr long double kLinear = 1.59576912160573071176L;
  static constexpr long double kCubic = kLinear * static_cast<long double>(0.044715);  // the float64

  template <class T>
  struct Parts {
    Vector<T> a, y, rest;

    [[gnu::always_inline]] explicit Parts(Vector<T> all) : a(at_most<T>(at_least<T>(all, T{-64}), T{64})) {
      constexpr T linear = static_cast<T>(kLinear);
      constexpr T cubic = static_cast<T>(kCubic);
      constexpr T linear_lost = static_cast<T>(kLinear - static_cast<long double>(linear));
      constexpr T cubic_lost = static_cast<T>(kCubic - static_cast<long double>(cubic));
      const Vector<T> square = a * a;
      const Vector<T> term = square * cubic;
      const Vector<T> larger = term > linear ? term : broadcast<T>(linear);
      const Vector<T> smaller = term > linear ? broadcast<T>(linear) : term;
      const Vector<T> slope = larger + smaller;
      Vector<T> lost = smaller - (slope - larger);
      lost += product_error<T>(square, broadcast<T>(cubic), term) + linear_lost;
      lost += product_error<T>(a, a, square) * cubic + square * cubic_lost;
      const Vector<T> u = a * slope;
      const Vector<T> u_lost = product_error<T>(a, slope, u) + a * lost;
      const SigmoidParts<T> s(u);
      y = fma(s.y, s.rest * u_lost, s.y);
      rest = fma(s.rest, -s.y * u_lost, s.rest);
    }
  };
  template <class T>
  [[gnu::always_inline]] static Vector<T> value(Vector<T> a) {
    return at_least<T>(a, T{-64}) * Parts<T>(a).y;
  }
  template <class T>
  [[gnu::always_inline]] static Vector<T> derivative(Vector<T> a, Vector<T>) {
    const Parts<T> parts(a);
    const Vector<T> slope = fma(parts.a * parts.a, static_cast<T>(3 * kCubic), static_cast<T>(kLinear));
    return fma(parts.a * slope, parts.y * parts.rest, parts.y);
  }
};

}  // namespace deltaprop::DELTAPROP_ISA
