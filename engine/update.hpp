// Rules at work on theta: what a gradient is handed to, by the tiles of a batch or sample by sample. The rules that run
// hottest have kernels of their own, with the rule inside; all others go by a call for each tile of the gradient.
#pragma once

#include <limits>
#include <new>

#include "rules.hpp"

namespace deltaprop::DELTAPROP_ISA {

// What the penalties and the decay do to the gradient of a weight, and to the weight, before the rule; not of a bias.
template <class T>
struct Penalty {
  T l2, l1, keep;

  Penalty(const Learning& learning, double eta_n)
      : l2(static_cast<T>(learning.l2)),
        l1(static_cast<T>(learning.l1)),
        keep(static_cast<T>(1 - eta_n * learning.decay)) {}
  [[gnu::always_inline]] void operator()(Vector<T>& g, Vector<T>& w) const {
    const Vector<T> side = w > T{0} ? broadcast<T>(l1) : w < T{0} ? broadcast<T>(-l1) : Vector<T>{};
    g = fma(w, l2, g) + side;
    w *= keep;
  }
};

// One rule.
template <class T, class RuleOf>
struct Update {
  using Rule = RuleOf;
  static constexpr bool kLinear = Rule::kLinear;

  T* theta;
  T* state[Rule::kStates > 0 ? Rule::kStates : 1];
  Penalty<T> penalty;
  bool penalised;
  Rule rule;

  Update(const LearningView<T>& learning, double eta_n, Index t)
      : theta(learning.theta),
        penalty(*learning.definition, eta_n),
        penalised(learning.definition->shrinks()),
        rule(*learning.definition, eta_n, t) {
    for (int k = 0; k < Rule::kStates; ++k) state[k] = learning.state + k * learning.theta_size;
  }

  // The rule, with the penalties where Penalised, on the vector at an offset.
  template <bool Penalised>
  [[gnu::always_inline]] void apply(Index offset, Vector<T> g) const {
    Vector<T> w = load(theta + offset);
    if constexpr (Penalised) penalty(g, w);
    if constexpr (Rule::kStates == 0) {
      rule(g, w, nullptr);
    } else {
      Vector<T> own[Rule::kStates];
      for (int k = 0; k < Rule::kStates; ++k) own[k] = load(state[k] + offset);
      rule(g, w, own);
      for (int k = 0; k < Rule::kStates; ++k) store<T>(state[k] + offset, own[k]);
    }
    store<T>(theta + offset, w);
  }

  [[gnu::always_inline]] void bias(Index offset, Vector<T> g) const { apply<false>(offset, g); }
  [[gnu::always_inline]] void weight(Index offset, Vector<T> g) const {
    if (penalised) {
      apply<true>(offset, g);
    } else {
      apply<false>(offset, g);
    }
  }

  // A tile of a gradient, times scale: `rows` rows by V vectors, its sums as gradient_panels has them.
  template <int V, class Sums>
  [[gnu::always_inline]] void weights(Index offset, Index pitch, Index rows, Sums sums, T scale) const {
    const Update own = *this;  // a copy that no store can change
    if (penalised) {
      each_sum<T, V>(rows, sums, [=](Index k, int v, Vector<T> g) {
        own.template apply<true>(offset + k * pitch + v * kWidth<T>, g * scale);
      });
    } else {
      each_sum<T, V>(rows, sums, [=](Index k, int v, Vector<T> g) {
        own.template apply<false>(offset + k * pitch + v * kWidth<T>, g * scale);
      });
    }
  }

  // The gradients z_k delta_j of one sample: `rows` rows of a layer's W from an offset on, z their inputs, by `columns`
  // vectors.
  template <class Columns>
  [[gnu::always_inline]] void outer(Index offset, Index pitch, Index rows, Columns columns, const T* z,
                                    const T* delta) const {
    const Update own = *this;  // a copy that no store can change
    const auto each = [=]<bool Penalised>(std::bool_constant<Penalised>) {
      Index at = offset;
#pragma GCC unroll 8
      for (Index k = 0; k < rows; ++k, at += pitch) {
        const Vector<T> input = broadcast<T>(z[k]);
        for (Index j = 0; j < columns; ++j) {
          own.template apply<Penalised>(at + j * kWidth<T>, load(delta + j * kWidth<T>) * input);
        }
      }
    };
    if (own.penalised) {
      each(std::true_type{});
    } else {
      each(std::false_type{});
    }
  }

  // A tile of the parameters, V vectors wide, is needed soon.
  template <int V>
  [[gnu::always_inline]] void soon(Index offset, Index pitch, Index rows) const {
    call_tile<T, V>(theta + offset, pitch, rows);
    for (int k = 0; k < Rule::kStates; ++k) call_tile<T, V>(state[k] + offset, pitch, rows);
  }
};

// Any rule, behind a call for every tile; with it, clipping by value.
template <class T>
class UpdateByCall {
 public:
  static constexpr bool kLinear = false;

  T* theta;

