// The output layer: y alone, or y with E and delta_o. Which pair is which object is decided here and nowhere else.
#pragma once

#include "softmax_losses.hpp"

namespace deltaprop::DELTAPROP_ISA {

// y of `rows` rows of the output layer, dense, from a, which is used up.
template <class T>
inline void activate_output(const PlanView& plan, Matrix<T> a, Index rows, T* y) {
  const Layer& output = plan.output();
  if (output.h == Activation::softmax) {
    for (Index s = 0; s < rows; ++s) {
      softmax<T>({a.row(s), a.row(s), nullptr, output.n_out, output.pitch});
      __builtin_memcpy(y + s * output.n_out, a.row(s), static_cast<std::size_t>(output.n_out) * sizeof(T));
    }
    return;
  }
  for (Index s = 0; s < rows; ++s) {
    for (Index j = 0; j < output.n_out; ++j) y[s * output.n_out + j] = a.row(s)[j];
  }
  activate_dense(output.h, y, rows * output.n_out);
}

// E and delta_o of one row of a softmax output; row.delta holds r before.
template <class T>
inline double softmax_error(const OutputRow<T>& row, Loss loss) {
  const SoftmaxParts<T> parts = softmax(row);
  switch (loss) {
    case Loss::cross_entropy:
      return SoftmaxWithCrossEntropy::row(row, parts);
    case Loss::log:
      return SoftmaxWithLog::row(row);
    case Loss::squared_error:
      return SoftmaxWithSquaredError::row(row);
  }
  __builtin_unreachable();
}

// Calls use(Pair{}) for an output that works unit by unit. The logarithmic losses go with sigmoid alone (plan.cpp).
template <class Use>
[[gnu::always_inline]] inline void with_unit_pair(Activation h, Loss loss, Use use) {
  switch (loss) {
    case Loss::log:
      return use(SigmoidWithLog{});
    case Loss::cross_entropy:
      return use(SigmoidWithCrossEntropy{});
    case Loss::squared_error:  // with identity, h' = 1: y - r
      return with_activation(h, [&](auto H) { use(General<SquaredError, decltype(H)>{}); });
  }
}

// E, y and delta_o of one row of the output layer from a: target r, weight w, which multiplies delta_o but not E. Without
// WithE, E of an output that works unit by unit is left for dense_losses, and 0 is returned.
template <class T, bool WithE = true>
[[gnu::always_inline]] inline double output_error(const PlanView& plan, T* a, T* y, T* delta, const T* r, T w) {
  const Layer& output = plan.output();
  const auto weighted = [=](Vector<T> error) {
    if (w == T{1}) return error;
    return w == T{0} ? Vector<T>{} : error * w;  // 0 changes nothing, not even inf
  };
  double E = 0;
  if (output.h == Activation::softmax) {
    copy(r, output.n_out, delta);
    for (Index j = output.n_out; j < output.pitch; ++j) delta[j] = T{0};
    E = softmax_error<T>({a, y, delta, output.n_out, output.pitch}, plan.loss);
    for (Index j = 0; j < output.n_out; j += kWidth<T>) {
      store<T>(delta + j, keep_first<T>(weighted(load(delta + j)), output.n_out - j));
    }
  } else {
    with_unit_pair(output.h, plan.loss, [&](auto Pair) {
      for (Index j = 0; j < output.n_out; j += kWidth<T>) {
        const Index n = output.n_out - j < kWidth<T> ? output.n_out - j : kWidth<T>;
        Vector<T> value, error;
        const Vector<T> term = Pair.template unit<T>(load(a + j), load_first(r + j, n), value, error);
        store<T>(y + j, value);
        store<T>(delta + j, keep_first<T>(weighted(error), n));
        for (Index k = 0; k < n && WithE; ++k) E += static_cast<double>(term[k]);
      }
    });
  }
  return E;
}

// E of rows of an output that works unit by unit, from a. `units` as below.
template <class T, class Target>
inline void dense_losses(const PlanView& plan, Matrix<const T> a, Index rows, T* units, double* E, Target r) {
  const Index n_out = plan.n_out();
  const Index room = vectors<T>(rows * n_out) * kWidth<T>;
  T* dense_r = units + room;
  for (Index s = 0; s < rows; ++s) {
    copy(a.row(s), n_out, units + s * n_out);
    copy(r(s), n_out, dense_r + s * n_out);
  }
  for (Index k = rows * n_out; k < room; ++k) units[k] = dense_r[k] = T{0};
  with_unit_pair(plan.output().h, plan.loss, [&](auto Pair) {
    for (Index k = 0; k < room; k += kWidth<T>) {
      Vector<T> value, error;
      store<T>(units + k, Pair.template unit<T>(load(units + k), load(dense_r + k), value, error));
    }
  });
  for (Index s = 0; s < rows; ++s) {
    E[s] = 0;
    for (Index j = 0; j < n_out; ++j) E[s] += static_cast<double>(units[s * n_out + j]);
  }
}

// The same for rows of an output that works unit by unit, which go through as one dense row, for there may be as little as
// one unit a row. `units` holds three arrays of rows x n_out and room for a vector each.
template <class T, class Target>
inline void dense_output_errors(const PlanView& plan, Matrix<T> a, Matrix<T> y, Matrix<T> delta, Index rows, T* units,
                                double* E, Target r) {
  const Layer& output = plan.output();
  const Index n_out = output.n_out;
  const Index n = rows * n_out;
  const Index room = vectors<T>(n) * kWidth<T>;
  T* dense_a = units;
  T* dense_r = units + room;
  T* term = units + 2 * room;
  for (Index s = 0; s < rows; ++s) {
    copy(a.row(s), n_out, dense_a + s * n_out);
    copy(r(s), n_out, dense_r + s * n_out);
  }
  for (Index k = n; k < room; ++k) dense_a[k] = dense_r[k] = T{0};
  with_unit_pair(output.h, plan.loss, [&](auto Pair) {
    for (Index k = 0; k < room; k += kWidth<T>) {
      Vector<T> value, error;
      store<T>(term + k, Pair.template unit<T>(load(dense_a + k), load(dense_r + k), value, error));
      store<T>(dense_a + k, value);
      store<T>(dense_r + k, error);
    }
  });
  const Index columns = vectors<T>(n_out) * kWidth<T>;
  for (Index s = 0; s < rows; ++s) {
    copy(dense_a + s * n_out, n_out, y.row(s));
    copy(dense_r + s * n_out, n_out, delta.row(s));
    for (Index j = n_out; j < columns; ++j) delta.row(s)[j] = T{0};
    E[s] = 0;
    for (Index j = 0; j < n_out; ++j) E[s] += static_cast<double>(term[s * n_out + j]);
  }
}

}  // namespace deltaprop::DELTAPROP_ISA
