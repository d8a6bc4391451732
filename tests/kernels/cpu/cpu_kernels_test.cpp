// Every kernel of the CPU against the float64 reference: random shapes, strides, offsets, dtypes and edge values.
#include <array>

#include <tandem/ir/diagnostic.h>
#include <tests/kernels/cpu/compare.h>
#include <tests/support/catch.h>

using namespace tandem;
using namespace tandem::test;

namespace {

constexpr int rounds = 40;
const std::vector<DType> floats{DType::f64, DType::f32, DType::f16, DType::bf16};
const std::vector<DType> numbers{DType::f64, DType::f32, DType::f16, DType::bf16, DType::i64, DType::i32, DType::u8};

DType any_of(Random& random, const std::vector<DType>& dtypes) {
  return dtypes[random() % dtypes.size()];
}

void expect_agreement(const Comparison& comparison, Random& random, double steps = 4, double scale = 0) {
  const std::string text = comparison.check(random, steps, scale);
  INFO(text);
  CHECK(text.empty());
}

}  // namespace

TEST_CASE("cpu: unary ops agree with the reference, edge values included") {
  Random random(1);
  for (const char* op :
       {"neg",    "abs",    "sign",        "square",  "relu", "floor",    "ceil",  "round",      "trunc",
        "is_nan", "is_inf", "logical_not", "exp",     "log",  "sqrt",     "rsqrt", "reciprocal", "sin",
        "cos",    "tanh",   "erf",         "sigmoid", "silu", "softplus", "gelu"})
    for (int i = 0; i < rounds / 4; ++i) {
      const DType dtype = any_of(random, floats);
      expect_agreement({op, {random_tensor(random, dtype, random_shape(random, 0, 4), Values::with_edges)}}, random,
                       16);
    }
}

TEST_CASE("cpu: unary arithmetic on integers agrees with the reference") {
  Random random(2);
  for (const char* op : {"neg", "abs", "sign", "square", "relu", "logical_not"})
    for (const DType dtype : {DType::i64, DType::i32, DType::i16, DType::i8, DType::u8})
      expect_agreement({op, {random_tensor(random, dtype, {3, 5}, Values::with_edges)}}, random);
}

TEST_CASE("cpu: exp of f32 is right over its whole range") {
  Random random(3);
  Tensor x = Tensor::zeros(DType::f32, std::vector<std::int64_t>{4001});
  for (std::int64_t i = 0; i < 4001; ++i)
    store_element(x.view, i, -110.0 + 0.05 * static_cast<double>(i));
  expect_agreement({"exp", {x}}, random, 2);
}

TEST_CASE("cpu: binary ops broadcast and agree with the reference") {
  Random random(4);
  for (const char* op : {"add", "sub", "mul", "maximum", "minimum", "eq", "ne", "lt", "le", "gt", "ge", "logical_and",
                         "logical_or", "logical_xor"})
    for (int i = 0; i < rounds / 2; ++i) {
      const DType dtype = any_of(random, numbers);
      const std::vector<std::int64_t> shape = random_shape(random, 0, 4);
      const Tensor a = random_tensor(random, dtype, shape, Values::with_edges);
      const Tensor b = random_tensor(random, dtype, broadcastable(random, shape), Values::with_edges);
      expect_agreement(random() % 2 == 0 ? Comparison(op, {a, b}) : Comparison(op, {b, a}), random);
    }
}

TEST_CASE("cpu: float-only binary ops agree with the reference") {
  Random random(5);
  for (const char* op : {"div", "remainder", "pow"})
    for (int i = 0; i < rounds; ++i) {
      const DType dtype = any_of(random, floats);
      const std::vector<std::int64_t> shape = random_shape(random, 0, 3);
      expect_agreement({op,
                        {random_tensor(random, dtype, shape, Values::positive),
                         random_tensor(random, dtype, broadcastable(random, shape), Values::positive)}},
                       random, 16);
    }
}

