// What a training pass draws: the units that are dropped, and the noise on inputs. A number depends on (seed; t, layer, unit)
// alone (philox.hpp), t that of the sample among all that were ever presented: not on the batch, the thread, or where a run
// was interrupted.
#pragma once

#include "activate.hpp"
#include "philox.hpp"

namespace deltaprop::DELTAPROP_ISA {

inline constexpr int kUnitsAtOnce = 64;
inline constexpr int kBlocksAtOnce = kUnitsAtOnce / 4;

// The words of sample t for units 64 g .. 64 g + 63 of a layer: unit 64 g + j has word j / 16 of block 16 g + j % 16. Philox of
// philox.hpp for as many blocks as a vector has lanes of 64 bits, whose upper halves mean nothing.
[[gnu::noinline]] inline void draw(const Draws& draws, Index s, Stream stream, int layer, Index g,
                                   std::uint32_t (&words)[kUnitsAtOnce]) {
  using Lanes = Vector<std::uint64_t>;
  constexpr int Width = kWidth<std::uint64_t>;
  static_assert(kBlocksAtOnce % Width == 0);
  const std::uint64_t t = draws.t + static_cast<std::uint64_t>(s);
  for (int first = 0; first < kBlocksAtOnce; first += Width) {
    Lanes c[4] = {Lanes{} + (t & 0xFFFFFFFF), Lanes{} + (t >> 32),
                  lanes<std::uint64_t>() + static_cast<std::uint64_t>(g * kBlocksAtOnce + first),
                  Lanes{} + (static_cast<std::uint64_t>(stream) | static_cast<std::uint64_t>(layer) << 8)};
    Philox philox(draws.seed);
#pragma GCC unroll 10
    for (int round = 0; round < Philox::kRounds; ++round, philox.next_key()) {
      const Lanes p0 = product_of_low_halves(c[0], Lanes{} + std::uint64_t{Philox::kMultiplier0});
      const Lanes p1 = product_of_low_halves(c[2], Lanes{} + std::uint64_t{Philox::kMultiplier1});
      c[0] = (p1 >> 32) ^ c[1] ^ std::uint64_t{philox.key[0]};
      c[1] = p1;
      c[2] = (p0 >> 32) ^ c[3] ^ std::uint64_t{philox.key[1]};
      c[3] = p0;
    }
#pragma GCC unroll 4
    for (int word = 0; word < 4; ++word) {
      typedef std::uint32_t Halves __attribute__((vector_size(kVectorBytes / 2)));
      const Halves low = __builtin_convertvector(c[word], Halves);
      __builtin_memcpy(words + word * kBlocksAtOnce + first, &low, sizeof low);
    }
  }
}

// Calls use(unit, masks) for whole vectors of the units first .. last - 1 of a layer: 0 for a share of them, by the sample's
// draws, and for those from n on; 1 / (1 - share) for the rest.
template <class T, class Use>
[[gnu::always_inline]] inline void each_mask(const Draws& draws, Index s, int layer, double share, Index first,
                                             Index last, Index n, Use use) {
  const auto below = static_cast<std::uint32_t>(share * 0x1p32);
  const T kept = static_cast<T>(1 / (1 - share));
  std::uint32_t words[kUnitsAtOnce];
  T masks[kUnitsAtOnce];
  for (Index j = first; j < last;) {
    const Index g = j / kUnitsAtOnce, start = g * kUnitsAtOnce;
    draw(draws, s, Stream::dropout, layer, g, words);
    for (int k = 0; k < kUnitsAtOnce; ++k) masks[k] = words[k] < below ? T{0} : kept;
    for (Index k = n - start; k < kUnitsAtOnce; ++k) masks[k] = T{0};
    const Index stop = last - start < kUnitsAtOnce ? last : start + kUnitsAtOnce;
    for (; j < stop; j += kWidth<T>) use(j, load(masks + (j - start)));
  }
}

template <class T>
[[gnu::always_inline]] inline void mask(T* numbers, Vector<T> by) {
  store<T>(numbers, by != T{0} ? load(numbers) * by : Vector<T>{});  // and no 0 inf
}

// z of a layer's units first .. last - 1 with some of them dropped, and h'(a) as the delta rule then needs it, into slope.
template <class T>
inline void drop(const Layer& layer, int l, double share, const Draws& draws, Index s, Index first, Index last,
                 const T* a, T* z, T* slope) {
  differentiate<T>(layer.h, a + first, z + first, slope + first, (last - first) / kWidth<T>);
  each_mask<T>(draws, s, l + 1, share, first, last, layer.n_out, [=](Index j, Vector<T> by) {
    mask(z + j, by);
    mask(slope + j, by);
  });
}

// Adds normal numbers, times sd, to the n inputs of a sample, which have room for whole vectors: two by two from two words, by
// Box and Muller's transform; inputs 64 g + k and 64 g + 32 + k, k < 32, are such two.
template <class T>
inline void add_noise(const Draws& draws, Index s, double sd, T* x, Index n) {
  constexpr int Pairs = kUnitsAtOnce / 2;
  static_assert(Pairs % kWidth<T> == 0);
  std::uint32_t words[kUnitsAtOnce];
  T size[Pairs], angle[Pairs], noise[kUnitsAtOnce];
  for (Index start = 0; start < n; start += kUnitsAtOnce) {
    draw(draws, s, Stream::noise, 0, start / kUnitsAtOnce, words);
    for (int k = 0; k < Pairs; ++k) {
      const T u = (static_cast<T>(words[k]) + T{0.5}) * T{0x1p-32};
      size[k] = u < T{1} ? u : T{1};  // in float32 it may have been rounded up
      angle[k] = static_cast<T>(words[Pairs + k]) * static_cast<T>(0x1p-31 * 3.14159265358979323846);
    }
    for (int k = 0; k < Pairs; k += kWidth<T>) {
      const Vector<T> length = square_root<T>(log<T>(load(size + k)) * T{-2}) * static_cast<T>(sd);
      store<T>(noise + k, length * sine<T>(load(angle + k), 1));
      store<T>(noise + Pairs + k, length * sine<T>(load(angle + k), 0));
    }
    const Index stop = n - start < kUnitsAtOnce ? n : start + kUnitsAtOnce;
    for (Index j = start; j < stop; j += kWidth<T>) {
      store<T>(x + j, keep_first<T>(load(x + j) + load(noise + (j - start)), n - j));
    }
  }
}

// The inputs of sample s as a training pass sees them, in whole vectors.
template <class T>
inline void disturb(const Rows<T>& samples, Index s, T* x) {
  const Index n = samples.n_in;
  if (samples.input_noise > 0) add_noise(samples.draws, s, samples.input_noise, x, n);
  if (samples.input_dropout > 0) {
    each_mask<T>(samples.draws, s, 0, samples.input_dropout, 0, n, n, [=](Index i, Vector<T> by) { mask(x + i, by); });
  }
}

}  // namespace deltaprop::DELTAPROP_ISA
