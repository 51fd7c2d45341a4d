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

template <class T>
[[gnu::always_inline]] inline Vector<T> broadcast(T x) {
  return x - Vector<T>{};  // x - 0 keeps the sign of a zero
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
[[gnu::always_inline]] inline Vector<float> fma(Vector<float> x, Vector<float> y, float z) {
  return fma(x, y, broadcast<float>(z));
}
[[gnu::always_inline]] inline Vector<double> fma(Vector<double> x, Vector<double> y, double z) {
  return fma(x, y, broadcast<double>(z));
}

template <class T>
[[gnu::always_inline]] inline Vector<T> absolute(Vector<T> x) {
  return x < T{0} ? -x : x + T{0};  // |-0| = 0
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

// Round to nearest, subnormals kept, no traps, for as long as this lives: what another library left in the thread's
// floating-point control word must not change our bits.
class PlainArithmetic {
 public:
#if defined(__SSE2__)
  PlainArithmetic() : before_(_mm_getcsr()) { _mm_setcsr(0x1F80); }
  ~PlainArithmetic() { _mm_setcsr(before_); }

 private:
  unsigned before_;
#elif defined(__aarch64__)
  PlainArithmetic() {
    asm volatile("mrs %0, fpcr" : "=r"(before_));
    asm volatile("msr fpcr, %0" : : "r"(std::uint64_t{0}));
  }
  ~PlainArithmetic() { asm volatile("msr fpcr, %0" : : "r"(before_)); }

 private:
  std::uint64_t before_;
#else
  PlainArithmetic() {}
  ~PlainArithmetic() {}
#endif
 public:
  PlainArithmetic(const PlainArithmetic&) = delete;
  PlainArithmetic& operator=(const PlainArithmetic&) = delete;
};

}  // namespace deltaprop::DELTAPROP_ISA
