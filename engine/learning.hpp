// What a descent follows beside the plan: the optimizer with its parameters, and the penalties. Immutable; the numbers
// that it remembers from step to step (its state) are arrays that the caller owns, each laid out like theta.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "plan.hpp"

namespace deltaprop {

enum class Optimizer : int {
  sgd,
  momentum,
  nesterov,  // those up to here are linear, with any eta of each step
  momentum_outside,
  nesterov_outside,
  adagrad,
  rmsprop,
  rmsprop_inside,
  adadelta,
  adam,
  adam_hat,
  amsgrad,
  amsgrad_uncorrected,
  nadam,
  adamw,
  lion,
};

constexpr std::size_t kMostParameters = 4;  // of an optimizer

struct OptimizerEntry {
  std::string_view name;
  std::array<std::string_view, kMostParameters> parameters;  // their names, in order; empty where there are fewer
  int states;                                                // arrays like theta
};

struct Learning {
  Optimizer optimizer = Optimizer::sgd;
  std::array<double, kMostParameters> parameters{};
  // Of the weights, biases left out:
  double l2 = 0;     // E's penalty l2/2 sum of W^2
  double l1 = 0;     // E's penalty l1 sum of |W|
  double decay = 0;  // W <- (1 - eta decay) W before the rule, which does not see it; an optimizer may have its own

  Learning() = default;
  // Raises std::invalid_argument where the name is unknown, the parameters are not as many as it has, or a number that
  // must not be negative is.
  Learning(std::string_view optimizer, std::span<const double> parameters, double l2, double l1, double decay);

  int states() const;
  bool shrinks() const { return l2 != 0 || l1 != 0 || decay != 0; }
  // Whether a step is linear in W and what is remembered of it: such steps go through the first layer in blocks.
  bool linear() const { return optimizer <= Optimizer::nesterov && l1 == 0; }
};

// Sums over samples, and the steps taken, all since a beginning that the caller chose.
struct Sums {
  double E = 0;       // of w E
  double weight = 0;  // of w
  Index steps = 0;
};

std::span<const OptimizerEntry> optimizer_entries();

}  // namespace deltaprop
