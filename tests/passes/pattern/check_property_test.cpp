// A fusion that computes anew what it matched, and only leaves out a double negation, holds: whatever the pattern is,
// graphs are made from it, matched, rewritten to the same results, and no longer matched once a condition is broken.
#include "tests/support/catch.h"

#include <string>
#include <vector>

#include "tests/support/check_executors.h"

#include <tandem/passes/pattern/check_random.h>
#include <tandem/passes/pattern/text.h>

using namespace tandem;
using namespace tandem::test;

namespace {

/// Text of a fusion of up to six nodes; `spoil` takes the exponential of its result.
std::string random_fusion(std::uint64_t seed, bool spoil) {
  CheckRandom random(seed);
  std::vector<std::string> values;
  std::string inputs, match, rewrite;
  const auto input = [&] {
    const std::string name = "x" + std::to_string(values.size());
    const char* const types[] = {": T[..B, 4]", ": T[..B, 4]", ": T", ""};
    inputs += (inputs.empty() ? "in %" : ", %") + name + random.pick(types);
    values.push_back(name);
    return name;
  };
  const auto operand = [&] {
    return values.empty() || random.percent(25) ? input() : values[random.below(values.size())];
  };
  // Nodes hang together: the first operand is the last result.
  std::string last = input();
  for (std::size_t i = 0, n = 1 + random.below(5); i < n; ++i) {
    const char* const unary[] = {"relu", "abs", "silu", "square", "sigmoid", "tanh"};
    const char* const binary[] = {"add", "sub", "mul", "maximum"};
    std::string op = random.pick(unary), operands = "%" + last, attrs;
    switch (random.below(5)) {
      case 0:
      case 1:
        op = random.pick(binary);
        operands += ", %" + operand();
        break;
      case 2:
        op = "softmax";
        attrs = random.percent(50) ? " {axis = -1}" : " {axis = $axis}";
        break;
      case 3:
        op = "rms_norm";
        attrs = " {eps = $eps" + std::to_string(i) + ", round_before_weight = $round}";
        break;
      default: break;
    }
    const std::string result = "r" + std::to_string(i);
    match += "    %" + result + " = " + op + "(" + operands + ")" + attrs + "\n";
    std::string copied = operands;
    for (std::size_t at = copied.find("%r"); at != std::string::npos; at = copied.find("%r", at + 1))
      copied.replace(at, 2, "%n");
    rewrite += "    %n" + std::to_string(i) + " = " + op + "(" + copied + ")" + attrs + "\n";
    values.push_back(result);
    last = result;
  }
  match += "    %minus = neg(%" + last + ")\n    %y = neg(%minus)\n";
  std::string made = "n" + last.substr(1);
  if (spoil) {
    rewrite += "    %spoilt = exp(%" + made + ")\n";
    made = "spoilt";
  }
  return "fusion f {\n  types T in {bf16, f16, f32}\n  match {\n    " + inputs + "\n" + match + "  }\n  rewrite {\n" +
         rewrite + "    %y = %" + made + "\n  }\n}\n";
}

CheckReport check(const std::string& text, std::uint64_t seed) {
  CheckOptions options;
  options.samples = 4;
  options.seed = seed;
  return check_fusion(Context::create(), parse_fusions(text, "t.fusion").at(0), oracle_only(), options);
}

constexpr std::uint64_t fusions = check_samples >= 8 ? 120 : 20;

}  // namespace

TEST_CASE("check: fusions made at random that compute the same hold") {
  for (std::uint64_t seed = 0; seed < fusions; ++seed) {
    const std::string text = random_fusion(seed, false);
    const CheckReport report = check(text, seed);
    INFO(seed << "\n" << text << to_string(report.problems));
    CHECK(report.proven());
    CHECK(report.graphs > 0);
    CHECK(report.inexact == 0);
  }
}

TEST_CASE("check: the same fusions with a spoilt result do not") {
  for (std::uint64_t seed = 0; seed < fusions; ++seed) {
    const std::string text = random_fusion(seed, true);
    const CheckReport report = check(text, seed);
    INFO(seed << "\n" << text << to_string(report.problems));
    REQUIRE_FALSE(report.problems.empty());
    CHECK(report.problems[0].code == "check.differs");
    CHECK(report.counterexample);
  }
}
