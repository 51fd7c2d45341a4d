// The three products of backpropagation over one layer [W; b], and what they promise about the order of each sum:
//
//   forward     a_j      = b_j + sum_i z_i w_ij     one fma chain over ascending i, beginning at b_j (or 0)
//   backward    d_i      = sum_j delta_j w_ij       one row: kLanes partial sums over ascending j, then the tree of fold;
//                                                   a batch: one fma chain over ascending j, through a transposed copy
//   gradient    dE/dw_ij = sum_s z_si delta_sj      one fma chain over ascending samples s, beginning at 0
//
// No order depends on how rows are grouped into tiles, on the tail of a tile, or on the thread: a row has the same bits
// alone and in a batch. Columns run over whole vectors (the padding is zero), so there are no tails along a row.
#pragma once

#include "ahead.hpp"
#include "simd.hpp"

namespace deltaprop::DELTAPROP_ISA {

inline constexpr Index kTileRows = kAccumulators / 2;  // rows of a tile of two vectors
inline constexpr Index kTallRows = 12;                 // of one: chains enough that none waits for itself
inline constexpr Index kDepthBlock = 256;  // of a long sum at a time: the columns of B that a tile reads stay in cache

// Columns of a layer, in vectors: whole tiles of two, so `first` is even.
struct Columns {
  Index first, last;

  template <class T>
  static Columns all(const Layer& layer) {
    return {0, vectors<T>(layer.n_out)};
  }
};

// Calls use(first, integral_constant<int, R>) for tiles of at most Most rows that cover first .. last - 1, as equal as
// can be: 32 rows are 6 + 5 + 5 + 6 + 5 + 5, not five times 6 and a slow tile of 2.
template <int Most, class Use>
[[gnu::always_inline]] inline void for_tiles(Index first, Index last, Use use) {
  const Index n = last - first;
  const Index tiles = (n + Most - 1) / Most;
  Index done = 0;
  for (Index t = 1; t <= tiles; ++t) {
    const Index stop = n * t / tiles;
    const Index rows = stop - done;
    [&]<int... R>(std::integer_sequence<int, R...>) {
      ((rows == R + 1 ? use(first + done, std::integral_constant<int, R + 1>{}) : void()), ...);
    }(std::make_integer_sequence<int, Most>{});
    done = stop;
  }
}

// ---- C = A B, and forward ------------------------------------------------------------------------------------------

// R rows by V vectors of C = start + A B, K terms a sum; a start of stride 0 is the same row for all, null is zero.
template <class T, int R, int V>
[[gnu::noinline]] void product_tile(Matrix<const T> A, Index K, Matrix<const T> B, Matrix<const T> start, Matrix<T> C) {
  Vector<T> sum[R][V];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) sum[r][v] = start.data ? load(start.row(r) + v * kWidth<T>) : Vector<T>{};
  }
  const T* b = B.data;
  for (Index k = 0; k < K; ++k, b += B.stride) {
    Vector<T> column[V];
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) column[v] = load(b + v * kWidth<T>);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {  // one broadcast at a time: the sums need the registers
      const Vector<T> a = broadcast<T>(A.data[r * A.stride + k]);
#pragma GCC unroll 16
      for (int v = 0; v < V; ++v) sum[r][v] = fma(column[v], a, sum[r][v]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) store<T>(C.row(r) + v * kWidth<T>, sum[r][v]);
  }
}

// Many rows read a block of B's columns from a copy side by side: the rows of a wide B stand in as many pages of memory,
// more than the processor remembers at a time.
inline constexpr Index kPackRows = 64;
inline constexpr Index kPackStrideBytes = 1024;

