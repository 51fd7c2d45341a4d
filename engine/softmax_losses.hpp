// The pairs of softmax that are not canonical: with log loss and with squared error.
//
// Where one unit has nearly all of y, y_k near 1, what matters is 1 - y_k, which rounding has taken from y. So the unit k
// with the largest a stands apart from the others:
//
//   log_odds = log(sum over the others of e^a_i) - a_k,   y_k = sigmoid(-log_odds),   rest = 1 - y_k = sigmoid(log_odds)
//   share_j = e^a_j / sum over the others of e^a_i,       y_j = share_j rest          (at most 1/2, for j other than k)
#pragma once

#include "losses.hpp"

namespace deltaprop::DELTAPROP_ISA {

// One row of a softmax output with its largest unit set apart. While this lives the row's a is -inf, and r is 0, at that
// unit and in the padding, so that sums over all units are sums over the others.
template <class T>
class LargestApart {
 public:
  explicit LargestApart(const OutputRow<T>& row) : row_(row) {
    for (Index j = 1; j < row.n; ++j) k_ = row.a[j] > row.a[k_] ? j : k_;
    a_k_ = row.a[k_];
    r_k = row.delta[k_];
    row.delta[k_] = T{0};
    row.a[k_] = -infinity;
    for (Index j = row.n; j < row.pitch; ++j) row.a[j] = -infinity;
    for (Index j = 0; j < row.n; ++j) shift_ = row.a[j] > shift_ ? row.a[j] : shift_;
    sum_ = sum([&](Index j) { return exp<T>(load(row.a + j) - shift_); });
    log_sum_ = log<T>(broadcast<T>(sum_))[0];
    const T log_odds = shift_ + log_sum_ - a_k_;
    const SigmoidParts<T> parts(broadcast<T>(-log_odds));
    y_k = parts.y[0];
    rest = parts.rest[0];
    const T softplus = log1p_unit<T>(parts.t)[0];  // of -|log_odds|
    log_y_k = -softplus - (log_odds > T{0} ? log_odds : T{0});
    log_rest = -softplus + (log_odds < T{0} ? log_odds : T{0});
  }
  ~LargestApart() { row_.a[k_] = a_k_; }
  LargestApart(const LargestApart&) = delete;
  LargestApart& operator=(const LargestApart&) = delete;

  T y_k, r_k, rest, log_y_k, log_rest;

  Vector<T> share(Index j) const { return exp<T>(load(row_.a + j) - shift_) / sum_; }

  // log y_j of the others; 0 at unit k and in the padding, where log 0 would meet r = 0.
  Vector<T> log_y(Index j) const {
    const Vector<T> a = load(row_.a + j);
    return a == -infinity ? Vector<T>{} : (a - shift_) - log_sum_ + log_rest;
  }

  // The sum of f(j), vectors of the row, over all units.
  template <class F>
  T sum(F f) const {
    Vector<T> total[kGroup<T>] = {};
    for (Index j = 0; j < row_.pitch; j += kLanes) {
      for (int g = 0; g < kGroup<T>; ++g) total[g] += f(j + g * kWidth<T>);
    }
    return tree_sum<T>(total);
  }

  // delta_j = f(j) for the others, and what is given for unit k.
  template <class F>
  void set_delta(T at_k, F f) const {
    for (Index j = 0; j < row_.pitch; j += kWidth<T>) store<T>(row_.delta + j, f(j));
    row_.delta[k_] = at_k;
  }

 private:
  static constexpr T infinity = static_cast<T>(__builtin_inf());
  OutputRow<T> row_;
  Index k_ = 0;
  T a_k_, sum_, log_sum_;
  T shift_ = -infinity;
};

// E = sum of -r log y - (1 - r) log(1 - y). With g_j = dE/dy_j y_j = -r_j + (1 - r_j) y_j / (1 - y_j) and G their sum over
// the others, delta_j = y_j dE/dy_j - y_j sum of y_i dE/dy_i becomes
//
//   delta_j = g_j - y_j (G - r_k) - (1 - r_k) share_j y_k,   delta_k = -r_k rest + (1 - r_k) y_k - y_k G.
struct SoftmaxWithLog {
  template <class T>
  static double row(const OutputRow<T>& row) {
    const LargestApart<T> apart(row);
    const T at_largest = -apart.r_k * apart.log_y_k - (T{1} - apart.r_k) * apart.log_rest;
    const auto r = [&](Index j) { return load(row.delta + j); };
    const double E = static_cast<double>(at_largest) + sum_over_units(row, [&](Index j) {
                       const Vector<T> y = apart.share(j) * apart.rest;
                       return -r(j) * apart.log_y(j) - (T{1} - r(j)) * log1p<T>(-y);
                     });
    const auto g = [&](Index j) {
      const Vector<T> y = apart.share(j) * apart.rest;
      return (T{1} - r(j)) * (y / (T{1} - y)) - r(j);
    };
    const T G = apart.sum(g);
    const T at_k = (T{1} - apart.r_k) * apart.y_k - apart.r_k * apart.rest - apart.y_k * G;
    apart.set_delta(at_k, [&](Index j) {
      const Vector<T> share = apart.share(j);
      return g(j) - share * apart.rest * (G - apart.r_k) - share * ((T{1} - apart.r_k) * apart.y_k);
    });
    return E;
  }
};

// E = 1/2 sum of (y - r)^2. With d_j = y_j - r_j, d_k = (1 - r_k) - rest and S the sum of y_j d_j over the others,
//
//   delta_j = y_j (d_j - S - y_k d_k),   delta_k = y_k (d_k rest - S).
struct SoftmaxWithSquaredError {
  template <class T>
  static double row(const OutputRow<T>& row) {
    const LargestApart<T> apart(row);
    const auto y = [&](Index j) { return apart.share(j) * apart.rest; };
    const auto d = [&](Index j) { return y(j) - load(row.delta + j); };
    const T d_k = (T{1} - apart.r_k) - apart.rest;
    const double E =
        static_cast<double>(d_k * d_k * T{0.5}) + sum_over_units(row, [&](Index j) { return d(j) * d(j) * T{0.5}; });
    const T S = apart.sum([&](Index j) { return y(j) * d(j); });
    apart.set_delta(apart.y_k * (d_k * apart.rest - S), [&](Index j) { return y(j) * (d(j) - S - apart.y_k * d_k); });
    return E;
  }
};

}  // namespace deltaprop::DELTAPROP_ISA