TEST_CASE("cpu: where moves elements of every dtype unchanged") {
  Random random(6);
  for (const DType dtype : all_dtypes())
    for (int i = 0; i < 6; ++i) {
      const std::vector<std::int64_t> shape = random_shape(random, 0, 4);
      expect_agreement({"where",
                        {random_tensor(random, DType::boolean, broadcastable(random, shape)),
                         random_tensor(random, dtype, shape, Values::with_edges),
                         random_tensor(random, dtype, broadcastable(random, shape), Values::with_edges)}},
                       random);
    }
}

TEST_CASE("cpu: cast between all dtypes agrees with the reference") {
  Random random(7);
  for (const DType from : all_dtypes())
    for (const DType to : all_dtypes()) {
      INFO(to_string(from) << " to " << to_string(to));
      const Comparison c("cast", {random_tensor(random, from, {5, 33}, Values::with_edges)}, {{"dtype", to}});
      const std::string text = c.check(random, 0);
      INFO(text);
      CHECK(text.empty());
    }
}

TEST_CASE("cpu: matrix products agree with the reference for all strides and dtypes") {
  Random random(8);
  for (int i = 0; i < rounds; ++i) {
    const DType dtype = any_of(random, floats);
    const std::int64_t m = pick(random, 0, 40), n = pick(random, 1, 150),
                       k = pick(random, 0, 9) == 0 ? 0 : pick(random, 1, 300);
    const double scale = 40;
    const Tensor weight = random_tensor(random, dtype, {n, k});
    std::vector<Tensor> operands{random_tensor(random, dtype, {2, m, k}), weight};
    if (random() % 2 == 0)
      operands.push_back(random_tensor(random, dtype, {n}));
    expect_agreement({"linear", operands}, random, 16, scale);
    expect_agreement({"linear", {random_tensor(random, dtype, {pick(random, 1, 4), k}), weight}}, random, 16, scale);
    expect_agreement({"matmul", {random_tensor(random, dtype, {3, 1, m, k}), random_tensor(random, dtype, {2, k, n})}},
                     random, 16, scale);
    expect_agreement(
        {"batch_matmul", {random_tensor(random, dtype, {3, m, k}), random_tensor(random, dtype, {3, k, n})}}, random,
        16, scale);
  }
}

TEST_CASE("cpu: expert_linear sends each row to its expert") {
  Random random(9);
  for (int i = 0; i < rounds; ++i) {
    const DType dtype = any_of(random, floats);
    const std::int64_t rows = pick(random, 0, 20), experts = pick(random, 1, 5), n = pick(random, 1, 40),
                       k = pick(random, 1, 70);
    Tensor choice = Tensor::zeros(DType::i64, std::vector<std::int64_t>{rows});
    for (std::int64_t r = 0; r < rows; ++r)
      choice.view.as<std::int64_t>()[r] = pick(random, 0, experts - 1);
    expect_agreement({"expert_linear",
                      {random_tensor(random, dtype, {rows, k}), random_tensor(random, dtype, {experts, n, k}), choice}},
                     random, 16, 20);
  }
}

TEST_CASE("cpu: rms_norm and layer_norm agree with the reference") {
  Random random(10);
  for (int i = 0; i < rounds; ++i) {
    const DType dtype = any_of(random, floats);
    std::vector<std::int64_t> shape = random_shape(random, 1, 3);
    shape.back() = pick(random, 1, 200);
    const Tensor x = random_tensor(random, dtype, shape), w = random_tensor(random, dtype, {shape.back()});
    const Tensor b = random_tensor(random, dtype, {shape.back()});
    expect_agreement({"rms_norm", {x, w}, {{"eps", 1e-6}}}, random, 8);
    expect_agreement({"rms_norm", {x}, {{"eps", 1e-3}}}, random, 8);
    expect_agreement({"layer_norm", {x, w, b}, {{"eps", 1e-3}}}, random, 32, 4);
  }
}

