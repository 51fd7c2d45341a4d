#include "plan.hpp"

#include <array>
#include <limits>
#include <stdexcept>

namespace deltaprop {
namespace {

constexpr std::array<std::string_view, 26> kActivations{
    "identity",  "sigmoid",    "tanh",       "relu",        "softmax",   "arctan",       "celu",
    "elu",       "exp",        "gaussian",   "gelu",        "gelu_tanh", "hard_sigmoid", "hard_swish",
    "hard_tanh", "leaky_relu", "lecun_tanh", "log_sigmoid", "mish",      "relu6",        "selu",
    "silu",      "sine",       "softplus",   "softsign",    "squareplus"};
constexpr std::array<std::string_view, 3> kLosses{"log", "cross_entropy", "squared_error"};

template <class Enum, std::size_t N>
Enum find(const std::array<std::string_view, N>& names, std::string_view name, const char* what) {
  for (std::size_t k = 0; k < N; ++k) {
    if (names[k] == name) return static_cast<Enum>(k);
  }
  throw std::invalid_argument(std::string("no ") + what + " is named '" + std::string(name) + "'");
}

// Whether y lies in [0, 1] and comes to 0 and 1 by rounding alone.
bool inside_unit_interval(Function h) { return h == Activation::sigmoid || h == Activation::softmax; }

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

Plan::Plan(const std::vector<LayerSpec>& specs, std::string_view loss) : loss_(loss_from(loss)) {
  if (specs.empty()) throw std::invalid_argument("a plan needs at least one layer");
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
    const bool narrow = !layers_.empty() && is_narrow(spec.n_in, spec.n_out);
    Layer layer{spec.n_in,
                spec.n_out,
                padded_pitch(spec.n_out),
                theta_size_,
                units_,
                transposed_size_,
                narrow ? narrow_size_ : -1,
                spec.bias,
                {activation_from(spec.function), spec.parameter}};
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
  if (loss_ != Loss::squared_error && !inside_unit_interval(layers_.back().h)) {
    throw std::invalid_argument("the loss needs outputs between 0 and 1, which only sigmoid and softmax promise");
  }
}

}  // namespace deltaprop
