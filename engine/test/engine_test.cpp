// The engine's own test program: no Python, every instruction set that the machine has, made to run under
// sanitizers.
#include "../engine.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <stdexcept>

#include "../philox.hpp"
#include "plain.hpp"

using namespace deltaprop;

namespace {

int failures = 0;

void check(bool holds, const std::string& what) {
  if (holds) return;
  ++failures;
  std::fprintf(stderr, "FAILED [%s]: %s\n", std::string(instruction_set()).c_str(), what.c_str());
}

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

Plan plan_of(const Shape& shape) {
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
      plain::Layer copy{n_in,       n_out, l + 1 == plan.layers().size() ? shape.output : shape.h,
                        shape.bias, {},    {}};
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
    return {X.begin() + static_cast<std::ptrdiff_t>(s * n_in),
            X.begin() + static_cast<std::ptrdiff_t>((s + 1) * n_in)};
  }
  plain::Vec r(std::size_t s) const {
    const std::size_t n_out = net.layers.back().n_out;
    return {R.begin() + static_cast<std::ptrdiff_t>(s * n_out),
            R.begin() + static_cast<std::ptrdiff_t>((s + 1) * n_out)};
  }
  Samples<T> samples() const { return {X, R, weight, {}}; }
};

// The largest difference between a padded array and a plain network, relative to the largest number; inf
// where the padding is not zero.
template <class T>
double difference(const Problem<T>& problem, const std::vector<T>& padded, const plain::Network& expected) {
  Problem<T> other = problem;
  std::fill(other.theta.begin(), other.theta.end(), T{0});
  other.read_from(expected);
  double worst = 0, largest = 1e-300;
  for (std::size_t k = 0; k < padded.size(); ++k) {
    worst = std::max(worst, std::abs(static_cast<double>(padded[k]) - static_cast<double>(other.theta[k])));
    largest = std::max(largest, std::abs(static_cast<double>(other.theta[k])));
    if (other.theta[k] == T{0} && padded[k] != T{0} && problem.theta[k] == T{0}) return INFINITY;
  }
  return worst / largest;
}

plain::Network zeros_like(plain::Network net) {
  for (plain::Layer& layer : net.layers) {
    std::fill(layer.W.begin(), layer.W.end(), 0.0);
    std::fill(layer.b.begin(), layer.b.end(), 0.0);
  }
  return net;
}

template <class T>
void against_plain_loops(const Shape& shape) {
  const double tolerance = sizeof(T) == 8 ? 1e-12 : 1e-5;
  const std::string name = shape.text() + (sizeof(T) == 8 ? " f64" : " f32");
  Problem<T> p(shape, 13, 7);
  const std::size_t n_out = p.net.layers.back().n_out;

  std::vector<T> y(p.n * n_out);
  predict<T>(p.plan, p.theta, p.X, y);
  double worst = 0, E = 0, weight = 0;
  plain::Network g = zeros_like(p.net);
  for (std::size_t s = 0; s < p.n; ++s) {
    const plain::Pass pass = plain::pass(p.net, p.x(s), p.r(s));
    for (std::size_t j = 0; j < n_out; ++j) {
      worst = std::max(worst, std::abs(static_cast<double>(y[s * n_out + j]) - pass.z.back()[j]));
    }
    E += static_cast<double>(p.weight[s]) * pass.E;
    weight += static_cast<double>(p.weight[s]);
    add_gradient(g, pass, static_cast<double>(p.weight[s]));
  }
  check(worst <= tolerance * 10, name + ": predict");
  const LossSum sum = loss<T>(p.plan, p.theta, p.samples());
  check(std::abs(sum.E - E) <= tolerance * std::abs(E), name + ": loss");

  std::vector<T> dense(p.theta.size(), T{1});
  gradient<T>(p.plan, p.theta, p.samples(), dense);
  for (plain::Layer& layer : g.layers) {
    for (double& v : layer.W) v /= weight;
    for (double& v : layer.b) v /= weight;
  }
  check(difference(p, dense, g) <= tolerance, name + ": gradient");

  for (const Index batch : {1, 4}) {  // 13 samples: the last batch is smaller
    plain::Network expected = p.net;
    const auto size = static_cast<std::size_t>(batch);
    for (std::size_t start = 0; start < p.n; start += size) {
      const plain::Network before = expected;
      const std::size_t stop = std::min(p.n, start + size);
      for (std::size_t s = start; s < stop; ++s) {
        const plain::Pass pass = plain::pass(before, p.x(s), p.r(s));
        add_gradient(expected, pass,
                     -0.02 * static_cast<double>(p.weight[s]) / static_cast<double>(stop - start));
      }
    }
    std::vector<T> theta = p.theta;
    const double eta = 0.02;
    descend<T>(p.plan, theta, p.samples(), {&eta, 1}, batch);
    check(difference(p, theta, expected) <= tolerance,
          name + ": descend in batches of " + std::to_string(batch));
  }
}

