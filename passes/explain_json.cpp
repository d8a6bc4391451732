// An explanation for programs. docs/explain.md lists the fields.

#include <nlohmann/json.hpp>

#include <tandem/passes/explain.h>

namespace tandem {

namespace {

using Json = nlohmann::ordered_json;

std::string_view name_of(FusionExplanation::Verdict verdict) {
  static constexpr std::string_view names[] = {"fired", "off", "lost", "near-misses", "no-candidates"};
  return names[static_cast<std::size_t>(verdict)];
}

Json to_json(const Span& span) {
  if (span.line == 0)
    return nullptr;
  return {{"file", span.file}, {"line", span.line}, {"column", span.column}};
}

Json to_json(const DrawnSite& site) {
  return {{"name", site.name}, {"scope", site.scope}, {"lines", site.lines}};
}

Json to_json(const FailedPredicate& f) {
  return {{"cause", to_string(f.cause)}, {"predicate", f.predicate}, {"found", f.found},
          {"where", to_json(f.span)},    {"in_graph", f.in_graph},   {"in_pattern", f.in_pattern}};
}

Json to_json(const FusionExplanation::Missed& m) {
  Json failures = Json::array(), sites = Json::array();
  for (const FailedPredicate& f : m.failures)
    failures.push_back(to_json(f));
  for (const DrawnSite& s : m.sites)
    sites.push_back({{"name", s.name}, {"scope", s.scope}});
  return {{"count", m.sites.size()},         {"run", m.run},
          {"distance", m.distance},          {"unreached", m.unreached},
          {"failures", std::move(failures)}, {"example", to_json(m.example)},
          {"sites", std::move(sites)}};
}

}  // namespace

std::string to_json(const FusionExplanation& e) {
  Json out = {{"format", "tandem.explanation"},
              {"schema_version", FusionExplanation::schema_version},
              {"fusion", e.fusion},
              {"doc", e.doc},
              {"where", to_json(e.span)},
              {"pass", e.pass},
              {"graph", e.graph},
              {"target", e.target},
              {"pipeline", e.pipeline},
              {"runs", e.runs},
              {"nodes", e.nodes},
              {"verdict", name_of(e.verdict)},
              {"on", e.on},
              {"rule", e.rule},
              {"notes", e.notes}};
  out["fired"] = Json::array();
  for (const auto& f : e.fired)
    out["fired"].push_back({{"run", f.run}, {"before", to_json(f.before)}, {"after", f.after}});
  out["lost"] = Json::array();
  for (const auto& l : e.lost)
    out["lost"].push_back({{"run", l.run}, {"winner", l.winner}, {"site", to_json(l.site)}});
  out["would_fire"] = Json::array();
  for (const DrawnSite& s : e.would_fire)
    out["would_fire"].push_back(to_json(s));
  out["absent"] = Json::array();
  for (const auto& a : e.absent)
    out["absent"].push_back({{"op", a.op}, {"where", to_json(a.span)}, {"similar", a.similar}});
  out["missed"] = Json::array();
  for (const auto& m : e.missed)
    out["missed"].push_back(to_json(m));
  out["at"] = e.at.empty() ? Json(nullptr) : Json{{"node", e.at}, {"answer", e.at_answer}};
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace tandem
