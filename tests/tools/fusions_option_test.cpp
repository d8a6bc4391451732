// --fusions FILE: fusions that a user brings, in every verb that runs the pipeline.
#include <string>

#include "tests/support/catch.h"
#include "tests/support/run_command.h"
#include "tests/support/temp_dir.h"
#include "tests/tools/graphs.h"

using namespace tandem::test;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr const char* double_text = R"(fusion double_is_add {
  doc "x + x is 2 * x."
  match { %y = add(%x, %x) }
  rewrite {
    %two = mul(%x, %x)
    %y = %two
  }
}
)";

}  // namespace

TEST_CASE("a user's fusion is applied, counted and listed, without a rebuild") {
  const TempDir dir;
  const std::string file = dir.write("mine.fusion", double_text);
  const auto optimised =
      run_tandem({"opt", "-", "--fusions", file, "--expect", "double_is_add=1"}, {.input = add_text});
  CHECK(optimised.status == 0);
  CHECK(optimised.err == "");
  CHECK_THAT(optimised.out, ContainsSubstring("%y = mul %x, %x"));

  const auto listed = run_tandem({"list", "fusions", "--fusions", file});
  CHECK_THAT(listed.out, ContainsSubstring("double_is_add") && ContainsSubstring("x + x is 2 * x.") &&
                             ContainsSubstring("mla_dual_rms_norm"));
  CHECK_THAT(run_tandem({"list", "fusions"}).out, !ContainsSubstring("double_is_add"));
}

TEST_CASE("a file of fusions may be JSON, or standard input") {
  const std::string as_json = R"({"format": "tandem.fusion", "version": 1, "fusions": [{"name": "mine",
    "match": [{"op": "add", "in": ["x", "x"], "out": ["y"]}],
    "rewrite": [{"op": "mul", "in": ["x", "x"], "out": ["two"]}], "replace": [{"matched": "y", "by": "two"}]}]})";
  const TempDir dir;
  const std::string graph = dir.write("g", add_text);
  CHECK(run_tandem({"opt", graph, "--fusions", "-", "--expect", "mine=1"}, {.input = as_json}).status == 0);
}

TEST_CASE("a flag of a user's fusion is known to --flag") {
  const TempDir dir;
  std::string text = double_text;
  text.replace(text.find("  match"), 0, "  flag fuse_double\n");
  const std::string file = dir.write("mine.fusion", text);
  const auto off = run_tandem({"opt", "-", "--fusions", file, "--flag", "fuse_double=off"}, {.input = add_text});
  CHECK(off.status == 0);
  CHECK_THAT(off.out, ContainsSubstring("add"));
  CHECK(run_tandem({"opt", "-", "--flag", "fuse_double=off"}, {.input = add_text}).status == 2);
}

TEST_CASE("what is wrong in the files of a user is reported at once, with file, line, column and the line itself") {
  const TempDir dir;
  // A mistake of form in one file; an unknown op, attribute and platform in the other.
  const std::string form = dir.write("form.fusion", "fusion a {\n  match { %y = add(%x %x) }\n}\n");
  const std::string meaning =
      dir.write("meaning.fusion",
                "fusion b {\n  platforms rokm\n  match { %y = rms_nrom(%x)  %z = gelu(%y) {tahn = true} }\n"
                "  rewrite { %n = relu(%x)  %z = %n }\n}\n");
  const auto result = run_tandem({"opt", "-", "--fusions", form, "--fusions", meaning}, {.input = add_text});
  CHECK(result.status == 2);
  CHECK(result.out == "");
  CHECK_THAT(result.err, ContainsSubstring("form.fusion:2:") && ContainsSubstring("[pattern.syntax]"));
  CHECK_THAT(result.err, ContainsSubstring("meaning.fusion:3:11: error: ") &&
                             ContainsSubstring("did you mean 'rms_norm'") && ContainsSubstring("[pattern.unknown-op]"));
  CHECK_THAT(result.err, ContainsSubstring("no attribute 'tahn'") && ContainsSubstring("did you mean 'rocm'"));
  CHECK_THAT(result.err, ContainsSubstring("match { %y = rms_nrom(%x)") && ContainsSubstring("          ^"));
}

TEST_CASE("a name that a shipped fusion or another file has is an error that says where the other one is") {
  const TempDir dir;
  std::string text = double_text;
  text.replace(text.find("double_is_add"), 13, "mla_dual_rms_norm");
  const auto shipped = run_tandem({"opt", "-", "--fusions", dir.write("a.fusion", text)}, {.input = add_text});
  CHECK(shipped.status == 2);
  CHECK_THAT(shipped.err, ContainsSubstring("a.fusion:1:") && ContainsSubstring("[pattern.duplicate-name]") &&
                              ContainsSubstring("mla_dual_rms_norm.fusion:"));

  std::string of_a_pass = double_text;
  of_a_pass.replace(of_a_pass.find("double_is_add"), 13, "dce");
  const auto pass = run_tandem({"opt", "-", "--fusions", dir.write("p.fusion", of_a_pass)}, {.input = add_text});
  CHECK(pass.status == 2);
  CHECK_THAT(pass.err, ContainsSubstring("p.fusion:1:") && ContainsSubstring("[pattern.duplicate-name]") &&
                           ContainsSubstring("there is a pass of the name 'dce'"));

  const std::string one = dir.write("one.fusion", double_text), two = dir.write("two.fusion", double_text);
  const auto twice = run_tandem({"list", "fusions", "--fusions", one, "--fusions", two});
  CHECK(twice.status == 2);
  CHECK_THAT(twice.err, ContainsSubstring("two.fusion:1:") && ContainsSubstring("one.fusion:1:"));
}

TEST_CASE("a file of fusions that is not there, and one where it means nothing") {
  const auto absent = run_tandem({"opt", "-", "--fusions", "/nowhere/a.fusion"}, {.input = add_text});
  CHECK(absent.status == 2);
  CHECK_THAT(absent.err, ContainsSubstring("/nowhere/a.fusion") && ContainsSubstring("[file.open]"));
  CHECK(run_tandem({"list", "ops", "--fusions", "a.fusion"}).status == 2);
}
