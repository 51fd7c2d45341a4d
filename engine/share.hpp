// One thread among those of a parallel region: its share of the work, and where it waits for the others.
#pragma once

#if defined(_OPENMP)
#  include <omp.h>
#endif

#include "simd.hpp"

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

}  // namespace deltaprop::DELTAPROP_ISA
