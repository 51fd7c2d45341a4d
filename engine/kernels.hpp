// The table that each instruction set exports, and the plain data that crosses into it. Compiled once per instruction
// set into a namespace of its own (kernels.cpp); the dispatcher picks one table when the engine is loaded.
#pragma once

#include <type_traits>

#include "learning.hpp"

namespace deltaprop {

// A matrix, borrowed: rows `stride` elements apart.
template <class T>
struct Matrix {
  T* data;
  Index stride;

  [[gnu::always_inline]] T* row(Index s) const { return data + s * stride; }
  [[gnu::always_inline]] operator Matrix<const T>() const
    requires(!std::is_const_v<T>)
  {
    return {data, stride};
  }
};

// The random numbers of a training pass: its sample s is number t + s of all that were ever presented. noise.hpp
struct Draws {
  bool on = false;  // not where a network only says something
  std::uint64_t seed = 0;
  std::uint64_t t = 0;
};

// Samples, borrowed; sizes already checked. Sample s is row order[s], or row s where order is null. Where X is null, the
// inputs of row k are sparse: values[p] at columns[p], ascending, for starts[k] <= p < starts[k + 1].
template <class T>
struct Rows {
  const T* X;
  const Index* starts;
  const std::int32_t* columns;
  const T* values;
  const T* R;          // may be null where no target is needed
  const T* weight;     // null: all ones
  const Index* order;  // null: as they stand
  Index n;
  Index n_in;
  Index n_out;
  Draws draws;
  double input_dropout, input_noise;  // of the plan

