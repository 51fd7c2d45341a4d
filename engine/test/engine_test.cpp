// The engine's own test program: no Python, every instruction set that the machine has, made to run under sanitizers.
#if defined(__SSE2__)
#  include <xmmintrin.h>
#endif

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "../at_work.hpp"
#include "../philox.hpp"
#include "check.hpp"
#include "descent_test.hpp"

using namespace deltaprop;
using namespace deltaprop::test;

namespace {

template <class T>
void against_plain_loops(const Shape& shape, std::size_t n = 13, const std::vector<Index>& batches = {1, 4}) {
  const double tolerance = sizeof(T) == 8 ? 1e-12 : 1e-5;
  const std::string name = shape.text() + (sizeof(T) == 8 ? " f64" : " f32");
  Problem<T> p(shape, n, 7);
  const std::size_t n_out = p.net.layers.back().n_out;

  std::vector<T> y(p.n * n_out);
  predict<T>(p.plan, p.theta, p.inputs(), y);
  double worst = 0, largest = 0, E = 0, weight = 0;
  plain::Network g = zeros_like(p.net);
  for (std::size_t s = 0; s < p.n; ++s) {
    const plain::Pass pass = plain::pass(p.net, p.x(s), p.r(s));
    for (std::size_t j = 0; j < n_out; ++j) {
      worst = larger(worst, std::abs(static_cast<double>(y[s * n_out + j]) - pass.z.back()[j]));
      largest = std::max(largest, std::abs(pass.z.back()[j]));
    }
    E += static_cast<double>(p.weight[s]) * pass.E;
    weight += static_cast<double>(p.weight[s]);
    add_gradient(g, pass, static_cast<double>(p.weight[s]));
  }
  check(worst <= tolerance * largest, name + ": predict");
  const Sums sum = loss<T>(p.plan, p.theta, p.samples());
  check(std::abs(sum.E - E) <= tolerance * std::abs(E), name + ": loss");

  std::vector<T> dense(p.theta.size(), T{1});
  gradient<T>(p.plan, p.theta, p.samples(), dense);
  for (plain::Layer& layer : g.layers) {
    for (double& v : layer.W) v /= weight;
    for (double& v : layer.b) v /= weight;
  }
  check(difference(p, dense, g) <= tolerance, name + ": gradient");

  for (const Index batch : batches) {  // the last one may be smaller
    plain::Network expected = p.net;
    const auto size = static_cast<std::size_t>(batch);
    for (std::size_t start = 0; start < p.n; start += size) {
      const plain::Network before = expected;
      const std::size_t stop = std::min(p.n, start + size);
      for (std::size_t s = start; s < stop; ++s) {
        const plain::Pass pass = plain::pass(before, p.x(s), p.r(s));
        add_gradient(expected, pass, -0.02 * static_cast<double>(p.weight[s]) / static_cast<double>(stop - start));
      }
    }
    std::vector<T> theta = p.theta;
    const double eta = 0.02;
    descend<T>(p.plan, {kSgd, theta}, p.samples(), {&eta, 1}, batch);
    check(difference(p, theta, expected) <= tolerance, name + ": descend in batches of " + std::to_string(batch));
  }
}

// The same bits for any number of threads, for a row alone, and for an epoch in pieces.
template <class T>
void same_bits(const Shape& shape) {
  const std::string name = shape.text() + (sizeof(T) == 8 ? " f64" : " f32");
  Problem<T> p(shape, 701, 3);
  const std::size_t n_in = p.net.layers.front().n_in, n_out = p.net.layers.back().n_out;
  std::vector<T> y(p.n * n_out), g(p.theta.size());
  predict<T>(p.plan, p.theta, p.inputs(), y, 1);
  const Sums E = loss<T>(p.plan, p.theta, p.samples(), {}, 1);
  gradient<T>(p.plan, p.theta, p.samples(), g, 1);
  for (int threads = 2; threads <= 4; ++threads) {
    const std::string with = name + ": " + std::to_string(threads) + " threads: ";
    std::vector<T> y2(y.size()), g2(g.size());
    predict<T>(p.plan, p.theta, p.inputs(), y2, threads);
    check(same(y, y2), with + "predict");
    check(loss<T>(p.plan, p.theta, p.samples(), {}, threads).E == E.E, with + "loss");
    gradient<T>(p.plan, p.theta, p.samples(), g2, threads);
    check(same(g, g2), with + "gradient");
  }
  for (const std::size_t s : {std::size_t{0}, std::size_t{6}, p.n - 1}) {
    std::vector<T> one(n_out);
    predict<T>(p.plan, p.theta, {std::span<const T>(p.X).subspan(s * n_in, n_in), {}}, one);
    check(std::memcmp(one.data(), y.data() + s * n_out, n_out * sizeof(T)) == 0, name + ": a row alone");
  }
  for (const Index batch : {1, 16, 300}) {
    std::vector<T> whole = p.theta;
    const double eta = 0.05;
    const Sums sum = descend<T>(p.plan, {kSgd, whole}, p.samples(), {&eta, 1}, batch, 0, {}, 1);
    for (int threads = 1; threads <= 4; ++threads) {
      std::vector<T> pieces = p.theta;
      Sums carried;
      const auto unit = static_cast<std::size_t>(batch > 1 ? batch : online_block(p.plan, kSgd));
      const std::size_t size = 2 * unit;
      for (std::size_t start = 0; start < p.n; start += size) {
        const std::size_t count = std::min(size, p.n - start);
        const Samples<T> part{std::span<const T>(p.X).subspan(start * n_in, count * n_in),
                              std::span<const T>(p.R).subspan(start * n_out, count * n_out),
                              std::span<const T>(p.weight).subspan(start, count),
                              {}};
        carried = descend<T>(p.plan, {kSgd, pieces}, part, {&eta, 1}, batch, 0, carried, threads);
      }
      check(same(whole, pieces) && carried.E == sum.E,
            name + ": batches of " + std::to_string(batch) + " in pieces, " + std::to_string(threads) + " threads");
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
      const std::string& h = p.net.layers[l].h;
      for (std::size_t j = 0; j < units; ++j) {
        plain::Vec unit(units, 0.0);
        unit[j] = 1;
        const plain::Vec derivative = plain::through(h, pass.a[l], pass.z[l + 1], unit);  // row j of the Jacobian
        if (h == "softmax") {
          for (std::size_t k = 0; k < units; ++k) {
            worst = larger(worst, std::abs(dh[l][(s * units + j) * units + k] - derivative[k]));
          }
        } else {
          worst = larger(worst, std::abs(dh[l][s * units + j] - derivative[j]));
        }
        for (const double d :
             {std::abs(a[l][s * units + j] - pass.a[l][j]), std::abs(z[l][s * units + j] - pass.z[l + 1][j]),
              std::abs(delta[l][s * units + j] - pass.delta[l][j])}) {
          worst = larger(worst, d);
        }
      }
      check(worst <= 1e-12, shape.text() + ": a, z, dh, delta of the trace");
    }
    plain::Network expected = zeros_like(p.net);
    add_gradient(expected, pass, 1);
    const auto* begin = g.data() + s * p.theta.size();
    check(difference(p, std::vector<double>(begin, begin + p.theta.size()), expected) <= 1e-12,
          shape.text() + ": gradient of the trace");
  }
}

// A sample of weight 0 changes nothing, even where its own numbers overflow.
void weight_zero_is_nothing() {
  Problem<float> p({{2, 1}, "tanh", "identity", "squared_error", true}, 2, 5);
  p.X = {3e38f, 3e38f, 1.0f, 2.0f};
  p.weight = {0.0f, 1.0f};
  for (float& w : p.theta) w *= 10;
  Problem<float> alone = p;
  alone.X.erase(alone.X.begin(), alone.X.begin() + 2);
  alone.R.erase(alone.R.begin());
  alone.weight.erase(alone.weight.begin());
  const double eta = 0.1;
  descend<float>(p.plan, {kSgd, p.theta}, p.samples(), {&eta, 1}, 1);
  descend<float>(alone.plan, {kSgd, alone.theta}, alone.samples(), {&eta, 1}, 1);
  check(same(p.theta, alone.theta), "a sample of weight 0");
}

// eta per step, and samples in an order of their own, against single steps.
void steps_and_orders() {
  const Problem<double> p({{3, 5, 2}, "tanh", "sigmoid", "log", true}, 9, 4);
  const std::vector<Index> order{4, 0, 8, 4, 2}, none;
  for (const Index batch : {1, 2}) {
    const std::vector<double> etas =
        batch == 1 ? std::vector<double>{0.5, 0.1, 0, 1, 0.2} : std::vector<double>{0.5, 0.1, 1};
    std::vector<double> whole = p.theta, single = p.theta;
    descend<double>(p.plan, {kSgd, whole}, {p.X, p.R, p.weight, order}, etas, batch);
    for (std::size_t n = 0; n < etas.size(); ++n) {
      const std::size_t start = n * static_cast<std::size_t>(batch);
      const std::span<const Index> part =
          std::span<const Index>(order).subspan(start, std::min(order.size() - start, static_cast<std::size_t>(batch)));
      descend<double>(p.plan, {kSgd, single}, {p.X, p.R, p.weight, part}, {&etas[n], 1}, batch);
    }
    check(same(whole, single) && !same(whole, p.theta), "eta per step, in batches of " + std::to_string(batch));
  }
  std::vector<double> theta = p.theta;
  const double eta = 1;
  descend<double>(p.plan, {kSgd, theta}, {p.X, p.R, p.weight, none}, {&eta, 1}, 1);
  check(same(theta, p.theta), "an order of no samples");
}

// A network that has diverged leaves no NaN behind in the padding: given finite weights again it is as good as new.
void padding_survives_divergence() {
  const Problem<float> p({{3, 5, 4, 2}, "relu", "identity", "squared_error", true}, 20, 6);
  std::vector<float> theta = p.theta, g(theta.size()), expected(theta.size());
  gradient<float>(p.plan, p.theta, p.samples(), expected);
  for (const Index batch : {1, 5}) {
    const double eta = 1e6;
    for (int n = 0; n < 5; ++n) descend<float>(p.plan, {kSgd, theta}, p.samples(), {&eta, 1}, batch);
    bool finite = true;
    for (const Layer& layer : p.plan.layers()) {
      for (Index i = 0; i < layer.rows(); ++i) {
        for (Index j = 0; j < layer.n_out; ++j) {
          float& w = theta[static_cast<std::size_t>(layer.offset + i * layer.pitch + j)];
          finite = finite && std::isfinite(w);
          w = p.theta[static_cast<std::size_t>(layer.offset + i * layer.pitch + j)];
        }
      }
    }
    gradient<float>(p.plan, theta, p.samples(), g);
    check(!finite && same(g, expected), "weights put back after divergence");
  }
}

#if defined(__SSE2__)
// Whatever another library has left in the floating-point control word: the same bits, and the word is given back.
void control_word() {
  const Problem<float> p({{9, 17, 3}, "tanh", "softmax", "cross_entropy", true}, 40, 2);
  std::vector<float> X(p.X);
  for (float& x : X) x *= 1e-19f;  // products among the subnormals
  const double E = loss<float>(p.plan, p.theta, p.samples()).E;
  const auto run = [&] {
    std::vector<float> theta = p.theta, g(p.theta.size());
    const double eta = 1e-3;
    gradient<float>(p.plan, theta, {X, p.R, p.weight, {}}, g, 2);
    descend<float>(p.plan, {kSgd, theta}, {X, p.R, p.weight, {}}, {&eta, 1}, 7, 0, {}, 2);
    theta.insert(theta.end(), g.begin(), g.end());
    return theta;
  };
  const std::vector<float> expected = run();
  const unsigned before = _mm_getcsr();
  for (const unsigned word :
       {before | 0x8040u, before | 0x2000u, before | 0x6000u}) {  // flush to zero; round down; chop
    _mm_setcsr(word);
    const std::vector<float> found = run();
    const bool same_E = loss<float>(p.plan, p.theta, p.samples()).E == E;
    const unsigned after = _mm_getcsr();
    _mm_setcsr(before);
    check(same(found, expected) && same_E, "another control word");
    check((after & 0xFFC0u) == (word & 0xFFC0u), "the control word is not given back");
  }
}
#endif

template <class F>
void refuses(F f, const std::string& what) {
  try {
    f();
  } catch (const std::invalid_argument&) {
    return;
  }
  check(false, what + " was not refused");
}

// Calls at work at once have their share of the cores; what is asked for is had.
void calls_share_the_cores() {
  const AtWork first;
  const int all = can_have_threads() ? available_threads() : 1;
  check(first.team_size(1e12, 0) == std::min(all, kMostThreads), "one call has all cores");
  check(first.team_size(1, 0) == 1, "little work is one thread's");
  {
    const AtWork second, third;
    check(second.team_size(1e12, 0) == std::max(1, all / 2), "the second of two calls has half");
    check(third.team_size(1e12, 0) == std::max(1, all / 3), "the third a third");
    check(!can_have_threads() || third.team_size(1, 3) == 3, "what is asked for is had");
  }
  check(AtWork().team_size(1e12, 0) == std::max(1, all / 2), "calls that have ended count no more");
}

void refusals() {
  const Problem<float> p({{2, 3, 1}, "tanh", "sigmoid", "log", true}, 4, 1);
  std::vector<float> short_theta(p.theta.begin(), p.theta.end() - 1), y(4), theta = p.theta;
  const std::span<const float> X(p.X);
  const double eta = 0.1;
  const std::vector<Index> outside{0, 4};
  refuses([&] { predict<float>(p.plan, short_theta, {X, {}}, y); }, "a short theta");
  refuses([&] { predict<float>(p.plan, p.theta, {X.first(7), {}}, y); }, "half a row");
  refuses([&] { predict<float>(p.plan, p.theta, {X, {}}, std::span(y).first(3)); }, "a short y");
  refuses([&] { loss<float>(p.plan, p.theta, {p.X, std::span<const float>(p.R).first(3), {}, {}}); }, "a short R");
  refuses([&] { loss<float>(p.plan, p.theta, {p.X, p.R, std::span<const float>(p.weight).first(3), {}}); },
          "few weights");
  refuses([&] { descend<float>(p.plan, {kSgd, theta}, {p.X, p.R, {}, outside}, {&eta, 1}, 1); },
          "an order past the end");
  refuses([&] { descend<float>(p.plan, {kSgd, theta}, {p.X, p.R, {}, {}}, {&eta, 1}, 0); }, "batches of 0");
  refuses([&] { descend<float>(p.plan, {kSgd, theta}, {p.X, p.R, {}, {}}, {&eta, 0}, 1); }, "no eta");
  refuses([&] { descend<float>(p.plan, {kSgd, theta}, p.samples(), {&eta, 1}, 1, 33); }, "a block of 33");
  refuses([&] { descend<float>(p.plan, {kSgd, theta, theta}, p.samples(), {&eta, 1}, 1); }, "a state that sgd has not");
  const Learning momentum("momentum", std::vector<double>{0.9});
  refuses([&] { descend<float>(p.plan, {momentum, theta}, p.samples(), {&eta, 1}, 1); }, "no state");
  refuses([] { Learning("adam", std::vector<double>{0.9}); }, "too few parameters");
  refuses([] { Learning("adma", {}); }, "an optimizer that is not known");
  refuses([] { Learning("sgd", {}, {.l2 = -1}); }, "a negative penalty");
  const std::vector<Index> starts{0, 1, 2, 3, 4};
  const std::vector<float> values(4, 1.0f);
  for (const std::vector<std::int32_t>& columns : {std::vector<std::int32_t>{0, 1, 2, 0}, {0, -1, 0, 0}, {0, 1, 0}}) {
    const Samples<float> sparse{{}, p.R, {}, {}, SparseRows<float>{starts, columns, values}};
    refuses([&] { descend<float>(p.plan, {kSgd, theta}, sparse, {&eta, 1}, 1); }, "a sparse column outside");
  }
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
  check(answer(0, {0, 0, 0, 0}) == Philox::Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}, "Philox of zeros");
  check(
      answer(~std::uint64_t{0}, {~0u, ~0u, ~0u, ~0u}) == Philox::Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
      "Philox of ones");
  check(answer(0x299f31d0a4093822, {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}) ==
            Philox::Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
        "Philox of pi");
  // Every order of three, about as often as the others.
  std::vector<int> seen_orders(27);
  for (std::uint32_t epoch = 0; epoch < 6000; ++epoch) {
    std::vector<Index> order(3);
    shuffled_order(1, epoch, order);
    ++seen_orders[static_cast<std::size_t>(order[0] * 9 + order[1] * 3 + order[2])];
  }
  int orders = 0;
  for (const int times : seen_orders) {
    orders += times > 0;
    check(times == 0 || (times > 850 && times < 1150), "orders of three are not equally frequent");  // 1000 +- 5 sigma
  }
  check(orders == 6, "not every order of three comes");
  for (const std::size_t n : {0, 1, 2, 3, 10, 1000}) {
    std::vector<Index> order(n), again(n);
    shuffled_order(5, 1, order);
    shuffled_order(5, 1, again);
    std::vector<bool> seen(n);
    for (const Index k : order) seen.at(static_cast<std::size_t>(k)) = true;
    check(std::count(seen.begin(), seen.end(), true) == static_cast<std::ptrdiff_t>(n) && order == again, "an order");
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
    for (const Shape& shape : {Shape{{3, 5, 2}, "tanh", "sigmoid", "log", true},
                               Shape{{4, 17, 3}, "relu", "softmax", "cross_entropy", false}}) {
      against_plain_loops<float>(shape, 700, {255, 256, 257, 512, 513, 700});
      against_plain_loops<double>(shape, 700, {255, 256, 257, 512, 513, 700});
      against_plain_loops<double>(shape, 256, {256});
    }
    rules_against_plain_loops();
    blocks_against_the_naive_order();
    sparse_against_dense();
    weight_zero_is_nothing();
    steps_and_orders();
    padding_survives_divergence();
#if defined(__SSE2__)
    control_word();
#endif
    refusals();
    calls_share_the_cores();
    std::printf("%s: done\n", std::string(name).c_str());
  }
  if (failures > 0) std::fprintf(stderr, "%d checks failed\n", failures);
  return failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
