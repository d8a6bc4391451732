// `tandem opt`
#include <string>

#include <nlohmann/json.hpp>

#include "tests/support/catch.h"
#include "tests/support/run_command.h"
#include "tests/support/temp_dir.h"
#include "tests/tools/graphs.h"

using namespace tandem::test;
using Catch::Matchers::ContainsSubstring;
using nlohmann::json;

namespace {

// A dead node, and a pair that computes the same.
constexpr const char* untidy_text = R"(graph @untidy(%x: f32[4]) {
  %a = exp %x : f32[4]
  %b = exp %x : f32[4]
  %unused = neg %x : f32[4]
  %y = add %a, %b : f32[4]
  return %y
}
)";

}  // namespace

TEST_CASE("the dual norm is fused for gfx942, and --expect holds it to that") {
  const auto result =
      run_tandem({"opt", "-", "--target", "rocm:gfx942", "--expect", "mla_dual_rms_norm=1"}, {.input = mla_text});
  CHECK(result.status == 0);
  CHECK(result.err == "");
  CHECK_THAT(result.out, ContainsSubstring("fused_mla_dual_rms_norm") && !ContainsSubstring("= rms_norm"));
}

TEST_CASE("an expectation that does not hold exits with 1, says why, and the graph is written all the same") {
  const auto result =
      run_tandem({"opt", "-", "--target", "cpu", "--expect", "mla_dual_rms_norm=1"}, {.input = mla_text});
  CHECK(result.status == 1);
  CHECK_THAT(result.out, ContainsSubstring("rms_norm"));
  CHECK_THAT(result.err, ContainsSubstring("mla_dual_rms_norm") && ContainsSubstring("expect.matches"));
}

TEST_CASE("an expectation that names nothing, or is not NAME=N") {
  const auto unknown = run_tandem({"opt", "-", "--expect", "mla_dual_rms_nrom=1"}, {.input = mla_text});
  CHECK(unknown.status == 2);
  CHECK(unknown.out == "");
  CHECK_THAT(unknown.err, ContainsSubstring("expect.unknown-name") && ContainsSubstring("mla_dual_rms_norm"));
  CHECK(run_tandem({"opt", "-", "--expect", "dce"}, {.input = mla_text}).status == 2);
  CHECK(run_tandem({"opt", "-", "--expect", "dce=-1"}, {.input = mla_text}).status == 2);
}

TEST_CASE("levels: O0 changes nothing, O1 tidies up") {
  CHECK(run_tandem({"opt", "-", "-O0"}, {.input = untidy_text}).out == untidy_text);
  const auto tidy = run_tandem({"opt", "-", "-O1"}, {.input = untidy_text});
  CHECK_THAT(tidy.out, !ContainsSubstring("neg") && ContainsSubstring("add %a, %a"));
  CHECK(run_tandem({"opt", "-"}, {.input = untidy_text}).out == tidy.out);
  const auto wrong = run_tandem({"opt", "-", "-O7"}, {.input = untidy_text});
  CHECK(wrong.status == 2);
  CHECK_THAT(wrong.err, ContainsSubstring("7"));
}

TEST_CASE("option --passes runs what it names and nothing else") {
  const auto result = run_tandem({"opt", "-", "--passes", "dce"}, {.input = untidy_text});
  CHECK_THAT(result.out, !ContainsSubstring("neg") && ContainsSubstring("%b = exp"));
  const auto unknown = run_tandem({"opt", "-", "--passes", "dce,cze"}, {.input = untidy_text});
  CHECK(unknown.status == 2);
  CHECK_THAT(unknown.err, ContainsSubstring("cze") && ContainsSubstring("did you mean 'cse'"));
}

TEST_CASE("option --flag forces a pass; a name that nothing answers to is an error") {
  const auto off = run_tandem({"opt", "-", "--flag", "eliminate_dead_code=off"}, {.input = untidy_text});
  CHECK_THAT(off.out, ContainsSubstring("neg"));
  const auto unknown = run_tandem({"opt", "-", "--flag", "eliminate_dead_cod=off"}, {.input = untidy_text});
  CHECK(unknown.status == 2);
  CHECK_THAT(unknown.err, ContainsSubstring("did you mean 'eliminate_dead_code'"));
  CHECK(run_tandem({"opt", "-", "--flag", "eliminate_dead_code=perhaps"}, {.input = untidy_text}).status == 2);
}

TEST_CASE("a fusion that is forced on without a kernel is an error") {
  const auto result =
      run_tandem({"opt", "-", "--target", "cuda:sm_90", "--flag", "fuse_mla_dual_rms_norm=on"}, {.input = mla_text});
  // Where the target has a kernel it fuses, else it says that there is none; never a silent no.
  if (result.status == 0)
    CHECK_THAT(result.out, ContainsSubstring("fused_mla_dual_rms_norm"));
  else
    CHECK_THAT(result.err, ContainsSubstring("gate.no-kernel"));
}