  UpdateByCall(const LearningView<T>& learning, double eta_n, Index t)
      : theta(learning.theta), most_(static_cast<T>(learning.definition->clip_value)) {
    with_rule<T>(learning.definition->optimizer, [&]<class Rule>(std::type_identity<Rule>) {
      using Own = Update<T, Rule>;
      static_assert(sizeof(Own) <= sizeof own_ && std::is_trivially_destructible_v<Own>);
      new (own_) Own(learning, eta_n, t);
      move_ = &move<Rule>;
    });
  }

  // The gradients g, times scale: `rows` rows by `columns` vectors, for the weights, or the biases, from an offset on.
  void rows(Index offset, Index pitch, Index rows, Index columns, Matrix<const T> g, T scale, bool weights) const {
    move_(own_, {offset, pitch, rows, columns, g, scale, most_, weights});
  }

  void bias(Index offset, Vector<T> g) const { one(offset, g, false); }
  void weight(Index offset, Vector<T> g) const { one(offset, g, true); }

  template <int V, class Sums>
  void weights(Index offset, Index pitch, Index rows_of_tile, Sums sums, T scale) const {
    Vector<T> all[2 * kTileRows];
    sums(WriteSums<T, V>{all});
    rows(offset, pitch, rows_of_tile, V, {reinterpret_cast<const T*>(all), V * kWidth<T>}, scale, true);
  }

  void outer(Index offset, Index pitch, Index rows_of_layer, Index columns, const T* z, const T* delta) const {
    constexpr Index Most = 16;
    T g[Most * kWidth<T>];
    for (Index k = 0; k < rows_of_layer; ++k) {
      for (Index first = 0; first < columns; first += Most) {
        const Index n = columns - first < Most ? columns - first : Most;
        for (Index j = 0; j < n * kWidth<T>; j += kWidth<T>)
          store<T>(g + j, load(delta + first * kWidth<T> + j) * z[k]);
        rows(offset + k * pitch + first * kWidth<T>, pitch, 1, n, {g, 0}, T{1}, true);
      }
    }
  }

  template <int V>
  void soon(Index, Index, Index) const {}

 private:
  struct Tile {
    Index offset, pitch, rows, columns;
    Matrix<const T> g;
    T scale, most;
    bool weights;
  };

  template <class Rule>
  [[gnu::noinline]] static void move(const void* own, const Tile& tile) {
    const Update<T, Rule> update = *static_cast<const Update<T, Rule>*>(own);
    const Tile t = tile;  // copies that no store can change
    const auto each = [=]<bool Penalised>(std::bool_constant<Penalised>) {
      const Vector<T> scale = broadcast<T>(t.scale), most = broadcast<T>(t.most);
      for (Index k = 0; k < t.rows; ++k) {
        for (Index j = 0; j < t.columns * kWidth<T>; j += kWidth<T>) {
          Vector<T> g = load(t.g.row(k) + j) * scale;
          g = g > most ? most : g < -most ? -most : g;
          update.template apply<Penalised>(t.offset + k * t.pitch + j, g);
        }
      }
    };
    if (update.penalised && t.weights) {
      each(std::true_type{});
    } else {
      each(std::false_type{});
    }
  }

  void one(Index offset, Vector<T> g, bool weights) const {
    rows(offset, 0, 1, 1, {reinterpret_cast<const T*>(&g), 0}, T{1}, weights);
  }

  T most_;
  void (*move_)(const void* own, const Tile& tile);
  alignas(16) char own_[192];
};

// Calls use(type_identity<Update>{}) with the update of an optimizer.
template <class T, class Use>
inline void with_update(Optimizer optimizer, Use use) {
  switch (optimizer) {
    case Optimizer::sgd:
      return use(std::type_identity<Update<T, Sgd<T>>>{});
    case Optimizer::momentum:
      return use(std::type_identity<Update<T, Momentum<T>>>{});
    case Optimizer::nesterov:
      return use(std::type_identity<Update<T, Nesterov<T>>>{});
    case Optimizer::adam:
    case Optimizer::adamw:
      return use(std::type_identity<Update<T, Adam<T>>>{});
    default:
      return use(std::type_identity<UpdateByCall<T>>{});
  }
}

// The padding of theta is zero: where a step has met numbers that are not finite, 0 inf has made it NaN.
template <class T>
inline void clear_padding(const PlanView& plan, const LearningView<T>& learning) {
  for (int k = -1; k < learning.definition->states(); ++k) {
    T* numbers = k < 0 ? learning.theta : learning.state + k * learning.theta_size;
    for (int l = 0; l < plan.depth; ++l) {
      const Layer& layer = plan.layers[l];
      for (Index i = 0; i < layer.rows(); ++i) {
        T* row = numbers + layer.offset + i * layer.pitch;
        for (Index j = layer.n_out; j < layer.pitch; ++j) row[j] = T{0};
      }
    }
  }
}

}  // namespace deltaprop::DELTAPROP_ISA
