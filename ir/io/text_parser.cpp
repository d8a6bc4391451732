// Reads the text form: recursive descent, one statement at a time. A faulty statement is reported and skipped; the
// values that it defines are known by name but not looked at any further, so that one mistake gives one diagnostic.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include <tandem/ir/dim_parser.h>
#include <tandem/ir/io/assembly.h>
#include <tandem/ir/io/findings.h>
#include <tandem/ir/io/limits.h>
#include <tandem/ir/io/literal.h>
#include <tandem/ir/io/spelling.h>
#include <tandem/ir/io/text.h>
#include <tandem/ir/io/text_lexer.h>

namespace tandem {

namespace io {
namespace {

/// Thrown from within a statement once its mistake is recorded; caught where statements are read.
struct SkipStatement {};

class TextParser {
 public:
  TextParser(std::shared_ptr<Context> context, SourceText& source)
      : source_(source), lexer_(source.text()), assembly_(std::move(context)) {
    advance();
  }

  Graph parse() {
    try {
      header();
    } catch (const SkipStatement&) {
      findings_.throw_if_any();  // without a header there is nothing to go on with
    }
    body();
    findings_.throw_if_any();
    return std::move(assembly_.graph());
  }

 private:
  // --- errors ----------------------------------------------------------------------------------------------------------
  void report(std::size_t offset, Diagnostic d) {
    d.where = source_.location(offset);
    d.source_line = source_.line_around(offset);
    findings_.add(std::move(d));
  }
  [[noreturn]] void fail(std::size_t offset, std::string_view code, std::string message, std::string help = {}) {
    report(offset, finding(code, std::move(message), std::move(help)));
    throw SkipStatement();
  }
  [[noreturn]] void fail_expected(std::string_view what, std::string help = {}) {
    if (token_.kind == TokenKind::bad) fail(token_.offset, "text.syntax", std::string(token_.text));
    fail(token_.offset, "text.syntax", fmt::format("expected {}, found {}", what, describe(token_)), std::move(help));
  }

  // --- tokens ----------------------------------------------------------------------------------------------------------
  Token advance() {
    Token old = token_;
    end_of_last_ = lexer_.position();
    token_ = lexer_.next();
    return old;
  }
  bool accept(std::string_view punctuation) {
    if (!token_.is(punctuation)) return false;
    advance();
    return true;
  }
  Token expect(std::string_view punctuation) {
    if (!token_.is(punctuation)) fail_expected(fmt::format("'{}'", punctuation));
    return advance();
  }
  Token expect(TokenKind kind, std::string_view what, std::string help = {}) {
    if (token_.kind != kind) fail_expected(what, std::move(help));
    return advance();
  }
  /// What ends a line of the body.
  bool at_statement_end() const {
    return token_.starts_line || token_.kind == TokenKind::end || token_.is("}");
  }
  void go_on_at(std::size_t offset) {
    lexer_.set_position(offset);
    advance();
  }

  // --- header ----------------------------------------------------------------------------------------------------------
  void header() {
    if (!token_.is_word("graph")) {
      fail_expected("'graph'", "a graph in text form starts with: graph @name(%x: bf16[T, 7168]) {");
    }
    advance();
    expect("@");
    if (token_.kind != TokenKind::identifier && token_.kind != TokenKind::string) fail_expected("the graph's name");
    assembly_.graph().set_name(advance().text);
    expect("(");
    if (!token_.is(")")) {
      do {
        parameter();
      } while (accept(","));
    }
    expect(")");
    if (token_.is_word("where")) {
      advance();
      do {
        symbol_range();
      } while (accept(","));
    }
    expect("{");
  }

  // %x: bf16[T, 7168]     %w: bf16[7168] = weight "key"
  void parameter() {
    const Token name = expect(TokenKind::value, "an input such as %x: bf16[T, 512]");
    expect(":");
    const std::size_t type_offset = token_.offset;
    const TensorType parsed = type();
    if (const std::string wrong = check_declared_type(parsed); !wrong.empty()) fail(type_offset, "graph.type", wrong);
    const Symbol symbol = symbol_of(name);
    Value value;
    if (accept("=")) {
      if (!token_.is_word("weight")) fail_expected("'weight'");
      advance();
      Symbol key = symbol;
      if (token_.kind == TokenKind::string) key = assembly_.context().intern(advance().text);
      else if (symbol.empty()) fail_expected("the key of this weight in its safetensors file, such as \"model.norm.weight\"");
      value = assembly_.graph().add_weight(parsed, symbol, key);
    } else {
      value = assembly_.graph().add_input(parsed, symbol);
    }
    define(name, value);
  }

