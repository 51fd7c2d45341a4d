// Narrow layers in blocks of online descent: layers above the first with so few units that the rows of W are mostly
// padding. For as long as a pass lasts their W (and what the optimizer remembers of it) is held transposed, a row of n_in
// weights for each unit: full vectors in all three products of a step, and the delta rule needs no sums along rows.
//
//   a_j = b_j + z . w_j           the sum over lanes in the tree of fold
//   d   = sum over j of delta_j w_j    one fma chain over ascending j
//   w_j <- the rule on delta_j z
#pragma once

#include "online.hpp"

namespace deltaprop::DELTAPROP_ISA {

template <class T, class Rule>
class NarrowLayers {
 public:
  static constexpr int kVectors = 0;  // of the first layer, in registers: none

  // copies: (1 + states) arrays of plan.narrow_size, all zero.
  NarrowLayers(const PlanView& plan, const LearningView<T>& learning, T* copies)
      : plan_(plan), learning_(learning), copies_(copies) {
    each([](T* weight, T* copy) { *copy = *weight; });
  }
  // The copies back into theta and the optimizer's state.
  void put_back() const {
    each([](T* weight, T* copy) { *weight = *copy; });
  }

  void forward(int l, const T* z, T* a, const Update<T, Rule>& update) const {
    const Layer& layer = plan_.layers[l];
    if (layer.narrow < 0) return forward_row_in_chains<T>(z, layer, update.theta, a);
    const T* b = update.theta + layer.offset + layer.n_in * layer.pitch;
    const Index last = (vectors<T>(layer.n_in) - 1) * kWidth<T>;
    const auto units = [&]<int Units>(Index j, std::integral_constant<int, Units>) {
      const T* w = row(l, j);
      Vector<T> sum[kWidth<T>] = {};
      const auto add = [&](Index i, Vector<T> inputs) {
#pragma GCC unroll 16
        for (int k = 0; k < Units; ++k) sum[k] = fma(load(w + k * pitch(l) + i), inputs, sum[k]);
      };
      for (Index i = 0; i < last; i += kWidth<T>) add(i, load(z + i));
      add(last, keep_first<T>(load(z + last), layer.n_in - last));
      const Vector<T> total = fold<T>(sum);
      store<T>(a + j, layer.bias ? load(b + j) + total : total);
    };
    Index j = 0;
    for (; j + kWidth<T> <= layer.n_out; j += kWidth<T>) units(j, std::integral_constant<int, kWidth<T>>{});
    [&]<int... R>(std::integer_sequence<int, R...>) {
      ((layer.n_out - j == R + 1 ? units(j, std::integral_constant<int, R + 1>{}) : void()), ...);
    }(std::make_integer_sequence<int, kWidth<T> - 1>{});
  }

  void backward_and_update(int l, const T* z, const T* delta, T* d, const Update<T, Rule>& update) const {
    const Layer& layer = plan_.layers[l];
    if (layer.narrow < 0) return DELTAPROP_ISA::backward_and_update<T>(layer, z, delta, d, update);
    Update<T, Rule> own = update;
    own.theta = copies_;
    for (int k = 0; k < Rule::kStates; ++k) own.state[k] = copies_ + (k + 1) * plan_.narrow_size;
    if (own.penalised) {
      columns<true>(l, z, delta, d, own);
    } else {
      columns<false>(l, z, delta, d, own);
    }
    update_biases(layer, vectors<T>(layer.n_out), delta, update);
  }

 private:
  Index pitch(int l) const { return plan_.layers[l - 1].pitch; }
  T* row(int l, Index j) const { return copies_ + plan_.layers[l].narrow + j * pitch(l); }

  template <bool Penalised>
  void columns(int l, const T* z, const T* delta, T* d, const Update<T, Rule> own) const {
    const Layer& layer = plan_.layers[l];
    const Index n = vectors<T>(layer.n_in);
    const auto panel = [&]<int V>(Index i, std::integral_constant<int, V>) {
      Vector<T> inputs[V], sum[V] = {};
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) inputs[v] = load(z + i + v * kWidth<T>);
      if (layer.n_in - i < V * kWidth<T>) {
        inputs[V - 1] = keep_first<T>(inputs[V - 1], layer.n_in - i - (V - 1) * kWidth<T>);
      }
      Index at = layer.narrow + i;
      for (Index j = 0; j < layer.n_out; ++j, at += pitch(l)) {
        const Vector<T> error = broadcast<T>(delta[j]);
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) {
          sum[v] = fma(load(own.theta + at + v * kWidth<T>), error, sum[v]);
          own.template apply<Penalised>(at + v * kWidth<T>, error * inputs[v]);
        }
      }
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) store<T>(d + i + v * kWidth<T>, sum[v]);
    };
    Index v = 0;
    for (; v + 4 <= n; v += 4) panel(v * kWidth<T>, std::integral_constant<int, 4>{});
    if (n - v >= 2) panel(v * kWidth<T>, std::integral_constant<int, 2>{}), v += 2;
    if (n > v) panel(v * kWidth<T>, std::integral_constant<int, 1>{});
  }

  // Calls use(element, its place in the copy) for all weights, and all that the optimizer remembers of them.
  template <class Use>
  void each(Use use) const {
    for (int k = 0; k <= Rule::kStates; ++k) {
      T* numbers = k == 0 ? learning_.theta : learning_.state + (k - 1) * learning_.theta_size;
      T* copies = copies_ + k * plan_.narrow_size;
      for (int l = 1; l < plan_.depth; ++l) {
        const Layer& layer = plan_.layers[l];
        if (layer.narrow < 0) continue;
        for (Index i = 0; i < layer.n_in; ++i) {
          for (Index j = 0; j < layer.n_out; ++j) {
            use(numbers + layer.offset + i * layer.pitch + j, copies + layer.narrow + j * pitch(l) + i);
          }
        }
      }
    }
  }

  PlanView plan_;
  LearningView<T> learning_;
  T* copies_;
};

}  // namespace deltaprop::DELTAPROP_ISA
