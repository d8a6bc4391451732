// The decision report as JSON. docs/decision-report.md documents every key.

#include <nlohmann/json.hpp>

#include <tandem/passes/report.h>

namespace tandem {

namespace {

using nlohmann::json;  // its objects are sorted by key

json providers_of(const std::vector<ProviderChoice>& providers) {
  json list = json::array();
  for (const ProviderChoice& p : providers) {
    list.push_back({{"dtype", to_string(p.dtype)}, {"provider", p.provider}});
  }
  return list;
}

json near_misses_of(const std::vector<NearMiss>& misses) {
  json list = json::array();
  for (const NearMiss& m : misses) {
    list.push_back({{"predicate", m.predicate}, {"count", m.count}, {"example", m.example}, {"where", m.where}});
  }
  return list;
}

json pass_of(const PassReport& pass) {
  return {{"name", pass.name},
          {"kind", pass.is_fusion ? "fusion" : "pass"},
          {"flag", pass.flag.empty() ? json() : json(pass.flag)},
          {"on", pass.on},
          {"rule", pass.rule},
          {"providers", providers_of(pass.providers)},
          {"changed", pass.changed},
          {"candidates", pass.candidates},
          {"matches", pass.matches},
          {"near_misses", near_misses_of(pass.near_misses)},
          {"notes", pass.notes},
          {"nodes_before", pass.nodes_before},
          {"nodes_after", pass.nodes_after},
          {"seconds", pass.seconds}};
}

json config_of(const DecisionReport& report) {
  json flags = json::object();
  for (const auto& [name, toggle] : report.flags) {
    flags[name] = to_string(toggle);
  }
  return {{"level", to_string(report.level)}, {"numerics", to_string(report.numerics)}, {"flags", std::move(flags)}};
}

json aiter_of(const AiterInfo& aiter) {
  return {{"present", aiter.present},
          {"version", aiter.version.empty() ? json() : json(aiter.version)},
          {"entry_points", aiter.entry_points},
          {"reason", aiter.reason}};
}

}  // namespace

std::string to_json(const DecisionReport& report) {
  json passes = json::array();
  for (const PassReport& pass : report.passes) {
    passes.push_back(pass_of(pass));
  }
  const json document = {{"format", "tandem.decision-report"},
                         {"schema_version", DecisionReport::schema_version},
                         {"graph", report.graph},
                         {"target", report.target},
                         {"aiter", aiter_of(report.aiter)},
                         {"config", config_of(report)},
                         {"pipeline", report.pipeline},
                         {"passes", std::move(passes)},
                         {"nodes_before", report.nodes_before},
                         {"nodes_after", report.nodes_after},
                         {"seconds", report.seconds}};
  // Names come from a caller and need not be UTF-8: what is not is replaced, never thrown at the user.
  return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace tandem
