// `tandem list`
#include <string>

#include <nlohmann/json.hpp>

#include "tests/support/catch.h"
#include "tests/support/run_command.h"

using namespace tandem::test;
using Catch::Matchers::ContainsSubstring;
using nlohmann::json;

namespace {

json listed(const std::string& what) {
  return json::parse(run_tandem({"list", what, "--json"}).out);
}

bool has_row(const json& rows, const std::string& name) {
  for (const json& row : rows)
    if (row.at("name") == name)
      return true;
  return false;
}

}  // namespace

TEST_CASE("each list holds what tandem has") {
  CHECK(has_row(listed("ops"), "rms_norm"));
  CHECK(has_row(listed("ops"), "fused_mla_dual_rms_norm"));
  CHECK(has_row(listed("passes"), "dce"));
  CHECK(has_row(listed("fusions"), "mla_dual_rms_norm"));
  CHECK(has_row(listed("targets"), "rocm:gfx942"));
  CHECK(has_row(listed("targets"), "host"));
}

TEST_CASE("each list is a table for people, with a row for each entry") {
  for (const char* what : {"ops", "passes", "fusions", "targets"}) {
    INFO(what);
    const auto result = run_tandem({"list", what});
    CHECK(result.status == 0);
    CHECK(result.err == "");
    const auto lines = std::count(result.out.begin(), result.out.end(), '\n');
    CHECK(lines == static_cast<std::ptrdiff_t>(listed(what).size()) + 1);
  }
}

TEST_CASE("ops are listed as Markdown, with bars escaped") {
  const auto result = run_tandem({"list", "ops", "--markdown"});
  CHECK(result.status == 0);
  CHECK_THAT(result.out, ContainsSubstring("| `abs` |") && ContainsSubstring("\\|x\\|"));
}

TEST_CASE("every target that is listed is taken by opt") {
  for (const json& row : listed("targets")) {
    const std::string name = row.at("name");
    INFO(name);
    CHECK(run_tandem({"opt", "-", "--target", name}, {.input = "graph @g(%x: f32[1]) {\n  return %x\n}\n"}).status ==
          0);
  }
}

TEST_CASE("an unknown list is answered with the known ones") {
  const auto result = run_tandem({"list", "fusion"});
  CHECK(result.status == 2);
  CHECK(result.out == "");
  CHECK_THAT(result.err, ContainsSubstring("did you mean 'fusions'"));
}
