// Writes the JSON form. Straight into one string; each type is spelt once.
#include <fmt/format.h>

#include <tandem/ir/io/findings.h>
#include <tandem/ir/io/json.h>
#include <tandem/ir/io/json_names.h>
#include <tandem/ir/io/literal.h>
#include <tandem/ir/io/spelling.h>
#include <tandem/ir/io/type_spelling.h>

namespace tandem {

namespace io {
namespace {

class JsonWriter {
 public:
  explicit JsonWriter(const Graph& graph) : graph_(graph) {
    out_.reserve(1024 + graph.num_nodes() * 192);
    number_values();
  }

  std::string write() {
    out_ += "{\"format\": \"tandem.graph\", \"version\": 1, \"name\": ";
    string(graph_.name());
    dims();
    inputs();
    weights();
    nodes();
    out_ += ",\n \"outputs\": [";
    for (std::size_t i = 0; i < graph_.num_outputs(); ++i)
      value(i == 0 ? "" : ", ", graph_.output(i));
    out_ += "]}\n";
    return std::move(out_);
  }

 private:
  // The numbers of `ValueNames`, without a string for each value.
  void number_values() {
    numbers_.resize(graph_.value_capacity());
    std::uint32_t next = 0;
    const auto number = [&](Value v) {
      if (graph_.name(v).empty())
        numbers_[v.index] = next++;
    };
    for (Value v : graph_.inputs())
      number(v);
    for (const Weight& w : graph_.weights())
      number(w.value);
    for (Node n : graph_.nodes()) {
      for (std::size_t i = 0; i < graph_.num_results(n); ++i)
        number(graph_.result(n, i));
    }
  }

  void dims() {
    if (graph_.symbols().empty())
      return;
    out_ += ",\n \"dims\": {";
    std::string_view separator;
    for (const SymbolRange& s : graph_.symbols()) {
      out_ += separator;
      separator = ", ";
      string(s.symbol.view());
      out_ += ": {\"min\": ";
      append_integer(out_, s.range.min);
      if (s.range.max != Dim::max_constant) {
        out_ += ", \"max\": ";
        append_integer(out_, s.range.max);
      }
      out_ += '}';
    }
    out_ += '}';
  }

  void inputs() {
    out_ += ",\n \"inputs\": [";
    std::string_view separator = "\n  ";
    for (Value v : graph_.inputs()) {
      declaration(separator, v);
      out_ += '}';
      separator = ",\n  ";
    }
    out_ += graph_.inputs().empty() ? "]" : "\n ]";
  }

  void weights() {
    if (graph_.weights().empty())
      return;
    out_ += ",\n \"weights\": [";
    std::string_view separator = "\n  ";
    for (const Weight& w : graph_.weights()) {
      declaration(separator, w.value);
      if (w.key.empty() || w.key != graph_.name(w.value)) {
        out_ += ", \"key\": ";
        string(w.key.view());
      }
      out_ += '}';
      separator = ",\n  ";
    }
    out_ += "\n ]";
  }

  void declaration(std::string_view separator, Value v) {
    out_ += separator;
    value("{\"name\": ", v);
    out_ += ", \"type\": \"";
    out_ += types_[graph_.type(v)];
    out_ += '"';
  }

  void nodes() {
    out_ += ",\n \"nodes\": [";
    std::string_view separator = "\n  ";
    for (Node n : graph_.nodes()) {
      out_ += separator;
      separator = ",\n  ";
      node(n);
    }
    out_ += graph_.num_nodes() == 0 ? "]" : "\n ]";
  }

