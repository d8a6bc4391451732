// The GPU's kernels of the other core ops against the float64 reference.
#include <array>

#include <tandem/ir/diagnostic.h>
#include <tests/gpu/gpu_test.h>

using namespace tandem;
using namespace tandem::test;

namespace {

Tensor random_indices(Random& random, std::vector<std::int64_t> shape, std::int64_t below) {
  Tensor out = strided_tensor(random, random() % 2 == 0 ? DType::i64 : DType::i32, std::move(shape), false);
  for (std::int64_t j = 0; j < out.view.size(); ++j)
    store_element(out.view, j, static_cast<double>(pick(random, 0, below - 1)));
  return out;
}

}  // namespace

TEST_CASE("gpu: softmax along any axis agrees with the reference, edge values included") {
  Random random(13);
  for (int i = 0; i < rounds(24); ++i) {
    const DType dtype = gpu_floats[static_cast<std::size_t>(i) % gpu_floats.size()];
    std::vector<std::int64_t> shape = random_shape(random, 1, 3, 4 + rounds(36));
    if (i % 4 == 0)
      shape.back() = pick(random, 200, 3000);
    const int axis = static_cast<int>(random() % shape.size());
    expect_gpu({"softmax",
                {random_tensor(random, dtype, shape, i % 3 == 0 ? Values::with_edges : Values::ordinary)},
                {{"axis", axis}}},
               random, 64);
  }
}

TEST_CASE("gpu: reductions over any axes agree with the reference, edge values included") {
  Random random(16);
  for (const char* op : {"sum", "mean", "prod", "reduce_max", "reduce_min", "any", "all"})
    for (int i = 0; i < rounds(12); ++i) {
      const DType dtype = any_of(random, std::string(op) == "mean" ? gpu_floats : gpu_numbers);
      std::vector<std::int64_t> shape = random_shape(random, 1, 4, 12);
      if (i % 4 == 0)
        shape.back() = pick(random, 500, 5000);
      std::vector<Dim> axes;
      for (std::size_t axis = 0; axis < shape.size(); ++axis)
        if (random() % 2 == 0)
          axes.push_back(static_cast<std::int64_t>(axis));
      if (axes.empty())
        axes.push_back(-1);
      expect_gpu({op,
                  {random_tensor(random, dtype, shape, i % 4 == 0 ? Values::ordinary : Values::with_edges)},
                  {{"axes", axes}, {"keepdims", random() % 2 == 0}}},
                 random, 64, 64);
    }
  for (const char* op : {"argmax", "argmin"})
    for (int i = 0; i < rounds(24); ++i) {
      std::vector<std::int64_t> shape = random_shape(random, 1, 3, 20);
      const std::size_t axis = random() % shape.size();
      shape[axis] = i % 4 == 0 ? pick(random, 500, 3000) : pick(random, 1, 20);
      expect_gpu({op,
                  {random_tensor(random, any_of(random, gpu_numbers), shape, Values::with_edges)},
                  {{"axis", static_cast<int>(axis)}, {"keepdims", random() % 2 == 0}}},
                 random);
    }
  for (int i = 0; i < rounds(12); ++i) {
    const std::vector<std::int64_t> shape = random_shape(random, 1, 3, 20);
    expect_gpu({"cumsum",
                {random_tensor(random, any_of(random, gpu_numbers), shape)},
                {{"axis", static_cast<int>(random() % shape.size())}}},
               random, 64, 64);
  }
}

TEST_CASE("gpu: rope in both layouts agrees with the reference") {
  Random random(14);
  for (int i = 0; i < rounds(12); ++i) {
    const DType dtype = any_of(random, gpu_floats);
    const std::int64_t half = pick(random, 1, 40), tokens = pick(random, 0, 6);
    expect_gpu({"rope",
                {random_tensor(random, dtype, {2, tokens, 3, 2 * half}),
                 random_tensor(random, dtype, {tokens, 1, half}), random_tensor(random, dtype, {tokens, 1, half})},
                {{"interleaved", random() % 2 == 0}}},
               random, 4, 8);
  }
}

