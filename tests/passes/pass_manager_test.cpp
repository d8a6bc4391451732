// The pass manager: order, hooks, honesty, reproducers; and the pipeline as text.

#include <stdexcept>

#include <tandem/ir/builder.h>
#include <tandem/passes/hooks.h>
#include <tandem/passes/pass_manager.h>

#include "tests/passes/pass_test_support.h"

using namespace tandem;
using namespace tandem::test;

namespace {

constexpr std::string_view small = R"(
  graph @small(%x: f32[4]) {
    %a = exp %x
    %b = neg %x
    return %b
  })";

const PassConfig config;

std::vector<PassReport> run(const PassManager& manager, Graph& graph) {
  const Capabilities capabilities = detect_capabilities();
  return manager.run(graph, PassContext{config, capabilities});
}

std::string error_of(const PassManager& manager, Graph& graph) {
  try {
    run(manager, graph);
  } catch (const std::exception& e) {
    return e.what();
  }
  return "";
}

Pass make_pass(std::string name, PassFn run) {
  return {std::move(name), "For this test.", std::move(run)};
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

TEST_CASE("passes run in order, each with its entry") {
  Graph g = parse(small);
  PassManager manager;
  for (Pass& pass : parse_pipeline("verify,dce,cse")) {
    manager.add(std::move(pass));
  }
  const std::vector<PassReport> reports = run(manager, g);
  REQUIRE(reports.size() == 3);
  CHECK(reports[1].name == "dce");
  CHECK(reports[1].changed);
  CHECK(reports[1].matches == 1);
  CHECK(reports[1].nodes_before == 2);
  CHECK(reports[1].nodes_after == 1);
  CHECK_FALSE(reports[2].changed);
  CHECK(reports[2].seconds == 0);  // nobody measured
}

TEST_CASE("a pipeline as text is read back, repetitions and all") {
  for (const char* text : {"verify", "verify,dce,noops,cse,splits,dce,verify"}) {
    CHECK(pipeline_text(parse_pipeline(text)) == text);
  }
}

TEST_CASE("what is no pipeline is an error") {
  const std::pair<const char*, const char*> cases[] = {
      {"", "pipeline.syntax"},         {"dce,", "pipeline.syntax"},           {",dce", "pipeline.syntax"},
      {"dce,,cse", "pipeline.syntax"}, {"dce, cse", "pipeline.unknown-pass"}, {"dse", "pipeline.unknown-pass"}};
  for (const auto& [text, code] : cases) {
    INFO(text);
    try {
      parse_pipeline(text);
      FAIL("no error");
    } catch (const Error& e) {
      CHECK(e.diagnostics().front().code == code);
    }
  }
}

TEST_CASE("hooks nest: before in order, after in reverse") {
  Graph g = parse(small);
  PassManager manager;
  manager.add(pass_named("dce"));
  std::string seen;
  for (const char* name : {"1", "2"}) {
    PassHooks hooks;
    hooks.before = [&seen, name](const PassRun& run) { seen += "before " + run.pass.name + " " + name + "; "; };
    hooks.after = [&seen, name](const PassRun& run) { seen += "after " + run.pass.name + " " + name + "; "; };
    manager.add_hooks(std::move(hooks));
  }
  run(manager, g);
  CHECK(seen == "before dce 1; before dce 2; after dce 2; after dce 1; ");
}

TEST_CASE("time is measured by a hook") {
  Graph g = parse(small);
  PassManager manager;
  manager.add(pass_named("cse"));
  manager.add_hooks(measure_time());
  CHECK(run(manager, g)[0].seconds > 0);
}

TEST_CASE("graphs are printed after every pass, or after those that changed them") {
  const auto printed = [](PrintAfter when) {
    Graph g = parse(small);
    PassManager manager;
    manager.add(pass_named("verify"));
    manager.add(pass_named("dce"));
    std::string text;
    manager.add_hooks(print_after(when, [&](std::string_view piece) { text += piece; }));
    run(manager, g);
    return text;
  };
  CHECK(contains(printed(PrintAfter::all), "# after verify (no change)\ngraph @small("));
  CHECK(contains(printed(PrintAfter::all), "# after dce\ngraph @small("));
  CHECK_FALSE(contains(printed(PrintAfter::change), "verify"));
  CHECK(contains(printed(PrintAfter::change), "# after dce\ngraph @small("));
}

TEST_CASE("a pass that says it changed nothing, but did, is caught") {
  Graph g = parse(small);
  PassManager manager;
  manager.add(make_pass("liar", [](Graph& graph, PassContext& context) {
    PassResult result = pass::dce(graph, context);
    result.changed = false;
    return result;
  }));
  CHECK(contains(error_of(manager, g), "pass 'liar' says that it did not change the graph, but it did"));
}

TEST_CASE("a pass that says it changed something, but did not, is caught") {
  Graph g = parse(small);
  PassManager manager;
  manager.add(make_pass("boaster", [](Graph&, PassContext&) {
    PassResult result;
    result.changed = true;
    return result;
  }));
  CHECK(contains(error_of(manager, g), "pass 'boaster' says that it changed the graph, but it did not"));
}

TEST_CASE("verify-each names the pass that broke the graph") {
  Graph g = parse(small);
  PassManager manager;
  manager.add(make_pass("breaker", [](Graph& graph, PassContext&) {
    graph.set_type(graph.output(0), graph.context().type(DType::f16, {4}));
    graph.set_outputs(std::vector<Value>{graph.output(0)});
    PassResult result;
    result.changed = true;
    return result;
  }));
  manager.add_hooks(verify_each());
  CHECK(contains(error_of(manager, g), "the graph was left so by pass 'breaker'"));
}

TEST_CASE("a pass that throws leaves a reproducer: the graph before it, and the pipeline from it on") {
  Graph g = parse(small);
  PassManager manager;
  manager.add(pass_named("dce"));
  manager.add(make_pass("crash", [](Graph& graph, PassContext& context) -> PassResult {
    GraphBuilder(graph).op("exp", {graph.inputs()[0]});
    pass::verify(graph, context);
    throw std::runtime_error("went\nwrong");
  }));
  manager.add(pass_named("cse"));
  std::string text;
  manager.add_hooks(write_reproducer([&](std::string_view piece) { text += piece; }));
  CHECK(error_of(manager, g) == "went\nwrong");
  CHECK(text == "# reproducer: pass 'crash' failed\n# went\n# wrong\n# tandem opt --passes crash,cse THIS-FILE\n" +
                    to_text(parse(R"(
  graph @small(%x: f32[4]) {
    %b = neg %x
    return %b
  })")));
  CHECK(parse(text).num_nodes() == 1);  // it is itself a graph file
}

TEST_CASE("a pass that is off is reported and not run") {
  Graph g = parse(small);
  PassManager manager;
  GateAnswer off;
  off.rule = "because";
  manager.add(pass_named("dce"), off, "eliminate_dead_code");
  const std::vector<PassReport> reports = run(manager, g);
  REQUIRE(reports.size() == 1);
  CHECK_FALSE(reports[0].on);
  CHECK(reports[0].rule == "because");
  CHECK(g.num_nodes() == 2);
  CHECK(manager.pipeline_text() == "");
}
