// Reads the text form: recursive descent, one statement at a time. A faulty statement is reported and skipped; the
// values that it defines are known by name but not looked at any further, so that one mistake gives one diagnostic.
#include <algorithm>

#include <fmt/format.h>

#include <tandem/ir/dim_parser.h>
#include <tandem/ir/io/assembly.h>
#include <tandem/ir/io/findings.h>
#include <tandem/ir/io/limits.h>
#include <tandem/ir/io/spelling.h>
#include <tandem/ir/io/text.h>
#include <tandem/ir/io/text_constants.h>
#include <tandem/ir/io/text_cursor.h>
#include <tandem/ir/weight_keys.h>

namespace tandem {

namespace io {
namespace {

class TextParser {
 public:
  TextParser(std::shared_ptr<Context> context, SourceText& source)
      : cursor_(source), assembly_(std::move(context)), constants_(cursor_, assembly_) {}

  Graph parse() {
    try {
      header();
    } catch (const SkipStatement&) {
      cursor_.findings().throw_if_any();  // without a header there is nothing to go on with
    }
    body();
    cursor_.findings().throw_if_any();
    return std::move(assembly_.graph());
  }

 private:
  /// What ends a line of the body.
  bool at_statement_end() const {
    return cursor_.token().starts_line || cursor_.token().kind == TokenKind::end || cursor_.token().is("}");
  }
  // --- header
  void header() {
    if (!cursor_.token().is_word("graph")) {
      cursor_.fail_expected("'graph'", "a graph in text form starts with: graph @name(%x: bf16[T, 7168]) {");
    }
    cursor_.advance();
    cursor_.expect("@");
    if (cursor_.token().kind != TokenKind::identifier && cursor_.token().kind != TokenKind::string)
      cursor_.fail_expected("the graph's name");
    assembly_.graph().set_name(cursor_.advance().text);
    cursor_.expect("(");
    if (!cursor_.token().is(")")) {
      do {
        parameter();
      } while (cursor_.accept(","));
    }
    cursor_.expect(")");
    if (cursor_.token().is_word("where")) {
      cursor_.advance();
      do {
        symbol_range();
      } while (cursor_.accept(","));
    }
    cursor_.expect("{");
  }

  // %x: bf16[T, 7168]     %w: bf16[7168] = weight "key"
  void parameter() {
    const Token name = cursor_.expect(TokenKind::value, "an input such as %x: bf16[T, 512]");
    cursor_.expect(":");
    const std::size_t type_offset = cursor_.token().offset;
    const TensorType parsed = constants_.type();
    if (const std::string wrong = check_declared_type(parsed); !wrong.empty())
      cursor_.fail(type_offset, "graph.type", wrong);
    const Symbol symbol = symbol_of(name);
    Value value;
    if (cursor_.accept("=")) {
      if (!cursor_.token().is_word("weight"))
        cursor_.fail_expected("'weight'");
      cursor_.advance();
      Symbol key = symbol;
      const std::size_t key_offset = cursor_.token().kind == TokenKind::string ? cursor_.token().offset : name.offset;
      if (cursor_.token().kind == TokenKind::string)
        key = assembly_.context().intern(cursor_.advance().text);
      else if (symbol.empty())
        cursor_.fail_expected("the key of this weight in its safetensors file, such as \"model.norm.weight\"");
      if (const std::string wrong = assembly_.add_weight_key(key, parsed); !wrong.empty())
        cursor_.fail(key_offset, "graph.weight-key", wrong, weight_key_help);
      value = assembly_.graph().add_weight(parsed, symbol, key);
    } else {
      value = assembly_.graph().add_input(parsed, symbol);
    }
    define(name, value);
  }

  // T in 1..4096     T in 0..
  void symbol_range() {
    const Token name = cursor_.expect(TokenKind::identifier, "the name of a dim, such as T in 1..4096");
    if (!cursor_.token().is_word("in"))
      cursor_.fail_expected("'in'");
    cursor_.advance();
    DimRange range;
    range.min = range_bound();
    cursor_.expect("..");
    if (cursor_.token().kind == TokenKind::number)
      range.max = range_bound();
    if (range.min > range.max) {
      cursor_.fail(name.offset, "graph.dim-range",
                   fmt::format("dim '{}' has the empty range {}..{}", name.text, range.min, range.max),
                   "give a minimum that is not above the maximum");
    }
    std::size_t position = 0;
    std::string error;
    const auto dim = parse_dim_prefix(assembly_.context(), name.text, position, error);
    if (!dim || dim->symbol().empty()) {
      cursor_.fail(name.offset, "dim.syntax", fmt::format("'{}' cannot be the name of a dim", name.text));
    }
    Graph& graph = assembly_.graph();
    const auto declared = graph.symbols();
    if (std::any_of(declared.begin(), declared.end(),
                    [&](const SymbolRange& s) { return s.symbol == dim->symbol(); })) {
      cursor_.fail(name.offset, "graph.duplicate-dim", fmt::format("dim '{}' is declared twice", name.text));
    }
    if (declared.size() >= max_symbols) {
      cursor_.fail(name.offset, "graph.too-many-dims", fmt::format("more than {} dims are declared", max_symbols));
    }
    graph.set_range(dim->symbol(), range);
  }
  std::int64_t range_bound() {
    const std::size_t offset = cursor_.token().offset;
    const std::int64_t bound = constants_.integer();
    if (bound < 0 || bound > Dim::max_constant) {
      cursor_.fail(offset, "graph.dim-range",
                   fmt::format("a bound lies in 0..{}, {} does not", Dim::max_constant, bound));
    }
    return bound;
  }

