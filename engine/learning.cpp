#include "learning.hpp"

#include <stdexcept>
#include <string>

namespace deltaprop {
namespace {

// In the order of Optimizer. A parameter called decay is Learning::decay.
constexpr std::array<OptimizerEntry, 16> kOptimizers{{
    {"sgd", {}, 0},
    {"momentum", {"mu"}, 1},
    {"nesterov", {"mu"}, 1},
    {"momentum_outside", {"mu"}, 1},
    {"nesterov_outside", {"mu"}, 1},
    {"adagrad", {"epsilon"}, 1},
    {"rmsprop", {"rho", "epsilon"}, 1},
    {"rmsprop_inside", {"rho", "epsilon"}, 1},
    {"adadelta", {"rho", "epsilon"}, 2},
    {"adam", {"beta1", "beta2", "epsilon"}, 2},
    {"adam_hat", {"beta1", "beta2", "epsilon"}, 2},
    {"amsgrad", {"beta1", "beta2", "epsilon"}, 3},
    {"amsgrad_uncorrected", {"beta1", "beta2", "epsilon"}, 3},
    {"nadam", {"beta1", "beta2", "epsilon", "psi"}, 2},
    {"adamw", {"beta1", "beta2", "epsilon", "decay"}, 2},
    {"lion", {"beta1", "beta2", "decay"}, 1},
}};

std::size_t count(const OptimizerEntry& entry) {
  std::size_t n = 0;
  while (n < entry.parameters.size() && !entry.parameters[n].empty()) ++n;
  return n;
}

}  // namespace

std::span<const OptimizerEntry> optimizer_entries() { return kOptimizers; }

Learning::Learning(std::string_view name, std::span<const double> values, double penalty2, double penalty1,
                   double weight_decay)
    : l2(penalty2), l1(penalty1), decay(weight_decay) {
  for (std::size_t k = 0; k < kOptimizers.size(); ++k) {
    if (kOptimizers[k].name != name) continue;
    if (values.size() != count(kOptimizers[k])) {
      throw std::invalid_argument("the optimizer '" + std::string(name) + "' has another number of parameters");
    }
    optimizer = static_cast<Optimizer>(k);
    for (std::size_t p = 0; p < values.size(); ++p) {
      parameters[p] = values[p];
      if (kOptimizers[k].parameters[p] == "decay") decay += values[p];
    }
    if (!(l2 >= 0 && l1 >= 0 && decay >= 0)) throw std::invalid_argument("l2, l1 and decay must be at least 0");
    return;
  }
  throw std::invalid_argument("no optimizer is named '" + std::string(name) + "'");
}

int Learning::states() const { return kOptimizers[static_cast<std::size_t>(optimizer)].states; }

}  // namespace deltaprop
