// Passes on graphs as text: `after(pass::dce, R"(graph ...)")` is the text of the graph that the pass leaves.
#pragma once

#include <string>
#include <string_view>

#include <tandem/ir/context.h>
#include <tandem/ir/io/text.h>
#include <tandem/ir/verifier.h>
#include <tandem/passes/pipeline.h>

#include "tests/support/catch.h"
#include "tests/support/golden.h"

namespace tandem::test {

using PassFunction = PassResult (*)(Graph&, PassContext&);

inline Graph parse(std::string_view text) {
  return parse_text(Context::create(), text);
}

/// Runs a pass and checks what holds for every pass: the graph stays valid, the pass says truly whether it changed
/// something, and a second run changes nothing.
inline PassResult run_pass(PassFunction pass, Graph& graph) {
  const PassConfig config;
  const Capabilities capabilities = detect_capabilities();
  PassContext context{config, capabilities};
  const std::uint64_t edits = graph.edit_count();
  PassResult result = pass(graph, context);
  CHECK(to_string(verify(graph)) == "");
  CHECK(result.changed == (graph.edit_count() != edits));
  CHECK(result.matches <= std::max<std::size_t>(result.candidates, graph.node_capacity()));

  const std::string once = to_text(graph);
  CHECK_FALSE(pass(graph, context).changed);
  CHECK(first_difference(once, to_text(graph)) == "");
  return result;
}

/// "" when the pass turns `before` into `after`, else the first line that differs.
inline std::string pass_difference(PassFunction pass, std::string_view before, std::string_view after) {
  Graph graph = parse(before);
  run_pass(pass, graph);
  return first_difference(to_text(parse(after)), to_text(graph));
}

/// "" when the pass leaves the graph as it is.
inline std::string kept_difference(PassFunction pass, std::string_view text) {
  return pass_difference(pass, text, text);
}

}  // namespace tandem::test
