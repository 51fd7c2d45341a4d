// Online descent in blocks, exactly: the iterates of the naive order, with the first layer as matrix products.
//
// Within a block the first layer's inputs x_s are known and its updates are of rank one. With the linear rule
// (linear_rule.hpp) and u = (W, V),
//
//   W_s = P_s u_0 + sum over r < s of K_sr x_r^T delta_r          (first row of P_s, first number of K_sr)
//   a_s = P_s (X W_0, X V_0)_s + P'_s (b_0, Vb_0) + sum over r < s of (K_sr (x_s . x_r) + K'_sr) delta_r
//   W_B = P_B u_0 + X^T (K_B delta),   b_B = P'_B (b_0, Vb_0) + sum over r of K'_Br delta_r
//
// primed for the biases, which no penalty holds. So a block needs X W_0 (and X V_0), the products x_s . x_r, and X^T (K
// delta): three matrix products in place of reading and writing W at every sample. The layers above are trained sample by
// sample, in between. Only rounding differs from the naive order.
#pragma once

#include "held.hpp"
#include "linear_rule.hpp"
#include "narrow.hpp"
#include "one_unit.hpp"

namespace deltaprop::DELTAPROP_ISA {

// gram[s][r] = x_s . x_r for r < s, this thread's share: in each lane of a vector one chain over ascending i, then the
// tree. x is padded with zeros to whole vectors; what is written to the rest of gram (kMostBlock rows) means nothing.
template <class T>
inline void gram_share(Matrix<const T> x, Index rows, Index n_in, Matrix<T> gram, Team team) {
  constexpr int S = 4, R = 2;
  static_assert(kMostBlock % S == 0);
  const Index columns = vectors<T>(n_in) * kWidth<T>;
  const auto row = [=](Index s) { return x.row(s < rows ? s : rows - 1); };
  Index tile = 0;
  for (Index s0 = 0; s0 < rows; s0 += S) {
    for (Index r0 = 0; r0 < s0 + S - 1 && r0 < rows; r0 += R) {
      if (team.size > 1 && tile++ % team.size != team.thread) continue;
      const T* from[S];
      const T* to[R];
      for (int s = 0; s < S; ++s) from[s] = row(s0 + s);
      for (int r = 0; r < R; ++r) to[r] = row(r0 + r);
      Vector<T> sum[S * R] = {};
      for (Index i = 0; i < columns; i += kWidth<T>) {
#pragma GCC unroll 4
        for (int r = 0; r < R; ++r) {
          const Vector<T> other = load(to[r] + i);
#pragma GCC unroll 4
          for (int s = 0; s < S; ++s) sum[r * S + s] = fma(load(from[s] + i), other, sum[r * S + s]);
        }
      }
      constexpr int Parts = (S * R + kWidth<T> - 1) / kWidth<T>;
      T dot[Parts * kWidth<T>];
      for (int p = 0; p < Parts; ++p) {
        Vector<T> part[kWidth<T>] = {};
        for (int k = 0; k < kWidth<T> && p * kWidth<T> + k < S * R; ++k)
          part[k] = sum[(p * kWidth<T> + k) % R * S + (p * kWidth<T> + k) / R];
        store<T>(dot + p * kWidth<T>, fold<T>(part));
      }
#pragma GCC unroll 4
      for (int s = 0; s < S; ++s) __builtin_memcpy(gram.row(s0 + s) + r0, dot + s * R, R * sizeof(T));
    }
  }
}

// This thread's share of the first layer's W (and V), its own columns or its share of the rows, moved over the block's n
// steps. `weighted` holds for every sample the vectors of K_W delta, and beside each that of K_V delta where there is a V.
template <class T, int States>
[[gnu::noinline]] void move_weights(const Layer& layer, const Held<T>& held, Matrix<const T> x,
                                    Matrix<const T> weighted, Index n, const Matrix2& P, Team team, Ahead<T> ahead) {
  const T ww = static_cast<T>(P.ww), wv = static_cast<T>(P.wv), vw = static_cast<T>(P.vw), vv = static_cast<T>(P.vv);
  const bool owned = is_owned<T>(layer, team);
  const Columns columns = owned ? own_columns<T>(layer, team) : Columns::all<T>(layer);
  const Index first = owned ? 0 : team.first(layer.n_in), last = owned ? layer.n_in : team.last(layer.n_in);
  const Index pitch = held.plan.layers[0].pitch;
  constexpr Index width = kWidth<T>;
  T* W = held.learning.theta + held.plan.layers[0].offset;
  T* momentum = held.learning.state + held.plan.layers[0].offset;
  const auto panels = [&]<int V>(Index begin, Index end, std::integral_constant<int, V>) {
    gradient_panels<T, V * (1 + States)>(
        x, weighted, n, first, last, begin, end, ahead, [=](Index i, Index rows, Index p, auto sums) {
          T* const w = W + i * pitch + p * V * width;
          T* const m = momentum + i * pitch + p * V * width;
          call_tile<T, V>(w, pitch, rows);
          if constexpr (States > 0) call_tile<T, V>(m, pitch, rows);
          // With a state the sums of K_W delta and of K_V delta lie side by side.
          sums([=]<int R>(const Vector<T>(&sum)[R][V*(1 + States)]) __attribute__((always_inline)) {
#pragma GCC unroll 16
            for (int k = 0; k < R; ++k) {
#pragma GCC unroll 16
              for (int v = 0; v < V; ++v) {
                const Index at = k * pitch + v * width;
                const Vector<T> before = load(w + at);
                if constexpr (States == 0) {
                  store<T>(w + at, fma(before, ww, sum[k][v]));
                } else {
                  const Vector<T> moving = load(m + at);
                  store<T>(w + at, fma(before, ww, fma(moving, wv, sum[k][0])));
                  store<T>(m + at, fma(before, vw, fma(moving, vv, sum[k][1])));
                }
              }
            }
          });
        });
  };
  if constexpr (States > 0) {
    panels(columns.first, columns.last, std::integral_constant<int, 1>{});
  } else {
    panels(columns.first / 2, columns.last / 2, std::integral_constant<int, 2>{});
    if (columns.last % 2 == 1) panels(columns.last - 1, columns.last, std::integral_constant<int, 1>{});
  }
}

// The blocks of one pass: one object for all threads of the team, each of which goes through `run`. Above: what holds the
// layers above the first, NarrowLayers or OneUnit.
template <class T, class Rule, class Above>
class Blocks {
 public:
  static constexpr int kStates = Rule::kStates;
  static constexpr Index kShort = 128;  // inputs

