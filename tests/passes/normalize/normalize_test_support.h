// Graphs before and after raising, and whether both compute the same.
#pragma once

#include <string>
#include <string_view>

#include <tandem/passes/pattern/fusion_set.h>
#include <tandem/runtime/executor.h>

#include "tests/passes/pass_test_support.h"
#include "tests/support/random_tensor.h"
#include "tests/support/tolerance.h"

namespace tandem::test {

/// Runs `raise` and what it leaves to `dce`. Checks that the graph stays valid and that a second run changes nothing.
inline std::string raised(std::string_view text, const PassConfig& config = {}) {
  Graph graph = parse(text);
  const FusionSet fusions = FusionSet::shipped(graph.shared_context());
  const Capabilities capabilities = detect_capabilities();
  PassContext context{config, capabilities};
  context.fusions = &fusions;
  pass::raise(graph, context);
  CHECK(to_string(verify(graph)) == "");
  pass::dce(graph, context);
  CHECK_FALSE(pass::raise(graph, context).changed);
  return to_text(graph);
}

/// "" when two graphs give the same on random inputs (weights as inputs): each output to one unit in the last place of
/// its dtype, and as many roundings of sums of about 1 in f32 as `steps`.
inline std::string numeric_difference(std::string_view text, std::string_view after, double steps = 8) {
  const Graph before = parse(text), graph = parse(after);
  Random random(7);
  std::vector<Tensor> inputs;
  for (const Value v : before.inputs()) {
    std::vector<std::int64_t> shape;
    for (const Dim d : before.type(v).shape)
      shape.push_back(d.constant());
    inputs.push_back(random_tensor(random, before.type(v).dtype, shape));
  }
  Executor old_executor(Plan::compile(before)), new_executor(Plan::compile(graph));
  const auto want = old_executor.run(inputs), got = new_executor.run(inputs);
  std::string out;
  for (std::size_t i = 0; i < want.size(); ++i)
    out += difference(got[i].view, want[i].view, tolerance(want[i].view.dtype, steps, 1));
  return out;
}

inline std::size_t count(std::string_view text, std::string_view part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1))
    ++n;
  return n;
}

}  // namespace tandem::test
