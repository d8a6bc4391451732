#include <tandem/passes/pattern/draw.h>

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

namespace tandem {

namespace {

constexpr std::size_t longest_attribute = 60;

/// "%qn"; a name with other characters than those of names in quotes, on one line.
std::string spelt(std::string_view name) {
  const auto plain = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.'; };
  if (std::all_of(name.begin(), name.end(), plain))
    return "%" + std::string(name);
  std::string out = "%\"";
  for (const char c : name) {
    if (c == '"' || c == '\\')
      out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  }
  return out + "\"";
}

class NodeLine {
 public:
  NodeLine(const Graph& graph, const ValueNames& names, Node node, std::span<const Mark> marks)
      : graph_(graph), names_(names), node_(node), marks_(marks) {
    spell();
  }

  std::string text;
  /// "^~~~" under each marked part; empty when there is none.
  std::string underline;

 private:
  void part(Mark::Part part, std::size_t index, const std::string& words) {
    const std::size_t start = text.size();
    text += words;
    const bool marked = std::any_of(marks_.begin(), marks_.end(), [&](const Mark& m) {
      return m.node == node_ && m.part == part && (part == Mark::Part::op || m.index == index);
    });
    if (!marked || words.empty())
      return;
    underline.resize(std::max(underline.size(), start), ' ');
    underline += '^';
    underline.append(words.size() - 1, '~');
  }

  bool is_marked(Mark::Part part, std::size_t index) const {
    return std::any_of(marks_.begin(), marks_.end(),
                       [&](const Mark& m) { return m.node == node_ && m.part == part && m.index == index; });
  }

  void spell() {
    const OpDef& def = graph_.def(node_);
    for (std::size_t i = 0; i < graph_.num_results(node_); ++i) {
      text += i == 0 ? "" : ", ";
      part(Mark::Part::result, i, spelt(names_[graph_.result(node_, i)]));
    }
    if (graph_.num_results(node_) != 0)
      text += " = ";
    part(Mark::Part::op, 0, def.name);
    for (std::size_t i = 0; i < graph_.num_operands(node_); ++i) {
      text += i == 0 ? " " : ", ";
      part(Mark::Part::operand, i, spelt(names_[graph_.operand(node_, i)]));
    }
    const char* separator = " {";
    for (std::size_t i = 0; i < def.attrs.size(); ++i) {
      const Attribute a = graph_.attr(node_, i);
      if (a == def.attrs[i].default_value && !is_marked(Mark::Part::attr, i))
        continue;
      std::string value = to_string(a);
      if (value.size() > longest_attribute)
        value = value.substr(0, longest_attribute) + "...";
      text += separator;
      separator = ", ";
      part(Mark::Part::attr, i, def.attrs[i].name + " = " + value);
    }
    text += *separator == ',' ? "}" : "";
    for (std::size_t i = 0; i < graph_.num_results(node_); ++i) {
      text += i == 0 ? " : " : ", ";
      part(Mark::Part::type, i, to_string(graph_.type(graph_.result(node_, i))));
    }
  }

  const Graph& graph_;
  const ValueNames& names_;
  Node node_;
  std::span<const Mark> marks_;
};

}  // namespace

std::string draw_node(const Graph& graph, const ValueNames& names, Node node) {
  return NodeLine(graph, names, node, {}).text;
}

std::vector<std::string> draw_nodes(const Graph& graph, const ValueNames& names, std::vector<Node> nodes,
                                    std::span<const Mark> marks) {
  for (const Mark& m : marks)
    nodes.push_back(m.node);
  std::erase_if(nodes, [&](Node n) { return !n || n == graph.return_node() || !graph.is_live(n); });
  std::sort(nodes.begin(), nodes.end(), [&](Node a, Node b) { return graph.comes_before(a, b); });
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  std::vector<std::string> lines;
  for (const Node n : nodes) {
    NodeLine line(graph, names, n, marks);
    lines.push_back(std::move(line.text));
    if (!line.underline.empty())
      lines.push_back(std::move(line.underline));
  }
  return lines;
}

}  // namespace tandem
