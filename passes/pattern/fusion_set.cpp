#include <tandem/passes/pattern/fusion_set.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/fusion/fusions.h>
#include <tandem/passes/pattern/resolve.h>
#include <tandem/passes/pattern/text.h>

namespace tandem {

namespace {

std::optional<Platform> platform_named(std::string_view text) {
  for (Platform p : {Platform::cpu, Platform::cuda, Platform::rocm}) {
    if (text == to_string(p))
      return p;
  }
  return std::nullopt;
}

void check_platforms(std::span<const Pattern> patterns, std::vector<Diagnostic>& problems) {
  for (const Pattern& p : patterns) {
    for (const std::string& platform : p.platforms) {
      if (platform_named(platform))
        continue;
      problems.push_back(pattern_problem(
          p, p.span, "pattern.platform",
          fmt::format("unknown platform '{}'{}", platform, did_you_mean(platform, {"cpu", "cuda", "rocm"})),
          "the platforms are cpu, cuda and rocm"));
    }
  }
}

}  // namespace

FusionSet FusionSet::shipped(std::shared_ptr<Context> context, std::vector<Pattern> more) {
  std::vector<Pattern> all = shipped_fusions();
  std::move(more.begin(), more.end(), std::back_inserter(all));
  return {std::move(context), std::move(all)};
}

FusionSet FusionSet::with_sources(std::shared_ptr<Context> context, std::span<const FusionSource> sources) {
  std::vector<Diagnostic> problems;
  std::vector<Pattern> all = shipped_fusions();
  auto collect = [&](const Error& e) {
    problems.insert(problems.end(), e.diagnostics().begin(), e.diagnostics().end());
  };
  for (const FusionSource& source : sources) {
    try {
      std::vector<Pattern> patterns = read_fusions(source.text, source.file);
      std::move(patterns.begin(), patterns.end(), std::back_inserter(all));
    } catch (const Error& e) {
      collect(e);
    }
  }
  // What can be read is compiled all the same, so that everything is reported at once.
  check_platforms(all, problems);
  try {
    auto compiled = compile(std::move(context), std::move(all));
    if (problems.empty())
      return FusionSet(std::move(compiled));
  } catch (const Error& e) {
    collect(e);
  }
  for (Diagnostic& d : problems)
    add_source_line(d, sources);
  throw Error(std::move(problems));
}

FusionSet::FusionSet(std::shared_ptr<Context> context, std::vector<Pattern> patterns)
    : compiled_(compile(std::move(context), std::move(patterns))) {
  std::vector<Diagnostic> problems;
  check_platforms(compiled_->patterns, problems);
  if (!problems.empty())
    throw Error(std::move(problems));
}

GateRequest FusionSet::gate_request(std::size_t i) const {
  const Pattern& p = compiled_->patterns[i];
  GateRequest request;
  request.name = p.name;
  request.level = p.level;
  request.flag = p.flag;
  request.numerics = p.numerics;
  for (const std::string& platform : p.platforms)
    request.platforms.push_back(*platform_named(platform));
  if (!p.kernels.empty())
    request.kernel = p.kernels.front();
  for (const TypeVariable& t : p.types) {
    for (const std::string& d : t.dtypes) {
      const DType dtype = *parse_dtype(d);
      if (std::find(request.dtypes.begin(), request.dtypes.end(), dtype) == request.dtypes.end()) {
        request.dtypes.push_back(dtype);
      }
    }
  }
  return request;
}

}  // namespace tandem
