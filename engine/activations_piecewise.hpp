// Activations in pieces, most of them straight. At a kink h' is what is said beside it. NaN stays NaN.
#pragma once

#include "activations.hpp"

namespace deltaprop::DELTAPROP_ISA {

// h(a) = a where a > 0, else slope a;  h'(0) = slope
struct LeakyRelu {
  double slope;

  template <class T>
  [[gnu::always_inline]] Vector<T> value(Vector<T> a) const {
    return a > T{0} ? a : a * static_cast<T>(slope);
  }
  template <class T>
  [[gnu::always_inline]] Vector<T> derivative(Vector<T> a, Vector<T>) const {
    return a > T{0} ? broadcast<T>(T{1}) : broadcast<T>(static_cast<T>(slope));
  }
};

// h(a) = min(max(a, 0), 6);  h'(0) = h'(6) = 0
struct Relu6 {
  template <class T>
  [[gnu::always_inline]] static Vector<T> value(Vector<T> a) {
    return at_most<T>(a <= T{0} ? Vector<T>{} : a, T{6});
  }
  template <class T>
  [[gnu::always_inline]] static Vector<T> derivative(Vector<T> a, Vector<T>) {
    return a > T{0} && a < T{6} ? broadcast<T>(T{1}) : Vector<T>{};
  }
};

// h(a) = min(max(a + 3, 0), 6) / 6;  h'(-3) = h'(3) = 0
struct HardSigmoid {
  template <class T>
  [[gnu::always_inline]] static Vector<T> value(Vector<T> a) {
    return at_most<T>(at_least<T>(a + T{3}, T{0}), T{6}) / T{6};
  }
  template <class T>
  [[gnu::always_inline]] static Vector<T> derivative(Vector<T> a, Vector<T>) {
    return a > T{-3} && a < T{3} ? broadcast<T>(T{1} / T{6}) : Vector<T>{};
  }
};

// h(a) = a min(max(a + 3, 0), 6) / 6;  h'(-3) = 0, h'(3) = 1
struct HardSwish {
  template <class T>
  [[gnu::always_inline]] static Vector<T> value(Vector<T> a) {
    return a <= T{-3} ? Vector<T>{} : a * (at_most<T>(a + T{3}, T{6}) / T{6});
  }
  template <class T>
  [[gnu::always_inline]] static Vector<T> derivative(Vector<T> a, Vector<T>) {
    return a <= T{-3} ? Vector<T>{} : a >= T{3} ? broadcast<T>(T{1}) : (a + T{1.5}) / T{3};
  }
};

// h(a) = min(max(a, -1), 1);  h'(-1) = h'(1) = 0
struct HardTanh {
  template <class T>
  [[gnu::always_inline]] static Vector<T> value(Vector<T> a) {
    return at_most<T>(at_least<T>(a, T{-1}), T{1});
  }
  template <class T>
  [[gnu::always_inline]] static Vector<T> derivative(Vector<T> a, Vector<T>) {
    return a > T{-1} && a < T{1} ? broadcast<T>(T{1}) : Vector<T>{};
  }
};

// h(a) = a where a > 0, else alpha (e^a - 1);  h' = 1 where a > 0, else z + alpha
struct Elu {
  double alpha;

  template <class T>
  [[gnu::always_inline]] Vector<T> value(Vector<T> a) const {
    return a > T{0} ? a : expm1<T>(a) * static_cast<T>(alpha);
  }
  template <class T>
  [[gnu::always_inline]] Vector<T> derivative(Vector<T> a, Vector<T> z) const {
    return a > T{0} ? broadcast<T>(T{1}) : z + static_cast<T>(alpha);
  }
};

// h(a) = a where a > 0, else alpha (e^(a / alpha) - 1);  h' = 1 where a > 0, else z / alpha + 1
struct Celu {
  double alpha;

  template <class T>
  [[gnu::always_inline]] Vector<T> value(Vector<T> a) const {
    return a > T{0} ? a : expm1<T>(a / static_cast<T>(alpha)) * static_cast<T>(alpha);
  }
  template <class T>
  [[gnu::always_inline]] Vector<T> derivative(Vector<T> a, Vector<T> z) const {
    return a > T{0} ? broadcast<T>(T{1}) : z / static_cast<T>(alpha) + T{1};
  }
};

// h(a) = scale a where a > 0, else scale alpha (e^a - 1);  h' = scale where a > 0, else z + scale alpha
struct Selu {
  static constexpr double kScale = 1.0507009873554804934;
  static constexpr double kScaleAlpha = 1.7580993408473768600;  // scale times 1.6732632423543772848

  template <class T>
  [[gnu::always_inline]] static Vector<T> value(Vector<T> a) {
    return a > T{0} ? a * static_cast<T>(kScale) : expm1<T>(a) * static_cast<T>(kScaleAlpha);
  }
  template <class T>
  [[gnu::always_inline]] static Vector<T> derivative(Vector<T> a, Vector<T> z) {
    return a > T{0} ? broadcast<T>(static_cast<T>(kScale)) : z + static_cast<T>(kScaleAlpha);
  }
};

}  // namespace deltaprop::DELTAPROP_ISA
