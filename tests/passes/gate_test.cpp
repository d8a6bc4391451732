// The gate's rules as a truth table.

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/gate.h>

#include "tests/support/catch.h"

using namespace tandem;

namespace {

GateRequest dual_norm() {
  GateRequest r;
  r.name = "mla_dual_rms_norm";
  r.level = OptLevel::O1;
  r.flag = "fuse_mla_dual_rms_norm";
  r.platforms = {Platform::rocm};
  r.kernel = "fused_mla_dual_rms_norm";
  r.dtypes = {DType::bf16, DType::f16};
  return r;
}

PassConfig config(OptLevel level, Toggle toggle, Numerics numerics = Numerics::exact) {
  PassConfig c;
  c.level = level;
  c.numerics = numerics;
  if (toggle != Toggle::automatic) {
    c.flags["fuse_mla_dual_rms_norm"] = toggle;
  }
  return c;
}

/// "on: RULE", "off: RULE" or "error: CODE".
std::string answer(const GateRequest& request, const PassConfig& c, std::string_view target) {
  try {
    const GateAnswer a = decide(request, c, parse_target(target));
    return (a.on ? "on: " : "off: ") + a.rule;
  } catch (const Error& e) {
    return "error: " + e.diagnostics().front().code;
  }
}

constexpr OptLevel O0 = OptLevel::O0, O1 = OptLevel::O1, O3 = OptLevel::O3;
constexpr Toggle automatic = Toggle::automatic, on = Toggle::on, off = Toggle::off;

}  // namespace

TEST_CASE("the gate of the dual norm") {
  struct Case {
    OptLevel level;
    Toggle flag;
    const char* target;
    const char* expected;
  };
  const Case cases[] = {
      {O1, automatic, "rocm:gfx942", "on: O1 >= O1, rocm, fused_mla_dual_rms_norm from hip (bf16, f16)"},
      {O3, automatic, "rocm:gfx90a", "on: O3 >= O1, rocm, fused_mla_dual_rms_norm from hip (bf16, f16)"},
      {O0, automatic, "rocm:gfx942", "off: O0 < O1"},
      {O1, automatic, "cuda:sm_90", "off: cuda is not rocm"},
      {O1, automatic, "cpu", "off: cpu is not rocm"},
      {O1, automatic, "rocm:gfx1030", "off: no provider of fused_mla_dual_rms_norm (bf16, f16) for rocm:gfx1030"},
      {O1, automatic, "rocm:gfx1030,aiter=0.1.16",
       "off: no provider of fused_mla_dual_rms_norm (bf16, f16) for rocm:gfx1030,aiter=0.1.16"},
      {O1, automatic, "rocm:gfx950,aiter=0.1.16", "on: O1 >= O1, rocm, fused_mla_dual_rms_norm from aiter (bf16, f16)"},
      {O1, automatic, "rocm:gfx942,aiter=0.1.16",
       "on: O1 >= O1, rocm, fused_mla_dual_rms_norm from hip (bf16), aiter (f16)"},
      {O1, automatic, "rocm:gfx942,aiter=0.1.11", "on: O1 >= O1, rocm, fused_mla_dual_rms_norm from hip (bf16, f16)"},
      {O1, off, "rocm:gfx942", "off: fuse_mla_dual_rms_norm = off"},
      {O3, off, "rocm:gfx950,aiter=0.1.16", "off: fuse_mla_dual_rms_norm = off"},
      {O0, on, "rocm:gfx942", "on: fuse_mla_dual_rms_norm = on, fused_mla_dual_rms_norm from hip (bf16, f16)"},
      {O1, on, "cuda:sm_90", "on: fuse_mla_dual_rms_norm = on, fused_mla_dual_rms_norm from hip (bf16, f16)"},
      {O1, on, "cpu", "on: fuse_mla_dual_rms_norm = on, fused_mla_dual_rms_norm from cpu (bf16, f16)"},
      {O1, on, "cuda:sm_80", "error: gate.no-kernel"},
      {O1, on, "rocm:gfx1030", "error: gate.no-kernel"},
  };
  for (const Case& c : cases) {
    INFO(c.target << " " << to_string(c.level) << " " << to_string(c.flag));
    CHECK(answer(dual_norm(), config(c.level, c.flag), c.target) == c.expected);
  }
}

