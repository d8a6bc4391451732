// See pipeline_options.h.
#include <tandem/tools/pipeline_options.h>

#include <CLI/CLI.hpp>

#include <tandem/tools/console.h>
#include <tandem/tools/fusions.h>
#include <tandem/tools/gpu.h>
#include <tandem/tools/option_values.h>

namespace tandem::cli {

void add_pipeline_options(CLI::App& app, PipelineSettings& s) {
  app.add_option("-O", s.level, "How much to do: -O0 verify, -O1 (default), -O2, -O3")->type_name("LEVEL");
  app.add_option("--target", s.target, "host (default), cpu, rocm:gfx942[,aiter=0.1.16], cuda:sm_90, ...");
  app.add_option("--passes", s.passes, "Run these passes and no others: dce,cse,...")->check(not_empty, "");
  app.add_option("--flag", s.flags, "Force a pass or fusion: on, off or auto; repeatable")
      ->type_name("NAME=on|off|auto")
      ->allow_extra_args(false);
  app.add_option("--numerics", s.numerics, "exact (default), or relaxed: kernels may round otherwise");
  add_fusions_option(app, s.fusions);
}

PassConfig pass_config(const PipelineSettings& s) {
  PassConfig config;
  config.level = parse_opt_level(s.level);
  config.numerics = parse_numerics(s.numerics);
  for (const std::string& flag : s.flags)
    set_flag(config, flag);
  return config;
}

DecisionReport optimise(Graph& graph, const PipelineSettings& s, std::vector<PassHooks> hooks,
                        const NearMissWishes& near_misses) {
  const PassConfig config = pass_config(s);
  const Capabilities capabilities = resolve_target(s.target);

  const FusionSet fusions = load_fusions(graph.shared_context(), s.fusions);
  PipelineOptions options;
  options.fusions = &fusions;
  options.passes = s.passes;
  options.near_misses = near_misses.all;
  options.hooks = std::move(hooks);
  options.log = [](Severity, std::string_view text) { log_note(text); };
  DecisionReport report = run_pipeline(graph, config, capabilities, options);
  if (near_misses.all)
    return report;
  std::vector<std::string> missed;
  for (const Expectation& e : near_misses.expectations) {
    if (report.matches(e.name) != static_cast<std::int64_t>(e.matches))
      missed.push_back(e.name);
  }
  if (!missed.empty())
    add_near_misses(report, graph, fusions, config, capabilities, missed);
  return report;
}

}  // namespace tandem::cli