// `rows` rows by V vectors; `more`: the next V vectors of B will be wanted next. A sum longer than kDepthBlock rests in C
// between blocks, which changes no bit of it.
template <class T, int Most, int V>
inline void product_panel(Matrix<const T> A, Index rows, Index K, Matrix<const T> B, Matrix<const T> start, Matrix<T> C,
                          bool more) {
  constexpr Index width = V * kWidth<T>;
  const Index depth = rows <= Most ? K : kDepthBlock;
  const bool packed = rows >= kPackRows && B.stride * static_cast<Index>(sizeof(T)) >= kPackStrideBytes;
  alignas(64) T copies[kDepthBlock * width];
  Index k = 0;
  do {
    const Index terms = K - k < depth ? K - k : depth;
    Matrix<const T> block{B.row(k), B.stride};
    if (packed) {
      for (Index i = 0; i < terms; ++i) copy(block.row(i), width, copies + i * width);
      block = {copies, width};
    }
    const Index left = K - k - terms;
    const Matrix<const T> next =
        left > 0 ? Matrix<const T>{B.row(k + terms), B.stride} : Matrix<const T>{B.data + width, B.stride};
    const Index next_terms = !packed ? 0 : left > depth ? depth : left > 0 ? left : more ? (K < depth ? K : depth) : 0;
    for_tiles<Most>(0, rows, [&]<int R>(Index s, std::integral_constant<int, R>) {
      if (next_terms > 0) {
        const Index last = next_terms * (s + R) / rows;
        for (Index i = next_terms * s / rows; i < last; ++i) __builtin_prefetch(next.row(i));
      }
      const Matrix<const T> from = k > 0 ? Matrix<const T>{C.row(s), C.stride}
                                         : Matrix<const T>{start.data ? start.row(s) : nullptr, start.stride};
      product_tile<T, R, V>({A.row(s) + k, A.stride}, terms, block, from, {C.row(s), C.stride});
    });
    k += terms;
  } while (k < K);
}

// V vectors of one row.
template <class T, int V>
[[gnu::always_inline]] inline void row_tile(const T* a, Index K, Matrix<const T> B, const T* start, T* c) {
  Vector<T> sum[V];
#pragma GCC unroll 16
  for (int v = 0; v < V; ++v) sum[v] = start ? load(start + v * kWidth<T>) : Vector<T>{};
  const T* b = B.data;
  for (Index k = 0; k < K; ++k, b += B.stride) {
    const Vector<T> input = broadcast<T>(a[k]);
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) sum[v] = fma(load(b + v * kWidth<T>), input, sum[v]);
  }
#pragma GCC unroll 16
  for (int v = 0; v < V; ++v) store<T>(c + v * kWidth<T>, sum[v]);
}

// One row: c = start + a B, the columns first .. last - 1 in vectors, as many at once as the registers hold, so that their
// chains overlap.
template <class T>
[[gnu::always_inline]] inline void row_product(const T* a, Index K, Matrix<const T> B, const T* start, T* c,
                                               Index first, Index last) {
  const auto panels = [&]<int V>(std::integral_constant<int, V>) {
    for (; first + V <= last; first += V) {
      const Index j = first * kWidth<T>;
      row_tile<T, V>(a, K, {B.data + j, B.stride}, start ? start + j : nullptr, c + j);
    }
  };
  if (last - first >= 8) panels(std::integral_constant<int, 8>{});
  if (last - first >= 4) panels(std::integral_constant<int, 4>{});
  panels(std::integral_constant<int, 2>{});
  panels(std::integral_constant<int, 1>{});
}

// The columns first .. last - 1, in vectors, of C = start + A B for `rows` rows. Few rows take wide tiles, so that there
// are sums enough to keep the multipliers busy.
template <class T>
inline void product(Matrix<const T> A, Index rows, Index K, Matrix<const T> B, Matrix<const T> start, Matrix<T> C,
                    Index first, Index last) {
  const auto panels = [&]<int Most, int V>(std::integral_constant<int, Most>, std::integral_constant<int, V>) {
    for (; first + V <= last; first += V) {
      const Index column = first * kWidth<T>;
      product_panel<T, Most, V>(A, rows, K, {B.data + column, B.stride},
                                {start.data ? start.data + column : nullptr, start.stride}, {C.data + column, C.stride},
                                first + 2 * V <= last);
    }
  };
  constexpr auto number = []<int N>() { return std::integral_constant<int, N>{}; };
  if (rows == 1) return row_product<T>(A.data, K, B, start.data, C.data, first, last);
  if (rows <= 3) panels(number.template operator()<3>(), number.template operator()<4>());
  panels(number.template operator()<kTileRows>(), number.template operator()<2>());
  panels(number.template operator()<kTallRows>(), number.template operator()<1>());
}

