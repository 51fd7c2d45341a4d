// Pairs of a loss and the output that it naturally goes with, computed from a: y may round to 0 or 1, or overflow in part,
// and E and delta_o stay right. (The lecture's own are in losses.hpp.) And any pair of a loss and an output that works unit
// by unit, by a call.
#pragma once

#include "losses_of_y.hpp"

namespace deltaprop::DELTAPROP_ISA {

// E = -r (1-y)^gamma log y - (1-r) y^gamma log(1-y), y = sigmoid a;
// delta_o = r (1-y)^gamma (gamma y log y - (1-y)) + (1-r) y^gamma (y - gamma (1-y) log(1-y))
struct SigmoidWithFocal {
  double gamma;

  template <class T>
  [[gnu::always_inline]] Vector<T> unit(Vector<T> a, Vector<T> r, Vector<T>& y, Vector<T>& delta) const {
    const T own = static_cast<T>(gamma);
    const SigmoidParts<T> s(a);
    const Vector<T> rest = s.rest;
    const Vector<T> log1p_t = log1p_unit<T>(s.t);  // of e^-|a|
    const Vector<T> log_y = (a < T{0} ? a : Vector<T>{}) - log1p_t;
    const Vector<T> log_rest = (a < T{0} ? Vector<T>{} : -a) - log1p_t;
    const Vector<T> of_one = r * exp<T>(log_rest * own);
    const Vector<T> of_zero = (T{1} - r) * exp<T>(log_y * own);
    y = s.y;
    delta = of_one * (own * y * log_y - rest) + of_zero * (y - own * rest * log_rest);
    return -(of_one * log_y + of_zero * log_rest);
  }
};

// E = y - r a, y = e^a;  delta_o = y - r
struct ExpWithPoisson {
  template <class T>
  [[gnu::always_inline]] static Vector<T> unit(Vector<T> a, Vector<T> r, Vector<T>& y, Vector<T>& delta) {
    y = exp<T>(a);
    delta = y - r;
    return y - r * a;
  }
};

// E = a + r e^-a;  delta_o = 1 - r e^-a
struct ExpWithGamma {
  template <class T>
  [[gnu::always_inline]] static Vector<T> unit(Vector<T> a, Vector<T> r, Vector<T>& y, Vector<T>& delta) {
    const Vector<T> share = r * exp<T>(-a);
    y = exp<T>(a);
    delta = T{1} - share;
    return a + share;
  }
};

// E = e^((2-p) a) / (2-p) + r e^((1-p) a) / (p-1);  delta_o = e^((2-p) a) - r e^((1-p) a)
struct ExpWithTweedie {
  double p;

  template <class T>
  [[gnu::always_inline]] Vector<T> unit(Vector<T> a, Vector<T> r, Vector<T>& y, Vector<T>& delta) const {
    const Vector<T> up = exp<T>(a * static_cast<T>(2 - p));
    const Vector<T> down = r == T{0} ? Vector<T>{} : r * exp<T>(a * static_cast<T>(1 - p));
    y = exp<T>(a);
    delta = up - down;
    return up / static_cast<T>(2 - p) + down / static_cast<T>(p - 1);
  }
};

// r log r, 0 at 0
template <class T>
[[gnu::always_inline]] inline Vector<T> minus_entropy(Vector<T> r) {
  return r > T{0} ? r * log<T>(at_least<T>(r, kLeastNormal<T>)) : Vector<T>{};
}

// E = r a^2, y = e^(-a^2);  delta_o = 2 r a
struct GaussianWithCrossEntropy {
  template <class T>
  [[gnu::always_inline]] static Vector<T> unit(Vector<T> a, Vector<T> r, Vector<T>& y, Vector<T>& delta) {
    y = Gaussian::value<T>(a);
    delta = T{2} * r * a;
    return r * a * a;
  }
};

// A pair with the Kullback-Leibler divergence: with cross-entropy, and r log r, which no parameter changes.
template <class WithCrossEntropy>
struct WithKullbackLeibler {
  template <class T>
  [[gnu::always_inline]] static Vector<T> unit(Vector<T> a, Vector<T> r, Vector<T>& y, Vector<T>& delta) {
    return WithCrossEntropy::template unit<T>(a, r, y, delta) + minus_entropy<T>(r);
  }
};

// Calls use(Pair) where the pair is one of these.
template <class Use, class Rest>
[[gnu::always_inline]] inline void with_natural_pair(Function h, const LossFunction& loss, Use use, Rest rest) {
  if (loss.kind == Loss::focal) return use(SigmoidWithFocal{loss.parameter});
  if (loss.kind == Loss::kl && h == Activation::sigmoid) return use(WithKullbackLeibler<SigmoidWithCrossEntropy>{});
  if (loss.kind == Loss::kl) return use(WithKullbackLeibler<GaussianWithCrossEntropy>{});
  if (loss.kind == Loss::cross_entropy) return use(GaussianWithCrossEntropy{});  // sigmoid's is inlined: output.hpp
  if (h == Activation::exp) {
    if (loss.kind == Loss::poisson) return use(ExpWithPoisson{});
    if (loss.kind == Loss::gamma) return use(ExpWithGamma{});
    if (loss.kind == Loss::tweedie) return use(ExpWithTweedie{loss.parameter});
  }
  rest();
}

// delta_o = dE/dy h'(a), 0 where h' is: dE/dy may be inf there.
template <class T>
inline Vector<T> through(Function h, Vector<T> a, Vector<T> y, Vector<T> dE) {
  const Vector<T> dh = derivative_of<T>(h, a, y);
  return dh == T{0} ? dh : dE * dh;
}

template <class T>
[[gnu::noinline]] Vector<T> unit_of(Function h, const LossFunction& loss, Vector<T> a, Vector<T> r, Vector<T>& y,
                                    Vector<T>& delta) {
  Vector<T> E{};
  if (loss.kind == Loss::formula) {
    y = value_of<T>(h, a);
    delta = loss.slope.n_outputs > 0 ? run_loss<T>(loss.slope, a, y, r) : Vector<T>{};
    if (loss.slope.inputs == 2) delta = through<T>(h, a, y, delta);
    return run_loss<T>(loss.value, a, y, r);
  }
  with_natural_pair(
      h, loss, [&](auto Pair) { E = Pair.template unit<T>(a, r, y, delta); },
      [&] {
        y = value_of<T>(h, a);
        E = error_of<T>(loss, y, r, delta);
        delta = through<T>(h, a, y, delta);
      });
  return E;
}

// Any pair, a vector at a time by a call.
struct CalledPair {
  Function h;
  LossFunction loss;

  template <class T>
  [[gnu::always_inline]] Vector<T> unit(Vector<T> a, Vector<T> r, Vector<T>& y, Vector<T>& delta) const {
    return unit_of<T>(h, loss, a, r, y, delta);
  }
};

// A pair where output k, counted through all rows, stands first in the vector.
template <class Pair>
[[gnu::always_inline]] inline const Pair& at_output(const Pair& pair, Index) {
  return pair;
}
[[gnu::always_inline]] inline CalledPair at_output(CalledPair pair, Index k) {
  pair.loss.first = k;
  return pair;
}

}  // namespace deltaprop::DELTAPROP_ISA
