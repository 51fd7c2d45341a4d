#include "learning.hpp"

#include <stdexcept>
#include <string>

namespace deltaprop {
namespace {

constexpr std::array<OptimizerEntry, 4> kOptimizers{{
    {"sgd", {}, 0},
    {"momentum", {"mu"}, 1},
    {"nesterov", {"mu"}, 1},
    {"adam", {"beta1", "beta2", "epsilon"}, 2},
}};

std::size_t count(const OptimizerEntry& entry) {
  std::size_t n = 0;
  while (n < entry.parameters.size() && !entry.parameters[n].empty()) ++n;
  return n;
}

}  // namespace

std::span<const OptimizerEntry> optimizer_entries() { return kOptimizers; }

Learning::Learning(std::string_view name, std::span<const double> values, double penalty) : l2(penalty) {
  for (std::size_t k = 0; k < kOptimizers.size(); ++k) {
    if (kOptimizers[k].name != name) continue;
    if (values.size() != count(kOptimizers[k])) {
      throw std::invalid_argument("the optimizer '" + std::string(name) + "' has another number of parameters");
    }
    if (!(l2 >= 0)) throw std::invalid_argument("l2 must be at least 0");
    optimizer = static_cast<Optimizer>(k);
    for (std::size_t p = 0; p < values.size(); ++p) parameters[p] = values[p];
    return;
  }
  throw std::invalid_argument("no optimizer is named '" + std::string(name) + "'");
}

int Learning::states() const { return kOptimizers[static_cast<std::size_t>(optimizer)].states; }

}  // namespace deltaprop