// a of a layer of one unit, for whole vectors of rows: a row in each lane, so that no lane multiplies padding. Returns how
// many rows it took.
template <class T>
inline Index forward_rows_to_one(Matrix<const T> z, Index rows, const Layer& layer, const T* theta, Matrix<T> a) {
  constexpr Index w = kWidth<T>;
  const T* W = theta + layer.offset;
  Index s = 0;
  for (; s + w <= rows; s += w) {
    Vector<T> sum = broadcast<T>(layer.bias ? W[layer.n_in * layer.pitch] : T{0});
    for (Index i = 0; i < layer.n_in; i += w) {
      Vector<T> units[w];
#pragma GCC unroll 16
      for (int k = 0; k < w; ++k) units[k] = load(z.row(s + k) + i);
      transpose<T>(units);
      if (i + w <= layer.n_in) {
#pragma GCC unroll 16
        for (int k = 0; k < w; ++k) sum = fma(units[k], broadcast<T>(W[(i + k) * layer.pitch]), sum);
      } else {
        for (Index k = 0; k < layer.n_in - i; ++k) sum = fma(units[k], broadcast<T>(W[(i + k) * layer.pitch]), sum);
      }
    }
#pragma GCC unroll 16
    for (int k = 0; k < w; ++k) *a.row(s + k) = sum[k];
  }
  return s;
}

// Some columns of a = z W + b for `rows` rows.
template <class T>
inline void forward_rows(Matrix<const T> z, Index rows, const Layer& layer, const T* theta, Matrix<T> a,
                         Columns columns) {
  const bool whole_vectors = z.stride >= vectors<T>(layer.n_in) * kWidth<T>;
  const Index done = layer.n_out == 1 && whole_vectors ? forward_rows_to_one(z, rows, layer, theta, a) : 0;
  if (done == rows) return;
  const T* W = theta + layer.offset;
  product<T>({z.row(done), z.stride}, rows - done, layer.n_in, {W, layer.pitch},
             {layer.bias ? W + layer.n_in * layer.pitch : nullptr, 0}, {a.row(done), a.stride}, columns.first,
             columns.last);
}

template <class T>
[[gnu::always_inline]] inline void forward_row(const T* z, const Layer& layer, const T* theta, T* a) {
  const T* W = theta + layer.offset;
  row_product<T>(z, layer.n_in, {W, layer.pitch}, layer.bias ? W + layer.n_in * layer.pitch : nullptr, a, 0,
                 vectors<T>(layer.n_out));
}

// The same where each row's sum is waited for: in four chains, of every fourth term each, (0 + 1) + (2 + 3). Only within
// blocks of online descent (block.hpp), whose rounding is their own.
template <class T, int V>
[[gnu::always_inline]] inline void row_tile_in_chains(const T* a, Index K, Matrix<const T> B, const T* start, T* c) {
  constexpr int Chains = 4;
  Vector<T> sum[Chains][V] = {};
  for (int v = 0; v < V && start; ++v) sum[0][v] = load(start + v * kWidth<T>);
  const T* b = B.data;
  Index k = 0;
  for (; k + Chains <= K; k += Chains) {
#pragma GCC unroll 4
    for (int chain = 0; chain < Chains; ++chain, b += B.stride) {
      const Vector<T> input = broadcast<T>(a[k + chain]);
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) sum[chain][v] = fma(load(b + v * kWidth<T>), input, sum[chain][v]);
    }
  }
  for (; k < K; ++k, b += B.stride) {
    const Vector<T> input = broadcast<T>(a[k]);
    for (int v = 0; v < V; ++v) sum[0][v] = fma(load(b + v * kWidth<T>), input, sum[0][v]);
  }
  for (int v = 0; v < V; ++v) store<T>(c + v * kWidth<T>, (sum[0][v] + sum[1][v]) + (sum[2][v] + sum[3][v]));
}

template <class T>
[[gnu::always_inline]] inline void forward_row_in_chains(const T* z, const Layer& layer, const T* theta, T* a) {
  const Matrix<const T> W{theta + layer.offset, layer.pitch};
  const T* b = layer.bias ? W.row(layer.n_in) : nullptr;
  const Index columns = vectors<T>(layer.n_out);
  if (columns > 2) return forward_row(z, layer, theta, a);  // wide enough for chains side by side
  if (columns == 2) return row_tile_in_chains<T, 2>(z, layer.n_in, W, b, a);
  row_tile_in_chains<T, 1>(z, layer.n_in, W, b, a);
}

// ---- backward: d = delta W^T ---------------------------------------------------------------------------------------