  // T in 1..4096     T in 0..
  void symbol_range() {
    const Token name = expect(TokenKind::identifier, "the name of a dim, such as T in 1..4096");
    if (!token_.is_word("in")) fail_expected("'in'");
    advance();
    DimRange range;
    range.min = range_bound();
    expect("..");
    if (token_.kind == TokenKind::number) range.max = range_bound();
    if (range.min > range.max) {
      fail(name.offset, "graph.dim-range", fmt::format("dim '{}' has the empty range {}..{}", name.text, range.min, range.max),
           "give a minimum that is not above the maximum");
    }
    std::size_t position = 0;
    std::string error;
    const auto dim = parse_dim_prefix(assembly_.context(), name.text, position, error);
    if (!dim || dim->symbol().empty()) {
      fail(name.offset, "dim.syntax", fmt::format("'{}' cannot be the name of a dim", name.text));
    }
    Graph& graph = assembly_.graph();
    const auto declared = graph.symbols();
    if (std::any_of(declared.begin(), declared.end(), [&](const SymbolRange& s) { return s.symbol == dim->symbol(); })) {
      fail(name.offset, "graph.duplicate-dim", fmt::format("dim '{}' is declared twice", name.text));
    }
    if (declared.size() >= max_symbols) {
      fail(name.offset, "graph.too-many-dims", fmt::format("more than {} dims are declared", max_symbols));
    }
    graph.set_range(dim->symbol(), range);
  }
  std::int64_t range_bound() {
    const std::size_t offset = token_.offset;
    const std::int64_t bound = integer();
    if (bound < 0 || bound > Dim::max_constant) {
      fail(offset, "graph.dim-range", fmt::format("a bound lies in 0..{}, {} does not", Dim::max_constant, bound));
    }
    return bound;
  }

  // --- body ------------------------------------------------------------------------------------------------------------
  void body() {
    for (bool done = false; !done;) {
      const std::size_t start = token_.offset;
      try {
        done = statement();
      } catch (const SkipStatement&) {
        if (!skip_statement(start)) return;
      }
    }
    if (token_.kind == TokenKind::end) return;
    report(token_.offset, finding("text.syntax", fmt::format("unexpected {} after the end of the graph", describe(token_)),
                                  "a file holds one graph"));
  }

  /// One line of the body; true after the closing brace.
  bool statement() {
    results_.clear();
    if (token_.is_word("return")) {
      return_statement();
      expect("}");
      return true;
    }
    if (token_.is("}") || token_.kind == TokenKind::end) fail_expected("a node or 'return'", "a graph ends with: return %y }");
    if (token_.kind == TokenKind::value) {
      do {
        results_.push_back(expect(TokenKind::value, "the name of a result, such as %y"));
      } while (accept(","));
      expect("=");
    }
    node();
    if (!at_statement_end()) fail_expected("the end of the line", "each node stands on its own line");
    return false;
  }

  void return_statement() {
    advance();
    std::vector<Value> outputs;
    bool complete = true;
    if (token_.kind == TokenKind::value && !token_.starts_line) {
      do {
        const Value v = operand();
        complete = complete && v;
        outputs.push_back(v);
      } while (accept(","));
    }
    if (complete) assembly_.graph().set_outputs(outputs);
  }

  // op %a, %b {axis = -1} : bf16[T, 512] @ "scope"
  void node() {
    std::vector<Fault> faults;
    const Token name = expect(TokenKind::identifier, "an op such as rms_norm");
    OpId id;
    const OpDef* def = assembly_.find_op(name.text, id, faults);
    if (def == nullptr) fail_at(name.offset, faults);
    assembly_.start(id);
    bool complete = true;
    if (token_.kind == TokenKind::value && !token_.starts_line) {
      do {
        const Value v = operand();
        complete = complete && v;
        assembly_.operands.push_back(v);
      } while (accept(","));
    }
    attribute_offsets_.assign(def->attrs.size(), 0);
    if (accept("{")) {
      if (!token_.is("}")) {
        do {
          attribute(*def);
        } while (accept(","));
      }
      expect("}");
    }
    type_offsets_.clear();
    if (accept(":")) {
      do {
        type_offsets_.push_back(token_.offset);
        assembly_.types.push_back(type());
      } while (accept(","));
    }
    if (accept("@")) {
      if (token_.kind != TokenKind::identifier && token_.kind != TokenKind::string) {
        fail_expected("a scope such as \"model.layers.0\"");
      }
      assembly_.scope = assembly_.context().intern(advance().text);
    }
    Node made;
    if (complete) made = assembly_.finish(results_.size(), faults);
    for (std::size_t i = 0; i < results_.size(); ++i) {
      const Value v = made ? assembly_.graph().result(made, i) : Value{};
      if (made) assembly_.graph().set_name(v, symbol_of(results_[i]));
      define(results_[i], v);
    }
    results_.clear();
    if (!faults.empty()) report_all(name.offset, faults);
  }
  void report_all(std::size_t offset, std::vector<Fault>& faults) {
    for (Fault& f : faults) {
      const std::size_t at = f.part == Part::type && f.index < type_offsets_.size() ? type_offsets_[f.index]
                             : f.part == Part::attribute && f.index < attribute_offsets_.size()
                                 ? attribute_offsets_[f.index]
                                 : offset;
      report(at, std::move(f.diagnostic));
    }
  }
  [[noreturn]] void fail_at(std::size_t offset, std::vector<Fault>& faults) {
    report_all(offset, faults);
    throw SkipStatement();
  }

