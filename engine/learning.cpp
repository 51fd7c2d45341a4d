#include "learning.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

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

Learning::Learning(std::string_view name, std::span<const double> values, Terms terms) : Terms(std::move(terms)) {
  const auto found =
      std::find_if(kOptimizers.begin(), kOptimizers.end(), [&](const auto& entry) { return entry.name == name; });
  if (found == kOptimizers.end()) throw std::invalid_argument("no optimizer is named '" + std::string(name) + "'");
  if (values.size() != count(*found)) {
    throw std::invalid_argument("the optimizer '" + std::string(name) + "' has another number of parameters");
  }
  optimizer = static_cast<Optimizer>(found - kOptimizers.begin());
  for (std::size_t p = 0; p < values.size(); ++p) {
    parameters[p] = values[p];
    if (found->parameters[p] == "decay") decay += values[p];
  }
  if (!(l2 >= 0 && l1 >= 0 && decay >= 0)) throw std::invalid_argument("l2, l1 and decay must be at least 0");
  if (!(clip_norm > 0 && clip_value > 0 && max_norm > 0)) {
    throw std::invalid_argument("clip_norm, clip_value and max_norm must be above 0");
  }
  if (!(average >= 0 && average < 1)) throw std::invalid_argument("average must be in [0, 1)");
  if (!std::all_of(factors.begin(), factors.end(), [](double factor) { return factor >= 0; })) {
    throw std::invalid_argument("factors of eta must be at least 0");
  }
}

int Learning::states() const { return kOptimizers[static_cast<std::size_t>(optimizer)].states; }

}  // namespace deltaprop
