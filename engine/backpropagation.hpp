// The passes over all layers, for a slice of the rows of a Workspace: forward (a, z), the error of the output (E,
// delta_o), and backward (delta by the delta rule). Lines 4 to 6 of the lecture's algorithm.
#pragma once

#include "output.hpp"
#include "products.hpp"

namespace deltaprop::DELTAPROP_ISA {

// Where layer l's rows stand in one of the Workspace's arrays, from row s on.
template <class T>
[[gnu::always_inline]] inline T* rows_of(T* units, const Workspace<T>& work, const Layer& layer, Index s = 0) {
  return units + layer.units_before * work.rows + s * layer.pitch;
}

// Where each row's inputs to layer l are: the samples themselves for the first layer, z of the layer below for the
// others. A workspace has at most kStepRows rows.
template <class T>
class InputsOf {
 public:
  InputsOf(const PlanView& plan, int l, const Workspace<T>& work, Index first, Index last) {
    if (l == 0) {
      rows_ = work.input + first;
      return;
    }
    const Layer& below = plan.layers[l - 1];
    for (Index s = first; s < last; ++s) own_[s - first] = rows_of(work.z, work, below, s);
    rows_ = own_;
  }
  InputsOf(const InputsOf&) = delete;
  InputsOf& operator=(const InputsOf&) = delete;

  const T* const* rows() const { return rows_; }

 private:
  const T* const* rows_;
  const T* own_[kStepRows];
};

// Line 4: a and z of rows first .. last - 1 of the workspace, from work.input; the output layer gets a alone.
template <class T>
inline void forward(const PlanView& plan, const T* theta, const Workspace<T>& work, Index first, Index last) {
  for (int l = 0; l < plan.depth; ++l) {
    const Layer& layer = plan.layers[l];
    const InputsOf<T> inputs(plan, l, work, first, last);
    T* a = rows_of(work.a, work, layer, first);
    forward_rows(inputs.rows(), last - first, layer, theta + layer.offset, a);
    if (l + 1 < plan.depth) activate(layer.h, a, rows_of(work.z, work, layer, first), (last - first) * layer.pitch);
  }
}

// Line 5: y, E and delta_o of the same rows; row s of the workspace is sample `sample + s`.
template <class T>
inline void output_errors(const PlanView& plan, const Rows<T>& samples, Index sample, const Workspace<T>& work,
                          Index first, Index last) {
  const Layer& output = plan.output();
  for (Index s = first; s < last; ++s) {
    work.E[s] = output_error(plan, rows_of(work.a, work, output, s), rows_of(work.z, work, output, s),
                             samples.r(sample + s), samples.w(sample + s), rows_of(work.delta, work, output, s));
  }
}

// Line 6, the delta rule (2): delta_j = h'(a_j) sum over k of delta_k w_kj, from the output down, for one row.
template <class T>
inline void backward_through(const PlanView& plan, int l, const T* theta, const Workspace<T>& work, Index s) {
  const Layer& layer = plan.layers[l];
  const Layer& below = plan.layers[l - 1];
  T* delta = rows_of(work.delta, work, below, s);
  backward_row(rows_of(work.delta, work, layer, s), layer, theta + layer.offset, delta);
  multiply_by_derivative(below.h, rows_of(work.a, work, below, s), rows_of(work.z, work, below, s), delta, below.n_out,
                         below.pitch);
}

template <class T>
inline void backward(const PlanView& plan, const T* theta, const Workspace<T>& work, Index first, Index last) {
  for (int l = plan.depth - 1; l > 0; --l) {
    for (Index s = first; s < last; ++s) backward_through(plan, l, theta, work, s);
  }
}

}  // namespace deltaprop::DELTAPROP_ISA
