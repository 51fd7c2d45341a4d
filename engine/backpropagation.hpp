// The passes over all layers, for a slice of the rows of a Workspace: forward (a, z), the error of the output (E,
// delta_o), and backward (delta by the delta rule). Lines 4 to 6 of the lecture's algorithm.
#pragma once

#include "noise.hpp"
#include "output.hpp"
#include "products.hpp"

namespace deltaprop::DELTAPROP_ISA {

// Layer l's rows in one of the Workspace's arrays, from row s on.
template <class T>
[[gnu::always_inline]] inline Matrix<T> rows_of(T* units, const Workspace<T>& work, const Layer& layer, Index s = 0) {
  return {units + layer.units_before * work.rows + s * layer.pitch, layer.pitch};
}

// The inputs of layer l: the packed samples for the first layer, z of the layer below for the others.
template <class T>
[[gnu::always_inline]] inline Matrix<T> inputs_of(const PlanView& plan, int l, const Workspace<T>& work, Index s = 0) {
  if (l > 0) return rows_of(work.z, work, plan.layers[l - 1], s);
  return {work.x.row(s), work.x.stride};
}

// The target of sample s, and the beginning of its inputs, called into the cache.
template <class T>
[[gnu::always_inline]] inline void prefetch(const Rows<T>& samples, Index s) {
  if (s >= samples.n) return;
  __builtin_prefetch(samples.r(s));
  if (!samples.sparse()) __builtin_prefetch(samples.X + samples.row(s) * samples.n_in);
}

// Inputs of samples start .. start + n - 1 as dense rows: the one place where an order becomes rows side by side, and where
// inputs are disturbed.
template <class T>
inline void pack(const Rows<T>& samples, Index start, Index n, Matrix<T> to) {
  for (Index s = 0; s < n; ++s) {
    const Index row = samples.row(start + s);
    if (!samples.sparse()) {
      copy(samples.X + row * samples.n_in, samples.n_in, to.row(s));
    } else {
      __builtin_memset(to.row(s), 0, static_cast<std::size_t>(samples.n_in) * sizeof(T));
      for (Index p = samples.starts[row]; p < samples.starts[row + 1]; ++p)
        to.row(s)[samples.columns[p]] = samples.values[p];
    }
    if (samples.draws.on) disturb(samples, start + s, to.row(s));
  }
}

// Whether units of layer l are dropped in this pass.
template <class T>
[[gnu::always_inline]] inline bool drops(const PlanView& plan, int l, const Rows<T>& samples) {
  return samples.draws.on && plan.layers[l + 1].dropout > 0;
}

// Line 4 for one layer: a and z of rows first .. last - 1 of the workspace, of some columns; the output layer gets a alone.
// Row s of the workspace is sample `sample + s`. held: the layer with the place of its [W; b] in theta.
template <class T>
inline void forward_layer(const PlanView& plan, int l, const Layer& held, const T* theta, const Rows<T>& samples,
                          Index sample, const Workspace<T>& work, Index first, Index last, Columns columns) {
  if (first >= last) return;
  const Layer& layer = plan.layers[l];
  const Matrix<T> a = rows_of(work.a, work, layer, first);
  forward_rows<T>(inputs_of(plan, l, work, first), last - first, held, theta, a, columns);
  if (l + 1 == plan.depth) return;
  const Index j = columns.first * kWidth<T>;
  const Matrix<T> z = rows_of(work.z, work, layer, first);
  activate<T>(layer.h, {a.data + j, a.stride}, {z.data + j, z.stride}, last - first, columns.last - columns.first);
  if (!drops(plan, l, samples)) return;
  const Matrix<T> slope = rows_of(work.slope, work, layer, first);
  for (Index s = 0; s < last - first; ++s) {
    drop(layer, l, plan.layers[l + 1].dropout, samples.draws, sample + first + s, j, columns.last * kWidth<T>, a.row(s),
         z.row(s), slope.row(s));
  }
}

// Line 4: a and z of rows first .. last - 1 of the workspace.
template <class T>
inline void forward(const PlanView& plan, const T* theta, const Rows<T>& samples, Index sample,
                    const Workspace<T>& work, Index first, Index last) {
  for (int l = 0; l < plan.depth; ++l) {
    const Layer& layer = plan.layers[l];
    forward_layer(plan, l, layer, theta, samples, sample, work, first, last, Columns::all<T>(layer));
  }
}

// delta of `rows` rows of layer l from the sums of the delta rule that are there: times h'(a), 0 where a unit was dropped.
template <class T>
[[gnu::always_inline]] inline void multiply_by_slope(const PlanView& plan, int l, const Rows<T>& samples,
                                                     Matrix<const T> a, Matrix<const T> z, const T* slope,
                                                     Matrix<T> delta, Index rows) {
  const Layer& layer = plan.layers[l];
  if (!drops(plan, l, samples)) return multiply_by_derivative<T>(layer.h, a, z, delta, rows, layer.n_out);
  for (Index s = 0; s < rows; ++s, slope += layer.pitch) {
    T* const error = delta.row(s);
    for (Index j = 0; j < vectors<T>(layer.n_out) * kWidth<T>; j += kWidth<T>) {
      store<T>(error + j, keep_first<T>(load(slope + j) * load(error + j), layer.n_out - j));
    }
  }
}

// Line 5: y, E and delta_o of the same rows; row s of the workspace is sample `sample + s`.
template <class T>
inline void output_errors(const PlanView& plan, const Rows<T>& samples, Index sample, const Workspace<T>& work,
                          Index first, Index last) {
  const Layer& output = plan.output();
  const Matrix<T> a = rows_of(work.a, work, output);
  const Matrix<T> y = rows_of(work.z, work, output);
  const Matrix<T> delta = rows_of(work.delta, work, output);
  if (output.h == Activation::softmax) {
    for (Index s = first; s < last; ++s) {
      work.E[s] = output_error<T>(plan, a.row(s), y.row(s), delta.row(s), samples.r(sample + s), samples.w(sample + s));
    }
  } else {
    dense_outputs<true, T>(
        plan, {a.row(first), a.stride}, {y.row(first), y.stride}, {delta.row(first), delta.stride}, last - first,
        work.units + 3 * (first * output.pitch), work.E + first,
        [&, at = sample + first](Index s) { return samples.r(at + s); },
        [&, at = sample + first](Index s) { return samples.w(at + s); });
  }
}

// Adds up E of rows first .. last - 1, in ascending order.
template <class T>
inline void add_losses(const Rows<T>& samples, Index sample, Index first, Index last, const Workspace<T>& work,
                       Sums* sums) {
  for (Index s = first; s < last; ++s) {
    const double w = static_cast<double>(samples.w(sample + s));
    if (w != 0) sums->E += w * work.E[s];
    sums->weight += w;
  }
}

// Line 6, the delta rule (2): delta_j = h'(a_j) sum over k of delta_k w_kj, from the output down.
template <class T>
inline void backward(const PlanView& plan, const T* theta, const Rows<T>& samples, const Workspace<T>& work,
                     Index first, Index last) {
  for (int l = plan.depth - 1; l > 0; --l) {
    const Layer& layer = plan.layers[l];
    const Layer& below = plan.layers[l - 1];
    const Matrix<T> from = rows_of(work.delta, work, layer, first);
    const Matrix<T> to = rows_of(work.delta, work, below, first);
    if (work.transposed) {
      product<T>(from, last - first, layer.n_out, {work.transposed + layer.transposed, below.pitch}, {nullptr, 0}, to,
                 0, vectors<T>(below.n_out));
    } else {
      for (Index s = 0; s < last - first; ++s) backward_row(from.row(s), layer, theta, to.row(s));
    }
    multiply_by_slope<T>(plan, l - 1, samples, rows_of(work.a, work, below, first), rows_of(work.z, work, below, first),
                         rows_of(work.slope, work, below, first).data, to, last - first);
  }
}

}  // namespace deltaprop::DELTAPROP_ISA
