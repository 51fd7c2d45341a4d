// Losses that are computed from y and r, unit by unit: each a struct with E's term, value(y, r), and dE/dy,
// derivative(y, r). Where a loss takes log y or divides by y, a y that has come to 0 by rounding counts as the least normal
// number.
//
// To add one: a struct here, its name in plan.hpp and plan.cpp, a line in `with_loss`, its declaration in
// src/deltaprop/functions/losses.py.
#pragma once

#include "losses.hpp"

namespace deltaprop::DELTAPROP_ISA {

// The parameter of a loss in every lane: one for all outputs, or that of the output in each.
template <class T>
[[gnu::always_inline]] inline Vector<T> parameter_of(const LossFunction& loss) {
  if (!loss.each) return broadcast<T>(static_cast<T>(loss.parameter));
  Vector<T> own{};
  for (int l = 0; l < kWidth<T>; ++l) own[l] = static_cast<T>(loss.each[(loss.first + l) % loss.outputs]);
  return own;
}

// y^q for y > 0
template <class T>
[[gnu::always_inline]] inline Vector<T> power_of(Vector<T> y, double q) {
  return exp<T>(log<T>(y) * static_cast<T>(q));
}

// |y - r|;  its sign, 0 at 0
struct AbsoluteError {
  template <class T>
  [[gnu::always_inline]] static Vector<T> value(Vector<T> y, Vector<T> r) {
    return absolute<T>(y - r);
  }
  template <class T>
  [[gnu::always_inline]] static Vector<T> derivative(Vector<T> y, Vector<T> r) {
    const Vector<T> d = y - r;
    return d > T{0} ? broadcast<T>(T{1}) : d < T{0} ? broadcast<T>(T{-1}) : d;
  }
};

// d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2), d = y - r
struct Huber {
  double delta;

  template <class T>
  [[gnu::always_inline]] Vector<T> value(Vector<T> y, Vector<T> r) const {
    const T bound = static_cast<T>(delta);
    const Vector<T> size = absolute<T>(y - r);
    return size <= bound ? size * size * T{0.5} : (size - bound * T{0.5}) * bound;
  }
  template <class T>
  [[gnu::always_inline]] Vector<T> derivative(Vector<T> y, Vector<T> r) const {
    return at_most<T>(at_least<T>(y - r, static_cast<T>(-delta)), static_cast<T>(delta));
  }
};

// log cosh d = |d| + log(1 + e^-2|d|) - log 2, d = y - r; near 0, where that would cancel, 1/2 log(1 + sinh^2 d) with
// sinh d = (u + u / (u + 1)) / 2, u = e^d - 1.
struct LogCosh {
  template <class T>
  [[gnu::always_inline]] static Vector<T> value(Vector<T> y, Vector<T> r) {
    const Vector<T> size = absolute<T>(y - r);
    const Vector<T> u = expm1<T>(at_most<T>(size, T{2}));
    const Vector<T> sinh = (u + u / (u + T{1})) * T{0.5};
    const Vector<T> near = log1p<T>(sinh * sinh) * T{0.5};
    const Vector<T> far = size + (log1p_unit<T>(exp<T>(size * T{-2})) - static_cast<T>(0.69314718055994531));
    return size < T{1} ? near : far;
  }
  template <class T>
  [[gnu::always_inline]] static Vector<T> derivative(Vector<T> y, Vector<T> r) {
    return tanh<T>(y - r);
  }
};

// q (r - y) where y < r, else (1 - q) (y - r);  -q, 1 - q, and 0 at y = r
struct Quantile {
  LossFunction of;

