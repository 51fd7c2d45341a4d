// The native boundary: the one file that knows Python. Arrays are borrowed, never copied or kept; the GIL is released
// while a kernel runs. deltaprop/model.py is the only caller.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <optional>
#include <tuple>

#include "engine.hpp"
#include "philox.hpp"

namespace nb = nanobind;
using namespace nb::literals;
using namespace deltaprop;

namespace {

template <class T>
using Out = nb::ndarray<T, nb::c_contig, nb::device::cpu>;
template <class T>
using In = nb::ndarray<const T, nb::c_contig, nb::device::cpu>;

template <class T>
std::span<T> span_of(const nb::ndarray<T, nb::c_contig, nb::device::cpu>& array) {
  return {array.data(), array.size()};
}

template <class T>
Samples<T> samples_of(const In<T>& X, const In<T>& R, const std::optional<In<T>>& weight,
                      const std::optional<In<Index>>& order) {
  Samples<T> samples{span_of(X), span_of(R), {}, {}};
  if (weight) samples.weight = span_of(*weight);
  if (order) samples.order = span_of(*order);
  return samples;
}

std::pair<double, double> pair_of(LossSum sum) { return {sum.E, sum.weight}; }

// Everything that is compiled for both float32 and float64.
template <class T>
void bind(nb::module_& m) {
  m.def(
      "predict",
      [](const Plan& plan, In<T> theta, In<T> X, Out<T> y, int threads) {
        const nb::gil_scoped_release release;
        predict<T>(plan, span_of(theta), span_of(X), span_of(y), threads);
      },
      "plan"_a, "theta"_a.noconvert(), "X"_a.noconvert(), "y"_a.noconvert(), "threads"_a = 0,
      "y of every row of X, written into y (n, n_out).");
  m.def(
      "loss",
      [](const Plan& plan, In<T> theta, In<T> X, In<T> R, std::optional<In<T>> weight, std::pair<double, double> before,
         int threads) {
        const nb::gil_scoped_release release;
        return pair_of(
            loss<T>(plan, span_of(theta), samples_of<T>(X, R, weight, {}), {before.first, before.second}, threads));
      },
      "plan"_a, "theta"_a.noconvert(), "X"_a.noconvert(), "R"_a.noconvert(), "weight"_a.noconvert() = nb::none(),
      "before"_a = std::make_pair(0.0, 0.0), "threads"_a = 0,
      "before + the sums over the samples of w E and of w, where before are those of a whole number of chunks.");
  m.def(
      "gradient",
      [](const Plan& plan, In<T> theta, In<T> X, In<T> R, Out<T> out, std::optional<In<T>> weight, int threads) {
        const nb::gil_scoped_release release;
        return pair_of(gradient<T>(plan, span_of(theta), samples_of<T>(X, R, weight, {}), span_of(out), threads));
      },
      "plan"_a, "theta"_a.noconvert(), "X"_a.noconvert(), "R"_a.noconvert(), "out"_a.noconvert(),
      "weight"_a.noconvert() = nb::none(), "threads"_a = 0,
      "The derivative of sum(w E) / sum(w), written into out in theta's layout; returns the two sums.");
  m.def(
      "trace",
      [](const Plan& plan, In<T> theta, In<T> X, In<T> R, std::vector<Out<T>> a, std::vector<Out<T>> z,
         std::vector<Out<T>> dh, std::vector<Out<T>> delta, Out<T> gradient, Out<double> E) {
        const auto spans = [](const std::vector<Out<T>>& arrays) {
          std::vector<std::span<T>> out;
          for (const Out<T>& array : arrays) out.push_back(span_of(array));
          return out;
        };
        const Trace<T> out{spans(a), spans(z), spans(dh), spans(delta), span_of(gradient), span_of(E)};
        const nb::gil_scoped_release release;
        trace<T>(plan, span_of(theta), samples_of<T>(X, R, {}, {}), out);
      },
      "plan"_a, "theta"_a.noconvert(), "X"_a.noconvert(), "R"_a.noconvert(), "a"_a, "z"_a, "dh"_a, "delta"_a,
      "gradient"_a.noconvert(), "E"_a.noconvert(),
      "Every quantity of backpropagation for every row of X, written into one array per layer; gradient is "
      "(n, theta_size).");
  m.def(
      "descend",
      [](const Plan& plan, Out<T> theta, In<T> X, In<T> R, std::optional<In<T>> weight, std::optional<In<Index>> order,
         In<double> eta, Index batch_size, std::pair<double, double> before, int threads) {
        const nb::gil_scoped_release release;
        return pair_of(descend<T>(plan, span_of(theta), samples_of<T>(X, R, weight, order), span_of(eta), batch_size,
                                  {before.first, before.second}, threads));
      },
      "plan"_a, "theta"_a.noconvert(), "X"_a.noconvert(), "R"_a.noconvert(), "weight"_a.noconvert(),
      "order"_a.noconvert(), "eta"_a.noconvert(), "batch_size"_a, "before"_a, "threads"_a = 0,
      "One pass of gradient descent over the samples in their order, in place; returns before + the sums of "
      "w E and w.");
  m.def(
      "activation",
      [](std::string_view name, In<T> a, Out<T> z, Out<T> dh) {
        apply_activation<T>(activation_from(name), span_of(a), span_of(z), span_of(dh));
      },
      "name"_a, "a"_a.noconvert(), "z"_a.noconvert(), "dh"_a.noconvert(),
      "z = h(a) and dh = h'(a), element by element.");
}

}  // namespace