TEST_CASE("gpu: attention with and without masks agrees with the reference") {
  Random random(15);
  for (int i = 0; i < rounds(12); ++i) {
    const DType dtype = any_of(random, gpu_floats);
    const std::int64_t m = pick(random, 1, rounds(40)), n = m + pick(random, 0, 90), d = pick(random, 1, 80),
                       e = i == 0 ? 1100 : pick(random, 1, 150);
    std::vector<Tensor> operands{random_tensor(random, dtype, {2, 3, m, d}), random_tensor(random, dtype, {2, 3, n, d}),
                                 random_tensor(random, dtype, {2, 3, n, e})};
    if (i % 3 == 1)
      operands.push_back(random_tensor(random, dtype, {m, n}));
    if (i % 3 == 2)
      operands.push_back(random_tensor(random, DType::boolean, {2, 1, m, n}));
    expect_gpu({"attention", operands, {{"scale", 0.3}, {"causal", random() % 2 == 0}}}, random, 128, 8);
  }
}

TEST_CASE("gpu: matrix products agree with the reference for all strides and dtypes") {
  Random random(8);
  for (int i = 0; i < rounds(12); ++i) {
    const DType dtype = gpu_floats[static_cast<std::size_t>(i) % gpu_floats.size()];
    const std::int64_t m = pick(random, 0, 70), n = pick(random, 1, 150),
                       k = pick(random, 0, 9) == 0 ? 0 : pick(random, 1, 200);
    const double scale = 40;
    const Tensor weight = random_tensor(random, dtype, {n, k});
    std::vector<Tensor> operands{random_tensor(random, dtype, {2, m, k}), weight};
    if (random() % 2 == 0)
      operands.push_back(random_tensor(random, dtype, {n}));
    expect_gpu({"linear", operands}, random, 16, scale);
    expect_gpu({"linear", {random_tensor(random, dtype, {k}), weight}}, random, 16, scale);
    expect_gpu({"matmul", {random_tensor(random, dtype, {3, 1, m, k}), random_tensor(random, dtype, {2, k, n})}},
               random, 16, scale);
    expect_gpu({"batch_matmul", {random_tensor(random, dtype, {3, m, k}), random_tensor(random, dtype, {3, k, n})}},
               random, 16, scale);
    const std::int64_t rows = pick(random, 0, 20), experts = pick(random, 1, 5);
    Tensor choice = Tensor::zeros(DType::i64, std::vector<std::int64_t>{rows});
    for (std::int64_t r = 0; r < rows; ++r)
      choice.view.as<std::int64_t>()[r] = pick(random, 0, experts - 1);
    expect_gpu({"expert_linear",
                {random_tensor(random, dtype, {rows, k}), random_tensor(random, dtype, {experts, n, k}), choice}},
               random, 16, scale);
    const std::int64_t width = pick(random, 1, 4);
    expect_gpu({"conv1d",
                {random_tensor(random, dtype, {2, 6, 12}), random_tensor(random, dtype, {4, 3, width}),
                 random_tensor(random, dtype, {4})},
                {{"stride", static_cast<int>(pick(random, 1, 2))},
                 {"padding", static_cast<int>(pick(random, 0, 2))},
                 {"dilation", static_cast<int>(pick(random, 1, 2))},
                 {"groups", 2}}},
               random, 16, 20);
  }
}

TEST_CASE("gpu: movement of every dtype agrees with the reference") {
  Random random(17);
  for (const DType dtype : all_dtypes()) {
    const auto make = [&](std::vector<std::int64_t> shape) {
      return random_tensor(random, dtype, std::move(shape), Values::with_edges);
    };
    for (int axis = 0; axis < 3; ++axis) {
      std::vector<Tensor> parts;
      for (int i = 0; i < 3; ++i) {
        std::vector<std::int64_t> shape{3, 4, 16};
        shape[static_cast<std::size_t>(axis)] = pick(random, 0, 16);
        parts.push_back(make(shape));
      }
      expect_gpu({"concat", parts, {{"axis", axis}}}, random);
    }
    expect_gpu({"transpose", {make({3, 4, 5})}, {{"perm", std::vector<Dim>{2, 0, 1}}}}, random);
    expect_gpu({"reshape", {make({4, 6})}, {{"shape", std::vector<Dim>{2, 12}}}}, random);
    expect_gpu({"expand", {make({4, 1, 3})}, {{"shape", std::vector<Dim>{2, 4, 5, 3}}}}, random);
    expect_gpu({"slice", {make({4, 9})}, {{"axis", 1}, {"start", 1}, {"end", 8}, {"step", 3}}}, random);
    expect_gpu({"split", {make({4, 9})}, {{"axis", 1}, {"sizes", std::vector<Dim>{2, 7}}}}, random);
    expect_gpu(
        {"pad", {make({3, 4})}, {{"low", std::vector<Dim>{1, 0}}, {"high", std::vector<Dim>{0, 5}}, {"value", 1.0}}},
        random);
    expect_gpu({"full", {}, {{"shape", std::vector<Dim>{3, 7}}, {"value", 1.0}, {"dtype", dtype}}}, random);
    if (!is_boolean(dtype))
      expect_gpu({"iota", {}, {{"length", 12}, {"start", 3}, {"step", 1}, {"dtype", dtype}}}, random);
  }
  for (const DType dtype : {DType::i64, DType::f32, DType::bf16})
    expect_gpu({"one_hot", {random_indices(random, {3, 5}, 9)}, {{"classes", 7}, {"dtype", dtype}}}, random);
}

