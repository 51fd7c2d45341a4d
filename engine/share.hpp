// One thread among those of a parallel region: its share of the work, and where it waits for the others.
#pragma once

#if defined(_OPENMP)
#  include <omp.h>
#endif

#include "products.hpp"

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

inline constexpr Index kOwnedBytes = 64 * 1024;  // of W, from which on it is worth a wait that it stays with one core

// Whether each thread of a team has columns of its own of a layer, which it alone reads on the way forward and writes at
// the step: they stay in the cache of its core. Other layers are divided by samples forward and by rows of W at the step.
template <class T>
inline bool is_owned(const Layer& layer, Team team) {
  const Index tiles = (vectors<T>(layer.n_out) + 1) / 2;
  const bool even = tiles % team.size == 0 || tiles >= 4 * team.size;
  return team.size > 1 && even && layer.n_in * layer.pitch * static_cast<Index>(sizeof(T)) >= kOwnedBytes;
}

// This thread's columns.
template <class T>
inline Columns own_columns(const Layer& layer, Team team) {
  const Index columns = vectors<T>(layer.n_out), tiles = (columns + 1) / 2;
  const Index last = team.last(tiles) * 2;
  return {team.first(tiles) * 2, last < columns ? last : columns};
}

// The rows of all [W; b], one layer after the other.
inline Index all_rows(const PlanView& plan) {
  Index rows = 0;
  for (int l = 0; l < plan.depth; ++l) rows += plan.layers[l].rows();
  return rows;
}

// This thread's share of all rows of all [W; b]: use(layer, rows of the layers below it, first row, last) for each layer
// that it has rows of.
template <class Use>
[[gnu::always_inline]] inline void own_rows(const PlanView& plan, Team team, Use use) {
  const Index all = all_rows(plan);
  const Index first = team.first(all), last = team.last(all);
  Index before = 0;
  for (int l = 0; l < plan.depth; ++l) {
    const Index rows = plan.layers[l].rows();
    const Index from = first > before ? first - before : 0;
    const Index to = last - before < rows ? last - before : rows;
    if (from < to) use(l, before, from, to);
    before += rows;
  }
}

}  // namespace deltaprop::DELTAPROP_ISA