  [[gnu::always_inline]] Index row(Index s) const { return order ? order[s] : s; }
  [[gnu::always_inline]] const T* r(Index s) const { return R + row(s) * n_out; }
  [[gnu::always_inline]] T w(Index s) const { return weight ? weight[row(s)] : T{1}; }
  [[gnu::always_inline]] bool sparse() const { return X == nullptr; }
};

// Scratch for `rows` rows: the packed inputs, and a, z and delta of every layer, row-major with the layer's pitch, a layer
// after the other.
template <class T>
struct Workspace {
  Matrix<T> x;
  Index
      x_each;  // where each thread of a team has packed inputs of its own: elements from one's to the next's; 0: they share
  T* a;
  T* z;
  T* other_z;  // of a team, like z: its steps take them in turn, so that one may be written while the other is read
  T* delta;
  T* slope;       // like a: h'(a) of layers with units that are dropped; null where no plan has such
  T* units;       // 3 (rows x pitch of the output), for its functions
  T* transposed;  // of each layer but the first, W's transposed copy; null: delta goes through W row by row
  double* E;      // (rows)
  Index rows;
};

// Room for theta and the optimizer's state as a team holds them (held.hpp); arrays is null where they stay where they are.
template <class T>
struct HeldScratch {
  T* arrays = nullptr;      // 1 + states, of held_size elements
  Layer* layers = nullptr;  // of each thread, one for every layer of the plan
  int threads = 0;          // a team of another size leaves them where they are, too
};

// Scratch for blocks of online descent; block.hpp says what each is.
template <class T>
struct OnlineScratch {
  Workspace<T> work;    // (block) rows, x padded with zeros
  T* a_state;           // (block, pitch of the first layer) where the optimizer has a state
  Matrix<T> weighted;   // (block, (1 + states) pitch)
  Matrix<T> gram;       // (kMostBlock, kMostBlock)
  T* narrow;            // (1 + states) arrays of narrow_size, zero; narrow.hpp
  Index* last;          // (n_in) where the rows are sparse; sparse.hpp
  Index waiting;        // samples after which rows of W that wait catch up; 0: none waits
  HeldScratch<T> held;  // of a plan that ends with the first layer
};

// What a descent changes, and how.
template <class T>
struct LearningView {
  const Learning* definition;
  T* theta;
  T* state;  // definition->states() arrays of theta_size
  Index theta_size;
  T* average;             // of theta, where there is one
  const double* factors;  // of eta, for the weights and the biases of each layer; null: all 1
};

// Scratch for the steps of a batch; null where they do without.
template <class T>
struct StepScratch {
  HeldScratch<T> held;
  double* partial;  // (theta_size, or held_size) of steps of more than kStepRows: the sum of the chunks before
  T* gradient;      // (theta_size) of steps that need the whole of it: whole.hpp
  double* of_rows;  // likewise, a number for each row of each [W; b]
};

template <class T>
struct TraceRow {
  T* const* a;  // per layer
  T* const* z;
  T* const* dh;
  T* const* delta;
  T* gradient;
  double* E;
  T* x;  // or null
};

// Chains of multiply-adds that do not wait for each other, for measuring how many the machine can do.
inline constexpr int kPeakChains = 12;

// The functions of vector_math.hpp, for tests.
enum class VectorFunction : int { exp, expm1, log, log1p, tanh, sigmoid, softplus, erf, sin, cos, arctan };

class Barrier;  // where the threads of one parallel region wait for each other: team.hpp
void wait_for_all(Barrier& barrier, int threads);

template <class T>
struct Kernels {
  // Whether all inputs were finite.
  bool (*predict)(const PlanView&, const T* theta, const Rows<T>&, T* y, const Workspace<T>* per_thread, int threads);
  // chunk_sums: scratch, one for every chunk of a workspace's rows.
  void (*loss)(const PlanView&, const T* theta, const Rows<T>&, Sums* chunk_sums, const Workspace<T>* per_thread,
               Sums* sum, int threads);
  // Elements of theta as a team of so many threads holds it (held.hpp), or 0; layers: scratch, as many as the plan has.
  Index (*held_size)(const PlanView&, int threads, Layer* layers);
  // One pass of descent, a step for every batch_size samples.
  void (*descend)(const PlanView&, const LearningView<T>&, const Rows<T>&, const double* eta, Index n_eta,
                  Index batch_size, const Workspace<T>& shared, const StepScratch<T>& scratch, Sums* sums,
                  Barrier& barrier, int threads);
  // The same with a step after every sample, in blocks of so many: 1 is the naive order.
  void (*online)(const PlanView&, const LearningView<T>&, const Rows<T>&, const double* eta, Index n_eta, Index block,
                 const OnlineScratch<T>& scratch, Sums* sums, Barrier& barrier, int threads);
  // The sum of w dE over the rows divided by the sum of w, into out. partial: as in StepScratch.
  void (*gradient)(const PlanView&, const T* theta, const Rows<T>&, T* out, const Workspace<T>& shared, double* partial,
                   Sums* sum, Barrier& barrier, int threads);
  void (*trace)(const PlanView&, const T* theta, const Rows<T>&, Index s, const TraceRow<T>& out,
                const Workspace<T>& one_row);
  void (*multiply_adds)(Index n, T* out);  // n times kPeakChains vectors of them, independent; out takes a vector
  void (*activation)(Function h, const T* a, T* z, T* dh, Index n);
  void (*program)(const ProgramView&, const T* const* inputs, T* const* outputs, Index n);
  void (*vector_function)(VectorFunction f, const T* x, T* y, Index n);
};

struct KernelTable {
  const char* name;
  int vector_bytes;
  const Kernels<float>* f32;
  const Kernels<double>* f64;
};

namespace baseline {
extern const KernelTable table;
extern const Kernels<float> f32;
extern const Kernels<double> f64;
}  // namespace baseline
namespace avx2 {
extern const KernelTable table;
extern const Kernels<float> f32;
extern const Kernels<double> f64;
}  // namespace avx2
namespace avx512 {
extern const KernelTable table;
extern const Kernels<float> f32;
extern const Kernels<double> f64;
}  // namespace avx512
namespace neon {
extern const KernelTable table;
extern const Kernels<float> f32;
extern const Kernels<double> f64;
}  // namespace neon

// The one in use.
const KernelTable& kernels();
// The one for predictions where sums are long: the same, or wider vectors.
const KernelTable& kernels_for_long_sums();
// The one for small networks whose units fill no more than half a vector: the same, or narrower vectors.
const KernelTable& kernels_for_few_units();

}  // namespace deltaprop
