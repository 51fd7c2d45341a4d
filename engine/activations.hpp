// h and h': one struct per activation, a value and its derivative with respect to a side by side. Each is applied to
// whole vectors; h' may use z = h(a) where that is shorter. Here those of the lecture and its kin; activations_smooth.hpp and
// activations_piecewise.hpp have the others.
//
// To add one: a struct in one of the three, its name in plan.hpp and plan.cpp, a line in `with_activation` (activate.hpp), and
// its declaration in deltaprop/functions/activations.py.
#pragma once

#include "vector_math.hpp"

namespace deltaprop::DELTAPROP_ISA {

// h(a) = a
struct Identity {
  template <class T>
  [[gnu::always_inline]] static Vector<T> value(Vector<T> a) {
    return a;
  }
  template <class T>
  [[gnu::always_inline]] static Vector<T> derivative(Vector<T>, Vector<T>) {
    return broadcast<T>(T{1});
  }
};

// h(a) = 1 / (1 + e^-a),  h' = z (1 - z)
struct Sigmoid {
  template <class T>
  [[gnu::always_inline]] static Vector<T> value(Vector<T> a) {
    return sigmoid<T>(a);
  }
  template <class T>
  [[gnu::always_inline]] static Vector<T> derivative(Vector<T>, Vector<T> z) {
    return z * (T{1} - z);
  }
};

// h(a) = tanh a,  h' = 1 - z^2
struct Tanh {
  template <class T>
  [[gnu::always_inline]] static Vector<T> value(Vector<T> a) {
    return tanh<T>(a);
  }
  template <class T>
  [[gnu::always_inline]] static Vector<T> derivative(Vector<T>, Vector<T> z) {
    return (T{1} - z) * (T{1} + z);
  }
};

// h(a) = max(a, 0),  h' = 1 where a > 0, else 0 (at the kink: 0). NaN stays NaN.
struct Relu {
  template <class T>
  [[gnu::always_inline]] static Vector<T> value(Vector<T> a) {
    return a <= T{0} ? Vector<T>{} : a;
  }
  template <class T>
  [[gnu::always_inline]] static Vector<T> derivative(Vector<T> a, Vector<T>) {
    return a > T{0} ? broadcast<T>(T{1}) : Vector<T>{};
  }
};

}  // namespace deltaprop::DELTAPROP_ISA