TEST_CASE("gpu: gathers and scatters agree with the reference") {
  Random random(18);
  for (int i = 0; i < rounds(12); ++i) {
    const DType dtype = all_dtypes()[random() % num_dtypes];
    expect_gpu({"embedding", {random_tensor(random, dtype, {7, 5}), random_indices(random, {2, 3}, 7)}}, random);
    const Tensor x = random_tensor(random, dtype, {4, 6, 5});
    for (int axis = 0; axis < 3; ++axis) {
      const std::int64_t length = x.view.shape[static_cast<std::size_t>(axis)];
      expect_gpu({"take", {x, random_indices(random, random_shape(random, 0, 2, 4), length)}, {{"axis", axis}}},
                 random);
      std::vector<std::int64_t> shape{4, 6, 5};
      shape[static_cast<std::size_t>(axis)] = pick(random, 0, 8);
      expect_gpu({"gather", {x, random_indices(random, shape, length)}, {{"axis", axis}}}, random);
    }
    expect_gpu({"gather_nd", {x, random_indices(random, {3, 2}, 4)}}, random);
    const DType number = any_of(random, gpu_numbers);
    const Tensor y = random_tensor(random, number, {5, 6});
    for (const char* mode : {"set", "add"}) {
      expect_gpu({"scatter",
                  {y, random_indices(random, {9, 6}, 5), random_tensor(random, number, {9, 6})},
                  {{"axis", 0}, {"mode", mode}}},
                 random, 4, 16);
      expect_gpu({"scatter_nd",
                  {y, random_indices(random, {7, 1}, 5), random_tensor(random, number, {7, 6})},
                  {{"mode", mode}}},
                 random, 4, 16);
    }
  }
}

TEST_CASE("gpu: an index out of range is an error, not an access") {
  Random random(19);
  const KernelTable table = gpu_table(the_gpu());
  Tensor index = Tensor::zeros(DType::i64, std::vector<std::int64_t>{1});
  for (const std::int64_t bad : {std::int64_t{-1}, std::int64_t{7}, std::int64_t{1} << 40}) {
    index.view.as<std::int64_t>()[0] = bad;
    const Comparison c("embedding", {random_tensor(random, DType::f32, {7, 5}), index});
    CHECK_THROWS_AS(c.run(table, random, true), Error);
  }
}

TEST_CASE("gpu: sort and topk agree with the reference on ties and NaN") {
  Random random(20);
  const std::array orders{"stable", "torch", "torch_unsorted"};
  for (int i = 0; i < rounds(36); ++i) {
    const DType dtype = any_of(random, gpu_numbers);
    const std::vector<std::int64_t> shape{pick(random, 1, 4), i % 3 == 0 ? pick(random, 200, 700) : pick(random, 1, 30),
                                          pick(random, 1, 4)};
    const int axis = i % 3 == 0 ? 1 : static_cast<int>(random() % 3);
    const Tensor x = random_tensor(random, dtype, shape, Values::with_edges);
    const std::int64_t length = shape[static_cast<std::size_t>(axis)];
    const std::int64_t k = i % 2 == 0 ? pick(random, 0, length) : pick(random, 0, std::min<std::int64_t>(length, 8));
    expect_gpu(
        {"topk",
         {x},
         {{"k", k}, {"axis", axis}, {"largest", random() % 2 == 0}, {"order", orders[random() % orders.size()]}}},
        random);
    expect_gpu({"sort", {x}, {{"axis", axis}, {"descending", random() % 2 == 0}}}, random);
  }
  const Tensor wide = random_tensor(random, DType::bf16, {2, 4000});
  for (const char* order : orders)
    expect_gpu({"topk", {wide}, {{"k", 100}, {"order", order}}}, random);
}
