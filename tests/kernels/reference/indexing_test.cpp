// What reference kernels with index tensors, sort and topk compute.
#include "tests/support/catch.h"

#include "tests/kernels/reference/run_kernel.h"

using namespace tandem;
using namespace tandem::test;

namespace {

Tensor x23() {
  return tensor(DType::f32, {2, 3}, {0, 1, 2, 10, 11, 12});
}

std::string out_of_range(const char* op, int index, int axis, const char* operand, int length) {
  return std::string("run.index: ") + op + ": index " + std::to_string(index) + " is out of range for axis " +
         std::to_string(axis) + " of '" + operand + "', which has " + std::to_string(length) +
         " elements; expected an index from 0, below that";
}

}  // namespace

TEST_CASE("reference: embedding reads rows") {
  ReferenceRun run;
  CHECK(run.values("embedding", {x23(), integers({2, 1}, {1, 0})}) == Same{{10, 11, 12, 0, 1, 2}});
  CHECK(run.values("embedding", {x23(), tensor(DType::u8, {}, {1})}) == Same{{10, 11, 12}});
  CHECK(run.refusal("embedding", {x23(), integers({1}, {2})}) == out_of_range("embedding", 2, 0, "table", 2));
  CHECK(run.refusal("embedding", {x23(), integers({1}, {-1})}) == out_of_range("embedding", -1, 0, "table", 2));
}

TEST_CASE("reference: take reads slices along an axis") {
  ReferenceRun run;
  CHECK(run.values("take", {x23(), integers({2}, {2, 0})}, {{"axis", 1}}) == Same{{2, 0, 12, 10}});
  CHECK(run.values("take", {x23(), integers({1, 2}, {2, 0})}, {{"axis", 1}}) == Same{{2, 0, 12, 10}});
  CHECK(run.values("take", {x23(), integers({}, {1})}, {{"axis", -1}}) == Same{{1, 11}});
  CHECK(run.values("take", {x23(), integers({0}, {})}, {{"axis", 1}}) == Same{{}});
  CHECK(run.refusal("take", {x23(), integers({1}, {3})}, {{"axis", 1}}) == out_of_range("take", 3, 1, "x", 3));
}

TEST_CASE("reference: gather reads one element for each index") {
  ReferenceRun run;
  CHECK(run.values("gather", {x23(), integers({2, 2}, {2, 0, 1, 1})}, {{"axis", 1}}) == Same{{2, 0, 11, 11}});
  CHECK(run.values("gather", {x23(), integers({1, 3}, {1, 0, 1})}, {{"axis", 0}}) == Same{{10, 1, 12}});
  CHECK(run.refusal("gather", {x23(), integers({2, 1}, {0, 3})}, {{"axis", 1}}) ==
        out_of_range("gather", 3, 1, "x", 3));
}

TEST_CASE("reference: gather_nd reads at coordinates") {
  ReferenceRun run;
  CHECK(run.values("gather_nd", {x23(), integers({2, 2}, {1, 2, 0, 1})}) == Same{{12, 1}});
  CHECK(run.values("gather_nd", {x23(), integers({2, 1}, {1, 0})}) == Same{{10, 11, 12, 0, 1, 2}});
  CHECK(run.values("gather_nd", {x23(), integers({2}, {1, 1})}) == Same{{11}});
  CHECK(run.refusal("gather_nd", {x23(), integers({1, 2}, {1, 3})}) == out_of_range("gather_nd", 3, 1, "x", 3));
}

TEST_CASE("reference: scatter writes where gather would read, and the last write counts") {
  ReferenceRun run;
  const Tensor updates = tensor(DType::f32, {2, 2}, {-1, -2, -3, -4});
  CHECK(run.values("scatter", {x23(), integers({2, 2}, {0, 2, 1, 1}), updates}, {{"axis", 1}}) ==
        Same{{-1, 1, -2, 10, -4, 12}});
  CHECK(run.values("scatter", {x23(), integers({2, 2}, {0, 2, 1, 1}), updates}, {{"axis", 1}, {"mode", "add"}}) ==
        Same{{-1, 1, 0, 10, 4, 12}});
  CHECK(run.refusal("scatter", {x23(), integers({2, 2}, {0, 2, 1, -1}), updates}, {{"axis", 1}}) ==
        out_of_range("scatter", -1, 1, "x", 3));
}

TEST_CASE("reference: sums of a scatter are rounded once; those of integers wrap around") {
  ReferenceRun run;
  const Tensor x = tensor(DType::bf16, {1}, {256});
  const Tensor ones = tensor(DType::bf16, {2}, {1, 1});
  // The index of a rank-1 scatter may be longer than x.
  CHECK(run.values("scatter", {x, integers({2}, {0, 0}), ones}, {{"axis", 0}, {"mode", "add"}}) == Same{{258}});
  CHECK(run.values("scatter", {tensor(DType::i8, {1}, {127}), integers({2}, {0, 0}), tensor(DType::i8, {2}, {1, 1})},
                   {{"axis", 0}, {"mode", "add"}}) == Same{{-127}});
}

