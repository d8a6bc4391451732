// What AITER offers, release by release, as far as it concerns ops of Tandem.
//
// All of it was read from AITER's sources and threads (github.com/ROCm/aiter), which each row cites. It is data: a new
// release that changes something is a new row.

#include <algorithm>
#include <charconv>
#include <limits>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/capabilities.h>

namespace tandem {

namespace {

constexpr Version no_end{std::numeric_limits<std::uint32_t>::max(), 0, 0, 0};

/// A function of AITER, and the releases [since, until) that have it in this form.
struct EntryPoint {
  std::string_view op;
  std::string_view signature;
  Version since, until;
};

// The Python function was renamed, and its signature changed, by ROCm/aiter#2958; #3159 made the C++ side free of
// torch.
constexpr EntryPoint entry_points[] = {
    {"fused_mla_dual_rms_norm",
     "aiter.ops.fused_qk_norm_rope_cache_quant.fused_qk_rmsnorm(q, q_weight, q_eps, k, k_weight, k_eps)",
     {0, 1, 12},
     {0, 1, 14}},
    {"fused_mla_dual_rms_norm",
     "aiter.ops.fused_qk_norm_rope_cache_quant._fused_qk_rmsnorm(q_out, q, q_weight, q_eps, k_out, k, k_weight, k_eps)",
     {0, 1, 14},
     no_end},
    {"fused_mla_dual_rms_norm",
     "aiter::fused_qk_rmsnorm(aiter_tensor_t& q, q_weight, double q_eps, k, k_weight, double k_eps, q_out, k_out)",
     {0, 1, 16},
     no_end},
};

/// What holds for calls of an op on some architectures and dtypes.
struct KernelRow {
  std::string_view op;
  std::vector<std::string_view> archs;
  std::vector<DType> dtypes;
  Rounding rounding;
  std::int64_t max_hidden;
  std::int64_t max_rows;
  std::vector<std::string_view> preconditions;
};

// csrc/kernels/fused_qk_norm.cu (ROCm/aiter#2442, 2026-03-25) and what is known of it:
//   - dispatch ends at 8,192 columns ("not support n");
//   - from 4,096 rows on a block takes several rows and uses its LDS buffer again without a barrier, against the rule
//   that
//     csrc/include/hip_reduce.h states: such calls are left to other providers;
//   - the wheels hold code for gfx942 and gfx950 only;
//   - on gfx942 bf16 results are truncated, not rounded (csrc/include/opus/opus.hpp, OPUS_FP32_to_BF16_DEFAULT = 2;
//     ROCm/aiter#5151 reports the same of its neighbour); gfx950 rounds to nearest even in hardware, as f16 does on
//     both.
std::vector<KernelRow> kernel_rows() {
  const std::string_view form =
      "q and kv of 2 dims with unit inner stride, the same rows and one dtype, weights among them (fused_qk_norm.cu)";
  const std::string_view once = "round_before_weight = false: it rounds once (fused_qk_norm.cu)";
  const std::string_view even = "even lengths: rows of odd length are written past their end (ROCm/aiter#5044)";
  const std::string_view clang =
      "built by clang 20 or newer (ROCm 7.0): older ones read bf16 weights as integers (fused_qk_norm.cu, "
      "opus::bf16_t)";
  const std::string_view truncates =
      "truncates to bf16 on gfx942 (opus.hpp, OPUS_FP32_to_BF16_DEFAULT = 2; ROCm/aiter#5151)";
  return {
      {"fused_mla_dual_rms_norm", {"gfx950"}, {DType::bf16}, Rounding::exact, 8192, 4095, {form, once, even, clang}},
      {"fused_mla_dual_rms_norm",
       {"gfx942"},
       {DType::bf16},
       Rounding::relaxed,
       8192,
       4095,
       {truncates, form, once, even, clang}},
      {"fused_mla_dual_rms_norm", {"gfx942", "gfx950"}, {DType::f16}, Rounding::exact, 8192, 4095, {form, once, even}},
  };
}

/// The newest release whose sources the rows were read from.
constexpr Version newest_known{0, 1, 20, 1};

bool parse_number(std::string_view& text, std::uint32_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data())
    return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

}  // namespace

std::optional<Version> parse_version(std::string_view text) {
  if (text.starts_with('v'))
    text.remove_prefix(1);
  Version version;
  std::uint32_t* const parts[] = {&version.major, &version.minor, &version.patch};
  std::size_t count = 0;
  for (;;) {
    if (count == 3 || !parse_number(text, *parts[count]))
      return std::nullopt;
    ++count;
    if (text.starts_with(".post")) {
      text.remove_prefix(5);
      if (!parse_number(text, version.post))
        return std::nullopt;
      break;
    }
    if (!text.starts_with('.'))
      break;
    text.remove_prefix(1);
  }
  if (!text.empty() || count < 2)
    return std::nullopt;
  return version;
}

void add_aiter(Capabilities& capabilities, std::string_view text) {
  const std::optional<Version> version = parse_version(text);
  if (!version) {
    throw Error("target.version", fmt::format("'{}' is not a version of AITER", text),
                "write a release, such as 0.1.16");
  }
  AiterInfo& aiter = capabilities.aiter;
  aiter = {};
  aiter.present = true;
  aiter.version = text.starts_with('v') ? text.substr(1) : text;
  for (const EntryPoint& e : entry_points) {
    if (*version >= e.since && *version < e.until)
      aiter.entry_points.emplace_back(e.signature);
  }
  if (aiter.entry_points.empty()) {
    aiter.reason = fmt::format("AITER {} has no fused_qk_rmsnorm; 0.1.12 is the first with it", aiter.version);
    return;
  }
  if (*version > newest_known) {
    aiter.reason = fmt::format("AITER {} is newer than 0.1.20.post1, whose facts are assumed for it", aiter.version);
  }
  std::vector<KernelOffer> offers;
  for (const KernelRow& row : kernel_rows()) {
    KernelOffer& offer = offers.emplace_back();
    offer.op = row.op;
    offer.provider = "aiter";
    offer.archs.assign(row.archs.begin(), row.archs.end());
    offer.dtypes = row.dtypes;
    offer.rounding = row.rounding;
    offer.max_hidden = row.max_hidden;
    offer.max_rows = row.max_rows;
    offer.preconditions.assign(row.preconditions.begin(), row.preconditions.end());
  }
  capabilities.kernels.insert(capabilities.kernels.begin(), offers.begin(), offers.end());
}

}  // namespace tandem
