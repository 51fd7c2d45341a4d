// Line 9 of the lecture's algorithm, w <- w - eta dE/dw, and its relatives: each rule one function
// (gradient, parameters, state) -> parameters, state, for a vector of parameters. The same function runs on
// the tiles of a batch's gradient and on a single sample's: gradients are never materialised whole.
//
// To add one: a struct here, its name and parameters in learning.hpp and learning.cpp, a line in `with_rule`.
#pragma once

#include "products.hpp"

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

// M <- beta1 M + (1 - beta1) g,  V <- beta2 V + (1 - beta2) g^2,
// w <- w - eta (M / (1 - beta1^t)) / (sqrt(V / (1 - beta2^t)) + epsilon): Kingma and Ba, algorithm 1, step t = 1, 2, ...
template <class T>
struct Adam {
  static constexpr int kStates = 2;
  static constexpr bool kLinear = false;
  T step, beta1, beta2, rest1, rest2, epsilon, unbias;

  Adam(const Learning& learning, double eta_n, Index t)
      : step(static_cast<T>(eta_n / (1 - power(learning.parameters[0], t)))),
        beta1(static_cast<T>(learning.parameters[0])),
        beta2(static_cast<T>(learning.parameters[1])),
        rest1(static_cast<T>(1 - learning.parameters[0])),
        rest2(static_cast<T>(1 - learning.parameters[1])),
        epsilon(static_cast<T>(learning.parameters[2])),
        unbias(static_cast<T>(1 / (1 - power(learning.parameters[1], t)))) {}
  void operator()(Vector<T> g, Vector<T>& w, Vector<T>* state) const {
    state[0] = fma(g, rest1, state[0] * beta1);
    state[1] = fma(g * g, rest2, state[1] * beta2);
    w -= state[0] * step / (square_root<T>(state[1] * unbias) + epsilon);
  }

 private:
  static double power(double x, Index n) {
    double result = 1;
    for (; n > 0; n /= 2, x *= x) {
      if (n % 2 == 1) result *= x;
    }
    return result;
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
    case Optimizer::adam:
      return use(std::type_identity<Adam<T>>{});
  }
}

// A rule at work on theta: what a gradient is handed to. The penalty l2 adds l2 w to the gradient of a weight, not of a
// bias.
template <class T, class Rule>
struct Update {
  T* theta;
  T* state[Rule::kStates > 0 ? Rule::kStates : 1];
  T l2;
  bool penalised;
  Rule rule;

  Update(const LearningView<T>& learning, double eta_n, Index t)
      : theta(learning.theta),
        l2(static_cast<T>(learning.definition->l2)),
        penalised(learning.definition->l2 != 0),
        rule(*learning.definition, eta_n, t) {
    for (int k = 0; k < Rule::kStates; ++k) state[k] = learning.state + k * learning.theta_size;
  }

  // The rule, with the penalty's gradient where Penalised, on the vector at an offset.
  template <bool Penalised>
  [[gnu::always_inline]] void apply(Index offset, Vector<T> g) const {
    Vector<T> w = load(theta + offset);
    if constexpr (Penalised) g = fma(w, l2, g);
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
