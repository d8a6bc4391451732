// See random_tensors.h.
#include <tandem/tools/random_tensors.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <string>

#include <fmt/format.h>

#include <tandem/ir/context.h>
#include <tandem/ir/diagnostic.h>

namespace tandem::cli {
namespace {

/// splitmix64 (Steele, Lea, Flood 2014): the same numbers on every machine, which <random>'s distributions do not
/// promise.
class Random {
 public:
  Random(std::uint64_t seed, std::string_view name) : state_(seed) {
    for (const char c : name)
      state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL + next();
  }
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  /// In (0, 1].
  double uniform() { return (static_cast<double>(next() >> 11) + 1.0) * 0x1.0p-53; }
  double normal() {
    const double radius = std::sqrt(-2.0 * std::log(uniform()));
    return radius * std::cos(2.0 * std::numbers::pi * uniform());
  }
  std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(n)); }

 private:
  std::uint64_t state_;
};

/// Normal numbers: mean + scale * z.
struct Spread {
  double mean = 0.0;
  double scale = 1.0;
};

std::vector<std::int64_t> concrete(const TensorType& type, const DimBindings& bindings) {
  std::vector<std::int64_t> shape;
  for (Dim d : type.shape)
    shape.push_back(bindings.value(d));
  return shape;
}

/// Sums up what is made and refuses too much of it before any of it is allocated.
class Budget {
 public:
  Tensor make(std::string_view name, const TensorType& type, const DimBindings& bindings) {
    const std::vector<std::int64_t> shape = concrete(type, bindings);
    double bytes = static_cast<double>(byte_size(type.dtype));
    for (const std::int64_t d : shape) {
      if (d < 0)
        throw Error("run.dim-range", fmt::format("'%{}' would have a dim of {}", name, d), "bind other sizes");
      bytes *= static_cast<double>(d);
    }
    spent_ += bytes;
    if (spent_ > max_random_bytes)
      throw Error("run.random-too-large",
                  fmt::format("with '%{}' the random tensors take {:.1f} GiB; at most {:.0f} are made up", name,
                              spent_ / (1 << 30), max_random_bytes / (1 << 30)),
                  "generate a smaller model (--tiny, --layers), bind smaller dims, or give the weights in a file");
    return Tensor::zeros(type.dtype, shape);
  }

 private:
  double spent_ = 0.0;
};

void fill(const Tensor& tensor, Random random, Spread spread) {
  for (std::int64_t i = 0, n = tensor.view.size(); i < n; ++i)
    store_element(tensor.view, i, spread.mean + spread.scale * random.normal());
}

double inverse_root(std::int64_t length) {
  return 1.0 / std::sqrt(static_cast<double>(std::max<std::int64_t>(length, 1)));
}

/// By the first use that tells something.
Spread spread_of_weight(const Graph& graph, Value weight, std::span<const std::int64_t> shape) {
  for (const Use use : graph.uses(weight)) {
    const OpDef& def = graph.def(use.user);
    const bool is_norm = def.operand_name(use.operand).ends_with("weight") && shape.size() == 1;
    if (is_norm)
      return {.mean = 1.0, .scale = 0.1};
    if (def.name == "embedding")
      return {};
    if ((def.name == "matmul" || def.name == "batch_matmul") && shape.size() >= 2)
      return {.scale = inverse_root(use.operand == 1 ? shape[shape.size() - 2] : shape.back())};
    if (def.name == "conv1d" && shape.size() == 3)
      return {.scale = inverse_root(shape[1] * shape[2])};
  }
  if (shape.size() >= 2)
    return {.scale = inverse_root(shape.back())};
  return {.scale = 0.1};  // a bias, or the bias that corrects an expert's score
}

/// How many things an integer value chooses among, looking through views and casts; empty when it does not choose. The
/// graph is acyclic, and every step goes forward in it, but one value can be reached by many ways: `budget` bounds
/// them.
std::optional<std::int64_t> index_range(const Graph& graph, Value value, const DimBindings& bindings, int& budget) {
  for (const Use use : graph.uses(value)) {
    if (--budget < 0)
      return std::nullopt;
    const Node user = use.user;
    const OpDef& def = graph.def(user);
    const auto length = [&](std::size_t operand, std::size_t axis) {
      return bindings.value(graph.type(graph.operand(user, operand)).shape[axis]);
    };
    if (def.name == "embedding" && use.operand == 1)
      return length(0, 0);
    if (def.name == "expert_linear" && use.operand == 2)
      return length(1, 0);
    if (def.name == "one_hot")
      return bindings.value(graph.attr(user, "classes").dim());
    if ((def.name == "take" || def.name == "gather" || def.name == "scatter") && use.operand == 1) {
      const auto rank = static_cast<std::int64_t>(graph.type(graph.operand(user, 0)).shape.rank());
      const std::int64_t axis = graph.attr(user, "axis").integer();
      return length(0, static_cast<std::size_t>(axis < 0 ? axis + rank : axis));
    }
    if ((def.name == "gather_nd" || def.name == "scatter_nd") && use.operand == 1) {
      const TensorType& indices = graph.type(graph.operand(user, 1));
      const std::int64_t coordinates = bindings.value(indices.shape.back());
      std::int64_t least = length(0, 0);
      for (std::int64_t i = 1; i < coordinates; ++i)
        least = std::min(least, length(0, static_cast<std::size_t>(i)));
      return least;
    }
    if ((def.has(trait::view) || def.name == "cast" || def.name == "concat") && is_integer(graph.type(value).dtype))
      for (std::size_t i = 0; i < graph.num_results(user); ++i)
        if (const auto range = index_range(graph, graph.result(user, i), bindings, budget))
          return range;
  }
  return std::nullopt;
}

void fill_input(const Graph& graph, Value input, const Tensor& tensor, Random random, const DimBindings& bindings) {
  const TensorView& view = tensor.view;
  if (is_float(view.dtype))
    return fill(tensor, random, {});
  const std::int64_t n = view.size();
  if (is_boolean(view.dtype)) {
    for (std::int64_t i = 0; i < n; ++i)
      store_element(view, i, 1.0);
    return;
  }
  int budget = 10'000;
  const auto range = index_range(graph, input, bindings, budget);
  const std::int64_t row = view.rank == 0 ? 1 : view.shape[view.rank - 1U];
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t value = range && *range > 0 ? random.below(*range) : i % row;
    store_element(view, i, static_cast<double>(value));
  }
}

}  // namespace

void add_random_weights(const Graph& graph, std::uint64_t seed, const DimBindings& bindings, TensorStore& weights) {
  Budget budget;
  for (const Weight& weight : graph.weights()) {
    const std::string key(weight.key.view());
    if (weights.find(key))
      continue;
    const TensorType& type = graph.type(weight.value);
    const Tensor tensor = budget.make(key, type, bindings);
    if (is_float(type.dtype))
      fill(tensor, Random(seed, key), spread_of_weight(graph, weight.value, tensor.view.dims()));
    weights.add(key, tensor);
  }
}

std::vector<Tensor> random_inputs(const Graph& graph, std::uint64_t seed, const DimBindings& bindings) {
  Budget budget;
  const ValueNames names(graph);
  std::vector<Tensor> inputs;
  for (Value input : graph.inputs()) {
    const Tensor tensor = budget.make(names[input], graph.type(input), bindings);
    fill_input(graph, input, tensor, Random(seed, names[input]), bindings);
    inputs.push_back(tensor);
  }
  return inputs;
}

}  // namespace tandem::cli
