// `tandem check`
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/support/catch.h"
#include "tests/support/run_command.h"
#include "tests/support/temp_dir.h"

using namespace tandem::test;
using Catch::Matchers::ContainsSubstring;
using nlohmann::json;

namespace {

const char* const wrong = R"(fusion forgets_the_scale {
  dims K, N
  match {
    in %x: f32[.., K], %w: f32[N, K], %s: f32[]
    %p = linear(%x, %w)
    %y = mul(%p, %s)
  }
  rewrite {
    %z = linear(%x, %w)
    %y = %z
  }
}
)";

std::vector<std::string> words(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> out;
  for (std::string word; in >> word;)
    out.push_back(word);
  return out;
}

}  // namespace

TEST_CASE("a shipped fusion holds, by name") {
  const auto result = run_tandem({"check", "add_rms_norm", "--samples", "2"});
  CHECK(result.status == 0);
  CHECK_THAT(result.out, ContainsSubstring("add_rms_norm: holds") && ContainsSubstring("1 of 1 fusion holds"));
  CHECK_THAT(result.out, ContainsSubstring("on reference, cpu"));
}

TEST_CASE("the report as JSON, with mutants") {
  const auto result = run_tandem({"check", "silu_and_mul", "--samples", "2", "--mutants", "--json", "--seed", "5"});
  CHECK(result.status == 0);
  const json report = json::parse(result.out);
  CHECK(report.at("proven") == true);
  const json& fusion = report.at("fusions").at(0);
  CHECK(fusion.at("fusion") == "silu_and_mul");
  CHECK(fusion.at("variants") == 2);
  CHECK(fusion.at("graphs") >= 4);
  CHECK(fusion.at("executors") == json({"reference", "cpu"}));
  CHECK(fusion.at("mutants").size() > 0);
}

TEST_CASE("a wrong fusion is exit status 1, and its counterexample runs as the report says") {
  const TempDir dir;
  const auto result = run_tandem({"check", dir.write("mine.fusion", wrong), "-o", dir.file("found"), "--samples", "4"});
  CHECK(result.status == 1);
  CHECK_THAT(result.out, ContainsSubstring("forgets_the_scale: WRONG") && ContainsSubstring("[check.differs]"));
  for (const char* file : {"forgets_the_scale.json", "forgets_the_scale.rewritten.json"})
    CHECK(std::filesystem::exists(dir.path() / "found" / file));

  const std::size_t at = result.out.find("to see it: tandem ");
  REQUIRE(at != std::string::npos);
  const std::string line = result.out.substr(at + 18, result.out.find('\n', at) - at - 18);
  const auto shown = run_tandem(words(line));
  INFO(line << "\n" << shown.err);
  CHECK(shown.status == 1);
}

TEST_CASE("files are formatted, comments kept, in place where that is asked for") {
  const TempDir dir;
  const std::string ugly = "# why\nfusion f { match { %y=relu( %x ) # here\n} rewrite { %z = abs(%x) %y = %z } }\n";
  const std::string file = dir.write("f.fusion", ugly);
  const auto printed = run_tandem({"check", "--format", file});
  CHECK(printed.status == 0);
  CHECK_THAT(printed.out, ContainsSubstring("# why\n") && ContainsSubstring("%y = relu(%x)  # here\n"));
  CHECK(read_file(file) == ugly);
  CHECK(run_tandem({"check", "--format", "-"}, {.input = ugly}).out == printed.out);

  CHECK(run_tandem({"check", "--format", "--write", file}).status == 0);
  CHECK(read_file(file) == printed.out);
  CHECK(run_tandem({"check", "--format", file}).out == printed.out);
}

TEST_CASE("nothing is written when one of several files is wrong") {
  const TempDir dir;
  const std::string ugly = "fusion f { match { %y=relu( %x ) } rewrite { %z = abs(%x) %y = %z } }\n";
  const std::string good = dir.write("good.fusion", ugly);
  const auto result = run_tandem({"check", "--format", "--write", good, dir.write("bad.fusion", "fusion {")});
  CHECK(result.status == 2);
  CHECK(result.out == "");
  CHECK(read_file(good) == ugly);
}

TEST_CASE("what does not compile, and what a guard says, is shown with its line") {
  const TempDir dir;
  const auto text = [](const std::string& where) {
    return "fusion f {\n  match { %y = rms_norm(%x, %w) {eps = $eps} }\n  " + where +
           "\n  rewrite { %z = rms_norm(%x, %w) {eps = $eps, round_before_weight = true}  %y = %z }\n}\n";
  };
  const auto unknown = run_tandem({"check", dir.write("unknown.fusion", text("where $e > 0.0"))});
  CHECK(unknown.status == 2);
  CHECK_THAT(unknown.err, ContainsSubstring("    where $e > 0.0\n          ^\n  help: captured are $eps"));
  const auto impossible = run_tandem({"check", dir.write("impossible.fusion", text("where $eps < 0.0"))});
  CHECK(impossible.status == 1);
  CHECK_THAT(impossible.out, ContainsSubstring("[check.contradictory]\n    where $eps < 0.0\n          ^\n"));
}

TEST_CASE("a draft of an extract is called a draft") {
  const TempDir dir;
  const std::string graph = dir.write("g.txt", "graph @g(%x: f32[4]) {\n %a = neg %x\n %y = exp %a\n return %y\n}\n");
  const std::string draft = dir.file("draft.fusion");
  REQUIRE(run_tandem({"explain", graph, "--extract", "%a,%y", "-o", draft}).status == 0);
  const auto result = run_tandem({"check", draft});
  CHECK(result.status == 0);
  CHECK_THAT(result.out, ContainsSubstring("draft: a draft, whose match holds\n"));
}

TEST_CASE("bad input is exit status 2") {
  const auto code = [](std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), "check");
    const auto result = run_tandem(arguments, {.input = input});
    CHECK(result.status == 2);
    CHECK(result.out == "");
    return result.err;
  };
  CHECK_THAT(code({"add_rms_nrm"}),
             ContainsSubstring("[check.unknown-fusion]") && ContainsSubstring("did you mean 'add_rms_norm'"));
  CHECK_THAT(code({"none.fusion"}), ContainsSubstring("[file.open]"));
  CHECK_THAT(code({"-"}, "fusion f {"), ContainsSubstring("[pattern.unclosed]"));
  CHECK_THAT(code({"-"}, "fusion f { match { %y = rleu(%x) } rewrite { %z = abs(%x) %y = %z } }"),
             ContainsSubstring("[pattern.unknown-op]") && ContainsSubstring("did you mean 'relu'"));
  CHECK_THAT(code({"--write", "a.fusion"}), ContainsSubstring("[usage.check]"));
  CHECK_THAT(code({"--format"}), ContainsSubstring("[usage.check]"));
  CHECK_THAT(code({"--format", "add_rms_norm"}), ContainsSubstring("[usage.check]"));
  CHECK_THAT(code({"--samples", "0"}), ContainsSubstring("--samples"));
}
