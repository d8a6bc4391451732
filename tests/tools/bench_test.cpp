// `tandem bench`, and what the command says where there is no GPU.
#include <nlohmann/json.hpp>

#include "tests/support/catch.h"
#include "tests/support/run_command.h"

using Catch::Matchers::ContainsSubstring;
using nlohmann::json;
using namespace tandem::test;

namespace {

constexpr const char* norms =
    "graph @g(%q: bf16[T, 16], %qw: bf16[16], %c: bf16[T, 8], %cw: bf16[8]) {\n"
    "  %a = rms_norm %q, %qw {eps = 1e-06} : bf16[T, 16]\n"
    "  %b = rms_norm %c, %cw {eps = 1e-06} : bf16[T, 8]\n"
    "  return %a, %b\n"
    "}\n";

}  // namespace

TEST_CASE("bench times both graphs at each size, as a whole and step by step") {
  const auto result =
      run_tandem({"bench", "-", "--sweep", "T=1,5", "--rounds", "3", "--steps", "--json"}, {.input = norms});
  INFO(result.err);
  REQUIRE(result.status == 0);
  const json report = json::parse(result.out);
  CHECK(report.at("device") == "cpu");
  REQUIRE(report.at("sizes").size() == 2);
  const json& five = report.at("sizes")[1];
  CHECK(five.at("binding") == "T=5");
  REQUIRE(five.at("variants").size() == 2);
  const json& variant = five.at("variants")[1];
  CHECK(variant.at("variant") == "as read");
  CHECK(variant.at("nodes") == 2);
  CHECK(variant.at("bytes") == 2 * (5 * 24 * 2 + 24));
  CHECK(variant.at("steps").size() == 2);
  CHECK(variant.at("steps")[0].at("op") == "rms_norm");
  CHECK(variant.at("steps")[0].at("bytes") == 2 * (5 * 16 * 2 + 16));
  CHECK(variant.at("min_us") <= variant.at("median_us"));
  CHECK(variant.at("median_us") <= variant.at("max_us"));
}

TEST_CASE("bench prints a table for people") {
  const auto result = run_tandem({"bench", "-", "--bind", "T=2", "--rounds", "2"}, {.input = norms});
  CHECK(result.status == 0);
  CHECK_THAT(result.out, ContainsSubstring("as read / optimised:"));
}

TEST_CASE("bench refuses what it cannot do") {
  const auto error = [](std::vector<std::string> options) {
    options.insert(options.begin(), {"bench", "-"});
    const auto result = run_tandem(options, {.input = norms});
    CHECK(result.status == 2);
    CHECK(result.out == "");
    return result.err;
  };
  CHECK_THAT(error({"--device", "reference"}), ContainsSubstring("usage.device"));
  CHECK_THAT(error({"--sweep", "T"}), ContainsSubstring("usage.sweep"));
  CHECK_THAT(error({"--sweep", "T=1,,2"}), ContainsSubstring("usage.bind"));
  CHECK_THAT(error({"--rounds", "0", "--bind", "T=1"}), ContainsSubstring("usage.rounds"));
  CHECK_THAT(error({}), ContainsSubstring("run.unbound-dim"));
}

TEST_CASE("where no GPU can be used, each driver's reason is told") {
  const json targets = json::parse(run_tandem({"list", "targets", "--json"}).out);
  const std::string why = targets[0].at("gpu");
  CHECK(why != "");
  if (std::string(targets[0].at("is")).find("cpu:") != 0)
    return;  // this machine has one
  CHECK_THAT(why, ContainsSubstring("AMD: ") && ContainsSubstring("NVIDIA: "));
  for (const std::string verb : {"run", "bench"}) {
    const auto result =
        run_tandem({verb, "-", "--device", "hip", "--bind", "T=2", "--random-inputs", "1"}, {.input = norms});
    CHECK(result.status == 2);
    CHECK(result.out == "");
    CHECK_THAT(result.err, ContainsSubstring("hip.no-device") && ContainsSubstring("AMD: "));
  }
}
