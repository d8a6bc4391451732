#include <tandem/passes/pattern/json.h>

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include <tandem/ir/counted.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/json_expressions.h>
#include <tandem/passes/pattern/text.h>

namespace tandem {

namespace {

using fusion_json::JsonValue;

/// Clauses, conditions, right sides, and the fusions that hold them.
class Reader final : fusion_json::JsonExpressions {
 public:
  std::vector<Pattern> document(const JsonValue& root) {
    std::vector<Pattern> out;
    const JsonValue* fusions = &root;
    if (root.kind == Kind::object) {
      check_keys(root, "", {"format", "version", "fusions"});
      const JsonValue* format = root.find("format");
      if (format == nullptr || format->text != "tandem.fusion") {
        report(format != nullptr ? *format : root, "format", "pattern.json-format", "expected \"tandem.fusion\"");
      }
      const JsonValue* version = root.find("version");
      if (version == nullptr || version->kind != Kind::integer || version->integer != 1) {
        report(version != nullptr ? *version : root, "version", "pattern.json-format", "expected version 1");
      }
      fusions = root.find("fusions");
      if (fusions == nullptr)
        report(root, "fusions", "pattern.json-missing", "the key 'fusions' is missing");
    }
    if (fusions != nullptr) {
      const std::string path = root.kind == Kind::object ? "fusions" : "";
      out = list<Pattern>(*fusions, path, [&](const JsonValue& v, const std::string& p) { return pattern(v, p); });
      if (out.empty() && problems_.empty())
        report(*fusions, path, "pattern.no-fusion", "the document holds no fusion");
    }
    if (!problems_.empty())
      throw Error(std::move(problems_));
    return out;
  }

 private:
  std::vector<Clause> clauses(const JsonValue& v, const std::string& path) {
    return list<Clause>(v, path, [&](const JsonValue& c, const std::string& p) { return clause(c, p); });
  }

  Clause clause(const JsonValue& v, const std::string& path) {
    Clause c;
    c.span = v.span;
    if (!require(v, path, Kind::object, "a clause as an object"))
      return c;
    if (v.find("either") != nullptr || v.find("unless") != nullptr) {
      c.kind = v.find("either") != nullptr ? Clause::Kind::either : Clause::Kind::unless;
      const char* key = c.kind == Clause::Kind::either ? "either" : "unless";
      check_keys(v, path, {key});
      c.branches = list<std::vector<Clause>>(v, path, key,
                                             [&](const JsonValue& b, const std::string& p) { return clauses(b, p); });
      const bool unless = c.kind == Clause::Kind::unless;
      if (c.branches.empty() || (unless && c.branches.size() != 1)) {
        report(
            v, below(path, key), "pattern.json-kind",
            unless ? "expected an array of one part, itself an array of clauses" : "expected one alternative at least");
      }
      return c;
    }
    if (v.find("use") != nullptr) {
      check_keys(v, path, {"use", "in", "out"});
      c.kind = Clause::Kind::use;
      c.name = needed_string(v, path, "use");
      c.args = strings(v, path, "in");
      c.results = strings(v, path, "out");
      return c;
    }
    check_keys(
        v, path,
        {"op", "in", "through", "out", "types", "attrs", "keep", "recompute", "optional", "either", "unless", "use"});
    NodePattern& n = c.node;
    n.span = v.span;
    n.op = needed_string(v, path, "op");
    n.operands = strings(v, path, "in");
    n.through = list<ThroughPattern>(
        v, path, "through", [&](const JsonValue& t, const std::string& p) { return through(t, p, n.operands); });
    std::stable_sort(n.through.begin(), n.through.end(),
                     [](const ThroughPattern& a, const ThroughPattern& b) { return a.operand < b.operand; });
    n.results = strings(v, path, "out");
    n.types = list<TypePattern>(v, path, "types", [&](const JsonValue& t, const std::string& p) { return type(t, p); });
    if (!n.types.empty() && n.types.size() != n.results.size()) {
      report(v, below(path, "types"), "pattern.arity",
             fmt::format("{} for {}", counted(n.types.size(), "type"), counted(n.results.size(), "result")),
             "give each result its type, or none");
    }
    n.attrs = attrs(v, path);
    n.keep = flag(v, path, "keep");
    n.recompute = flag(v, path, "recompute");
    n.optional = flag(v, path, "optional");
    return c;
  }

  Definition definition(const JsonValue& v, const std::string& path) {
    Definition d;
    d.span = v.span;
    if (!require(v, path, Kind::object, "a definition as an object"))
      return d;
    check_keys(v, path, {"name", "params", "results", "match"});
    d.name = needed_string(v, path, "name");
    d.params = strings(v, path, "params");
    d.results = strings(v, path, "results");
    if (const JsonValue* body = v.find("match"))
      d.body = clauses(*body, below(path, "match"));
    return d;
  }

  InputPattern input(const JsonValue& v, const std::string& path) {
    InputPattern in;
    in.span = v.span;
    if (!require(v, path, Kind::object, "an input as an object"))
      return in;
    check_keys(v, path, {"name", "type"});
    in.name = needed_string(v, path, "name");
    if (const JsonValue* t = v.find("type"))
      in.type = type(*t, below(path, "type"));
    return in;
  }

