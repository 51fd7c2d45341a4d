// h and h': one struct per activation, a value and its derivative with respect to a side by side. Each is applied to
// whole vectors; h' may use z = h(a) where that is shorter.
//
// To add one: a struct here, its name in plan.hpp and plan.cpp, a line in `with_activation`.
#pragma once

#include "vector_math.hpp"

namespace deltaprop::DELTAPROP_ISA {

// h(a) = a
struct Identity {
  template <class T>
  static Vector<T> value(Vector<T> a) {
    return a;
  }
  template <class T>
  static Vector<T> derivative(Vector<T>, Vector<T>) {
    return broadcast<T>(T{1});
  }
};

// h(a) = 1 / (1 + e^-a),  h' = z (1 - z). With t = e^-|a| nothing overflows, and the tail keeps its relative accuracy.
struct Sigmoid {
  template <class T>
  static Vector<T> value(Vector<T> a) {
    const Vector<T> t = exp<T>(-absolute<T>(a));
    return (a < T{0} ? t : broadcast<T>(T{1})) / (t + T{1});
  }
  template <class T>
  static Vector<T> derivative(Vector<T>, Vector<T> z) {
    return z * (T{1} - z);
  }
};

// h(a) = tanh a,  h' = 1 - z^2
struct Tanh {
  template <class T>
  static Vector<T> value(Vector<T> a) {
    return tanh<T>(a);
  }
  template <class T>
  static Vector<T> derivative(Vector<T>, Vector<T> z) {
    return (T{1} - z) * (T{1} + z);
  }
};

// h(a) = max(a, 0),  h' = 1 where a > 0, else 0 (at the kink: 0). NaN stays NaN.
struct Relu {
  template <class T>
  static Vector<T> value(Vector<T> a) {
    return a <= T{0} ? Vector<T>{} : a;
  }
  template <class T>
  static Vector<T> derivative(Vector<T> a, Vector<T>) {
    return a > T{0} ? broadcast<T>(T{1}) : Vector<T>{};
  }
};

// Calls use(H{}) with the struct of an activation that works element by element (softmax does not: losses.hpp).
template <class Use>
[[gnu::always_inline]] inline void with_activation(Activation h, Use use) {
  switch (h) {
    case Activation::identity:
    case Activation::softmax:
      return use(Identity{});
    case Activation::sigmoid:
      return use(Sigmoid{});
    case Activation::tanh:
      return use(Tanh{});
    case Activation::relu:
      return use(Relu{});
  }
}

// z = h(a) over a padded row.
template <class T>
inline void activate(Activation h, const T* a, T* z, Index pitch) {
  with_activation(h, [&](auto H) {
    for (Index j = 0; j < pitch; j += kWidth<T>) store<T>(z + j, H.template value<T>(load(a + j)));
  });
}

// dh = h'(a) over a padded row.
template <class T>
inline void differentiate(Activation h, const T* a, const T* z, T* dh, Index pitch) {
  with_activation(h, [&](auto H) {
    for (Index j = 0; j < pitch; j += kWidth<T>) {
      store<T>(dh + j, H.template derivative<T>(load(a + j), load(z + j)));
    }
  });
}

// delta = h'(a) * delta over a padded row: the first factor of the delta rule (2). Padding has delta 0 and stays 0.
template <class T>
inline void multiply_by_derivative(Activation h, const T* a, const T* z, T* delta, Index n, Index pitch) {
  with_activation(h, [&](auto H) {
    for (Index j = 0; j < pitch; j += kWidth<T>) {
      store<T>(delta + j, H.template derivative<T>(load(a + j), load(z + j)) * load(delta + j));
    }
  });
  for (Index j = n; j < pitch; ++j) delta[j] = T{0};  // h' of the padding may be anything
}

}  // namespace deltaprop::DELTAPROP_ISA
