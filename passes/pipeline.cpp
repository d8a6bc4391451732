// The table as rows, pipelines from text, and the run from configuration to report.

#include <tandem/passes/pipeline.h>

#include <algorithm>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/hooks.h>
#include <tandem/passes/pattern/explain.h>
#include <tandem/passes/pattern/fusion_set.h>
#include <tandem/passes/pattern/resolve.h>

namespace tandem {

namespace {

constexpr PassRow rows[] = {
#define TANDEM_PASS(name, level, flag, doc, needs, why) {#name, OptLevel::level, flag, doc, needs, why, &pass::name},
#include <tandem/passes/pipeline.def>
#undef TANDEM_PASS
};

Pass pass_of(const PassRow& row) {
  return {std::string(row.name), std::string(row.doc), row.run};
}

GateAnswer gate_of(const PassRow& row, const PassConfig& config, const Capabilities& capabilities) {
  GateRequest request;
  request.name = row.name;
  request.level = row.level;
  request.flag = row.flag;
  return decide(request, config, capabilities);
}

PassManager manager_for(const PassConfig& config, const Capabilities& capabilities, const PipelineOptions& options) {
  PassManager manager;
  if (options.passes.empty()) {
    for (const PassRow& row : rows) {
      manager.add(pass_of(row), gate_of(row, config, capabilities), std::string(row.flag));
    }
  } else {
    for (Pass& pass : parse_pipeline(options.passes)) {
      manager.add(std::move(pass));
    }
  }
  for (const PassHooks& hooks : options.hooks) {
    manager.add_hooks(hooks);
  }
  manager.add_hooks(measure_time());  // last, so that it measures the pass without the other hooks
  return manager;
}

/// The pass `fuse` stands in the table twice: a fusion gets one entry, where it ran last.
void merge_fusions(std::vector<PassReport>& passes) {
  for (std::size_t i = 0; i < passes.size(); ++i) {
    if (!passes[i].is_fusion)
      continue;
    const auto again = std::find_if(passes.begin() + static_cast<std::ptrdiff_t>(i) + 1, passes.end(),
                                    [&](const PassReport& p) { return p.is_fusion && p.name == passes[i].name; });
    if (again == passes.end())
      continue;
    again->candidates = std::max(again->candidates, passes[i].candidates);
    again->matches += passes[i].matches;
    again->changed |= passes[i].changed;
    again->nodes_before = passes[i].nodes_before;
    again->seconds += passes[i].seconds;
    for (const std::string& note : passes[i].notes) {
      if (std::find(again->notes.begin(), again->notes.end(), note) == again->notes.end())
        again->notes.push_back(note);
    }
    passes.erase(passes.begin() + static_cast<std::ptrdiff_t>(i--));
  }
}

}  // namespace

std::span<const PassRow> pipeline_table() {
  return rows;
}

Pass pass_named(std::string_view name) {
  std::vector<std::string_view> names;
  for (const PassRow& row : rows) {
    if (row.name == name) {
      return pass_of(row);
    }
    if (std::find(names.begin(), names.end(), row.name) == names.end()) {
      names.push_back(row.name);
    }
  }
  throw Error("pipeline.unknown-pass", fmt::format("there is no pass '{}'{}", name, did_you_mean(name, names)),
              fmt::format("the passes are {}", fmt::join(names, ", ")));
}

std::vector<Pass> parse_pipeline(std::string_view text) {
  std::vector<Pass> passes;
  for (std::size_t start = 0;;) {
    const std::size_t comma = text.find(',', start);
    const std::string_view name = text.substr(start, comma == std::string_view::npos ? comma : comma - start);
    if (name.empty()) {
      throw Error("pipeline.syntax", fmt::format("pass {} of the pipeline has no name", passes.size() + 1),
                  "write names of passes with one comma between them: verify,dce,cse");
    }
    passes.push_back(pass_named(name));
    if (comma == std::string_view::npos) {
      return passes;
    }
    start = comma + 1;
  }
}

std::vector<std::string> known_flags(const FusionSet* fusions) {
  std::vector<std::string> flags;
  for (const PassRow& row : rows) {
    if (!row.flag.empty() && std::find(flags.begin(), flags.end(), row.flag) == flags.end()) {
      flags.emplace_back(row.flag);
    }
  }
  if (fusions != nullptr) {
    for (const Pattern& p : fusions->patterns()) {
      if (!p.flag.empty() && std::find(flags.begin(), flags.end(), p.flag) == flags.end())
        flags.push_back(p.flag);
    }
  }
  return flags;
}

namespace {

/// The report, `--expect` and `--passes` know passes and fusions by one name each.
void check_names(const FusionSet* fusions) {
  if (fusions == nullptr)
    return;
  std::vector<Diagnostic> problems;
  for (const Pattern& p : fusions->patterns()) {
    if (std::any_of(std::begin(rows), std::end(rows), [&](const PassRow& row) { return row.name == p.name; }))
      problems.push_back(pattern_problem(p, p.span, "pattern.duplicate-name",
                                         fmt::format("there is a pass of the name '{}'", p.name),
                                         "give the fusion another name"));
  }
  if (!problems.empty())
    throw Error(std::move(problems));
}

/// Asks every fusion's gate before anything is changed: "gate.no-kernel" and "gate.numerics" are thrown here, not in
/// mid-pipeline.
void check_gates(const PassManager& manager, const FusionSet* fusions, const PassConfig& config,
                 const Capabilities& capabilities) {
  const auto fuses = [](const PassManager::Entry& e) { return e.gate.on && e.pass.name == "fuse"; };
  if (fusions == nullptr || std::none_of(manager.entries().begin(), manager.entries().end(), fuses)) {
    return;
  }
  for (std::size_t i = 0; i < fusions->patterns().size(); ++i) {
    decide(fusions->gate_request(i), config, capabilities);
  }
}

}  // namespace

DecisionReport run_pipeline(Graph& graph, const PassConfig& config, const Capabilities& capabilities,
                            const PipelineOptions& options) {
  const std::vector<std::string> flags = known_flags(options.fusions);
  check_flags(config, std::vector<std::string_view>(flags.begin(), flags.end()));
  const PassManager manager = manager_for(config, capabilities, options);
  check_names(options.fusions);
  check_gates(manager, options.fusions, config, capabilities);

  DecisionReport report;
  report.graph = graph.name();
  report.target = capabilities.target();
  report.level = config.level;
  report.numerics = config.numerics;
  report.flags = config.flags;
  report.aiter = capabilities.aiter;
  report.pipeline = manager.pipeline_text();
  report.nodes_before = graph.num_nodes();
  report.passes = manager.run(graph, PassContext{config, capabilities, options.log, options.fusions, nullptr});
  merge_fusions(report.passes);
  if (options.near_misses && options.fusions != nullptr)
    add_near_misses(report, graph, *options.fusions, config, capabilities);
  report.nodes_after = graph.num_nodes();
  for (const PassReport& pass : report.passes) {
    report.seconds += pass.seconds;
  }
  return report;
}

namespace {

/// Places are sought among this many nodes for each fusion; `tandem explain` goes further.
constexpr std::size_t max_near_miss_anchors = 20'000;

}  // namespace

void add_near_misses(DecisionReport& report, const Graph& graph, const FusionSet& fusions, const PassConfig& config,
                     const Capabilities& capabilities, std::span<const std::string> only) {
  const ValueNames names(graph);
  for (std::uint32_t f = 0; f < fusions.patterns().size(); ++f) {
    const std::string& name = fusions.patterns()[f].name;
    if (!only.empty() && std::find(only.begin(), only.end(), name) == only.end())
      continue;
    const auto entry = std::find_if(report.passes.begin(), report.passes.end(),
                                    [&](const PassReport& p) { return p.is_fusion && p.on && p.name == name; });
    if (entry == report.passes.end())
      continue;
    const std::uint32_t dtypes = decide(fusions.gate_request(f), config, capabilities).dtype_bits();
    for (NearMiss& miss : near_misses(fusions.compiled(), graph, names, f,
                                      {.kernel_dtypes = dtypes, .max_anchors = max_near_miss_anchors})) {
      const bool known = std::any_of(entry->near_misses.begin(), entry->near_misses.end(),
                                     [&](const NearMiss& m) { return m.example == miss.example; });
      if (!known)
        entry->near_misses.push_back(std::move(miss));
    }
  }
}

}  // namespace tandem
