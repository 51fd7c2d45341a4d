// One problem in both forms, the engine's and the plain loops', and how the two are compared.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "../engine.hpp"
#include "plain.hpp"

namespace deltaprop::test {

// The larger of two, and NaN where either is: std::max would lose it.
inline double larger(double x, double y) { return x >= y ? x : (x < y ? y : NAN); }

struct Shape {
  std::vector<Index> units;
  std::string h, output, loss;
  bool bias;

  std::string text() const {
    std::string s;
    for (const Index n : units) s += std::to_string(n) + "-";
    return s + h + "-" + output + "-" + loss + (bias ? "-bias" : "");
  }
};

inline Plan plan_of(const Shape& shape) {
  std::vector<LayerSpec> specs;
  for (std::size_t l = 0; l + 1 < shape.units.size(); ++l) {
    const bool last = l + 2 == shape.units.size();
    specs.push_back({shape.units[l], shape.units[l + 1], last ? shape.output : shape.h, shape.bias});
  }
  return Plan(specs, shape.loss);
}

// One problem in both forms: the padded theta of the engine and the plain network, and samples in both.
template <class T>
struct Problem {
  Plan plan;
  plain::Network net;
  std::vector<T> theta, X, R, weight;
  std::size_t n;

  Problem(const Shape& shape, std::size_t n_samples, unsigned seed) : plan(plan_of(shape)), n(n_samples) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> uniform(-1, 1);
    const auto draw = [&] { return static_cast<double>(static_cast<T>(uniform(random))); };
    net.loss = shape.loss;
    theta.assign(static_cast<std::size_t>(plan.theta_size()), T{0});
    for (std::size_t l = 0; l < plan.layers().size(); ++l) {
      const Layer& layer = plan.layers()[l];
      const auto n_in = static_cast<std::size_t>(layer.n_in);
      const auto n_out = static_cast<std::size_t>(layer.n_out);
      plain::Layer copy{n_in, n_out, l + 1 == plan.layers().size() ? shape.output : shape.h, shape.bias, {}, {}};
      const double scale = 1 / std::sqrt(static_cast<double>(n_in));  // keeps descent stable in wide layers
      for (std::size_t k = 0; k < n_in * n_out; ++k) {
        copy.W.push_back(static_cast<double>(static_cast<T>(scale * draw())));
      }
      for (std::size_t k = 0; shape.bias && k < n_out; ++k) copy.b.push_back(draw());
      net.layers.push_back(copy);
    }
    read_from(net);
    for (std::size_t k = 0; k < n * net.layers.front().n_in; ++k) X.push_back(static_cast<T>(draw()));
    const std::size_t n_out = net.layers.back().n_out;
    for (std::size_t s = 0; s < n; ++s) {
      for (std::size_t j = 0; j < n_out; ++j) {
        const bool one_hot = shape.loss == "cross_entropy";
        R.push_back(one_hot ? static_cast<T>(j == s % n_out) : static_cast<T>(std::abs(draw())));
      }
      weight.push_back(s % 5 == 3 ? T{0} : static_cast<T>(1 + std::abs(draw())));
    }
  }

  void read_from(const plain::Network& from) {
    for (std::size_t l = 0; l < plan.layers().size(); ++l) {
      const Layer& layer = plan.layers()[l];
      for (Index i = 0; i < layer.rows(); ++i) {
        for (Index j = 0; j < layer.n_out; ++j) {
          const plain::Layer& own = from.layers[l];
          const double value = i < layer.n_in ? own.W[static_cast<std::size_t>(i * layer.n_out + j)]
                                              : own.b[static_cast<std::size_t>(j)];
          theta[static_cast<std::size_t>(layer.offset + i * layer.pitch + j)] = static_cast<T>(value);
        }
      }
    }
  }

  plain::Vec x(std::size_t s) const {
    const std::size_t n_in = net.layers.front().n_in;
    return {X.begin() + static_cast<std::ptrdiff_t>(s * n_in), X.begin() + static_cast<std::ptrdiff_t>((s + 1) * n_in)};
  }
  plain::Vec r(std::size_t s) const {
    const std::size_t n_out = net.layers.back().n_out;
    return {R.begin() + static_cast<std::ptrdiff_t>(s * n_out),
            R.begin() + static_cast<std::ptrdiff_t>((s + 1) * n_out)};
  }
  Samples<T> samples() const { return {X, R, weight, {}}; }
  Samples<T> inputs() const { return {X, {}}; }
};

// The largest difference between a padded array and a plain network, relative to the largest number; inf where the
// padding is not zero.
template <class T>
double difference(const Problem<T>& problem, const std::vector<T>& padded, const plain::Network& expected) {
  Problem<T> other = problem;
  std::fill(other.theta.begin(), other.theta.end(), T{0});
  other.read_from(expected);
  double worst = 0, largest = 1e-300;
  for (std::size_t k = 0; k < padded.size(); ++k) {
    worst = larger(worst, std::abs(static_cast<double>(padded[k]) - static_cast<double>(other.theta[k])));
    largest = std::max(largest, std::abs(static_cast<double>(other.theta[k])));
    if (other.theta[k] == T{0} && padded[k] != T{0} && problem.theta[k] == T{0}) return INFINITY;
  }
  return worst / largest;
}

inline plain::Network zeros_like(plain::Network net) {
  for (plain::Layer& layer : net.layers) {
    std::fill(layer.W.begin(), layer.W.end(), 0.0);
    std::fill(layer.b.begin(), layer.b.end(), 0.0);
  }
  return net;
}

template <class T>
bool same(const std::vector<T>& u, const std::vector<T>& v) {
  return u.size() == v.size() && std::memcmp(u.data(), v.data(), u.size() * sizeof(T)) == 0;
}

}  // namespace deltaprop::test
