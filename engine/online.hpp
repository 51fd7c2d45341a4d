// Online descent: the lecture's algorithm, a step after every sample. Here the naive order, lines 4 to 9 for one sample
// after the other, which is the reference; block.hpp has the same steps with the first layer taken many samples at a time.
#pragma once

#include "backpropagation.hpp"
#include "update.hpp"

namespace deltaprop::DELTAPROP_ISA {

// Calls use(integral_constant<Index, C>) with the vectors of a row where they are few, so that loops over them unroll, and
// use(columns) otherwise.
template <class Use>
[[gnu::always_inline]] inline void with_columns(Index columns, Use use) {
  if (columns == 1) return use(std::integral_constant<Index, 1>{});
  if (columns == 2) return use(std::integral_constant<Index, 2>{});
  use(columns);
}

// Line 9 for the biases of one layer, whose input is 1.
template <class T, class Update, class Columns>
[[gnu::always_inline]] inline void update_biases(const Layer& layer, Columns columns, const T* delta,
                                                 const Update& update) {
  const Index offset = layer.offset + layer.n_in * layer.pitch;
  for (Index j = 0; j < columns && layer.bias; ++j) {
    update.bias(offset + j * kWidth<T>, load(delta + j * kWidth<T>));
  }
}

// Line 9 of one layer for one sample.
template <class T, class Update>
[[gnu::always_inline]] inline void update_layer(const Layer& layer, const T* z, const T* delta, const Update& update) {
  with_columns(vectors<T>(layer.n_out), [&](auto columns) {
    for (Index i = 0; i < layer.n_in; ++i)
      update.outer(layer.offset + i * layer.pitch, layer.pitch, 1, columns, z + i, delta);
    update_biases(layer, columns, delta, update);
  });
}

// Lines 6 and 9 of a layer above the first in one pass: the sums of the delta rule through W, into d, and each row of W
// moved as soon as they have been taken through it.
template <class T, class Update>
[[gnu::always_inline]] inline void backward_and_update(const Layer& layer, const T* z, const T* delta, T* d,
                                                       const Update& update) {
  constexpr Index w = kWidth<T>;
  with_columns(vectors<T>(layer.n_out), [&](auto columns) {
    const T* W = update.theta + layer.offset;
    Index i = 0;
    for (; i + w <= layer.n_in; i += w) {
      store<T>(d + i, backward_dots<T>(delta, W + i * layer.pitch, layer, columns, w));
      update.outer(layer.offset + i * layer.pitch, layer.pitch, w, columns, z + i, delta);
    }
    if (i < layer.n_in) {
      store<T>(d + i, backward_dots<T>(delta, W + i * layer.pitch, layer, columns, layer.n_in - i));
      update.outer(layer.offset + i * layer.pitch, layer.pitch, layer.n_in - i, columns, z + i, delta);
    }
    update_biases(layer, columns, delta, update);
  });
}

// The products of the layers above the first, in the order that products.hpp promises.
struct InRows {
  const PlanView& plan;

