#include <tandem/passes/pattern/json.h>

#include <cmath>

#include <nlohmann/json.hpp>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/text.h>
#include <tandem/passes/pattern/text_spelling.h>

namespace tandem {

namespace {

using Json = nlohmann::ordered_json;

Json to(const AttrPattern& a);
Json to(const Clause& c);
Json to(const std::vector<Clause>& body);
Json to(const Definition& d);
Json to(const Family& f);
Json to(const Guard& g);
Json to(const InputPattern& in);
Json to(const Replacement& r);
Json to(const RewriteNode& n);
Json to(const ThroughPattern& t);
Json to(const TypePattern& t);
Json to(const TypeVariable& t);

Json to(const Expr& e) {
  switch (e.kind) {
    case Expr::Kind::boolean: return e.boolean;
    case Expr::Kind::integer: return e.integer;
    case Expr::Kind::real: return std::isfinite(e.real) ? Json(e.real) : Json(to_string(e));
    case Expr::Kind::list: {
      Json out = Json::array();
      for (const Expr& a : e.args)
        out.push_back(to(a));
      return out;
    }
    default: return to_string(e);
  }
}

Json to(const std::vector<Expr>& list) {
  Json out = Json::array();
  for (const Expr& e : list)
    out.push_back(to(e));
  return out;
}

template <class T>
void add(Json& object, const char* key, const std::vector<T>& list) {
  if (list.empty())
    return;
  Json& out = object[key] = Json::array();
  for (const T& item : list)
    out.push_back(to(item));
}
void add(Json& object, const char* key, const std::vector<std::string>& list) {
  if (!list.empty())
    object[key] = list;
}
void add(Json& object, const char* key, const std::string& text) {
  if (!text.empty())
    object[key] = text;
}
void add(Json& object, const char* key, bool flag) {
  if (flag)
    object[key] = true;
}

Json to(const TypePattern& t) {
  return to_string(t);
}

Json to(const InputPattern& in) {
  return {{"name", in.name}, {"type", to_string(in.type)}};
}

Json to(const AttrPattern& a) {
  Json out = {{"name", a.name}};
  if (a.compare != Compare::equal)
    out["compare"] = fusion_text::spell_compare(a.compare);
  if (a.compare != Compare::any)
    out["value"] = to(a.value);
  return out;
}

Json to(const std::vector<Clause>& body) {
  Json out = Json::array();
  for (const Clause& c : body)
    out.push_back(to(c));
  return out;
}

Json to(const ThroughPattern& t) {
  Json out = {{"operand", t.operand}, {"op", t.op}};
  add(out, "attrs", t.attrs);
  add(out, "optional", t.optional);
  return out;
}

Json to(const NodePattern& n) {
  Json out = {{"op", n.op}};
  add(out, "in", n.operands);
  add(out, "through", n.through);
  add(out, "out", n.results);
  add(out, "types", n.types);
  add(out, "attrs", n.attrs);
  add(out, "keep", n.keep);
  add(out, "recompute", n.recompute);
  add(out, "optional", n.optional);
  return out;
}

Json to(const Clause& c) {
  Json out = Json::object();
  switch (c.kind) {
    case Clause::Kind::node: return to(c.node);
    case Clause::Kind::either: add(out, "either", c.branches); break;
    case Clause::Kind::unless: add(out, "unless", c.branches); break;
    case Clause::Kind::use:
      out["use"] = c.name;
      add(out, "in", c.args);
      add(out, "out", c.results);
      break;
  }
  return out;
}

Json to(const Definition& d) {
  Json out = {{"name", d.name}};
  add(out, "params", d.params);
  add(out, "results", d.results);
  add(out, "match", d.body);
  return out;
}

Json to(const Guard& g) {
  Json out = Json::object();
  if (g.predicate.empty()) {
    out["compare"] = fusion_text::spell_compare(g.compare);
  } else {
    out["predicate"] = g.predicate;
  }
  out["args"] = to(g.args);
  add(out, "not", g.negated);
  return out;
}

Json to(const RewriteNode& n) {
  Json out = {{"op", n.op}};
  add(out, "in", n.operands);
  add(out, "out", n.results);
  add(out, "attrs", n.attrs);
  return out;
}

Json to(const Replacement& r) {
  return {{"matched", r.matched}, {"by", r.replacement}};
}

Json to(const TypeVariable& t) {
  Json out = {{"name", t.name}};
  add(out, "dtypes", t.dtypes);
  return out;
}

Json to(const Family& f) {
  return {{"name", f.variable}, {"values", f.values}};
}

Json to(const Pattern& p) {
  Json out = {{"name", p.name}};
  add(out, "doc", p.doc);
  out["level"] = to_string(p.level);
  add(out, "pass", p.pass);
  add(out, "flag", p.flag);
  if (p.numerics != Numerics::exact)
    out["numerics"] = to_string(p.numerics);
  if (p.benefit != 0)
    out["benefit"] = p.benefit;
  add(out, "requires", p.kernels);
  add(out, "platforms", p.platforms);
  add(out, "families", p.families);
  add(out, "types", p.types);
  add(out, "dims", p.dims);
  add(out, "definitions", p.definitions);
  add(out, "inputs", p.inputs);
  add(out, "match", p.match);
  add(out, "where", p.where);
  add(out, "rewrite", p.rewrite);
  add(out, "replace", p.replacements);
  return out;
}

}  // namespace

std::string to_json(std::span<const Pattern> patterns) {
  Json document = {{"format", "tandem.fusion"}, {"version", 1}, {"fusions", Json::array()}};
  for (const Pattern& p : patterns)
    document["fusions"].push_back(to(p));
  try {
    return document.dump(2) + "\n";
  } catch (const nlohmann::json::type_error&) {
    throw Error("pattern.encoding", "a name or string of the fusion is not UTF-8, which JSON cannot hold",
                "the text form spells any byte as \\xHH");
  }
}

std::string to_json(const Pattern& pattern) {
  return to_json(std::span<const Pattern>(&pattern, 1));
}

}  // namespace tandem
