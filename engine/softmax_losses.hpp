// The pairs of softmax that are not canonical: with the losses of log y and log(1 - y), with squared error, and with any of
// y.
//
// Where one unit has nearly all of y, y_k near 1, what matters is 1 - y_k, which rounding has taken from y. So the unit k
// with the largest a stands apart from the others:
//
//   log_odds = log(sum over the others of e^a_i) - a_k,   y_k = sigmoid(-log_odds),   rest = 1 - y_k = sigmoid(log_odds)
//   share_j = e^a_j / sum over the others of e^a_i,       y_j = share_j rest          (at most 1/2, for j other than k)
#pragma once

#include "losses_of_a.hpp"

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

// Losses of log y and log(1 - y), whose dE/dy_j y_j is A_j + B_j / (1 - y_j) with A and B that stay small: for each unit the
// term of E, A and B, from y, rest = 1 - y and their logarithms.
template <class T>
struct LogLossTerms {
  Vector<T> E, A, B;
};

// -r log y - (1 - r) log(1 - y)
struct LogTerms {
  template <class T>
  [[gnu::always_inline]] LogLossTerms<T> operator()(Vector<T> y, Vector<T>, Vector<T> log_y, Vector<T> log_rest,
                                                    Vector<T> r) const {
    return {-r * log_y - (T{1} - r) * log_rest, -r, (T{1} - r) * y};
  }
};

// -r (1 - y)^gamma log y - (1 - r) y^gamma log(1 - y)
struct FocalTerms {
  double gamma;

  template <class T>
  [[gnu::always_inline]] LogLossTerms<T> operator()(Vector<T> y, Vector<T> rest, Vector<T> log_y, Vector<T> log_rest,
                                                    Vector<T> r) const {
    const T own = static_cast<T>(gamma);
    const Vector<T> of_one = r * exp<T>(log_rest * own);
    const Vector<T> of_zero = (T{1} - r) * exp<T>(log_y * own);
    const Vector<T> ratio = rest > T{0} ? y * log_y / rest : broadcast<T>(T{-1});
    return {-(of_one * log_y + of_zero * log_rest), of_one * (own * ratio - T{1}) - of_zero * own * log_rest,
            of_zero * y};
  }
};

// Softmax with such a loss. With G_j = A_j + B_j / (1 - y_j) and S their sum over the others,
// delta_j = y_j dE/dy_j - y_j sum of y_i dE/dy_i becomes
//
//   delta_j = G_j - y_j (S + A_k) - share_j B_k,   delta_k = A_k rest + B_k - y_k S.
template <class Terms>
struct SoftmaxWithLogs {
  template <class T>
  static double row(const OutputRow<T>& row, const Terms& terms) {
    const LargestApart<T> apart(row);
    const auto all = [](T x) { return broadcast<T>(x); };
    const LogLossTerms<T> k = terms.template operator()<T>(all(apart.y_k), all(apart.rest), all(apart.log_y_k),
                                                           all(apart.log_rest), all(apart.r_k));
    const auto of = [&](Index j) {
      const Vector<T> y = apart.share(j) * apart.rest;
      return terms.template operator()<T>(y, T{1} - y, apart.log_y(j), log1p<T>(-y), load(row.delta + j));
    };
    const double E = static_cast<double>(k.E[0]) + sum_over_units(row, [&](Index j) { return of(j).E; });
    const auto G = [&](Index j) {
      const LogLossTerms<T> own = of(j);
      return own.A + own.B / (T{1} - apart.share(j) * apart.rest);
    };
    const T S = apart.sum(G);
    apart.set_delta(k.A[0] * apart.rest + k.B[0] - apart.y_k * S, [&](Index j) {
      const Vector<T> share = apart.share(j);
      return G(j) - share * apart.rest * (S + k.A[0]) - share * k.B[0];
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

// The Kullback-Leibler divergence: cross-entropy, and r log r, which no parameter changes.
struct SoftmaxWithKullbackLeibler {
  template <class T>
  static double row(const OutputRow<T>& row, const SoftmaxParts<T>& parts) {
    const double more = sum_over_units(row, [&](Index j) { return minus_entropy<T>(load(row.delta + j)); });
    return more + SoftmaxWithCrossEntropy::row(row, parts);
  }
};

// Any loss of y: delta_j = y_j (g_j - sum of y_i g_i), g_j = dE/dy_j. A y that has come to 0 by rounding counts as the least
// normal number; where g is not finite even so, as 0.
template <class T>
[[gnu::noinline]] double softmax_with_any(const OutputRow<T>& row, LossFunction loss) {
  const auto y = [&](Index j) { return at_least<T>(load(row.y + j), kLeastNormal<T>); };
  const Index columns = vectors<T>(row.n) * kWidth<T>;
  const double E = sum_over_units(row, [&](Index j) {
    Vector<T> slope;
    loss.first = j;
    const Vector<T> terms = error_of<T>(loss, y(j), load(row.delta + j), slope);
    const Vector<T> known = slope - slope == T{0} ? slope : Vector<T>{};
    store<T>(row.delta + j, load(row.y + j) == T{0} ? known : slope);
    return terms;
  });
  for (Index j = row.n; j < columns; ++j) row.delta[j] = T{0};
  Vector<T> sum[kGroup<T>] = {};
  for (Index j = 0; j < columns; j += kWidth<T>) sum[j / kWidth<T> % kGroup<T>] += y(j) * load(row.delta + j);
  const T mean = tree_sum<T>(sum);
  for (Index j = 0; j < columns; j += kWidth<T>) store<T>(row.delta + j, y(j) * (load(row.delta + j) - mean));
  return E;
}

}  // namespace deltaprop::DELTAPROP_ISA
