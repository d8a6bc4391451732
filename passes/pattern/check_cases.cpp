#include <tandem/passes/pattern/check_cases.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <unordered_map>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/verifier.h>
#include <tandem/passes/pattern/check_conditioning.h>
#include <tandem/passes/pattern/engine.h>

namespace tandem {

namespace {

/// The most elements that a tensor of a case has: a fusion of dims that are written out (`bf16[163840, 7168]`) is not
/// tried on gigabytes.
constexpr double max_elements = 1 << 20;

bool is_small(const Graph& graph, const Instance& instance) {
  const auto fits = [&](Value v) {
    double elements = 1;
    for (std::int64_t d : instance.sizes(graph.type(v)))
      elements *= static_cast<double>(d);
    return elements <= max_elements;
  };
  for (Node n = graph.first(); n; n = graph.next(n)) {
    for (std::size_t i = 0; i < graph.num_results(n); ++i) {
      if (!fits(graph.result(n, i)))
        return false;
    }
  }
  return std::all_of(graph.inputs().begin(), graph.inputs().end(), fits) &&
         std::all_of(graph.weights().begin(), graph.weights().end(), [&](const Weight& w) { return fits(w.value); });
}

}  // namespace

std::optional<CheckCase> make_case(const std::shared_ptr<Context>& context, const CompiledSet& set, std::size_t variant,
                                   const InstanceWishes& wishes, DataKind kind, const CheckExecutor& oracle,
                                   CheckRandom& random, bool* made) {
  const Instantiator instantiator(context, set.variants[variant]);
  constexpr int tries = 4;
  for (int i = 0; i < tries; ++i) {
    std::optional<Instance> instance = instantiator.make(random, wishes);
    if (!instance)
      return std::nullopt;
    if (made != nullptr)
      *made = true;
    try {
      Graph graph = instance->build(context, set.patterns[set.variants[variant].fusion].name);
      if (!is_small(graph, *instance))
        continue;
      std::vector<CheckTensor> inputs;
      const auto add = [&](Value v) {
        const TensorType& type = graph.type(v);
        inputs.push_back(random_tensor(type.dtype, instance->sizes(type), kind, random));
      };
      for (Value v : graph.inputs())
        add(v);
      for (const Weight& w : graph.weights())
        add(w.value);
      std::vector<CheckTensor> want = oracle.run(graph, inputs);
      return CheckCase{variant, std::move(*instance), std::move(graph), kind, std::move(inputs), std::move(want)};
    } catch (const Error&) {
      continue;  // an index out of range, say: other dims, other data
    }
  }
  return std::nullopt;
}

Rewriting apply(const CompiledSet& set, const Graph& graph) {
  Rewriting out;
  Graph copy = graph;
  try {
    std::vector<ActivePattern> all(set.patterns.size());
    for (std::uint32_t i = 0; i < all.size(); ++i)
      all[i].pattern = i;
    const EngineResult result = run_patterns(set, copy, all, [&](const SiteEvent& site) {
      if (!site.rewritten && out.refused == Refusal::none)
        out.refused = site.refusal;
      if (!site.rewritten || !out.matched.empty())
        return;
      for (Node n : site.matched)
        out.matched.push_back(n.index);
    });
    if (result.changed) {
      verify_or_throw(copy);
      out.graph = std::move(copy);
    }
    for (const FusionStatistics& s : result.fusions) {
      if (!s.refusals.empty())
        out.refusal = s.refusals.begin()->first;
    }
  } catch (const Error& e) {
    if (e.diagnostics().front().code != "pattern.non-terminating")
      throw;
    out.endless = true;
  }
  return out;
}

Graph decomposed(Graph graph) {
  for (Node n = graph.first(); n;) {
    const Node next = graph.next(n);
    const OpDef& def = graph.def(n);
    if (def.has(trait::fused) && def.decompose != nullptr) {
      std::vector<Value> operands;
      for (std::size_t i = 0; i < graph.num_operands(n); ++i)
        operands.push_back(graph.operand(n, i));
      const std::vector<Attribute> attrs(graph.attrs(n).begin(), graph.attrs(n).end());
      GraphBuilder builder(graph, n);
      const std::vector<Value> values = def.decompose(builder, operands, attrs);
      for (std::size_t i = 0; i < values.size(); ++i)
        graph.replace_all_uses(graph.result(n, i), values[i]);
      graph.erase(n);
    }
    n = next;
  }
  return graph;
}

std::vector<std::uint64_t> meaning(const Graph& graph) {
  const auto mix = [](std::uint64_t seed, std::uint64_t more) {
    return CheckRandom(seed * 0x9e3779b97f4a7c15ULL ^ more).next();
  };
  std::unordered_map<std::uint32_t, std::uint64_t> of;
  std::uint64_t port = 1;
  for (Value v : graph.inputs())
    of[v.index] = mix(1, port++);
  for (const Weight& w : graph.weights())
    of[w.value.index] = mix(2, port++);
  for (Node n = graph.first(); n; n = graph.next(n)) {
    std::vector<std::uint64_t> operands;
    for (std::size_t i = 0; i < graph.num_operands(n); ++i)
      operands.push_back(of[graph.operand(n, i).index]);
    if (graph.def(n).has(trait::commutative) && operands.size() >= 2)
      std::sort(operands.begin(), operands.begin() + 2);
    std::uint64_t hash = mix(3, graph.op(n).index);
    for (std::uint64_t o : operands)
      hash = mix(hash, o);
    // Without a weight there is nothing to round before.
    const bool no_weight = graph.op(n) == op::rms_norm && graph.num_operands(n) == 1;
    for (std::size_t i = 0; i < (no_weight ? 1 : graph.attrs(n).size()); ++i)
      hash = mix(mix(hash, static_cast<std::uint64_t>(graph.attr(n, i).kind())), graph.attr(n, i).bits());
    for (std::size_t i = 0; i < graph.num_results(n); ++i)
      of[graph.result(n, i).index] = mix(hash, i);
  }
  std::vector<std::uint64_t> out;
  for (std::size_t i = 0; i < graph.num_outputs(); ++i)
    out.push_back(of[graph.output(i).index]);
  return out;
}

Comparison compare_with(const CheckCase& c, std::span<const CheckTensor> got, CheckTolerance allowed,
                        const CheckExecutor& oracle) {
  const bool finite = all_finite(c.inputs);
  Comparison result = compare_outputs(got, c.want, allowed, finite);
  if (!result.failure || !allowed.relaxed)
    return result;
  // Three times: the rewrite has roundings of its own, and a few draws do not find the worst.
  allowed.more = movement(c, oracle);
  for (std::vector<double>& output : allowed.more) {
    for (double& distance : output)
      distance *= 3;
  }
  return compare_outputs(got, c.want, allowed, finite);
}

bool all_finite(std::span<const CheckTensor> tensors) {
  return std::all_of(tensors.begin(), tensors.end(), [](const CheckTensor& t) {
    return std::all_of(t.values.begin(), t.values.end(), [](double v) { return std::isfinite(v); });
  });
}

}  // namespace tandem