TEST_CASE("reference: scatter_nd writes slices at coordinates") {
  ReferenceRun run;
  const Tensor rows = tensor(DType::f32, {1, 3}, {7, 8, 9});
  CHECK(run.values("scatter_nd", {x23(), integers({1, 1}, {0}), rows}) == Same{{7, 8, 9, 10, 11, 12}});
  CHECK(run.values("scatter_nd", {x23(), integers({1, 1}, {1}), rows}, {{"mode", "add"}}) ==
        Same{{0, 1, 2, 17, 19, 21}});
  CHECK(run.values("scatter_nd", {x23(), integers({2, 2}, {1, 1, 1, 1}), tensor(DType::f32, {2}, {5, 6})}) ==
        Same{{0, 1, 2, 10, 6, 12}});
  CHECK(run.refusal("scatter_nd", {x23(), integers({1, 1}, {2}), rows}) == out_of_range("scatter_nd", 2, 0, "x", 2));
}

TEST_CASE("reference: one_hot is all 0 for what is out of range") {
  ReferenceRun run;
  CHECK(run.values("one_hot", {integers({4}, {2, 0, 3, -1})}, {{"classes", 3}, {"dtype", DType::f16}}) ==
        Same{{0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0}});
  CHECK(run.values("one_hot", {integers({}, {1})}, {{"classes", 2}}) == Same{{0, 1}});
}

TEST_CASE("reference: sort is stable and NaN is larger than all") {
  ReferenceRun run;
  const auto sort = [&](const Tensor& x, bool descending) {
    const std::vector<Tensor> results = run.all("sort", {x}, {{"descending", descending}});
    std::vector<double> all = values(results.at(0));
    const std::vector<double> indices = values(results.at(1));
    all.insert(all.end(), indices.begin(), indices.end());
    return all;
  };
  const Tensor x = tensor(DType::f32, {6}, {2, NaN, -inf, 2, inf, NaN});
  for (const Tensor& t : {x, strided(x)}) {
    CHECK(sort(t, false) == Same{{-inf, 2, 2, inf, NaN, NaN, 2, 0, 3, 4, 1, 5}});
    CHECK(sort(t, true) == Same{{NaN, NaN, inf, 2, 2, -inf, 1, 5, 4, 0, 3, 2}});
  }
  CHECK(sort(tensor(DType::i8, {3}, {5, -7, 5}), false) == Same{{-7, 5, 5, 1, 0, 2}});
}

TEST_CASE("reference: sort along the first axis") {
  ReferenceRun run;
  const std::vector<Tensor> results = run.all("sort", {tensor(DType::f32, {2, 2}, {3, 1, 2, 4})}, {{"axis", 0}});
  CHECK(values(results.at(0)) == Same{{2, 1, 3, 4}});
  CHECK(values(results.at(1)) == Same{{1, 0, 0, 1}});
}

TEST_CASE("reference: topk in PyTorch's order leaves equal elements as its CPU kernel does") {
  ReferenceRun run;
  // torch.topk(torch.tensor([0., 1, 0, 0, 1, 0, 0, 0]), 4): nth_element, then a sort of the first three.
  const Tensor x = tensor(DType::f32, {8}, {0, 1, 0, 0, 1, 0, 0, 0});
  const std::vector<Tensor> torch = run.all("topk", {x}, {{"k", 4}, {"order", "torch"}});
  CHECK(values(torch.at(0)) == Same{{1, 1, 0, 0}});
  const std::vector<Tensor> stable = run.all("topk", {x}, {{"k", 4}});
  CHECK(values(stable.at(1)) == Same{{1, 4, 0, 2}});
  CHECK(run.refusal("topk", {x}, {{"k", 4}, {"order", "random"}}) ==
        "graph.type: topk: 'order' is \"random\"; expected \"stable\", \"torch\" or \"torch_unsorted\"");
}

TEST_CASE("reference: topk gives the k largest, or smallest, in order") {
  ReferenceRun run;
  const Tensor x = tensor(DType::f32, {2, 4}, {1, 7, 7, 3, 0, NaN, 5, -1});
  const std::vector<Tensor> largest = run.all("topk", {x}, {{"k", 2}});
  CHECK(values(largest.at(0)) == Same{{7, 7, NaN, 5}});
  CHECK(values(largest.at(1)) == Same{{1, 2, 1, 2}});
  const std::vector<Tensor> smallest = run.all("topk", {x}, {{"k", 2}, {"largest", false}});
  CHECK(values(smallest.at(0)) == Same{{1, 3, -1, 0}});
  CHECK(values(smallest.at(1)) == Same{{0, 3, 3, 0}});
  CHECK(values(run.all("topk", {x}, {{"k", 0}}).at(1)) == Same{{}});
  CHECK(run.refusal("topk", {x}, {{"k", run.bind("K", 5)}}) ==
        "run.index: topk: 'k' is 5, out of range for axis 1, which has 4 elements");
}