template <class T>
bool same(const std::vector<T>& u, const std::vector<T>& v) {
  return u.size() == v.size() && std::memcmp(u.data(), v.data(), u.size() * sizeof(T)) == 0;
}

// The same bits for any number of threads, for a row alone, and for an epoch in pieces.
template <class T>
void same_bits(const Shape& shape) {
  const std::string name = shape.text() + (sizeof(T) == 8 ? " f64" : " f32");
  Problem<T> p(shape, 701, 3);
  const std::size_t n_in = p.net.layers.front().n_in, n_out = p.net.layers.back().n_out;
  std::vector<T> y(p.n * n_out), g(p.theta.size());
  predict<T>(p.plan, p.theta, p.X, y, 1);
  const LossSum E = loss<T>(p.plan, p.theta, p.samples(), 1);
  gradient<T>(p.plan, p.theta, p.samples(), g, 1);
  for (int threads = 2; threads <= 4; ++threads) {
    const std::string with = name + ": " + std::to_string(threads) + " threads: ";
    std::vector<T> y2(y.size()), g2(g.size());
    predict<T>(p.plan, p.theta, p.X, y2, threads);
    check(same(y, y2), with + "predict");
    check(loss<T>(p.plan, p.theta, p.samples(), threads).E == E.E, with + "loss");
    gradient<T>(p.plan, p.theta, p.samples(), g2, threads);
    check(same(g, g2), with + "gradient");
  }
  for (const std::size_t s : {std::size_t{0}, std::size_t{6}, p.n - 1}) {
    std::vector<T> one(n_out);
    predict<T>(p.plan, p.theta, std::span<const T>(p.X).subspan(s * n_in, n_in), one);
    check(std::memcmp(one.data(), y.data() + s * n_out, n_out * sizeof(T)) == 0, name + ": a row alone");
  }
  for (const Index batch : {1, 16, 300}) {
    std::vector<T> whole = p.theta;
    const double eta = 0.05;
    const LossSum sum = descend<T>(p.plan, whole, p.samples(), {&eta, 1}, batch, {}, 1);
    for (int threads = 1; threads <= 4; ++threads) {
      std::vector<T> pieces = p.theta;
      LossSum carried;
      const std::size_t size = 2 * static_cast<std::size_t>(batch);
      for (std::size_t start = 0; start < p.n; start += size) {
        const std::size_t count = std::min(size, p.n - start);
        const Samples<T> part{std::span<const T>(p.X).subspan(start * n_in, count * n_in),
                              std::span<const T>(p.R).subspan(start * n_out, count * n_out),
                              std::span<const T>(p.weight).subspan(start, count),
                              {}};
        carried = descend<T>(p.plan, pieces, part, {&eta, 1}, batch, carried, threads);
      }
      check(same(whole, pieces) && carried.E == sum.E, name + ": batches of " + std::to_string(batch) +
                                                           " in pieces, " + std::to_string(threads) +
                                                           " threads");
    }
  }
}

