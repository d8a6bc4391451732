// Loading an adapter, and what must hold before it is called.
#include <tandem/runtime/hip/aiter.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/op_table.h>
#include <tandem/runtime/hip/aiter_adapter.h>
#include <tandem/runtime/hip/library.h>

namespace tandem::hip {
namespace {

constexpr std::int64_t max_columns = 8192;  // fused_qk_norm.cu dispatches no further
constexpr std::int64_t max_rows = 4095;
constexpr std::uintptr_t row_alignment = 16;

using ReleaseNumber = std::array<unsigned, 3>;
constexpr ReleaseNumber first_release{0, 1, 12};  // has fused_qk_rmsnorm (ROCm/aiter#2442)

/// "0.1.20.post1" -> 0.1.20
std::optional<ReleaseNumber> parse_release(std::string_view text) {
  ReleaseNumber out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out[i]);
    if (error != std::errc())
      return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const bool more = i + 1 < out.size();
    if (more && !text.starts_with('.'))
      return std::nullopt;
    if (more)
      text.remove_prefix(1);
  }
  return out;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t at = std::min(text.find(separator), text.size());
    if (at > 0)
      out.emplace_back(text.substr(0, at));
    text.remove_prefix(std::min(at + 1, text.size()));
  }
  return out;
}

/// All axes but the last as one, for a view whose last axis is dense.
struct Rows {
  std::int64_t rows = 1, columns = 0, stride = 0;
};
std::optional<Rows> as_rows(const TensorView& v) {
  if (v.rank < 1)
    return std::nullopt;
  Rows out;
  out.columns = v.shape[v.rank - 1U];
  if (out.columns != 1 && v.strides[v.rank - 1U] != 1)
    return std::nullopt;
  for (std::size_t i = v.rank - 1U; i-- > 0;) {
    if (v.shape[i] == 1)
      continue;
    if (out.rows != 1 && v.strides[i] != out.stride * out.rows)
      return std::nullopt;
    if (out.rows == 1)
      out.stride = v.strides[i];
    out.rows *= v.shape[i];
  }
  if (out.rows == 1)
    out.stride = out.columns;
  return out;
}

bool is_aligned(const TensorView& v, const Rows& rows) {
  const auto stride = static_cast<std::uintptr_t>(rows.stride) * byte_size(v.dtype);
  return (reinterpret_cast<std::uintptr_t>(v.data) | stride) % row_alignment == 0;
}

}  // namespace

struct AiterAdapter::Impl {
  Library library;
  std::string version, arch;
  std::vector<std::string> archs;
  int device = 0;
  decltype(&tandem_aiter_dual_rms_norm) dual_rms_norm = nullptr;
  decltype(&tandem_aiter_last_error) last_error = nullptr;
};

AiterAdapter::AiterAdapter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AiterAdapter::~AiterAdapter() = default;

const std::string& AiterAdapter::version() const {
  return impl_->version;
}
const std::vector<std::string>& AiterAdapter::archs() const {
  return impl_->archs;
}

AiterSearch AiterAdapter::load(const std::string& path, const std::string& arch, int device) {
  auto impl = std::make_unique<Impl>();
  std::string reason;
  const std::vector<std::string> names{path};
  impl->library = Library::open(names, reason);
  if (!impl->library)
    return {nullptr, fmt::format("the adapter cannot be loaded: {}", reason)};
  decltype(&tandem_aiter_abi_version) abi_version = nullptr;
  decltype(&tandem_aiter_provider_version) provider_version = nullptr;
  decltype(&tandem_aiter_archs) archs = nullptr;
  std::vector<std::string> missing;
  const auto load = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(impl->library.symbol(name));
    if (!function)
      missing.emplace_back(name);
  };
  load(abi_version, "tandem_aiter_abi_version");
  if (abi_version && abi_version() != TANDEM_AITER_ABI_VERSION)
    return {nullptr, fmt::format("the adapter {} has interface version {}, expected {}", path, abi_version(),
                                 TANDEM_AITER_ABI_VERSION)};
  load(provider_version, "tandem_aiter_provider_version");
  load(archs, "tandem_aiter_archs");
  load(impl->dual_rms_norm, "tandem_aiter_dual_rms_norm");
  load(impl->last_error, "tandem_aiter_last_error");
  if (!missing.empty())
    return {nullptr, fmt::format("the adapter {} lacks the symbol {}", path, fmt::join(missing, ", "))};

  const char* version = provider_version();
  impl->version = version ? version : "";
  const std::optional<ReleaseNumber> release = parse_release(impl->version);
  if (!release)
    return {nullptr, fmt::format("the adapter {} names no release of AITER: '{}'", path, impl->version)};
  if (*release < first_release)
    return {nullptr, fmt::format("AITER {} has no fused_qk_rmsnorm; 0.1.12 is the first with it", impl->version)};
  const char* list = archs();
  impl->archs = split(list ? list : "", ';');
  if (std::find(impl->archs.begin(), impl->archs.end(), arch) == impl->archs.end())
    return {nullptr,
            fmt::format("AITER {} is built for {}, not for {}", impl->version,
                        impl->archs.empty() ? "nothing" : fmt::format("{}", fmt::join(impl->archs, ", ")), arch)};
  impl->arch = arch;
  impl->device = device;
  return {std::shared_ptr<const AiterAdapter>(new AiterAdapter(std::move(impl))), {}};
}

