// What the GPU's kernels ask for, without a GPU: which kernel, which grid, and that the library carries it.
#include <set>
#include <string>
#include <vector>

#include <tandem/ir/builder.h>
#include <tandem/ir/context.h>
#include <tandem/kernels/hip/code_objects.h>
#include <tandem/kernels/hip/elementwise.h>
#include <tandem/kernels/hip/launch.h>
#include <tests/support/catch.h>

using namespace tandem;

namespace {

struct Launch {
  std::string kernel;
  Dim3 grid, block;
};

/// Writes down what it is asked to launch.
class Recorder final : public Launcher {
 public:
  explicit Recorder(int wave_size = 64) {
    info_.arch = wave_size == 64 ? "gfx942" : "gfx1100";
    info_.wave_size = wave_size;
    info_.multiprocessors = 304;
    info_.l2_bytes = std::int64_t{4} << 20;
  }
  const GpuInfo& device() const override { return info_; }
  using Launcher::launch;
  void launch(std::string_view kernel, Dim3 grid, Dim3 block, std::uint32_t, const void*, std::size_t) override {
    launches.push_back({std::string(kernel), grid, block});
  }
  void* workspace(std::size_t) override { return nullptr; }
  std::uint32_t* fault() override { return nullptr; }

  std::vector<Launch> launches;

 private:
  GpuInfo info_;
};

/// A view at an address that nobody reads.
TensorView fake(DType dtype, std::vector<std::int64_t> shape, std::int64_t row = 0, std::uintptr_t address = 1 << 20) {
  TensorView view;
  view.data = reinterpret_cast<std::byte*>(address);
  view.dtype = dtype;
  view.rank = static_cast<std::uint8_t>(shape.size());
  std::int64_t stride = 1;
  for (std::size_t i = shape.size(); i-- > 0; stride *= shape[i]) {
    view.shape[i] = shape[i];
    view.strides[i] = stride;
  }
  if (row != 0)
    view.strides[0] = row;
  return view;
}

/// The launches of a dual norm of `tokens` rows.
std::vector<Launch> dual_norm(std::int64_t tokens, std::int64_t q, std::int64_t kv, DType dtype = DType::bf16,
                              DType weight = DType::bf16) {
  const auto context = Context::create();
  const OpDef& op = context->op(context->require_op("fused_mla_dual_rms_norm"));
  const std::vector<NamedAttr> named{{"eps_q", 1e-6}, {"eps_kv", 1e-6}};
  const std::vector<Attribute> attrs = fit_attributes(*context, op, named);
  const std::int64_t pitch = q + kv + 64;
  const std::vector<TensorView> operands{fake(dtype, {tokens, q}, pitch), fake(weight, {q}),
                                         fake(dtype, {tokens, kv}, pitch), fake(weight, {kv})};
  const std::vector<TensorView> results{fake(dtype, {tokens, q}), fake(dtype, {tokens, kv})};
  const DimBindings none;
  Recorder recorder;
  hip_kernels().find(op.name)->run(KernelCall{op, operands, results, attrs, none}, recorder);
  return recorder.launches;
}

}  // namespace

TEST_CASE("gpu: every op has a kernel but those that the runtime resolves") {
  const HipKernelTable table = hip_kernels();
  const std::set<std::string> resolved{"return", "constant"};
  const auto context = Context::create();
  for (std::uint16_t i = 0; i < static_cast<std::uint16_t>(op::Core::count_); ++i) {
    const OpDef& op = context->op(OpId{i});
    INFO(op.name);
    CHECK((table.find(op.name) != nullptr) == (resolved.count(op.name) == 0));
  }
}