// The sums of the delta rule (2), before its factor h', of units i .. i + rows - 1 of one row, rows <= kWidth; w is row i
// of W. The lanes after them are 0.
template <class T>
[[gnu::always_inline]] inline Vector<T> backward_dots(const T* delta, const T* w, const Layer& layer, Index columns,
                                                      Index rows) {
  if (layer.n_out == 1) {  // sums of one term: the tree would add zeros
    Vector<T> column{};
    if (rows == kWidth<T>) {
#pragma GCC unroll 16
      for (int i = 0; i < kWidth<T>; ++i) column[i] = w[i * layer.pitch];
    } else {
#pragma GCC unroll 16
      for (int i = 0; i < kWidth<T> - 1; ++i) {
        if (i < rows) column[i] = w[i * layer.pitch];
      }
    }
    return fma(column, delta[0], Vector<T>{});
  }
  Vector<T> sum[kWidth<T>] = {};
  if (rows == kWidth<T>) {
    for (Index j = 0; j < columns; ++j) {
      const Vector<T> error = load(delta + j * kWidth<T>);
#pragma GCC unroll 16
      for (int i = 0; i < kWidth<T>; ++i) sum[i] = fma(load(w + i * layer.pitch + j * kWidth<T>), error, sum[i]);
    }
  } else {
    for (Index j = 0; j < columns; ++j) {
      const Vector<T> error = load(delta + j * kWidth<T>);
#pragma GCC unroll 16
      for (int i = 0; i < kWidth<T> - 1; ++i) {
        if (i < rows) sum[i] = fma(load(w + i * layer.pitch + j * kWidth<T>), error, sum[i]);
      }
    }
  }
  return fold<T>(sum);
}

// d of all units of one row from its delta. d has room for whole vectors.
template <class T>
inline void backward_row(const T* delta, const Layer& layer, const T* theta, T* d) {
  const T* w = theta + layer.offset;
  for (Index i = 0; i < layer.n_in; i += kWidth<T>, w += kWidth<T> * layer.pitch) {
    const Index rows = layer.n_in - i < kWidth<T> ? layer.n_in - i : kWidth<T>;
    store<T>(d + i, backward_dots(delta, w, layer, vectors<T>(layer.n_out), rows));
  }
}

// Rows first .. last - 1 of some of W's columns into the columns of its transposed copy.
template <class T>
inline void transpose_rows(const T* W, const Layer& layer, Index first, Index last, Columns columns,
                           Matrix<T> transposed) {
  constexpr int w = kWidth<T>;
  const Index begin = columns.first * w, end = columns.last * w < layer.n_out ? columns.last * w : layer.n_out;
  Index i = first;
  for (; i + w <= last; i += w) {
    Index j = begin;
    for (; j + w <= end; j += w) {
      Vector<T> v[w];
#pragma GCC unroll 16
      for (int k = 0; k < w; ++k) v[k] = load(W + (i + k) * layer.pitch + j);
      transpose<T>(v);
#pragma GCC unroll 16
      for (int k = 0; k < w; ++k) store<T>(transposed.row(j + k) + i, v[k]);
    }
    for (; j < end; ++j) {
      for (int k = 0; k < w; ++k) transposed.row(j)[i + k] = W[(i + k) * layer.pitch + j];
    }
  }
  for (; i < last; ++i) {
    for (Index j = begin; j < end; ++j) transposed.row(j)[i] = W[i * layer.pitch + j];
  }
}

// ---- gradient: dE/dW = z^T delta -----------------------------------------------------------------------------------

// The sums of R consecutive rows of W by V vectors of columns, over `rows` samples, to finish(sum); ahead: what is called
// into the cache beside.
template <class T, int R, int V, class Finish>
[[gnu::noinline]] void gradient_sums(Matrix<const T> z, Matrix<const T> delta, Index rows, Ahead<T>& ahead,
                                     Finish finish) {
  Vector<T> sum[R][V] = {};
  const T* inputs = z.data;
  const T* error = delta.data;
#pragma GCC unroll 2
  for (Index s = 0; s < rows; ++s, inputs += z.stride, error += delta.stride) {
    ahead.some();
    Vector<T> e[V];
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) e[v] = load(error + v * kWidth<T>);
#pragma GCC unroll 16
    for (int k = 0; k < R; ++k) {
      const Vector<T> input = broadcast<T>(inputs[k]);
#pragma GCC unroll 16
      for (int v = 0; v < V; ++v) sum[k][v] = fma(e[v], input, sum[k][v]);
    }
  }
  finish(sum);
}

