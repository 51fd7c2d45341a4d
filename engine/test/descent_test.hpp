// The ways of descent against each other and against plain loops: rules, blocks of online descent, sparse rows.
#pragma once

#include "check.hpp"
#include "problem.hpp"

namespace deltaprop::test {

inline const Learning kSgd;

struct Rule {
  const char* name;
  std::vector<double> parameters;

  Learning learning(double l2) const { return Learning(name, parameters, {.l2 = l2}); }
  std::string text(double l2) const { return std::string(name) + (l2 > 0 ? " with l2" : ""); }
};

inline const std::vector<Rule> kRules{
    {"sgd", {}}, {"momentum", {0.9}}, {"nesterov", {0.8}}, {"adam", {0.9, 0.99, 1e-3}}};

// Lines 7 to 9 for one array of parameters, as the rules' equations stand: g the gradient, t the step from 1 on.
inline void plain_rule(const Rule& rule, double eta, double t, double g, double& w, double* state) {
  const std::string name = rule.name;
  if (name == "sgd") w -= eta * g;
  if (name == "momentum") {
    state[0] = rule.parameters[0] * state[0] - eta * g;
    w += state[0];
  }
  if (name == "nesterov") {
    state[0] = rule.parameters[0] * state[0] - eta * g;
    w += rule.parameters[0] * state[0] - eta * g;
  }
  if (name == "adam") {
    const double beta1 = rule.parameters[0], beta2 = rule.parameters[1];
    state[0] = beta1 * state[0] + (1 - beta1) * g;
    state[1] = beta2 * state[1] + (1 - beta2) * g * g;
    w -= eta * (state[0] / (1 - std::pow(beta1, t))) /
         (std::sqrt(state[1] / (1 - std::pow(beta2, t))) + rule.parameters[2]);
  }
}

// A plain network beside what the optimizer remembers of each of its numbers.
struct PlainDescent {
  plain::Network net, first, second;

  explicit PlainDescent(const plain::Network& start)
      : net(start), first(zeros_like(start)), second(zeros_like(start)) {}