std::string AiterAdapter::refusal(const KernelCall& call, bool relaxed) const {
  if (call.op.name != "fused_mla_dual_rms_norm")
    return "AITER is asked for fused_mla_dual_rms_norm only";
  const DType dtype = call.operands[0].dtype;
  if (dtype != DType::bf16 && dtype != DType::f16)
    return fmt::format("it takes bf16 and f16, not {}", to_string(dtype));
  for (const TensorView& v : call.operands)
    if (v.dtype != dtype)
      return "its weights have the dtype of the rows";
  if (call.attr("round_before_weight").boolean())
    return "it rounds once, after the weight";
  if (dtype == DType::bf16 && impl_->arch == "gfx942" && !relaxed)
    return "it cuts bf16 results off instead of rounding on gfx942 (ROCm/aiter#5151), and numerics are exact";
  for (const std::size_t i : {std::size_t{1}, std::size_t{3}})
    if (call.operands[i].rank != 1 || (call.operands[i].shape[0] != 1 && call.operands[i].strides[0] != 1))
      return "its weights lie without gaps";
  for (const TensorView* v : {&call.operands[0], &call.operands[2], &call.results[0], &call.results[1]}) {
    const std::optional<Rows> rows = as_rows(*v);
    if (!rows)
      return "its rows lie at one distance, with their elements side by side";
    if (rows->rows > max_rows)
      return fmt::format("from 4,096 rows on it races on shared memory (fused_qk_norm.cu); there are {}", rows->rows);
    if (rows->rows == 0)
      return "there are no rows";
    if (rows->columns > max_columns)
      return fmt::format("it takes rows of at most 8,192 elements, not {}", rows->columns);
    if (rows->columns % 2 != 0)
      return "it writes rows of odd length past their end (ROCm/aiter#5044)";
  }
  for (const TensorView* v : {&call.operands[0], &call.operands[2], &call.results[0], &call.results[1]})
    if (!is_aligned(*v, *as_rows(*v)))
      return "its rows begin at multiples of 16 bytes";
  return {};
}

void AiterAdapter::run(const KernelCall& call, void* stream) const {
  const Rows q = *as_rows(call.operands[0]), kv = *as_rows(call.operands[2]);
  TandemAiterDualRmsNorm d{};
  d.size = sizeof d;
  d.dtype = call.operands[0].dtype == DType::bf16 ? TANDEM_AITER_BF16 : TANDEM_AITER_F16;
  d.device = impl_->device;
  d.rows = q.rows;
  d.q_columns = q.columns;
  d.q_row_stride = q.stride;
  d.q_out_row_stride = as_rows(call.results[0])->stride;
  d.kv_columns = kv.columns;
  d.kv_row_stride = kv.stride;
  d.kv_out_row_stride = as_rows(call.results[1])->stride;
  d.q = call.operands[0].data;
  d.q_weight = call.operands[1].data;
  d.kv = call.operands[2].data;
  d.kv_weight = call.operands[3].data;
  d.q_out = call.results[0].data;
  d.kv_out = call.results[1].data;
  d.q_eps = call.attr("eps_q").real();
  d.kv_eps = call.attr("eps_kv").real();
  d.stream = stream;
  if (const int status = impl_->dual_rms_norm(&d); status != 0) {
    const char* text = impl_->last_error();
    throw Error("hip.aiter", fmt::format("AITER {} failed with {}: {}", impl_->version, status, text ? text : ""),
                "run without the adapter, and report it to its author");
  }
}

}  // namespace tandem::hip
