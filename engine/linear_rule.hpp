// Rules that are linear in u = (W, V), V the momentum: a step on sample s with input x_s is
//
//   u_{s+1} = M_s u_s + g_s x_s^T delta_s
//
// so that after s steps  u_s = P_s u_0 + sum over r < s of K_sr x_r^T delta_r,  P_s = M_{s-1} ... M_0,
// K_sr = M_{s-1} ... M_{r+1} g_r. What blocks (block.hpp) and sparse rows (sparse.hpp) are made of. In float64.
#pragma once

#include "update.hpp"

namespace deltaprop::DELTAPROP_ISA {

struct Pair {
  double w, v;
};

struct Matrix2 {
  double ww = 1, wv = 0, vw = 0, vv = 1;

  Pair operator*(Pair u) const { return {ww * u.w + wv * u.v, vw * u.w + vv * u.v}; }
  Matrix2 operator*(const Matrix2& o) const {
    return {ww * o.ww + wv * o.vw, ww * o.wv + wv * o.vv, vw * o.ww + vv * o.vw, vw * o.wv + vv * o.vv};
  }
};

struct LinearStep {
  Matrix2 M;
  Pair g;
};

// With g = x^T delta + l2 W in place of the gradient, and W times keep = 1 - eta decay first; of biases both are left out:
//   sgd       W <- keep W - eta g
//   momentum  V <- mu V - eta g,  W <- keep W + V
//   nesterov  V <- mu V - eta g,  W <- keep W + mu V - eta g = keep W + mu^2 V - (1 + mu) eta g
inline LinearStep linear_step(const Learning& learning, double eta, bool shrinks) {
  const double mu = learning.optimizer == Optimizer::sgd ? 0 : learning.parameters[0];
  const double pull = shrinks ? eta * learning.l2 : 0, keep = shrinks ? 1 - eta * learning.decay : 1;
  if (learning.optimizer == Optimizer::sgd) return {{keep - pull, 0, 0, 0}, {-eta, 0}};
  if (learning.optimizer == Optimizer::momentum) return {{keep - pull, mu, -pull, mu}, {-eta, -eta}};
  return {{keep - (1 + mu) * pull, mu * mu, -pull, mu}, {-(1 + mu) * eta, -eta}};
}

// P_s and K_sr of at most kMostBlock steps, of the weights or of the biases.
template <class T>
class LinearSteps {
 public:
  // eta: of each step, or one for all (n_eta = 1).
  void set(const Learning& learning, const double* eta, Index n_eta, Index steps, bool shrinks) {
    Pair K[kMostBlock];
    P_[0] = Matrix2{};
    for (Index s = 0; s < steps; ++s) {
      const LinearStep step = linear_step(learning, eta[n_eta > 1 ? s : 0], shrinks);
      P_[s + 1] = step.M * P_[s];
      for (Index r = 0; r < s; ++r) K[r] = step.M * K[r];
      K[s] = step.g;
      for (Index r = 0; r <= s; ++r) {
        w_[s + 1][r] = static_cast<T>(K[r].w);
        v_[s + 1][r] = static_cast<T>(K[r].v);
      }
    }
  }
  const Matrix2& P(Index s) const { return P_[s]; }
  const T* w(Index s) const { return w_[s]; }  // the first number of each K_sr, r < s
  const T* v(Index s) const { return v_[s]; }  // the second

 private:
  Matrix2 P_[kMostBlock + 1];
  T w_[kMostBlock + 1][kMostBlock] = {};
  T v_[kMostBlock + 1][kMostBlock] = {};
};

}  // namespace deltaprop::DELTAPROP_ISA
