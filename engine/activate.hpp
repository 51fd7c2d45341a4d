// Activations applied: which struct a layer's function is, and loops over rows.
#pragma once

#include "activations_piecewise.hpp"
#include "activations_smooth.hpp"
#include "formula.hpp"

namespace deltaprop::DELTAPROP_ISA {

// Calls use(H) with the struct of an activation that works element by element (softmax does not: losses.hpp).
template <class Use>
[[gnu::always_inline]] inline void with_activation(Function h, Use use) {
  switch (h.kind) {
    case Activation::identity:
    case Activation::softmax:
      return use(Identity{});
    case Activation::sigmoid:
      return use(Sigmoid{});
    case Activation::tanh:
      return use(Tanh{});
    case Activation::relu:
      return use(Relu{});
    case Activation::arctan:
      return use(Arctan{});
    case Activation::celu:
      return use(Celu{h.parameter});
    case Activation::elu:
      return use(Elu{h.parameter});
    case Activation::exp:
      return use(Exp{});
    case Activation::gaussian:
      return use(Gaussian{});
    case Activation::gelu:
      return use(Gelu{});
    case Activation::gelu_tanh:
      return use(GeluTanh{});
    case Activation::hard_sigmoid:
      return use(HardSigmoid{});
    case Activation::hard_swish:
      return use(HardSwish{});
    case Activation::hard_tanh:
      return use(HardTanh{});
    case Activation::leaky_relu:
      return use(LeakyRelu{h.parameter});
    case Activation::lecun_tanh:
      return use(LecunTanh{});
    case Activation::log_sigmoid:
      return use(LogSigmoid{});
    case Activation::mish:
      return use(Mish{});
    case Activation::relu6:
      return use(Relu6{});
    case Activation::selu:
      return use(Selu{});
    case Activation::silu:
      return use(Silu{});
    case Activation::sine:
      return use(Sine{});
    case Activation::softplus:
      return use(Softplus{});
    case Activation::softsign:
      return use(Softsign{});
    case Activation::squareplus:
      return use(Squareplus{});
    case Activation::formula:
      return use(Formula{h.formula});
  }
  __builtin_unreachable();
}

template <class T>
[[gnu::noinline]] Vector<T> value_of(Function h, Vector<T> a) {
  Vector<T> z{};
  with_activation(h, [&](auto H) { z = H.template value<T>(a); });
  return z;
}

template <class T>
[[gnu::noinline]] Vector<T> derivative_of(Function h, Vector<T> a, Vector<T> z) {
  Vector<T> dh{};
  with_activation(h, [&](auto H) { dh = H.template derivative<T>(a, z); });
  return dh;
}

// Any activation, a vector at a time by a call.
struct Called {
  Function h;