  Blocks(const PlanView& plan, const LearningView<T>& learning, const Rows<T>& samples, const OnlineScratch<T>& scratch)
      : plan_(plan),
        layer_(plan.layers[0]),
        learning_(learning),
        samples_(samples),
        scratch_(scratch),
        above_(plan, learning, scratch.narrow),
        plain_(kStates == 0 && !learning.definition->shrinks()),
        short_(layer_.n_in <= kShort && !samples.sparse()) {}

  void run(const double* eta, Index n_eta, Index block, Sums* sums, Team team) {
    Layer weights = layer_;
    weights.bias = false;
    PlanView first = plan_;
    first.layers = &weights;
    first.depth = 1;
    const Held<T> held(first, learning_, scratch_.held, team);
    for (Index start = 0; start < samples_.n; start += block) {
      const Index stop = samples_.n - start < block ? samples_.n : start + block;
      if (team.thread == 0) begin(eta, n_eta, start, stop);
      team.wait();
      const Index n = count_;
      const Ahead<T> ahead = short_ ? Ahead<T>() : next_block(stop, block, n, team);
      products(n, held, team);
      team.wait();
      if (team.thread == 0) {
        coefficients(n);
        one_by_one(n, eta, n_eta, sums, short_ ? stop : samples_.n);
        add_losses(plan_, samples_, kept_, n, work(), sums);
        weigh(n);
      }
      team.wait();
      move_weights<T, kStates>(layer_, held, work().x, scratch_.weighted, n, weights_.P(n), team, ahead);
      team.wait();  // x is packed anew
    }
    held.put_back();
    if (team.thread == 0) above_.put_back();
  }

 private:
  const Workspace<T>& work() const { return scratch_.work; }
  // The next block's samples, to be called into the cache by the thread that packs them, evenly over move_weights, where most
  // of the time goes. (Where samples are short W is soon moved: one_by_one calls one with each of this block's.)
  Ahead<T> next_block(Index stop, Index block, Index n, Team team) const {
    const Index panels = kStates > 0 ? vectors<T>(layer_.n_out) : (vectors<T>(layer_.n_out) + 1) / 2;
    const Index tiles = (layer_.n_in / kTileRows + 1) * panels / team.size;
    return {samples_, stop, team.thread == 0 ? stop + block : stop, n * tiles};
  }
  T* W() const { return learning_.theta + layer_.offset; }
  T* V() const { return learning_.state + layer_.offset; }

  // The samples of the block that are not of weight 0, packed, and the coefficients of their steps.
  void begin(const double* eta, Index n_eta, Index start, Index stop) {
    Index n = 0;
    for (Index s = start; s < stop; ++s) {
      if (samples_.w(s) == T{0}) continue;
      kept_[n] = s;
      pack(samples_, s, 1, {work().x.row(n), work().x.stride});
      ++n;
    }
    count_ = n;
    if (start > 0 && n_eta == 1 && n <= set_) return;
    double etas[kMostBlock];
    for (Index s = 0; s < n && n_eta > 1; ++s) etas[s] = eta[kept_[s]];
    weights_.set(*learning_.definition, n_eta > 1 ? etas : eta, n_eta, n, true);
    biases_.set(*learning_.definition, n_eta > 1 ? etas : eta, n_eta, n, false);
    set_ = n;
  }

