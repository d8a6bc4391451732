// Elementwise kernels of the GPU against the float64 reference.
#include <tandem/kernels/hip/elementwise.h>
#include <tests/gpu/gpu_test.h>

using namespace tandem;
using namespace tandem::test;

namespace {

const std::vector<DType> small_floats{DType::f8e4m3, DType::f8e4m3fnuz, DType::f8e5m2};

}  // namespace

TEST_CASE("gpu: unary ops agree with the reference, edge values included") {
  Random random(1);
  for (const char* op : {"neg",        "abs",    "sign",   "square",      "relu", "floor",   "ceil", "round",
                         "trunc",      "is_nan", "is_inf", "logical_not", "exp",  "log",     "sqrt", "rsqrt",
                         "reciprocal", "sin",    "cos",    "tanh",        "erf",  "sigmoid", "silu", "softplus"})
    for (int i = 0; i < rounds(8); ++i) {
      const DType dtype = any_of(random, gpu_floats);
      expect_gpu({op, {random_tensor(random, dtype, random_shape(random, 0, 4), Values::with_edges)}}, random, 16);
    }
  for (const bool approximation : {false, true})
    for (const DType dtype : gpu_floats)
      expect_gpu({"gelu", {random_tensor(random, dtype, {40, 33})}, {{"tanh_approximation", approximation}}}, random,
                 64, 0.1);
}

TEST_CASE("gpu: functions are right over their whole range") {
  Random random(2);
  const auto ramp = [](DType dtype, double from, double to) {
    constexpr std::int64_t count = 4001;
    Tensor x = Tensor::zeros(dtype, std::vector<std::int64_t>{count});
    for (std::int64_t i = 0; i < count; ++i)
      store_element(x.view, i, from + (to - from) * static_cast<double>(i) / static_cast<double>(count - 1));
    return x;
  };
  for (const DType dtype : {DType::f32, DType::f64}) {
    expect_gpu({"exp", {ramp(dtype, -110, 95)}}, random, 8);
    expect_gpu({"log", {ramp(dtype, 1e-3, 1e6)}}, random, 4);
    expect_gpu({"sin", {ramp(dtype, -1e4, 1e4)}}, random, 4, 1);
    expect_gpu({"cos", {ramp(dtype, -30, 30)}}, random, 4, 1);
    expect_gpu({"tanh", {ramp(dtype, -12, 12)}}, random, 8);
    expect_gpu({"erf", {ramp(dtype, -7, 7)}}, random, 8);
    expect_gpu({"gelu", {ramp(dtype, -9, 9)}}, random, 64);
    expect_gpu({"sigmoid", {ramp(dtype, -95, 95)}}, random, 8);
    expect_gpu({"softplus", {ramp(dtype, -40, 40)}}, random, 8);
    expect_gpu({"pow", {ramp(dtype, 0.01, 40), ramp(dtype, -9, 9)}}, random, 64);
    expect_gpu({"atan2", {ramp(dtype, -3, 3), ramp(dtype, 2, -5)}}, random, 8);
  }
}

TEST_CASE("gpu: binary ops broadcast and agree with the reference") {
  Random random(4);
  for (const char* op : {"add", "sub", "mul", "maximum", "minimum", "eq", "ne", "lt", "le", "gt", "ge", "logical_and",
                         "logical_or", "logical_xor", "floor_div", "remainder"})
    for (int i = 0; i < rounds(8); ++i) {
      const DType dtype = any_of(random, gpu_numbers);
      const std::vector<std::int64_t> shape = random_shape(random, 0, 4);
      const Tensor a = random_tensor(random, dtype, shape, Values::with_edges);
      const Tensor b = random_tensor(random, dtype, broadcastable(random, shape), Values::with_edges);
      expect_gpu(random() % 2 == 0 ? Comparison(op, {a, b}) : Comparison(op, {b, a}), random);
    }
  for (const char* op : {"div", "pow", "atan2"})
    for (int i = 0; i < rounds(8); ++i) {
      const DType dtype = any_of(random, gpu_floats);
      const std::vector<std::int64_t> shape = random_shape(random, 0, 3);
      expect_gpu({op,
                  {random_tensor(random, dtype, shape, Values::with_edges),
                   random_tensor(random, dtype, broadcastable(random, shape), Values::with_edges)}},
                 random, 16);
    }
}

TEST_CASE("gpu: integer and bool arithmetic agrees with the reference") {
  Random random(5);
  const std::vector<DType> integers{DType::i64, DType::i32, DType::i16, DType::i8, DType::u8};
  for (const DType dtype : integers) {
    for (const char* op : {"neg", "abs", "sign", "square", "relu", "logical_not", "bitwise_not"})
      expect_gpu({op, {random_tensor(random, dtype, {3, 5}, Values::with_edges)}}, random);
    for (const char* op : {"add", "sub", "mul", "floor_div", "remainder", "pow", "maximum", "minimum", "bitwise_and",
                           "bitwise_or", "bitwise_xor", "lt"})
      expect_gpu({op,
                  {random_tensor(random, dtype, {7, 9}, Values::with_edges),
                   random_tensor(random, dtype, {7, 9}, Values::with_edges)}},
                 random);
  }
  for (const char* op : {"add", "mul", "maximum", "minimum", "bitwise_and", "bitwise_or", "bitwise_xor", "eq"})
    expect_gpu({op, {random_tensor(random, DType::boolean, {6, 5}), random_tensor(random, DType::boolean, {6, 5})}},
               random);
  expect_gpu({"bitwise_not", {random_tensor(random, DType::boolean, {6, 5})}}, random);
}