  void step(const Rule& rule, double eta, double t, double l2, const plain::Network& g) {
    for (std::size_t l = 0; l < net.layers.size(); ++l) {
      const auto each = [&](plain::Vec plain::Layer::* part, double penalty) {
        for (std::size_t k = 0; k < (net.layers[l].*part).size(); ++k) {
          double& w = (net.layers[l].*part)[k];
          double state[2] = {(first.layers[l].*part)[k], (second.layers[l].*part)[k]};
          plain_rule(rule, eta, t, (g.layers[l].*part)[k] + penalty * w, w, state);
          (first.layers[l].*part)[k] = state[0];
          (second.layers[l].*part)[k] = state[1];
        }
      };
      each(&plain::Layer::W, l2);
      each(&plain::Layer::b, 0);
    }
  }
};

template <class T>
void rules_against_plain_loops(const Shape& shape, const Rule& rule, double l2, Index batch) {
  const std::string name = shape.text() + " " + rule.text(l2) + " in batches of " + std::to_string(batch) +
                           (sizeof(T) == 8 ? " f64" : " f32");
  Problem<T> p(shape, 40, 5);
  PlainDescent expected(p.net);
  const double eta = 0.02;
  double t = 0;
  const auto size = static_cast<std::size_t>(batch);
  for (std::size_t start = 0; start < p.n; start += size) {
    const std::size_t stop = std::min(p.n, start + size);
    if (batch == 1 && p.weight[start] == T{0}) continue;
    plain::Network g = zeros_like(p.net);
    for (std::size_t s = start; s < stop; ++s) {
      const plain::Pass pass = plain::pass(expected.net, p.x(s), p.r(s));
      add_gradient(g, pass, static_cast<double>(p.weight[s]) / static_cast<double>(stop - start));
    }
    expected.step(rule, eta, ++t, l2, g);
  }
  const Learning learning = rule.learning(l2);
  std::vector<T> theta = p.theta, state(p.theta.size() * static_cast<std::size_t>(learning.states()), T{0});
  const Sums sums = descend<T>(p.plan, {learning, theta, state}, p.samples(), {&eta, 1}, batch);
  check(static_cast<double>(sums.steps) == t, name + ": number of steps");
  check(difference(p, theta, expected.net) <= (sizeof(T) == 8 ? 1e-12 : 3e-5), name);
}

inline void rules_against_plain_loops() {
  for (const Shape& shape :
       {Shape{{9, 17, 5, 2}, "tanh", "sigmoid", "log", true}, Shape{{12, 3}, "tanh", "softmax", "cross_entropy", false},
        Shape{{3, 7, 1}, "tanh", "sigmoid", "log", true},
        Shape{{25, 18, 1}, "sigmoid", "identity", "squared_error", true}}) {
    for (const Rule& rule : kRules) {
      for (const double l2 : {0.0, 0.3}) {
        for (const Index batch : {1, 3, 16}) {
          rules_against_plain_loops<float>(shape, rule, l2, batch);
          rules_against_plain_loops<double>(shape, rule, l2, batch);
        }
      }
    }
  }
}

// One block from a common theta against the naive order, with eta of its own for every step or one for all.
template <class T>
void blocks_against_the_naive_order(const Shape& shape, const Rule& rule, double l2, bool etas_differ) {
  const std::string name = shape.text() + " " + rule.text(l2) + (sizeof(T) == 8 ? " f64" : " f32");
  const double tolerance = sizeof(T) == 8 ? 1e-12 : 2e-5;
  const Learning learning = rule.learning(l2);
  Problem<T> p(shape, 70, 9);
  const std::size_t n_in = p.net.layers.front().n_in, n_out = p.net.layers.back().n_out;
  for (const Index block : {2, 7, 16, 32}) {
    std::vector<T> theta = p.theta, state(p.theta.size() * static_cast<std::size_t>(learning.states()), T{0});
    for (std::size_t start = 0; start < p.n; start += static_cast<std::size_t>(block)) {
      const std::size_t count = std::min(static_cast<std::size_t>(block), p.n - start);
      const Samples<T> part{std::span<const T>(p.X).subspan(start * n_in, count * n_in),
                            std::span<const T>(p.R).subspan(start * n_out, count * n_out),
                            std::span<const T>(p.weight).subspan(start, count)};
      std::vector<double> eta;
      for (std::size_t s = 0; s < (etas_differ ? count : 1); ++s) eta.push_back(0.01 / static_cast<double>(1 + s % 3));
      std::vector<T> naive = theta, naive_state = state;
      const Sums expected = descend<T>(p.plan, {learning, naive, naive_state}, part, eta, 1, 1);
      const Sums sums = descend<T>(p.plan, {learning, theta, state}, part, eta, 1, block);
      const auto differ = [&](const std::vector<T>& u, const std::vector<T>& v) {
        double worst = 0, largest = 1e-300;
        for (std::size_t k = 0; k < u.size(); ++k) {
          worst = larger(worst, std::abs(static_cast<double>(u[k]) - static_cast<double>(v[k])));
          largest = std::max(largest, std::abs(static_cast<double>(v[k])));
        }
        return worst / largest;
      };
      check(differ(theta, naive) <= tolerance && differ(state, naive_state) <= tolerance &&
                std::abs(sums.E - expected.E) <= tolerance * std::abs(expected.E) && sums.steps == expected.steps,
            name + ": block of " + std::to_string(block) + (etas_differ ? ", an eta for every step" : ""));
      theta = naive;
      state = naive_state;
    }
  }
  // The same bits for any number of threads.
  std::vector<std::vector<T>> results;
  for (int threads = 1; threads <= 4; ++threads) {
    std::vector<T> theta = p.theta, state(p.theta.size() * static_cast<std::size_t>(learning.states()), T{0});
    const double eta = 0.05;
    descend<T>(p.plan, {learning, theta, state}, p.samples(), {&eta, 1}, 1, 16, {}, threads);
    theta.insert(theta.end(), state.begin(), state.end());
    results.push_back(theta);
    check(same(results.front(), theta), name + ": blocks with " + std::to_string(threads) + " threads");
  }
}

inline void blocks_against_the_naive_order() {
  for (const Shape& shape :
       {Shape{{9, 1}, "tanh", "sigmoid", "log", true}, Shape{{40, 70, 5}, "relu", "identity", "squared_error", true},
        Shape{{17, 30, 8, 3}, "tanh", "softmax", "cross_entropy", false},
        Shape{{784, 20, 10}, "sigmoid", "sigmoid", "log", true},
        // small networks: few inputs and as a block, one vector to all that there may be
        Shape{{2, 4, 1}, "sigmoid", "sigmoid", "log", true},
        Shape{{15, 16, 1}, "tanh", "sigmoid", "cross_entropy", false},
        Shape{{16, 5, 1}, "identity", "tanh", "squared_error", true},
        Shape{{30, 16, 1}, "tanh", "sigmoid", "log", false}, Shape{{20, 32, 1}, "relu", "sigmoid", "log", true}}) {
    for (const Rule& rule : kRules) {
      if (std::string(rule.name) == "adam") continue;
      for (const double l2 : {0.0, 0.1}) {
        for (const bool etas_differ : {false, true}) {
          blocks_against_the_naive_order<float>(shape, rule, l2, etas_differ);
          blocks_against_the_naive_order<double>(shape, rule, l2, etas_differ);
        }
      }
    }
  }
}

// Sparse rows against the same rows with their zeros, in every way of descent and in what a network says.
template <class T>
void sparse_against_dense(const Rule& rule, double l2, bool etas_differ) {
  const std::string name = "sparse " + rule.text(l2) + (sizeof(T) == 8 ? " f64" : " f32");
  const double tolerance = sizeof(T) == 8 ? 1e-12 : 1e-5;
  Problem<T> p({{30, 6, 2}, "tanh", "sigmoid", "log", true}, 60, 4);
  std::vector<Index> starts{0};
  std::vector<std::int32_t> columns;
  std::vector<T> values;
  for (std::size_t s = 0; s < p.n; ++s) {
    for (std::size_t i = 0; i < 30; ++i) {
      T& x = p.X[s * 30 + i];
      if ((s * 7 + i * 5) % 11 != 0 || i >= 28 || s % 13 == 5) {  // two columns and some rows with nothing in them
        x = T{0};
        continue;
      }
      columns.push_back(static_cast<std::int32_t>(i));
      values.push_back(x);
    }
    starts.push_back(static_cast<Index>(values.size()));
  }
  std::vector<Index> order;
  for (Index k = 0; k < static_cast<Index>(p.n); ++k) order.push_back((k * 23) % static_cast<Index>(p.n));
  const Samples<T> dense{p.X, p.R, p.weight, order};
  Samples<T> sparse = dense;
  sparse.X = {};
  sparse.sparse = SparseRows<T>{starts, columns, values};

  std::vector<T> y(p.n * 2), y2(p.n * 2), g(p.theta.size()), g2(p.theta.size());
  predict<T>(p.plan, p.theta, dense, y);
  predict<T>(p.plan, p.theta, sparse, y2);
  gradient<T>(p.plan, p.theta, dense, g);
  gradient<T>(p.plan, p.theta, sparse, g2);
  check(same(y, y2) && same(g, g2), name + ": predict and gradient");

  const Learning learning = rule.learning(l2);
  for (const auto& [batch, block] : std::vector<std::pair<Index, Index>>{{1, 0}, {1, 1}, {1, 8}, {10, 0}}) {
    std::vector<double> etas;
    for (Index n = 0; n < (etas_differ ? (batch == 1 ? 60 : 6) : 1); ++n) etas.push_back(n % 7 < 4 ? 0.1 : 0.02);
    std::vector<T> theta = p.theta, state(p.theta.size() * static_cast<std::size_t>(learning.states()), T{0});
    std::vector<T> theta2 = theta, state2 = state;
    descend<T>(p.plan, {learning, theta, state}, dense, etas, batch, block > 0 ? block : 1);
    descend<T>(p.plan, {learning, theta2, state2}, sparse, etas, batch, block);
    double worst = 0, largest = 0;
    for (std::size_t k = 0; k < theta.size(); ++k) {
      worst = larger(worst, std::abs(static_cast<double>(theta[k]) - static_cast<double>(theta2[k])));
      largest = std::max(largest, std::abs(static_cast<double>(theta[k])));
    }
    for (std::size_t k = 0; k < state.size(); ++k) {
      worst = larger(worst, std::abs(static_cast<double>(state[k]) - static_cast<double>(state2[k])));
    }
    check(worst <= tolerance * largest,
          name + ": batches of " + std::to_string(batch) + ", block " + std::to_string(block));
  }
}

inline void sparse_against_dense() {
  for (const Rule& rule : kRules) {
    for (const double l2 : {0.0, 0.1}) {
      for (const bool etas_differ : {false, true}) {
        sparse_against_dense<float>(rule, l2, etas_differ);
        sparse_against_dense<double>(rule, l2, etas_differ);
      }
    }
  }
}

}  // namespace deltaprop::test
