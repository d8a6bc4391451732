// `tandem show`
#include <string>

#include <nlohmann/json.hpp>

#include "tests/support/catch.h"
#include "tests/support/run_command.h"
#include "tests/support/temp_dir.h"
#include "tests/tools/graphs.h"

using namespace tandem::test;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

TEST_CASE("show prints text that it reads back") {
  const auto once = run_tandem({"show", "-"}, {.input = mla_text});
  CHECK(once.status == 0);
  CHECK(once.err == "");
  CHECK(once.out == mla_text);
}

TEST_CASE("text to JSON and back is the same text") {
  const auto json = run_tandem({"show", "-", "--format", "json"}, {.input = mla_text});
  CHECK(nlohmann::json::parse(json.out).at("format") == "tandem.graph");
  CHECK(run_tandem({"show", "-", "--json"}, {.input = mla_text}).out == json.out);
  CHECK(run_tandem({"show", "-"}, {.input = json.out}).out == mla_text);
}

TEST_CASE("show draws DOT and HTML") {
  CHECK_THAT(run_tandem({"show", "-", "--format", "dot"}, {.input = mla_text}).out, StartsWith("digraph"));
  const auto html = run_tandem({"show", "-", "--format=html"}, {.input = mla_text});
  CHECK_THAT(html.out, ContainsSubstring("<html") && ContainsSubstring("rms_norm") &&
                           !ContainsSubstring("http://cdn") && !ContainsSubstring("https://cdn"));
}

TEST_CASE("an unknown format is answered with the known ones") {
  const auto result = run_tandem({"show", "-", "--format", "jsn"}, {.input = mla_text});
  CHECK(result.status == 2);
  CHECK_THAT(result.err, ContainsSubstring("did you mean 'json'"));
}

TEST_CASE("the summary counts") {
  const auto text = run_tandem({"show", "-", "--summary"}, {.input = mla_text});
  CHECK_THAT(text.out, ContainsSubstring("graph @mla") && ContainsSubstring("T in 1..4096") &&
                           ContainsSubstring("p: bf16[T, 112]"));
  const auto json = nlohmann::json::parse(run_tandem({"show", "-", "--summary", "--json"}, {.input = mla_text}).out);
  CHECK(json.at("nodes") == 4);
  CHECK(json.at("ops") == nlohmann::json({{"rms_norm", 2}, {"split", 2}}));
  CHECK(json.at("inputs").size() == 3);
  CHECK(json.at("outputs").size() == 3);
  CHECK(json.at("bytes_per_node") > 0);
}

TEST_CASE("weights are summed up in bytes") {
  const std::string graph = R"(graph @w(%x: bf16[T, 8], %a: bf16[4, 8] = weight, %b: f32[4] = weight "other") {
  %y = linear %x, %a : bf16[T, 4]
  return %y
}
)";
  const auto json = nlohmann::json::parse(run_tandem({"show", "-", "--summary", "--json"}, {.input = graph}).out);
  CHECK(json.at("weights").at("count") == 2);
  CHECK(json.at("weights").at("bytes") == 4 * 8 * 2 + 4 * 4);
}
