// Philox4x32-10: random numbers as a pure function of (seed; counter). Nothing is carried from one number to the next,
// so any number can be made in any order, by any thread, and a run can be resumed anywhere.
//
// Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace deltaprop {

// What a number is for; a part of the counter, so that the streams of one seed never meet.
enum class Stream : std::uint32_t { weights = 0, order = 1, dropout = 2, noise = 3 };

struct Philox {
  using Block = std::array<std::uint32_t, 4>;

  std::array<std::uint32_t, 2> key;

  explicit Philox(std::uint64_t seed) : key{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)} {}

  static constexpr int kRounds = 10;
  static constexpr std::uint32_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;

  // One round on the four words of a counter, by the present key; each round has a key of its own.
  void round(std::uint32_t& c0, std::uint32_t& c1, std::uint32_t& c2, std::uint32_t& c3) const {
    const std::uint64_t p0 = std::uint64_t{kMultiplier0} * c0;
    const std::uint64_t p1 = std::uint64_t{kMultiplier1} * c2;
    c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ key[0];
    c1 = static_cast<std::uint32_t>(p1);
    c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ key[1];
    c3 = static_cast<std::uint32_t>(p0);
  }
  void next_key() {
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }

  Block operator()(Block counter) const {
    Philox own = *this;
    for (int i = 0; i < kRounds; ++i, own.next_key()) own.round(counter[0], counter[1], counter[2], counter[3]);
    return counter;
  }

  // Two 64-bit numbers at (t, block) of a stream.
  std::array<std::uint64_t, 2> words(std::uint64_t t, std::uint32_t block, Stream stream) const {
    const Block out = (*this)({static_cast<std::uint32_t>(t), static_cast<std::uint32_t>(t >> 32), block,
                               static_cast<std::uint32_t>(stream)});
    return {out[0] | std::uint64_t{out[1]} << 32, out[2] | std::uint64_t{out[3]} << 32};
  }
};

// Numbers in (-1, 1), uniform: the start of layer `layer`. Number k depends on (seed, layer, k) alone.
inline void uniform_start(std::uint64_t seed, std::uint32_t layer, std::span<double> out) {
  const Philox philox(seed);
  for (std::size_t k = 0; k < out.size(); k += 2) {
    const auto words = philox.words(k / 2, layer, Stream::weights);
    for (std::size_t half = 0; half < 2 && k + half < out.size(); ++half) {
      out[k + half] = (static_cast<double>(words[half] >> 12) + 0.5) * 0x1p-51 - 1.0;
    }
  }
}

// The order in which epoch `epoch` presents n samples: a Fisher-Yates shuffle whose draw k depends on (seed, epoch, k)
// alone. A 64-bit word w gives the index floor(w (k + 1) / 2^64), off from uniform by less than n / 2^64.
inline void shuffled_order(std::uint64_t seed, std::uint32_t epoch, std::span<std::int64_t> order) {
  const Philox philox(seed);
  for (std::size_t k = 0; k < order.size(); ++k) order[k] = static_cast<std::int64_t>(k);
  std::array<std::uint64_t, 2> words{};
  for (std::size_t k = order.size(); k-- > 1;) {
    if (k % 2 == 1 || k + 1 == order.size()) words = philox.words(k / 2, epoch, Stream::order);
    __extension__ using Wide = unsigned __int128;
    const auto other = static_cast<std::size_t>(Wide{words[k % 2]} * (k + 1) >> 64);
    const std::int64_t moved = order[k];
    order[k] = order[other];
    order[other] = moved;
  }
}

}  // namespace deltaprop
