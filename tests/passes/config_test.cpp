// Levels, flags and their spelling.

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/config.h>
#include <tandem/passes/pipeline.h>

#include "tests/support/catch.h"

using namespace tandem;

namespace {

template <class F>
Diagnostic first_diagnostic(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.diagnostics().front();
  }
  return {};
}

}  // namespace

TEST_CASE("levels, toggles and numerics are read as they are written") {
  for (OptLevel level : {OptLevel::O0, OptLevel::O1, OptLevel::O2, OptLevel::O3}) {
    CHECK(parse_opt_level(to_string(level)) == level);
  }
  CHECK(parse_opt_level("2") == OptLevel::O2);
  for (Toggle toggle : {Toggle::automatic, Toggle::on, Toggle::off}) {
    CHECK(parse_toggle(to_string(toggle)) == toggle);
  }
  for (Numerics numerics : {Numerics::exact, Numerics::relaxed}) {
    CHECK(parse_numerics(to_string(numerics)) == numerics);
  }
}

TEST_CASE("what is no level, toggle or numerics is an error") {
  for (const char* text : {"", "O4", "O", "o1", "11", "O1 ", "-1"}) {
    INFO(text);
    CHECK(first_diagnostic([&] { parse_opt_level(text); }).code == "config.level");
  }
  for (const char* text : {"", "ON", "true", "1", "automatic"}) {
    INFO(text);
    CHECK(first_diagnostic([&] { parse_toggle(text); }).code == "config.toggle");
  }
  CHECK(first_diagnostic([&] { parse_numerics("fast"); }).code == "config.numerics");
}

TEST_CASE("a flag is set by NAME=SETTING, and turned on by its name alone") {
  PassConfig config;
  set_flag(config, "fuse_mla_dual_rms_norm=off");
  set_flag(config, "eliminate_noops");
  CHECK(config.flag("fuse_mla_dual_rms_norm") == Toggle::off);
  CHECK(config.flag("eliminate_noops") == Toggle::on);
  CHECK(config.flag("never_set") == Toggle::automatic);
  CHECK(first_diagnostic([&] { set_flag(config, "=on"); }).code == "config.flag");
  CHECK(first_diagnostic([&] { set_flag(config, ""); }).code == "config.flag");
  CHECK(first_diagnostic([&] { set_flag(config, "eliminate_noops="); }).code == "config.toggle");
  CHECK(first_diagnostic([&] { set_flag(config, "eliminate_noops=on=off"); }).code == "config.toggle");
}

TEST_CASE("a flag that nothing answers to is an error with the nearest name, one for each") {
  PassConfig config;
  config.flags = {{"eliminate_noop", Toggle::on}, {"fuse_everything", Toggle::off}, {"coalesce_splits", Toggle::on}};
  const std::string_view known[] = {"eliminate_noops", "coalesce_splits"};
  try {
    check_flags(config, known);
    FAIL("no error");
  } catch (const Error& e) {
    REQUIRE(e.diagnostics().size() == 2);
    CHECK(e.diagnostics()[0].code == "config.unknown-flag");
    CHECK(e.diagnostics()[0].message ==
          "no pass or fusion has the flag 'eliminate_noop'; did you mean 'eliminate_noops'?");
  }
}

TEST_CASE("the pipeline refuses an unknown flag before it touches the graph") {
  Graph graph(Context::create());
  PassConfig config;
  config.flags["fuse_nothing_at_all"] = Toggle::off;
  CHECK(first_diagnostic([&] { run_pipeline(graph, config, detect_capabilities()); }).code == "config.unknown-flag");
}
