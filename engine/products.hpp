// The three products of backpropagation over one layer [W; b], and what they promise about the order of each sum:
//
//   forward     a_j      = b_j + sum_i z_i w_ij     one fma chain over ascending i, beginning at b_j (or 0)
//   backward    d_i      = sum_j delta_j w_ij       kLanes partial sums over ascending j, then the tree of tree_sum
//   gradient    dE/dw_ij = sum_s z_si delta_sj      one fma chain over ascending samples s, beginning at 0
//
// No order depends on how rows are grouped into tiles, on the tail of a tile, or on the thread: a row has the same bits
// alone and in a batch. Columns run over the whole pitch, so there are no tails along a row.
#pragma once

#include "simd.hpp"

namespace deltaprop::DELTAPROP_ISA {

template <class T>
inline constexpr int kRowsPerTile = kAccumulators / kGroup<T> < 8 ? kAccumulators / kGroup<T> : 8;

// ---- forward: a = z W + b -------------------------------------------------------------------------------------------

// R rows by P packs of columns, sums in registers.
template <class T, int R, int P>
[[gnu::always_inline]] inline void forward_tile(const T* const* z, const Layer& layer, const T* W, T* a, Index column) {
  constexpr int V = P * kGroup<T>;
  Vector<T> sum[R][V];
  const T* w = W + column;
  for (int v = 0; v < V; ++v) {
    const Vector<T> b = layer.bias ? load(w + layer.n_in * layer.pitch + v * kWidth<T>) : Vector<T>{};
    for (int r = 0; r < R; ++r) sum[r][v] = b;
  }
  for (Index i = 0; i < layer.n_in; ++i, w += layer.pitch) {
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) {
      const Vector<T> weights = load(w + v * kWidth<T>);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) sum[r][v] = fma(weights, z[r][i], sum[r][v]);
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) store<T>(a + r * layer.pitch + column + v * kWidth<T>, sum[r][v]);
  }
}

// One row, all columns: as many packs at once as the registers hold, so that their chains overlap.
template <class T>
inline void forward_row(const T* z, const Layer& layer, const T* W, T* a) {
  constexpr int P = kGroup<T> <= 2 ? 4 : 2;
  Index column = 0;
  for (; column + P * kLanes <= layer.pitch; column += P * kLanes) {
    forward_tile<T, 1, P>(&z, layer, W, a, column);
  }
  for (; column + 2 * kLanes <= layer.pitch; column += 2 * kLanes) forward_tile<T, 1, 2>(&z, layer, W, a, column);
  for (; column < layer.pitch; column += kLanes) forward_tile<T, 1, 1>(&z, layer, W, a, column);
}

// `rows` rows: z holds where each row's inputs are, a has the layer's pitch. A pack of columns stays in cache for all
// rows.
template <class T>
inline void forward_rows(const T* const* z, Index rows, const Layer& layer, const T* W, T* a) {
  constexpr int R = kRowsPerTile<T>;
  const Index whole = rows - rows % R;
  if (whole > 0) {
    for (Index column = 0; column < layer.pitch; column += kLanes) {
      for (Index s = 0; s < whole; s += R) forward_tile<T, R, 1>(z + s, layer, W, a + s * layer.pitch, column);
    }
  }
  for (Index s = whole; s < rows; ++s) forward_row(z[s], layer, W, a + s * layer.pitch);
}

// ---- backward: d = delta W^T ----------------------------------------------------------------------------------------

// d_i for `I` consecutive units i of one row.
template <class T, int I>
[[gnu::always_inline]] inline void backward_tile(const T* delta, const T* w, Index pitch, T* d) {
  Vector<T> sum[I][kGroup<T>] = {};
  for (Index j = 0; j < pitch; j += kLanes) {
#pragma GCC unroll 8
    for (int g = 0; g < kGroup<T>; ++g) {
      const Vector<T> error = load(delta + j + g * kWidth<T>);
#pragma GCC unroll 8
      for (int i = 0; i < I; ++i) sum[i][g] = fma(load(w + i * pitch + j + g * kWidth<T>), error, sum[i][g]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < I; ++i) d[i] = tree_sum<T>(sum[i]);
}

// The sum of the delta rule (2), before its factor h': d (n_in) from delta (pitch).
template <class T>
inline void backward_row(const T* delta, const Layer& layer, const T* W, T* d) {
  constexpr int I = kGroup<T> <= 2 ? 4 : 2;
  Index i = 0;
  for (; i + I <= layer.n_in; i += I) backward_tile<T, I>(delta, W + i * layer.pitch, layer.pitch, d + i);
  for (; i < layer.n_in; ++i) backward_tile<T, 1>(delta, W + i * layer.pitch, layer.pitch, d + i);
}

// ---- gradient: dE/dW = z^T delta ------------------------------------------------------------------------------------

// Sums of `I` consecutive rows of [W; b] by one pack of columns, over `rows` samples, handed to use(k, v, sum): row k
// of the tile, vector v of the pack. The inputs of row i are z[s][i]; the row of the biases has inputs 1.
template <class T, int I, class Use>
[[gnu::always_inline]] inline void gradient_tile(const T* const* z, const T* delta, Index rows, Index pitch, Index i,
                                                 Index column, Use use) {
  constexpr int V = kGroup<T>;
  Vector<T> sum[I][V] = {};
  const T* error = delta + column;
  for (Index s = 0; s < rows; ++s, error += pitch) {
    const T* inputs = z[s] + i;
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) {
      const Vector<T> e = load(error + v * kWidth<T>);
#pragma GCC unroll 16
      for (int k = 0; k < I; ++k) sum[k][v] = fma(e, inputs[k], sum[k][v]);
    }
  }
#pragma GCC unroll 16
  for (int k = 0; k < I; ++k) {
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) use(k, v, sum[k][v]);
  }
}

template <class T, class Use>
[[gnu::always_inline]] inline void bias_gradient_tile(const T* delta, Index rows, Index pitch, Index column, Use use) {
  Vector<T> sum[kGroup<T>] = {};
  const T* error = delta + column;
  for (Index s = 0; s < rows; ++s, error += pitch) {
    for (int v = 0; v < kGroup<T>; ++v) sum[v] += load(error + v * kWidth<T>);
  }
  for (int v = 0; v < kGroup<T>; ++v) use(0, v, sum[v]);
}

// Hands every vector of the gradient of rows first .. last - 1 of [W; b] to use(offset in [W; b], gradient). What is
// captured is copied: a store through `use` could change what a reference leads to, and it would be read again each time.
template <class T, class Use>
inline void gradient_rows(const T* const* z, const T* delta, Index rows, const Layer& layer, Index first, Index last,
                          Use use) {
  constexpr int I = kRowsPerTile<T>;
  const Index pitch = layer.pitch;
  const Index weights = last < layer.n_in ? last : layer.n_in;
  for (Index column = 0; column < pitch; column += kLanes) {
    const auto at = [=](Index i) {
      return [=](int k, int v, Vector<T> g) { use((i + k) * pitch + column + v * kWidth<T>, g); };
    };
    Index i = first;
    for (; i + I <= weights; i += I) gradient_tile<T, I>(z, delta, rows, pitch, i, column, at(i));
    for (; i < weights; ++i) gradient_tile<T, 1>(z, delta, rows, pitch, i, column, at(i));
    if (i < last) bias_gradient_tile<T>(delta, rows, pitch, column, at(i));
  }
}

}  // namespace deltaprop::DELTAPROP_ISA
