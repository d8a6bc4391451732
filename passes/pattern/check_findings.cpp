#include <tandem/passes/pattern/check_findings.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <tandem/passes/pattern/resolve.h>

namespace tandem {

namespace {

/// So many numbers are told in a note; beyond them there is the file.
constexpr std::size_t most_told = 24;

std::vector<std::pair<std::string, CheckTensor>> named_inputs(const CheckCase& c) {
  std::vector<std::pair<std::string, CheckTensor>> out;
  std::size_t i = 0;
  for (Value v : c.graph.inputs())
    out.emplace_back(c.graph.name(v).view(), c.inputs[i++]);
  for (const Weight& w : c.graph.weights())
    out.emplace_back(w.key.view(), c.inputs[i++]);
  return out;
}

/// "with %x = f32[2] [0, 1], %t = f32[] 2"
std::vector<std::string> inputs_note(const CheckCase& c) {
  const auto inputs = named_inputs(c);
  std::size_t elements = 0;
  for (const auto& [name, tensor] : inputs)
    elements += tensor.values.size();
  if (inputs.empty() || elements > most_told)
    return {};
  std::string text;
  for (const auto& [name, tensor] : inputs) {
    std::vector<std::string> numbers;
    for (double v : tensor.values)
      numbers.push_back(std::isnan(v) ? "nan" : fmt::format("{:.7g}", v));  // the file has all digits
    text += fmt::format("{}%{} = {} {}", text.empty() ? "with " : ", ", name, type_text(tensor),
                        tensor.shape.empty() ? numbers[0] : fmt::format("[{}]", fmt::join(numbers, ", ")));
  }
  return {text};
}

}  // namespace

void CheckFindings::problem(std::string_view code, Severity severity, const Span& span, std::string message,
                            std::string help, std::vector<std::string> notes) {
  Diagnostic d = pattern_problem(pattern_, span, code, std::move(message), std::move(help));
  d.severity = severity;
  d.notes = std::move(notes);
  failed_ = failed_ || severity == Severity::error;
  report.problems.push_back(std::move(d));
}

std::string CheckFindings::output_name(std::size_t i) const {
  return i < pattern_.replacements.size() ? fmt::format("what replaces %{}", pattern_.replacements[i].matched)
                                          : std::string("a value that stays");
}

void CheckFindings::differs(const CheckCase& c, const Comparison& result, std::optional<Graph> rewritten,
                            std::string_view variant, bool is_rounding) {
  const Comparison::Difference& d = *result.failure;
  problem("check.differs", Severity::error, pattern_.span,
          fmt::format("the rewrite{} computes something else: {}", variant, describe(d, output_name(d.output))),
          is_rounding ? "the difference is within what rounding can make: if the rewrite may round otherwise, say "
                        "'numerics relaxed'; else carry over what decides on rounding (round_before_weight, casts)"
                      : "compare the two graphs of the counterexample",
          inputs_note(c));
  set_counterexample(c, std::move(rewritten));
}

void CheckFindings::kernel_differs(const CheckCase& c, const Comparison& result, const Graph& rewritten,
                                   std::string_view provider) {
  const Comparison::Difference& d = *result.failure;
  problem("check.kernel-differs", Severity::error, pattern_.span,
          fmt::format("provider {} computes the rewritten graph otherwise than the oracle the matched one: {}",
                      provider, describe(d, output_name(d.output))),
          "the decomposition of the new ops is right: look at the provider's kernels", inputs_note(c));
  set_counterexample(c, rewritten);
}

void CheckFindings::rounds_otherwise(std::size_t output, const Comparison::Narrow& tally) {
  problem("check.rounds-otherwise", Severity::error, pattern_.span,
          fmt::format("{} of the {} elements of {} differ in their last place: the rewrite rounds at other places than "
                      "what it replaces",
                      tally.inexact, tally.elements, output_name(output)),
          "carry over what decides on rounding (round_before_weight, casts); or, if the rewrite may round otherwise, "
          "say 'numerics relaxed'");
}

void CheckFindings::set_counterexample(const CheckCase& c, std::optional<Graph> rewritten) {
  Counterexample out{c.graph, std::move(rewritten), named_inputs(c), {}};
  for (std::size_t i = 0; i < c.graph.num_outputs(); ++i) {
    const std::string name(c.graph.name(c.graph.output(i)).view());
    const bool twice =
        std::any_of(out.expected.begin(), out.expected.end(), [&](const auto& e) { return e.first == name; });
    out.expected.emplace_back(twice ? fmt::format("output.{}", i) : name, c.want[i]);
  }
  report.counterexample = std::move(out);
}

}  // namespace tandem
