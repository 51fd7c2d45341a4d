// Compiled for each instruction set, as namespace DELTAPROP_ISA, once per precision (DELTAPROP_FLOAT64): all kernels, and the
// tables that leave the object.
#include "kernels.hpp"

#include "block.hpp"
#include "evaluation.hpp"
#include "sparse.hpp"
#include "whole.hpp"

namespace deltaprop::DELTAPROP_ISA {
namespace {

// A step after every sample: which of the ways to order it.
template <class T>
void online(const PlanView& plan, const LearningView<T>& learning, const Rows<T>& samples, const double* eta,
            Index n_eta, Index block, const OnlineScratch<T>& scratch, Sums* sums, Barrier& barrier,
            [[maybe_unused]] int threads) {
  with_update<T>(learning.definition->optimizer, [&]<class Update>(std::type_identity<Update>) {
    if constexpr (Update::kLinear) {
      using Rule = typename Update::Rule;
      if (block > 1 && learning.definition->linear()) {
        return with_layers_above<T, Rule>(plan, [&]<class Above>(std::type_identity<Above>) {
          if constexpr (Above::kVectors > 0) {
            if (plan.n_in() < kDirectInputsOfSmall && !samples.sparse()) {
              const Arithmetic arithmetic(Subnormals::flushed);
              return one_unit_online<T, Rule, Above::kVectors>(plan, learning, samples, eta, n_eta, scratch.work, sums);
            }
          }
          Blocks<T, Rule, Above> blocks(plan, learning, samples, scratch);
#pragma omp parallel num_threads(threads) if (threads > 1)
          {
            const Arithmetic arithmetic(Subnormals::flushed);
            blocks.run(eta, n_eta, block, sums, Team::here(&barrier));
          }
        });
      }
    }
    const Arithmetic arithmetic(Subnormals::flushed);
    if constexpr (Update::kLinear) {
      using Rule = typename Update::Rule;
      if (scratch.waiting > 0) return sparse_online<T, Rule>(plan, learning, samples, eta, n_eta, scratch, sums);
    }
    naive_online<T, Update>(plan, learning, samples, eta, n_eta, scratch.work, sums);
  });
  clear_padding(plan, learning);
}

// A step for every batch_size samples: by tiles, or with the whole gradient.
template <class T>
void in_batches(const PlanView& plan, const LearningView<T>& learning, const Rows<T>& samples, const double* eta,
                Index n_eta, Index batch_size, const Workspace<T>& work, const StepScratch<T>& scratch, Sums* sums,
                Barrier& barrier, int threads) {
  if (learning.definition->whole()) {
    descend_whole(plan, learning, samples, eta, n_eta, batch_size, work, scratch, sums, barrier, threads);
  } else {
    descend(plan, learning, samples, eta, n_eta, batch_size, work, scratch, sums, barrier, threads);
  }
}

template <class T>
Vector<T> apply(VectorFunction f, Vector<T> x) {
  switch (f) {
    case VectorFunction::exp:
      return exp<T>(x);
    case VectorFunction::expm1:
      return expm1<T>(x);
    case VectorFunction::log:
      return log<T>(x);
    case VectorFunction::log1p:
      return log1p<T>(x);
    case VectorFunction::tanh:
      return tanh<T>(x);
    case VectorFunction::sigmoid:
      return sigmoid<T>(x);
    case VectorFunction::softplus:
      return softplus<T>(x);
    case VectorFunction::erf:
      return erf<T>(x);
    case VectorFunction::sin:
      return sine<T>(x, 0);
    case VectorFunction::cos:
      return sine<T>(x, 1);
    case VectorFunction::arctan:
      return arctan<T>(x);
  }
  return x;
}

template <class T>
void vector_function(VectorFunction f, const T* x, T* y, Index n) {
  const Arithmetic arithmetic(Subnormals::kept);
  for (Index j = 0; j < n; j += kWidth<T>) {
    const auto bytes = static_cast<std::size_t>(n - j < kWidth<T> ? n - j : kWidth<T>) * sizeof(T);
    T lanes[kWidth<T>] = {};
    __builtin_memcpy(lanes, x + j, bytes);
    store<T>(lanes, apply<T>(f, load(lanes)));
    __builtin_memcpy(y + j, lanes, bytes);
  }
}

template <class T>
void multiply_adds(Index n, T* out) {
  Vector<T> x[kPeakChains];
  for (int k = 0; k < kPeakChains; ++k) x[k] = broadcast<T>(static_cast<T>(k));
  const Vector<T> factor = broadcast<T>(T{0.5});
  const Vector<T> term = broadcast<T>(T{1});
  for (Index i = 0; i < n; ++i) {
#pragma GCC unroll 16
    for (int k = 0; k < kPeakChains; ++k) x[k] = fma(x[k], factor, term);
  }
  for (int k = 1; k < kPeakChains; ++k) x[0] += x[k];
  store<T>(out, x[0]);
}

#define DELTAPROP_TEXT(x) #x
#define DELTAPROP_NAME(x) DELTAPROP_TEXT(x)

template <class T>
constexpr Kernels<T> kAll{predict<T>, loss<T>,          held_size<T>,  in_batches<T>, online<T>,         gradient<T>,
                          trace<T>,   multiply_adds<T>, activation<T>, program<T>,    vector_function<T>};

}  // namespace

#if defined(DELTAPROP_FLOAT64)
const Kernels<double> f64 = kAll<double>;
#else
const Kernels<float> f32 = kAll<float>;
const KernelTable table{DELTAPROP_NAME(DELTAPROP_ISA), kVectorBytes, &f32, &f64};
#endif

}  // namespace deltaprop::DELTAPROP_ISA
