// AITER: adapters that fit and that do not, calls that it must not get, and installations told by their files.
#include <tandem/runtime/hip/aiter.h>

#include <filesystem>
#include <fstream>

#include <tandem/runtime/hip/aiter_files.h>
#include <tests/runtime/hip/hip_test_support.h>
#include <tests/support/temp_dir.h>

using namespace tandem;
using namespace tandem::test;

namespace {

const std::string adapters = TANDEM_FAKE_ADAPTERS;

hip::AiterSearch load(const std::string& name, const std::string& arch = "gfx942") {
  return hip::AiterAdapter::load(adapters + "/libfake_aiter_" + name + ".so", arch, 0);
}

/// A call of the fused norm on views without memory.
struct Call {
  Call(DType dtype, std::int64_t rows, std::int64_t q, std::int64_t kv, bool round_before_weight = false)
      : context(Context::create()), op(context->op(context->require_op("fused_mla_dual_rms_norm"))) {
    const auto view = [&](std::vector<std::int64_t> shape, std::int64_t row_stride) {
      TensorView v = make_view(reinterpret_cast<void*>(std::uintptr_t{4096}), dtype, shape);
      if (shape.size() == 2)
        v.strides[0] = row_stride;
      return v;
    };
    operands = {view({rows, q}, q + kv + 64), view({q}, 0), view({rows, kv}, q + kv + 64), view({kv}, 0)};
    results = {view({rows, q}, q), view({rows, kv}, kv)};
    attrs = {Attribute::of(1e-6), Attribute::of(1e-6), Attribute::of(round_before_weight)};
  }
  std::string refusal(const hip::AiterAdapter& adapter, bool relaxed = false) const {
    return adapter.refusal({op, operands, results, attrs, bindings}, relaxed);
  }
  std::shared_ptr<Context> context;
  const OpDef& op;
  std::vector<TensorView> operands, results;
  std::vector<Attribute> attrs;
  DimBindings bindings;
};

void write(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace

TEST_CASE("aiter: each fault of an adapter has its own reason", "[hip][aiter]") {
  CHECK(load("good").reason == "");
  CHECK(load("good").adapter->version() == "0.1.16");
  CHECK(load("good").adapter->archs() == std::vector<std::string>{"gfx942", "gfx950"});
  const std::string prefix = "the adapter " + adapters + "/libfake_aiter_";
  CHECK(load("absent").reason == "the adapter cannot be loaded: " + adapters + "/libfake_aiter_absent.so is not there");
  CHECK(load("abi").reason == prefix + "abi.so has interface version 7, expected 1");
  CHECK(load("no_norm").reason == prefix + "no_norm.so lacks the symbol tandem_aiter_dual_rms_norm");
  CHECK(load("old").reason == "AITER 0.1.11 has no fused_qk_rmsnorm; 0.1.12 is the first with it");
  CHECK(load("nonsense").reason == prefix + "nonsense.so names no release of AITER: 'next'");
  CHECK(load("good", "gfx1100").reason == "AITER 0.1.16 is built for gfx942, gfx950, not for gfx1100");
}

TEST_CASE("aiter: known defects and limits keep calls away", "[hip][aiter]") {
  const auto adapter = load("good").adapter, on_gfx950 = load("good", "gfx950").adapter;
  CHECK(Call(DType::f16, 128, 1536, 512).refusal(*adapter) == "");
  CHECK(Call(DType::bf16, 128, 1536, 512).refusal(*on_gfx950) == "");
  CHECK(Call(DType::bf16, 128, 1536, 512).refusal(*adapter, true) == "");
  CHECK(Call(DType::bf16, 128, 1536, 512).refusal(*adapter).find("ROCm/aiter#5151") != std::string::npos);
  CHECK(Call(DType::f16, 4095, 1536, 512).refusal(*adapter) == "");
  CHECK(Call(DType::f16, 4096, 1536, 512).refusal(*adapter) ==
        "from 4,096 rows on it races on shared memory (fused_qk_norm.cu); there are 4096");
  CHECK(Call(DType::f16, 8, 1536, 511).refusal(*adapter).find("odd length") != std::string::npos);
  CHECK(Call(DType::f16, 8, 8200, 512).refusal(*adapter).find("8,192") != std::string::npos);
  CHECK(Call(DType::f32, 8, 1536, 512).refusal(*adapter).find("not f32") != std::string::npos);
  CHECK(Call(DType::f16, 8, 1536, 512, true).refusal(*adapter).find("rounds once") != std::string::npos);
  CHECK(Call(DType::f16, 0, 1536, 512).refusal(*adapter) == "there are no rows");
  CHECK(Call(DType::f16, 8, 1538, 512).refusal(*adapter).find("16 bytes") != std::string::npos);
  Call mixed(DType::f16, 8, 1536, 512);
  mixed.operands[1].dtype = DType::f32;
  CHECK(mixed.refusal(*adapter).find("dtype of the rows") != std::string::npos);
  Call apart(DType::f16, 8, 1536, 512);
  apart.operands[0].strides[1] = 2;
  CHECK(apart.refusal(*adapter).find("side by side") != std::string::npos);
}

TEST_CASE("aiter: a plan calls the adapter where it may, tandem's kernel elsewhere", "[hip][aiter]") {
  FakeGpu gpu;
  const Graph graph = parse_text(Context::create(), R"(
graph @g(%q: f16[T, 16], %qw: f16[16], %c: f16[T, 8], %cw: f16[8]) {
  %a, %b = fused_mla_dual_rms_norm %q, %qw, %c, %cw {eps_q = 1e-06, eps_kv = 1e-06} : f16[T, 16], f16[T, 8]
  return %a, %b
}
)",
                                 "g");
  HipPlanOptions options = fake_options(gpu, graph);
  options.aiter = load("good").adapter;
  HipExecutor executor(HipPlan::compile(graph, {}, gpu.device(), options));
  Random random(1);
  const auto inputs = [&](std::int64_t t) {
    return std::vector<Tensor>{random_tensor(random, DType::f16, {t, 16}), random_tensor(random, DType::f16, {16}),
                               random_tensor(random, DType::f16, {t, 8}), random_tensor(random, DType::f16, {8})};
  };
  const std::vector<Tensor> out = executor.run(inputs(5));
  CHECK(out[0].view.as<std::uint16_t>()[0] == 5);
  CHECK(out[1].view.as<std::uint16_t>()[0] == 8);
  CHECK(gpu.ran.empty());
  executor.run(inputs(4096));
  CHECK(gpu.ran == std::vector<std::string>{"fused_mla_dual_rms_norm"});
}

TEST_CASE("aiter: what an adapter reports is an error", "[hip][aiter]") {
  Call call(DType::f16, 8, 1536, 512);
  call.attrs[0] = Attribute::of(-1.0);
  const Error error = error_of([&] {
    load("good").adapter->run({call.op, call.operands, call.results, call.attrs, call.bindings}, nullptr);
  });
  CHECK(error.diagnostics().front().code == "hip.aiter");
  CHECK(error.diagnostics().front().message == "AITER 0.1.16 failed with 3: the device is on fire");
}

TEST_CASE("aiter: an installation is told by its files", "[hip][aiter]") {
  const TempDir dir;
  const std::filesystem::path root = dir.path();
  CHECK(hip::find_aiter({root.string()}).reason == "no Python package 'aiter' in the folders that Python searches");
  write(root / "aiter" / "__init__.py", "");
  CHECK(hip::find_aiter({"/nowhere", root.string()}).reason ==
        (root / "aiter").string() + " does not tell its version");

  write(root / "aiter" / "_version.py", "__version__ = version = '0.1.11'\n");
  CHECK(hip::find_aiter({root.string()}).reason == "AITER 0.1.11 has no fused_qk_rmsnorm; 0.1.12 is the first with it");
  const auto with_version = [&](const std::string& version) {
    write(root / "amd_aiter-1.dist-info" / "METADATA",
          "Metadata-Version: 2.4\nName: amd-aiter\nVersion: " + version + "\n\n");
    return hip::find_aiter({root.string()});
  };
  CHECK(with_version("0.1.13").entry_point == "fused_qk_rmsnorm");
  CHECK(with_version("0.1.14").entry_point == "_fused_qk_rmsnorm over at::Tensor");
  CHECK(with_version("0.1.20.post1").entry_point == "_fused_qk_rmsnorm over aiter_tensor_t");
  CHECK(with_version("0.1.16").reason == "its module of the dual norm is not built yet; the first call compiles it");
  write(root / "aiter" / "hsa" / "gfx950" / "x.co", "");
  CHECK(with_version("0.1.16").archs == std::vector<std::string>{"gfx950"});

  // The ids of code objects, one of them across the edge of what is read at a time.
  std::string module(1'048'576 - 8, 'x');
  module += "hipv4-amdgcn-amd-amdhsa--gfx942\n" + std::string(1000, 'y') + "amdhsa--gfx90a:sramecc+";
  write(root / "aiter" / "jit" / "module_fused_qk_norm_rope_cache_quant_shuffle.so", module);
  const hip::AiterInstall install = with_version("0.1.16");
  CHECK(install.archs == std::vector<std::string>{"gfx90a", "gfx942"});
  CHECK(install.built);
  CHECK(install.reason == "");
}