  /// Goes to the next statement: a line that starts with a value, with `return`, or with `}` or an op outside brackets.
  /// The results of the statement at `start` are defined as faulty. False when there is no next statement.
  bool skip_statement(std::size_t start) {
    for (const Token& r : results_) {
      if (assembly_.values().find(key_of(r)) == nullptr) *assembly_.values().insert(key_of(r)).first = {{}, r.offset};
    }
    results_.clear();
    int depth = 0;
    bool first = token_.offset == start;
    for (;; first = false) {
      if (token_.kind == TokenKind::end) return false;
      if (token_.starts_line && !first) {
        if (token_.kind == TokenKind::value || token_.is_word("return")) return true;
        if (depth <= 0 && token_.kind == TokenKind::identifier) return true;
        if (token_.is("}") && depth <= 0) return false;
      }
      if (token_.is("{") || token_.is("[") || token_.is("(")) ++depth;
      if (token_.is("}") || token_.is("]") || token_.is(")")) --depth;
      if (token_.is("}") && first) return false;
      advance();
    }
  }

  // --- values ----------------------------------------------------------------------------------------------------------
  /// How the table knows a value: a quoted number is another name than the number.
  std::string_view key_of(const Token& name) const {
    return name.quoted && is_number(name.text) ? source_.text().substr(name.offset, name.text.size() + 3) : name.text;
  }
  Symbol symbol_of(const Token& name) {
    return !name.quoted && is_number(name.text) ? Symbol() : assembly_.context().intern(name.text);
  }
  void define(const Token& name, Value value) {
    if (name.text.empty()) fail(name.offset, "text.name", "a value's name cannot be empty");
    const auto [definition, fresh] = assembly_.values().insert(key_of(name));
    if (fresh) {
      *definition = {value, name.offset};
      return;
    }
    Diagnostic d = finding("graph.duplicate-name", fmt::format("'%{}' is defined twice", name.text), "rename one of them");
    const SourceLocation other = source_.location(definition->place);
    d.notes.push_back(fmt::format("the other definition is at {}:{}:{}", other.file, other.line, other.column));
    report(name.offset, std::move(d));
  }
  /// The value of that name; null when its definition was faulty or, after a report, when there is none.
  Value operand() {
    const Token name = expect(TokenKind::value, "a value such as %x");
    if (const Definition* d = assembly_.values().find(key_of(name))) return d->value;
    for (const Token& r : results_) {
      if (key_of(r) != key_of(name)) continue;
      report(name.offset, finding("graph.cycle", fmt::format("'%{}' is an operand of the node that defines it", name.text)));
      return {};
    }
    if (const std::size_t later = later_definition(key_of(name)); later != 0) {
      Diagnostic d = finding("graph.order", fmt::format("'%{}' is used before it is defined", name.text),
                             "in text form each value stands above its users; JSON may have any order");
      d.notes.push_back(fmt::format("it is defined in line {}", source_.location(later).line));
      report(name.offset, std::move(d));
    } else {
      NearestName nearest(name.text);
      assembly_.values().for_each([&](std::string_view known, const Definition&) { nearest.consider(known); });
      report(name.offset, finding("graph.undefined-value", fmt::format("'%{}' is not defined{}", name.text, nearest.text())));
    }
    return {};
  }
  /// Where a statement below defines that name; 0 when none does.
  std::size_t later_definition(std::string_view key) {
    TextLexer lexer(source_.text(), end_of_last_);
    std::size_t candidate = 0;
    for (Token t = lexer.next(); t.kind != TokenKind::end; t = lexer.next()) {
      if (t.kind == TokenKind::value) {
        if (t.starts_line) candidate = 0;
        if (key_of(t) == key) candidate = t.offset;
      } else if (t.is("=") && candidate != 0) {
        return candidate;
      } else if (!t.is(",")) {
        candidate = 0;
      }
    }
    return 0;
  }