TEST_CASE("relaxed numerics admit a provider that rounds otherwise") {
  const std::string_view target = "rocm:gfx942,aiter=0.1.16";
  CHECK(answer(dual_norm(), config(O1, automatic, Numerics::relaxed), target) ==
        "on: O1 >= O1, rocm, fused_mla_dual_rms_norm from aiter (bf16, f16)");
  const GateAnswer exact = decide(dual_norm(), config(O1, automatic), parse_target(target));
  CHECK(
      exact.notes.front() ==
      "aiter (bf16): not with numerics = exact, truncates to bf16 on gfx942 (opus.hpp, OPUS_FP32_to_BF16_DEFAULT = 2; "
      "ROCm/aiter#5151); numerics = relaxed admits it");
}

TEST_CASE("an error for want of a kernel says what was passed over") {
  Capabilities target = parse_target("rocm:gfx942,aiter=0.1.16");
  std::erase_if(target.kernels, [](const KernelOffer& k) { return k.provider == "hip"; });
  GateRequest request = dual_norm();
  request.dtypes = {DType::bf16};
  try {
    decide(request, config(O1, on), target);
    FAIL("no error");
  } catch (const Error& e) {
    const Diagnostic& d = e.diagnostics().front();
    CHECK(d.code == "gate.no-kernel");
    CHECK(d.message ==
          "fuse_mla_dual_rms_norm = on, but there is no provider of fused_mla_dual_rms_norm (bf16) for "
          "rocm:gfx942,aiter=0.1.16");
    REQUIRE_FALSE(d.notes.empty());
    CHECK(d.notes.front().find("numerics = relaxed admits it") != std::string::npos);
  }
}

TEST_CASE("a match of a dtype without a kernel is not admitted") {
  GateRequest request = dual_norm();
  request.dtypes = {DType::bf16, DType::f64};
  const GateAnswer a = decide(request, config(O1, automatic), parse_target("rocm:gfx942"));
  CHECK(a.on);
  CHECK(a.admits(DType::bf16));
  CHECK_FALSE(a.admits(DType::f64));
  CHECK(a.providers == std::vector<ProviderChoice>{{DType::bf16, "hip"}});
}

TEST_CASE("any dtype with a kernel will do when none is asked for") {
  GateRequest request = dual_norm();
  request.dtypes.clear();
  const GateAnswer a = decide(request, config(O1, on), parse_target("cpu"));
  CHECK(a.providers.size() == 4);
}

TEST_CASE("a pass without kernel, platform or flag depends on the level alone") {
  GateRequest request;
  request.name = "dce";
  request.level = OptLevel::O2;
  CHECK(answer(request, config(O3, automatic), "cpu") == "on: O3 >= O2");
  CHECK(answer(request, config(O1, automatic), "cpu") == "off: O1 < O2");
  CHECK(decide(request, config(O3, automatic), parse_target("cpu")).admits(DType::i8));
}

TEST_CASE("an engine's own kernel counts, and is preferred where it comes first") {
  Capabilities target = parse_target("rocm:gfx942");
  KernelOffer own;
  own.op = "fused_mla_dual_rms_norm";
  own.provider = "engine";
  own.dtypes = {DType::bf16};
  target.kernels.insert(target.kernels.begin(), own);
  const GateAnswer a = decide(dual_norm(), config(O1, automatic), target);
  CHECK(a.providers == std::vector<ProviderChoice>{{DType::bf16, "engine"}, {DType::f16, "hip"}});
}

TEST_CASE(
    "what rounds otherwise is on where the configuration is relaxed, too, and forcing it does not break the contract") {
  GateRequest request;
  request.name = "raise_rope";
  request.flag = "fuse_mla_dual_rms_norm";
  request.numerics = Numerics::relaxed;
  CHECK(answer(request, config(O1, automatic), "cpu") == "off: numerics = exact, and it rounds otherwise");
  CHECK(answer(request, config(O1, on), "cpu") == "error: gate.numerics");
  CHECK(answer(request, config(O1, automatic, Numerics::relaxed), "cpu") == "on: O1 >= O1");
  CHECK(answer(request, config(O1, off, Numerics::relaxed), "cpu") == "off: fuse_mla_dual_rms_norm = off");
}
