#include "engine.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>

#include "at_work.hpp"
#include "kernels.hpp"
#include "team.hpp"

namespace deltaprop {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr Index kChunkRows = 64;  // rows that pass through all layers together where nothing is learnt
constexpr Index kTransposeRows = 8;
constexpr Index kLossRows = 16;
constexpr Index kLongSum = 256;             // of inputs
constexpr double kWaiting = 16;             // times the work of catching up lies between two of them
constexpr Index kMostPacked = 8 << 20;      // bytes of inputs that the threads of a team pack each for itself
constexpr std::size_t kMostHeld = 8 << 20;  // bytes of what an optimizer remembers that are held beside theta's
constexpr Index kStepsHeld = 2;             // or blocks: fewer are not worth a copy of theta

struct Free {
  void operator()(void* block) const { ::operator delete(block, std::align_val_t{kAlignment}); }
};

// Aligned scratch for one call, carved into arrays. What a small network needs for a few rows is no work for the allocator.
class Scratch {
 public:
  explicit Scratch(std::size_t bytes)
      : block_(bytes > sizeof own_ ? ::operator new(bytes, std::align_val_t{kAlignment}) : nullptr),
        next_(static_cast<char*>(begin())) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  static std::size_t padded(std::size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

  template <class U>
  U* all() {
    return static_cast<U*>(begin());
  }

  template <class U>
  U* take(std::size_t n) {
    U* array = reinterpret_cast<U*>(next_);
    next_ += padded(n * sizeof(U));
    return array;
  }

 private:
  void* begin() { return block_ ? block_.get() : own_; }

  std::unique_ptr<void, Free> block_;
  char* next_;
  alignas(kAlignment) char own_[4096];
};

// Elements from one packed row of inputs to the next: whole lanes, and not a power of two apart.
Index packed_stride(const Plan& plan) { return padded_pitch(plan.layers().front().n_in); }

enum class Parts { forward, backward, transposed };  // of a workspace, each with what those before it have

// Whether the threads of a team pack inputs each for itself: what one has packed costs another more than the samples do.
template <class T>
bool each_packs(const Plan& plan, Index rows, int team) {
  return team > 1 && team * rows * packed_stride(plan) * static_cast<Index>(sizeof(T)) <= kMostPacked;
}

// team: the threads that share a workspace.
template <class T>
std::size_t workspace_bytes(const Plan& plan, Index rows, Parts parts, int team = 1) {
  const auto n = static_cast<std::size_t>(rows);
  const auto units = Scratch::padded(static_cast<std::size_t>(plan.units()) * n * sizeof(T));
  const auto inputs = Scratch::padded(static_cast<std::size_t>(packed_stride(plan)) * n * sizeof(T));
  const auto outputs = Scratch::padded(3 * static_cast<std::size_t>(plan.view().output().pitch) * n * sizeof(T));
  const auto transposed = Scratch::padded(static_cast<std::size_t>(plan.transposed_size()) * sizeof(T));
  const bool each = each_packs<T>(plan, rows, team);
  const std::size_t arrays = (parts == Parts::forward ? 2 : plan.view().drops() ? 4 : 3) + (each ? 1 : 0);
  return (each ? static_cast<std::size_t>(team) : 1) * inputs + arrays * units + outputs +
         Scratch::padded(n * sizeof(double)) + (parts == Parts::transposed ? transposed : 0);
}

template <class T>
Workspace<T> workspace(Scratch& scratch, const Plan& plan, Index rows, Parts parts, int team = 1) {
  const auto n = static_cast<std::size_t>(rows);
  const auto units = static_cast<std::size_t>(plan.units()) * n;
  Workspace<T> work{};
  work.x = {scratch.take<T>(static_cast<std::size_t>(packed_stride(plan)) * n), packed_stride(plan)};
  if (each_packs<T>(plan, rows, team)) {
    for (int t = 1; t < team; ++t) {
      T* const next = scratch.take<T>(static_cast<std::size_t>(packed_stride(plan)) * n);
      if (t == 1) work.x_each = next - work.x.data;
    }
    work.other_z = scratch.take<T>(units);
  }
  work.a = scratch.take<T>(units);
  work.z = scratch.take<T>(units);
  work.delta = parts == Parts::forward ? nullptr : scratch.take<T>(units);
  work.slope = parts != Parts::forward && plan.view().drops() ? scratch.take<T>(units) : nullptr;
  work.units = scratch.take<T>(3 * static_cast<std::size_t>(plan.view().output().pitch) * n);
  work.E = scratch.take<double>(n);
  if (parts == Parts::transposed) {
    const auto size = static_cast<std::size_t>(plan.transposed_size());
    work.transposed = scratch.take<T>(size);
    std::fill_n(work.transposed, size, T{0});
  }
  work.rows = rows;
  return work;
}

void need(bool holds, const char* what) {
  if (!holds) throw std::invalid_argument(what);
}

template <class T>
void check_sparse(const SparseRows<T>& sparse) {
  need(!sparse.starts.empty() && sparse.columns.size() == sparse.values.size(), "sparse rows do not fit together");
}

template <class T>
void check_sparse_row(const SparseRows<T>& sparse, std::size_t row, Index n_in) {
  const Index first = sparse.starts[row], last = sparse.starts[row + 1];
  need(0 <= first && first <= last && last <= static_cast<Index>(sparse.values.size()),
       "sparse rows do not fit together");
  std::int32_t before = -1;
  for (Index p = first; p < last; ++p) {
    const std::int32_t column = sparse.columns[static_cast<std::size_t>(p)];
    need(before < column && column < n_in, "the columns of a sparse row do not ascend within n_in");
    before = column;
  }
}

template <class T>
Rows<T> checked(const Plan& plan, const Samples<T>& samples, bool with_targets) {
  const PlanView view = plan.view();
  const auto n_in = static_cast<std::size_t>(view.n_in());
  const auto n_out = static_cast<std::size_t>(view.n_out());
  Rows<T> result{};
  std::size_t rows = samples.X.size() / n_in;
  if (samples.sparse) {
    check_sparse(*samples.sparse);
    rows = samples.sparse->starts.size() - 1;
    result.starts = samples.sparse->starts.data();
    result.columns = samples.sparse->columns.data();
    result.values = samples.sparse->values.data();
  } else {
    need(samples.X.size() % n_in == 0, "X does not hold whole rows of n_in");
    result.X = samples.X.data();
  }
  need(!with_targets || samples.R.size() == rows * n_out, "R needs a row of n_out for every row of X");
  need(!samples.weight || samples.weight->size() == rows, "weight needs one element for every row of X");
  for (const Index row : samples.order.value_or(std::span<const Index>{})) {
    need(row >= 0 && row < static_cast<Index>(rows), "an index in order is not a row of X");
  }
  result.R = with_targets ? samples.R.data() : nullptr;
  result.weight = samples.weight ? samples.weight->data() : nullptr;
  result.order = samples.order ? samples.order->data() : nullptr;
  result.n = static_cast<Index>(samples.order ? samples.order->size() : rows);
  result.n_in = view.n_in();
  result.n_out = view.n_out();
  result.input_dropout = view.layers[0].dropout;
  result.input_noise = view.input_noise;
  if (samples.drawn && view.draws()) result.draws = {true, samples.drawn->seed, samples.drawn->t};
  for (Index s = 0; s < result.n && samples.sparse; ++s) {
    check_sparse_row(*samples.sparse, static_cast<std::size_t>(result.row(s)), view.n_in());
  }
  return result;
}

void check_theta(const Plan& plan, std::size_t size) {
  need(size == static_cast<std::size_t>(plan.theta_size()), "theta does not have the size of the plan");
}

template <class T>
const Kernels<T>& of_type(const KernelTable& table) {
  if constexpr (std::is_same_v<T, float>) {
    return *table.f32;
  } else {
    return *table.f64;
  }
}

template <class T>
const Kernels<T>& kernels_for() {
  return of_type<T>(kernels());
}

// Predictions take wider vectors, where they are faster for long sums only, if those are as full. No bit depends on it.
template <class T>
const Kernels<T>& kernels_for_predictions(const Plan& plan) {
  const Layer& first = plan.layers().front();
  const KernelTable& wide = kernels_for_long_sums();
  const Index width = wide.vector_bytes / static_cast<Index>(sizeof(T));
  // Whether the units fill an even number of vectors half as wide.
  const bool as_full = (first.n_out - 1) / (width / 2) % 2 == 1;
  return first.n_in >= kLongSum && as_full ? of_type<T>(wide) : kernels_for<T>();
}

// Small networks whose units fill no more than half a vector descend by narrower ones, whose sums over lanes are shorter.
template <class T>
const Kernels<T>& kernels_for_online(const Plan& plan) {
  const Index width = kernels().vector_bytes / static_cast<Index>(sizeof(T));
  const bool few = plan.view().is_small() && 2 * plan.layers().front().n_out <= width;
  return few ? of_type<T>(kernels_for_few_units()) : kernels_for<T>();
}

// Scratch for each thread of a team, kChunkRows rows at a time; or one, which `sharers` threads share.
template <class T>
struct TeamScratch {
  TeamScratch(const Plan& plan, Index n, Index most_rows, int threads, Parts parts, int sharers = 1)
      : rows(std::clamp<Index>(n, 1, most_rows)),
        block(workspace_bytes<T>(plan, rows, parts, sharers) * static_cast<std::size_t>(threads)) {
    work.reserve(static_cast<std::size_t>(threads));
    for (int t = 0; t < threads; ++t) work.push_back(workspace<T>(block, plan, rows, parts, sharers));
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
bool predict(const Plan& plan, std::span<const T> theta, const Samples<T>& samples, std::span<T> y, int threads) {
  check_theta(plan, theta.size());
  const Rows<T> rows = checked<T>(plan, samples, false);
  need(y.size() == static_cast<std::size_t>(rows.n * rows.n_out), "y needs n_out elements for every row of X");
  if (rows.n == 0) return true;
  const AtWork at_work;
  const int team = at_work.team_size(work_of(plan, rows.n), threads);
  TeamScratch<T> scratch(plan, rows.n, kChunkRows, team, Parts::forward);
  return kernels_for_predictions<T>(plan).predict(plan.view(), theta.data(), rows, y.data(), scratch.work.data(), team);
}

template <class T>
Sums loss(const Plan& plan, std::span<const T> theta, const Samples<T>& samples, Sums before, int threads) {
  check_theta(plan, theta.size());
  const Rows<T> rows = checked(plan, samples, true);
  if (rows.n == 0) return before;
  const AtWork at_work;
  const int team = at_work.team_size(work_of(plan, rows.n), threads);
  TeamScratch<T> scratch(plan, kChunkRows, kChunkRows, team, Parts::backward);
  std::vector<Sums> chunk_sums(static_cast<std::size_t>((rows.n + kChunkRows - 1) / kChunkRows));
  Sums sums = before;
  kernels_for<T>().loss(plan.view(), theta.data(), rows, chunk_sums.data(), scratch.work.data(), &sums, team);
  return sums;
}

// Numbers of float64 for a step that goes through in several chunks; none for others.
std::unique_ptr<Scratch> partial_sums(Index theta_size, Index rows) {
  if (rows <= kStepRows) return nullptr;
  return std::make_unique<Scratch>(Scratch::padded(static_cast<std::size_t>(theta_size) * sizeof(double)));
}

// A batch takes its delta through transposed copies of W, unless it is so small that making them is the larger work.
Parts parts_for(Index step_rows) { return step_rows < kTransposeRows ? Parts::backward : Parts::transposed; }

template <class T>
Sums gradient(const Plan& plan, std::span<const T> theta, const Samples<T>& samples, std::span<T> out, int threads) {
  plan.need_derivatives();
  check_theta(plan, theta.size());
  check_theta(plan, out.size());
  const Rows<T> rows = checked(plan, samples, true);
  need(rows.n > 0, "a gradient needs samples");
  const AtWork at_work;
  const int team = at_work.team_size(work_of(plan, std::min(rows.n, kStepRows)), threads);
  TeamScratch<T> scratch(plan, rows.n, kStepRows, 1, parts_for(rows.n), team);
  const auto partial = partial_sums(plan.theta_size(), rows.n);
  std::fill(out.begin(), out.end(), T{0});  // the padding
  Sums sums;
  Barrier barrier;
  kernels_for<T>().gradient(plan.view(), theta.data(), rows, out.data(), scratch.work[0],
                            partial ? partial->template all<double>() : nullptr, &sums, barrier, team);
  return sums;
}

template <class T>
void trace(const Plan& plan, std::span<const T> theta, const Samples<T>& samples, const Trace<T>& out) {
  plan.need_derivatives();
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
  const auto n_in = static_cast<std::size_t>(rows.n_in);
  need(out.x.empty() || out.x.size() == n * n_in, "the trace's x has the wrong size");

  std::fill(out.gradient.begin(), out.gradient.end(), T{0});  // the padding
  TeamScratch<T> scratch(plan, 1, 1, 1, Parts::backward);
  std::vector<T*> a(depth), z(depth), dh(depth), delta(depth);
  for (std::size_t s = 0; s < n; ++s) {
    for (std::size_t l = 0; l < depth; ++l) {
      a[l] = out.a[l].data() + s * (out.a[l].size() / n);
      z[l] = out.z[l].data() + s * (out.z[l].size() / n);
      dh[l] = out.dh[l].data() + s * (out.dh[l].size() / n);
      delta[l] = out.delta[l].data() + s * (out.delta[l].size() / n);
    }
    T* g = out.gradient.data() + s * static_cast<std::size_t>(plan.theta_size());
    const TraceRow<T> row{a.data(),
                          z.data(),
                          dh.data(),
                          delta.data(),
                          g,
                          out.E.data() + s,
                          out.x.empty() ? nullptr : out.x.data() + s * n_in};
    kernels_for<T>().trace(plan.view(), theta.data(), rows, static_cast<Index>(s), row, scratch.work[0]);
  }
}

Index online_block(const Plan& plan, const Learning& learning) {
  const Layer& first = plan.layers().front();
  if (!learning.linear()) return 1;
  if (first.n_in < kDirectInputs && !plan.view().is_small()) return 1;
  return first.n_out <= 64 ? 16 : 24;
}

Index sparse_block(const Plan& plan, const Learning& learning, Index rows, Index values) {
  if (!learning.linear() || (learning.states() == 0 && !learning.shrinks())) return 1;
  const Layer& layer = plan.layers().front();
  const double first = static_cast<double>(layer.n_in) * static_cast<double>(layer.n_out);
  const double density = static_cast<double>(values) / std::max(1.0, static_cast<double>(rows * layer.n_in));
  const double work = static_cast<double>(plan.n_parameters()) - first + first * density;
  return static_cast<Index>(std::ceil(kWaiting * first / std::max(work, 1.0)));
}

// Scratch for one pass of a step after every sample, in blocks.
template <class T>
class BlockScratch {
 public:
  BlockScratch(const Plan& plan, Index rows, int states, bool sparse)
      : block_(Scratch::padded(sparse ? static_cast<std::size_t>(plan.view().n_in()) * sizeof(Index) : 0) +
               workspace_bytes<T>(plan, rows, Parts::backward) +
               Scratch::padded(static_cast<std::size_t>(kMostBlock * kMostBlock) * sizeof(T)) +
               Scratch::padded(narrow_size(plan, states) * sizeof(T)) +
               2 * Scratch::padded(static_cast<std::size_t>(rows * plan.layers().front().pitch * 2) * sizeof(T))) {
    const Index pitch = plan.layers().front().pitch;
    scratch.work = workspace<T>(block_, plan, rows, Parts::backward);
    std::fill_n(scratch.work.x.data, rows * scratch.work.x.stride, T{0});
    scratch.gram = {block_.take<T>(static_cast<std::size_t>(kMostBlock * kMostBlock)), kMostBlock};
    std::fill_n(scratch.gram.data, kMostBlock * kMostBlock, T{0});
    scratch.narrow = block_.take<T>(narrow_size(plan, states));
    std::fill_n(scratch.narrow, narrow_size(plan, states), T{0});
    scratch.weighted = {block_.take<T>(static_cast<std::size_t>(rows * pitch * 2)), pitch * (states > 0 ? 2 : 1)};
    scratch.a_state = block_.take<T>(static_cast<std::size_t>(rows * pitch));
    if (sparse) scratch.last = block_.take<Index>(static_cast<std::size_t>(plan.view().n_in()));
  }

 private:
  static std::size_t narrow_size(const Plan& plan, int states) {
    return static_cast<std::size_t>(plan.view().narrow_size * (1 + states));
  }
  Scratch block_;

 public:
  OnlineScratch<T> scratch{};
};

// A gradient that is kept, and a sum for each of its rows, where steps need them.
template <class T>
class WholeScratch {
 public:
  WholeScratch(const Plan& plan, bool needed) {
    if (!needed) return;
    const auto size = static_cast<std::size_t>(plan.theta_size());
    std::size_t rows = 0;
    for (const Layer& layer : plan.layers()) rows += static_cast<std::size_t>(layer.rows());
    block_ = std::make_unique<Scratch>(Scratch::padded(size * sizeof(T)) + Scratch::padded(rows * sizeof(double)));
    gradient = block_->template take<T>(size);
    of_rows = block_->template take<double>(rows);
  }

 private:
  std::unique_ptr<Scratch> block_;

 public:
  T* gradient = nullptr;
  double* of_rows = nullptr;
};

// Room for theta and the optimizer's state as threads hold them while they descend, where that is worth a copy.
template <class T>
class HeldRoom {
 public:
  HeldRoom(const Kernels<T>& kernels, const PlanView& plan, int states, int team, Index steps) {
    if (team == 1 || steps < kStepsHeld) return;
    layers_.resize(static_cast<std::size_t>(team * plan.depth));
    size = kernels.held_size(plan, team, layers_.data());
    const auto bytes = static_cast<std::size_t>(size) * sizeof(T), others = static_cast<std::size_t>(states);
    if (size == 0 || others * bytes > kMostHeld) return;
    block_ = std::make_unique<Scratch>((1 + others) * bytes);
    scratch = {block_->template all<T>(), layers_.data(), team};
  }

 private:
  std::vector<Layer> layers_;
  std::unique_ptr<Scratch> block_;

 public:
  Index size = 0;
  HeldScratch<T> scratch;
};

// Samples start .. start + n - 1 of rows in an order.
template <class T>
Rows<T> part_of(Rows<T> rows, Index start, Index n) {
  rows.order += start;
  rows.n = n;
  rows.draws.t += static_cast<std::uint64_t>(start);
  return rows;
}

// Calls run(samples, their eta, how many eta) for all samples, or for one part after the other, with a copy of theta and the
// state after each.
template <class T, class Run>
void in_parts(const Descent<T>& descent, const Rows<T>& rows, std::span<const double> eta, Index batch_size,
              const Kept<T>& kept, Run run) {
  const auto n_eta = static_cast<Index>(eta.size());
  if (kept.every == 0) return run(rows, eta.data(), n_eta);
  need(rows.order != nullptr, "what is kept is kept of samples in an order");
  need(kept.first >= 1 && kept.every >= 1, "what is kept is kept after whole steps");
  const Index steps = rows.n / batch_size + (rows.n % batch_size != 0);
  T* to = kept.into.data();
  Index step = 0;
  for (Index next = kept.first; step < steps; next += kept.every) {
    const Index last = std::min(next, steps), start = step * batch_size;
    const Index stop = last == steps ? rows.n : last * batch_size;
    run(part_of(rows, start, stop - start), eta.data() + (n_eta > 1 ? step : 0), n_eta);
    if (next > rows.n / batch_size) return;
    step = last;
    need(to + descent.theta.size() + descent.state.size() <= kept.into.data() + kept.into.size(),
         "there is no room for what is kept");
    to = std::copy(descent.theta.begin(), descent.theta.end(), to);
    to = std::copy(descent.state.begin(), descent.state.end(), to);
  }
}

template <class T>
Sums descend(const Plan& plan, const Descent<T>& descent, const Samples<T>& samples, std::span<const double> eta,
             Index batch_size, Index block, Sums before, int threads, Kept<T> kept) {
  plan.need_derivatives();
  const int states = descent.learning.states();
  check_theta(plan, descent.theta.size());
  need(descent.state.size() == static_cast<std::size_t>(plan.theta_size() * states),
       "state needs as many arrays like theta as the optimizer has");
  need(batch_size >= 1, "batch_size must be at least 1");
  need(block >= 0 && block <= kMostBlock, "an online block has 1 to 32 samples");
  const Rows<T> rows = checked(plan, samples, true);
  const Index steps = rows.n / batch_size + (rows.n % batch_size != 0);
  need(eta.size() == 1 || eta.size() == static_cast<std::size_t>(steps), "eta needs one element, or one per step");
  if (rows.n == 0) return before;
  const Learning& how = descent.learning;
  need(how.factors.empty() || how.factors.size() == 2 * plan.layers().size(),
       "factors needs two numbers for each layer");
  need(how.average == 0 || descent.average.size() == descent.theta.size(), "an average needs an array like theta");
  const LearningView<T> learning{&how,
                                 descent.theta.data(),
                                 descent.state.data(),
                                 plan.theta_size(),
                                 how.average > 0 ? descent.average.data() : nullptr,
                                 how.factors.empty() ? nullptr : how.factors.data()};
  const Index steps_of_part = kept.every > 0 ? std::min(steps, kept.every) : steps;
  Sums sums = before;
  Barrier barrier;
  const AtWork at_work;
  if (batch_size == 1 && !how.whole()) {
    const Index chosen = block > 0 ? block : (rows.sparse() ? 1 : online_block(plan, how));
    const bool moves = how.states() > 0 || how.shrinks();  // also the weights of inputs that are 0
    const bool waits = rows.sparse() && how.linear() && !rows.draws.on && (block == 0 || (block == 1 && !moves));
    const Layer& first = plan.layers().front();
    const double block_work = static_cast<double>(first.n_in) * static_cast<double>(first.n_out * chosen);
    const int team = chosen > 1 ? at_work.team_size(block_work, threads) : 1;
    // The naive order takes one sample at a time, but adds up E of several.
    BlockScratch<T> scratch(plan, chosen > 1 ? chosen : kLossRows, states, rows.sparse());
    const Kernels<T>& kernels = kernels_for_online<T>(plan);
    PlanView first_layer = plan.view();
    first_layer.depth = 1;
    const HeldRoom<T> room(kernels, first_layer, states, team, chosen > 1 ? steps_of_part / chosen : 0);
    scratch.scratch.held = room.scratch;
    if (waits) {
      const SparseRows<T>& sparse = *samples.sparse;
      const auto all = static_cast<Index>(sparse.starts.size()) - 1;
      scratch.scratch.waiting = sparse_block(plan, how, all, static_cast<Index>(sparse.values.size()));
    }
    in_parts(descent, rows, eta, batch_size, kept, [&](const Rows<T>& part, const double* of_part, Index n_eta) {
      kernels.online(plan.view(), learning, part, of_part, n_eta, chosen, scratch.scratch, &sums, barrier, team);
    });
  } else {
    const Index step_rows = std::min(batch_size, rows.n);
    const int team = at_work.team_size(work_of(plan, std::min(step_rows, kStepRows)), threads);
    const Parts parts = parts_for(batch_size);
    const bool tiles = parts == Parts::transposed && !how.whole();
    TeamScratch<T> scratch(plan, step_rows, kStepRows, 1, parts, team);
    const HeldRoom<T> room(kernels_for<T>(), plan.view(), states, team, tiles ? steps_of_part : 0);
    const auto partial = partial_sums(std::max(plan.theta_size(), room.size), step_rows);
    const WholeScratch<T> whole(plan, how.whole());
    const StepScratch<T> own{room.scratch, partial ? partial->template all<double>() : nullptr, whole.gradient,
                             whole.of_rows};
    in_parts(descent, rows, eta, batch_size, kept, [&](const Rows<T>& part, const double* of_part, Index n_eta) {
      kernels_for<T>().descend(plan.view(), learning, part, of_part, n_eta, batch_size, scratch.work[0], own, &sums,
                               barrier, team);
    });
  }
  return sums;
}

template <class T>
double peak(double seconds) {
  using Clock = std::chrono::steady_clock;
  alignas(kAlignment) T out[kAlignment / sizeof(T)];
  const double each = 2.0 * kPeakChains * kernels().vector_bytes / static_cast<double>(sizeof(T));
  double best = 0;
  for (const auto begin = Clock::now(); std::chrono::duration<double>(Clock::now() - begin).count() < seconds;) {
    constexpr Index kTimes = 100'000;
    const auto before = Clock::now();
    kernels_for<T>().multiply_adds(kTimes, out);
    best = std::max(best, each * kTimes / std::chrono::duration<double>(Clock::now() - before).count());
  }
  return best;
}

template <class T>
void apply_activation(Function h, std::span<const T> a, std::span<T> z, std::span<T> dh) {
  need(a.size() == z.size() && a.size() == dh.size(), "a, z and dh must have one size");
  need(h != Activation::softmax, "softmax does not work element by element");
  kernels_for<T>().activation(h, a.data(), z.data(), dh.data(), static_cast<Index>(a.size()));
}

template <class T>
void run_program(const Program& program, const std::vector<std::span<const T>>& inputs,
                 const std::vector<std::span<T>>& outputs) {
  need(static_cast<int>(inputs.size()) == program.inputs() && static_cast<int>(outputs.size()) == program.outputs(),
       "a program needs an array for each input and each output");
  const std::size_t n = outputs.empty() ? 0 : outputs[0].size();
  std::vector<const T*> from;
  std::vector<T*> to;
  for (const auto& input : inputs) {
    need(input.size() == n, "inputs and outputs must have one size");
    from.push_back(input.data());
  }
  for (const auto& output : outputs) {
    need(output.size() == n, "inputs and outputs must have one size");
    to.push_back(output.data());
  }
  kernels_for<T>().program(program.view(), from.data(), to.data(), static_cast<Index>(n));
}

template <class T>
void apply_vector_function(std::string_view name, std::span<const T> x, std::span<T> y) {
  constexpr std::string_view names[] = {"exp",      "expm1", "log", "log1p", "tanh",  "sigmoid",
                                        "softplus", "erf",   "sin", "cos",   "arctan"};
  const auto found = std::find(std::begin(names), std::end(names), name);
  need(found != std::end(names), "no such vector function");
  need(x.size() == y.size(), "x and y must have one size");
  kernels_for<T>().vector_function(static_cast<VectorFunction>(found - std::begin(names)), x.data(), y.data(),
                                   static_cast<Index>(x.size()));
}

#define DELTAPROP_FOR(T)                                                                                               \
  template bool predict(const Plan&, std::span<const T>, const Samples<T>&, std::span<T>, int);                        \
  template Sums loss(const Plan&, std::span<const T>, const Samples<T>&, Sums, int);                                   \
  template Sums gradient(const Plan&, std::span<const T>, const Samples<T>&, std::span<T>, int);                       \
  template void trace(const Plan&, std::span<const T>, const Samples<T>&, const Trace<T>&);                            \
  template Sums descend(const Plan&, const Descent<T>&, const Samples<T>&, std::span<const double>, Index, Index,      \
                        Sums, int, Kept<T>);                                                                           \
  template void apply_activation(Function, std::span<const T>, std::span<T>, std::span<T>);                            \
  template void run_program(const Program&, const std::vector<std::span<const T>>&, const std::vector<std::span<T>>&); \
  template double peak<T>(double);                                                                                     \
  template void apply_vector_function(std::string_view, std::span<const T>, std::span<T>);
DELTAPROP_FOR(float)
DELTAPROP_FOR(double)

}  // namespace deltaprop