  template <class T>
  [[gnu::always_inline]] Vector<T> value(Vector<T> a) const {
    return value_of<T>(h, a);
  }
  template <class T>
  [[gnu::always_inline]] Vector<T> derivative(Vector<T> a, Vector<T> z) const {
    return derivative_of<T>(h, a, z);
  }
};

// The commonest to use, any other to rest(): for code that is inlined in many places, and would be too long with all of
// them.
template <class Use, class Rest>
[[gnu::always_inline]] inline void with_common_activation(Function h, Use use, Rest rest) {
  switch (h.kind) {
    case Activation::identity:
    case Activation::softmax:
      return use(Identity{});
    case Activation::sigmoid:
      return use(Sigmoid{});
    case Activation::tanh:
      return use(Tanh{});
    case Activation::relu:
      return use(Relu{});
    default:
      return rest();
  }
}

// The same with the others called.
template <class Use>
[[gnu::always_inline]] inline void with_common_activation(Function h, Use use) {
  with_common_activation(h, use, [&]() __attribute__((always_inline)) { use(Called{h}); });
}

template <class T, class H>
[[gnu::always_inline]] inline void activate_by(H h, Matrix<const T> a, Matrix<T> z, Index rows, Index columns) {
  for (Index s = 0; s < rows; ++s) {
    for (Index j = 0; j < columns * kWidth<T>; j += kWidth<T>) {
      store<T>(z.row(s) + j, h.template value<T>(load(a.row(s) + j)));
    }
  }
}

template <class T>
[[gnu::noinline]] void activate_by_any(Function h, Matrix<const T> a, Matrix<T> z, Index rows, Index columns) {
  if (h == Activation::formula) return Formula{h.formula}.values(a, z, rows, columns);
  with_activation(h, [=](auto H) { activate_by<T>(H, a, z, rows, columns); });
}

// z = h(a) over `columns` vectors of each of `rows` rows.
template <class T>
inline void activate(Function h, Matrix<const T> a, Matrix<T> z, Index rows, Index columns) {
  with_common_activation(
      h, [=](auto H) { activate_by<T>(H, a, z, rows, columns); }, [=] { activate_by_any<T>(h, a, z, rows, columns); });
}

// The same in place for n numbers side by side, whatever n.
template <class T>
inline void activate_dense(Function h, T* a, Index n) {
  const Index whole = n - n % kWidth<T>;
  if (whole > 0) activate<T>(h, {a, 0}, {a, 0}, 1, whole / kWidth<T>);
  if (whole < n) {
    T rest[kWidth<T>] = {};
    for (Index k = whole; k < n; ++k) rest[k - whole] = a[k];
    activate<T>(h, {rest, 0}, {rest, 0}, 1, 1);
    for (Index k = whole; k < n; ++k) a[k] = rest[k - whole];
  }
}

// dh = h'(a) over a padded row.
template <class T>
inline void differentiate(Function h, const T* a, const T* z, T* dh, Index columns) {
  with_activation(h, [=](auto H) {
    for (Index j = 0; j < columns * kWidth<T>; j += kWidth<T>) {
      store<T>(dh + j, H.template derivative<T>(load(a + j), load(z + j)));
    }
  });
}

template <class T, class H>
[[gnu::always_inline]] inline void multiply_by_derivative_of(H h, Matrix<const T> a, Matrix<const T> z, Matrix<T> delta,
                                                             Index rows, Index n) {
  const Index last = (vectors<T>(n) - 1) * kWidth<T>;
  for (Index s = 0; s < rows; ++s) {
    T* error = delta.row(s);
    const auto product = [&](Index j) {
      return h.template derivative<T>(load(a.row(s) + j), load(z.row(s) + j)) * load(error + j);
    };
    for (Index j = 0; j < last; j += kWidth<T>) store<T>(error + j, product(j));
    store<T>(error + last, keep_first<T>(product(last), n - last));
  }
}

template <class T>
[[gnu::noinline]] void multiply_by_derivative_of_any(Function h, Matrix<const T> a, Matrix<const T> z, Matrix<T> delta,
                                                     Index rows, Index n) {
  if (h == Activation::formula) {
    return Formula{h.formula}.derivatives(a, z, rows, vectors<T>(n), [=](Index s, Index j, Vector<T> dh) {
      T* error = delta.row(s) + j;
      store<T>(error, keep_first<T>(dh * load(error), n - j));
    });
  }
  with_activation(h, [=](auto H) { multiply_by_derivative_of<T>(H, a, z, delta, rows, n); });
}

// delta = h'(a) * delta, the first factor of the delta rule (2), for n units of each of `rows` rows. The padding is 0,
// whatever h' may be there.
template <class T>
inline void multiply_by_derivative(Function h, Matrix<const T> a, Matrix<const T> z, Matrix<T> delta, Index rows,
                                   Index n) {
  with_common_activation(
      h, [=](auto H) { multiply_by_derivative_of<T>(H, a, z, delta, rows, n); },
      [=] { multiply_by_derivative_of_any<T>(h, a, z, delta, rows, n); });
}

}  // namespace deltaprop::DELTAPROP_ISA
