// The rules that give every parameter a step of its own, from what they remember of its gradients; each a function as in
// rules.hpp. What a step t = 1, 2, ... needs beside the gradient is worked out once, in float64.
#pragma once

#include <cmath>

#include "products.hpp"

namespace deltaprop::DELTAPROP_ISA {

// x^n
inline double whole_power(double x, Index n) {
  double result = 1;
  for (; n > 0; n /= 2, x *= x) {
    if (n % 2 == 1) result *= x;
  }
  return result;
}

// x keep + y (1 - keep): a running mean, as its next term comes.
template <class T>
struct RunningMean {
  T keep, rest;

  explicit RunningMean(double of) : keep(static_cast<T>(of)), rest(static_cast<T>(1 - of)) {}
  [[gnu::always_inline]] Vector<T> operator()(Vector<T> mean, Vector<T> next) const {
    return fma(next, rest, mean * keep);
  }
};

// G <- G + g^2,  w <- w - eta g / (sqrt(G) + epsilon)
template <class T>
struct Adagrad {
  static constexpr int kStates = 1;
  static constexpr bool kLinear = false;
  T eta, epsilon;

  Adagrad(const Learning& learning, double eta_n, Index)
      : eta(static_cast<T>(eta_n)), epsilon(static_cast<T>(learning.parameters[0])) {}
  void operator()(Vector<T> g, Vector<T>& w, Vector<T>* G) const {
    G[0] = fma(g, g, G[0]);
    w -= g * eta / (square_root<T>(G[0]) + epsilon);
  }
};

// V <- rho V + (1 - rho) g^2,  w <- w - eta g / (sqrt(V) + epsilon)
template <class T>
struct RmsProp {
  static constexpr int kStates = 1;
  static constexpr bool kLinear = false;
  T eta, epsilon;
  RunningMean<T> square;

  RmsProp(const Learning& learning, double eta_n, Index)
      : eta(static_cast<T>(eta_n)), epsilon(static_cast<T>(learning.parameters[1])), square(learning.parameters[0]) {}
  void operator()(Vector<T> g, Vector<T>& w, Vector<T>* V) const {
    V[0] = square(V[0], g * g);
    w -= g * eta / (square_root<T>(V[0]) + epsilon);
  }
};

// V <- rho V + (1 - rho) g^2,  w <- w - eta g / sqrt(V + epsilon)
template <class T>
struct RmsPropInside : RmsProp<T> {
  using RmsProp<T>::RmsProp;
  void operator()(Vector<T> g, Vector<T>& w, Vector<T>* V) const {
    V[0] = this->square(V[0], g * g);
    w -= g * this->eta / square_root<T>(V[0] + this->epsilon);
  }
};

// V <- rho V + (1 - rho) g^2,  D = sqrt(U + epsilon) / sqrt(V + epsilon) g,  U <- rho U + (1 - rho) D^2,  w <- w - eta D
template <class T>
struct Adadelta {
  static constexpr int kStates = 2;
  static constexpr bool kLinear = false;
  T eta, epsilon;
  RunningMean<T> square;

  Adadelta(const Learning& learning, double eta_n, Index)
      : eta(static_cast<T>(eta_n)), epsilon(static_cast<T>(learning.parameters[1])), square(learning.parameters[0]) {}
  void operator()(Vector<T> g, Vector<T>& w, Vector<T>* state) const {
    state[0] = square(state[0], g * g);
    const Vector<T> D = square_root<T>(state[1] + epsilon) / square_root<T>(state[0] + epsilon) * g;
    state[1] = square(state[1], D * D);
    w = fma(D, -eta, w);
  }
};

// What Adam and its relatives begin with: M <- beta1 M + (1 - beta1) g,  V <- beta2 V + (1 - beta2) g^2, and
// 1 - beta1^t, 1 - beta2^t, by which both are too small at step t.
template <class T>
struct Moments {
  double bias1, bias2;
  RunningMean<T> mean, square;
  T epsilon;

  Moments(const Learning& learning, Index t)
      : bias1(1 - whole_power(learning.parameters[0], t)),
        bias2(1 - whole_power(learning.parameters[1], t)),
        mean(learning.parameters[0]),
        square(learning.parameters[1]),
        epsilon(static_cast<T>(learning.parameters[2])) {}
  [[gnu::always_inline]] void take(Vector<T> g, Vector<T>* state) const {
    state[0] = mean(state[0], g);
    state[1] = square(state[1], g * g);
  }
};

// w <- w - eta (M / (1 - beta1^t)) / (sqrt(V / (1 - beta2^t)) + epsilon): Kingma and Ba, algorithm 1.
template <class T>
struct Adam {
  static constexpr int kStates = 2;
  static constexpr bool kLinear = false;
  Moments<T> moments;
  T step, unbias;

  Adam(const Learning& learning, double eta_n, Index t)
      : moments(learning, t), step(static_cast<T>(eta_n / moments.bias1)), unbias(static_cast<T>(1 / moments.bias2)) {}
  void operator()(Vector<T> g, Vector<T>& w, Vector<T>* state) const {
    moments.take(g, state);
    w -= state[0] * step / (square_root<T>(state[1] * unbias) + moments.epsilon);
  }
};

// w <- w - eta sqrt(1 - beta2^t) / (1 - beta1^t) M / (sqrt(V) + epsilon): the same authors' section 2, with the epsilon
// that they call epsilon hat.
template <class T>
struct AdamHat {
  static constexpr int kStates = 2;
  static constexpr bool kLinear = false;
  Moments<T> moments;
  T step;

