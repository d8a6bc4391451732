// What a fusion admits against what kernels take.
#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <tandem/passes/pattern/lint.h>
#include <tandem/passes/pattern/resolve.h>

namespace tandem {

namespace {

bool counts(const Pattern& pattern, const Capabilities& target) {
  return pattern.platforms.empty() || std::find(pattern.platforms.begin(), pattern.platforms.end(),
                                                to_string(target.platform)) != pattern.platforms.end();
}

/// Whether some guard bounds a dim or a product of dims from above.
bool bounds_something(const Pattern& pattern) {
  return std::any_of(pattern.where.begin(), pattern.where.end(), [](const Guard& g) {
    return g.predicate.empty() && !g.negated && (g.compare == Compare::less || g.compare == Compare::less_equal);
  });
}

}  // namespace

std::vector<Diagnostic> lint_kernels(const Pattern& pattern, std::span<const Capabilities> targets) {
  std::vector<Diagnostic> out;
  const auto add = [&](std::string_view code, std::string message, std::string help) {
    Diagnostic d = pattern_problem(pattern, pattern.span, code, std::move(message), std::move(help));
    d.severity = Severity::note;
    out.push_back(std::move(d));
  };
  for (const std::string& kernel : pattern.kernels) {
    std::set<DType> offered;
    std::set<std::string> limits;
    for (const Capabilities& target : targets) {
      for (const KernelOffer& offer : target.kernels) {
        if (offer.op != kernel || !counts(pattern, target))
          continue;
        offered.insert(offer.dtypes.begin(), offer.dtypes.end());
        if (offer.max_hidden > 0)
          limits.insert(fmt::format("{}: a last axis of at most {}", offer.provider, offer.max_hidden));
        for (const std::string& condition : offer.preconditions)
          limits.insert(fmt::format("{}: {}", offer.provider, condition));
      }
    }
    std::vector<std::string_view> missing;
    for (const TypeVariable& t : pattern.types) {
      for (const std::string& d : t.dtypes) {
        if (!offered.contains(*parse_dtype(d)) && std::find(missing.begin(), missing.end(), d) == missing.end())
          missing.push_back(d);
      }
    }
    if (offered.empty()) {
      add("lint.kernel-dtypes",
          fmt::format("no provider of its platforms has a kernel of {}: the fusion never runs", kernel),
          "add a kernel and its row in passes/capabilities.cpp, or register the engine's own");
    } else if (!missing.empty()) {
      add("lint.kernel-dtypes",
          fmt::format("it admits {}, for which no provider of its platforms has {}: such sites are refused",
                      fmt::join(missing, ", "), kernel),
          "leave these dtypes out of 'types', or add the kernels");
    }
    if (!limits.empty() && !bounds_something(pattern)) {
      add("lint.kernel-limit", fmt::format("kernels of {} have conditions that no guard implies", kernel),
          "where they do not hold the provider is passed over at run time; a guard says so before");
      out.back().notes.assign(limits.begin(), limits.end());
    }
  }
  return out;
}

}  // namespace tandem
