// Decomposing at plan time.
#include <tandem/runtime/plan_decompose.h>

#include <utility>

#include <fmt/format.h>

#include <tandem/ir/builder.h>
#include <tandem/ir/counted.h>
#include <tandem/runtime/view_geometry.h>

namespace tandem {
namespace {

/// What a node was made from, and how many decompositions deep.
struct Origin {
  std::string op;
  int depth = 0;
};

Diagnostic finding(std::string code, const Graph& graph, Node node, std::string message, std::string help) {
  Diagnostic d;
  d.code = std::move(code);
  if (graph.num_results(node) > 0) {
    const std::string_view name = graph.name(graph.result(node, 0)).view();
    if (!name.empty())
      d.where.path = fmt::format("%{}", name);
  }
  d.message = std::move(message);
  d.help = std::move(help);
  return d;
}

/// Builds the decomposition before `node` and lets its values take the results' places. Throws Error.
void expand_node(Graph& graph, Node node) {
  const OpDef& def = graph.def(node);
  std::vector<Value> operands;
  for (std::size_t i = 0; i < graph.num_operands(node); ++i)
    operands.push_back(graph.operand(node, i));
  const std::vector<Attribute> attrs(graph.attrs(node).begin(), graph.attrs(node).end());
  GraphBuilder builder(graph, node);
  builder.set_scope(graph.scope(node).view());
  const std::vector<Value> values = def.decompose(builder, operands, attrs);
  if (values.size() != graph.num_results(node))
    throw Error("plan.decomposition", fmt::format("the decomposition of '{}' gives {}, expected {}", def.name,
                                                  counted(values.size(), "value"), graph.num_results(node)));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Value old = graph.result(node, i);
    if (graph.type(old) != graph.type(values[i]))
      throw Error("plan.decomposition",
                  fmt::format("the decomposition of '{}' gives {} for result {}, expected {}", def.name,
                              to_string(graph.type(values[i])), i, to_string(graph.type(old))));
    graph.replace_all_uses(old, values[i]);
    const Symbol name = graph.name(old);
    graph.set_name(old, {});
    const bool is_new = graph.def_node(values[i]) && graph.name(values[i]).empty();
    if (is_new)
      graph.set_name(values[i], name);
  }
  graph.erase(node);
}

}  // namespace

std::vector<std::string> decompose_without_kernel(Graph& graph, const ProviderChooser& chooser,
                                                  std::vector<Diagnostic>& findings) {
  constexpr std::size_t max_findings = 20;
  std::vector<Origin> origins(graph.node_capacity());
  // By op: whether someone offers it. An op is asked about once.
  std::vector<signed char> offered(graph.context().ops().size(), -1);
  Node node = graph.first();
  while (node && findings.size() < max_findings) {
    const OpId op = graph.op(node);
    const OpDef& def = graph.def(node);
    if (offered[op.index] < 0)
      offered[op.index] = is_core_view(op) || op == op::constant || chooser.choose(def.name).kernel ? 1 : 0;
    if (offered[op.index] == 1) {
      node = graph.next(node);
      continue;
    }
    const Origin origin{origins[node.index].op.empty() ? def.name : origins[node.index].op,
                        origins[node.index].depth + 1};
    if (!def.decompose) {
      findings.push_back(finding(
          "plan.no-kernel", graph, node,
          fmt::format("no provider has a kernel for '{}' (asked: {})", def.name, chooser.choose(def.name).asked),
          "add one to a KernelTable in PlanOptions::providers, or give the op a decomposition"));
      node = graph.next(node);
      continue;
    }
    const Node before = graph.prev(node), after = graph.next(node);
    try {
      if (origin.depth > max_decomposition_depth)
        throw Error("plan.decomposition",
                    fmt::format("the decomposition of '{}' never ends: it contains '{}'", origin.op, def.name));
      expand_node(graph, node);
    } catch (const Error& error) {
      findings.insert(findings.end(), error.diagnostics().begin(), error.diagnostics().end());
      node = after;
      continue;
    }
    origins.resize(graph.node_capacity());
    const Node first_new = before ? graph.next(before) : graph.first();
    for (Node n = first_new; n != after; n = graph.next(n))
      origins[n.index] = origin;
    node = first_new;
  }
  std::vector<std::string> out(graph.node_capacity());
  for (std::size_t i = 0; i < origins.size(); ++i)
    out[i] = std::move(origins[i].op);
  return out;
}

}  // namespace tandem
