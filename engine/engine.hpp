// The engine as its callers see it: stateless functions over arrays that the caller owns and the engine borrows for one
// call. Sizes are checked here, before any kernel runs; what does not fit raises std::invalid_argument.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "plan.hpp"

namespace deltaprop {

// Rows of samples, dense and row-major: X (n, n_in), R (n, n_out), weight (n) or none, order (m) or none. Where there is
// an order, the samples are those rows in that order.
template <class T>
struct Samples {
  std::span<const T> X;
  std::span<const T> R;
  std::optional<std::span<const T>> weight;
  std::optional<std::span<const Index>> order;
};

// Sums over the samples: of w E, and of w.
struct LossSum {
  double E = 0;
  double weight = 0;
};

// Every quantity of backpropagation, for every layer: arrays of (n, n_out), and (n, theta_size) for the gradient.
template <class T>
struct Trace {
  std::vector<std::span<T>> a, z, dh, delta;  // one per layer; dh of softmax is a matrix, (n, n_out, n_out)
  std::span<T> gradient;
  std::span<double> E;  // (n)
};

// threads = 0: as many as OpenMP offers and the work is worth. Bits do not depend on it. `before` is carried into the
// result, so that a set in pieces adds up in the same order as in one (for `loss` pieces of whole chunks of 64 rows).
template <class T>
void predict(const Plan& plan, std::span<const T> theta, std::span<const T> X, std::span<T> y, int threads = 0);

template <class T>
LossSum loss(const Plan& plan, std::span<const T> theta, const Samples<T>& samples, LossSum before = {},
             int threads = 0);

// The derivative of sum w E / sum w, in theta's layout.
template <class T>
LossSum gradient(const Plan& plan, std::span<const T> theta, const Samples<T>& samples, std::span<T> out,
                 int threads = 0);

template <class T>
void trace(const Plan& plan, std::span<const T> theta, const Samples<T>& samples, const Trace<T>& out);

// Gradient descent over the samples in their order: a step for every batch_size of them (the last may be smaller),
// theta <- theta - eta (1/m) sum w dE. eta has one element, or one per step. E is of each sample before its own update.
template <class T>
LossSum descend(const Plan& plan, std::span<T> theta, const Samples<T>& samples, std::span<const double> eta,
                Index batch_size, LossSum before = {}, int threads = 0);

// z = h(a) and h'(a), element by element (not for softmax).
template <class T>
void apply_activation(Activation h, std::span<const T> a, std::span<T> z, std::span<T> dh);

// The instruction sets: what this build holds, what this machine can run of it, which one is in use. DELTAPROP_ISA in
// the environment forces one when the engine is loaded; a name that cannot be had raises at the first use.
std::vector<std::string_view> instruction_sets();
std::string_view instruction_set();
void use_instruction_set(std::string_view name);  // for tests: not while another thread is in the engine
bool has_openmp();
bool can_have_threads();  // not without OpenMP, and not in a forked child
int available_threads();

}  // namespace deltaprop