// Everything in a trace is what plain loops say.
void trace_is_complete(const Shape& shape) {
  Problem<double> p(shape, 2, 11);
  const std::size_t depth = p.net.layers.size();
  std::vector<std::vector<double>> a(depth), z(depth), dh(depth), delta(depth);
  const auto spans = [](std::vector<std::vector<double>>& arrays) {
    return std::vector<std::span<double>>(arrays.begin(), arrays.end());
  };
  for (std::size_t l = 0; l < depth; ++l) {
    const std::size_t units = p.n * p.net.layers[l].n_out;
    for (auto* arrays : {&a, &z, &dh, &delta}) (*arrays)[l].resize(units);
    if (p.net.layers[l].h == "softmax") dh[l].resize(units * p.net.layers[l].n_out);
  }
  std::vector<double> g(p.n * p.theta.size()), E(p.n);
  trace<double>(p.plan, p.theta, {p.X, p.R, {}, {}}, {spans(a), spans(z), spans(dh), spans(delta), g, E});
  for (std::size_t s = 0; s < p.n; ++s) {
    const plain::Pass pass = plain::pass(p.net, p.x(s), p.r(s));
    check(std::abs(E[s] - pass.E) <= 1e-12 * std::abs(pass.E), shape.text() + ": E of the trace");
    for (std::size_t l = 0; l < depth; ++l) {
      const std::size_t units = p.net.layers[l].n_out;
      double worst = 0;
      for (std::size_t j = 0; j < units; ++j) {
        worst = std::max({worst, std::abs(a[l][s * units + j] - pass.a[l][j]),
                          std::abs(z[l][s * units + j] - pass.z[l + 1][j]),
                          std::abs(delta[l][s * units + j] - pass.delta[l][j])});
      }
      check(worst <= 1e-12, shape.text() + ": a, z, delta of the trace");
    }
    plain::Network expected = zeros_like(p.net);
    add_gradient(expected, pass, 1);
    const auto* begin = g.data() + s * p.theta.size();
    check(difference(p, std::vector<double>(begin, begin + p.theta.size()), expected) <= 1e-12,
          shape.text() + ": gradient of the trace");
  }
}

template <class F>
void refuses(F f, const std::string& what) {
  try {
    f();
  } catch (const std::invalid_argument&) {
    return;
  }
  check(false, what + " was not refused");
}

void refusals() {
  const Problem<float> p({{2, 3, 1}, "tanh", "sigmoid", "log", true}, 4, 1);
  std::vector<float> short_theta(p.theta.begin(), p.theta.end() - 1), y(4), theta = p.theta;
  const std::span<const float> X(p.X);
  const double eta = 0.1;
  const std::vector<Index> outside{0, 4};
  refuses([&] { predict<float>(p.plan, short_theta, X, y); }, "a short theta");
  refuses([&] { predict<float>(p.plan, p.theta, X.first(7), y); }, "half a row");
  refuses([&] { predict<float>(p.plan, p.theta, X, std::span(y).first(3)); }, "a short y");
  refuses([&] { loss<float>(p.plan, p.theta, {p.X, std::span<const float>(p.R).first(3), {}, {}}); },
          "a short R");
  refuses([&] { loss<float>(p.plan, p.theta, {p.X, p.R, std::span<const float>(p.weight).first(3), {}}); },
          "few weights");
  refuses([&] { descend<float>(p.plan, theta, {p.X, p.R, {}, outside}, {&eta, 1}, 1); },
          "an order past the end");
  refuses([&] { descend<float>(p.plan, theta, {p.X, p.R, {}, {}}, {&eta, 1}, 0); }, "batches of 0");
  refuses([&] { descend<float>(p.plan, theta, {p.X, p.R, {}, {}}, {&eta, 0}, 1); }, "no eta");
  refuses([] { Plan({{2, 3, "tanh", true}, {4, 1, "sigmoid", true}}, "log"); }, "layers that do not meet");
  refuses([] { Plan({{2, 1, "tanh", true}}, "log"); }, "tanh with log loss");
  refuses([] { Plan({{2, 3, "softmax", true}, {3, 1, "sigmoid", true}}, "log"); }, "softmax inside");
  refuses([] { Plan({{Index{1} << 39, Index{1} << 39, "sigmoid", true}}, "log"); }, "a size that overflows");
  refuses([] { Plan({{0, 1, "sigmoid", true}}, "log"); }, "no inputs");
  refuses([] { Plan({{1, 1, "sigmoyd", true}}, "log"); }, "a name that is not known");
  refuses([] { use_instruction_set("mmx"); }, "an instruction set that is not here");
  check(loss<float>(p.plan, p.theta, {{}, {}, {}, {}}).weight == 0, "no samples");
}

