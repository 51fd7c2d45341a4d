// The engine as its callers see it: stateless functions over arrays that the caller owns and the engine borrows for one
// call. Sizes are checked here, before any kernel runs; what does not fit raises std::invalid_argument.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "learning.hpp"

namespace deltaprop {

// Rows in compressed sparse form: row k has values[p] at columns[p], ascending, for starts[k] <= p < starts[k + 1].
template <class T>
struct SparseRows {
  std::span<const Index> starts;  // (n + 1)
  std::span<const std::int32_t> columns;
  std::span<const T> values;
};

// Where the random numbers of a training pass come from: dropout's and noise's.
struct Drawn {
  std::uint64_t seed;
  std::uint64_t t;  // how many samples were presented before
};

// Samples, row-major: X (n, n_in), dense or sparse, R (n, n_out), weight (n) or none, order (m) or none. Where there is an
// order, the samples are those rows in that order.
template <class T>
struct Samples {
  std::span<const T> X;
  std::span<const T> R;
  std::optional<std::span<const T>> weight = {};
  std::optional<std::span<const Index>> order = {};
  std::optional<SparseRows<T>> sparse = {};  // in place of X
  std::optional<Drawn> drawn = {};           // of a training pass; none where the network only says something
};

// Every quantity of backpropagation, for every layer: arrays of (n, n_out), and (n, theta_size) for the gradient.
template <class T>
struct Trace {
  std::vector<std::span<T>> a, z, dh, delta;  // one per layer; dh of softmax is a matrix, (n, n_out, n_out)
  std::span<T> gradient;
  std::span<double> E;  // (n)
  std::span<T> x = {};  // (n, n_in) or none: the inputs with what a training pass does to them
};

// threads = 0: as many as OpenMP offers and the work is worth. Bits do not depend on it. `before` is carried into the
// result, so that a set in pieces adds up in the same order as in one (for `loss` pieces of whole chunks of 64 rows).
// Returns whether all inputs were finite.
template <class T>
bool predict(const Plan& plan, std::span<const T> theta, const Samples<T>& samples, std::span<T> y, int threads = 0);

template <class T>
Sums loss(const Plan& plan, std::span<const T> theta, const Samples<T>& samples, Sums before = {}, int threads = 0);

// The derivative of sum w E / sum w, in theta's layout.
template <class T>
Sums gradient(const Plan& plan, std::span<const T> theta, const Samples<T>& samples, std::span<T> out, int threads = 0);

template <class T>
void trace(const Plan& plan, std::span<const T> theta, const Samples<T>& samples, const Trace<T>& out);

// What descends: theta, and what the optimizer remembers, learning.states() arrays of theta's size.
template <class T>
struct Descent {
  const Learning& learning;
  std::span<T> theta;
  std::span<T> state = {};
  std::span<T> average = {};  // of theta, where learning.average says so
};

// Copies of theta and the state that a descent leaves behind, one after the other: after its step `first`, and after every
// `every` more, if they are of a whole batch.
template <class T>
struct Kept {
  std::span<T> into = {};
  Index first = 0;
  Index every = 0;  // 0: none
};

// Gradient descent over the samples in their order: a step for every batch_size of them (the last may be smaller) by the
// rule of the optimizer with the gradient (1/m) sum w dE. eta has one element, or one per step. E is of each sample before
// its own update. before.steps are the steps that the state remembers.
//
// A step after every sample (batch_size 1) goes in blocks of so many samples, with the same iterates up to rounding; block 1
// is the naive order, 0 chooses by the shape (online_block; sparse_block). What is kept is kept after whole blocks.
template <class T>
Sums descend(const Plan& plan, const Descent<T>& descent, const Samples<T>& samples, std::span<const double> eta,
             Index batch_size, Index block = 0, Sums before = {}, int threads = 0, Kept<T> kept = {});

// The block that a step after every sample goes in, by the shape of the first layer and the optimizer alone.
Index online_block(const Plan& plan, const Learning& learning);
// The same of sparse rows, of which all have so many values together: the samples after which weights that wait for an input
// other than 0 catch up (sparse.hpp). 1 where none waits.
Index sparse_block(const Plan& plan, const Learning& learning, Index rows, Index values);

// For tests: a formula's program over arrays, one for each of its inputs and outputs.
template <class T>
void run_program(const Program& program, const std::vector<std::span<const T>>& inputs,
                 const std::vector<std::span<T>>& outputs);

// z = h(a) and h'(a), element by element (not for softmax).
template <class T>
void apply_activation(Function h, std::span<const T> a, std::span<T> z, std::span<T> dh);

// y = f(x), element by element, for f by its name in vector_math.hpp. For tests.
template <class T>
void apply_vector_function(std::string_view name, std::span<const T> x, std::span<T> y);

// Multiply-adds a second that one core can do on vectors in registers, each counted as two: the best of so many seconds.
template <class T>
double peak(double seconds);

// The instruction sets: what this build holds, what this machine can run of it, which one is in use. DELTAPROP_ISA in
// the environment forces one when the engine is loaded; a name that cannot be had raises at the first use.
std::vector<std::string_view> instruction_sets();
std::string_view instruction_set();
// For tests, and not while another thread is in the engine; "" is the first choice again.
void use_instruction_set(std::string_view name);
bool has_openmp();
bool can_have_threads();  // not without OpenMP, and not in a forked child
int available_threads();

}  // namespace deltaprop