TEST_CASE("gpu: where and cast agree with the reference for all dtypes") {
  Random random(6);
  for (const DType dtype : all_dtypes()) {
    const std::vector<std::int64_t> shape = random_shape(random, 0, 4);
    expect_gpu({"where",
                {random_tensor(random, DType::boolean, broadcastable(random, shape)),
                 random_tensor(random, dtype, shape, Values::with_edges),
                 random_tensor(random, dtype, broadcastable(random, shape), Values::with_edges)}},
               random);
    for (const DType to : all_dtypes()) {
      INFO(to_string(dtype) << " to " << to_string(to));
      expect_gpu({"cast", {random_tensor(random, dtype, {5, 33}, Values::with_edges)}, {{"dtype", to}}}, random, 0);
    }
  }
}

TEST_CASE("gpu: every code of the small floats is read and written as the reference does") {
  Random random(7);
  for (const DType dtype : small_floats) {
    Tensor codes = Tensor::zeros(dtype, std::vector<std::int64_t>{256});
    for (int i = 0; i < 256; ++i)
      codes.view.data[i] = static_cast<std::byte>(i);
    expect_gpu({"cast", {codes}, {{"dtype", DType::f32}}}, random, 0);
    expect_gpu({"neg", {codes}}, random, 0);
    for (const DType from : {DType::f32, DType::bf16, DType::f16, DType::f64})
      expect_gpu({"cast", {random_tensor(random, from, {4000}, Values::with_edges)}, {{"dtype", dtype}}}, random, 0);
  }
}

TEST_CASE("gpu: a chain gives what its ops give one by one") {
  Random random(8);
  const KernelTable table = gpu_table(the_gpu());
  Gpu& gpu = the_gpu();
  for (const DType dtype : {DType::bf16, DType::f16, DType::f32, DType::f64}) {
    const std::vector<std::int64_t> shape{5, 36};
    const Tensor a = random_tensor(random, dtype, shape, Values::ordinary, true);
    const Tensor b = random_tensor(random, dtype, {36}, Values::ordinary, true);
    // y = b - a * silu(a + b), which reads the step before it as either operand, and a + b once more; z = y + a + b > b
    const auto one = [&](const char* op, std::vector<Tensor> operands) {
      return Comparison(op, std::move(operands)).run(table, random, true)[0];
    };
    const Tensor sum = one("add", {a, b});
    const Tensor want = one("sub", {b, one("mul", {a, one("silu", {sum})})});
    const Tensor want_greater = one("gt", {one("add", {want, sum}), b});

    DeviceBuffer device_a(gpu, 4096), device_b(gpu, 4096), device_y(gpu, 4096), device_z(gpu, 4096);
    gpu.upload(device_a.data(), a.view.data, static_cast<std::size_t>(a.view.size()) * byte_size(dtype));
    gpu.upload(device_b.data(), b.view.data, static_cast<std::size_t>(b.view.size()) * byte_size(dtype));
    const std::vector<TensorView> inputs{make_view(device_a.data(), dtype, shape),
                                         make_view(device_b.data(), dtype, std::vector<std::int64_t>{36})};
    const std::vector<TensorView> outputs{make_view(device_y.data(), dtype, shape),
                                          make_view(device_z.data(), DType::boolean, shape)};
    hip::Chain chain{inputs, {}, outputs};
    using Operand = hip::ChainOperand;
    chain.steps.push_back({"add", {Operand::input(0), Operand::input(1)}, dtype});
    chain.steps.push_back({"silu", {Operand::step(0)}, dtype});
    chain.steps.push_back({"mul", {Operand::input(0), Operand::step(1)}, dtype});
    chain.steps.push_back({"sub", {Operand::input(1), Operand::step(2)}, dtype, false, 0});
    chain.steps.push_back({"add", {Operand::step(3), Operand::step(0)}, dtype});
    chain.steps.push_back({"gt", {Operand::step(4), Operand::input(1)}, DType::boolean, false, 1});
    REQUIRE(hip::chain_limit(chain).empty());
    hip::launch_chain(chain, gpu);
    Tensor y = Tensor::zeros(dtype, shape), z = Tensor::zeros(DType::boolean, shape);
    gpu.download(y.view.data, device_y.data(), static_cast<std::size_t>(y.view.size()) * byte_size(dtype));
    gpu.download(z.view.data, device_z.data(), static_cast<std::size_t>(z.view.size()));
    CHECK(difference(y.view, want.view, {}) == "");
    CHECK(difference(z.view, want_greater.view, {}) == "");
  }
}