// Known answers of Philox4x32-10: Random123's kat_vectors.
void philox_known_answers() {
  const auto answer = [](std::uint64_t seed, Philox::Block counter) { return Philox(seed)(counter); };
  check(answer(0, {0, 0, 0, 0}) == Philox::Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        "Philox of zeros");
  check(answer(~std::uint64_t{0}, {~0u, ~0u, ~0u, ~0u}) ==
            Philox::Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
        "Philox of ones");
  check(answer(0x299f31d0a4093822, {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}) ==
            Philox::Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
        "Philox of pi");
  for (const std::size_t n : {0, 1, 2, 3, 10, 1000}) {
    std::vector<Index> order(n), again(n);
    shuffled_order(5, 1, order);
    shuffled_order(5, 1, again);
    std::vector<bool> seen(n);
    for (const Index k : order) seen.at(static_cast<std::size_t>(k)) = true;
    check(std::count(seen.begin(), seen.end(), true) == static_cast<std::ptrdiff_t>(n) && order == again,
          "an order");
  }
}

}  // namespace

int main() {
  philox_known_answers();
  for (const std::string_view name : instruction_sets()) {
    use_instruction_set(name);
    std::vector<Shape> shapes;
    for (const char* h : {"identity", "sigmoid", "tanh", "relu"}) {
      shapes.push_back({{3, 5, 2}, h, "sigmoid", "log", true});
      shapes.push_back({{3, 5, 3}, h, "softmax", "cross_entropy", true});
      shapes.push_back({{7, 17, 9, 2}, h, "identity", "squared_error", false});
      shapes.push_back({{2, 4, 3}, "tanh", h, "squared_error", true});
    }
    for (const char* output : {"sigmoid", "softmax"}) {
      for (const char* loss : {"log", "cross_entropy", "squared_error"}) {
        shapes.push_back({{4, 6, 3}, "tanh", output, loss, true});
      }
    }
    for (const Index n : {1, 7, 8, 9, 15, 16, 17, 63, 64, 65, 130}) {
      shapes.push_back({{n, 1}, "tanh", "sigmoid", "log", true});
      shapes.push_back({{3, n, 2}, "tanh", "sigmoid", "log", true});
      shapes.push_back({{n, n, n}, "tanh", "identity", "squared_error", n % 2 == 0});
    }
    for (const Shape& shape : shapes) {
      against_plain_loops<float>(shape);
      against_plain_loops<double>(shape);
      trace_is_complete(shape);
    }
    for (const Shape& shape : {Shape{{9, 33, 17, 5}, "relu", "softmax", "cross_entropy", true},
                               Shape{{130, 3}, "tanh", "sigmoid", "log", false}}) {
      same_bits<float>(shape);
      same_bits<double>(shape);
    }
    refusals();
    std::printf("%s: done\n", std::string(name).c_str());
  }
  if (failures > 0) std::fprintf(stderr, "%d checks failed\n", failures);
  return failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