  // --- body
  void body() {
    for (bool done = false; !done;) {
      const std::size_t start = cursor_.token().offset;
      try {
        done = statement();
      } catch (const SkipStatement&) {
        if (!skip_statement(start))
          return;
      }
    }
    if (cursor_.token().kind == TokenKind::end)
      return;
    cursor_.report(
        cursor_.token().offset,
        finding("text.syntax", fmt::format("unexpected {} after the end of the graph", describe(cursor_.token())),
                "a file holds one graph"));
  }

  /// One line of the body; true after the closing brace.
  bool statement() {
    results_.clear();
    if (cursor_.token().is_word("return")) {
      return_statement();
      cursor_.expect("}");
      return true;
    }
    if (cursor_.token().is("}") || cursor_.token().kind == TokenKind::end)
      cursor_.fail_expected("a node or 'return'", "a graph ends with: return %y }");
    if (cursor_.token().kind == TokenKind::value) {
      do {
        results_.push_back(cursor_.expect(TokenKind::value, "the name of a result, such as %y"));
      } while (cursor_.accept(","));
      cursor_.expect("=");
    }
    node();
    if (!at_statement_end())
      cursor_.fail_expected("the end of the line", "each node stands on its own line");
    return false;
  }

  void return_statement() {
    cursor_.advance();
    std::vector<Value> outputs;
    bool complete = true;
    if (cursor_.token().kind == TokenKind::value && !cursor_.token().starts_line) {
      do {
        const Value v = operand();
        complete = complete && v;
        outputs.push_back(v);
      } while (cursor_.accept(","));
    }
    if (complete)
      assembly_.graph().set_outputs(outputs);
  }

  // op %a, %b {axis = -1} : bf16[T, 512] @ "scope"
  void node() {
    std::vector<Fault> faults;
    const Token name = cursor_.expect(TokenKind::identifier, "an op such as rms_norm");
    OpId id;
    const OpDef* def = assembly_.find_op(name.text, id, faults);
    if (def == nullptr)
      fail_at(name.offset, faults);
    assembly_.start(id);
    bool complete = true;
    if (cursor_.token().kind == TokenKind::value && !cursor_.token().starts_line) {
      do {
        const Value v = operand();
        complete = complete && v;
        assembly_.operands.push_back(v);
      } while (cursor_.accept(","));
    }
    attribute_offsets_.assign(def->attrs.size(), 0);
    if (cursor_.accept("{")) {
      if (!cursor_.token().is("}")) {
        do {
          attribute(*def);
        } while (cursor_.accept(","));
      }
      cursor_.expect("}");
    }
    type_offsets_.clear();
    if (cursor_.accept(":")) {
      do {
        type_offsets_.push_back(cursor_.token().offset);
        assembly_.types.push_back(constants_.type());
      } while (cursor_.accept(","));
    }
    if (cursor_.accept("@")) {
      if (cursor_.token().kind != TokenKind::identifier && cursor_.token().kind != TokenKind::string) {
        cursor_.fail_expected("a scope such as \"model.layers.0\"");
      }
      assembly_.scope = assembly_.context().intern(cursor_.advance().text);
    }
    if (cursor_.token().kind == TokenKind::bad)
      cursor_.fail_expected("the end of the line");
    Node made;
    if (complete)
      made = assembly_.finish(results_.size(), faults);
    for (std::size_t i = 0; i < results_.size(); ++i) {
      const Value v = made ? assembly_.graph().result(made, i) : Value{};
      if (made)
        assembly_.graph().set_name(v, symbol_of(results_[i]));
      define(results_[i], v);
    }
    results_.clear();
    if (!faults.empty())
      report_all(name.offset, faults);
  }
  void report_all(std::size_t offset, std::vector<Fault>& faults) {
    for (Fault& f : faults) {
      const std::size_t at = f.part == Part::type && f.index < type_offsets_.size() ? type_offsets_[f.index]
                             : f.part == Part::attribute && f.index < attribute_offsets_.size()
                                 ? attribute_offsets_[f.index]
                                 : offset;
      cursor_.report(at, std::move(f.diagnostic));
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
      if (assembly_.values().find(key_of(r)) == nullptr)
        *assembly_.values().insert(key_of(r)).first = {{}, static_cast<std::uint32_t>(r.offset)};
    }
    results_.clear();
    int depth = 0;
    bool first = cursor_.token().offset == start;
    for (;; first = false) {
      if (cursor_.token().kind == TokenKind::end)
        return false;
      if (cursor_.token().starts_line && !first) {
        if (cursor_.token().kind == TokenKind::value || cursor_.token().is_word("return"))
          return true;
        if (depth <= 0 && cursor_.token().kind == TokenKind::identifier)
          return true;
        if (cursor_.token().is("}") && depth <= 0)
          return false;
      }
      if (cursor_.token().is("{") || cursor_.token().is("[") || cursor_.token().is("("))
        ++depth;
      if (cursor_.token().is("}") || cursor_.token().is("]") || cursor_.token().is(")"))
        --depth;
      if (cursor_.token().is("}") && first)
        return false;
      cursor_.advance();
    }
  }

