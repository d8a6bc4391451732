#include <tandem/ir/io/html.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <tandem/ir/io/html_page.h>
#include <tandem/ir/io/scope_tree.h>
#include <tandem/ir/io/spelling.h>

namespace tandem {

namespace {

/// The graph as the page's script wants it: values by number, nodes, scopes.
class PageData {
 public:
  explicit PageData(const Graph& graph) : graph_(graph), names_(graph), tree_(graph), number_(graph.value_capacity()) {}

  std::string write() {
    out_ = "{\"name\": ";
    string(graph_.name());
    out_ += ",\n\"values\": [";
    for (Value v : graph_.inputs())
      value(v, -1, {});
    for (const Weight& w : graph_.weights())
      value(w.value, -1, w.key.view());
    std::int64_t position = 0;
    for (Node n : graph_.nodes()) {
      for (std::size_t i = 0; i < graph_.num_results(n); ++i)
        value(graph_.result(n, i), position, {});
      ++position;
    }
    out_ += "],\n\"nodes\": [";
    nodes();
    out_ += "],\n\"scopes\": [";
    scopes();
    out_ += fmt::format("],\n\"inputs\": {}, \"weights\": {}, \"outputs\": ", graph_.inputs().size(),
                        graph_.weights().size());
    operands(graph_.return_node());
    out_ += '}';
    return std::move(out_);
  }

 private:
  void value(Value v, std::int64_t node, std::string_view key) {
    out_ += count_ == 0 ? "\n" : ",\n";
    number_[v.index] = count_++;
    out_ += "{\"name\": ";
    string(names_[v]);
    out_ += ", \"type\": ";
    string(to_string(graph_.type(v)));
    out_ += fmt::format(", \"node\": {}", node);
    if (!key.empty()) {
      out_ += ", \"key\": ";
      string(key);
    }
    out_ += '}';
  }

  void nodes() {
    std::vector<std::size_t> scope_of(graph_.node_capacity());
    for (std::size_t s = 0; s < tree_.size(); ++s) {
      for (Node n : tree_[s].nodes)
        scope_of[n.index] = s;
    }
    std::string_view separator = "\n";
    for (Node n : graph_.nodes()) {
      const OpDef& def = graph_.def(n);
      out_ += separator;
      separator = ",\n";
      out_ += fmt::format("{{\"op\": \"{}\", \"scope\": {}, \"fused\": {}, \"in\": ", def.name, scope_of[n.index],
                          def.has(trait::fused));
      operands(n);
      out_ += ", \"out\": [";
      for (std::size_t i = 0; i < graph_.num_results(n); ++i) {
        out_ += fmt::format("{}{}", i == 0 ? "" : ", ", number_[graph_.result(n, i).index]);
      }
      out_ += "], \"attrs\": [";
      const auto attrs = graph_.attrs(n);
      for (std::size_t i = 0; i < attrs.size(); ++i) {
        if (i != 0)
          out_ += ", ";
        std::string text =
            attrs[i].kind() == AttrKind::tensor ? "dense " + to_string(attrs[i].tensor().type) : to_string(attrs[i]);
        if (text.size() > 400)
          text = text.substr(0, 397) + "...";
        string(fmt::format("{} = {}", def.attrs[i].name, text));
      }
      out_ += "]}";
    }
  }

  void scopes() {
    for (std::size_t s = 0; s < tree_.size(); ++s) {
      out_ += s == 0 ? "\n{\"name\": " : ",\n{\"name\": ";
      string(tree_[s].name);
      out_ += ", \"path\": ";
      string(tree_[s].path);
      out_ += fmt::format(", \"parent\": {}, \"direct\": {}, \"children\": [{}]}}", tree_[s].parent,
                          tree_[s].nodes.size(), fmt::join(tree_[s].children, ", "));
    }
  }

  void operands(Node n) {
    out_ += '[';
    for (std::size_t i = 0; i < graph_.num_operands(n); ++i) {
      out_ += fmt::format("{}{}", i == 0 ? "" : ", ", number_[graph_.operand(n, i).index]);
    }
    out_ += ']';
  }

  /// A JSON string that cannot end the script element that it stands in: "<" is written \u003c.
  void string(std::string_view text) {
    std::string safe;
    if (io::find_invalid_utf8(text) != std::string_view::npos) {
      io::append_quoted(safe, text);
      text = safe;
    }
    std::string json;
    io::append_json_string(json, text);
    for (char c : json) {
      if (c == '<')
        out_ += "\\u003c";
      else
        out_ += c;
    }
  }

  const Graph& graph_;
  ValueNames names_;
  io::ScopeTree tree_;
  std::vector<std::size_t> number_;
  std::size_t count_ = 0;
  std::string out_;
};

std::string escape_html(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '&')
      out += "&amp;";
    else if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f)
      out += '?';
    else
      out += c;
  }
  return out;
}

}  // namespace

std::string to_html(const Graph& graph) {
  std::string out(io::html_before_title);
  out += escape_html(graph.name());
  out += io::html_before_data;
  out += PageData(graph).write();
  out += io::html_after_data;
  return out;
}

}  // namespace tandem
