// Writes the text form. Straight into one string; each type is spelt once.
#include <unordered_map>

#include <tandem/ir/io/literal.h>
#include <tandem/ir/io/spelling.h>
#include <tandem/ir/io/text.h>
#include <tandem/ir/io/type_spelling.h>

namespace tandem {

namespace io {
namespace {

class TextWriter {
 public:
  explicit TextWriter(const Graph& graph) : graph_(graph), names_(graph) {
    out_.reserve(256 + graph.num_nodes() * 128);
  }

  std::string write() {
    out_ += "graph @";
    if (is_identifier(graph_.name()))
      out_ += graph_.name();
    else
      append_quoted(out_, graph_.name());
    parameters();
    ranges();
    out_ += " {\n";
    for (Node n : graph_.nodes())
      node(n);
    out_ += "  return";
    for (std::size_t i = 0; i < graph_.num_outputs(); ++i)
      value(i == 0 ? " " : ", ", graph_.output(i));
    out_ += "\n}\n";
    return std::move(out_);
  }

 private:
  // A few stand on the graph's line; many stand one a line.
  void parameters() {
    const bool one_a_line = graph_.inputs().size() + graph_.weights().size() > 4;
    const std::string_view open = one_a_line ? "\n    " : "", comma = one_a_line ? ",\n    " : ", ";
    std::string_view separator = open;
    out_ += '(';
    const auto parameter = [&](Value v) {
      value(separator, v);
      separator = comma;
      out_ += ": ";
      out_ += types_[graph_.type(v)];
    };
    for (Value v : graph_.inputs())
      parameter(v);
    for (const Weight& w : graph_.weights()) {
      parameter(w.value);
      out_ += " = weight";
      if (w.key == graph_.name(w.value) && !w.key.empty())
        continue;
      out_ += ' ';
      append_quoted(out_, w.key.view());
    }
    out_ += ')';
  }

  void ranges() {
    std::string_view separator = " where ";
    for (const SymbolRange& s : graph_.symbols()) {
      out_ += separator;
      separator = ", ";
      out_ += s.symbol.view();
      out_ += " in ";
      append_integer(out_, s.range.min);
      out_ += "..";
      if (s.range.max != Dim::max_constant)
        append_integer(out_, s.range.max);
    }
  }

  void node(Node n) {
    const OpDef& def = graph_.def(n);
    const std::size_t results = graph_.num_results(n);
    out_ += "  ";
    for (std::size_t i = 0; i < results; ++i)
      value(i == 0 ? "" : ", ", graph_.result(n, i));
    if (results != 0)
      out_ += " = ";
    out_ += def.name;
    for (std::size_t i = 0; i < graph_.num_operands(n); ++i)
      value(i == 0 ? " " : ", ", graph_.operand(n, i));
    attributes(def, graph_.attrs(n));
    for (std::size_t i = 0; i < results; ++i) {
      out_ += i == 0 ? " : " : ", ";
      out_ += types_[graph_.type(graph_.result(n, i))];
    }
    if (const Symbol scope = graph_.scope(n); !scope.empty()) {
      out_ += " @ ";
      append_quoted(out_, scope.view());
    }
    out_ += '\n';
  }

  void attributes(const OpDef& def, std::span<const Attribute> attrs) {
    std::string_view separator = " {";
    for (std::size_t i = 0; i < attrs.size(); ++i) {
      if (attrs[i] == def.attrs[i].default_value)
        continue;
      out_ += separator;
      separator = ", ";
      out_ += def.attrs[i].name;
      out_ += " = ";
      attribute(attrs[i]);
    }
    if (separator == ", ")
      out_ += '}';
  }

  void attribute(Attribute a) {
    switch (a.kind()) {
      case AttrKind::integer: append_integer(out_, a.integer()); break;
      case AttrKind::real: append_real(out_, a.real()); break;
      case AttrKind::string: append_quoted(out_, a.string().view()); break;
      case AttrKind::dims: out_ += dims_[a.dims()]; break;
      case AttrKind::tensor:
        out_ += "dense ";
        out_ += types_[a.tensor().type];
        out_ += " [";
        if (append_elements(out_, a.tensor(), false)) {
          out_ += ']';
        } else {
          out_.pop_back();
          append_hex(out_, a.tensor().data);
        }
        break;
      default: out_ += to_string(a); break;
    }
  }

  void value(std::string_view before, Value v) {
    out_ += before;
    out_ += '%';
    const Symbol own = graph_.name(v);
    if (own.empty() || is_identifier(own.view()))
      out_ += names_[v];
    else
      append_quoted(out_, own.view());
  }

  const Graph& graph_;
  ValueNames names_;
  TypeSpelling types_;
  ShapeSpelling dims_;
  std::string out_;
};

}  // namespace
}  // namespace io

std::string to_text(const Graph& graph) {
  return io::TextWriter(graph).write();
}

}  // namespace tandem
