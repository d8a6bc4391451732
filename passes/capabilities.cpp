// Targets by name, and the kernels that Tandem itself brings to them.

#include <tandem/passes/capabilities.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>

namespace tandem {

namespace {

constexpr NamedTarget targets[] = {
    {Platform::cpu, "x86_64", "x86-64 processors"},
    {Platform::cpu, "aarch64", "64-bit Arm processors"},
    {Platform::rocm, "gfx906", "AMD Instinct MI50, MI60"},
    {Platform::rocm, "gfx908", "AMD Instinct MI100"},
    {Platform::rocm, "gfx90a", "AMD Instinct MI210, MI250, MI250X"},
    {Platform::rocm, "gfx942", "AMD Instinct MI300A, MI300X, MI325X"},
    {Platform::rocm, "gfx950", "AMD Instinct MI350X, MI355X"},
    {Platform::rocm, "gfx1030", "AMD Radeon RX 6800, 6900, Pro W6800"},
    {Platform::rocm, "gfx1100", "AMD Radeon RX 7900, Pro W7900"},
    {Platform::rocm, "gfx1101", "AMD Radeon RX 7800, Pro W7700"},
    {Platform::rocm, "gfx1200", "AMD Radeon RX 9060"},
    {Platform::rocm, "gfx1201", "AMD Radeon RX 9070, AI Pro R9700"},
    {Platform::cuda, "sm_80", "NVIDIA A100"},
    {Platform::cuda, "sm_86", "NVIDIA A10, A40, RTX 3090"},
    {Platform::cuda, "sm_89", "NVIDIA L4, L40S, RTX 4090"},
    {Platform::cuda, "sm_90", "NVIDIA H100, H200, GH200"},
    {Platform::cuda, "sm_100", "NVIDIA B200, GB200"},
    {Platform::cuda, "sm_103", "NVIDIA B300, GB300"},
    {Platform::cuda, "sm_120", "NVIDIA RTX 5090, RTX Pro 6000"},
};

constexpr std::string_view platform_names[] = {"cpu", "cuda", "rocm"};

#if defined(__aarch64__)
constexpr std::string_view host_arch = "aarch64";
#else
constexpr std::string_view host_arch = "x86_64";
#endif

/// An op for which Tandem has kernels of its own (kernels/hip, kernels/cpu, kernels/reference); no dtypes: none there.
struct OwnKernel {
  std::string_view op;
  std::vector<DType> gpu;
  std::vector<DType> cpu;
  std::vector<DType> reference;
};

std::vector<OwnKernel> own_kernel_rows() {
  const std::vector<DType> gpu{DType::bf16, DType::f16, DType::f32};
  const std::vector<DType> all{DType::f64, DType::f32, DType::f16, DType::bf16};
  const std::vector<DType> quantizable{DType::f32, DType::f16, DType::bf16};
  return {
      {"fused_mla_dual_rms_norm", gpu, all, all},
      {"fused_add_rms_norm", {}, {}, all},
      {"fused_silu_and_mul", {}, {}, all},
      {"fused_qk_norm_rope", {}, {}, all},
      {"fused_rms_norm_static_quant", {}, {}, quantizable},
      {"fused_rms_norm_dynamic_quant", {}, {}, quantizable},
      {"fused_silu_and_mul_static_quant", {}, {}, quantizable},
  };
}

std::vector<KernelOffer> own_kernels(Platform platform) {
  std::vector<KernelOffer> offers;
  const auto offer = [&](std::string_view op, std::string provider, std::vector<std::string> archs,
                         const std::vector<DType>& dtypes) {
    if (dtypes.empty())
      return;
    KernelOffer& o = offers.emplace_back();
    o.op = op;
    o.provider = std::move(provider);
    o.archs = std::move(archs);
    o.dtypes = dtypes;
  };
  for (const OwnKernel& row : own_kernel_rows()) {
    switch (platform) {
      case Platform::rocm: offer(row.op, "hip", {"gfx90a", "gfx942", "gfx950", "gfx1100", "gfx1201"}, row.gpu); break;
      case Platform::cuda: offer(row.op, "hip", {"sm_90"}, row.gpu); break;  // the same sources, compiled for NVIDIA
      case Platform::cpu:
        offer(row.op, "cpu", {}, row.cpu);
        offer(row.op, "reference", {}, row.reference);
        break;
    }
  }
  return offers;
}

std::vector<std::string_view> archs_of(Platform platform) {
  std::vector<std::string_view> archs;
  for (const NamedTarget& t : targets) {
    if (t.platform == platform)
      archs.push_back(t.arch);
  }
  return archs;
}

Platform parse_platform(std::string_view text) {
  for (std::size_t i = 0; i < std::size(platform_names); ++i) {
    if (text == platform_names[i])
      return static_cast<Platform>(i);
  }
  const std::vector<std::string_view> names(std::begin(platform_names), std::end(platform_names));
  throw Error("target.unknown-platform", fmt::format("'{}' is not a platform{}", text, did_you_mean(text, names)),
              "write rocm:ARCH, cuda:ARCH or cpu; `tandem list targets` shows all");
}

/// The architecture without the features that HIP appends: "gfx942:sramecc+:xnack-".
std::string_view parse_arch(Platform platform, std::string_view text) {
  const std::string_view arch = text.substr(0, text.find(':'));
  const std::vector<std::string_view> known = archs_of(platform);
  if (arch.empty()) {
    throw Error("target.missing-arch", fmt::format("the target names no architecture of {}", to_string(platform)),
                fmt::format("write {}:ARCH, with one of {}", to_string(platform), fmt::join(known, ", ")));
  }
  if (std::find(known.begin(), known.end(), arch) == known.end()) {
    throw Error(
        "target.unknown-arch",
        fmt::format("'{}' is not an architecture of {}{}", arch, to_string(platform), did_you_mean(arch, known)),
        fmt::format("known are {}", fmt::join(known, ", ")));
  }
  return arch;
}

void parse_option(Capabilities& capabilities, std::string_view option) {
  const std::size_t equals = option.find('=');
  const std::string_view key = option.substr(0, equals);
  if (key.empty() || equals == std::string_view::npos || equals + 1 == option.size()) {
    throw Error("target.syntax", fmt::format("'{}' is not an option of a target", option), "write aiter=VERSION");
  }
  const std::string_view value = option.substr(equals + 1);
  if (key != "aiter") {
    throw Error("target.unknown-option",
                fmt::format("a target has no option '{}'{}", key, did_you_mean(key, {"aiter"})),
                "the only option is aiter=VERSION (or aiter=none)");
  }
  if (capabilities.platform != Platform::rocm) {
    throw Error("target.unknown-option",
                fmt::format("AITER is a library for rocm; the target is {}", to_string(capabilities.platform)),
                "leave aiter out");
  }
  if (capabilities.aiter.present) {
    throw Error("target.syntax", "the target gives the version of AITER twice", "leave one out");
  }
  if (value == "none") {
    capabilities.aiter.reason = "the target says that there is none";
  } else {
    add_aiter(capabilities, value);
  }
}

Capabilities base(Platform platform, std::string_view arch) {
  Capabilities c;
  c.platform = platform;
  c.arch = arch;
  c.kernels = own_kernels(platform);
  c.aiter.reason = platform == Platform::rocm ? "the target names none (aiter=VERSION)" : "AITER is a library for rocm";
  return c;
}

}  // namespace

std::string_view to_string(Platform platform) {
  return platform_names[static_cast<std::size_t>(platform)];
}

std::span<const NamedTarget> named_targets() {
  return targets;
}

std::string Capabilities::target() const {
  std::string text = fmt::format("{}:{}", to_string(platform), arch);
  if (aiter.present)
    text += ",aiter=" + aiter.version;
  return text;
}

Capabilities parse_target(std::string_view text) {
  if (text.empty())
    throw Error("target.syntax", "the target is empty", "write rocm:ARCH, cuda:ARCH, cpu or host");
  if (text == "host")
    return detect_capabilities();
  std::size_t comma = text.find(',');
  const std::string_view machine = text.substr(0, comma);
  const std::size_t colon = machine.find(':');
  const Platform platform = parse_platform(machine.substr(0, colon));
  const bool default_arch = platform == Platform::cpu && colon == std::string_view::npos;
  const std::string_view arch = colon == std::string_view::npos ? std::string_view() : machine.substr(colon + 1);
  Capabilities capabilities = base(platform, default_arch ? host_arch : parse_arch(platform, arch));
  while (comma != std::string_view::npos) {
    const std::size_t start = comma + 1;
    comma = text.find(',', start);
    parse_option(capabilities, text.substr(start, comma == std::string_view::npos ? comma : comma - start));
  }
  return capabilities;
}

Capabilities detect_capabilities() {
  return base(Platform::cpu, host_arch);
}

}  // namespace tandem
