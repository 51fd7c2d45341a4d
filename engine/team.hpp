// Where the threads of one parallel region wait for each other.
#pragma once

#include <atomic>

namespace deltaprop {

// Spins for some microseconds, as long as a step of a small network takes, and then sleeps: a machine that is busy with
// something else loses no more than that. (OpenMP's own barrier may spin for milliseconds.)
class Barrier {
 public:
  void wait(int threads);

 private:
  // Apart, so that who arrives does not take from the others the line that they look at.
  alignas(128) std::atomic<int> arrived_{0};
  alignas(128) std::atomic<unsigned> generation_{0};
};

}  // namespace deltaprop
