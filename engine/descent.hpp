// Gradient descent in mini-batches: lines 3 to 9 of the lecture's algorithm, and the gradient of a set, which is the same
// pass with nothing learnt. (A step after every sample: online.hpp.)
//
// A step over m rows: theta <- theta - eta (1/m) sum over its rows of w dE/dtheta. Rows go through in chunks of
// kStepRows, and the sums of the chunks are added in ascending order, in float64. Threads divide each chunk twice: first
// its rows (lines 4 to 6), then, after a barrier, the rows of every [W; b] (lines 7 to 9). Of a wide layer each thread has
// columns of its own instead (is_owned, share.hpp), on the way forward and at the step, and holds them apart from the
// others' (held.hpp). No division changes the order of any sum.
#pragma once

#include "backpropagation.hpp"
#include "held.hpp"
#include "update.hpp"

namespace deltaprop::DELTAPROP_ISA {

// One thread at the steps of a team.
template <class T>
struct Place {
  Team team;
  PlanView held;  // the plan, with the places of every [W; b] in theta
  const T* theta;
  Workspace<T> work;
  // Whether the first layer is done without waiting for others: its columns are this thread's, and all samples packed.
  bool ahead;

  Place(const PlanView& plan, const PlanView& its, const T* its_theta, const Workspace<T>& shared, Team its_team)
      : team(its_team),
        held(its),
        theta(its_theta),
        work(shared),
        ahead(shared.x_each > 0 && is_owned<T>(plan.layers[0], team)) {
    if (ahead) work.x.data += team.thread * shared.x_each;
  }
};

// Lines 7 to 9 for this thread's share of all [W; b], its own columns of layers that have such and its share of all rows of
// the others: hands the gradient of the chunk in `work` to use (gradient_rows), and what it changed of each layer to
// done(layer, first row, last, columns).
template <class T, class Use, class Done>
inline void gradient_share(const PlanView& plan, const Place<T>& place, Index rows, Ahead<T>& ahead, Use use,
                           Done done) {
  const Team team = place.team;
  const Workspace<T>& work = place.work;
  const auto part = [&](int l, Index first, Index stop, Columns columns) {
    gradient_rows<T>(inputs_of(plan, l, work), rows_of(work.delta, work, plan.layers[l]), rows, place.held.layers[l],
                     first, stop, columns, ahead, use);
    done(l, first, stop, columns);
  };
  Index all = 0;
  for (int l = 0; l < plan.depth; ++l) all += is_owned<T>(plan.layers[l], team) ? 0 : plan.layers[l].rows();
  Index first = team.first(all);
  Index last = team.last(all);
  for (int l = 0; l < plan.depth; ++l) {
    const Layer& layer = plan.layers[l];
    if (is_owned<T>(layer, team)) {
      part(l, 0, layer.rows(), own_columns<T>(layer, team));
      continue;
    }
    const Index stop = last < layer.rows() ? last : layer.rows();
    if (first < stop) part(l, first, stop, Columns::all<T>(layer));
    first = first < layer.rows() ? 0 : first - layer.rows();
    last = last < layer.rows() ? 0 : last - layer.rows();
  }
}

// About how many tiles a thread's share of a gradient has.
template <class T>
inline Index tiles_of_share(const PlanView& plan, Team team) {
  Index tiles = 0;
  for (int l = 0; l < plan.depth; ++l) {
    const Layer& layer = plan.layers[l];
    tiles += (layer.n_in / kTileRows + 1) * ((vectors<T>(layer.n_out) + 1) / 2);
  }
  return tiles / team.size + 1;
}

// Rows first .. last - 1 of some of the columns of layer l's W into its transposed copy, where there are such copies. held:
// the layer with the place of its [W; b] in theta.
template <class T>
inline void refresh_transposed(const PlanView& plan, int l, const Layer& held, const T* theta, const Workspace<T>& work,
                               Index first, Index last, Columns columns) {
  if (l == 0 || work.transposed == nullptr) return;
  transpose_rows<T>(theta + held.offset, held, first, last < held.n_in ? last : held.n_in, columns,
                    {work.transposed + held.transposed, plan.layers[l - 1].pitch});
}

// A row of weight 0 changes nothing, even where its own numbers are not finite: 0 inf would be NaN.
// `all`: not of the packed inputs alone.
template <class T>
inline void forget(const PlanView& plan, const Workspace<T>& work, Index s, bool all) {
  for (int l = 0; l < (all ? plan.depth : 1); ++l) {
    const Layer& layer = plan.layers[l];
    __builtin_memset(inputs_of(plan, l, work, s).data, 0, static_cast<std::size_t>(layer.n_in) * sizeof(T));
    if (!all) continue;
    __builtin_memset(rows_of(work.delta, work, layer, s).data, 0, static_cast<std::size_t>(layer.pitch) * sizeof(T));
  }
}

// What takes the gradient of one chunk in: it goes on times scale to `finish`, or, where a step has several chunks, into
// the sum over them first.
template <class T, class Finish>
struct Collect {
  Finish finish;
  T scale;
  double* partial;  // the sum of the chunks before; not used where a step is one chunk
  bool more_before, more_after;

