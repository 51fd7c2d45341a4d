// The native boundary: the one file that knows Python. Arrays are borrowed, never copied or kept; the GIL is released
// while a kernel runs. deltaprop/plan.py and model.py are the only callers.
#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <variant>

#include "array.hpp"
#include "engine.hpp"
#include "philox.hpp"

namespace nb = nanobind;
using namespace nb::literals;
using namespace deltaprop;

namespace {

template <class T>
using Out = Array<T>;
template <class T>
using In = Array<const T>;

// Dense rows, or sparse ones: (starts, columns, values).
template <class T>
using Inputs = std::variant<In<T>, std::tuple<In<Index>, In<std::int32_t>, In<T>>>;

// (seed, samples presented before) of a training pass.
using DrawnPair = std::optional<std::pair<std::uint64_t, std::uint64_t>>;

template <class T>
Samples<T> samples_of(const Inputs<T>& X, std::span<const T> R = {}, const std::optional<In<T>>& weight = {},
                      const std::optional<In<Index>>& order = {}, const DrawnPair& drawn = {}) {
  Samples<T> samples{{}, R};
  if (drawn) samples.drawn = Drawn{drawn->first, drawn->second};
  if (const auto* dense = std::get_if<In<T>>(&X)) {
    samples.X = dense->elements();
  } else {
    const auto& [starts, columns, values] = std::get<1>(X);
    samples.sparse = SparseRows<T>{starts.elements(), columns.elements(), values.elements()};
  }
  if (weight) samples.weight = weight->elements();
  if (order) samples.order = order->elements();
  return samples;
}

using SumsTuple = std::tuple<double, double, Index>;
SumsTuple tuple_of(const Sums& sums) { return {sums.E, sums.weight, sums.steps}; }
Sums sums_of(const SumsTuple& sums) { return {std::get<0>(sums), std::get<1>(sums), std::get<2>(sums)}; }

// Fewer multiply-adds than this, a few microseconds, are done before another thread of Python would have begun.
constexpr Index kWorkToRelease = 131'072;

// Everything that is compiled for both float32 and float64.
using Formulas = std::pair<std::shared_ptr<Program>, std::optional<std::shared_ptr<Program>>>;
using FunctionName = std::variant<std::string, Formulas>;

template <class T>
void bind(nb::module_& m) {
  m.def(
      "predict",
      [](const Plan& plan, In<T> theta, Inputs<T> X, Out<T> y, int threads) {
        std::optional<nb::gil_scoped_release> release;  // costs more than a row through a small network
        if (static_cast<Index>(y.elements().size()) * plan.n_parameters() > kWorkToRelease) release.emplace();
        return predict<T>(plan, theta.elements(), samples_of<T>(X), y.elements(), threads);
      },
      "plan"_a, "theta"_a.noconvert(), "X"_a.noconvert(), "y"_a.noconvert(), "threads"_a = 0,
      "y of every row of X, written into y (n, n_out); returns whether all inputs were finite. X is an array, or "
      "(starts, columns, values) of sparse rows.");
  m.def(
      "loss",
      [](const Plan& plan, In<T> theta, Inputs<T> X, In<T> R, std::optional<In<T>> weight, SumsTuple before,
         int threads, DrawnPair drawn) {
        const nb::gil_scoped_release release;
        return tuple_of(loss<T>(plan, theta.elements(), samples_of<T>(X, R.elements(), weight, {}, drawn),
                                sums_of(before), threads));
      },
      "plan"_a, "theta"_a.noconvert(), "X"_a.noconvert(), "R"_a.noconvert(), "weight"_a.noconvert() = nb::none(),
      "before"_a = SumsTuple{0, 0, 0}, "threads"_a = 0, "drawn"_a = nb::none(),
      "before + the sums over the samples of w E and of w, where before are those of a whole number of chunks.");
  m.def(
      "gradient",
      [](const Plan& plan, In<T> theta, Inputs<T> X, In<T> R, Out<T> out, std::optional<In<T>> weight, int threads,
         DrawnPair drawn) {
        const nb::gil_scoped_release release;
        return tuple_of(gradient<T>(plan, theta.elements(), samples_of<T>(X, R.elements(), weight, {}, drawn),
                                    out.elements(), threads));
      },
      "plan"_a, "theta"_a.noconvert(), "X"_a.noconvert(), "R"_a.noconvert(), "out"_a.noconvert(),
      "weight"_a.noconvert() = nb::none(), "threads"_a = 0, "drawn"_a = nb::none(),
      "The derivative of sum(w E) / sum(w), written into out in theta's layout; returns the two sums.");
  m.def(
      "trace",
      [](const Plan& plan, In<T> theta, Inputs<T> X, In<T> R, std::vector<Out<T>> a, std::vector<Out<T>> z,
         std::vector<Out<T>> dh, std::vector<Out<T>> delta, Out<T> gradient, Out<double> E, DrawnPair drawn,
         std::optional<Out<T>> x) {
        const auto spans = [](const std::vector<Out<T>>& arrays) {
          std::vector<std::span<T>> out;
          for (const Out<T>& array : arrays) out.push_back(array.elements());
          return out;
        };
        const Trace<T> out{spans(a),
                           spans(z),
                           spans(dh),
                           spans(delta),
                           gradient.elements(),
                           E.elements(),
                           x ? x->elements() : std::span<T>{}};
        const nb::gil_scoped_release release;
        trace<T>(plan, theta.elements(), samples_of<T>(X, R.elements(), {}, {}, drawn), out);
      },
      "plan"_a, "theta"_a.noconvert(), "X"_a.noconvert(), "R"_a.noconvert(), "a"_a, "z"_a, "dh"_a, "delta"_a,
      "gradient"_a.noconvert(), "E"_a.noconvert(), "drawn"_a = nb::none(), "x"_a.noconvert() = nb::none(),
      "Every quantity of backpropagation for every row of X, written into one array per layer; gradient is "
      "(n, theta_size).");
  m.def(
      "descend",
      [](const Plan& plan, const Learning& learning, Out<T> theta, Out<T> state, Inputs<T> X, In<T> R,
         std::optional<In<T>> weight, std::optional<In<Index>> order, In<double> eta, Index batch_size, Index block,
         SumsTuple before, int threads, std::optional<Out<T>> average, DrawnPair drawn, std::optional<Out<T>> kept,
         std::pair<Index, Index> kept_after) {
        const nb::gil_scoped_release release;
        return tuple_of(descend<T>(
            plan, {learning, theta.elements(), state.elements(), average ? average->elements() : std::span<T>{}},
            samples_of<T>(X, R.elements(), weight, order, drawn), eta.elements(), batch_size, block, sums_of(before),
            threads, kept ? Kept<T>{kept->elements(), kept_after.first, kept_after.second} : Kept<T>{}));
      },
      "plan"_a, "learning"_a, "theta"_a.noconvert(), "state"_a.noconvert(), "X"_a.noconvert(), "R"_a.noconvert(),
      "weight"_a.noconvert(), "order"_a.noconvert(), "eta"_a.noconvert(), "batch_size"_a, "block"_a, "before"_a,
      "threads"_a = 0, "average"_a.noconvert() = nb::none(), "drawn"_a = nb::none(), "kept"_a.noconvert() = nb::none(),
      "kept_after"_a = std::pair<Index, Index>(0, 0),
      "One pass of descent over the samples in their order, theta, state and average in place; returns before + the "
      "sums of w E "
      "and of w and the number of steps. block: of samples that online descent takes together, 1 the naive order, 0 by "
      "the shape. kept takes copies of theta and state after step kept_after[0], and after every kept_after[1] more.");
  m.def(
      "activation",
      [](std::string_view name, double parameter, In<T> a, Out<T> z, Out<T> dh) {
        apply_activation<T>({activation_from(name), parameter}, a.elements(), z.elements(), dh.elements());
      },
      "name"_a, "parameter"_a, "a"_a.noconvert(), "z"_a.noconvert(), "dh"_a.noconvert(),
      "z = h(a) and dh = h'(a), element by element.");
  m.def(
      "run_program",
      [](const Program& program, std::vector<In<T>> inputs, std::vector<Out<T>> outputs) {
        std::vector<std::span<const T>> from;
        std::vector<std::span<T>> to;
        for (const In<T>& input : inputs) from.push_back(input.elements());
        for (const Out<T>& output : outputs) to.push_back(output.elements());
        run_program<T>(program, from, to);
      },
      "program"_a, "inputs"_a, "outputs"_a,
      "For tests: a program over arrays, one for each of its inputs and outputs.");
  m.def(
      "vector_function",
      [](std::string_view name, In<T> x, Out<T> y) { apply_vector_function<T>(name, x.elements(), y.elements()); },
      "name"_a, "x"_a.noconvert(), "y"_a.noconvert(), "For tests: y = f(x), f of the engine's vector_math.hpp.");
}

}  // namespace

