// Gradient descent: the lecture's nine lines, online (a step after every sample) and in mini-batches, and the gradient
// of a set, which is the same pass with nothing learnt.
//
// A step over m rows: theta <- theta - eta (1/m) sum over its rows of w dE/dtheta. Rows go through in chunks of
// kStepRows, and the sums of the chunks are added in ascending order, in float64. Threads divide each chunk twice: first
// its rows (lines 4 to 6), then, after a barrier, the rows of every [W; b] (lines 7 to 9); neither division changes the
// order of any sum.
#pragma once

#if defined(_OPENMP)
#  include <omp.h>
#endif

#include "backpropagation.hpp"
#include "rules.hpp"

namespace deltaprop::DELTAPROP_ISA {

struct Team {
  int thread;
  int size;
  Barrier* barrier;

  static Team here(Barrier* barrier = nullptr) {
#if defined(_OPENMP)
    return {omp_get_thread_num(), omp_get_num_threads(), barrier};
#else
    return {0, 1, barrier};
#endif
  }
  void wait() const {
    if (size > 1) wait_for_all(*barrier, size);
  }
  // This thread's share of 0 .. n - 1.
  Index first(Index n) const { return n * thread / size; }
  Index last(Index n) const { return n * (thread + 1) / size; }
};

// Lines 7 to 9 for this thread's share of all rows of all [W; b]: hands every vector of the gradient of the chunk in
// `work` to use(offset in theta, gradient).
template <class T, class Use>
inline void gradient_share(const PlanView& plan, const Workspace<T>& work, Index rows, Team team, Use use) {
  Index all = 0;
  for (int l = 0; l < plan.depth; ++l) all += plan.layers[l].rows();
  Index first = team.first(all);
  Index last = team.last(all);
  for (int l = 0; l < plan.depth && last > 0; ++l) {
    const Layer& layer = plan.layers[l];
    const Index stop = last < layer.rows() ? last : layer.rows();
    if (first < stop) {
      const InputsOf<T> inputs(plan, l, work, 0, rows);
      gradient_rows(inputs.rows(), rows_of(work.delta, work, layer), rows, layer, first, stop,
                    [use, at = layer.offset](Index offset, Vector<T> g) { use(at + offset, g); });
    }
    first = first < layer.rows() ? 0 : first - layer.rows();
    last -= layer.rows();
  }
}

template <class T>
inline void add_losses(const Rows<T>& samples, Index sample, Index rows, const Workspace<T>& work, KernelLossSum* sum) {
  for (Index s = 0; s < rows; ++s) {
    const double w = static_cast<double>(samples.w(sample + s));
    if (w != 0) sum->E += w * work.E[s];
    sum->weight += w;
  }
}

// A row of weight 0 changes nothing, even where its own numbers are not finite: 0 inf would be NaN.
template <class T>
inline void forget(const PlanView& plan, const Workspace<T>& work, Index s) {
  for (int l = 0; l < plan.depth; ++l) {
    const Layer& layer = plan.layers[l];
    const auto bytes = static_cast<std::size_t>(layer.pitch) * sizeof(T);
    __builtin_memset(rows_of(work.z, work, layer, s), 0, bytes);
    __builtin_memset(rows_of(work.delta, work, layer, s), 0, bytes);
  }
}

// One step over samples start .. start + m - 1: the gradient of all its chunks, times scale, vector by vector to
// finish(offset, gradient). `partial` keeps the sum of the chunks before the last.
template <class T, class Finish>
inline void step(const PlanView& plan, const T* theta, const Rows<T>& samples, Index start, Index m, T scale,
                 const Workspace<T>& work, double* partial, KernelLossSum* sum, Team team, Finish finish) {
  for (Index chunk = 0; chunk < m; chunk += kStepRows) {
    const Index rows = m - chunk < kStepRows ? m - chunk : kStepRows;
    const Index first = team.first(rows);
    const Index last = team.last(rows);
    for (Index s = first; s < last; ++s) work.input[s] = samples.x(start + chunk + s);
    forward(plan, theta, work, first, last);
    output_errors(plan, samples, start + chunk, work, first, last);
    backward(plan, theta, work, first, last);
    for (Index s = first; s < last; ++s) {
      if (samples.w(start + chunk + s) == T{0}) forget(plan, work, s);
    }
    team.wait();
    if (team.thread == 0) add_losses(samples, start + chunk, rows, work, sum);
    const bool more_before = chunk > 0;
    const bool more_after = chunk + rows < m;
    gradient_share(plan, work, rows, team, [=](Index offset, Vector<T> g) {
      if (more_before || more_after) {
        Wide<T> total = widen<T>(g);
        Wide<T> before;
        __builtin_memcpy(&before, partial + offset, sizeof before);
        if (more_before) total += before;
        if (more_after) {
          __builtin_memcpy(partial + offset, &total, sizeof total);
          return;
        }
        g = narrow<T>(total);
      }
      finish(offset, g * scale);
    });
    team.wait();
  }
}

// The lecture's algorithm: lines 4 to 9 for one sample after the other. delta of a layer is taken through W before W
// moves.
template <class T>
inline void online(const PlanView& plan, T* theta, const Rows<T>& samples, const double* eta, Index n_eta,
                   const Workspace<T>& work, KernelLossSum* sum) {
  for (Index s = 0; s < samples.n; ++s) {
    if (samples.w(s) == T{0}) continue;
    const Sgd<T> rule{static_cast<T>(eta[n_eta > 1 ? s : 0])};
    work.input[0] = samples.x(s);
    forward<T>(plan, theta, work, 0, 1);
    output_errors(plan, samples, s, work, 0, 1);
    add_losses(samples, s, 1, work, sum);
    for (int l = plan.depth - 1; l >= 0; --l) {
      const Layer& layer = plan.layers[l];
      if (l > 0) backward_through<T>(plan, l, theta, work, 0);
      const T* z = l > 0 ? rows_of(work.z, work, plan.layers[l - 1]) : work.input[0];
      T* W = theta + layer.offset;
      gradient_rows(&z, rows_of(work.delta, work, layer), 1, layer, 0, layer.rows(),
                    [W, rule](Index offset, Vector<T> g) { store<T>(W + offset, rule(g, load(W + offset))); });
    }
  }
}

// The padding of theta is zero: where a step has met numbers that are not finite, 0 inf has made it NaN.
template <class T>
inline void clear_padding(const PlanView& plan, T* theta) {
  for (int l = 0; l < plan.depth; ++l) {
    const Layer& layer = plan.layers[l];
    for (Index i = 0; i < layer.rows(); ++i) {
      T* row = theta + layer.offset + i * layer.pitch;
      for (Index j = layer.n_out; j < layer.pitch; ++j) row[j] = T{0};
    }
  }
}

template <class T>
void descend(const PlanView& plan, T* theta, const Rows<T>& samples, const double* eta, Index n_eta, Index batch_size,
             const Workspace<T>& work, double* partial, KernelLossSum* sum, Barrier& barrier,
             [[maybe_unused]] int threads) {
  if (batch_size == 1) {
    const PlainArithmetic plain;
    online(plan, theta, samples, eta, n_eta, work, sum);
  } else {
#pragma omp parallel num_threads(threads) if (threads > 1)
    {
      const PlainArithmetic plain;
      const Team team = Team::here(&barrier);
      Index n = 0;
      for (Index start = 0; start < samples.n; start += batch_size, ++n) {
        const Index m = samples.n - start < batch_size ? samples.n - start : batch_size;
        const Sgd<T> rule{static_cast<T>(eta[n_eta > 1 ? n : 0])};
        step(plan, theta, samples, start, m, T{1} / static_cast<T>(m), work, partial, sum, team,
             [theta, rule](Index offset, Vector<T> g) { store<T>(theta + offset, rule(g, load(theta + offset))); });
      }
    }
  }
  clear_padding(plan, theta);
}

template <class T>
void gradient(const PlanView& plan, const T* theta, const Rows<T>& samples, T* out, const Workspace<T>& work,
              double* partial, KernelLossSum* sum, Barrier& barrier, [[maybe_unused]] int threads) {
#pragma omp parallel num_threads(threads) if (threads > 1)
  {
    const PlainArithmetic plain;
    double weight = 0;
    for (Index s = 0; s < samples.n; ++s) weight += static_cast<double>(samples.w(s));
    step(plan, theta, samples, 0, samples.n, static_cast<T>(1 / weight), work, partial, sum, Team::here(&barrier),
         [&](Index offset, Vector<T> g) { store<T>(out + offset, g); });
  }
}

}  // namespace deltaprop::DELTAPROP_ISA
