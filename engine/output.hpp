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
  if (output.n_out == 1) {
    for (Index s = 0; s < rows; ++s) y[s] = *a.row(s);
  } else {
    for (Index s = 0; s < rows; ++s) copy(a.row(s), output.n_out, y + s * output.n_out);
  }
  activate_dense(output.h, y, rows * output.n_out);
}

// E and delta_o of one row of a softmax output; row.delta holds r before.
template <class T>
inline double softmax_error(const OutputRow<T>& row, const LossFunction& loss) {
  const SoftmaxParts<T> parts = softmax(row);
  switch (loss.kind) {
    case Loss::log:
      return SoftmaxWithLogs<LogTerms>::row(row, {});
    case Loss::focal:
      return SoftmaxWithLogs<FocalTerms>::row(row, {loss.parameter});
    case Loss::cross_entropy:
      return SoftmaxWithCrossEntropy::row(row, parts);
    case Loss::squared_error:
      return SoftmaxWithSquaredError::row(row);
    case Loss::kl:
      return SoftmaxWithKullbackLeibler::row(row, parts);
    default:
      return softmax_with_any(row, loss);
  }
}

// Calls use(Pair) for an output that works unit by unit. The commonest are inlined.
template <class Use>
[[gnu::always_inline]] inline void with_unit_pair(Function h, const LossFunction& loss, Use use) {
  switch (loss.kind) {
    case Loss::log:
      return use(SigmoidWithLog{});
    case Loss::cross_entropy:
      if (h == Activation::sigmoid) return use(SigmoidWithCrossEntropy{});
      return use(CalledPair{h, loss});
    case Loss::squared_error:  // with identity, h' = 1: y - r
      return with_common_activation(h, [&](auto H) { use(General<SquaredError, decltype(H)>{{}, H}); });
    default:
      return use(CalledPair{h, loss});
  }
}

// delta times the sample's weight; 0 changes nothing, not even inf.
template <class T>
[[gnu::always_inline]] inline Vector<T> weighted(Vector<T> delta, T w) {
  if (w == T{1}) return delta;
  return w == T{0} ? Vector<T>{} : delta * w;
}

// y and delta_o of one row of the output layer from a: target r, weight w. Returns E of a softmax output; of one that works
// unit by unit dense_outputs has it, for several rows at less cost.
template <class T>
[[gnu::always_inline]] inline double output_error(const PlanView& plan, T* a, T* y, T* delta, const T* r, T w) {
  const Layer& output = plan.output();
  double E = 0;
  if (output.h == Activation::softmax) {
    copy(r, output.n_out, delta);
    for (Index j = output.n_out; j < output.pitch; ++j) delta[j] = T{0};
    E = softmax_error<T>({a, y, delta, output.n_out, output.pitch}, plan.loss);
    for (Index j = 0; j < output.n_out; j += kWidth<T>) {
      store<T>(delta + j, keep_first<T>(weighted(load(delta + j), w), output.n_out - j));
    }
  } else {
    with_unit_pair(output.h, plan.loss, [&](auto Pair) {
      for (Index j = 0; j < output.n_out; j += kWidth<T>) {
        const Index n = output.n_out - j < kWidth<T> ? output.n_out - j : kWidth<T>;
        Vector<T> value, error;
        at_output(Pair, j).template unit<T>(load(a + j), load_first(r + j, n), value, error);
        store<T>(y + j, value);
        store<T>(delta + j, keep_first<T>(weighted(error, w), n));
      }
    });
  }
  return E;
}

// E of rows of an output that works unit by unit, from a, and with Errors y and delta_o too. Sample s of the rows has target
// r(s) and weight w(s). All rows go through as one dense row, for there may be as little as one unit a row; `units` holds
// three arrays of rows x n_out and room for a vector each.
template <bool Errors, class T, class Target, class Weight>
inline void dense_outputs(const PlanView& plan, Matrix<const T> a, Matrix<T> y, Matrix<T> delta, Index rows, T* units,
                          double* E, Target r, Weight w) {
  const Index n_out = plan.n_out();
  const Index n = rows * n_out;
  const Index room = vectors<T>(n) * kWidth<T>;
  T* dense_a = units;         // then y
  T* dense_r = units + room;  // then delta
  T* term = units + 2 * room;
  if (n_out == 1) {
    for (Index s = 0; s < rows; ++s) {
      dense_a[s] = *a.row(s);
      dense_r[s] = *r(s);
    }
  } else {
    for (Index s = 0; s < rows; ++s) {
      copy(a.row(s), n_out, dense_a + s * n_out);
      copy(r(s), n_out, dense_r + s * n_out);
    }
  }
  for (Index k = n; k < room; ++k) dense_a[k] = dense_r[k] = T{0};
  with_unit_pair(plan.output().h, plan.loss, [&](auto Pair) {
    for (Index k = 0; k < room; k += kWidth<T>) {
      Vector<T> value, error;
      store<T>(term + k, at_output(Pair, k).template unit<T>(load(dense_a + k), load(dense_r + k), value, error));
      if constexpr (Errors) {
        store<T>(dense_a + k, value);
        store<T>(dense_r + k, error);
      }
    }
  });
  for (Index s = 0; s < rows; ++s) {
    double sum = static_cast<double>(term[s * n_out]);
    for (Index j = 1; j < n_out; ++j) sum += static_cast<double>(term[s * n_out + j]);
    E[s] = sum;
    if constexpr (Errors) {
      copy(dense_a + s * n_out, n_out, y.row(s));
      for (Index j = 0; j < n_out; j += kWidth<T>) {
        const Index units_left = n_out - j < kWidth<T> ? n_out - j : kWidth<T>;
        store<T>(delta.row(s) + j, weighted(load_first(dense_r + s * n_out + j, units_left), w(s)));
      }
    }
  }
}

}  // namespace deltaprop::DELTAPROP_ISA
