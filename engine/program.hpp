// Programs: formulas of the user's own as short lists of instructions on numbered slots, made by deltaprop.functions.formulas
// and run by formula.hpp. Each slot holds a block of numbers; first the inputs, then the constants, then what the
// instructions write.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace deltaprop {

// The order is that of the names in program.cpp. Conditions are 1 where they hold, else 0.
enum class Operation : int {
  neg,
  add,
  subtract,
  multiply,
  divide,
  minimum,
  maximum,
  absolute,
  sign,
  sqrt,
  exp,
  expm1,
  log,
  log1p,
  tanh,
  sigmoid,
  softplus,
  erf,
  erfc,
  sin,
  cos,
  atan,
  power,                  // x^y, NaN where x < 0
  less,                   // x < y
  less_equal,             // x <= y
  and_,                   // both hold
  or_,                    // one holds
  not_,                   // x does not hold
  select,                 // y where x holds, else w
  exp_minus_square,       // e^-x^2
  exp_minus_half_square,  // e^(-x^2 / 2)
  normal,                 // the normal distribution's probability below x
  positive,               // at least the least normal number: of what comes to 0 by rounding alone
  apart,                  // at least a quarter of epsilon: of a difference of numbers near 1 that are not the same
};

struct Instruction {
  Operation operation;
  int to, x, y, w;  // slots; what the operation does not have is 0
};

inline constexpr int kSlots = 128;

// What the kernels see of a Program: plain data, borrowed.
struct ProgramView {
  const Instruction* instructions;
  int length;
  const double* constants;
  int inputs, n_constants;
  const int* outputs;
  int n_outputs;
};

class Program {
 public:
  // instructions: (operation, to, x, y, w). Raises std::invalid_argument where a slot is read that nothing has been written
  // to, a constant or an input is written, or there are more than kSlots.
  Program(int inputs, std::vector<double> constants, std::span<const std::array<int, 5>> instructions,
          std::vector<int> outputs);

  ProgramView view() const {
    return {instructions_.data(),
            static_cast<int>(instructions_.size()),
            constants_.data(),
            inputs_,
            static_cast<int>(constants_.size()),
            outputs_.data(),
            static_cast<int>(outputs_.size())};
  }
  int inputs() const { return inputs_; }
  int outputs() const { return static_cast<int>(outputs_.size()); }

 private:
  int inputs_;
  std::vector<double> constants_;
  std::vector<Instruction> instructions_;
  std::vector<int> outputs_;
};

std::span<const std::string_view> operation_names();

}  // namespace deltaprop
