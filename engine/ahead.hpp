// What a thread reads next, called into the cache while it is at work on something else.
#pragma once

#include <cstdint>
#include <limits>

#include "simd.hpp"

namespace deltaprop::DELTAPROP_ISA {

// Samples first .. last - 1, in order, with their targets: in an order they may be anywhere in memory, and a core waits for
// a few lines at once only, so they are called one by one, evenly over `calls` calls of `some`.
template <class T>
class Ahead {
 public:
  Ahead() : at_(reinterpret_cast<std::intptr_t>(this)) {}  // nothing
  Ahead(const Rows<T>& samples, Index first, Index last, Index calls)
      : samples_(&samples), next_(first), last_(samples.sparse() ? first : (last < samples.n ? last : samples.n)) {
    calls = calls > 0 ? calls : 1;
    const Index bytes = samples.n_in * static_cast<Index>(sizeof(T)) + kLine;
    step_ = last_ > next_ ? ((last_ - next_) * bytes + calls - 1) / calls : 0;
    at_ = reinterpret_cast<std::intptr_t>(this);
    end_ = step_ > 0 ? at_ : end_;  // the next call takes the first sample
  }

  // In the innermost loops: while it is within a sample, one instruction and a comparison.
  [[gnu::always_inline]] void some() {
    __builtin_prefetch(reinterpret_cast<const void*>(at_));
    at_ += step_;
    if (at_ >= end_) [[unlikely]]
      begin_next();
  }

 private:
  static constexpr Index kLine = 64;

  [[gnu::always_inline]] void begin_next() {
    if (next_ >= last_) {
      at_ = reinterpret_cast<std::intptr_t>(this);
      step_ = 0;
      end_ = std::numeric_limits<std::intptr_t>::max();
      return;
    }
    const T* x = samples_->X + samples_->row(next_) * samples_->n_in;
    if (samples_->R) __builtin_prefetch(samples_->r(next_));
    at_ = reinterpret_cast<std::intptr_t>(x);
    end_ = reinterpret_cast<std::intptr_t>(x + samples_->n_in) + kLine;
    ++next_;
  }

  const Rows<T>* samples_ = nullptr;
  Index next_ = 0, last_ = 0;
  std::intptr_t at_, step_ = 0, end_ = std::numeric_limits<std::intptr_t>::max();
};

// A sample with its target.
template <class T>
[[gnu::always_inline]] inline void call_sample(const Rows<T>& samples, Index s) {
  const Index row = samples.row(s);
  const T* x = samples.X + row * samples.n_in;
  for (Index i = 0; i < samples.n_in; i += 64 / static_cast<Index>(sizeof(T))) __builtin_prefetch(x + i);
  __builtin_prefetch(x + samples.n_in - 1);
  __builtin_prefetch(samples.R + row * samples.n_out);
}

// A tile of a matrix, `rows` rows by V vectors, that is going to be written.
template <class T, int V>
[[gnu::always_inline]] inline void call_tile(T* at, Index pitch, Index rows) {
  constexpr Index Bytes = V * kVectorBytes;
  for (Index k = 0; k < rows; ++k, at += pitch) {
    for (Index byte = 0; byte < Bytes; byte += 64) __builtin_prefetch(reinterpret_cast<char*>(at) + byte, 1);
  }
}

}  // namespace deltaprop::DELTAPROP_ISA