TEST_CASE("cpu: rms_norm that rounds before the weight is within one more rounding of the reference") {
  Random random(11);
  for (const DType dtype : floats) {
    const Comparison c("rms_norm", {random_tensor(random, dtype, {7, 96}), random_tensor(random, dtype, {96})},
                       {{"eps", 1e-6}, {"round_before_weight", true}});
    const double one_more = epsilon(dtype) / epsilon(DType::f32);
    expect_agreement(c, random, dtype == DType::f64 ? 8 : 8 + one_more);
  }
}

TEST_CASE("cpu: the dual norm is the two norms, bit by bit") {
  Random random(12);
  const KernelTable cpu = cpu_kernels();
  for (const DType dtype : floats)
    for (const bool round : {false, true}) {
      const Tensor q = random_tensor(random, dtype, {5, 48}), qw = random_tensor(random, dtype, {48});
      const Tensor kv = random_tensor(random, dtype, {5, 16}), kvw = random_tensor(random, dtype, {16});
      const auto both = Comparison("fused_mla_dual_rms_norm", {q, qw, kv, kvw},
                                   {{"eps_q", 1e-6}, {"eps_kv", 1e-5}, {"round_before_weight", round}})
                            .run(cpu, random, true);
      const auto first =
          Comparison("rms_norm", {q, qw}, {{"eps", 1e-6}, {"round_before_weight", round}}).run(cpu, random, true);
      const auto second =
          Comparison("rms_norm", {kv, kvw}, {{"eps", 1e-5}, {"round_before_weight", round}}).run(cpu, random, true);
      CHECK(difference(both[0].view, first[0].view, {}).empty());
      CHECK(difference(both[1].view, second[0].view, {}).empty());
    }
}

TEST_CASE("cpu: softmax along any axis agrees with the reference, edge values included") {
  Random random(13);
  for (int i = 0; i < rounds; ++i) {
    const DType dtype = any_of(random, floats);
    const std::vector<std::int64_t> shape = random_shape(random, 1, 3, 40);
    const int axis = static_cast<int>(random() % shape.size());
    expect_agreement({"softmax",
                      {random_tensor(random, dtype, shape, i % 3 == 0 ? Values::with_edges : Values::ordinary)},
                      {{"axis", axis}}},
                     random, 32);
  }
}

TEST_CASE("cpu: rope in both layouts agrees with the reference") {
  Random random(14);
  for (int i = 0; i < rounds; ++i) {
    const DType dtype = any_of(random, floats);
    const std::int64_t half = pick(random, 1, 40), tokens = pick(random, 0, 6);
    expect_agreement(
        {"rope",
         {random_tensor(random, dtype, {2, tokens, 3, 2 * half}), random_tensor(random, dtype, {tokens, 1, half}),
          random_tensor(random, dtype, {tokens, 1, half})},
         {{"interleaved", random() % 2 == 0}}},
        random, 4, 8);
  }
}

TEST_CASE("cpu: attention with and without masks agrees with the reference") {
  Random random(15);
  for (int i = 0; i < rounds; ++i) {
    const DType dtype = any_of(random, floats);
    const std::int64_t m = pick(random, 1, 70), n = m + pick(random, 0, 90), d = pick(random, 1, 40),
                       e = pick(random, 1, 150);
    std::vector<Tensor> operands{random_tensor(random, dtype, {2, 3, m, d}), random_tensor(random, dtype, {2, 3, n, d}),
                                 random_tensor(random, dtype, {2, 3, n, e})};
    if (i % 3 == 1)
      operands.push_back(random_tensor(random, dtype, {m, n}));
    if (i % 3 == 2)
      operands.push_back(random_tensor(random, DType::boolean, {2, 1, m, n}));
    expect_agreement({"attention", operands, {{"scale", 0.3}, {"causal", random() % 2 == 0}}}, random, 64, 8);
  }
}