  Guard guard(const JsonValue& v, const std::string& path) {
    Guard g;
    g.span = v.span;
    if (!require(v, path, Kind::object, "a condition as an object"))
      return g;
    check_keys(v, path, {"predicate", "compare", "args", "not"});
    g.negated = flag(v, path, "not");
    g.args = list<Expr>(v, path, "args", [&](const JsonValue& e, const std::string& p) { return expr(e, p); });
    if (v.find("predicate") != nullptr) {
      g.predicate = needed_string(v, path, "predicate");
      return g;
    }
    const JsonValue* c = needed(v, path, "compare");
    if (c == nullptr)
      return g;
    if (const auto how = compare(*c, below(path, "compare"), false))
      g.compare = *how;
    if (g.args.size() != 2 || (g.compare == Compare::one_of && g.args[1].kind != Expr::Kind::list)) {
      report(
          v, below(path, "args"), "pattern.json-kind",
          g.compare == Compare::one_of ? "expected an expression and an array" : "expected two expressions to compare");
    }
    return g;
  }

  RewriteNode rewrite(const JsonValue& v, const std::string& path) {
    RewriteNode n;
    n.span = v.span;
    if (!require(v, path, Kind::object, "a new node as an object"))
      return n;
    check_keys(v, path, {"op", "in", "out", "attrs"});
    n.op = needed_string(v, path, "op");
    n.operands = strings(v, path, "in");
    n.results = strings(v, path, "out");
    n.attrs = attrs(v, path);
    return n;
  }

  Replacement replacement(const JsonValue& v, const std::string& path) {
    Replacement r;
    r.span = v.span;
    if (!require(v, path, Kind::object, "a replacement as an object"))
      return r;
    check_keys(v, path, {"matched", "by"});
    r.matched = needed_string(v, path, "matched");
    r.replacement = needed_string(v, path, "by");
    return r;
  }

  TypeVariable type_variable(const JsonValue& v, const std::string& path) {
    TypeVariable t;
    if (!require(v, path, Kind::object, "a type variable as an object"))
      return t;
    check_keys(v, path, {"name", "dtypes"});
    t.name = needed_string(v, path, "name");
    t.dtypes = strings(v, path, "dtypes");
    return t;
  }

  Family family(const JsonValue& v, const std::string& path) {
    Family f;
    if (!require(v, path, Kind::object, "a family as an object"))
      return f;
    check_keys(v, path, {"name", "values"});
    f.variable = needed_string(v, path, "name");
    f.values = strings(v, path, "values");
    return f;
  }

  template <class T>
  using Member = T (Reader::*)(const JsonValue&, const std::string&);

  template <class T>
  std::vector<T> members(const JsonValue& v, const std::string& path, std::string_view key, Member<T> read) {
    return list<T>(v, path, key, [&](const JsonValue& x, const std::string& p) { return (this->*read)(x, p); });
  }

  Pattern pattern(const JsonValue& v, const std::string& path) {
    Pattern p;
    p.span = v.span;
    if (!require(v, path, Kind::object, "a fusion as an object"))
      return p;
    check_keys(v, path,
               {"name", "doc", "level", "pass", "flag", "numerics", "benefit", "requires", "platforms", "families",
                "types", "dims", "definitions", "inputs", "match", "where", "rewrite", "replace"});
    p.name = needed_string(v, path, "name");
    p.doc = string(v, path, "doc");
    p.pass = string(v, path, "pass");
    p.flag = string(v, path, "flag");
    if (const JsonValue* numerics = v.find("numerics"))
      p.numerics = contract(*numerics, below(path, "numerics"));
    if (const JsonValue* level = v.find("level"))
      p.level = opt_level(*level, below(path, "level"));
    if (const JsonValue* benefit = v.find("benefit"))
      p.benefit = integer(*benefit, below(path, "benefit"));
    p.kernels = strings(v, path, "requires");
    p.platforms = strings(v, path, "platforms");
    p.families = members(v, path, "families", &Reader::family);
    p.types = members(v, path, "types", &Reader::type_variable);
    p.dims = strings(v, path, "dims");
    p.definitions = members(v, path, "definitions", &Reader::definition);
    p.inputs = members(v, path, "inputs", &Reader::input);
    p.match = members(v, path, "match", &Reader::clause);
    p.where = members(v, path, "where", &Reader::guard);
    p.rewrite = members(v, path, "rewrite", &Reader::rewrite);
    p.replacements = members(v, path, "replace", &Reader::replacement);
    return p;
  }

  OptLevel opt_level(const JsonValue& v, const std::string& path) {
    for (OptLevel l : {OptLevel::O0, OptLevel::O1, OptLevel::O2, OptLevel::O3}) {
      if (v.kind == Kind::string && v.text == to_string(l))
        return l;
    }
    report(v, path, "pattern.level", fmt::format("expected \"O0\", \"O1\", \"O2\" or \"O3\", found {}", describe(v)));
    return OptLevel::O1;
  }

  Numerics contract(const JsonValue& v, const std::string& path) {
    for (Numerics n : {Numerics::exact, Numerics::relaxed}) {
      if (v.kind == Kind::string && v.text == to_string(n))
        return n;
    }
    report(v, path, "pattern.numerics", fmt::format("expected \"exact\" or \"relaxed\", found {}", describe(v)));
    return Numerics::exact;
  }

  int integer(const JsonValue& v, const std::string& path) {
    const bool fits = v.kind == Kind::integer && v.integer <= std::numeric_limits<int>::max() &&
                      v.integer >= std::numeric_limits<int>::min();
    if (!fits)
      report(v, path, "pattern.number", fmt::format("expected a whole number of 32 bits, found {}", describe(v)));
    return fits ? static_cast<int>(v.integer) : 0;
  }
};

}  // namespace

std::vector<Pattern> parse_fusions_json(std::string_view text, std::string_view file) {
  return Reader().document(fusion_json::parse_document(text, file));
}

std::vector<Pattern> read_fusions(std::string_view text, std::string_view file) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  const bool json = first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
  return json ? parse_fusions_json(text, file) : parse_fusions(text, file);
}

}  // namespace tandem
