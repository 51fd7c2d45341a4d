// The machine's vectors, and the pack: the kLanes virtual lanes in which every sum along a row runs.
//
// GCC's and Clang's vector types do the arithmetic; only the fused multiply-add needs the machine's own name. Where
// there is none (baseline), fma is a multiply and an add, and the bits of that instruction set are its own.
#pragma once

#if defined(__FAST_MATH__)
#  error "-ffast-math would change the functions (it removes the rounding inside exp): leave it out"
#endif

#if defined(__AVX2__) || defined(__SSE2__)
#  include <immintrin.h>
#elif defined(DELTAPROP_NEON)
#  include <arm_neon.h>
#endif

#include <utility>

#include "kernels.hpp"

namespace deltaprop::DELTAPROP_ISA {

// kAccumulators: vector registers that a tile may fill with sums.
#if defined(__AVX512F__)
inline constexpr int kVectorBytes = 64;
inline constexpr int kAccumulators = 24;
#elif defined(__AVX2__)
inline constexpr int kVectorBytes = 32;
inline constexpr int kAccumulators = 12;
#elif defined(DELTAPROP_NEON)
inline constexpr int kVectorBytes = 16;
inline constexpr int kAccumulators = 24;
#else
inline constexpr int kVectorBytes = 16;
inline constexpr int kAccumulators = 12;
#endif

template <class T>
struct VectorOf {
  typedef T type __attribute__((vector_size(kVectorBytes)));
};
template <class T>
using Vector = typename VectorOf<T>::type;

template <class T>
struct UnsignedOf;
template <>
struct UnsignedOf<float> {
  using type = std::uint32_t;
};
template <>
struct UnsignedOf<double> {
  using type = std::uint64_t;
};
template <class T>
using Unsigned = typename UnsignedOf<T>::type;
template <class T>
using Bits = Vector<Unsigned<T>>;  // a vector's bits, lane by lane

template <class T>
inline constexpr int kWidth = kVectorBytes / static_cast<int>(sizeof(T));  // elements of a vector
template <class T>
inline constexpr int kGroup = static_cast<int>(kLanes) / kWidth<T>;  // vectors of a pack

// Vectors that hold n elements.
template <class T>
[[gnu::always_inline]] constexpr Index vectors(Index n) {
  return (n + kWidth<T> - 1) / kWidth<T>;
}

template <class T>
[[gnu::always_inline]] inline Vector<T> load(const T* from) {
  Vector<T> v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}

template <class T>
[[gnu::always_inline]] inline void store(T* to, Vector<T> v) {
  __builtin_memcpy(to, &v, sizeof v);
}

// The first n numbers, n <= kWidth, and zeros after them; nothing beyond is read.
template <class T>
[[gnu::always_inline]] inline Vector<T> load_first(const T* from, Index n) {
  if (n == kWidth<T>) return load(from);
  Vector<T> v{};
  if (n == 1) {
    v[0] = *from;
    return v;
  }
  for (Index k = 0; k < n; ++k) v[k] = from[k];
  return v;
}

// The number of each lane.
template <class T>
[[gnu::always_inline]] inline Vector<T> lanes() {
  Vector<T> number;
#pragma GCC unroll 16
  for (int k = 0; k < kWidth<T>; ++k) number[k] = static_cast<T>(k);
  return number;
}

// v in the first n lanes, 0 after them.
template <class T>
[[gnu::always_inline]] inline Vector<T> keep_first(Vector<T> v, Index n) {
  return lanes<T>() < static_cast<T>(n) ? v : Vector<T>{};
}

// Fewer than 2 N numbers, N a power of two, by the bits of n.
template <class T, int N>
[[gnu::always_inline]] inline void copy_rest(const T* from, Index n, T* to) {
  if ((n & N) != 0) {
    __builtin_memcpy(to, from, N * sizeof(T));
    from += N;
    to += N;
  }
  if constexpr (N > 1) copy_rest<T, N / 2>(from, n, to);
}

template <class T>
[[gnu::always_inline]] inline void copy(const T* from, Index n, T* to) {
  Index k = 0;
  for (; k + kWidth<T> <= n; k += kWidth<T>) store<T>(to + k, load(from + k));
  if (k < n) copy_rest<T, kWidth<T> / 2>(from + k, n - k, to + k);
}

template <class T>
[[gnu::always_inline]] inline Vector<T> broadcast(T x) {
  return x - Vector<T>{};  // x - 0 keeps the sign of a zero
}

// x y of the lower halves of each lane.
[[gnu::always_inline]] inline Vector<std::uint64_t> product_of_low_halves(Vector<std::uint64_t> x,
                                                                          Vector<std::uint64_t> y) {
#if defined(__AVX512F__)
  return reinterpret_cast<Vector<std::uint64_t>>(
      _mm512_maskz_mul_epu32(0xFF, reinterpret_cast<__m512i>(x), reinterpret_cast<__m512i>(y)));
#elif defined(__AVX2__)
  return reinterpret_cast<Vector<std::uint64_t>>(
      _mm256_mul_epu32(reinterpret_cast<__m256i>(x), reinterpret_cast<__m256i>(y)));
#elif defined(__SSE2__)
  return reinterpret_cast<Vector<std::uint64_t>>(
      _mm_mul_epu32(reinterpret_cast<__m128i>(x), reinterpret_cast<__m128i>(y)));
#else
  return (x & 0xFFFFFFFF) * (y & 0xFFFFFFFF);
#endif
}

[[gnu::always_inline]] inline Vector<float> fma(Vector<float> x, Vector<float> y, Vector<float> z) {
#if defined(__AVX512F__)
  return _mm512_fmadd_ps(x, y, z);
#elif defined(__FMA__)
  return _mm256_fmadd_ps(x, y, z);
#elif defined(DELTAPROP_NEON)
  return vfmaq_f32(z, x, y);
#else
  return x * y + z;
#endif
}

[[gnu::always_inline]] inline Vector<double> fma(Vector<double> x, Vector<double> y, Vector<double> z) {
#if defined(__AVX512F__)
  return _mm512_fmadd_pd(x, y, z);
#elif defined(__FMA__)
  return _mm256_fmadd_pd(x, y, z);
#elif defined(DELTAPROP_NEON)
  return vfmaq_f64(z, x, y);
#else
  return x * y + z;
#endif
}

[[gnu::always_inline]] inline Vector<float> fma(Vector<float> x, float y, Vector<float> z) {
  return fma(x, broadcast<float>(y), z);
}
[[gnu::always_inline]] inline Vector<double> fma(Vector<double> x, double y, Vector<double> z) {
  return fma(x, broadcast<double>(y), z);
}
[[gnu::always_inline]] inline Vector<float> fma(Vector<float> x, float y, float z) {
  return fma(x, broadcast<float>(y), broadcast<float>(z));
}
[[gnu::always_inline]] inline Vector<double> fma(Vector<double> x, double y, double z) {
  return fma(x, broadcast<double>(y), broadcast<double>(z));
}
[[gnu::always_inline]] inline Vector<float> fma(Vector<float> x, Vector<float> y, float z) {
  return fma(x, y, broadcast<float>(z));
}
[[gnu::always_inline]] inline Vector<double> fma(Vector<double> x, Vector<double> y, double z) {
  return fma(x, y, broadcast<double>(z));
}

// x y - product, exactly, where product is x y rounded.
template <class T>
[[gnu::always_inline]] inline Vector<T> product_error(Vector<T> x, Vector<T> y, Vector<T> product) {
#if defined(__FMA__) || defined(DELTAPROP_NEON)
  return fma(x, y, -product);
#else  // Dekker's: the products of halves are exact
  const auto high_of = [](Vector<T> v) {
    const Vector<T> scaled = v * (sizeof(T) == 4 ? static_cast<T>(4097) : static_cast<T>(134217729));
    return scaled - (scaled - v);
  };
  const Vector<T> x_high = high_of(x), y_high = high_of(y);
  const Vector<T> x_low = x - x_high, y_low = y - y_high;
  return x_low * y_low + ((x_high * y_high - product) + x_high * y_low + x_low * y_high);
#endif
}

template <class T>
[[gnu::always_inline]] inline Vector<T> square_root(Vector<T> x) {
#pragma GCC unroll 16
  for (int k = 0; k < kWidth<T>; ++k) x[k] = sizeof(T) == 4 ? __builtin_sqrtf(x[k]) : __builtin_sqrt(x[k]);
  return x;
}

template <class T>
inline constexpr Unsigned<T> kSignBit = Unsigned<T>{1} << (8 * sizeof(T) - 1);

template <class T>
[[gnu::always_inline]] inline Vector<T> absolute(Vector<T> x) {
  return (Vector<T>)((Bits<T>)x & ~kSignBit<T>);
}

// size with the sign of x, where size has none.
template <class T>
[[gnu::always_inline]] inline Vector<T> with_sign_of(Vector<T> size, Vector<T> x) {
  return (Vector<T>)((Bits<T>)size | ((Bits<T>)x & kSignBit<T>));
}

template <class T>
inline constexpr T kLeastNormal = sizeof(T) == 4 ? static_cast<T>(0x1p-126) : static_cast<T>(0x1p-1022);

// min(x, bound) and max(x, bound); NaN stays NaN.
template <class T>
[[gnu::always_inline]] inline Vector<T> at_most(Vector<T> x, T bound) {
  return x > bound ? broadcast<T>(bound) : x;
}
template <class T>
[[gnu::always_inline]] inline Vector<T> at_least(Vector<T> x, T bound) {
  return x < bound ? broadcast<T>(bound) : x;
}

// c_0 + c_1 x + ... by Estrin's scheme: neighbours in pairs, the pairs in pairs, ...: a chain of log2 N fma.
template <class T, int N>
[[gnu::always_inline]] inline Vector<T> polynomial(Vector<T> x, const T (&c)[N]) {
  Vector<T> sum[(N + 1) / 2];
#pragma GCC unroll 16
  for (int k = 0; k < N / 2; ++k) sum[k] = fma(x, c[2 * k + 1], c[2 * k]);
  if constexpr (N % 2 == 1) sum[N / 2] = broadcast<T>(c[N - 1]);
#pragma GCC unroll 5
  for (int n = (N + 1) / 2; n > 1; n = (n + 1) / 2) {
    x *= x;
#pragma GCC unroll 8
    for (int k = 0; k < n / 2; ++k) sum[k] = fma(x, sum[2 * k + 1], sum[2 * k]);
    if (n % 2 == 1) sum[n / 2] = sum[n - 1];
  }
  return sum[0];
}

// The sum of a pack's lanes: lane l takes lane l + 8, then l + 4, l + 2, l + 1. The same tree for every width of
// vector.
template <class T>
[[gnu::always_inline]] inline T tree_sum(const Vector<T> (&pack)[kGroup<T>]) {
  Vector<T> v[kGroup<T>];
  for (int k = 0; k < kGroup<T>; ++k) v[k] = pack[k];
  for (int half = kGroup<T> / 2; half > 0; half /= 2) {
#pragma GCC unroll 8
    for (int k = 0; k < half; ++k) v[k] += v[k + half];
  }
  T lane[kWidth<T>];
  store<T>(lane, v[0]);
  for (int half = kWidth<T> / 2; half > 0; half /= 2) {
    for (int k = 0; k < half; ++k) lane[k] += lane[k + half];
  }
  return lane[0];
}

// The sum of all lanes in every lane, in the tree of tree_sum.
template <class T, int H, int... P>
[[gnu::always_inline]] inline Vector<T> sum_of_lanes(Vector<T> v, std::integer_sequence<int, P...> lanes) {
  v += __builtin_shufflevector(v, v, (P ^ H)...);
  if constexpr (H > 1) return sum_of_lanes<T, H / 2>(v, lanes);
  return v;
}
template <class T>
[[gnu::always_inline]] inline Vector<T> sum_of_lanes(Vector<T> v) {
  return sum_of_lanes<T, kWidth<T> / 2>(v, std::make_integer_sequence<int, kWidth<T>>{});
}

// Two vectors exchange halves: a keeps its lanes without bit H and takes b's of the same kind into the places with it;
// b gets the lanes with bit H. The step of which transposing and folding are made.
template <class T, int H, int... P>
[[gnu::always_inline]] inline void exchange(Vector<T>& a, Vector<T>& b, std::integer_sequence<int, P...>) {
  constexpr int w = kWidth<T>;
  const Vector<T> low = __builtin_shufflevector(a, b, ((P & H) != 0 ? w + (P ^ H) : P)...);
  b = __builtin_shufflevector(a, b, ((P & H) != 0 ? w + P : P | H)...);
  a = low;
}

// v_k[l] becomes v_l[k], for kWidth vectors.
template <class T, int H = kWidth<T> / 2>
[[gnu::always_inline]] inline void transpose(Vector<T> (&v)[kWidth<T>]) {
#pragma GCC unroll 16
  for (int k = 0; k < kWidth<T>; ++k) {
    if ((k & H) == 0) exchange<T, H>(v[k], v[k | H], std::make_integer_sequence<int, kWidth<T>>{});
  }
  if constexpr (H > 1) transpose<T, H / 2>(v);
}

// Lane k of the result is the sum of v_k's lanes, in the tree of tree_sum; v is used up.
template <class T, int H = kWidth<T> / 2>
[[gnu::always_inline]] inline Vector<T> fold(Vector<T> (&v)[kWidth<T>]) {
#pragma GCC unroll 16
  for (int k = 0; k < H; ++k) {
    exchange<T, H>(v[k], v[k | H], std::make_integer_sequence<int, kWidth<T>>{});
    v[k] += v[k | H];
  }
  if constexpr (H > 1) {
    return fold<T, H / 2>(v);
  } else {
    return v[0];
  }
}

// A vector's elements in float64, for sums over so many terms that float32 would lose them.
template <class T>
struct WideOf {
  typedef double type __attribute__((vector_size(kWidth<T> * sizeof(double))));
};
template <class T>
using Wide = typename WideOf<T>::type;

template <class T>
[[gnu::always_inline]] inline Wide<T> widen(Vector<T> v) {
  return __builtin_convertvector(v, Wide<T>);
}
template <class T>
[[gnu::always_inline]] inline Vector<T> narrow(Wide<T> v) {
  return __builtin_convertvector(v, Vector<T>);
}

// What becomes of numbers below the least normal one. Functions by themselves keep them; a network's passes and steps take
// them for 0: what an optimizer remembers of a weight without gradient shrinks to a subnormal that by rounding never becomes
// 0, and many processors take a hundred times as long for each.
enum class Subnormals { kept, flushed };

// Round to nearest, no traps, for as long as this lives: what another library left in the thread's floating-point control word
// must not change our bits.
class Arithmetic {
 public:
#if defined(__SSE2__)
  explicit Arithmetic(Subnormals subnormals) : before_(_mm_getcsr()) {
    _mm_setcsr(subnormals == Subnormals::flushed ? 0x1F80 | 0x8040 : 0x1F80);
  }
  ~Arithmetic() { _mm_setcsr(before_); }

 private:
  unsigned before_;
#elif defined(__aarch64__)
  explicit Arithmetic(Subnormals subnormals) {
    asm volatile("mrs %0, fpcr" : "=r"(before_));
    asm volatile("msr fpcr, %0" : : "r"(std::uint64_t{subnormals == Subnormals::flushed} << 24));
  }
  ~Arithmetic() { asm volatile("msr fpcr, %0" : : "r"(before_)); }

 private:
  std::uint64_t before_;
#else
  explicit Arithmetic(Subnormals) {}
  ~Arithmetic() {}
#endif
 public:
  Arithmetic(const Arithmetic&) = delete;
  Arithmetic& operator=(const Arithmetic&) = delete;
};

}  // namespace deltaprop::DELTAPROP_ISA