TEST_CASE("gpu: the dual norm is one launch whose kernel fits ranks, rows and weights") {
  const auto only = [](const std::vector<Launch>& launches) {
    REQUIRE(launches.size() == 1);
    return launches[0].kernel;
  };
  CHECK(only(dual_norm(1, 1536, 512)) == "rms_norm_block_bf16");
  CHECK(only(dual_norm(4096, 1536, 512)) == "dual_rms_norm_1536_512_streaming_bf16");
  CHECK(only(dual_norm(4096, 1536, 512, DType::f16, DType::f16)) == "dual_rms_norm_1536_512_streaming_f16");
  CHECK(only(dual_norm(4096, 768, 256)) == "dual_rms_norm_wave_1024_512_bf16");
  CHECK(only(dual_norm(4096, 2048, 512)) == "dual_rms_norm_wave_512_bf16");
  CHECK(only(dual_norm(4096, 2048, 1024)) == "dual_rms_norm_wave_bf16");
  CHECK(only(dual_norm(4096, 7168, 512)) == "rms_norm_block_bf16");
  CHECK(only(dual_norm(4096, 1536, 512, DType::bf16, DType::f32)) == "rms_norm_block_any_bf16");
  CHECK(only(dual_norm(4096, 1535, 511)) == "rms_norm_unaligned_wave_bf16");
  CHECK(only(dual_norm(8, 1535, 511)) == "rms_norm_unaligned_block_bf16");
  CHECK(only(dual_norm(4096, 5001, 511)) == "rms_norm_unaligned_block_bf16");
  CHECK(only(dual_norm(8, 8193, 511)) == "rms_norm_strided_bf16");
  CHECK(only(dual_norm(8, 1535, 1)) == "rms_norm_unaligned_block_bf16");
  CHECK(only(dual_norm(8, 1535, 511, DType::bf16, DType::f32)) == "rms_norm_strided_bf16");
  CHECK(dual_norm(0, 1536, 512).empty());
}

TEST_CASE("gpu: no grid goes beyond what HIP takes") {
  for (const std::int64_t tokens : {std::int64_t{1} << 20, std::int64_t{1} << 25}) {
    std::uint64_t rows = 0;
    for (const Launch& l : dual_norm(tokens, 7168, 512)) {
      CHECK(std::uint64_t{l.grid.x} * l.block.x < std::uint64_t{1} << 32);
      rows += l.grid.x;
    }
    CHECK(rows == static_cast<std::uint64_t>(tokens));
  }
}

TEST_CASE("gpu: the library carries every kernel for each of its architectures") {
  for (const char* kernel : {"dual_rms_norm_1536_512_bf16", "dual_rms_norm_1536_512_streaming_f16", "elementwise_wide",
                             "elementwise_narrow", "matmul_f32", "attention_f32", "gather", "torch_topk", "copy_16"})
    for (const CodeObject& object : code_objects()) {
      INFO(kernel << " for " << object.arch);
      CHECK(find_code_object(object.platform, object.arch, kernel) != nullptr);
      CHECK(object.bytes.size() > 64);
    }
}

TEST_CASE("gpu: a card takes code of its own architecture") {
  for (const CodeObject& object : code_objects()) {
    GpuInfo card;
    card.platform = object.platform;
    card.arch = object.arch;
    CHECK(matching_arch(card) == object.arch);
  }
  GpuInfo unknown;
  unknown.arch = "gfx000";
  CHECK(matching_arch(unknown).empty());
}

TEST_CASE("gpu: a chain that does not fit says why") {
  const std::vector<TensorView> inputs{fake(DType::f32, {8})};
  const std::vector<TensorView> outputs{fake(DType::f32, {8})};
  hip::Chain chain{inputs, {}, outputs};
  for (std::size_t i = 0; i < 60; ++i)
    chain.steps.push_back({"neg", {i == 0 ? hip::ChainOperand::input(0) : hip::ChainOperand::step(i - 1)}, DType::f32});
  CHECK(hip::chain_limit(chain) == "more than 48 steps");
  chain.steps.resize(48);
  CHECK(hip::chain_limit(chain).empty());
}
