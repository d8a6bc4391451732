// Printing timings.
#include <tandem/ir/counted.h>
#include <tandem/tools/bench_report.h>

#include <algorithm>

#include <fmt/format.h>

namespace tandem::cli {
namespace {

double gigabytes_per_second(std::int64_t bytes, double microseconds) {
  return microseconds > 0 ? static_cast<double>(bytes) / microseconds * 1e-3 : 0;
}

}  // namespace

Timing summarise(std::vector<double> us) {
  std::sort(us.begin(), us.end());
  if (us.empty())
    return {};
  return {us[us.size() / 2], us.front(), us.back()};
}

BenchReport::BenchReport(const std::string& device, const std::string& target)
    : json_({{"device", device}, {"machine", ""}, {"target", target}, {"sizes", nlohmann::ordered_json::array()}}) {}

void BenchReport::add(const std::string& binding, const std::vector<VariantTiming>& variants) {
  nlohmann::ordered_json size = {{"binding", binding}, {"variants", nlohmann::ordered_json::array()}};
  for (const VariantTiming& v : variants) {
    nlohmann::ordered_json row = {{"variant", v.variant},
                                  {"nodes", v.nodes},
                                  {"median_us", v.whole.median},
                                  {"min_us", v.whole.least},
                                  {"max_us", v.whole.most},
                                  {"bytes", v.bytes},
                                  {"gb_per_s", gigabytes_per_second(v.bytes, v.whole.median)}};
    text_ += fmt::format("{:<10}  {:<10}  {:>12}  {:>11.2f} us  ({:.2f} to {:.2f})  {:>9.1f} GB/s of {}\n", binding,
                         v.variant, counted(v.nodes, "node"), v.whole.median, v.whole.least, v.whole.most,
                         gigabytes_per_second(v.bytes, v.whole.median), counted(v.bytes, "byte"));
    if (!v.steps.empty())
      row["steps"] = nlohmann::ordered_json::array();
    for (const StepTiming& s : v.steps) {
      const double rate = gigabytes_per_second(s.bytes, s.microseconds);
      row["steps"].push_back({{"name", s.name},
                              {"op", s.op},
                              {"provider", s.provider},
                              {"us", s.microseconds},
                              {"bytes", s.bytes},
                              {"gb_per_s", rate}});
      text_ += fmt::format("    {:>11.2f} us  {:>9.1f} GB/s  {:<24}  {:<20}  {}\n", s.microseconds, rate, s.op,
                           s.provider, s.name.empty() ? "" : "%" + s.name);
    }
    size["variants"].push_back(std::move(row));
  }
  if (variants.size() == 2) {
    const double ratio = variants[1].whole.median / std::max(variants[0].whole.median, 1e-9);
    size["speedup"] = ratio;
    text_ += fmt::format("{:<10}  as read / optimised: {:.3f}\n", binding, ratio);
  }
  json_["sizes"].push_back(std::move(size));
}

std::string BenchReport::text() const {
  return fmt::format("{} ({}), target {}; the median of the rounds, and their least and most\n",
                     json_["device"].get<std::string>(), json_["machine"].get<std::string>(),
                     json_["target"].get<std::string>()) +
         text_;
}

}  // namespace tandem::cli