  // X W_0, X V_0 and the products x_s . x_r: this thread's columns, and its share of the pairs.
  void products(Index n, const Held<T>& held, Team team) {
    const auto [first, last] = own_columns<T>(layer_, team);
    const Matrix<T> a = rows_of(work().a, work(), layer_);
    const T* start = plain_ && layer_.bias ? W() + layer_.n_in * layer_.pitch : nullptr;
    const Layer& place = held.plan.layers[0];
    product<T>(work().x, n, layer_.n_in, {held.learning.theta + place.offset, place.pitch}, {start, 0}, a, first, last);
    if constexpr (kStates > 0) {
      product<T>(work().x, n, layer_.n_in, {held.learning.state + place.offset, place.pitch}, {nullptr, 0},
                 {scratch_.a_state, layer_.pitch}, first, last);
    }
    gram_share<T>(work().x, n, layer_.n_in, scratch_.gram, team);
  }

  // gram becomes the coefficients of delta, and a what the block's own beginning adds to it.
  void coefficients(Index n) {
    for (Index s = 1; s < n; ++s) {
      T* of_s = scratch_.gram.row(s);
      for (Index r = 0; r < s; r += kWidth<T>) {
        const Vector<T> bias = layer_.bias ? load(biases_.w(s) + r) : Vector<T>{};
        store<T>(of_s + r, fma(load(weights_.w(s) + r), load(of_s + r), bias));
      }
    }
    if (plain_) return;
    const Index columns = vectors<T>(layer_.n_out) * kWidth<T>;
    const Index biases = layer_.n_in * layer_.pitch;
    for (Index s = 0; s < n; ++s) {
      const Matrix2& P = weights_.P(s);
      const Matrix2& Pb = biases_.P(s);
      T* a = rows_of(work().a, work(), layer_, s).data;
      for (Index j = 0; j < columns; j += kWidth<T>) {
        Vector<T> sum = load(a + j) * static_cast<T>(P.ww);
        if (layer_.bias) sum = fma(load(W() + biases + j), static_cast<T>(Pb.ww), sum);
        if constexpr (kStates > 0) {
          sum = fma(load(scratch_.a_state + s * layer_.pitch + j), static_cast<T>(P.wv), sum);
          if (layer_.bias) sum = fma(load(V() + biases + j), static_cast<T>(Pb.wv), sum);
        }
        store<T>(a + j, sum);
      }
    }
  }

  // Adds to a, N vectors, what the `before` samples before it have changed.
  template <int N>
  [[gnu::always_inline]] static void correct(Vector<T> (&a)[N], const T* delta, Index stride, const T* coefficient,
                                             Index before) {
    constexpr int Chains = N > 2 ? 1 : 4;  // of few columns the sums are waited for
    Vector<T> sum[Chains][N] = {};
    Index r = 0;
    for (; r + Chains <= before; r += Chains) {
#pragma GCC unroll 4
      for (int k = 0; k < Chains; ++k, delta += stride) {
        const Vector<T> factor = broadcast<T>(coefficient[r + k]);
#pragma GCC unroll 8
        for (int v = 0; v < N; ++v) {
          Vector<T>& to = k == 0 ? a[v] : sum[k][v];
          to = fma(load(delta + v * kWidth<T>), factor, to);
        }
      }
    }
    for (; r < before; ++r, delta += stride) {
#pragma GCC unroll 8
      for (int v = 0; v < N; ++v) a[v] = fma(load(delta + v * kWidth<T>), coefficient[r], a[v]);
    }
    if constexpr (Chains == 4) {
#pragma GCC unroll 8
      for (int v = 0; v < N; ++v) a[v] = (a[v] + sum[1][v]) + (sum[2][v] + sum[3][v]);
    }
  }

