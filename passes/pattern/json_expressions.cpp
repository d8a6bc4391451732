#include <tandem/passes/pattern/json_expressions.h>

#include <cstdint>

#include <tandem/passes/pattern/text.h>
#include <tandem/passes/pattern/text_spelling.h>

namespace tandem::fusion_json {

/// What the parser of the text form says of a string is said of its place here.
template <class F>
void JsonExpressions::parse_text(const JsonValue& v, const std::string& path, F&& parse) {
  try {
    parse();
  } catch (const Error& e) {
    for (const Diagnostic& d : e.diagnostics()) {
      report(v, path, d.code, fmt::format("in {}: {}", fusion_text::spell_quoted(v.text.substr(0, 60)), d.message),
             d.help);
    }
  }
}

Expr JsonExpressions::expr(const JsonValue& v, const std::string& path) {
  Expr e;
  switch (v.kind) {
    case Kind::boolean:
      e.kind = Expr::Kind::boolean;
      e.boolean = v.boolean;
      break;
    case Kind::integer: e.integer = v.integer; break;
    case Kind::real:
      e.kind = Expr::Kind::real;
      e.real = v.real;
      break;
    case Kind::array:
      e.kind = Expr::Kind::list;
      e.args = list<Expr>(v, path, [&](const JsonValue& x, const std::string& p) { return expr(x, p); });
      for (std::size_t i = 0; i + 1 < e.args.size(); ++i) {
        if (e.args[i].kind != Expr::Kind::rest)
          continue;
        report(v.items[i], fmt::format("{}[{}]", path, i), "pattern.syntax", "'...' must be the last of its list");
      }
      break;
    case Kind::string: parse_text(v, path, [&] { e = parse_pattern_expr(v.text, {}); }); break;
    default: report(v, path, "pattern.json-kind", fmt::format("expected an expression, found {}", describe(v)));
  }
  return e;
}

TypePattern JsonExpressions::type(const JsonValue& v, const std::string& path) {
  TypePattern t;
  if (!require(v, path, Kind::string, "a type as a string, such as \"T[.., Q]\""))
    return t;
  parse_text(v, path, [&] { t = parse_pattern_type(v.text, {}); });
  return t;
}

std::optional<Compare> JsonExpressions::compare(const JsonValue& v, const std::string& path, bool any) {
  const auto found = v.kind == Kind::string ? fusion_text::parse_compare(v.text) : std::nullopt;
  if (found && (any || *found != Compare::any))
    return found;
  report(v, path, "pattern.json-kind",
         fmt::format("expected ==, !=, <, <=, >, >={} or in, found {}", any ? ", any" : "", describe(v)));
  return std::nullopt;
}

AttrPattern JsonExpressions::attr(const JsonValue& v, const std::string& path) {
  AttrPattern a;
  a.span = v.span;
  if (!require(v, path, Kind::object, "an attribute as an object"))
    return a;
  check_keys(v, path, {"name", "compare", "value"});
  a.name = needed_string(v, path, "name");
  if (const JsonValue* c = v.find("compare")) {
    const auto how = compare(*c, below(path, "compare"), true);
    if (!how)
      return a;
    a.compare = *how;
  }
  if (a.compare == Compare::any) {
    if (const JsonValue* given = v.find("value")) {
      report(*given, below(path, "value"), "pattern.json-kind", "an attribute that may be anything has no value");
    }
    return a;
  }
  if (const JsonValue* given = needed(v, path, "value"))
    a.value = expr(*given, below(path, "value"));
  if (a.compare == Compare::one_of && a.value.kind != Expr::Kind::list) {
    report(v, below(path, "value"), "pattern.json-kind", "expected an array behind 'in'");
  }
  return a;
}

std::vector<AttrPattern> JsonExpressions::attrs(const JsonValue& v, const std::string& path) {
  return list<AttrPattern>(v, path, "attrs", [&](const JsonValue& a, const std::string& p) { return attr(a, p); });
}

ThroughPattern JsonExpressions::through(const JsonValue& v, const std::string& path,
                                        const std::vector<std::string>& operands) {
  ThroughPattern t;
  t.span = v.span;
  if (!require(v, path, Kind::object, "what stands in between as an object"))
    return t;
  check_keys(v, path, {"operand", "op", "attrs", "optional"});
  t.op = needed_string(v, path, "op");
  t.attrs = attrs(v, path);
  t.optional = flag(v, path, "optional");
  const JsonValue* operand = needed(v, path, "operand");
  if (operand == nullptr)
    return t;
  const bool named = operand->kind == Kind::integer && operand->integer >= 0 &&
                     static_cast<std::uint64_t>(operand->integer) < operands.size();
  if (named)
    t.operand = static_cast<std::size_t>(operand->integer);
  if (!named || operands[t.operand] == "_" || operands[t.operand].ends_with("...")) {
    report(*operand, below(path, "operand"), "pattern.json-kind",
           fmt::format("expected the position of one operand among 'in', found {}", describe(*operand)));
  }
  return t;
}

}  // namespace tandem::fusion_json
