#include "team.hpp"

#if defined(__SSE2__)
#  include <emmintrin.h>
#endif

#include "kernels.hpp"

namespace deltaprop {
namespace {

constexpr int kSpins = 1000;

void pause() {
#if defined(__SSE2__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

void Barrier::wait(int threads) {
  const unsigned generation = generation_.load(std::memory_order_acquire);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads) {
    arrived_.store(0, std::memory_order_relaxed);
    generation_.store(generation + 1, std::memory_order_release);
    generation_.notify_all();
    return;
  }
  for (int spin = 0; spin < kSpins; ++spin) {
    if (generation_.load(std::memory_order_acquire) != generation) return;
    pause();
  }
  generation_.wait(generation, std::memory_order_acquire);
}

void wait_for_all(Barrier& barrier, int threads) { barrier.wait(threads); }

}  // namespace deltaprop
