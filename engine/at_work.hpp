// How many threads a call of the engine takes: what its work is worth, and its share of the machine.
#pragma once

#include <algorithm>
#include <atomic>

#include "engine.hpp"

namespace deltaprop {

inline constexpr double kWorkPerThread =
    250'000;  // multiply-adds below which a further thread costs more than it brings
inline constexpr int kMostThreads = 256;

// A call at work. Those of other threads of the process that are at work, too, share the machine with it.
class AtWork {
 public:
  AtWork() : calls_(++at_work_) {}
  AtWork(const AtWork&) = delete;
  AtWork& operator=(const AtWork&) = delete;
  ~AtWork() { --at_work_; }

  // The threads that were asked for, or as many as the work is worth; one where there are no others.
  int team_size(double work, int threads) const {
    if (!can_have_threads()) return 1;
    if (threads > 0) return std::min(threads, kMostThreads);
    const int worth = static_cast<int>(std::min(work / kWorkPerThread, 1e6));
    return std::clamp(std::min(available_threads() / calls_, worth), 1, kMostThreads);
  }

 private:
  static inline std::atomic<int> at_work_{0};
  int calls_;  // this one and those before it
};

}  // namespace deltaprop
