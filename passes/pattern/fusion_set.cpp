#include <tandem/passes/pattern/fusion_set.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/fusion/fusions.h>
#include <tandem/passes/pattern/resolve.h>

namespace tandem {

namespace {

std::optional<Platform> parse_platform(std::string_view text) {
  for (Platform p : {Platform::cpu, Platform::cuda, Platform::rocm}) {
    if (text == to_string(p))
      return p;
  }
  return std::nullopt;
}

}  // namespace

FusionSet FusionSet::shipped(std::shared_ptr<Context> context, std::vector<Pattern> more) {
  std::vector<Pattern> all = shipped_fusions();
  std::move(more.begin(), more.end(), std::back_inserter(all));
  return {std::move(context), std::move(all)};
}

FusionSet::FusionSet(std::shared_ptr<Context> context, std::vector<Pattern> patterns)
    : compiled_(compile(std::move(context), std::move(patterns))) {
  std::vector<Diagnostic> problems;
  for (const Pattern& p : compiled_->patterns) {
    for (const std::string& platform : p.platforms) {
      if (parse_platform(platform))
        continue;
      problems.push_back(pattern_problem(
          p, p.span, "pattern.platform",
          fmt::format("unknown platform '{}'{}", platform, did_you_mean(platform, {"cpu", "cuda", "rocm"})),
          "the platforms are cpu, cuda and rocm"));
    }
  }
  if (!problems.empty())
    throw Error(std::move(problems));
}

GateRequest FusionSet::gate_request(std::size_t i) const {
  const Pattern& p = compiled_->patterns[i];
  GateRequest request;
  request.name = p.name;
  request.level = p.level;
  request.flag = p.flag;
  for (const std::string& platform : p.platforms)
    request.platforms.push_back(*parse_platform(platform));
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
