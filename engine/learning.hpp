// What a descent follows beside the plan: the optimizer with its parameters, and the penalty. Immutable; the numbers that
// it remembers from step to step (its state) are arrays that the caller owns, each laid out like theta.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "plan.hpp"

namespace deltaprop {

enum class Optimizer : int { sgd, momentum, nesterov, adam };

struct OptimizerEntry {
  std::string_view name;
  std::array<std::string_view, 3> parameters;  // their names, in order; empty where there are fewer
  int states;                                  // arrays like theta
};

struct Learning {
  Optimizer optimizer = Optimizer::sgd;
  std::array<double, 3> parameters{};
  double l2 = 0;  // of E's penalty l2/2 sum of W^2, biases left out

  Learning() = default;
  // Raises std::invalid_argument where the name is unknown, the parameters are not as many as it has, or l2 is negative.
  Learning(std::string_view optimizer, std::span<const double> parameters, double l2);

  int states() const;
};

// Sums over samples, and the steps taken, all since a beginning that the caller chose.
struct Sums {
  double E = 0;       // of w E
  double weight = 0;  // of w
  Index steps = 0;
};

std::span<const OptimizerEntry> optimizer_entries();

}  // namespace deltaprop
