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

}  // namespace deltaprop::DELTAPROP_ISA