TEST_CASE("targets that are not") {
  for (const char* target :
       {"", "rocm", "rocm:gfx9999", "vulkan:x", "rocm:gfx942,aiter=new", "rocm:gfx942,color=red"}) {
    INFO(target);
    const auto result = run_tandem({"opt", "-", "--target", target}, {.input = add_text});
    CHECK(result.status == 2);
    CHECK_THAT(result.err, ContainsSubstring("target."));
  }
}

TEST_CASE("the report goes where it is asked for") {
  const TempDir dir;
  const auto on_error = run_tandem({"opt", "-", "--target", "rocm:gfx942", "--report"}, {.input = mla_text});
  CHECK_THAT(on_error.err, ContainsSubstring("mla_dual_rms_norm"));
  CHECK(on_error.out == run_tandem({"opt", "-", "--target", "rocm:gfx942"}, {.input = mla_text}).out);

  const auto files = run_tandem(
      {"opt", "-", "--target", "rocm:gfx942", "--report=" + dir.file("r.txt"), "--report-json", dir.file("r.json")},
      {.input = mla_text});
  CHECK(files.err == "");
  CHECK_THAT(read_file(dir.file("r.txt")), ContainsSubstring("mla_dual_rms_norm"));
  const json report = json::parse(read_file(dir.file("r.json")));
  CHECK(report.dump().find("mla_dual_rms_norm") != std::string::npos);

  const auto piped = run_tandem({"opt", "-", "-o", dir.file("out"), "--report-json", "-"}, {.input = mla_text});
  CHECK(json::accept(piped.out));
  const auto mixed = run_tandem({"opt", "-", "--report-json", "-"}, {.input = mla_text});
  CHECK(mixed.status == 2);
}

TEST_CASE("no result is written over another, or over what is read") {
  const TempDir dir;
  const std::string graph = dir.write("g", mla_text), one = dir.file("one");
  for (const std::vector<std::string>& files : {std::vector<std::string>{"--report=" + graph},
                                                {"--report=" + one, "-o", one},
                                                {"--report-json", dir.file("./one"), "-o", one},
                                                {"--reproducer", graph}}) {
    std::vector<std::string> arguments = {"opt", graph};
    arguments.insert(arguments.end(), files.begin(), files.end());
    const auto result = run_tandem(arguments);
    CHECK(result.status == 2);
    CHECK_THAT(result.err, ContainsSubstring("usage.output"));
    CHECK(read_file(graph) == mla_text);
  }
  CHECK(run_tandem({"opt", graph, "-o", graph}).status == 0);  // in place, once it is read
  CHECK(run_tandem({"opt", graph, "-o", "/dev/null", "--report=/dev/null"}).status == 0);
}

TEST_CASE("option --report before the graph does not take it for a file") {
  const TempDir dir;
  const std::string graph = dir.write("g", mla_text);
  CHECK(run_tandem({"opt", "--report", graph}).status == 0);
  CHECK(run_tandem({"opt", "--expect", "dce=0", "--flag", "eliminate_noops=on", graph}).status == 0);
}

TEST_CASE("the graph is written in the form that it came in, unless told otherwise") {
  const std::string as_json = run_tandem({"show", "-", "--json"}, {.input = add_text}).out;
  CHECK(run_tandem({"opt", "-", "-O0"}, {.input = as_json}).out == as_json);
  CHECK(run_tandem({"opt", "-", "-O0", "--format", "text"}, {.input = as_json}).out == add_text);
}

TEST_CASE("instrumentation writes to standard error") {
  const auto all = run_tandem({"opt", "-", "--print-after-all", "--verify-each", "--timing"}, {.input = untidy_text});
  CHECK(all.status == 0);
  CHECK_THAT(all.err, ContainsSubstring("dce") && ContainsSubstring("graph @untidy") && ContainsSubstring(" ms "));
  const auto change = run_tandem({"opt", "-", "--print-after-change"}, {.input = untidy_text});
  CHECK_THAT(change.err, ContainsSubstring("graph @untidy"));
  CHECK(change.err.size() < all.err.size());
  CHECK(change.out == run_tandem({"opt", "-"}, {.input = untidy_text}).out);
}

TEST_CASE("a graph in place of itself") {
  const TempDir dir;
  const std::string graph = dir.write("g.graph", untidy_text);
  CHECK(run_tandem({"opt", graph, "-o", graph}).status == 0);
  CHECK(read_file(graph) == run_tandem({"opt", "-"}, {.input = untidy_text}).out);
}
