// Online descent on sparse rows: the naive order at a cost that goes by the numbers that are not zero.
//
// Where x_i = 0 the rule still moves row i of W: the penalty shrinks it, the momentum carries it on. With a linear rule
// (linear_rule.hpp) k such steps are u <- M^k u, so a row waits and catches up when its input comes again, when eta changes,
// and after every `scratch.waiting` samples: where an order is cut after whole such blocks, that changes no bit.
#pragma once

#include "linear_rule.hpp"
#include "online.hpp"

namespace deltaprop::DELTAPROP_ISA {

// The first layer's rows of [W; V], each at a step of its own.
template <class T, class Rule>
class WaitingRows {
 public:
  // last: (n_in) scratch.
  WaitingRows(const Layer& layer, const LearningView<T>& learning, Index* last)
      : layer_(layer),
        W_(learning.theta + layer.offset),
        V_(learning.state + layer.offset),
        learning_(*learning.definition),
        moves_(Rule::kStates > 0 || learning.definition->shrinks()),
        last_(last) {
    for (Index i = 0; i < layer.n_in && moves_; ++i) last_[i] = 0;
  }

  // From step t on the rule has this eta.
  void set_eta(double eta, Index t) {
    if (eta == eta_) return;
    if (t > 0) catch_up_all(t);
    eta_ = eta;
    powers_[0] = linear_step(learning_, eta, true).M;
    for (int j = 1; j < kPowers; ++j) powers_[j] = powers_[j - 1] * powers_[j - 1];
  }

  void catch_up(Index i, Index t) {
    if (!moves_) return;
    Index steps = t - last_[i];
    if (steps == 0) return;
    last_[i] = t;
    Matrix2 M;
    for (int j = 0; steps > 0; ++j, steps /= 2) {
      if (steps % 2 == 1) M = powers_[j < kPowers ? j : kPowers - 1] * M;
    }
    const T ww = static_cast<T>(M.ww), wv = static_cast<T>(M.wv), vw = static_cast<T>(M.vw), vv = static_cast<T>(M.vv);
    for (Index j = 0; j < vectors<T>(layer_.n_out) * kWidth<T>; j += kWidth<T>) {
      const Index at = i * layer_.pitch + j;
      const Vector<T> w = load(W_ + at);
      if constexpr (Rule::kStates == 0) {
        store<T>(W_ + at, w * ww);
      } else {
        const Vector<T> v = load(V_ + at);
        store<T>(W_ + at, fma(w, ww, v * wv));
        store<T>(V_ + at, fma(w, vw, v * vv));
      }
    }
  }

  void catch_up_all(Index t) {
    for (Index i = 0; i < layer_.n_in && moves_; ++i) catch_up(i, t);
  }

  // Row i has made the step from t by the rule itself.
  void moved(Index i, Index t) {
    if (moves_) last_[i] = t + 1;
  }

 private:
  static constexpr int kPowers = 63;

  const Layer& layer_;
  T* W_;
  T* V_;
  const Learning& learning_;
  bool moves_;
  Index* last_;
  double eta_ = -1;
  Matrix2 powers_[kPowers];
};

template <class T, class Rule>
inline void sparse_online(const PlanView& plan, const LearningView<T>& learning, const Rows<T>& samples,
                          const double* eta, Index n_eta, const OnlineScratch<T>& scratch, Sums* sums) {
  const Layer& layer = plan.layers[0];
  const Workspace<T>& work = scratch.work;
  const Index columns = vectors<T>(layer.n_out);
  T* W = learning.theta + layer.offset;
  WaitingRows<T, Rule> rows(layer, learning, scratch.last);
  Index t = 0, next_block = scratch.waiting;
  for_each_sample(plan, samples, work, sums, [&](Index s, Index row) {
    if (s >= next_block) {
      rows.catch_up_all(t);
      next_block = s - s % scratch.waiting + scratch.waiting;
    }
    const double eta_n = eta[n_eta > 1 ? s : 0];
    rows.set_eta(eta_n, t);
    const Update<T, Rule> update(learning, eta_n, ++sums->steps);
    const Index first = samples.starts[samples.row(s)];
    const Index last = samples.starts[samples.row(s) + 1];
    T* a = rows_of(work.a, work, layer, row).data;
    T* delta = rows_of(work.delta, work, layer, row).data;

    for (Index j = 0; j < columns; ++j) {
      store<T>(a + j * kWidth<T>, layer.bias ? load(W + layer.n_in * layer.pitch + j * kWidth<T>) : Vector<T>{});
    }
    for (Index p = first; p < last; ++p) {
      const Index i = samples.columns[p];
      rows.catch_up(i, t);
      for (Index j = 0; j < columns * kWidth<T>; j += kWidth<T>) {
        store<T>(a + j, fma(load(W + i * layer.pitch + j), samples.values[p], load(a + j)));
      }
    }
    above_first_layer(plan, InRows{plan}, samples, s, work, row, a, delta, samples.r(s), samples.w(s), update);
    for (Index p = first; p < last; ++p) {
      const Index i = samples.columns[p];
      update.outer(layer.offset + i * layer.pitch, layer.pitch, 1, columns, samples.values + p, delta);
      rows.moved(i, t);
    }
    update_biases(layer, columns, delta, update);
    ++t;
  });
  rows.catch_up_all(t);
}

}  // namespace deltaprop::DELTAPROP_ISA