  // The block's samples, one after the other, through all that is not the first layer's W.
  // next: the sample from which on as many are called ahead, if there are so many.
  void one_by_one(Index n, const double* eta, Index n_eta, Sums* sums, Index next) {
    const PlanView plan = plan_;
    const Rows<T> samples = samples_;
    const Workspace<T> space = work();
    const Matrix<T> gram = scratch_.gram;
    const Matrix<T> all_a = rows_of(space.a, space, layer_);
    const Matrix<T> deltas = rows_of(space.delta, space, layer_);
    Above above = above_;
    Update<T, Rule> update(learning_, eta[0], 0);  // a linear rule does not count its steps
    for (Index s = 0; s < n; ++s) {
      if (next + s < samples.n) call_sample(samples, next + s);
      if (n_eta > 1) update = Update<T, Rule>(learning_, eta[kept_[s]], 0);
      const Index row = samples.row(kept_[s]);
      const T* r = samples.R + row * samples.n_out;
      const T w = samples.weight ? samples.weight[row] : T{1};
      const auto corrected = [&]<int N>(Vector<T>(&a)[N], Index j) {
#pragma GCC unroll 8
        for (int v = 0; v < N; ++v) a[v] = load(all_a.row(s) + (j + v) * kWidth<T>);
        correct(a, deltas.data + j * kWidth<T>, deltas.stride, gram.row(s), s);
      };
      if constexpr (Above::kVectors > 0) {  // in registers
        Vector<T> a[Above::kVectors], delta[Above::kVectors];
        corrected(a, 0);
        rows_of(space.a, space, plan.output()).row(s)[0] = above.step(a, *r, w, update, delta);
#pragma GCC unroll 2
        for (int v = 0; v < Above::kVectors; ++v) store<T>(deltas.row(s) + v * kWidth<T>, delta[v]);
      } else {
        const auto part = [&]<int N>(Index j, std::integral_constant<int, N>) {
          Vector<T> a[N];
          corrected(a, j);
#pragma GCC unroll 8
          for (int v = 0; v < N; ++v) store<T>(all_a.row(s) + (j + v) * kWidth<T>, a[v]);
        };
        const Index columns = vectors<T>(layer_.n_out);
        Index j = 0;
        for (; j + 8 <= columns; j += 8) part(j, std::integral_constant<int, 8>{});
        for (; j + 2 <= columns; j += 2) part(j, std::integral_constant<int, 2>{});
        for (; j < columns; ++j) part(j, std::integral_constant<int, 1>{});
        above_first_layer(plan, above, samples, kept_[s], space, s, all_a.row(s), deltas.row(s), r, w, update);
      }
    }
    above_ = above;
    sums->steps += n;
  }

  // The block's delta times its coefficients, for move_weights; and the biases moved.
  void weigh(Index n) {
    const Index columns = vectors<T>(layer_.n_out) * kWidth<T>;
    const Matrix<T> delta = rows_of(work().delta, work(), layer_);
    for (Index s = 0; s < n; ++s) {
      T* to = scratch_.weighted.row(s);
      for (Index j = 0; j < columns; j += kWidth<T>) {
        const Vector<T> error = load(delta.row(s) + j);
        store<T>(to + j * (1 + kStates), error * weights_.w(n)[s]);
        if constexpr (kStates > 0) store<T>(to + j * 2 + kWidth<T>, error * weights_.v(n)[s]);
      }
    }
    if (!layer_.bias) return;
    const Matrix2& P = biases_.P(n);
    for (Index j = 0; j < columns; j += kWidth<T>) {
      Vector<T> w{}, v{};
      for (Index s = 0; s < n; ++s) {
        const Vector<T> error = load(delta.row(s) + j);
        w = fma(error, biases_.w(n)[s], w);
        if constexpr (kStates > 0) v = fma(error, biases_.v(n)[s], v);
      }
      T* b = W() + layer_.n_in * layer_.pitch + j;
      const Vector<T> before = load(b);
      w = fma(before, static_cast<T>(P.ww), w);
      if constexpr (kStates > 0) {
        T* vb = V() + layer_.n_in * layer_.pitch + j;
        const Vector<T> momentum = load(vb);
        w = fma(momentum, static_cast<T>(P.wv), w);
        store<T>(vb, fma(before, static_cast<T>(P.vw), fma(momentum, static_cast<T>(P.vv), v)));
      }
      store<T>(b, w);
    }
  }

  PlanView plan_;
  const Layer& layer_;
  LearningView<T> learning_;
  Rows<T> samples_;
  OnlineScratch<T> scratch_;
  Above above_;
  bool plain_;              // W only moves: u_s is u_0 and what the samples before have added
  bool short_;              // samples are
  Index kept_[kMostBlock];  // the block's samples
  Index count_ = 0;
  LinearSteps<T> weights_, biases_;
  Index set_ = 0;  // steps that they are set for
};

// Calls use(type_identity<Above>{}) with what holds the layers above the first.
template <class T, class Rule, int V = 1, class Use>
inline void with_layers_above(const PlanView& plan, Use use) {
  if (!plan.is_small()) return use(std::type_identity<NarrowLayers<T, Rule>>{});
  if constexpr (V < kMostSmall / kWidth<T>) {
    if (vectors<T>(plan.layers[0].n_out) > V) return with_layers_above<T, Rule, 2 * V>(plan, use);
  }
  use(std::type_identity<OneUnit<T, Rule, V>>{});
}

}  // namespace deltaprop::DELTAPROP_ISA