  template <class T, class Update>
  [[gnu::always_inline]] void forward(int l, const T* z, T* a, const Update& update) const {
    forward_row<T>(z, plan.layers[l], update.theta, a);
  }
  template <class T, class Update>
  [[gnu::always_inline]] void backward_and_update(int l, const T* z, const T* delta, T* d, const Update& update) const {
    DELTAPROP_ISA::backward_and_update<T>(plan.layers[l], z, delta, d, update);
  }
};

// Lines 4 to 9 for one sample, from the first layer's a on and down to its delta: everything but the first layer's own
// product and update, and, where the output works unit by unit, E: add_losses of several rows costs less. What lies between
// goes through row 0 of the workspace, which is sample `sample` of the samples; a of the output is left in row s, and E of a softmax output. `layers` has the
// products of a layer: InRows, or NarrowLayers in blocks.
template <class T, class Update, class Layers>
[[gnu::always_inline]] inline void above_first_layer(const PlanView& plan, const Layers& layers, const Rows<T>& samples,
                                                     Index sample, const Workspace<T>& work, Index s, T* a, T* delta,
                                                     const T* r, T w, const Update& update) {
  const int last = plan.depth - 1;
  const auto place = [&](int l) { return plan.layers[l].units_before * work.rows; };
  T* const a_output = last > 0 ? work.a + place(last) + s * plan.output().pitch : a;
  T* const delta_output = last > 0 ? work.delta + place(last) : delta;
  const auto a_of = [&](int l) { return l == 0 ? a : l == last ? a_output : work.a + place(l); };
  for (int l = 1; l <= last; ++l) {
    T* z = work.z + place(l - 1);
    const Layer& below = plan.layers[l - 1];
    const Index columns = vectors<T>(below.n_out);
    activate<T>(below.h, {a_of(l - 1), 0}, {z, 0}, 1, columns);
    if (drops(plan, l - 1, samples)) {
      drop(below, l - 1, plan.layers[l].dropout, samples.draws, sample, 0, columns * kWidth<T>, a_of(l - 1), z,
           work.slope + place(l - 1));
    }
    layers.forward(l, z, a_of(l), update);
  }
  const double E = output_error<T>(plan, a_output, work.z + place(last), delta_output, r, w);
  if (plan.output().h == Activation::softmax) work.E[s] = E;
  const T* error = delta_output;
  for (int l = last; l > 0; --l) {
    const T* z = work.z + place(l - 1);
    T* d = l == 1 ? delta : work.delta + place(l - 1);
    layers.backward_and_update(l, z, error, d, update);
    multiply_by_slope<T>(plan, l - 1, samples, {a_of(l - 1), 0}, {z, 0}, work.slope + place(l - 1), {d, 0}, 1);
    error = d;
  }
}

// E of rows 0 .. n - 1 of the workspace, which are samples of[0 .. n - 1], in order to the sums.
template <class T>
inline void add_losses(const PlanView& plan, const Rows<T>& samples, const Index* of, Index n, const Workspace<T>& work,
                       Sums* sums) {
  const Layer& output = plan.output();
  const Rows<T> own = samples;  // a copy that no store can change
  if (output.h != Activation::softmax) {
    dense_outputs<false, T>(
        plan, rows_of(work.a, work, output), {}, {}, n, work.units, work.E, [=](Index s) { return own.r(of[s]); },
        [](Index) { return T{1}; });
  }
  Sums all = *sums;
  for (Index s = 0; s < n; ++s) {
    const double w = static_cast<double>(own.w(of[s]));
    all.E += w * work.E[s];
    all.weight += w;
  }
  *sums = all;
}

inline constexpr Index kAhead = 8;  // samples, while one is at work

// Calls step(s, row) for every sample that has a weight, in order, row a row of the workspace, and adds up E whenever the
// workspace is full.
template <class T, class Step>
[[gnu::always_inline]] inline void for_each_sample(const PlanView& plan, const Rows<T>& samples,
                                                   const Workspace<T>& work, Sums* sums, Step step) {
  Index of[kMostBlock];
  Index n = 0;
  for (Index s = 0; s < samples.n; ++s) {
    prefetch(samples, s + kAhead);
    if (samples.w(s) == T{0}) continue;
    step(s, n);
    of[n++] = s;
    if (n < work.rows) continue;
    add_losses(plan, samples, of, n, work, sums);
    n = 0;
  }
  add_losses(plan, samples, of, n, work, sums);
}

template <class T, class Update>
inline void naive_online(const PlanView& plan, const LearningView<T>& learning, const Rows<T>& samples,
                         const double* eta, Index n_eta, const Workspace<T>& work, Sums* sums) {
  const Layer& layer = plan.layers[0];
  for_each_sample(plan, samples, work, sums, [&](Index s, Index row) {
    const Update update(learning, eta[n_eta > 1 ? s : 0], ++sums->steps);
    const T* x = samples.X + samples.row(s) * samples.n_in;
    if (samples.sparse() || samples.draws.on) {
      pack(samples, s, 1, work.x);
      x = work.x.data;
    }
    forward_row<T>(x, layer, learning.theta, rows_of(work.a, work, layer, row).data);
    T* delta = rows_of(work.delta, work, layer, row).data;
    above_first_layer(plan, InRows{plan}, samples, s, work, row, rows_of(work.a, work, layer, row).data, delta,
                      samples.r(s), samples.w(s), update);
    update_layer(layer, x, delta, update);
  });
}

}  // namespace deltaprop::DELTAPROP_ISA
