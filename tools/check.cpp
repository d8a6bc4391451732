// `tandem check`: lints fusions and proves them on random tensors, or formats their files.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <tandem/ir/context.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/file.h>
#include <tandem/passes/fusion/fusions.h>
#include <tandem/passes/pattern/fusion_set.h>
#include <tandem/passes/pattern/lint.h>
#include <tandem/passes/pattern/text.h>
#include <tandem/tools/check_report.h>
#include <tandem/tools/check_run.h>
#include <tandem/tools/console.h>
#include <tandem/tools/exit_status.h>
#include <tandem/tools/named_files.h>
#include <tandem/tools/option_values.h>
#include <tandem/tools/verb.h>

namespace tandem::cli {
namespace {

struct CheckSettings {
  std::vector<std::string> fusions;
  bool all = false;
  bool format = false;
  bool write = false;
  bool json = false;
  bool mutants = false;
  std::uint64_t seed = 1;
  std::size_t samples = 12;
  std::string directory = ".";
};

bool is_file(const std::string& argument) {
  return argument == "-" || argument.ends_with(".fusion") || argument.ends_with(".json") ||
         argument.find('/') != std::string::npos;
}

/// What is to be checked: the fusions of files, which are added to `sources`, and shipped ones by name.
std::vector<Pattern> chosen_fusions(const CheckSettings& s, std::vector<FusionSource>& sources) {
  std::vector<Pattern> shipped = shipped_fusions();
  if (s.fusions.empty() || s.all)
    return shipped;
  std::vector<std::string_view> names;
  for (const Pattern& p : shipped)
    names.push_back(p.name);
  std::vector<Pattern> chosen;
  for (const std::string& argument : s.fusions) {
    if (is_file(argument)) {
      sources.push_back({argument, read_file(argument, max_fusion_bytes)});
      for (Pattern& p : read_fusions(sources.back().text, argument))
        chosen.push_back(std::move(p));
      continue;
    }
    const auto it = std::find(names.begin(), names.end(), argument);
    if (it == names.end()) {
      throw Error("check.unknown-fusion",
                  fmt::format("there is no shipped fusion '{}'{}", argument, did_you_mean(argument, names)),
                  "'tandem list fusions' shows all; a file is named with its .fusion or .json");
    }
    chosen.push_back(shipped[static_cast<std::size_t>(it - names.begin())]);
  }
  return chosen;
}

/// A counterexample is not written over a fusion that is read, nor one over another.
void check_files(const CheckSettings& s, const std::vector<Pattern>& fusions) {
  NamedFiles files;
  for (const std::string& argument : s.fusions) {
    if (is_file(argument))
      files.reads("FUSION", argument);
  }
  std::set<std::string> names;
  for (const Pattern& pattern : fusions) {
    if (!names.insert(pattern.name).second)
      continue;
    for (const std::string& path : counterexample_files(s.directory, pattern.name))
      files.writes(fmt::format("a counterexample of '{}'", pattern.name), path);
  }
  files.check();
}

/// All files are read and formatted before the first is written.
int run_format(const CheckSettings& s) {
  if (s.fusions.empty())
    throw Error("usage.check", "--format needs files", "tandem check --format my.fusion");
  NamedFiles().reads("FUSION", s.fusions).check();
  std::vector<std::string> before, after;
  for (const std::string& path : s.fusions) {
    if (!is_file(path))
      throw Error("usage.check", fmt::format("'{}' is no file of fusions", path), "name a .fusion or .json file, or -");
    if (s.write && path == "-")
      throw Error("usage.check", "--write needs files, not standard input", "leave --write out");
    before.push_back(read_file(path, max_fusion_bytes));
    const auto first = before.back().find_first_not_of(" \t\r\n");
    const bool is_json = first != std::string::npos && (before.back()[first] == '{' || before.back()[first] == '[');
    if (s.write && is_json)
      throw Error("usage.check", fmt::format("{} is JSON, and the formatter writes text", path), "leave --write out");
    after.push_back(is_json ? format(read_fusions(before.back(), path)) : format_text(before.back(), path));
  }
  std::string printed;
  for (std::size_t i = 0; i < after.size(); ++i) {
    if (!s.write) {
      printed += after[i];
    } else if (after[i] != before[i]) {
      write_file(s.fusions[i], after[i]);
    }
  }
  if (!s.write)
    write_result("-", printed);
  return exit_done;
}

/// Points at the line that a problem speaks of, unless it speaks of the fusion as a whole.
void point_at_lines(std::vector<Diagnostic>& problems, std::span<const FusionSource> sources,
                    std::span<const Pattern> fusions) {
  for (Diagnostic& d : problems) {
    const bool of_all = std::any_of(fusions.begin(), fusions.end(), [&](const Pattern& p) {
      return p.span.file == d.where.file && p.span.line == d.where.line;
    });
    if (!of_all)
      add_source_line(d, sources);
  }
}

int run_check(const CheckSettings& s, std::span<const Pattern> fusions, std::span<const FusionSource> sources) {
  const auto context = Context::create();
  const std::vector<CheckExecutor> executors = check_executors();
  CheckOptions options;
  options.seed = s.seed;
  options.samples = s.samples;

  CheckSummary summary(s.json);
  Progress progress("checking");
  std::size_t done = 0;
  std::vector<Pattern> beside = shipped_fusions();  // those that are on where the user's is
  std::erase_if(beside, [](const Pattern& p) { return p.numerics == Numerics::relaxed; });
  std::vector<Diagnostic> together = lint_together(context, fusions, beside);
  const std::vector<Capabilities> targets = all_targets();
  for (const Pattern& pattern : fusions) {
    FusionVerdict verdict;
    verdict.report = check_fusion(context, pattern, executors, options);
    verdict.lints = lint_fusion(context, pattern);
    for (const Diagnostic& d : lint_kernels(pattern, targets))
      verdict.lints.push_back(d);
    if (s.mutants)
      verdict.mutants = check_mutants(context, pattern, executors, options);
    if (verdict.report.counterexample)
      verdict.saved = save_counterexample(s.directory, pattern.name, *verdict.report.counterexample);
    point_at_lines(verdict.report.problems, sources, fusions);
    point_at_lines(verdict.lints, sources, fusions);
    summary.add(std::move(verdict));
    progress.step(++done, fusions.size());
  }
  point_at_lines(together, sources, fusions);
  summary.add_together(together);
  write_result("-", summary.render());
  return summary.all_proven() ? exit_done : exit_check_failed;
}

int run_check(const CheckSettings& s) {
  if (s.write && !s.format)
    throw Error("usage.check", "--write goes with --format", "tandem check --format --write my.fusion");
  if (s.format)
    return run_format(s);
  std::vector<FusionSource> sources;
  const std::vector<Pattern> fusions = chosen_fusions(s, sources);
  check_files(s, fusions);
  try {
    return run_check(s, fusions, sources);
  } catch (const Error& e) {  // a fusion that does not compile
    std::vector<Diagnostic> problems(e.diagnostics().begin(), e.diagnostics().end());
    for (Diagnostic& d : problems)
      add_source_line(d, sources);
    throw Error(std::move(problems));
  }
}

}  // namespace

Runner setup_check(CLI::App& app) {
  auto s = std::make_shared<CheckSettings>();
  app.add_option("FUSION", s->fusions,
                 "Names of shipped fusions, or .fusion and .json files; none: all that are shipped");
  app.add_flag("--all", s->all, "All shipped fusions");
  app.add_option("--samples", s->samples, "Graphs for each variant of a fusion (default 12)")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{1}, std::size_t{100'000}));
  app.add_option("--seed", s->seed, "Of all random choices (default 1)")->type_name("N")->check(whole_number, "");
  app.add_flag("--mutants", s->mutants, "Plant faults in the right sides, and tell which a check would find");
  app.add_option("-o", s->directory, "Where counterexamples are written (default: here)")->type_name("DIR");
  app.add_flag("--json", s->json, "The report as JSON");
  app.add_flag("--format", s->format, "Print files in canonical form, comments kept, and check nothing");
  app.add_flag("--write", s->write, "... and write them in place");
  app.footer(
      "\nExample:\n"
      "  tandem check mla_dual_rms_norm --samples 50\n"
      "  tandem check my.fusion -o counterexamples\n"
      "  tandem check --format --write my.fusion");
  return [s] { return run_check(*s); };
}

}  // namespace tandem::cli