  // --- values
  /// How the table knows a value: a quoted number is another name than the number.
  std::string_view key_of(const Token& name) const {
    return name.quoted && is_number(name.text) ? cursor_.text().substr(name.offset, name.text.size() + 3) : name.text;
  }
  Symbol symbol_of(const Token& name) {
    return !name.quoted && is_number(name.text) ? Symbol() : assembly_.context().intern(name.text);
  }
  void define(const Token& name, Value value) {
    if (name.text.empty())
      cursor_.fail(name.offset, "text.name", "a value's name cannot be empty");
    const auto [definition, fresh] = assembly_.values().insert(key_of(name));
    if (fresh) {
      *definition = {value, static_cast<std::uint32_t>(name.offset)};
      return;
    }
    Diagnostic d =
        finding("graph.duplicate-name", fmt::format("'%{}' is defined twice", name.text), "rename one of them");
    const SourceLocation other = cursor_.location(definition->place);
    d.notes.push_back(fmt::format("the other definition is at {}:{}:{}", other.file, other.line, other.column));
    cursor_.report(name.offset, std::move(d));
  }
  /// The value of that name; null when its definition was faulty or, after a report, when there is none.
  Value operand() {
    const Token name = cursor_.expect(TokenKind::value, "a value such as %x");
    if (const Definition* d = assembly_.values().find(key_of(name)))
      return d->value;
    for (const Token& r : results_) {
      if (key_of(r) != key_of(name))
        continue;
      cursor_.report(name.offset,
                     finding("graph.cycle", fmt::format("'%{}' is an operand of the node that defines it", name.text)));
      return {};
    }
    if (const std::size_t later = later_definition(key_of(name)); later != 0) {
      Diagnostic d = finding("graph.order", fmt::format("'%{}' is used before it is defined", name.text),
                             "in text form each value stands above its users; JSON may have any order");
      d.notes.push_back(fmt::format("it is defined in line {}", cursor_.location(later).line));
      cursor_.report(name.offset, std::move(d));
    } else {
      NearestName nearest(name.text);
      assembly_.values().for_each([&](std::string_view known, const Definition&) { nearest.consider(known); });
      cursor_.report(name.offset, finding("graph.undefined-value",
                                          fmt::format("'%{}' is not defined{}", name.text, nearest.text())));
    }
    return {};
  }
  /// Where a statement below defines that name; 0 when none does.
  std::size_t later_definition(std::string_view key) {
    TextLexer lexer(cursor_.text(), cursor_.end_of_last());
    std::size_t candidate = 0;
    for (Token t = lexer.next(); t.kind != TokenKind::end; t = lexer.next()) {
      if (t.kind == TokenKind::value) {
        if (t.starts_line)
          candidate = 0;
        if (key_of(t) == key)
          candidate = t.offset;
      } else if (t.is("=") && candidate != 0) {
        return candidate;
      } else if (!t.is(",")) {
        candidate = 0;
      }
    }
    return 0;
  }

  // axis = -1
  void attribute(const OpDef& def) {
    const Token name = cursor_.expect(TokenKind::identifier, "an attribute's name");
    const int found = def.find_attr(name.text);
    if (found < 0) {
      NearestName nearest(name.text);
      for (const AttrDef& a : def.attrs)
        nearest.consider(a.name);
      cursor_.fail(name.offset, "graph.unknown-attribute",
                   fmt::format("op '{}' has no attribute '{}'{}", def.name, name.text, nearest.text()),
                   signature_of(def));
    }
    const auto i = static_cast<std::size_t>(found);
    if (assembly_.attrs[i]) {
      cursor_.fail(name.offset, "graph.duplicate-attribute", fmt::format("attribute '{}' is given twice", name.text));
    }
    cursor_.expect("=");
    attribute_offsets_[i] = cursor_.token().offset;
    assembly_.attrs[i] = constants_.read(def.attrs[i]);
  }

  TextCursor cursor_;
  Assembly assembly_;
  TextConstants constants_;
  std::vector<Token> results_;  // those of the statement at hand
  std::vector<std::size_t> attribute_offsets_, type_offsets_;
};

}  // namespace
}  // namespace io

Graph parse_text(std::shared_ptr<Context> context, std::string_view text, std::string_view file) {
  io::SourceText source(text, file);
  io::require_readable(source, "text");
  io::require_no_nul(source);
  return io::TextParser(std::move(context), source).parse();
}

}  // namespace tandem