  template <class T>
  [[gnu::always_inline]] Vector<T> value(Vector<T> y, Vector<T> r) const {
    const Vector<T> q = parameter_of<T>(of);
    const Vector<T> d = y - r;
    return d < T{0} ? -q * d : (T{1} - q) * d;
  }
  template <class T>
  [[gnu::always_inline]] Vector<T> derivative(Vector<T> y, Vector<T> r) const {
    const Vector<T> q = parameter_of<T>(of);
    const Vector<T> d = y - r;
    return d < T{0} ? -q : d > T{0} ? T{1} - q : d;
  }
};

// y - r log y
struct Poisson {
  template <class T>
  [[gnu::always_inline]] static Vector<T> value(Vector<T> y, Vector<T> r) {
    return y - r * log<T>(at_least<T>(y, kLeastNormal<T>));
  }
  template <class T>
  [[gnu::always_inline]] static Vector<T> derivative(Vector<T> y, Vector<T> r) {
    return T{1} - r / at_least<T>(y, kLeastNormal<T>);
  }
};

// log y + r / y
struct Gamma {
  template <class T>
  [[gnu::always_inline]] static Vector<T> value(Vector<T> y, Vector<T> r) {
    const Vector<T> positive = at_least<T>(y, kLeastNormal<T>);
    return log<T>(positive) + r / positive;
  }
  template <class T>
  [[gnu::always_inline]] static Vector<T> derivative(Vector<T> y, Vector<T> r) {
    const Vector<T> positive = at_least<T>(y, kLeastNormal<T>);
    return (T{1} - r / positive) / positive;
  }
};

// y^(2-p) / (2-p) + r y^(1-p) / (p-1), 1 < p < 2;  y^(1-p) (1 - r / y)
struct Tweedie {
  double p;

  template <class T>
  [[gnu::always_inline]] Vector<T> value(Vector<T> y, Vector<T> r) const {
    const Vector<T> positive = at_least<T>(y, kLeastNormal<T>);
    return power_of<T>(positive, 2 - p) / static_cast<T>(2 - p) +
           r * power_of<T>(positive, 1 - p) / static_cast<T>(p - 1);
  }
  template <class T>
  [[gnu::always_inline]] Vector<T> derivative(Vector<T> y, Vector<T> r) const {
    const Vector<T> positive = at_least<T>(y, kLeastNormal<T>);
    return power_of<T>(positive, 1 - p) * (T{1} - r / positive);
  }
};

// max(0, 1 - s y) with s = 2 r - 1, which is 1 or -1;  -s where that is above 0, else 0
struct Hinge {
  template <class T>
  [[gnu::always_inline]] static Vector<T> value(Vector<T> y, Vector<T> r) {
    return at_least<T>(T{1} - (r + r - T{1}) * y, T{0});
  }
  template <class T>
  [[gnu::always_inline]] static Vector<T> derivative(Vector<T> y, Vector<T> r) {
    const Vector<T> s = r + r - T{1};
    return s * y < T{1} ? -s : Vector<T>{};
  }
};

// The square of that;  -2 s max(0, 1 - s y)
struct SquaredHinge {
  template <class T>
  [[gnu::always_inline]] static Vector<T> value(Vector<T> y, Vector<T> r) {
    const Vector<T> short_of = Hinge::value<T>(y, r);
    return short_of * short_of;
  }
  template <class T>
  [[gnu::always_inline]] static Vector<T> derivative(Vector<T> y, Vector<T> r) {
    return T{-2} * (r + r - T{1}) * Hinge::value<T>(y, r);
  }
};

// Calls use(L) with the struct of a loss that works unit by unit from y and r.
template <class Use>
[[gnu::always_inline]] inline void with_loss(const LossFunction& loss, Use use) {
  switch (loss.kind) {
    case Loss::log:
    case Loss::cross_entropy:
    case Loss::focal:
    case Loss::kl:       // from a alone
    case Loss::formula:  // error_of
      __builtin_unreachable();
    case Loss::squared_error:
      return use(SquaredError{});
    case Loss::absolute_error:
      return use(AbsoluteError{});
    case Loss::gamma:
      return use(Gamma{});
    case Loss::hinge:
      return use(Hinge{});
    case Loss::huber:
      return use(Huber{loss.parameter});
    case Loss::log_cosh:
      return use(LogCosh{});
    case Loss::poisson:
      return use(Poisson{});
    case Loss::quantile:
      return use(Quantile{loss});
    case Loss::squared_hinge:
      return use(SquaredHinge{});
    case Loss::tweedie:
      return use(Tweedie{loss.parameter});
  }
  __builtin_unreachable();
}

// E's terms and dE/dy of any of them, by a call.
template <class T>
[[gnu::noinline]] Vector<T> error_of(const LossFunction& loss, Vector<T> y, Vector<T> r, Vector<T>& dE) {
  if (loss.kind == Loss::formula) {
    dE = loss.slope.n_outputs > 0 ? run_loss<T>(loss.slope, y, y, r) : Vector<T>{};
    return run_loss<T>(loss.value, y, y, r);
  }
  Vector<T> E{};
  with_loss(loss, [&](auto L) {
    E = L.template value<T>(y, r);
    dE = L.template derivative<T>(y, r);
  });
  return E;
}

}  // namespace deltaprop::DELTAPROP_ISA
