// Weights of one key.
#include <tandem/ir/builder.h>
#include <tandem/ir/verifier.h>

#include "tests/support/catch.h"

using namespace tandem;

TEST_CASE("a graph with two weights of one key and two types does not verify", "[weights]") {
  const auto verified = [](DType second) {
    Graph graph(Context::create(), "g");
    GraphBuilder b(graph);
    const Dim four[] = {Dim(4)};
    b.weight("a", DType::f32, four, "k");
    b.weight("b", second, four, "k");
    b.weight("c", DType::f16, four);
    return verify(graph);
  };
  CHECK(verified(DType::f32).empty());
  const auto found = verified(DType::bf16);
  REQUIRE(found.size() == 1);
  CHECK(found[0].code == "graph.weight-key");
  CHECK(found[0].where.path == "%b");
  CHECK(found[0].message == "the weight 'k' is f32[4] in one place and bf16[4] here");
}

TEST_CASE("weights without a key name no tensor, and none twice", "[weights]") {
  const auto context = Context::create();
  Graph graph(context, "g");
  for (const std::int64_t size : {4, 8})
    graph.add_weight({DType::f32, context->shape({Dim(size)})}, {}, {});
  CHECK(verify(graph).empty());
}
