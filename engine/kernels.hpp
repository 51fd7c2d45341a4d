// The table that each instruction set exports, and the plain data that crosses into it. Compiled once per instruction
// set into a namespace of its own (kernels.cpp); the dispatcher picks one table when the engine is loaded.
#pragma once

#include "plan.hpp"

namespace deltaprop {

// Samples, borrowed; sizes already checked. Sample s is row order[s], or row s where order is null.
template <class T>
struct Rows {
  const T* X;
  const T* R;          // may be null where no target is needed
  const T* weight;     // null: all ones
  const Index* order;  // null: as they stand
  Index n;
  Index n_in;
  Index n_out;

  [[gnu::always_inline]] Index row(Index s) const { return order ? order[s] : s; }
  [[gnu::always_inline]] const T* x(Index s) const { return X + row(s) * n_in; }
  [[gnu::always_inline]] const T* r(Index s) const { return R + row(s) * n_out; }
  [[gnu::always_inline]] T w(Index s) const { return weight ? weight[row(s)] : T{1}; }
};

// Scratch for `rows` rows: a, z and delta of every layer, row-major with the layer's pitch, a layer after the other.
template <class T>
struct Workspace {
  T* a;
  T* z;
  T* delta;
  const T** input;  // (rows) where each row's inputs are
  double* E;        // (rows)
  Index rows;
};

template <class T>
struct TraceRow {
  T* const* a;  // per layer
  T* const* z;
  T* const* dh;
  T* const* delta;
  T* gradient;
  double* E;
};

struct KernelLossSum {
  double E;
  double weight;
};

class Barrier;  // where the threads of one parallel region wait for each other: team.hpp
void wait_for_all(Barrier& barrier, int threads);

template <class T>
struct Kernels {
  void (*predict)(const PlanView&, const T* theta, const Rows<T>&, T* y, const Workspace<T>* per_thread, int threads);
  // chunk_sums: scratch, one for every chunk of a workspace's rows.
  void (*loss)(const PlanView&, const T* theta, const Rows<T>&, KernelLossSum* chunk_sums,
               const Workspace<T>* per_thread, KernelLossSum* sum, int threads);
  // One pass of descent. partial: theta_size elements of scratch, null where no step exceeds kStepRows.
  void (*descend)(const PlanView&, T* theta, const Rows<T>&, const double* eta, Index n_eta, Index batch_size,
                  const Workspace<T>& shared, double* partial, KernelLossSum* sum, Barrier& barrier, int threads);
  // The sum of w dE over the rows divided by the sum of w, into out. partial: as above.
  void (*gradient)(const PlanView&, const T* theta, const Rows<T>&, T* out, const Workspace<T>& shared, double* partial,
                   KernelLossSum* sum, Barrier& barrier, int threads);
  void (*trace)(const PlanView&, const T* theta, const Rows<T>&, Index s, const TraceRow<T>& out,
                const Workspace<T>& one_row);
  void (*activation)(Activation h, const T* a, T* z, T* dh, Index n);
};

struct KernelTable {
  const char* name;
  const Kernels<float>* f32;
  const Kernels<double>* f64;
};

namespace baseline {
extern const KernelTable table;
}
namespace avx2 {
extern const KernelTable table;
}
namespace avx512 {
extern const KernelTable table;
}
namespace neon {
extern const KernelTable table;
}

const KernelTable& kernels();  // the one in use

}  // namespace deltaprop
