#include "engine.hpp"

#include <algorithm>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>

#include "kernels.hpp"
#include "team.hpp"

namespace deltaprop {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr Index kChunkRows = 64;            // rows that pass through all layers together where nothing is learnt
constexpr double kWorkPerThread = 500'000;  // multiply-adds below which a further thread costs more than it brings
constexpr int kMostThreads = 256;

struct Free {
  void operator()(void* block) const { ::operator delete(block, std::align_val_t{kAlignment}); }
};

// Aligned scratch for one call, carved into arrays.
class Scratch {
 public:
  explicit Scratch(std::size_t bytes)
      : block_(::operator new(bytes, std::align_val_t{kAlignment})), next_(static_cast<char*>(block_.get())) {}

  static std::size_t padded(std::size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

  template <class U>
  U* all() const {
    return static_cast<U*>(block_.get());
  }

  template <class U>
  U* take(std::size_t n) {
    U* array = reinterpret_cast<U*>(next_);
    next_ += padded(n * sizeof(U));
    return array;
  }

 private:
  std::unique_ptr<void, Free> block_;
  char* next_;
};

template <class T>
std::size_t workspace_bytes(const Plan& plan, Index rows, bool with_delta) {
  const auto units = static_cast<std::size_t>(plan.units() * rows) * sizeof(T);
  const auto n = static_cast<std::size_t>(rows);
  return (with_delta ? 3 : 2) * Scratch::padded(units) + Scratch::padded(n * sizeof(const T*)) +
         Scratch::padded(n * sizeof(double));
}

template <class T>
Workspace<T> workspace(Scratch& scratch, const Plan& plan, Index rows, bool with_delta) {
  const auto units = static_cast<std::size_t>(plan.units() * rows);
  const auto n = static_cast<std::size_t>(rows);
  Workspace<T> work{};
  work.a = scratch.take<T>(units);
  work.z = scratch.take<T>(units);
  work.delta = with_delta ? scratch.take<T>(units) : nullptr;
  work.input = scratch.take<const T*>(n);
  work.E = scratch.take<double>(n);
  work.rows = rows;
  return work;
}

// The threads that were asked for, or as many as the work is worth; one where there are no others.
int team_size(double work, int threads) {
  if (!can_have_threads()) return 1;
  if (threads > 0) return std::min(threads, kMostThreads);
  const int worth = static_cast<int>(std::min(work / kWorkPerThread, 1e6));
  return std::clamp(std::min(available_threads(), worth), 1, kMostThreads);
}

void need(bool holds, const char* what) {
  if (!holds) throw std::invalid_argument(what);
}

template <class T>
Rows<T> checked(const Plan& plan, const Samples<T>& samples, bool with_targets) {
  const PlanView view = plan.view();
  const auto n_in = static_cast<std::size_t>(view.n_in());
  const auto n_out = static_cast<std::size_t>(view.n_out());
  need(samples.X.size() % n_in == 0, "X does not hold whole rows of n_in");
  const std::size_t rows = samples.X.size() / n_in;
  need(!with_targets || samples.R.size() == rows * n_out, "R needs a row of n_out for every row of X");
  need(!samples.weight || samples.weight->size() == rows, "there must be a weight for every row of X");
  for (const Index row : samples.order.value_or(std::span<const Index>{})) {
    need(row >= 0 && row < static_cast<Index>(rows), "an index in order is not a row of X");
  }
  return {samples.X.data(),
          with_targets ? samples.R.data() : nullptr,
          samples.weight ? samples.weight->data() : nullptr,
          samples.order ? samples.order->data() : nullptr,
          static_cast<Index>(samples.order ? samples.order->size() : rows),
          view.n_in(),
          view.n_out()};
}

void check_theta(const Plan& plan, std::size_t size) {
  need(size == static_cast<std::size_t>(plan.theta_size()), "theta does not have the size of the plan");
}

template <class T>
const Kernels<T>& kernels_for();
template <>
const Kernels<float>& kernels_for<float>() {
  return *kernels().f32;
}
template <>
const Kernels<double>& kernels_for<double>() {
  return *kernels().f64;
}

// Scratch for each thread of a team, kChunkRows rows at a time.
template <class T>
struct TeamScratch {
  TeamScratch(const Plan& plan, Index n, Index most_rows, int threads, bool with_delta)
      : rows(std::clamp<Index>(n, 1, most_rows)),
        block(workspace_bytes<T>(plan, rows, with_delta) * static_cast<std::size_t>(threads)) {
    for (int t = 0; t < threads; ++t) work.push_back(workspace<T>(block, plan, rows, with_delta));
  }
  Index rows;
  Scratch block;
  std::vector<Workspace<T>> work;
};

double work_of(const Plan& plan, Index rows) {
  return static_cast<double>(plan.n_parameters()) * static_cast<double>(rows);
}

}  // namespace

template <class T>
void predict(const Plan& plan, std::span<const T> theta, std::span<const T> X, std::span<T> y, int threads) {
  check_theta(plan, theta.size());
  const Rows<T> rows = checked<T>(plan, {X, {}, {}, {}}, false);
  need(y.size() == static_cast<std::size_t>(rows.n * rows.n_out), "y needs n_out elements for every row of X");
  if (rows.n == 0) return;
  const int team = team_size(work_of(plan, rows.n), threads);
  TeamScratch<T> scratch(plan, rows.n, kChunkRows, team, false);
  kernels_for<T>().predict(plan.view(), theta.data(), rows, y.data(), scratch.work.data(), team);
}

template <class T>
LossSum loss(const Plan& plan, std::span<const T> theta, const Samples<T>& samples, LossSum before, int threads) {
  check_theta(plan, theta.size());
  const Rows<T> rows = checked(plan, samples, true);
  if (rows.n == 0) return before;
  const int team = team_size(work_of(plan, rows.n), threads);
  TeamScratch<T> scratch(plan, kChunkRows, kChunkRows, team, true);
  std::vector<KernelLossSum> chunk_sums(static_cast<std::size_t>((rows.n + kChunkRows - 1) / kChunkRows));
  KernelLossSum sum{before.E, before.weight};
  kernels_for<T>().loss(plan.view(), theta.data(), rows, chunk_sums.data(), scratch.work.data(), &sum, team);
  return {sum.E, sum.weight};
}

// theta_size numbers of float64 for a step that goes through in several chunks; none for others.
std::unique_ptr<Scratch> partial_sums(const Plan& plan, Index rows) {
  if (rows <= kStepRows) return nullptr;
  return std::make_unique<Scratch>(Scratch::padded(static_cast<std::size_t>(plan.theta_size()) * sizeof(double)));
}

template <class T>
LossSum gradient(const Plan& plan, std::span<const T> theta, const Samples<T>& samples, std::span<T> out, int threads) {
  check_theta(plan, theta.size());
  check_theta(plan, out.size());
  const Rows<T> rows = checked(plan, samples, true);
  need(rows.n > 0, "a gradient needs samples");
  const int team = team_size(work_of(plan, std::min(rows.n, kStepRows)), threads);
  TeamScratch<T> scratch(plan, rows.n, kStepRows, 1, true);
  const auto partial = partial_sums(plan, rows.n);
  KernelLossSum sum{0, 0};
  Barrier barrier;
  kernels_for<T>().gradient(plan.view(), theta.data(), rows, out.data(), scratch.work[0],
                            partial ? partial->template all<double>() : nullptr, &sum, barrier, team);
  return {sum.E, sum.weight};
}

template <class T>
void trace(const Plan& plan, std::span<const T> theta, const Samples<T>& samples, const Trace<T>& out) {
  check_theta(plan, theta.size());
  const Rows<T> rows = checked(plan, samples, true);
  const std::size_t depth = plan.layers().size();
  const auto n = static_cast<std::size_t>(rows.n);
  const auto fits = [&](const std::vector<std::span<T>>& arrays, bool jacobian) {
    need(arrays.size() == depth, "a trace needs one array per layer");
    for (std::size_t l = 0; l < depth; ++l) {
      const Layer& layer = plan.layers()[l];
      const auto units = static_cast<std::size_t>(layer.n_out);
      const bool matrix = jacobian && layer.h == Activation::softmax;
      need(arrays[l].size() == n * units * (matrix ? units : 1), "an array of the trace has the wrong size");
    }
  };
  fits(out.a, false);
  fits(out.z, false);
  fits(out.dh, true);
  fits(out.delta, false);
  need(out.gradient.size() == n * static_cast<std::size_t>(plan.theta_size()),
       "the trace's gradient has the wrong size");
  need(out.E.size() == n, "the trace's E has the wrong size");

  TeamScratch<T> scratch(plan, 1, 1, 1, true);
  std::vector<T*> a(depth), z(depth), dh(depth), delta(depth);
  for (std::size_t s = 0; s < n; ++s) {
    for (std::size_t l = 0; l < depth; ++l) {
      a[l] = out.a[l].data() + s * (out.a[l].size() / n);
      z[l] = out.z[l].data() + s * (out.z[l].size() / n);
      dh[l] = out.dh[l].data() + s * (out.dh[l].size() / n);
      delta[l] = out.delta[l].data() + s * (out.delta[l].size() / n);
    }
    T* g = out.gradient.data() + s * static_cast<std::size_t>(plan.theta_size());
    const TraceRow<T> row{a.data(), z.data(), dh.data(), delta.data(), g, out.E.data() + s};
    kernels_for<T>().trace(plan.view(), theta.data(), rows, static_cast<Index>(s), row, scratch.work[0]);
  }
}

template <class T>
LossSum descend(const Plan& plan, std::span<T> theta, const Samples<T>& samples, std::span<const double> eta,
                Index batch_size, LossSum before, int threads) {
  check_theta(plan, theta.size());
  need(batch_size >= 1, "batch_size must be at least 1");
  const Rows<T> rows = checked(plan, samples, true);
  const Index steps = rows.n / batch_size + (rows.n % batch_size != 0);
  need(eta.size() == 1 || eta.size() == static_cast<std::size_t>(steps), "eta needs one element, or one per step");
  if (rows.n == 0) return before;
  const Index step_rows = std::min(batch_size, rows.n);
  const int team = batch_size == 1 ? 1 : team_size(work_of(plan, std::min(step_rows, kStepRows)), threads);
  TeamScratch<T> scratch(plan, step_rows, kStepRows, 1, true);
  const auto partial = partial_sums(plan, step_rows);
  KernelLossSum sum{before.E, before.weight};
  Barrier barrier;
  kernels_for<T>().descend(plan.view(), theta.data(), rows, eta.data(), static_cast<Index>(eta.size()), batch_size,
                           scratch.work[0], partial ? partial->template all<double>() : nullptr, &sum, barrier, team);
  return {sum.E, sum.weight};
}

template <class T>
void apply_activation(Activation h, std::span<const T> a, std::span<T> z, std::span<T> dh) {
  need(a.size() == z.size() && a.size() == dh.size(), "a, z and dh must have one size");
  need(h != Activation::softmax, "softmax does not work element by element");
  kernels_for<T>().activation(h, a.data(), z.data(), dh.data(), static_cast<Index>(a.size()));
}

#define DELTAPROP_FOR(T)                                                                                          \
  template void predict(const Plan&, std::span<const T>, std::span<const T>, std::span<T>, int);                  \
  template LossSum loss(const Plan&, std::span<const T>, const Samples<T>&, LossSum, int);                        \
  template LossSum gradient(const Plan&, std::span<const T>, const Samples<T>&, std::span<T>, int);               \
  template void trace(const Plan&, std::span<const T>, const Samples<T>&, const Trace<T>&);                       \
  template LossSum descend(const Plan&, std::span<T>, const Samples<T>&, std::span<const double>, Index, LossSum, \
                           int);                                                                                  \
  template void apply_activation(Activation, std::span<const T>, std::span<T>, std::span<T>);
DELTAPROP_FOR(float)
DELTAPROP_FOR(double)

}  // namespace deltaprop