  // --- types and attributes ------------------------------------------------------------------------------------------
  TensorType type() {
    if (token_.kind != TokenKind::identifier) fail_expected("a type such as bf16[T, 512]");
    const std::size_t start = token_.offset;
    std::size_t end = std::min(source_.text().find_first_of("]\n", start), source_.text().size());
    if (end < source_.text().size() && source_.text()[end] == ']') ++end;
    std::size_t position = 0;
    std::string error;
    const TensorType* type = assembly_.find_type(source_.text().substr(start, end - start), position, error);
    if (type == nullptr) fail(start + position, "type.syntax", std::move(error), "a type is written bf16[T, 512]; a scalar f32[]");
    const TensorType result = *type;
    go_on_at(end);
    return result;
  }

  // axis = -1
  void attribute(const OpDef& def) {
    const Token name = expect(TokenKind::identifier, "an attribute's name");
    const int found = def.find_attr(name.text);
    if (found < 0) {
      NearestName nearest(name.text);
      for (const AttrDef& a : def.attrs) nearest.consider(a.name);
      fail(name.offset, "graph.unknown-attribute",
           fmt::format("op '{}' has no attribute '{}'{}", def.name, name.text, nearest.text()), signature_of(def));
    }
    const auto i = static_cast<std::size_t>(found);
    if (assembly_.attrs[i]) {
      fail(name.offset, "graph.duplicate-attribute", fmt::format("attribute '{}' is given twice", name.text));
    }
    expect("=");
    attribute_offsets_[i] = token_.offset;
    assembly_.attrs[i] = attribute_value(def.attrs[i]);
  }

  [[noreturn]] void fail_kind(const AttrDef& def, std::string_view example) {
    if (token_.kind == TokenKind::bad) fail(token_.offset, "text.syntax", std::string(token_.text));
    fail(token_.offset, "graph.attribute-kind",
         fmt::format("attribute '{}' must be of kind {}, found {}", def.name, to_string(def.kind), describe(token_)),
         fmt::format("for example {} = {}", def.name, example));
  }

  Attribute attribute_value(const AttrDef& def) {
    Context& context = assembly_.context();
    switch (def.kind) {
      case AttrKind::boolean:
        if (!token_.is_word("true") && !token_.is_word("false")) fail_kind(def, "true");
        return Attribute::of(advance().text == "true");
      case AttrKind::integer:
        if (token_.kind != TokenKind::number) fail_kind(def, "-1");
        return Attribute::of(integer());
      case AttrKind::real:
        if (!starts_real()) fail_kind(def, "1e-06");
        return Attribute::of(real());
      case AttrKind::dtype: {
        const auto dtype = token_.kind == TokenKind::identifier ? parse_dtype(token_.text) : std::nullopt;
        if (!dtype) fail_kind(def, "bf16");
        advance();
        return Attribute::of(*dtype);
      }
      case AttrKind::string:
        if (token_.kind != TokenKind::string) fail_kind(def, "\"text\"");
        return Attribute::of(context.intern(advance().text));
      case AttrKind::dim: return Attribute::of(dim());
      case AttrKind::dims: {
        if (!token_.is("[")) fail_kind(def, "[1536, C + P]");
        std::vector<Dim> dims;
        list([&] { dims.push_back(dim()); });
        return Attribute::of(context.shape(dims));
      }
      case AttrKind::reals: {
        if (!token_.is("[")) fail_kind(def, "[1.0, 0.5]");
        std::vector<double> reals;
        list([&] { reals.push_back(real()); });
        return Attribute::of(context.reals(reals));
      }
      case AttrKind::tensor:
        if (!token_.is_word("dense")) fail_kind(def, "dense f32[2] [1.0, 2.0]");
        return literal();
      case AttrKind::none: break;
    }
    internal_error("an attribute of no kind");
  }

  template <class F>
  void list(F&& element) {
    expect("[");
    if (!token_.is("]")) {
      do {
        element();
      } while (accept(","));
    }
    expect("]");
  }