  AdamHat(const Learning& learning, double eta_n, Index t)
      : moments(learning, t), step(static_cast<T>(eta_n * std::sqrt(moments.bias2) / moments.bias1)) {}
  void operator()(Vector<T> g, Vector<T>& w, Vector<T>* state) const {
    moments.take(g, state);
    w -= state[0] * step / (square_root<T>(state[1]) + moments.epsilon);
  }
};

// S <- max(S, V),  w <- w - eta (M / (1 - beta1^t)) / (sqrt(S / (1 - beta2^t)) + epsilon)
template <class T>
struct AmsGrad {
  static constexpr int kStates = 3;
  static constexpr bool kLinear = false;
  Moments<T> moments;
  T step, unbias;

  AmsGrad(const Learning& learning, double eta_n, Index t)
      : moments(learning, t), step(static_cast<T>(eta_n / moments.bias1)), unbias(static_cast<T>(1 / moments.bias2)) {}
  void operator()(Vector<T> g, Vector<T>& w, Vector<T>* state) const {
    moments.take(g, state);
    state[2] = state[1] > state[2] ? state[1] : state[2];
    w -= state[0] * step / (square_root<T>(state[2] * unbias) + moments.epsilon);
  }
};

// S <- max(S, V),  w <- w - eta M / (sqrt(S) + epsilon)
template <class T>
struct AmsGradUncorrected {
  static constexpr int kStates = 3;
  static constexpr bool kLinear = false;
  Moments<T> moments;
  T eta;

  AmsGradUncorrected(const Learning& learning, double eta_n, Index t)
      : moments(learning, t), eta(static_cast<T>(eta_n)) {}
  void operator()(Vector<T> g, Vector<T>& w, Vector<T>* state) const {
    moments.take(g, state);
    state[2] = state[1] > state[2] ? state[1] : state[2];
    w -= state[0] * eta / (square_root<T>(state[2]) + moments.epsilon);
  }
};

// With mu_t = beta1 (1 - 0.96^(psi t) / 2) and P_t = mu_1 ... mu_t:
// w <- w - eta (mu_{t+1} / (1 - P_{t+1}) M + (1 - mu_t) / (1 - P_t) g) / (sqrt(V / (1 - beta2^t)) + epsilon)
template <class T>
struct Nadam {
  static constexpr int kStates = 2;
  static constexpr bool kLinear = false;
  Moments<T> moments;
  T of_mean, of_gradient, unbias;

  Nadam(const Learning& learning, double eta_n, Index t) : moments(learning, t) {
    const double beta1 = learning.parameters[0], fall = learning.parameters[3] * std::log(0.96);
    const double now = beta1 * (1 - std::exp(fall * static_cast<double>(t)) / 2);
    const double next = beta1 * (1 - std::exp(fall * static_cast<double>(t + 1)) / 2);
    const double product = product_of_mu(beta1, fall, t);
    of_mean = static_cast<T>(eta_n * next / (1 - product * next));
    of_gradient = static_cast<T>(eta_n * (1 - now) / (1 - product));
    unbias = static_cast<T>(1 / moments.bias2);
  }
  void operator()(Vector<T> g, Vector<T>& w, Vector<T>* state) const {
    moments.take(g, state);
    w -= fma(state[0], of_mean, g * of_gradient) / (square_root<T>(state[1] * unbias) + moments.epsilon);
  }

 private:
  // P_t without its t factors: with q = exp(fall), log P_t = t log beta1 + sum over i of log(1 - q^i / 2), and
  // sum over i = 1..t of log(1 - q^i / 2) = - sum over k = 1, 2, ... of (1/2)^k / k  q^k (1 - q^(k t)) / (1 - q^k).
  static double product_of_mu(double beta1, double fall, Index t) {
    double sum = 0, half = 1;
    for (int k = 1; k <= 56; ++k) {
      half /= 2;
      const double of_one = k * fall, n = static_cast<double>(t);
      const double powers = fall == 0 ? n : std::exp(of_one) * std::expm1(of_one * n) / std::expm1(of_one);
      sum -= half / k * powers;
    }
    return whole_power(beta1, t) * std::exp(sum);
  }
};

// D = sign(beta1 M + (1 - beta1) g),  w <- w - eta D,  M <- beta2 M + (1 - beta2) g
template <class T>
struct Lion {
  static constexpr int kStates = 1;
  static constexpr bool kLinear = false;
  T eta;
  RunningMean<T> look, mean;

  Lion(const Learning& learning, double eta_n, Index)
      : eta(static_cast<T>(eta_n)), look(learning.parameters[0]), mean(learning.parameters[1]) {}
  void operator()(Vector<T> g, Vector<T>& w, Vector<T>* M) const {
    const Vector<T> D = look(M[0], g);
    w -= D > T{0} ? broadcast<T>(eta) : D < T{0} ? broadcast<T>(-eta) : Vector<T>{};
    M[0] = mean(M[0], g);
  }
};

}  // namespace deltaprop::DELTAPROP_ISA
