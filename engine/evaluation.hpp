// What a network says without learning: y of rows, E of rows, and the record of one sample with everything in it.
#pragma once

#include "descent.hpp"

namespace deltaprop::DELTAPROP_ISA {

// Calls use(first sample, rows, work) for every chunk of the samples, chunks dealt to threads, each with its own
// scratch.
template <class T, class Use>
inline void for_each_chunk(const Rows<T>& samples, const Workspace<T>* per_thread, [[maybe_unused]] int threads,
                           Use use) {
  const auto share = [&](Team team) {
    const Arithmetic arithmetic(Subnormals::flushed);
    Workspace<T> work = per_thread[team.thread];
    const Matrix<T> packed = work.x;
    const Index chunks = (samples.n + work.rows - 1) / work.rows;
    for (Index c = team.first(chunks); c < team.last(chunks); ++c) {
      const Index start = c * work.rows;
      const Index rows = samples.n - start < work.rows ? samples.n - start : work.rows;
      if (samples.order || samples.sparse() || samples.draws.on) {
        pack(samples, start, rows, packed);
      } else {  // read where they stand
        work.x = {const_cast<T*>(samples.X + start * samples.n_in), samples.n_in};
      }
      use(start, rows, work);
    }
  };
  if (threads == 1) return share({0, 1, nullptr});  // making a team of one costs more than a small network
#pragma omp parallel num_threads(threads)
  share(Team::here());
}

// Whether n numbers are all finite.
template <class T>
inline bool all_finite(const T* x, Index n) {
  Vector<T> sum{};
  Index k = 0;
  for (; k + kWidth<T> <= n; k += kWidth<T>) sum = fma(load(x + k), T{0}, sum);  // 0 inf is NaN
  T rest = 0;
  for (; k < n; ++k) rest += x[k] * T{0};
  for (int l = 0; l < kWidth<T>; ++l) rest += sum[l];
  return rest == T{0};
}

// Whether all inputs of so many rows were finite, by a of the first layer: an input that is not, times whatever weight,
// leaves no a finite. A finite one may too, if it is huge; so the inputs of such a row are looked at.
template <class T>
inline bool finite_inputs(const PlanView& plan, const Workspace<T>& work, Index rows) {
  const Matrix<T> a = rows_of(work.a, work, plan.layers[0]);
  bool finite = true;
  for (Index s = 0; s < rows; ++s) {
    if (a.row(s)[0] * T{0} != T{0}) finite = all_finite(work.x.row(s), plan.n_in()) && finite;
  }
  return finite;
}

// Returns whether all inputs were finite.
template <class T>
bool predict(const PlanView& plan, const T* theta, const Rows<T>& samples, T* y, const Workspace<T>* per_thread,
             int threads) {
  const Layer& output = plan.output();
  int not_finite = 0;
  for_each_chunk(samples, per_thread, threads, [&](Index start, Index rows, const Workspace<T>& work) {
    forward(plan, theta, samples, start, work, 0, rows);
    if (!finite_inputs(plan, work, rows)) __atomic_store_n(&not_finite, 1, __ATOMIC_RELAXED);
    activate_output<T>(plan, rows_of(work.a, work, output), rows, y + start * output.n_out);
  });
  return not_finite == 0;
}

template <class T>
void loss(const PlanView& plan, const T* theta, const Rows<T>& samples, Sums* chunk_sums,
          const Workspace<T>* per_thread, Sums* sum, int threads) {
  for_each_chunk(samples, per_thread, threads, [&](Index start, Index rows, const Workspace<T>& work) {
    forward(plan, theta, samples, start, work, 0, rows);
    output_errors(plan, samples, start, work, 0, rows);
    Sums& of_chunk = chunk_sums[start / work.rows];
    of_chunk = Sums{};
    add_losses(samples, start, 0, rows, work, &of_chunk);
  });
  const Arithmetic arithmetic(Subnormals::flushed);
  const Index chunks = (samples.n + per_thread[0].rows - 1) / per_thread[0].rows;
  for (Index c = 0; c < chunks; ++c) {
    sum->E += chunk_sums[c].E;
    sum->weight += chunk_sums[c].weight;
  }
}

// The descent step of sample s, recorded: lines 4 to 8 by the functions that train, copied out instead of learnt from.
template <class T>
void trace(const PlanView& plan, const T* theta, const Rows<T>& samples, Index s, const TraceRow<T>& out,
           const Workspace<T>& work) {
  const Arithmetic arithmetic(Subnormals::flushed);
  pack(samples, s, 1, work.x);
  forward(plan, theta, samples, s, work, 0, 1);
  output_errors(plan, samples, s, work, 0, 1);
  backward(plan, theta, samples, work, 0, 1);
  Ahead<T> nothing;
  const Place<T> place(plan, plan, theta, work, {0, 1, nullptr});
  gradient_share<T>(plan, place, 1, nothing, Keep<T>{out.gradient}, [](int, Index, Index, Columns) {});
  *out.E = work.E[0];
  if (out.x) copy(work.x.data, plan.n_in(), out.x);
  for (int l = 0; l < plan.depth; ++l) {
    const Layer& layer = plan.layers[l];
    T* a = rows_of(work.a, work, layer).data;
    const T* z = rows_of(work.z, work, layer).data;
    const auto bytes = static_cast<std::size_t>(layer.n_out) * sizeof(T);
    __builtin_memcpy(out.a[l], a, bytes);
    __builtin_memcpy(out.z[l], z, bytes);
    __builtin_memcpy(out.delta[l], rows_of(work.delta, work, layer).data, bytes);
    if (layer.h == Activation::softmax) {  // the Jacobian dy_j/da_k = y_j (1{j = k} - y_k)
      for (Index j = 0; j < layer.n_out; ++j) {
        for (Index k = 0; k < layer.n_out; ++k) {
          out.dh[l][j * layer.n_out + k] = z[j] * ((j == k ? T{1} : T{0}) - z[k]);
        }
      }
    } else if (l + 1 < plan.depth && drops(plan, l, samples)) {
      __builtin_memcpy(out.dh[l], rows_of(work.slope, work, layer).data, bytes);
    } else {
      differentiate(layer.h, a, z, a, vectors<T>(layer.n_out));
      __builtin_memcpy(out.dh[l], a, bytes);
    }
  }
}

template <class T>
void program(const ProgramView& program, const T* const* inputs, T* const* outputs, Index n) {
  const Arithmetic arithmetic(Subnormals::kept);
  for (Index first = 0; first < n; first += kWidth<T>) {
    const Index count = n - first < kWidth<T> ? n - first : kWidth<T>;
    Slots<T, 1> slots;
    for (int i = 0; i < program.inputs; ++i) slots[i][0] = load_first(inputs[i] + first, count);
    run<T, 1>(program, slots);
    for (int o = 0; o < program.n_outputs; ++o) {
      for (Index k = 0; k < count; ++k) outputs[o][first + k] = slots[program.outputs[o]][0][k];
    }
  }
}

template <class T>
void activation(Function h, const T* a, T* z, T* dh, Index n) {
  const Arithmetic arithmetic(Subnormals::kept);
  constexpr Index w = kWidth<T>;
  for (Index j = 0; j < n; j += w) {
    T in[w] = {};
    T value[w], derivative[w];
    const Index count = n - j < w ? n - j : w;
    for (Index k = 0; k < w; ++k) in[k] = k < count ? a[j + k] : T{0};
    activate<T>(h, {in, 0}, {value, 0}, 1, 1);
    differentiate<T>(h, in, value, derivative, 1);
    for (Index k = 0; k < count; ++k) {
      z[j + k] = value[k];
      dh[j + k] = derivative[k];
    }
  }
}

}  // namespace deltaprop::DELTAPROP_ISA
