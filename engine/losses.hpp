// E and delta_o = dE/da_o of the output layer, one row at a time.
//
// Canonical pairs are objects of their own: sigmoid with log, softmax with cross_entropy, identity with
// squared_error; for them dE/dy dy/da comes to y - r, and E is computed from a, so that it stays finite where
// y has rounded to 0 or 1. Every other pair takes the general path: dE/dy of the loss, then the output's
// derivative with respect to a.
#pragma once

#include "activations.hpp"

namespace deltaprop::DELTAPROP_ISA {

// One row of the output layer: a and y = h(a) padded to pitch. delta holds r (padding 0) before and delta_o
// after.
template <class T>
struct OutputRow {
  T* a;
  T* y;
  T* delta;
  Index n;
  Index pitch;
};

// Adds f(a, y, r) over the units, in float64 and in their order.
template <class T, class F>
[[gnu::always_inline]] inline double sum_over_units(const OutputRow<T>& row, F f) {
  double sum = 0;
  for (Index j = 0; j < row.pitch; j += kWidth<T>) {
    T term[kWidth<T>];
    store<T>(term, f(load(row.a + j), load(row.y + j), load(row.delta + j)));
    const Index stop = row.n - j < kWidth<T> ? row.n - j : kWidth<T>;
    for (Index k = 0; k < stop; ++k) sum += static_cast<double>(term[k]);
  }
  return sum;
}

// E = sum of -r log y - (1 - r) log(1 - y), the lecture's loss; y in [0, 1].
struct LogLoss {
  template <class T>
  static Vector<T> value(Vector<T> y, Vector<T> r) {
    return -r * log<T>(y) - (T{1} - r) * log1p<T>(-y);
  }
  template <class T>
  static Vector<T> derivative(Vector<T> y, Vector<T> r) {
    return (y - r) / (y * (T{1} - y));
  }
  static constexpr bool logarithmic = true;
};

// E = sum of -r log y; y in (0, 1], r a distribution.
struct CrossEntropy {
  template <class T>
  static Vector<T> value(Vector<T> y, Vector<T> r) {
    return -r * log<T>(y);
  }
  template <class T>
  static Vector<T> derivative(Vector<T> y, Vector<T> r) {
    return -r / y;
  }
  static constexpr bool logarithmic = true;
};

// E = 1/2 sum of (y - r)^2.
struct SquaredError {
  template <class T>
  static Vector<T> value(Vector<T> y, Vector<T> r) {
    return (y - r) * (y - r) * T{0.5};
  }
  template <class T>
  static Vector<T> derivative(Vector<T> y, Vector<T> r) {
    return y - r;
  }
  static constexpr bool logarithmic = false;
};

// y = softmax a, shifted by the largest a. Returns that shift and the logarithm of the shifted sum: log y_j =
// a_j - shift - log_sum.
template <class T>
struct SoftmaxParts {
  T shift;
  T log_sum;
};

template <class T>
inline SoftmaxParts<T> softmax(const OutputRow<T>& row) {
  T largest = row.a[0];
  for (Index j = 1; j < row.n; ++j) largest = row.a[j] > largest ? row.a[j] : largest;
  constexpr T infinity = static_cast<T>(__builtin_inf());
  for (Index j = row.n; j < row.pitch; ++j) row.a[j] = -infinity;
  Vector<T> sum[kGroup<T>] = {};
  for (Index j = 0; j < row.pitch; j += kLanes) {
    for (int g = 0; g < kGroup<T>; ++g) {
      const Vector<T> e = exp<T>(load(row.a + j + g * kWidth<T>) - largest);
      store<T>(row.y + j + g * kWidth<T>, e);
      sum[g] += e;
    }
  }
  const T total = tree_sum<T>(sum);
  for (Index j = 0; j < row.pitch; j += kWidth<T>) store<T>(row.y + j, load(row.y + j) / total);
  for (Index j = row.n; j < row.pitch; ++j) row.a[j] = T{0};
  return {largest, log<T>(broadcast<T>(total))[0]};
}

// delta_o = y - r, the same for the three canonical pairs.
template <class T>
inline void difference(const OutputRow<T>& row) {
  for (Index j = 0; j < row.pitch; j += kWidth<T>)
    store<T>(row.delta + j, load(row.y + j) - load(row.delta + j));
}

// Sigmoid with log loss: E = (1 - r) a + log(1 + e^-a) for a >= 0, -r a + log(1 + e^a) below;  delta_o = y -
// r.
struct SigmoidWithLog {
  template <class T>
  static double row(const OutputRow<T>& row) {
    const double E = sum_over_units(row, [](Vector<T> a, Vector<T>, Vector<T> r) {
      return (a < T{0} ? -r : T{1} - r) * a + log1p<T>(exp<T>(-absolute<T>(a)));
    });
    difference(row);
    return E;
  }
};

// Softmax with cross-entropy: E = sum of r (log sum of e^a - a);  delta_o = y - r, for r that sum to one.
struct SoftmaxWithCrossEntropy {
  template <class T>
  static double row(const OutputRow<T>& row, SoftmaxParts<T> parts) {
    const double E = sum_over_units(row, [parts](Vector<T> a, Vector<T>, Vector<T> r) {
      return r * (parts.log_sum - (a - parts.shift));
    });
    difference(row);
    return E;
  }
};

// Any other pair: delta_o = sum over units of dE/dy dy/da. The logarithms see y kept inside [tiny, 1 -
// eps/2].
template <class Loss>
struct General {
  template <class T>
  static Vector<T> inside(Vector<T> y) {
    if constexpr (!Loss::logarithmic) return y;
    using C = MathConstants<T>;
    return y < C::tiny ? broadcast<T>(C::tiny) : (y > C::below_one ? broadcast<T>(C::below_one) : y);
  }