  std::int64_t integer() {
    const Token t = expect(TokenKind::number, "a whole number");
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(t.text.data(), t.text.data() + t.text.size(), value);
    if (error == std::errc::result_out_of_range) {
      fail(t.offset, "text.number", fmt::format("{} does not fit into 64 bits", t.text.substr(0, 60)));
    }
    if (error != std::errc() || end != t.text.data() + t.text.size()) {
      fail(t.offset, "text.number", fmt::format("expected a whole number, found {}", t.text.substr(0, 60)));
    }
    return value;
  }

  bool starts_real() const {
    return token_.kind == TokenKind::number || token_.is("-") || token_.is_word("nan") || token_.is_word("inf");
  }
  // 1e-06, 3, nan, nan(0x7ff8000000000001), inf, -inf
  double real() {
    if (!starts_real()) fail_expected("a number such as 1e-06, inf or nan");
    const Token t = advance();
    if (t.kind == TokenKind::number) {
      if (t.text.find_first_of(".eE") == std::string_view::npos && t.text != "-0") {
        token_ = t;
        lexer_.set_position(t.offset + t.text.size());
        const std::int64_t value = integer();
        if (!is_exact_real(value)) {
          fail(t.offset, "text.number", fmt::format("{} is not exactly a double", value),
               "write it with a '.' to have it rounded");
        }
        return static_cast<double>(value);
      }
      const auto value = parse_decimal(t.text);
      if (!value) fail(t.offset, "text.number", fmt::format("{} is not a finite double", t.text.substr(0, 60)));
      return *value;
    }
    std::string text(t.text);
    if (t.is("-")) {
      if (!token_.is_word("inf")) fail_expected("'inf' or digits after '-'");
      advance();
      return *parse_special_real("-inf");
    }
    if (t.text == "nan" && accept("(")) {
      text += fmt::format("({})", expect(TokenKind::number, "the bits of a NaN, such as 0x7ff8000000000001").text);
      expect(")");
    }
    const auto value = parse_special_real(text);
    if (!value) fail(t.offset, "text.number", fmt::format("'{}' is not the 16 digits of a double NaN", text));
    return *value;
  }

  Dim dim() {
    std::size_t position = token_.offset;
    const std::size_t start = position;
    std::string error;
    const auto dim = parse_dim_prefix(assembly_.context(), source_.text(), position, error);
    if (!dim) fail(std::max(position, start), "dim.syntax", std::move(error));
    go_on_at(position);
    return *dim;
  }

  // dense f32[2, 2] [1.0, 2.0, nan, -inf]     dense f32[1] 0x0000803f
  Attribute literal() {
    advance();
    const std::size_t offset = token_.offset;
    TensorLiteral result{type(), {}};
    const auto bytes = literal_bytes(result.type);
    if (!bytes) {
      fail(offset, "graph.literal", fmt::format("a constant cannot be {}", to_string(result.type)),
           fmt::format("its dims are numbers and its data at most {} bytes; larger data belongs into a weight",
                       max_literal_bytes));
    }
    if (token_.kind == TokenKind::number) {
      const Token t = advance();
      auto data = parse_hex(t.text);
      if (!data) fail(t.offset, "graph.literal", "expected the bytes as 0x and two hex digits each");
      result.data = std::move(*data);
    } else {
      list([&] {
        const std::size_t at = token_.offset;
        if (result.data.size() >= *bytes) fail(at, "graph.literal", fmt::format("too many elements for {}", to_string(result.type)));
        const std::string wrong = element(result);
        if (!wrong.empty()) fail(at, "graph.literal", wrong);
      });
    }
    if (result.data.size() != *bytes) {
      fail(offset, "graph.literal", fmt::format("{} needs {} bytes of data, {} are given", to_string(result.type), *bytes,
                                                result.data.size()));
    }
    return Attribute::of(assembly_.context().literal(std::move(result)));
  }
  std::string element(TensorLiteral& literal) {
    if (token_.is_word("true") || token_.is_word("false")) {
      return append_element(literal.data, literal.type.dtype, advance().text == "true");
    }
    if (!is_float(literal.type.dtype)) return append_element(literal.data, literal.type.dtype, integer());
    return append_element(literal.data, literal.type.dtype, real());
  }

  SourceText& source_;
  TextLexer lexer_;
  Token token_;
  std::size_t end_of_last_ = 0;
  Findings findings_;
  Assembly assembly_;
  std::vector<Token> results_;  // those of the statement at hand
  std::vector<std::size_t> attribute_offsets_, type_offsets_;
};

}  // namespace
}  // namespace io

Graph parse_text(std::shared_ptr<Context> context, std::string_view text, std::string_view file) {
  io::SourceText source(text, file);
  io::require_readable(source, "text");
  return io::TextParser(std::move(context), source).parse();
}

}  // namespace tandem
