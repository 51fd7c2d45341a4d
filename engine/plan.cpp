#include "plan.hpp"

#include <array>
#include <limits>
#include <stdexcept>
#include <utility>

namespace deltaprop {
namespace {

constexpr std::array<std::string_view, 26> kActivations{
    "identity",  "sigmoid",    "tanh",       "relu",        "softmax",   "arctan",       "celu",
    "elu",       "exp",        "gaussian",   "gelu",        "gelu_tanh", "hard_sigmoid", "hard_swish",
    "hard_tanh", "leaky_relu", "lecun_tanh", "log_sigmoid", "mish",      "relu6",        "selu",
    "silu",      "sine",       "softplus",   "softsign",    "squareplus"};
constexpr std::array<std::string_view, 14> kLosses{
    "log", "cross_entropy", "squared_error", "absolute_error", "focal",         "gamma",  "hinge", "huber",
    "kl",  "log_cosh",      "poisson",       "quantile",       "squared_hinge", "tweedie"};

template <class Enum, std::size_t N>
Enum find(const std::array<std::string_view, N>& names, std::string_view name, const char* what) {
  for (std::size_t k = 0; k < N; ++k) {
    if (names[k] == name) return static_cast<Enum>(k);
  }
  throw std::invalid_argument(std::string("no ") + what + " is named '" + std::string(name) + "'");
}

// Whether the loss has a kernel with such an output. Those of y alone go with any; the logarithms of y, and of 1 - y, are
// taken from a, of outputs that come to 0, and to 1, by rounding alone.
bool go_together(Function h, Loss loss) {
  const bool between = h == Activation::sigmoid || h == Activation::softmax;
  switch (loss) {
    case Loss::log:
    case Loss::focal:
      return between;
    case Loss::cross_entropy:
    case Loss::kl:
      return between || h == Activation::gaussian;
    default:
      return true;
  }
}

// Whether W transposed takes fewer vectors of kLanes.
bool is_narrow(Index n_in, Index n_out) { return n_out <= kLanes && (n_in + kLanes - 1) / kLanes * n_out < n_in; }

}  // namespace

Index padded_pitch(Index n) {
  const Index pitch = (n + kLanes - 1) / kLanes * kLanes;
  return pitch % 128 == 0 ? pitch + kLanes : pitch;
}

std::span<const std::string_view> activation_names() { return kActivations; }
std::span<const std::string_view> loss_names() { return kLosses; }
Activation activation_from(std::string_view name) { return find<Activation>(kActivations, name, "activation"); }
Loss loss_from(std::string_view name) { return find<Loss>(kLosses, name, "loss"); }

Plan::Plan(const std::vector<LayerSpec>& specs, std::string_view loss, std::vector<double> parameters_of_loss,
           std::shared_ptr<const Program> value, std::shared_ptr<const Program> slope, double input_noise)
    : loss_(value ? Loss::formula : loss_from(loss)),
      parameters_of_loss_(std::move(parameters_of_loss)),
      input_noise_(input_noise) {
  if (!(input_noise >= 0)) throw std::invalid_argument("the noise on inputs must be at least 0");
  if (specs.empty()) throw std::invalid_argument("a plan needs at least one layer");
  if (value) loss_value_ = kept(std::move(value), 2, 3);
  if (slope) loss_slope_ = kept(std::move(slope), 2, 3);
  // Sizes in bytes must fit ptrdiff_t, for the widest element and a few buffers beside.
  constexpr Index kLimit = std::numeric_limits<Index>::max() / 64;
  for (const LayerSpec& spec : specs) {
    if (spec.n_in < 1 || spec.n_out < 1) throw std::invalid_argument("a layer needs at least one unit");
    if (spec.n_in > (Index{1} << 40) || spec.n_out > (Index{1} << 40)) {
      throw std::invalid_argument("a layer is too large");
    }
    if (!layers_.empty() && layers_.back().n_out != spec.n_in) {
      throw std::invalid_argument("a layer's inputs are not the units of the layer before");
    }
    if (!(spec.dropout >= 0 && spec.dropout < 1)) throw std::invalid_argument("dropout must be in [0, 1)");
    const bool narrow = !layers_.empty() && is_narrow(spec.n_in, spec.n_out);
    Layer layer{spec.n_in,
                spec.n_out,
                padded_pitch(spec.n_out),
                theta_size_,
                units_,
                transposed_size_,
                narrow ? narrow_size_ : -1,
                spec.bias,
                function_of(spec),
                spec.dropout};
    if (layer.rows() > (kLimit - theta_size_) / layer.pitch) throw std::invalid_argument("the network is too large");
    units_ += layer.pitch;
    theta_size_ += layer.rows() * layer.pitch;
    const Index copy = layers_.empty() ? 0 : layer.n_out * layers_.back().pitch;
    transposed_size_ += copy;
    if (narrow) narrow_size_ += copy;
    n_parameters_ += layer.rows() * layer.n_out;
    layers_.push_back(layer);
  }
  for (std::size_t l = 0; l + 1 < layers_.size(); ++l) {
    if (layers_[l].h == Activation::softmax) throw std::invalid_argument("softmax is for the output layer only");
  }
  const Layer& output = layers_.back();
  if (!go_together(output.h, loss_)) throw std::invalid_argument("the loss does not go with this output");
  if (parameters_of_loss_.size() > 1 && static_cast<Index>(parameters_of_loss_.size()) != output.n_out) {
    throw std::invalid_argument("the loss needs one parameter, or one for each output");
  }
}

ProgramView Plan::kept(std::shared_ptr<const Program> program, int least_inputs, int most_inputs) {
  if (program->inputs() < least_inputs || program->inputs() > most_inputs || program->outputs() != 1) {
    throw std::invalid_argument("a formula has the wrong number of inputs or outputs");
  }
  return programs_.emplace_back(std::move(program))->view();
}

Function Plan::function_of(const LayerSpec& spec) {
  if (!spec.value) return {activation_from(spec.function), spec.parameter};
  FormulaPrograms own{kept(spec.value, 1, 1), {}};
  if (spec.derivative) own.derivative = kept(spec.derivative, 2, 2);
  return {Activation::formula, 0, formulas_.emplace_back(std::make_shared<const FormulaPrograms>(own)).get()};
}

void Plan::need_derivatives() const {
  bool there = loss_ != Loss::formula || loss_slope_.n_outputs == 1;
  for (const auto& formula : formulas_) there = there && formula->derivative.n_outputs == 1;
  if (!there) throw std::invalid_argument("a formula has no derivative");
}

PlanView Plan::view() const {
  LossFunction loss{loss_};
  loss.value = loss_value_;
  loss.slope = loss_slope_;
  if (!parameters_of_loss_.empty()) loss.parameter = parameters_of_loss_.front();
  if (parameters_of_loss_.size() > 1) {
    loss.each = parameters_of_loss_.data();
    loss.outputs = static_cast<Index>(parameters_of_loss_.size());
  }
  return {layers_.data(), static_cast<int>(layers_.size()), loss, theta_size_, narrow_size_, input_noise_};
}

}  // namespace deltaprop
