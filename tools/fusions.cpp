// See fusions.h.
#include <tandem/tools/fusions.h>

namespace tandem::cli {

FusionSet load_fusions(std::shared_ptr<Context> context) {
  return FusionSet::shipped(std::move(context));
}

std::vector<FusionRow> fusion_rows() {
  const FusionSet fusions = load_fusions(Context::create());
  std::vector<FusionRow> rows;
  for (const Pattern& p : fusions.patterns())
    rows.push_back({p.name, p.level, p.flag, p.platforms, p.kernels, p.doc});
  return rows;
}

}  // namespace tandem::cli
