// Small networks of two layers and one output unit (PlanView::is_small), such as a table with one target has. In blocks of
// online descent one sample's way from a of the first layer to its delta then stays in registers, and so do the output's
// weights w and what the optimizer remembers of them. No step is left out; sums over the units run in lanes and a tree, as
// in narrow.hpp.
#pragma once

#include "online.hpp"

namespace deltaprop::DELTAPROP_ISA {

template <class T, class Rule, int V>
class OneUnit {
 public:
  static constexpr int kVectors = V;  // of the first layer, in registers
  static_assert(Rule::kStates <= 1);  // apply hands a rule one vector of state
  using Vectors = Vector<T>[V];

  // The last is what NarrowLayers would need.
  OneUnit(const PlanView& plan, const LearningView<T>& learning, T* = nullptr)
      : h_(plan.layers[0].h), output_(plan.output()), loss_(plan.loss), learning_(learning) {
    T column[V * kWidth<T>];
    for (int k = 0; k <= Rule::kStates; ++k) {
      for (Index i = 0; i < V * kWidth<T>; ++i) column[i] = i < output_.n_in ? *weight(k, i) : T{0};
      for (int v = 0; v < V; ++v) w_[k][v] = load(column + v * kWidth<T>);
      b_[k] = broadcast<T>(output_.bias ? *weight(k, output_.n_in) : T{0});
    }
    for (int v = 0; v < V; ++v) used_[v] = lanes<T>() < static_cast<T>(output_.n_in - v * kWidth<T>);
  }

  // The output's weights back into theta.
  void put_back() const {
    T column[V * kWidth<T>];
    for (int k = 0; k <= Rule::kStates; ++k) {
      for (int v = 0; v < V; ++v) store<T>(column + v * kWidth<T>, w_[k][v]);
      for (Index i = 0; i < output_.n_in; ++i) *weight(k, i) = column[i];
      if (output_.bias) *weight(k, output_.n_in) = b_[k][0];
    }
  }

  // Lines 4 to 9 for a sample with target r and weight w, from a of the first layer to its delta; a of the output.
  [[gnu::always_inline]] T step(const Vectors& a, T r, T w, const Update<T, Rule>& update, Vectors& delta) {
    Vectors z, back;  // back: what delta_o comes to in delta
    with_common_activation(h_, [&](auto H) __attribute__((always_inline)) {
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) {
        z[v] = H.template value<T>(a[v]);
        back[v] = H.template derivative<T>(a[v], z[v]) * w_[0][v];
      }
    });
    Vector<T> sum = lanes<T>() < T{1} ? b_[0] : Vector<T>{};
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) {
      z[v] = used_[v] ? z[v] : Vector<T>{};
      back[v] = used_[v] ? back[v] : Vector<T>{};
      sum = fma(z[v], w_[0][v], sum);
    }
    const Vector<T> a_output = sum_of_lanes<T>(sum);
    Vector<T> error;
    with_unit_pair(output_.h, loss_, [&](auto Pair) __attribute__((always_inline)) {
      Vector<T> y;
      Pair.template unit<T>(a_output, broadcast<T>(r), y, error);
    });
    error = weighted(error, w);
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) {
      delta[v] = error * back[v];
      Vector<T> g = error * z[v];
      if (update.penalised) update.penalty(g, w_[0][v]);
      apply(update.rule, g, [&](int k) -> Vector<T>& { return w_[k][v]; });
    }
    if (output_.bias) apply(update.rule, error, [&](int k) -> Vector<T>& { return b_[k]; });
    return a_output[0];
  }

 private:
  template <class Place>
  [[gnu::always_inline]] static void apply(const Rule& rule, Vector<T> g, Place place) {
    if constexpr (Rule::kStates == 0) {
      rule(g, place(0), nullptr);
    } else {
      rule(g, place(0), &place(1));
    }
  }
  // Weight i of the output, the bias after the last; k > 0: what the optimizer remembers of it.
  T* weight(int k, Index i) const {
    T* numbers = k == 0 ? learning_.theta : learning_.state + (k - 1) * learning_.theta_size;
    return numbers + output_.offset + i * output_.pitch;
  }

  Function h_;
  Layer output_;
  LossFunction loss_;
  LearningView<T> learning_;
  Vector<T> w_[1 + Rule::kStates][V];
  Vector<T> b_[1 + Rule::kStates];
  Bits<T> used_[V];
};

// Online descent of such a network with few inputs: the naive order, the first layer's rows of W moved one by one.
template <class T, class Rule, int V>
inline void one_unit_online(const PlanView& plan, const LearningView<T>& learning, const Rows<T>& samples,
                            const double* eta, Index n_eta, const Workspace<T>& work, Sums* sums) {
  const Layer layer = plan.layers[0];
  OneUnit<T, Rule, V> unit(plan, learning);
  Update<T, Rule> update(learning, eta[0], 0);  // a linear rule does not count its steps
  const Matrix<T> outputs = rows_of(work.a, work, plan.output());
  const T* b = learning.theta + layer.offset + layer.n_in * layer.pitch;
  for_each_sample(plan, samples, work, sums, [&](Index s, Index row) __attribute__((always_inline)) {
    if (n_eta > 1) update = Update<T, Rule>(learning, eta[s], 0);
    const T* x = samples.X + samples.row(s) * samples.n_in;
    Vector<T> a[V], delta[V];
    for (int v = 0; v < V; ++v) {
      a[v] = layer.bias ? load(b + v * kWidth<T>) : Vector<T>{};
      const T* w = learning.theta + layer.offset + v * kWidth<T>;
      for (Index i = 0; i < layer.n_in; ++i, w += layer.pitch) a[v] = fma(load(w), x[i], a[v]);
    }
    *outputs.row(row) = unit.step(a, *samples.r(s), samples.w(s), update, delta);
    for (int v = 0; v < V; ++v) {
      Index at = layer.offset + v * kWidth<T>;
      for (Index i = 0; i < layer.n_in; ++i, at += layer.pitch) update.weight(at, delta[v] * x[i]);
      if (layer.bias) update.bias(at, delta[v]);
    }
    ++sums->steps;
  });
  unit.put_back();
}

}  // namespace deltaprop::DELTAPROP_ISA
