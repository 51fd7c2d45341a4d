// What a descent follows beside the plan: the optimizer with its parameters, the penalties, and what else is done to the
// gradient before a step and to theta after it. Immutable; the numbers that a rule remembers from step to step (its state)
// are arrays that the caller owns, each laid out like theta.
#pragma once

#include <array>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

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

inline constexpr double kNoLimit = std::numeric_limits<double>::infinity();

// What surrounds the rule of a step.
struct Terms {
  // Of the weights, biases left out:
  double l2 = 0;     // E's penalty l2/2 sum of W^2
  double l1 = 0;     // E's penalty l1 sum of |W|
  double decay = 0;  // W <- (1 - eta decay) W before the rule, which does not see it; an optimizer may have its own
  // Of the gradient that the samples have, before penalties:
  double clip_norm = kNoLimit;   // the most that its norm may be, of all layers together
  double clip_value = kNoLimit;  // and each of its numbers
  // After a step:
  double max_norm = kNoLimit;        // the most that the norm of the weights into a unit may be
  double average = 0;                // the share of a running average of theta that stays; 0: there is none
  std::vector<double> factors = {};  // of eta, for the weights and the biases of each layer in turn; empty: all 1
};

struct Learning : Terms {
  Optimizer optimizer = Optimizer::sgd;
  std::array<double, kMostParameters> parameters{};

  Learning() = default;
  // Raises std::invalid_argument where the name is unknown, the parameters are not as many as it has, or a number is not in
  // its range.
  Learning(std::string_view optimizer, std::span<const double> parameters, Terms terms = {});

  int states() const;
  bool shrinks() const { return l2 != 0 || l1 != 0 || decay != 0; }
  bool clips_norm() const { return clip_norm < kNoLimit; }
  bool constrains() const { return max_norm < kNoLimit; }
  // Whether a step needs the whole gradient at once, or all of theta: whole.hpp.
  bool whole() const {
    return clips_norm() || clip_value < kNoLimit || constrains() || average > 0 || !factors.empty();
  }
  // Whether a step is linear in W and what is remembered of it: such steps go through the first layer in blocks.
  bool linear() const { return optimizer <= Optimizer::nesterov && l1 == 0 && !whole(); }
};

// Sums over samples, and the steps taken, all since a beginning that the caller chose.
struct Sums {
  double E = 0;       // of w E
  double weight = 0;  // of w
  Index steps = 0;
};

std::span<const OptimizerEntry> optimizer_entries();

}  // namespace deltaprop
