// See fusions.h.
#include <tandem/tools/fusions.h>

#include <CLI/CLI.hpp>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/file.h>
#include <tandem/passes/pattern/text.h>

namespace tandem::cli {

void add_fusions_option(CLI::App& app, std::vector<std::string>& files) {
  app.add_option("--fusions", files, "Add the fusions of a file (text or JSON); repeatable")
      ->type_name("FILE")
      ->allow_extra_args(false);
}

FusionSet load_fusions(std::shared_ptr<Context> context, const std::vector<std::string>& files) {
  std::vector<FusionSource> sources;
  std::vector<Diagnostic> unreadable;
  for (const std::string& file : files) {
    try {
      sources.push_back({file, read_file(file, max_fusion_bytes)});
    } catch (const Error& e) {
      unreadable.insert(unreadable.end(), e.diagnostics().begin(), e.diagnostics().end());
    }
  }
  if (!unreadable.empty())
    throw Error(std::move(unreadable));
  return FusionSet::with_sources(std::move(context), sources);
}

std::vector<FusionRow> fusion_rows(const std::vector<std::string>& files) {
  const FusionSet fusions = load_fusions(Context::create(), files);
  std::vector<FusionRow> rows;
  for (const Pattern& p : fusions.patterns())
    rows.push_back({p.name, p.level, p.pass.empty() ? "fuse" : p.pass, p.flag, p.platforms, p.kernels, p.doc});
  return rows;
}

}  // namespace tandem::cli
