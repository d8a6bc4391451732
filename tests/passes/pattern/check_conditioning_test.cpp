// A rewrite that may round otherwise is held to what rounding can do, no more and no less.
#include "tests/support/catch.h"

#include <string>

#include "tests/support/check_executors.h"

#include <tandem/passes/pattern/check_conditioning.h>
#include <tandem/passes/pattern/text.h>

using namespace tandem;
using namespace tandem::test;

namespace {

/// The right side leaves out an addition that softmax does not see: if what is added is the same for all of a row.
bool holds(const std::string& added, std::uint64_t seed) {
  const std::string text =
      "fusion shifted { numerics relaxed types T in {f16, bf16} dims M, N match {\n in %x: T[M, N], %c: " + added +
      "\n %s = add(%x, %c)\n %y = softmax(%s) {axis = -1} }"
      " rewrite { %z = softmax(%x) {axis = -1}  %y = %z } }";
  CheckOptions options;
  options.seed = seed;
  return check_fusion(Context::create(), parse_fusions(text, "t.fusion").at(0), oracle_only(), options).proven();
}

}  // namespace

TEST_CASE("check: large scores, rounded to whole numbers on the way, are no counterexample") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    INFO(seed);
    CHECK(holds("T[M, 1]", seed));
    CHECK_FALSE(holds("T[1, N]", seed));
  }
}

TEST_CASE("check: what is rounded on the way moves a result where the inputs do not") {
  const auto context = Context::create();
  const auto set = compile(context, parse_fusions(R"(fusion f { match {
    in %x: f16[1, 2], %c: f16[1, 1]
    %s = add(%x, %c)
    %y = softmax(%s) {axis = -1}
  } rewrite { %z = softmax(%x) {axis = -1}  %y = %z } })",
                                                  "t.fusion"));
  CheckRandom random(1);
  InstanceWishes wishes;
  wishes.plain = true;
  const CheckExecutor oracle = oracle_only()[0];
  auto c = make_case(context, *set, 0, wishes, DataKind::zeros, oracle, random);
  REQUIRE(c);
  const auto moves = [&](double added) {
    for (CheckTensor& t : c->inputs)
      std::fill(t.values.begin(), t.values.end(), t.values.size() == 1 ? added : 0.0);
    c->want = oracle.run(c->graph, c->inputs);
    return movement(*c, oracle).at(0).at(0);
  };
  CHECK(moves(0.0) < 0.01);
  CHECK(moves(1041.0) > 0.1);  // the sums are whole numbers: 1040 or 1042 in place of 1041
}
