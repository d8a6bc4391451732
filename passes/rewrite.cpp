// Replacement of values with regard to the names of outputs.

#include <tandem/passes/rewrite.h>

#include <algorithm>

#include <fmt/format.h>

namespace tandem {

bool ValueReplacer::is_output(Value value) {
  if (!known_) {
    known_ = true;
    for (std::size_t i = 0; i < graph_.num_outputs(); ++i) {
      mark_output(graph_.output(i));
    }
  }
  return value.index < outputs_.size() && outputs_[value.index];
}

void ValueReplacer::mark_output(Value value) {
  if (value.index >= outputs_.size()) {
    outputs_.resize(graph_.value_capacity());
  }
  outputs_[value.index] = true;
}

bool ValueReplacer::is_named_output(Value value) {
  return is_output(value) && !graph_.name(value).empty();
}

void ValueReplacer::move_name(Value from, Value to) {
  graph_.set_name(to, graph_.name(from));
  graph_.set_name(from, {});
}

bool ValueReplacer::replace(Value from, Value to) {
  if (!is_output(from)) {
    graph_.replace_all_uses(from, to);
    if (graph_.name(to).empty() && graph_.def_node(to)) {
      move_name(from, to);
    }
    return true;
  }
  if (graph_.name(from).empty()) {
    graph_.replace_all_uses(from, to);
    outputs_[from.index] = false;
    mark_output(to);
    return true;
  }
  if (graph_.def_node(to) && !is_named_output(to)) {
    graph_.replace_all_uses(from, to);
    move_name(from, to);
    outputs_[from.index] = false;
    mark_output(to);
    return true;
  }
  graph_.replace_uses_except(from, to, graph_.return_node());
  return false;
}

bool is_unused(const Graph& graph, Node node) {
  for (std::size_t i = 0; i < graph.num_results(node); ++i) {
    if (graph.num_uses(graph.result(node, i)) != 0) {
      return false;
    }
  }
  return true;
}

Node made_by(const Graph& graph, Value value, OpId op) {
  const Node node = graph.def_node(value);
  return node && graph.op(node) == op ? node : Node{};
}

std::string describe(const Graph& graph, Node node) {
  std::string text = graph.def(node).name;
  for (std::size_t i = 0; i < graph.num_results(node); ++i) {
    if (const Symbol name = graph.name(graph.result(node, i)); !name.empty()) {
      text += fmt::format(" %{}", name.view());
      break;
    }
  }
  if (const Symbol scope = graph.scope(node); !scope.empty()) {
    text += fmt::format(" in {}", scope.view());
  }
  return text;
}

Symbol common_scope(const Graph& graph, std::span<const Node> nodes) {
  if (nodes.empty())
    return {};
  std::string_view common = graph.scope(nodes.front()).view();
  for (Node n : nodes) {
    const std::string_view scope = graph.scope(n).view();
    const auto [a, b] = std::mismatch(common.begin(), common.end(), scope.begin(), scope.end());
    const bool whole = (a == common.end() || *a == '.') && (b == scope.end() || *b == '.');
    common = common.substr(0, static_cast<std::size_t>(a - common.begin()));
    if (!whole)
      common = common.substr(0, common.rfind('.') == std::string_view::npos ? 0 : common.rfind('.'));
  }
  return graph.context().intern(common);
}

}  // namespace tandem
