// Line 9 of the lecture's algorithm, w <- w - eta dE/dw, and its relatives: each rule one function
// (gradient, parameters, state) -> parameters, state, for a vector of parameters. The same function runs on
// the tiles of a batch's gradient and on a single sample's: gradients are never materialised whole.
//
// To add one: a struct here or in adaptive_rules.hpp, its name and parameters in learning.hpp and learning.cpp, a line in
// `with_rule`, its declaration in descent/optimizers.
#pragma once

#include "adaptive_rules.hpp"

namespace deltaprop::DELTAPROP_ISA {

// w <- w - eta g
template <class T>
struct Sgd {
  static constexpr int kStates = 0;
  static constexpr bool kLinear = true;  // in (w, state): linear_rule.hpp
  T eta;

  Sgd(const Learning&, double eta_n, Index) : eta(static_cast<T>(eta_n)) {}
  void operator()(Vector<T> g, Vector<T>& w, Vector<T>*) const { w = fma(g, -eta, w); }
};

// V <- mu V - eta g,  w <- w + V
template <class T>
struct Momentum {
  static constexpr int kStates = 1;
  static constexpr bool kLinear = true;
  T eta, mu;

  Momentum(const Learning& learning, double eta_n, Index)
      : eta(static_cast<T>(eta_n)), mu(static_cast<T>(learning.parameters[0])) {}
  void operator()(Vector<T> g, Vector<T>& w, Vector<T>* V) const {
    V[0] = fma(g, -eta, V[0] * mu);
    w += V[0];
  }
};

// V <- mu V - eta g,  w <- w + mu V - eta g: Nesterov's momentum, with w where the next gradient is taken.
template <class T>
struct Nesterov {
  static constexpr int kStates = 1;
  static constexpr bool kLinear = true;
  T eta, mu;

  Nesterov(const Learning& learning, double eta_n, Index)
      : eta(static_cast<T>(eta_n)), mu(static_cast<T>(learning.parameters[0])) {}
  void operator()(Vector<T> g, Vector<T>& w, Vector<T>* V) const {
    V[0] = fma(g, -eta, V[0] * mu);
    w += fma(g, -eta, V[0] * mu);
  }
};

// V <- mu V + g,  w <- w - eta V: momentum with eta outside, as PyTorch has it.
template <class T>
struct MomentumOutside {
  static constexpr int kStates = 1;
  static constexpr bool kLinear = false;  // where eta changes
  T eta, mu;

  MomentumOutside(const Learning& learning, double eta_n, Index)
      : eta(static_cast<T>(eta_n)), mu(static_cast<T>(learning.parameters[0])) {}
  void operator()(Vector<T> g, Vector<T>& w, Vector<T>* V) const {
    V[0] = fma(V[0], mu, g);
    w = fma(V[0], -eta, w);
  }
};

// V <- mu V + g,  w <- w - eta (g + mu V)
template <class T>
struct NesterovOutside {
  static constexpr int kStates = 1;
  static constexpr bool kLinear = false;
  T eta, mu;

  NesterovOutside(const Learning& learning, double eta_n, Index)
      : eta(static_cast<T>(eta_n)), mu(static_cast<T>(learning.parameters[0])) {}
  void operator()(Vector<T> g, Vector<T>& w, Vector<T>* V) const {
    V[0] = fma(V[0], mu, g);
    w = fma(fma(V[0], mu, g), -eta, w);
  }
};

// Calls use(type_identity<Rule>{}) with the rule of an optimizer.
template <class T, class Use>
inline void with_rule(Optimizer optimizer, Use use) {
  switch (optimizer) {
    case Optimizer::sgd:
      return use(std::type_identity<Sgd<T>>{});
    case Optimizer::momentum:
      return use(std::type_identity<Momentum<T>>{});
    case Optimizer::nesterov:
      return use(std::type_identity<Nesterov<T>>{});
    case Optimizer::momentum_outside:
      return use(std::type_identity<MomentumOutside<T>>{});
    case Optimizer::nesterov_outside:
      return use(std::type_identity<NesterovOutside<T>>{});
    case Optimizer::adagrad:
      return use(std::type_identity<Adagrad<T>>{});
    case Optimizer::rmsprop:
      return use(std::type_identity<RmsProp<T>>{});
    case Optimizer::rmsprop_inside:
      return use(std::type_identity<RmsPropInside<T>>{});
    case Optimizer::adadelta:
      return use(std::type_identity<Adadelta<T>>{});
    case Optimizer::adam:
    case Optimizer::adamw:  // Adam, with a decay of its own
      return use(std::type_identity<Adam<T>>{});
    case Optimizer::adam_hat:
      return use(std::type_identity<AdamHat<T>>{});
    case Optimizer::amsgrad:
      return use(std::type_identity<AmsGrad<T>>{});
    case Optimizer::amsgrad_uncorrected:
      return use(std::type_identity<AmsGradUncorrected<T>>{});
    case Optimizer::nadam:
      return use(std::type_identity<Nadam<T>>{});
    case Optimizer::lion:
      return use(std::type_identity<Lion<T>>{});
  }
}

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

// A rule at work on theta: what a gradient is handed to.
template <class T, class Rule>
struct Update {
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

  // The parameters at an offset, and in the rows after it, are needed soon.
  [[gnu::always_inline]] void soon(Index offset, Index rows, Index pitch) const {
    for (Index k = 0; k < rows; ++k, offset += pitch) {
      __builtin_prefetch(theta + offset, 1);
      for (int own = 0; own < Rule::kStates; ++own) __builtin_prefetch(state[own] + offset, 1);
    }
  }
};

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
