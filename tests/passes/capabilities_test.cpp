// Targets: their names, what they offer, and what is no target.

#include <algorithm>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/capabilities.h>

#include "tests/support/catch.h"

using namespace tandem;

namespace {

std::string code_of(std::string_view target) {
  try {
    parse_target(target);
  } catch (const Error& e) {
    return e.diagnostics().front().code;
  }
  return "";
}

std::size_t offers_of(const Capabilities& c, std::string_view provider) {
  return static_cast<std::size_t>(
      std::count_if(c.kernels.begin(), c.kernels.end(), [&](const KernelOffer& k) { return k.provider == provider; }));
}

}  // namespace

TEST_CASE("every named target is read back from its own text") {
  for (const NamedTarget& t : named_targets()) {
    const std::string text = std::string(to_string(t.platform)) + ":" + std::string(t.arch);
    INFO(text);
    const Capabilities c = parse_target(text);
    CHECK(c.platform == t.platform);
    CHECK(c.arch == t.arch);
    CHECK(c.target() == text);
    CHECK_FALSE(c.kernels.empty());
  }
}

TEST_CASE("a target with AITER keeps its version") {
  CHECK(parse_target("rocm:gfx942,aiter=0.1.16").target() == "rocm:gfx942,aiter=0.1.16");
  CHECK(parse_target("rocm:gfx942,aiter=v0.1.20.post1").target() == "rocm:gfx942,aiter=0.1.20.post1");
  CHECK(parse_target("rocm:gfx942,aiter=none").target() == "rocm:gfx942");
  CHECK_FALSE(parse_target("rocm:gfx942,aiter=none").aiter.present);
}

TEST_CASE("the features that HIP appends to an architecture are dropped") {
  CHECK(parse_target("rocm:gfx942:sramecc+:xnack-").arch == "gfx942");
  CHECK(parse_target("rocm:gfx90a:sramecc+:xnack-,aiter=0.1.16").aiter.version == "0.1.16");
}

TEST_CASE("this machine is a CPU that offers the dual norm in four dtypes") {
  const Capabilities c = detect_capabilities();
  CHECK(c.platform == Platform::cpu);
  REQUIRE(offers_of(c, "cpu") == 1);
  CHECK(c.kernels[0].op == "fused_mla_dual_rms_norm");
  CHECK(c.kernels[0].dtypes == std::vector<DType>{DType::f64, DType::f32, DType::f16, DType::bf16});
  CHECK(parse_target("host").target() == c.target());
  CHECK(parse_target("cpu").target() == c.target());
}

TEST_CASE("what is no target is an error that says why") {
  const std::pair<const char*, const char*> cases[] = {
      {"", "target.syntax"},
      {"metal:m3", "target.unknown-platform"},
      {"ROCM:gfx942", "target.unknown-platform"},
      {"gfx942", "target.unknown-platform"},
      {"rocm", "target.missing-arch"},
      {"rocm:", "target.missing-arch"},
      {"rocm,aiter=0.1.16", "target.missing-arch"},
      {"cpu:", "target.missing-arch"},
      {"rocm:gfx943", "target.unknown-arch"},
      {"rocm:sm_90", "target.unknown-arch"},
      {"cuda:gfx942", "target.unknown-arch"},
      {"rocm:gfx942,", "target.syntax"},
      {"rocm:gfx942,aiter", "target.syntax"},
      {"rocm:gfx942,aiter=", "target.syntax"},
      {"rocm:gfx942,=0.1.16", "target.syntax"},
      {"rocm:gfx942,aitr=0.1.16", "target.unknown-option"},
      {"cuda:sm_90,aiter=0.1.16", "target.unknown-option"},
      {"rocm:gfx942,aiter=0.1.16,aiter=0.1.17", "target.syntax"},
      {"rocm:gfx942,aiter=latest", "target.version"},
      {"rocm:gfx942,aiter=0", "target.version"},
      {"rocm:gfx942,aiter=0.1.", "target.version"},
      {"rocm:gfx942,aiter=0.1.2.3", "target.version"},
      {"rocm:gfx942,aiter=0.1.-2", "target.version"},
      {"rocm:gfx942,aiter=0.1.16 ", "target.version"},
      {"rocm:gfx942,aiter=0.1.99999999999", "target.version"},
  };
  for (const auto& [text, code] : cases) {
    INFO(text);
    CHECK(code_of(text) == code);
  }
}

TEST_CASE("an architecture that is nearly right is named") {
  try {
    parse_target("rocm:gfx943");
    FAIL("no error");
  } catch (const Error& e) {
    CHECK(e.diagnostics()[0].message == "'gfx943' is not an architecture of rocm; did you mean 'gfx942'?");
  }
}

TEST_CASE("versions are compared by number, not by text") {
  CHECK(parse_version("0.1.9") < parse_version("0.1.16"));
  CHECK(parse_version("0.1.20") < parse_version("0.1.20.post1"));
  CHECK(parse_version("0.1") == parse_version("0.1.0"));
  CHECK(parse_version("v1.2.3") == parse_version("1.2.3"));
}

TEST_CASE("AITER's entry points change with the release") {
  const auto entries = [](std::string_view version) {
    return parse_target("rocm:gfx942,aiter=" + std::string(version)).aiter.entry_points;
  };
  CHECK(entries("0.1.11").empty());
  REQUIRE(entries("0.1.12").size() == 1);
  CHECK(entries("0.1.12")[0].find("._fused_qk_rmsnorm") == std::string::npos);
  REQUIRE(entries("0.1.14").size() == 1);
  CHECK(entries("0.1.14")[0].find("._fused_qk_rmsnorm") != std::string::npos);
  CHECK(entries("0.1.16").size() == 2);
}

TEST_CASE("an AITER without the kernel, or newer than is known, says so") {
  const Capabilities old = parse_target("rocm:gfx942,aiter=0.1.11");
  CHECK(old.aiter.present);
  CHECK(old.aiter.reason == "AITER 0.1.11 has no fused_qk_rmsnorm; 0.1.12 is the first with it");
  CHECK(offers_of(old, "aiter") == 0);
  const Capabilities newer = parse_target("rocm:gfx942,aiter=9.0");
  CHECK(newer.aiter.reason == "AITER 9.0 is newer than 0.1.20.post1, whose facts are assumed for it");
  CHECK(offers_of(newer, "aiter") != 0);
}

TEST_CASE("AITER's kernels are preferred, limited in rows and columns, and inexact for bf16 on gfx942") {
  const Capabilities c = parse_target("rocm:gfx942,aiter=0.1.16");
  CHECK(c.kernels.front().provider == "aiter");
  CHECK(c.kernels.back().provider == "hip");
  bool seen = false;
  for (const KernelOffer& k : c.kernels) {
    if (k.provider != "aiter") {
      continue;
    }
    CHECK(k.max_hidden == 8192);
    CHECK(k.max_rows == 4095);
    const bool bf16_on_gfx942 = k.archs == std::vector<std::string>{"gfx942"} && k.dtypes == std::vector{DType::bf16};
    CHECK((k.rounding == Rounding::relaxed) == bf16_on_gfx942);
    seen = seen || bf16_on_gfx942;
  }
  CHECK(seen);
}