  template <int V, class Sums>
  [[gnu::always_inline]] void weights(Index offset, Index pitch, Index rows, Sums sums) const {
    finish.template soon<V>(offset, pitch, rows);
    if (!more_before && !more_after) return finish.template weights<V>(offset, pitch, rows, sums, scale);
    each_sum<T, V>(rows, sums, [&](Index k, int v, Vector<T> g) {
      const Index at = offset + k * pitch + v * kWidth<T>;
      if (add(at, g)) finish.weight(at, g);
    });
  }
  [[gnu::always_inline]] void bias(Index offset, Vector<T> g) const {
    if (!more_before && !more_after) return finish.bias(offset, g * scale);
    if (add(offset, g)) finish.bias(offset, g);
  }

 private:
  // Adds g to what the chunks before have at an offset; where this is the last chunk, g becomes the step's gradient.
  [[gnu::always_inline]] bool add(Index offset, Vector<T>& g) const {
    Wide<T> total = widen<T>(g);
    if (more_before) {
      Wide<T> before;
      __builtin_memcpy(&before, partial + offset, sizeof before);
      total += before;
    }
    if (more_after) {
      __builtin_memcpy(partial + offset, &total, sizeof total);
      return false;
    }
    g = narrow<T>(total) * scale;
    return true;
  }
};

// Line 4 of all rows, which this thread has its share of: after it each thread has a and z of its share, team.first(rows) to
// team.last(rows). Around a layer whose columns are owned the threads wait, for their inputs and for their outputs.
template <class T>
inline void forward(const PlanView& plan, const Place<T>& place, const Rows<T>& samples, Index sample, Index rows) {
  const Team team = place.team;
  bool together = false;  // whether the others may still write what this thread reads next
  for (int l = 0; l < plan.depth; ++l) {
    const Layer& layer = plan.layers[l];
    const bool owned = is_owned<T>(layer, team);
    if (together || (owned && !(l == 0 && place.ahead))) team.wait();
    const Index first = owned ? 0 : team.first(rows), last = owned ? rows : team.last(rows);
    forward_layer(plan, l, place.held.layers[l], place.theta, samples, sample, place.work, first, last,
                  owned ? own_columns<T>(layer, team) : Columns::all<T>(layer));
    together = owned;
  }
  if (together) team.wait();
}

// One step over samples start .. start + m - 1: the gradient of all its chunks, times scale, to finish, and then, layer by
// layer, the rows that it touched to done. After it the other threads may still be at it.
template <class T, class Finish, class Done>
inline void step(const PlanView& plan, Place<T>& place, const Rows<T>& samples, Index start, Index m, T scale,
                 double* partial, Sums* sums, Finish finish, Done done) {
  const Team team = place.team;
  Workspace<T>& work = place.work;
  for (Index chunk = 0; chunk < m; chunk += kStepRows) {
    const Index rows = m - chunk < kStepRows ? m - chunk : kStepRows;
    const Index first = team.first(rows), last = team.last(rows);
    const Index first_packed = place.ahead ? 0 : first, last_packed = place.ahead ? rows : last;
    if (place.ahead) {
      T* const z = work.z;
      work.z = work.other_z;
      work.other_z = z;
    } else {
      team.wait();
    }
    pack(samples, start + chunk + first_packed, last_packed - first_packed, inputs_of(plan, 0, work, first_packed));
    forward(plan, place, samples, start + chunk, rows);
    if (first < last) {
      output_errors(plan, samples, start + chunk, work, first, last);
      backward(plan, place.theta, samples, work, first, last);
    }
    for (Index s = first_packed; s < last_packed && samples.weight; ++s) {
      if (samples.w(start + chunk + s) == T{0}) forget(plan, work, s, first <= s && s < last);
    }
    team.wait();
    if (team.thread == 0) add_losses(samples, start + chunk, 0, rows, work, sums);
    const Index next = start + chunk + rows;
    const Index next_rows = samples.n - next < rows ? samples.n - next : rows;
    Ahead<T> ahead(samples, next + (place.ahead ? 0 : team.first(next_rows)),
                   next + (place.ahead ? next_rows : team.last(next_rows)), rows * tiles_of_share<T>(plan, team));
    const Collect<T, Finish> collect{finish, scale, partial, chunk > 0, chunk + rows < m};
    gradient_share(plan, place, rows, ahead, collect, done);
  }
}

// All rows of all layers into the transposed copies, this thread's share of them.
template <class T>
inline void transpose_all(const PlanView& plan, const T* theta, const Workspace<T>& work, Team team) {
  for (int l = 1; l < plan.depth; ++l) {
    const Layer& layer = plan.layers[l];
    refresh_transposed(plan, l, layer, theta, work, team.first(layer.n_in), team.last(layer.n_in),
                       Columns::all<T>(layer));
  }
  team.wait();
}

template <class T>
void descend(const PlanView& plan, const LearningView<T>& all, const Rows<T>& samples, const double* eta, Index n_eta,
             Index batch_size, const Workspace<T>& work, const StepScratch<T>& scratch, Sums* sums, Barrier& barrier,
             [[maybe_unused]] int threads) {
  const Index before = sums->steps;
#pragma omp parallel num_threads(threads) if (threads > 1)
  {
    const Arithmetic arithmetic(Subnormals::flushed);
    const Team team = Team::here(&barrier);
    transpose_all(plan, all.theta, work, team);
    const Held<T> held(plan, all, scratch.held, team);
    const LearningView<T>& learning = held.learning;
    Place<T> place(plan, held.plan, learning.theta, work, team);
    with_update<T>(learning.definition->optimizer, [&]<class Update>(std::type_identity<Update>) {
      Index n = 0;
      for (Index start = 0; start < samples.n; start += batch_size, ++n) {
        const Index m = samples.n - start < batch_size ? samples.n - start : batch_size;
        const Update update(learning, eta[n_eta > 1 ? n : 0], before + n + 1);
        step(plan, place, samples, start, m, T{1} / static_cast<T>(m), scratch.partial, sums, update,
             [&](int l, Index first, Index last, Columns columns) {
               refresh_transposed<T>(plan, l, held.plan.layers[l], learning.theta, work, first, last, columns);
             });
      }
    });
    held.put_back();
  }
  sums->steps = before + (samples.n + batch_size - 1) / batch_size;
  clear_padding(plan, all);
}

// A gradient that is kept.
template <class T>
struct Keep {
  T* out;

