#include <tandem/passes/pattern/similar_ops.h>

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace tandem {

namespace {

/// One sign: where `op` is looked for and absent, nodes of `sign` may be why.
struct Sign {
  std::string_view op, sign, meaning;
  bool made_by_passes = false;  ///< A graph cannot help having it.
};

constexpr Sign signs[] = {
    {"rms_norm", "rsqrt", "perhaps an rms_norm that is spelt out: square, mean, add, rsqrt, mul"},
    {"rms_norm", "layer_norm", "which subtracts the mean; it is not an rms_norm"},
    {"layer_norm", "rms_norm", "which does not subtract the mean"},
    {"layer_norm", "rsqrt", "perhaps a layer_norm that is spelt out"},
    {"silu", "sigmoid", "perhaps a silu that is spelt out: x * sigmoid(x)"},
    {"silu", "gelu", "another activation"},
    {"gelu", "erf", "perhaps a gelu that is spelt out"},
    {"gelu", "tanh", "perhaps a gelu that is spelt out, the tanh approximation"},
    {"gelu", "silu", "another activation"},
    {"softmax", "exp", "perhaps a softmax that is spelt out: exp over its sum"},
    {"rope", "neg", "perhaps a rope that is spelt out: slice, neg, concat, mul, add"},
    {"attention", "softmax", "perhaps an attention that is spelt out: matmul, softmax, matmul"},
    {"linear", "matmul", "a product of two computed values, or by a transposed weight"},
    {"linear", "batch_matmul", "a product of two computed values"},
    {"matmul", "linear", "which has its weight transposed"},
    {"matmul", "batch_matmul", "of rank 3"},
    {"split", "linear", "parts may be products of their own; the pass 'merge_linears' makes one of them and cuts it"},
    {"split", "slice", "parts may be cut one by one; the pass 'splits' makes one split of them"},
    {"slice", "split", "the pass 'splits' makes one split of several slices", true},
    {"square", "pow", "perhaps a square"},
    {"square", "mul", "perhaps x * x"},
    {"rsqrt", "sqrt", "perhaps followed by reciprocal or div"},
    {"rsqrt", "rms_norm", "already raised: match the rms_norm"},
    {"mean", "rms_norm", "already raised: match the rms_norm"},
    {"sigmoid", "silu", "already raised: match the silu"},
    {"sub", "add", "perhaps of a negated value"},
    {"div", "reciprocal", "perhaps followed by mul"},
    {"square", "rms_norm", "already raised: match the rms_norm"},
};

std::string first_of(const Graph& graph, const ValueNames& names, OpId op) {
  const Node n = graph.first_of(op);
  std::string where = graph.num_results(n) != 0 ? fmt::format(", the first is %{}", names[graph.result(n, 0)]) : "";
  if (!graph.scope(n).empty())
    where += fmt::format(" in {}", graph.scope(n).view());
  return where;
}

}  // namespace

std::vector<std::string> similar_ops(const Graph& graph, const ValueNames& names, std::string_view op) {
  std::vector<std::string> found;
  for (const Sign& s : signs) {
    const auto id = s.op == op ? graph.context().find_op(s.sign) : std::nullopt;
    if (!id || graph.count(*id) == 0)
      continue;
    found.push_back(fmt::format("{} ({} node{}{}): {}", s.sign, graph.count(*id), graph.count(*id) == 1 ? "" : "s",
                                first_of(graph, names, *id), s.meaning));
  }
  // A fused op that stands for it, made by another fusion or a pass before.
  for (std::uint16_t i = 0; i < graph.context().ops().size(); ++i) {
    const OpDef& def = graph.context().op(OpId{i});
    if (def.has(trait::fused) && graph.count(OpId{i}) != 0 && def.name.find(op) != std::string::npos)
      found.push_back(fmt::format("{} ({} node{}{}): fused already", def.name, graph.count(OpId{i}),
                                  graph.count(OpId{i}) == 1 ? "" : "s", first_of(graph, names, OpId{i})));
  }
  return found;
}

namespace {

const Sign* sign_of(std::string_view op, std::string_view found) {
  const auto it =
      std::find_if(std::begin(signs), std::end(signs), [&](const Sign& s) { return s.op == op && s.sign == found; });
  return it == std::end(signs) ? nullptr : it;
}

}  // namespace

std::string_view meaning_of(std::string_view op, std::string_view found) {
  const Sign* sign = sign_of(op, found);
  return sign == nullptr ? std::string_view() : sign->meaning;
}

bool made_by_passes(std::string_view op, std::string_view found) {
  const Sign* sign = sign_of(op, found);
  return sign != nullptr && sign->made_by_passes;
}

}  // namespace tandem