NB_MODULE(_engine, m) {
  m.doc() = "deltaprop's native engine. Private: use deltaprop.Network.";

  nb::class_<Program>(m, "Program", "A formula as instructions on numbered slots. Immutable.")
      .def(
          "__init__",
          [](Program* self, int inputs, std::vector<double> constants,
             const std::vector<std::array<int, 5>>& instructions, std::vector<int> outputs) {
            new (self) Program(inputs, std::move(constants), instructions, std::move(outputs));
          },
          "inputs"_a, "constants"_a, "instructions"_a, "outputs"_a,
          "instructions: (operation, to, x, y, w), the operation's place among operation_names() and slots: first the "
          "inputs, then the constants, then what is written.");
  m.def(
      "operation_names",
      [] {
        const auto names = operation_names();
        return std::vector<std::string_view>(names.begin(), names.end());
      },
      "The operations of programs, in order.");

  nb::class_<Plan>(m, "Plan", "The layers, functions and loss of a network, without its numbers. Immutable.")
      .def(
          "__init__",
          [](Plan* self, const std::vector<std::tuple<Index, Index, FunctionName, double, bool>>& layers,
             const FunctionName& loss, std::vector<double> parameters_of_loss, const std::vector<double>& dropout,
             double input_noise) {
            std::vector<LayerSpec> specs;
            if (!dropout.empty() && dropout.size() != layers.size()) {
              throw std::invalid_argument("dropout needs a number for each layer");
            }
            for (const auto& [n_in, n_out, function, parameter, bias] : layers) {
              LayerSpec spec{n_in, n_out, "", bias, parameter};
              if (const auto* name = std::get_if<std::string>(&function)) {
                spec.function = *name;
              } else {
                const auto& [value, derivative] = std::get<Formulas>(function);
                spec.value = value;
                spec.derivative = derivative.value_or(nullptr);
              }
              if (!dropout.empty()) spec.dropout = dropout[specs.size()];
              specs.push_back(std::move(spec));
            }
            if (const auto* name = std::get_if<std::string>(&loss)) {
              new (self) Plan(specs, *name, std::move(parameters_of_loss), nullptr, nullptr, input_noise);
            } else {
              const auto& [value, slope] = std::get<Formulas>(loss);
              new (self) Plan(specs, "", std::move(parameters_of_loss), value, slope.value_or(nullptr), input_noise);
            }
          },
          "layers"_a, "loss"_a, "parameters_of_loss"_a, "dropout"_a = std::vector<double>(), "input_noise"_a = 0.0,
          "layers: (n_in, n_out, function, its parameter or 0, bias) from the input up. A function, and the loss, is a "
          "name, "
          "or the programs of a formula and of its derivative, None in a plan for predictions alone. "
          "parameters_of_loss: "
          "none, one, or one for each output. dropout: of each layer's inputs. Training passes draw it, and the noise "
          "on "
          "inputs, where they are told from what (drawn: the seed, and how many samples were presented before).")
      .def_prop_ro("theta_size", &Plan::theta_size, "Elements of theta as the engine lays it out.")
      .def_prop_ro("n_parameters", &Plan::n_parameters, "Elements of theta without padding.")
      .def(
          "online_block", [](const Plan& plan, const Learning& learning) { return online_block(plan, learning); },
          "learning"_a, "Samples that online descent takes together by default.")
      .def(
          "sparse_block",
          [](const Plan& plan, const Learning& learning, Index rows, Index values) {
            return sparse_block(plan, learning, rows, values);
          },
          "learning"_a, "rows"_a, "values"_a,
          "The same of a sparse X with so many rows and values: after how many samples the weights of inputs that were "
          "0 "
          "catch up.")
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

  nb::class_<Learning>(m, "Learning", "What a descent follows: the optimizer and what surrounds it. Immutable.")
      .def(
          "__init__",
          [](Learning* self, std::string_view optimizer, const std::vector<double>& parameters, double l2, double l1,
             double decay, std::optional<double> clip_norm, std::optional<double> clip_value,
             std::optional<double> max_norm, double average, std::vector<double> factors) {
            new (self) Learning(optimizer, parameters,
                                {l2, l1, decay, clip_norm.value_or(kNoLimit), clip_value.value_or(kNoLimit),
                                 max_norm.value_or(kNoLimit), average, std::move(factors)});
          },
          "optimizer"_a, "parameters"_a, "l2"_a = 0.0, "l1"_a = 0.0, "decay"_a = 0.0, "clip_norm"_a = nb::none(),
          "clip_value"_a = nb::none(), "max_norm"_a = nb::none(), "average"_a = 0.0,
          "factors"_a = std::vector<double>(),
          "parameters: in the order of `optimizers`. average: the share of a running average that stays with a step, 0 "
          "where there is none. factors: of eta, for the weights and the biases of each layer in turn.")
      .def_prop_ro("states", &Learning::states, "Arrays like theta that the optimizer remembers.");

  bind<float>(m);
  bind<double>(m);

  m.def(
      "uniform_start",
      [](std::uint64_t seed, std::uint32_t layer, Out<double> out) { uniform_start(seed, layer, out.elements()); },
      "seed"_a, "layer"_a, "out"_a.noconvert(),
      "Uniform numbers in (-1, 1) that depend on (seed, layer, index) alone.");
  m.def(
      "shuffled_order",
      [](std::uint64_t seed, std::uint32_t epoch, Out<Index> out) {
        const nb::gil_scoped_release release;
        shuffled_order(seed, epoch, out.elements());
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
      "optimizers",
      [] {
        std::map<std::string_view, std::vector<std::string_view>> names;
        for (const OptimizerEntry& entry : optimizer_entries()) {
          std::vector<std::string_view>& parameters = names[entry.name];
          for (const std::string_view name : entry.parameters) {
            if (!name.empty()) parameters.push_back(name);
          }
        }
        return names;
      },
      "The optimizers that have a rule, each with the names of its parameters in order.");
  m.def(
      "peak", [](bool f64, double seconds) { return f64 ? peak<double>(seconds) : peak<float>(seconds); }, "f64"_a,
      "seconds"_a = 0.05, "Operations a second of one core's multiply-add units, each multiply-add counted as two.");
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
  m.def("use_instruction_set", &use_instruction_set, "name"_a,
        "For tests: run another set of kernels from now on; \"\" is the first choice again.");
}