  [[gnu::always_inline]] void bias(Index offset, Vector<T> g) const { store<T>(out + offset, g); }
  [[gnu::always_inline]] void weight(Index offset, Vector<T> g) const { store<T>(out + offset, g); }
  template <int V, class Sums>
  [[gnu::always_inline]] void weights(Index offset, Index pitch, Index rows, Sums sums, T scale = T{1}) const {
    each_sum<T, V>(rows, sums, [=, to = out](Index k, int v, Vector<T> g) {
      store<T>(to + offset + k * pitch + v * kWidth<T>, g * scale);
    });
  }
  template <int V>
  [[gnu::always_inline]] void soon(Index, Index, Index) const {}
};

template <class T>
void gradient(const PlanView& plan, const T* theta, const Rows<T>& samples, T* out, const Workspace<T>& work,
              double* partial, Sums* sums, Barrier& barrier, [[maybe_unused]] int threads) {
#pragma omp parallel num_threads(threads) if (threads > 1)
  {
    const Arithmetic arithmetic(Subnormals::flushed);
    const Team team = Team::here(&barrier);
    double weight = 0;
    for (Index s = 0; s < samples.n; ++s) weight += static_cast<double>(samples.w(s));
    transpose_all(plan, theta, work, team);
    Place<T> place(plan, plan, theta, work, team);
    step(plan, place, samples, 0, samples.n, static_cast<T>(1 / weight), partial, sums, Keep<T>{out},
         [](int, Index, Index, Columns) {});
  }
}

}  // namespace deltaprop::DELTAPROP_ISA
