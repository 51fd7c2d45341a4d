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
  __builtin_unreachable();
}

// z = h(a) over `columns` vectors of each of `rows` rows.
template <class T>
inline void activate(Activation h, Matrix<const T> a, Matrix<T> z, Index rows, Index columns) {
  with_activation(h, [=](auto H) {
    for (Index s = 0; s < rows; ++s) {
      for (Index j = 0; j < columns * kWidth<T>; j += kWidth<T>) {
        store<T>(z.row(s) + j, H.template value<T>(load(a.row(s) + j)));
      }
    }
  });
}

// The same in place for n numbers side by side, whatever n.
template <class T>
inline void activate_dense(Activation h, T* a, Index n) {
  const Index whole = n - n % kWidth<T>;
  activate<T>(h, {a, 0}, {a, 0}, 1, whole / kWidth<T>);
  if (whole < n) {
    T rest[kWidth<T>] = {};
    for (Index k = whole; k < n; ++k) rest[k - whole] = a[k];
    activate<T>(h, {rest, 0}, {rest, 0}, 1, 1);
    for (Index k = whole; k < n; ++k) a[k] = rest[k - whole];
  }
}

// dh = h'(a) over a padded row.
template <class T>
inline void differentiate(Activation h, const T* a, const T* z, T* dh, Index columns) {
  with_activation(h, [=](auto H) {
    for (Index j = 0; j < columns * kWidth<T>; j += kWidth<T>) {
      store<T>(dh + j, H.template derivative<T>(load(a + j), load(z + j)));
    }
  });
}

// delta = h'(a) * delta, the first factor of the delta rule (2), for n units of each of `rows` rows. The padding is 0,
// whatever h' may be there.
template <class T>
inline void multiply_by_derivative(Activation h, Matrix<const T> a, Matrix<const T> z, Matrix<T> delta, Index rows,
                                   Index n) {
  const Index last = (vectors<T>(n) - 1) * kWidth<T>;
  with_activation(h, [=](auto H) {
    for (Index s = 0; s < rows; ++s) {
      T* error = delta.row(s);
      const auto product = [&](Index j) {
        return H.template derivative<T>(load(a.row(s) + j), load(z.row(s) + j)) * load(error + j);
      };
      for (Index j = 0; j < last; j += kWidth<T>) store<T>(error + j, product(j));
      store<T>(error + last, keep_first<T>(product(last), n - last));
    }
  });
}

}  // namespace deltaprop::DELTAPROP_ISA
