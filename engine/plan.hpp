// Plan: what a network is, without its numbers. Immutable; says how to read the flat array theta.
//
// Each layer is one matrix [W; b] of (n_in + 1, pitch), row-major: row i < n_in holds the weights from unit i, the last
// row the biases (absent where the layer has none). Columns n_out .. pitch - 1 are padding: always zero, never stored,
// never seen.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "program.hpp"

namespace deltaprop {

using Index = std::int64_t;

// The order is that of the names in plan.cpp.
enum class Activation : int {
  identity,
  sigmoid,
  tanh,
  relu,
  softmax,
  arctan,
  celu,
  elu,
  exp,
  gaussian,
  gelu,
  gelu_tanh,
  hard_sigmoid,
  hard_swish,
  hard_tanh,
  leaky_relu,
  lecun_tanh,
  log_sigmoid,
  mish,
  relu6,
  selu,
  silu,
  sine,
  softplus,
  softsign,
  squareplus,
  formula,  // of the user's own: it has programs, and no name
};

// h of a formula, from a, and h', from a and z.
struct FormulaPrograms {
  ProgramView value, derivative;
};

// h of a layer: which function, and the number that some have beside a: slope, alpha.
struct Function {
  Activation kind;
  double parameter = 0;
  const FormulaPrograms* formula = nullptr;  // borrowed

  friend bool operator==(Function f, Activation kind) { return f.kind == kind; }
};

// The order is that of the names in plan.cpp.
enum class Loss : int {
  log,
  cross_entropy,
  squared_error,
  absolute_error,
  focal,
  gamma,
  hinge,
  huber,
  kl,
  log_cosh,
  poisson,
  quantile,
  squared_hinge,
  tweedie,
  formula,  // of the user's own: it has a program, and no name
};

// E of a sample: which loss, and the number that some have beside y and r, such as huber's delta: one, or one for each
// output.
struct LossFunction {
  Loss kind;
  double parameter = 0;
  const double* each = nullptr;  // borrowed; null where all outputs have the one
  Index outputs = 1;
  Index first = 0;  // the output that is meant, or that stands first in a vector
  // Of a formula: E and its derivative, from a, y and r, by a; or from y and r, by y. In a plan for predictions alone there
  // is no derivative.
  ProgramView value = {}, slope = {};
};

// Virtual lanes: every sum along a row of units runs in this many partial sums, whatever the width of the machine's
// vectors.
inline constexpr Index kLanes = 16;

// A step over more rows than this adds up the gradients of chunks of this many rows, in ascending order.
inline constexpr Index kStepRows = 256;

// Online descent takes at most this many samples as one block.
inline constexpr Index kMostBlock = 32;

// The first layer of a small network has at most this many units.
inline constexpr Index kMostSmall = 2 * kLanes;

// Fewer inputs than this cost online descent less one by one than as a block; so of small networks.
inline constexpr Index kDirectInputs = 8;
inline constexpr Index kDirectInputsOfSmall = 16;

struct Layer {
  Index n_in;
  Index n_out;
  Index pitch;         // n_out rounded up to whole groups of lanes, never a multiple of 128
  Index offset;        // of [W; b] in theta
  Index units_before;  // pitches of the layers below, added up: where the layer's units stand in a row of
                       // scratch
  Index transposed;  // offset of W's transposed copy, (n_out, pitch of the layer below), among those that a batch takes
                     // its delta through; the first layer has none
  Index narrow;      // likewise, among those of the narrow layers, or -1: narrow.hpp
  bool bias;
  Function h;
  double dropout;  // the share of its inputs that a training pass drops: noise.hpp

  [[gnu::always_inline]] Index rows() const { return n_in + (bias ? 1 : 0); }
};

// What the kernels see of a Plan: plain data, borrowed.
struct PlanView {
  const Layer* layers;
  int depth;
  LossFunction loss;
  Index theta_size;
  Index narrow_size;   // elements of the transposed copies of all narrow layers
  double input_noise;  // the standard deviation of what a training pass adds to inputs

  [[gnu::always_inline]] const Layer& output() const { return layers[depth - 1]; }
  // Two layers, few units in the first and one in the second: one_unit.hpp.
  [[gnu::always_inline]] bool is_small() const {
    return depth == 2 && layers[0].n_out <= kMostSmall && output().n_out == 1 && output().h != Activation::softmax &&
           !draws();
  }
  // Whether a training pass draws random numbers; whether it drops units of hidden layers.
  [[gnu::always_inline]] bool draws() const { return input_noise > 0 || layers[0].dropout > 0 || drops(); }
  [[gnu::always_inline]] bool drops() const {
    for (int l = 1; l < depth; ++l) {
      if (layers[l].dropout > 0) return true;
    }
    return false;
  }
  [[gnu::always_inline]] Index n_in() const { return layers[0].n_in; }
  [[gnu::always_inline]] Index n_out() const { return output().n_out; }
};

// n rounded up to whole groups of lanes, and never a multiple of 128: rows a power of two apart would meet in the same sets
// of the cache.
Index padded_pitch(Index n);

struct LayerSpec {
  Index n_in;
  Index n_out;
  std::string function;
  bool bias;
  double parameter = 0;                                                  // of the function
  std::shared_ptr<const Program> value = nullptr, derivative = nullptr;  // in place of the name, where h is a formula
  double dropout = 0;                                                    // of its inputs
};

class Plan {
 public:
  // Raises std::invalid_argument where the layers do not fit together, a size overflows, the output's range leaves the
  // domain of the loss, or its parameters are too many or too few.
  // value and slope in place of the name, where E is a formula (LossFunction).
  Plan(const std::vector<LayerSpec>& layers, std::string_view loss, std::vector<double> parameters_of_loss = {},
       std::shared_ptr<const Program> value = nullptr, std::shared_ptr<const Program> slope = nullptr,
       double input_noise = 0);

  PlanView view() const;
  // Raises std::invalid_argument where a formula has no program for its derivative.
  void need_derivatives() const;
  std::span<const Layer> layers() const { return layers_; }
  Index theta_size() const { return theta_size_; }            // elements of the padded theta
  Index units() const { return units_; }                      // elements of one row of scratch, all layers together
  Index transposed_size() const { return transposed_size_; }  // elements of all transposed copies
  Index n_parameters() const { return n_parameters_; }        // elements of the dense one

 private:
  ProgramView kept(std::shared_ptr<const Program> program, int least_inputs, int most_inputs);
  Function function_of(const LayerSpec& spec);

  std::vector<Layer> layers_;
  Loss loss_;
  std::vector<double> parameters_of_loss_;  // none, one, or one for each output
  std::vector<std::shared_ptr<const Program>> programs_;
  std::vector<std::shared_ptr<const FormulaPrograms>> formulas_;  // the layers point to them
  ProgramView loss_value_ = {}, loss_slope_ = {};
  double input_noise_;
  Index theta_size_ = 0;
  Index units_ = 0;
  Index transposed_size_ = 0;
  Index narrow_size_ = 0;
  Index n_parameters_ = 0;
};

std::span<const std::string_view> activation_names();
std::span<const std::string_view> loss_names();
Activation activation_from(std::string_view name);
Loss loss_from(std::string_view name);

}  // namespace deltaprop
