// Sharing memory changes nothing: a graph that returns one value gives what the same graph gives when it returns all of
// them, so that none shares its place with another.
#include <tandem/runtime/executor.h>

#include <tandem/ir/builder.h>
#include <tests/support/catch.h>
#include <tests/support/random_tensor.h>
#include <tests/support/tolerance.h>

using namespace tandem;
using namespace tandem::test;

namespace {

/// A random value made of earlier ones: views and arithmetic, all over x[T, 6] and its like.
Value grow(GraphBuilder& b, Random& random, const std::vector<Value>& values, Dim T) {
  const auto any = [&] { return values[random() % values.size()]; };
  const Value v = any();
  switch (random() % 7) {
    case 0: return b.op("neg", {v});
    case 1: return b.op("mul", {v, any()});
    case 2: {
      const auto [left, right] = b.op<2>("split", {v}, {{"axis", -1}, {"sizes", {2, 4}}});
      return b.op("concat", {right, left}, {{"axis", -1}});
    }
    case 3: {
      const Value t = b.op("transpose", {v}, {{"perm", {1, 0}}});
      return b.op("reshape", {t}, {{"shape", {T, 6}}});  // not a view
    }
    case 4: {
      const Value folded = b.op("reshape", {v}, {{"shape", {T * 2, 3}}});
      return b.op("reshape", {b.op("tanh", {folded})}, {{"shape", {T, 6}}});
    }
    case 5: {
      const Value column = b.op("slice", {v}, {{"axis", 1}, {"start", 3}, {"end", 4}});
      return b.op("expand", {column}, {{"shape", {T, 6}}});
    }
    default: return b.op("softmax", {v}, {{"axis", -1}});
  }
}

}  // namespace

TEST_CASE("executor: values that share memory do not disturb each other") {
  Random random(1);
  std::int64_t shared = 0, unshared = 0;
  for (int round = 0; round < 60; ++round) {
    GraphBuilder b(Context::create(), "g");
    const Dim T = b.dim("T");
    std::vector<Value> values{b.input("x", DType::f32, {T, 6})};
    for (int i = 0; i < 25; ++i)
      values.push_back(grow(b, random, values, T));
    b.output(values.back());
    const Graph one = std::move(b).finish();
    Graph all = one;
    std::vector<Value> outputs(values.begin() + 1, values.end());
    all.set_outputs(outputs);

    Executor one_executor(Plan::compile(one)), all_executor(Plan::compile(all));
    for (const std::int64_t t : {1, 5}) {
      const std::vector<Tensor> in{random_tensor(random, DType::f32, {t, 6})};
      const auto got = one_executor.run(in), want = all_executor.run(in);
      CHECK(difference(got[0].view, want.back().view, {}).empty());
    }
    DimBindings five;
    five.set(T.symbol(), 5);
    shared += one_executor.plan().memory(five).arena;
    unshared += one_executor.plan().memory(five).unshared;
  }
  CHECK(shared < unshared);  // else nothing was tested
}