  template <class T>
  static double row(const OutputRow<T>& row, Activation h) {
    const double E = sum_over_units(
        row, [](Vector<T>, Vector<T> y, Vector<T> r) { return Loss::template value<T>(inside<T>(y), r); });
    for (Index j = 0; j < row.pitch; j += kWidth<T>) {  // dE/dy
      store<T>(row.delta + j, Loss::template derivative<T>(inside<T>(load(row.y + j)), load(row.delta + j)));
    }
    for (Index j = row.n; j < row.pitch; ++j) row.delta[j] = T{0};
    if (h == Activation::softmax) {
      through_softmax(row);
    } else {
      multiply_by_derivative(h, row.a, row.y, row.delta, row.n, row.pitch);
    }
    return E;
  }

  // dy_j/da_k = y_j (1{j = k} - y_k):  delta_k = y_k (dE/dy_k - sum of y_j dE/dy_j)
  template <class T>
  static void through_softmax(const OutputRow<T>& row) {
    Vector<T> sum[kGroup<T>] = {};
    for (Index j = 0; j < row.pitch; j += kLanes) {
      for (int g = 0; g < kGroup<T>; ++g) {
        const Index k = j + g * kWidth<T>;
        sum[g] = fma(load(row.y + k), load(row.delta + k), sum[g]);
      }
    }
    const T mean = tree_sum<T>(sum);
    for (Index j = 0; j < row.pitch; j += kWidth<T>) {
      store<T>(row.delta + j, load(row.y + j) * (load(row.delta + j) - mean));
    }
  }
};

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

// y, E and delta_o of one row: a given, r read from `r`; w, the sample's weight, multiplies delta_o but not
// E.
template <class T>
inline double output_error(const PlanView& plan, T* a, T* y, const T* r, T w, T* delta) {
  const Layer& output = plan.output();
  const OutputRow<T> row{a, y, delta, output.n_out, output.pitch};
  for (Index j = 0; j < row.n; ++j) delta[j] = r[j];
  for (Index j = row.n; j < row.pitch; ++j) delta[j] = T{0};

  SoftmaxParts<T> parts{};
  if (output.h == Activation::softmax) {
    parts = softmax(row);
  } else {
    activate(output.h, a, y, row.pitch);
  }

  double E = 0;
  if (plan.loss == Loss::log && output.h == Activation::sigmoid) {
    E = SigmoidWithLog::row(row);
  } else if (plan.loss == Loss::cross_entropy && output.h == Activation::softmax) {
    E = SoftmaxWithCrossEntropy::row(row, parts);
  } else if (plan.loss == Loss::log) {
    E = General<LogLoss>::row(row, output.h);
  } else if (plan.loss == Loss::cross_entropy) {
    E = General<CrossEntropy>::row(row, output.h);
  } else {
    E = General<SquaredError>::row(row, output.h);  // with identity, h' = 1: y - r
  }
  if (w != T{1}) {
    for (Index j = 0; j < row.n; ++j) delta[j] *= w;
  }
  for (Index j = row.n; j < row.pitch; ++j) delta[j] = T{0};
  return E;
}

}  // namespace deltaprop::DELTAPROP_ISA
