// Steps that need the whole gradient before they begin, or all of theta after they end: clipping by norm, factors of eta,
// max-norm, a running average. The gradient is kept, and goes to the rule from there, with the bits that it has where it goes
// there by tiles.
#pragma once

#include "descent.hpp"

namespace deltaprop::DELTAPROP_ISA {

// The sum of squares of some vectors side by side, in float64: each lane by itself over ascending j, then lane by lane.
template <class T>
inline double sum_of_squares(const T* from, Index columns) {
  Wide<T> sum{};
  for (Index j = 0; j < columns; ++j) {
    const Wide<T> x = widen<T>(load(from + j * kWidth<T>));
    sum += x * x;
  }
  double total = 0;
  for (int k = 0; k < kWidth<T>; ++k) total += sum[k];
  return total;
}

// What the gradient is multiplied by so that its norm, that of all layers together, is at most `most`. Sums row by row, each
// thread those of its share, and then over all rows in ascending order.
template <class T>
inline T clipping(const PlanView& plan, const T* gradient, double most, double* of_rows, Team team) {
  own_rows(plan, team, [&](int l, Index before, Index first, Index last) {
    const Layer& layer = plan.layers[l];
    for (Index i = first; i < last; ++i) {
      of_rows[before + i] = sum_of_squares(gradient + layer.offset + i * layer.pitch, vectors<T>(layer.n_out));
    }
  });
  team.wait();
  double sum = 0;
  for (Index i = 0; i < all_rows(plan); ++i) sum += of_rows[i];
  return sum > most * most ? static_cast<T>(most / __builtin_sqrt(sum)) : T{1};
}

// Lines 8 and 9 for rows first .. last - 1 of layer l, with eta times the layer's factors.
template <class T>
inline void move_rows(const PlanView& plan, const LearningView<T>& learning, const T* gradient, T scale, double eta_n,
                      Index t, int l, Index first, Index last) {
  const Layer& layer = plan.layers[l];
  const auto part = [&](Index from, Index to, bool weights) {
    if (from >= to) return;
    const double factor = learning.factors ? learning.factors[2 * l + (weights ? 0 : 1)] : 1;
    const UpdateByCall<T> update(learning, eta_n * factor, t);
    const Index at = layer.offset + from * layer.pitch;
    update.rows(at, layer.pitch, to - from, vectors<T>(layer.n_out), {gradient + at, layer.pitch}, scale, weights);
  };
  part(first, last < layer.n_in ? last : layer.n_in, true);
  part(first < layer.n_in ? layer.n_in : first, last, false);
}

// The weights into each unit, biases left out, no longer than `most`: this thread's columns of every layer that moves.
template <class T>
inline void constrain(const PlanView& plan, T* theta, const double* factors, double most, Team team) {
  for (int l = 0; l < plan.depth; ++l) {
    if (factors && factors[2 * l] == 0) continue;
    const Layer& layer = plan.layers[l];
    const Columns own = own_columns<T>(layer, team);
    for (Index j = own.first; j < own.last; ++j) {
      T* const column = theta + layer.offset + j * kWidth<T>;
      Wide<T> sum{};
      for (Index i = 0; i < layer.n_in; ++i) {
        const Wide<T> w = widen<T>(load(column + i * layer.pitch));
        sum += w * w;
      }
      bool longer = false;
      T scales[kWidth<T>];
      for (int k = 0; k < kWidth<T>; ++k) {
        const bool this_one = sum[k] > most * most;
        scales[k] = this_one ? static_cast<T>(most / __builtin_sqrt(sum[k])) : T{1};
        longer = longer || this_one;
      }
      if (!longer) continue;
      const Vector<T> scale = load(scales);
      for (Index i = 0; i < layer.n_in; ++i) store<T>(column + i * layer.pitch, load(column + i * layer.pitch) * scale);
    }
  }
}

// average <- average + (1 - keep) (theta - average), for rows first .. last - 1 of a layer.
template <class T>
inline void average_rows(const Layer& layer, const T* theta, T* average, double keep, Index first, Index last) {
  const Vector<T> rest = broadcast(static_cast<T>(1 - keep));
  for (Index i = first; i < last; ++i) {
    for (Index j = 0; j < vectors<T>(layer.n_out) * kWidth<T>; j += kWidth<T>) {
      const Index at = layer.offset + i * layer.pitch + j;
      const Vector<T> mean = load(average + at);
      store<T>(average + at, fma(load(theta + at) - mean, rest, mean));
    }
  }
}

template <class T>
void descend_whole(const PlanView& plan, const LearningView<T>& learning, const Rows<T>& samples, const double* eta,
                   Index n_eta, Index batch_size, const Workspace<T>& work, const StepScratch<T>& scratch, Sums* sums,
                   Barrier& barrier, [[maybe_unused]] int threads) {
  const Learning& how = *learning.definition;
  const Index before = sums->steps;
#pragma omp parallel num_threads(threads) if (threads > 1)
  {
    const Arithmetic arithmetic(Subnormals::flushed);
    const Team team = Team::here(&barrier);
    transpose_all(plan, learning.theta, work, team);
    Place<T> place(plan, plan, learning.theta, work, team);
    Index t = before, n = 0;
    for (Index start = 0; start < samples.n; start += batch_size, ++n) {
      const Index m = samples.n - start < batch_size ? samples.n - start : batch_size;
      if (batch_size == 1 && samples.w(start) == T{0}) continue;  // no step, as online
      step(plan, place, samples, start, m, T{1} / static_cast<T>(m), scratch.partial, sums, Keep<T>{scratch.gradient},
           [](int, Index, Index, Columns) {});
      team.wait();
      const T scale = how.clips_norm() ? clipping(plan, scratch.gradient, how.clip_norm, scratch.of_rows, team) : T{1};
      const double eta_n = eta[n_eta > 1 ? n : 0];
      ++t;
      own_rows(plan, team, [&](int l, Index, Index first, Index last) {
        move_rows(plan, learning, scratch.gradient, scale, eta_n, t, l, first, last);
      });
      if (how.constrains()) {
        team.wait();
        constrain(plan, learning.theta, learning.factors, how.max_norm, team);
        team.wait();
      }
      own_rows(plan, team, [&](int l, Index, Index first, Index last) {
        const Layer& layer = plan.layers[l];
        refresh_transposed<T>(plan, l, layer, learning.theta, work, first, last, Columns::all<T>(layer));
        if (how.average > 0) average_rows(layer, learning.theta, learning.average, how.average, first, last);
      });
      if (place.ahead) team.wait();
    }
    if (team.thread == 0) sums->steps = t;
  }
  clear_padding(plan, learning);
}

}  // namespace deltaprop::DELTAPROP_ISA
