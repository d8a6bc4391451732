// The report of a check as it grows: problems in words, and the counterexample.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/passes/pattern/check.h>
#include <tandem/passes/pattern/check_cases.h>

namespace tandem {

class CheckFindings {
 public:
  explicit CheckFindings(const Pattern& pattern) : pattern_(pattern) {}

  CheckReport report;

  /// Whether something is wrong: a check ends with it.
  bool failed() const { return failed_; }

  void problem(std::string_view code, Severity severity, const Span& span, std::string message, std::string help,
               std::vector<std::string> notes = {});

  /// The rewrite computes something else: where, by how much, and on which numbers if they are few. `is_rounding`: the
  /// difference is within what a fusion that rounds otherwise may make.
  void differs(const CheckCase& c, const Comparison& result, std::optional<Graph> rewritten, std::string_view variant,
               bool is_rounding);
  /// A provider's kernel computes something else.
  void kernel_differs(const CheckCase& c, const Comparison& result, const Graph& rewritten, std::string_view provider);
  /// More elements differ in their last place than arithmetic explains.
  void rounds_otherwise(std::size_t output, const Comparison::Narrow& tally);

  void set_counterexample(const CheckCase& c, std::optional<Graph> rewritten);

 private:
  /// What output `i` of a graph is: replaced values come first.
  std::string output_name(std::size_t i) const;

  const Pattern& pattern_;
  bool failed_ = false;
};

}  // namespace tandem
