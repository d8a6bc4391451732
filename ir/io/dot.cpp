#include <tandem/ir/io/dot.h>

#include <map>
#include <vector>

#include <fmt/format.h>

#include <tandem/ir/io/scope_tree.h>

namespace tandem {

namespace {

class DotWriter {
 public:
  explicit DotWriter(const Graph& graph) : graph_(graph), names_(graph), tree_(graph) {}

  std::string write() {
    out_ = "digraph ";
    string(graph_.name());
    out_ +=
        " {\n  rankdir=TB;\n  node [shape=box, style=\"rounded,filled\", fillcolor=white, fontname=\"sans-serif\"];\n";
    for (Value v : graph_.inputs())
      source(v, "ellipse", "lightblue");
    for (const Weight& w : graph_.weights())
      source(w.value, "ellipse", "lightgrey");
    cluster(0, 1);
    out_ += "  outputs [shape=ellipse, fillcolor=lightblue, label=\"return\"];\n";
    for (Node n : graph_.nodes())
      edges(n, fmt::format("n{}", n.index));
    edges(graph_.return_node(), "outputs");
    out_ += "}\n";
    return std::move(out_);
  }

 private:
  // The members of a scope, then the scopes within it. As deep as the tree, which is bounded.
  void cluster(std::size_t scope, std::size_t depth) {
    const std::string indent(2 * depth, ' ');
    for (Node n : tree_[scope].nodes)
      node(n, indent);
    for (std::size_t child : tree_[scope].children) {
      out_ += fmt::format("{}subgraph cluster_{} {{\n{}  label=", indent, child, indent);
      string(tree_[child].name);
      out_ += ";\n";
      cluster(child, depth + 1);
      out_ += indent + "}\n";
    }
  }

  void source(Value v, std::string_view shape, std::string_view color) {
    out_ += fmt::format("  v{} [shape={}, fillcolor={}, label=", v.index, shape, color);
    string(fmt::format("%{}\n{}", names_[v], to_string(graph_.type(v))));
    out_ += "];\n";
  }

  void node(Node n, std::string_view indent) {
    const OpDef& def = graph_.def(n);
    std::string label = def.name;
    for (std::size_t i = 0; i < graph_.num_results(n); ++i) {
      label += fmt::format("{}%{}", i == 0 ? "\n" : ", ", names_[graph_.result(n, i)]);
    }
    const auto attrs = graph_.attrs(n);
    for (std::size_t i = 0; i < attrs.size(); ++i) {
      if (attrs[i] == def.attrs[i].default_value)
        continue;
      std::string text =
          attrs[i].kind() == AttrKind::tensor ? "dense " + to_string(attrs[i].tensor().type) : to_string(attrs[i]);
      if (text.size() > 60)
        text = text.substr(0, 57) + "...";
      label += fmt::format("\n{} = {}", def.attrs[i].name, text);
    }
    out_ += fmt::format("{}n{} [label=", indent, n.index);
    string(label);
    out_ += "];\n";
  }

  void edges(Node n, const std::string& target) {
    for (std::size_t i = 0; i < graph_.num_operands(n); ++i) {
      const Value v = graph_.operand(n, i);
      const Node def = graph_.def_node(v);
      out_ += fmt::format("  {}{} -> {}", def ? 'n' : 'v', def ? def.index : v.index, target);
      if (def) {
        out_ += " [label=";
        string(to_string(graph_.type(v)));
        out_ += ']';
      }
      out_ += ";\n";
    }
  }

  /// A DOT string; its labels know \n, so a backslash of a name is doubled.
  void string(std::string_view text) {
    out_ += '"';
    for (char c : text) {
      if (c == '"' || c == '\\')
        out_ += '\\';
      if (c == '\n')
        out_ += "\\n";
      else if (static_cast<unsigned char>(c) < 0x20)
        out_ += ' ';
      else
        out_ += c;
    }
    out_ += '"';
  }

  const Graph& graph_;
  ValueNames names_;
  io::ScopeTree tree_;
  std::string out_;
};

}  // namespace

std::string to_dot(const Graph& graph) {
  return DotWriter(graph).write();
}

}  // namespace tandem
