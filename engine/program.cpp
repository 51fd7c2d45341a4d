#include "program.hpp"

#include <stdexcept>
#include <utility>

namespace deltaprop {
namespace {

constexpr std::array<std::string_view, 34> kOperations{"neg",
                                                       "add",
                                                       "subtract",
                                                       "multiply",
                                                       "divide",
                                                       "minimum",
                                                       "maximum",
                                                       "absolute",
                                                       "sign",
                                                       "sqrt",
                                                       "exp",
                                                       "expm1",
                                                       "log",
                                                       "log1p",
                                                       "tanh",
                                                       "sigmoid",
                                                       "softplus",
                                                       "erf",
                                                       "erfc",
                                                       "sin",
                                                       "cos",
                                                       "atan",
                                                       "power",
                                                       "less",
                                                       "less_equal",
                                                       "and",
                                                       "or",
                                                       "not",
                                                       "select",
                                                       "exp_minus_square",
                                                       "exp_minus_half_square",
                                                       "normal",
                                                       "positive",
                                                       "apart"};

// How many slots an operation reads.
int operands(Operation operation) {
  switch (operation) {
    case Operation::add:
    case Operation::subtract:
    case Operation::multiply:
    case Operation::divide:
    case Operation::minimum:
    case Operation::maximum:
    case Operation::power:
    case Operation::less:
    case Operation::less_equal:
    case Operation::and_:
    case Operation::or_:
      return 2;
    case Operation::select:
      return 3;
    default:
      return 1;
  }
}

void need(bool holds, const char* what) {
  if (!holds) throw std::invalid_argument(what);
}

}  // namespace

std::span<const std::string_view> operation_names() { return kOperations; }

Program::Program(int inputs, std::vector<double> constants, std::span<const std::array<int, 5>> instructions,
                 std::vector<int> outputs)
    : inputs_(inputs), constants_(std::move(constants)), outputs_(std::move(outputs)) {
  need(inputs_ >= 0 && constants_.size() < kSlots && inputs_ + static_cast<int>(constants_.size()) <= kSlots,
       "a program has too many inputs and constants");
  const int fixed = inputs_ + static_cast<int>(constants_.size());
  std::array<bool, kSlots> written{};
  for (int slot = 0; slot < fixed; ++slot) written[static_cast<std::size_t>(slot)] = true;
  const auto is_written = [&](int slot) {
    return slot >= 0 && slot < kSlots && written[static_cast<std::size_t>(slot)];
  };
  for (const auto& [operation, to, x, y, w] : instructions) {
    need(operation >= 0 && operation < static_cast<int>(kOperations.size()), "no such operation");
    const Instruction own{static_cast<Operation>(operation), to, x, y, w};
    const int n = operands(own.operation);
    need(is_written(x) && (n < 2 || is_written(y)) && (n < 3 || is_written(w)), "a slot is read before it is written");
    need(to >= fixed && to < kSlots, "a program may not write there");
    written[static_cast<std::size_t>(to)] = true;
    instructions_.push_back(own);
  }
  for (int slot : outputs_) need(is_written(slot), "an output is never written");
}

}  // namespace deltaprop
