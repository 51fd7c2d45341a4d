// Online descent: the lecture's algorithm, a step after every sample. Here the naive order, lines 4 to 9 for one sample
// after the other, which is the reference; block.hpp has the same steps with the first layer taken many samples at a time.
#pragma once

#include "backpropagation.hpp"
#include "rules.hpp"

namespace deltaprop::DELTAPROP_ISA {

// Calls use(integral_constant<Index, C>) with the vectors of a row where they are few, so that loops over them unroll, and
// use(columns) otherwise.
template <class Use>
[[gnu::always_inline]] inline void with_columns(Index columns, Use use) {
  if (columns == 1) return use(std::integral_constant<Index, 1>{});
  if (columns == 2) return use(std::integral_constant<Index, 2>{});
  use(columns);
}

// Line 9 for rows i .. i + rows - 1 of one layer and one sample, z their inputs: the gradients z_i delta_j to the rule.
template <class T, class Rule, class Columns>
[[gnu::always_inline]] inline void update_rows(const Layer& layer, Index i, Index rows, Columns columns, const T* z,
                                               const T* delta, const Update<T, Rule>& update) {
  Index offset = layer.offset + i * layer.pitch;
#pragma GCC unroll 8
  for (Index k = 0; k < rows; ++k, offset += layer.pitch) {
    const Vector<T> input = broadcast<T>(z[k]);
    for (Index j = 0; j < columns; ++j) {
      update.weight(offset + j * kWidth<T>, load(delta + j * kWidth<T>) * input);
    }
  }
}

template <class T, class Rule, class Columns>
[[gnu::always_inline]] inline void update_biases(const Layer& layer, Columns columns, const T* delta,
                                                 const Update<T, Rule>& update) {
  const Index offset = layer.offset + layer.n_in * layer.pitch;
  for (Index j = 0; j < columns && layer.bias; ++j) {
    update.bias(offset + j * kWidth<T>, load(delta + j * kWidth<T>));
  }
}

// Line 9 of one layer for one sample.
template <class T, class Rule>
[[gnu::always_inline]] inline void update_layer(const Layer& layer, const T* z, const T* delta,
                                                const Update<T, Rule>& update) {
  with_columns(vectors<T>(layer.n_out), [&](auto columns) {
    for (Index i = 0; i < layer.n_in; ++i) update_rows(layer, i, 1, columns, z + i, delta, update);
    update_biases(layer, columns, delta, update);
  });
}

// Lines 6 and 9 of a layer above the first in one pass: the sums of the delta rule through W, into d, and each row of W
// moved as soon as they have been taken through it.
template <class T, class Rule>
[[gnu::always_inline]] inline void backward_and_update(const Layer& layer, const T* z, const T* delta, T* d,
                                                       const Update<T, Rule>& update) {
  constexpr Index w = kWidth<T>;
  with_columns(vectors<T>(layer.n_out), [&](auto columns) {
    const T* W = update.theta + layer.offset;
    Index i = 0;
    for (; i + w <= layer.n_in; i += w) {
      store<T>(d + i, backward_dots<T>(delta, W + i * layer.pitch, layer, columns, w));
      update_rows(layer, i, w, columns, z + i, delta, update);
    }
    if (i < layer.n_in) {
      store<T>(d + i, backward_dots<T>(delta, W + i * layer.pitch, layer, columns, layer.n_in - i));
      update_rows(layer, i, layer.n_in - i, columns, z + i, delta, update);
    }
    update_biases(layer, columns, delta, update);
  });
}

// Lines 4 to 9 for row s of the workspace, which is sample `sample`, from the first layer's a on and down to its delta:
// everything but the first layer's own product and update.
template <class T, class Rule>
[[gnu::always_inline]] inline void above_first_layer(const PlanView& plan, const Rows<T>& samples, Index sample,
                                                     const Workspace<T>& work, Index s, const Update<T, Rule>& update,
                                                     Sums* sums) {
  for (int l = 1; l < plan.depth; ++l) {
    const Layer& below = plan.layers[l - 1];
    T* z = rows_of(work.z, work, below, s).data;
    activate<T>(below.h, rows_of(work.a, work, below, s), {z, 0}, 1, vectors<T>(below.n_out));
    forward_row<T>(z, plan.layers[l], update.theta, rows_of(work.a, work, plan.layers[l], s).data);
  }
  const Layer& output = plan.output();
  const T w = samples.w(sample);
  const double E = output_error<T>(plan, rows_of(work.a, work, output, s).data, rows_of(work.z, work, output, s).data,
                                   rows_of(work.delta, work, output, s).data, samples.r(sample), w);
  sums->E += static_cast<double>(w) * E;
  sums->weight += static_cast<double>(w);
  for (int l = plan.depth - 1; l > 0; --l) {
    const Layer& below = plan.layers[l - 1];
    const Matrix<T> delta = rows_of(work.delta, work, below, s);
    const Matrix<T> z = rows_of(work.z, work, below, s);
    backward_and_update<T>(plan.layers[l], z.data, rows_of(work.delta, work, plan.layers[l], s).data, delta.data,
                           update);
    multiply_by_derivative<T>(below.h, rows_of(work.a, work, below, s), z, delta, 1, below.n_out);
  }
}

inline constexpr Index kAhead = 8;  // samples, while one is at work

template <class T, class Rule>
inline void naive_online(const PlanView& plan, const LearningView<T>& learning, const Rows<T>& samples,
                         const double* eta, Index n_eta, const Workspace<T>& work, Sums* sums) {
  const Layer& layer = plan.layers[0];
  T* a = rows_of(work.a, work, layer).data;
  const T* delta = rows_of(work.delta, work, layer).data;
  for (Index s = 0; s < samples.n; ++s) {
    prefetch(samples, s + kAhead);
    if (samples.w(s) == T{0}) continue;
    const Update<T, Rule> update(learning, eta[n_eta > 1 ? s : 0], ++sums->steps);
    const T* x = samples.X + samples.row(s) * samples.n_in;
    if (samples.sparse()) {
      pack(samples, s, 1, work.x);
      x = work.x.data;
    }
    forward_row<T>(x, layer, learning.theta, a);
    above_first_layer(plan, samples, s, work, 0, update, sums);
    update_layer(layer, x, delta, update);
  }
}

}  // namespace deltaprop::DELTAPROP_ISA