// A finish that writes the sums down: vector v of row k at k * V + v.
template <class T, int V>
struct WriteSums {
  Vector<T>* to;

  template <int R>
  [[gnu::always_inline]] void operator()(const Vector<T> (&sum)[R][V]) const {
#pragma GCC unroll 16
    for (int k = 0; k < R; ++k) {
#pragma GCC unroll 16
      for (int v = 0; v < V; ++v) to[k * V + v] = sum[k][v];
    }
  }
};

// The sums of a tile of `rows` rows through memory: use(k, v, sum) for vector v of each row k. For whoever does more with
// each than fits beside the sums in registers. sums: as gradient_panels has it.
template <class T, int V, class Sums, class Use>
[[gnu::always_inline]] inline void each_sum(Index rows, Sums sums, Use use) {
  Vector<T> all[2 * kTileRows];
  sums(WriteSums<T, V>{all});
  for (Index k = 0; k < rows; ++k) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) use(k, v, all[k * V + v]);
  }
}

// Panels of columns that go through the rows of W together: as many as keep their delta in cache.
[[gnu::always_inline]] inline Index panels_together(Index rows) { return rows < 256 ? 256 / (rows > 0 ? rows : 1) : 1; }

// Rows first .. last - 1 of W by panels of V vectors of columns, the panels begin .. end - 1: each(row, rows, panel, sums)
// for each tile, where sums(finish) hands its sums to finish.
template <class T, int V, class Each>
[[gnu::always_inline]] inline void gradient_panels(Matrix<const T> z, Matrix<const T> delta, Index rows, Index first,
                                                   Index last, Index begin, Index end, Ahead<T>& ahead, Each each) {
  constexpr int Most = static_cast<int>(kTileRows) * 2 / (V < 2 ? 2 : V);
  constexpr Index width = V * kWidth<T>;
  const Index together = panels_together(rows);
  for (; begin < end; begin += together) {
    const Index stop = end - begin < together ? end : begin + together;
    for (Index i = first; i < last; i += Most) {
      const Index tile = last - i < Most ? last - i : Most;
      for (Index p = begin; p < stop; ++p) {
        const Matrix<const T> inputs{z.data + i, z.stride};
        const Matrix<const T> errors{delta.data + p * width, delta.stride};
        each(i, tile, p, [=, &ahead](auto finish) {
          for_tiles<Most>(0, tile, [&]<int R>(Index, std::integral_constant<int, R>) {
            gradient_sums<T, R, V>(inputs, errors, rows, ahead, finish);
          });
        });
      }
    }
  }
}

// Hands the gradient of rows first .. last - 1 of some columns of [W; b], a tile of V vectors of columns at a time, to
// use.weights<V>(offset in theta, pitch, rows of the tile, sums), with sums as gradient_panels has it, and that of the
// biases, whose input is 1, to use.bias(offset, gradient).
template <class T, class Use>
inline void gradient_rows(Matrix<const T> z, Matrix<const T> delta, Index rows, const Layer& layer, Index first,
                          Index last, Columns columns, Ahead<T>& ahead, Use use) {
  constexpr Index w = kWidth<T>;
  const Index weights = last < layer.n_in ? last : layer.n_in;
  const auto panels = [&]<int V>(Index begin, Index end, std::integral_constant<int, V>) {
    gradient_panels<T, V>(z, delta, rows, first, weights, begin, end, ahead,
                          [=, pitch = layer.pitch, at = layer.offset](Index i, Index tile, Index p, auto sums) {
                            use.template weights<V>(at + i * pitch + p * V * w, pitch, tile, sums);
                          });
  };
  panels(columns.first / 2, columns.last / 2, std::integral_constant<int, 2>{});
  if (columns.last % 2 == 1) panels(columns.last - 1, columns.last, std::integral_constant<int, 1>{});
  for (Index j = columns.first; j < columns.last && weights < last; ++j) {
    Vector<T> sum{};
    for (Index s = 0; s < rows; ++s) sum += load(delta.row(s) + j * w);
    use.bias(layer.offset + layer.n_in * layer.pitch + j * w, sum);
  }
}

}  // namespace deltaprop::DELTAPROP_ISA