NB_MODULE(_engine, m) {
  m.doc() = "deltaprop's native engine. Private: use deltaprop.Network.";

  nb::class_<Plan>(m, "Plan", "The layers, functions and loss of a network, without its numbers. Immutable.")
      .def(
          "__init__",
          [](Plan* self, const std::vector<std::tuple<Index, Index, std::string, bool>>& layers,
             std::string_view loss) {
            std::vector<LayerSpec> specs;
            for (const auto& [n_in, n_out, function, bias] : layers) specs.push_back({n_in, n_out, function, bias});
            new (self) Plan(specs, loss);
          },
          "layers"_a, "loss"_a, "layers: (n_in, n_out, function, bias) from the input up.")
      .def_prop_ro("theta_size", &Plan::theta_size, "Elements of theta as the engine lays it out.")
      .def_prop_ro("n_parameters", &Plan::n_parameters, "Elements of theta without padding.")
      .def_prop_ro(
          "layout",
          [](const Plan& plan) {
            std::vector<std::tuple<Index, Index, Index, Index, bool>> rows;
            for (const Layer& layer : plan.layers()) {
              rows.emplace_back(layer.offset, layer.n_in, layer.n_out, layer.pitch, layer.bias);
            }
            return rows;
          },
          "(offset, n_in, n_out, pitch, bias) of each [W; b] in theta, row-major.");

  bind<float>(m);
  bind<double>(m);

  m.def(
      "uniform_start",
      [](std::uint64_t seed, std::uint32_t layer, Out<double> out) { uniform_start(seed, layer, span_of(out)); },
      "seed"_a, "layer"_a, "out"_a.noconvert(),
      "Uniform numbers in (-1, 1) that depend on (seed, layer, index) alone.");
  m.def(
      "shuffled_order",
      [](std::uint64_t seed, std::uint32_t epoch, Out<Index> out) {
        const nb::gil_scoped_release release;
        shuffled_order(seed, epoch, span_of(out));
      },
      "seed"_a, "epoch"_a, "out"_a.noconvert(), "The order in which an epoch presents its samples.");
  m.def(
      "function_names",
      [] {
        const auto activations = activation_names();
        const auto losses = loss_names();
        return std::make_pair(std::vector<std::string_view>(activations.begin(), activations.end()),
                              std::vector<std::string_view>(losses.begin(), losses.end()));
      },
      "The activations and the losses that have a kernel.");
  m.def(
      "config",
      []() -> nb::typed<nb::dict, nb::str, nb::any> {
        nb::dict config;
        config["version"] = DELTAPROP_VERSION;
        config["instruction_set"] = instruction_set();
        config["instruction_sets"] = instruction_sets();
        config["openmp"] = has_openmp();
        config["threads"] = available_threads();
        config["compiler"] = __VERSION__;
        return config;
      },
      "The build and the machine: instruction sets, threads, compiler.");
  m.def("use_instruction_set", &use_instruction_set, "name"_a, "For tests: run another set of kernels from now on.");
}