TEST_CASE("cpu: reductions over any axes agree with the reference, edge values included") {
  Random random(16);
  for (const char* op : {"sum", "mean", "prod", "reduce_max", "reduce_min", "any", "all"})
    for (int i = 0; i < rounds; ++i) {
      const std::string name = op;
      const DType dtype = any_of(random, name == "mean" ? floats : numbers);
      const std::vector<std::int64_t> shape = random_shape(random, 1, 4, 12);
      std::vector<Dim> axes;
      for (std::size_t axis = 0; axis < shape.size(); ++axis)
        if (random() % 2 == 0)
          axes.push_back(static_cast<std::int64_t>(axis));
      if (axes.empty())
        axes.push_back(-1);
      expect_agreement({op,
                        {random_tensor(random, dtype, shape, Values::with_edges)},
                        {{"axes", axes}, {"keepdims", random() % 2 == 0}}},
                       random, 64, 64);
    }
}

TEST_CASE("cpu: concat joins strided parts of every dtype") {
  Random random(17);
  for (const DType dtype : all_dtypes())
    for (int axis = 0; axis < 3; ++axis) {
      std::vector<Tensor> parts;
      for (int i = 0; i < 3; ++i) {
        std::vector<std::int64_t> shape{3, 4, 5};
        shape[static_cast<std::size_t>(axis)] = pick(random, 0, 4);
        parts.push_back(random_tensor(random, dtype, shape));
      }
      expect_agreement({"concat", parts, {{"axis", axis}}}, random);
    }
}

TEST_CASE("cpu: embedding, take and gather agree with the reference") {
  Random random(18);
  for (int i = 0; i < rounds; ++i) {
    const DType dtype = all_dtypes()[random() % num_dtypes];
    const auto indices = [&](std::vector<std::int64_t> shape, std::int64_t below) {
      Tensor out = strided_tensor(random, DType::i64, std::move(shape), false);
      for (std::int64_t j = 0; j < out.view.size(); ++j)
        store_element(out.view, j, static_cast<double>(pick(random, 0, below - 1)));
      return out;
    };
    expect_agreement({"embedding", {random_tensor(random, dtype, {7, 5}), indices({2, 3}, 7)}}, random);
    const Tensor x = random_tensor(random, dtype, {4, 6, 5});
    for (int axis = 0; axis < 3; ++axis) {
      const std::int64_t length = x.view.shape[static_cast<std::size_t>(axis)];
      expect_agreement({"take", {x, indices(random_shape(random, 0, 2, 4), length)}, {{"axis", axis}}}, random);
      std::vector<std::int64_t> shape{4, 6, 5};
      shape[static_cast<std::size_t>(axis)] = pick(random, 0, 8);
      expect_agreement({"gather", {x, indices(shape, length)}, {{"axis", axis}}}, random);
    }
  }
}

TEST_CASE("cpu: an index out of range is an error, not a read") {
  Random random(19);
  Tensor index = Tensor::zeros(DType::i64, std::vector<std::int64_t>{1});
  for (const std::int64_t bad : {std::int64_t{-1}, std::int64_t{7}, std::int64_t{1} << 40}) {
    index.view.as<std::int64_t>()[0] = bad;
    const Comparison c("embedding", {random_tensor(random, DType::f32, {7, 5}), index});
    CHECK_THROWS_AS(c.run(cpu_kernels(), random, true), Error);
  }
}

TEST_CASE("cpu: topk agrees with the reference on ties and NaN") {
  Random random(20);
  const std::array orders{"stable", "torch", "torch_unsorted"};
  for (int i = 0; i < rounds; ++i) {
    const DType dtype = any_of(random, numbers);
    const std::vector<std::int64_t> shape{pick(random, 1, 4), pick(random, 1, 30), pick(random, 1, 4)};
    const int axis = static_cast<int>(random() % 3);
    const std::int64_t k = pick(random, 0, shape[static_cast<std::size_t>(axis)]);
    expect_agreement(
        {"topk",
         {random_tensor(random, dtype, shape, Values::with_edges)},
         {{"k", k}, {"axis", axis}, {"largest", random() % 2 == 0}, {"order", orders[random() % orders.size()]}}},
        random);
  }
}
