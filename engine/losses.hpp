// E and delta_o = dE/da_o of the output layer, one row at a time.
//
// Canonical pairs are objects of their own: sigmoid with log, softmax with cross_entropy; for them dE/dy dy/da comes to
// y - r, computed as (1 - r) y - r (1 - y) with 1 - y from a, so that nothing cancels where y has come close to r. Where
// a loss takes logarithms of y both E and delta_o are computed from a, so that they stay right where y has rounded to 0
// or 1; the pairs of softmax that are not canonical are in softmax_losses.hpp. Every other pair takes the general path:
// dE/dy of the loss times h'(a) of the output.
#pragma once

#include "activate.hpp"

namespace deltaprop::DELTAPROP_ISA {

// One row of a softmax output: a and y = h(a) padded to pitch. delta holds r (padding 0) before and delta_o after; what is
// left in its padding the caller clears.
template <class T>
struct OutputRow {
  T* a;
  T* y;
  T* delta;
  Index n;
  Index pitch;
};

// Calls use(j) for the vectors that hold the units, and adds up the terms of E that it returns, one by one in float64.
template <class T, class Use>
[[gnu::always_inline]] inline double sum_over_units(const OutputRow<T>& row, Use use) {
  double sum = 0;
  for (Index j = 0; j < row.n; j += kWidth<T>) {
    T term[kWidth<T>];
    store<T>(term, use(j));
    const Index stop = row.n - j < kWidth<T> ? row.n - j : kWidth<T>;
    for (Index k = 0; k < stop; ++k) sum += static_cast<double>(term[k]);
  }
  return sum;
}

// The pairs that work unit by unit have one function on vectors: y, delta_o and the unit's term of E from a and r.

// Sigmoid with log loss: E = (1 - r) a + log(1 + e^-a) for a >= 0, -r a + log(1 + e^a) below;  delta_o = y - r.
struct SigmoidWithLog {
  template <class T>
  [[gnu::always_inline]] static Vector<T> unit(Vector<T> a, Vector<T> r, Vector<T>& y, Vector<T>& delta) {
    const SigmoidParts<T> s(a);
    y = s.y;
    delta = (T{1} - r) * s.y - r * s.rest;
    return (a < T{0} ? -r : T{1} - r) * a + log1p_unit<T>(s.t);
  }
};

// Sigmoid with cross-entropy: E = sum of r log(1 + e^-a);  delta_o = -r (1 - y).
struct SigmoidWithCrossEntropy {
  template <class T>
  [[gnu::always_inline]] static Vector<T> unit(Vector<T> a, Vector<T> r, Vector<T>& y, Vector<T>& delta) {
    const SigmoidParts<T> s(a);
    y = s.y;
    delta = -r * s.rest;
    return r * (log1p_unit<T>(s.t) + (a < T{0} ? -a : Vector<T>{}));
  }
};

// E = 1/2 sum of (y - r)^2.
struct SquaredError {
  template <class T>
  [[gnu::always_inline]] static Vector<T> value(Vector<T> y, Vector<T> r) {
    return (y - r) * (y - r) * T{0.5};
  }
  template <class T>
  [[gnu::always_inline]] static Vector<T> derivative(Vector<T> y, Vector<T> r) {
    return y - r;
  }
};

// A pair of a loss of y and an output that works unit by unit: delta_o = dE/dy dy/da.
template <class L, class H>
struct General {
  L loss;
  H h;

  template <class T>
  [[gnu::always_inline]] Vector<T> unit(Vector<T> a, Vector<T> r, Vector<T>& y, Vector<T>& delta) const {
    y = h.template value<T>(a);
    delta = loss.template derivative<T>(y, r) * h.template derivative<T>(a, y);
    return loss.template value<T>(y, r);
  }
};

// y = softmax a, shifted by the largest a, whose unit k is counted apart from the others: total = 1 + others.
// log y_j = a_j - shift - log(1 + others).
template <class T>
struct SoftmaxParts {
  Index k;
  T shift, others, total;
};

template <class T>
inline SoftmaxParts<T> softmax(const OutputRow<T>& row) {
  Index k = 0;
  for (Index j = 1; j < row.n; ++j) k = row.a[j] > row.a[k] ? j : k;
  const T shift = row.a[k];
  const Index columns = vectors<T>(row.n) * kWidth<T>;
  // Whether the vector at j holds unit k, in its lane.
  const auto at_k = [=](Index j) { return lanes<T>() == static_cast<T>(k - j); };
  Vector<T> sum[kGroup<T>] = {};
  for (Index j = 0, g = 0; j < columns; j += kWidth<T>, g = (g + 1) % kGroup<T>) {
    const Vector<T> e = keep_first<T>(exp<T>(load(row.a + j) - shift), row.n - j);
    const Vector<T> other = at_k(j) ? Vector<T>{} : e;
    store<T>(row.y + j, other);
    sum[g] += other;
  }
  const T others = tree_sum<T>(sum);
  const T total = others + T{1};
  for (Index j = 0; j < columns; j += kWidth<T>) {
    store<T>(row.y + j, (at_k(j) ? broadcast<T>(T{1}) : load(row.y + j)) / total);
  }
  return {k, shift, others, total};
}

// Softmax with cross-entropy: E = sum of r (log sum of e^a - a);  delta_o = y - r, for r that sum to one.
struct SoftmaxWithCrossEntropy {
  template <class T>
  static double row(const OutputRow<T>& row, const SoftmaxParts<T>& parts) {
    const T log_sum = log1p<T>(broadcast<T>(parts.others))[0];
    const T r_k = row.delta[parts.k];
    const double E = sum_over_units(row, [&](Index j) {
      const Vector<T> r = load(row.delta + j);
      store<T>(row.delta + j, load(row.y + j) - r);
      return r * (log_sum - (load(row.a + j) - parts.shift));
    });
    row.delta[parts.k] = (T{1} - r_k) * row.y[parts.k] - r_k * (parts.others / parts.total);
    return E;
  }
};

}  // namespace deltaprop::DELTAPROP_ISA
