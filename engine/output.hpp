// The output layer: y alone, or y with E and delta_o. Which pair is which object is decided here and nowhere else.
#pragma once

#include "softmax_losses.hpp"

namespace deltaprop::DELTAPROP_ISA {

// y of the output layer.
template <class T>
inline void activate_output(const PlanView& plan, T* a, T* y) {
  const Layer& output = plan.output();
  if (output.h == Activation::softmax) {
    softmax<T>({a, y, nullptr, output.n_out, output.pitch});
  } else {
    activate(output.h, a, y, output.pitch);
  }
}

// E and delta_o of a softmax output; row.delta holds r before.
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

// The same for an output that works unit by unit. The logarithmic losses go with sigmoid alone (plan.cpp).
template <class T>
inline double unit_error(const OutputRow<T>& row, Activation h, Loss loss) {
  switch (loss) {
    case Loss::log:
      return SigmoidWithLog::row(row);
    case Loss::cross_entropy:
      return SigmoidWithCrossEntropy::row(row);
    case Loss::squared_error:
      return General<SquaredError>::row(row, h);  // with identity, h' = 1: y - r
  }
  __builtin_unreachable();
}

// y, E and delta_o of one row: a given, r read from `r`; w, the sample's weight, multiplies delta_o but not E.
template <class T>
inline double output_error(const PlanView& plan, T* a, T* y, const T* r, T w, T* delta) {
  const Layer& output = plan.output();
  const OutputRow<T> row{a, y, delta, output.n_out, output.pitch};
  for (Index j = 0; j < row.n; ++j) delta[j] = r[j];
  for (Index j = row.n; j < row.pitch; ++j) delta[j] = T{0};

  const double E =
      output.h == Activation::softmax ? softmax_error(row, plan.loss) : unit_error(row, output.h, plan.loss);
  if (w != T{1}) {
    for (Index j = 0; j < row.n; ++j) delta[j] = w == T{0} ? T{0} : delta[j] * w;  // 0 changes nothing, not even inf
  }
  for (Index j = row.n; j < row.pitch; ++j) delta[j] = T{0};
  return E;
}

}  // namespace deltaprop::DELTAPROP_ISA
