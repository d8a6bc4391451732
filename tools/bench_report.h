// The results of `tandem bench`, for people and for programs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace tandem::cli {

/// Microseconds of one thing in several rounds.
struct Timing {
  double median = 0, least = 0, most = 0;
};
Timing summarise(std::vector<double> microseconds);

struct StepTiming {
  std::string name, op, provider;
  double microseconds = 0;
  std::int64_t bytes = 0;
};

/// A graph with given sizes.
struct VariantTiming {
  std::string variant;  ///< "optimised" or "as read".
  Timing whole;
  std::int64_t bytes = 0;  ///< Inputs, outputs and weights, each once: the least that must move.
  std::size_t nodes = 0;   ///< That run.
  std::vector<StepTiming> steps;
};

class BenchReport {
 public:
  BenchReport(const std::string& device, const std::string& target);
  void set_machine(const std::string& machine) { json_["machine"] = machine; }
  /// `binding` is "T=32", or "" where nothing was swept.
  void add(const std::string& binding, const std::vector<VariantTiming>& variants);

  std::string json() const { return json_.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"; }
  std::string text() const;

 private:
  nlohmann::ordered_json json_;
  std::string text_;
};

}  // namespace tandem::cli