  void node(Node n) {
    const OpDef& def = graph_.def(n);
    out_ += "{\"op\": \"";
    out_ += def.name;
    out_ += "\", \"in\": [";
    for (std::size_t i = 0; i < graph_.num_operands(n); ++i)
      value(i == 0 ? "" : ", ", graph_.operand(n, i));
    out_ += "], \"out\": [";
    const std::size_t results = graph_.num_results(n);
    for (std::size_t i = 0; i < results; ++i)
      value(i == 0 ? "" : ", ", graph_.result(n, i));
    out_ += ']';
    attributes(def, graph_.attrs(n));
    if (results != 0) {
      out_ += ", \"types\": [";
      for (std::size_t i = 0; i < results; ++i) {
        out_ += i == 0 ? "\"" : ", \"";
        out_ += types_[graph_.type(graph_.result(n, i))];
        out_ += '"';
      }
      out_ += ']';
    }
    if (const Symbol scope = graph_.scope(n); !scope.empty()) {
      out_ += ", \"scope\": ";
      string(scope.view());
    }
    out_ += '}';
  }

  void attributes(const OpDef& def, std::span<const Attribute> attrs) {
    bool any = false;
    for (std::size_t i = 0; i < attrs.size(); ++i) {
      if (attrs[i] == def.attrs[i].default_value)
        continue;
      out_ += any ? ", \"" : ", \"attrs\": {\"";
      any = true;
      out_ += def.attrs[i].name;
      out_ += "\": ";
      attribute(attrs[i]);
    }
    if (any)
      out_ += '}';
  }

  void attribute(Attribute a) {
    switch (a.kind()) {
      case AttrKind::integer: append_integer(out_, a.integer()); break;
      case AttrKind::real: real(a.real()); break;
      case AttrKind::dtype:
        out_ += '"';
        out_ += to_string(a.dtype());
        out_ += '"';
        break;
      case AttrKind::string: string(a.string().view()); break;
      case AttrKind::dim: dim(a.dim()); break;
      case AttrKind::dims:
        out_ += '[';
        for (std::size_t i = 0; i < a.dims().rank(); ++i) {
          if (i != 0)
            out_ += ", ";
          dim(a.dims()[i]);
        }
        out_ += ']';
        break;
      case AttrKind::reals: {
        std::string_view separator = "[";
        for (double v : a.reals()) {
          out_ += separator;
          separator = ", ";
          real(v);
        }
        out_ += a.reals().empty() ? "[]" : "]";
        break;
      }
      case AttrKind::tensor: literal(a.tensor()); break;
      default: out_ += to_string(a); break;
    }
  }

  void real(double v) {
    const bool special = v != v || v - v != 0;  // NaN, infinity
    if (special)
      out_ += '"';
    append_real(out_, v);
    if (special)
      out_ += '"';
  }

  void dim(Dim d) {
    if (d.is_constant())
      append_integer(out_, d.constant());
    else
      string(to_string(d));
  }

  void literal(const TensorLiteral& l) {
    out_ += "{\"type\": \"";
    out_ += types_[l.type];
    out_ += "\", \"data\": [";
    if (append_elements(out_, l, true)) {
      out_ += "]}";
      return;
    }
    out_.back() = '"';
    append_hex(out_, l.data);
    out_ += "\"}";
  }

  void value(std::string_view before, Value v) {
    out_ += before;
    const Symbol own = graph_.name(v);
    if (own.empty()) {
      out_ += '"';
      append_integer(out_, numbers_[v.index]);
      out_ += '"';
    } else if (is_quoted_number(own.view())) {
      string(json_of_name(own.view()));
    } else {
      string(own.view());
    }
  }

  void string(std::string_view text) {
    if (find_invalid_utf8(text) != std::string_view::npos) {
      std::string shown;
      append_quoted(shown, text.substr(0, 80));
      throw Error("json.write-utf8", fmt::format("{} is not UTF-8, which JSON must be", shown),
                  "rename it, or write the text form");
    }
    append_json_string(out_, text);
  }

  const Graph& graph_;
  std::vector<std::uint32_t> numbers_;
  TypeSpelling types_;
  std::string out_;
};

}  // namespace
}  // namespace io

std::string to_json(const Graph& graph) {
  return io::JsonWriter(graph).write();
}

}  // namespace tandem
