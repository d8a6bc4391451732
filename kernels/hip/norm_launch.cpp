#include <tandem/kernels/hip/norm_launch.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include <tandem/ir/diagnostic.h>
#include <tandem/kernels/hip/loops.h>
#include <tandem/kernels/hip/norm_params.h>

namespace tandem::hip {

namespace {

using gpu::NormParams;
using gpu::NormPart;
using gpu::StridedNormParams;

/// From this many rows on a wave takes a row; below, a block does, because there are too few rows to fill the GPU with
/// waves and what counts is the time of one. Measured on an H200 (docs/gpu.md), scaled by multiprocessors.
std::int64_t rows_for_waves(const GpuInfo& device) {
  return std::int64_t{8} * device.multiprocessors;
}

std::string kernel_name(std::string_view kernel, DType dtype) {
  return std::string(kernel) + norm_suffix(dtype);
}

bool is_aligned(const void* data) {
  return reinterpret_cast<std::uintptr_t>(data) % vector_bytes == 0;
}

/// Norms of one launch, their rows evenly spaced.
struct RowNorms {
  std::span<const NormTensors> norms;
  std::vector<std::int64_t> x_row, y_row;
  std::int64_t rows = 0;
  bool round_before_weight = false;

  DType dtype() const { return norms[0].x.dtype; }
  std::int64_t vectors(std::size_t i) const {
    const TensorView& x = norms[i].x;
    return x.shape[x.rank - 1U] * static_cast<std::int64_t>(byte_size(x.dtype)) / vector_bytes;
  }
  bool all_vectors() const {
    for (std::size_t i = 0; i < norms.size(); ++i) {
      const TensorView* w = norms[i].weight;
      if (!has_vector_rows(norms[i].x, x_row[i]) || !has_vector_rows(norms[i].y, y_row[i]))
        return false;
      if (w != nullptr && !(is_aligned(w->data) && (w->strides[0] == 1 || w->shape[0] == 1)))
        return false;
    }
    return true;
  }
  /// Vectors of a row that need not begin or end at one.
  std::int64_t started_vectors(std::size_t i) const {
    const TensorView& x = norms[i].x;
    return ceil_div(x.shape[x.rank - 1U] * static_cast<std::int64_t>(byte_size(x.dtype)), vector_bytes);
  }
  /// What kernels for unaligned rows take: elements side by side, and weights of their dtype, whose vectors are
  /// aligned.
  bool are_side_by_side() const {
    if (!own_weights())
      return false;
    for (std::size_t i = 0; i < norms.size(); ++i) {
      const NormTensors& n = norms[i];
      const std::size_t last = n.x.rank - 1U;
      if (n.x.strides[last] != 1 || n.y.strides[last] != 1 || n.weight->strides[0] != 1 ||
          !is_aligned(n.weight->data) || started_vectors(i) > gpu::max_norm_threads)
        return false;
    }
    return true;
  }
  bool own_weights() const {
    return std::ranges::all_of(norms, [](const NormTensors& n) { return n.weight && n.weight->dtype == n.x.dtype; });
  }
};

NormParams params_of(const RowNorms& r) {
  NormParams p{};
  p.rows = r.rows;
  p.round_before_weight = r.round_before_weight ? 1 : 0;
  for (std::size_t i = 0; i < r.norms.size(); ++i) {
    const NormTensors& n = r.norms[i];
    NormPart& part = p.part[i];
    part.x = n.x.data;
    part.y = n.y.data;
    part.weight = n.weight ? n.weight->data : nullptr;
    part.weight_is_f32 = n.weight && n.weight->dtype == DType::f32 ? 1 : 0;
    part.x_row = r.x_row[i];
    part.y_row = r.y_row[i];
    const std::int64_t length = n.x.shape[n.x.rank - 1U];
    part.length = static_cast<std::int32_t>(length);
    part.inverse_length = static_cast<float>(1.0 / static_cast<double>(length));
    part.epsilon = static_cast<float>(n.epsilon);
  }
  return p;
}

/// Threads for a row of `items` vectors or elements: a whole number of waves.
std::int32_t threads_for(std::int64_t items, std::int64_t most, int wave_size) {
  return static_cast<std::int32_t>(ceil_div(std::clamp<std::int64_t>(items, 1, most), wave_size) * wave_size);
}

/// Launches `kernel` on all rows, a share at a time where they are very many. `norm` is in `params`.
template <class Params>
void launch_rows(Launcher& launcher, const std::string& kernel, Params& params, NormParams& norm, std::size_t parts,
                 std::int32_t threads, std::int64_t rows_a_block, DType dtype) {
  const auto bytes = static_cast<std::int64_t>(byte_size(dtype));
  const std::int64_t rows = norm.rows;
  for (std::int64_t first = 0; first < rows; first += max_rows_a_launch) {
    norm.rows = std::min(max_rows_a_launch, rows - first);
    const Dim3 grid{static_cast<std::uint32_t>(ceil_div(norm.rows, rows_a_block)), static_cast<std::uint32_t>(parts),
                    1};
    launcher.launch(kernel, grid, Dim3{static_cast<std::uint32_t>(threads), 1, 1}, params);
    for (NormPart& part : norm.part) {
      part.x = static_cast<const std::byte*>(part.x) + norm.rows * part.x_row * bytes;
      part.y = static_cast<std::byte*>(part.y) + norm.rows * part.y_row * bytes;
    }
  }
}

/// Whether the results are so large that little of them would still be cached when somebody reads them.
bool is_streamed(const RowNorms& r, const GpuInfo& device) {
  constexpr std::int64_t usual_cache = std::int64_t{32} << 20;
  std::int64_t bytes = 0;
  for (std::size_t i = 0; i < r.norms.size(); ++i)
    bytes += r.rows * r.vectors(i) * vector_bytes;
  return bytes > (device.l2_bytes > 0 ? device.l2_bytes / 2 : usual_cache);
}

void launch_waves(const RowNorms& r, Launcher& launcher) {
  NormParams p = params_of(r);
  std::string kernel = "rms_norm_wave";
  if (r.norms.size() == 2) {
    const bool mla = r.vectors(0) == 192 && r.vectors(1) == 64 && r.dtype() != DType::f32;
    const bool short_kv = r.vectors(1) <= 64 && r.dtype() != DType::f32;
    const bool short_q = short_kv && r.vectors(0) <= gpu::short_wave_row;
    kernel = mla        ? "dual_rms_norm_1536_512"
             : short_q  ? "dual_rms_norm_wave_1024_512"
             : short_kv ? "dual_rms_norm_wave_512"
                        : "dual_rms_norm_wave";
    if (mla && is_streamed(r, launcher.device()))
      kernel += "_streaming";
  }
  launch_rows(launcher, kernel_name(kernel, r.dtype()), p, p, 1, gpu::norm_wave_threads,
              gpu::norm_wave_threads / launcher.device().wave_size, r.dtype());
}

void launch_blocks(const RowNorms& r, Launcher& launcher) {
  NormParams p = params_of(r);
  std::int32_t threads = 0;
  for (std::size_t i = 0; i < r.norms.size(); ++i) {
    p.part[i].threads = threads_for(r.vectors(i), gpu::max_norm_threads, launcher.device().wave_size);
    threads = std::max(threads, p.part[i].threads);
  }
  launch_rows(launcher, kernel_name(r.own_weights() ? "rms_norm_block" : "rms_norm_block_any", r.dtype()), p, p,
              r.norms.size(), threads, 1, r.dtype());
}

void launch_strided(const RowNorms& r, Launcher& launcher) {
  constexpr std::int64_t most_threads = 256;
  StridedNormParams p{};
  p.norm = params_of(r);
  std::int32_t threads = 0;
  for (std::size_t i = 0; i < r.norms.size(); ++i) {
    const NormTensors& n = r.norms[i];
    const std::size_t last = n.x.rank - 1U;
    p.x_step[i] = n.x.strides[last];
    p.y_step[i] = n.y.strides[last];
    p.weight_step[i] = n.weight ? n.weight->strides[0] : 0;
    p.norm.part[i].threads = threads_for(n.x.shape[last], most_threads, launcher.device().wave_size);
    threads = std::max(threads, p.norm.part[i].threads);
  }
  launch_rows(launcher, kernel_name("rms_norm_strided", r.dtype()), p, p.norm, r.norms.size(), threads, 1, r.dtype());
}

/// Rows that begin or end anywhere.
void launch_unaligned(const RowNorms& r, Launcher& launcher) {
  NormParams p = params_of(r);
  std::int32_t threads = 0;
  for (std::size_t i = 0; i < r.norms.size(); ++i) {
    p.part[i].threads = threads_for(r.started_vectors(i), gpu::max_norm_threads, launcher.device().wave_size);
    threads = std::max(threads, p.part[i].threads);
  }
  const bool waves = threads <= gpu::max_wave_row && r.rows >= rows_for_waves(launcher.device());
  if (waves)
    launch_rows(launcher, kernel_name("rms_norm_unaligned_wave", r.dtype()), p, p, r.norms.size(),
                gpu::norm_wave_threads, gpu::norm_wave_threads / launcher.device().wave_size, r.dtype());
  else
    launch_rows(launcher, kernel_name("rms_norm_unaligned_block", r.dtype()), p, p, r.norms.size(), threads, 1,
                r.dtype());
}

void launch_row_norms(const RowNorms& r, Launcher& launcher) {
  if (!r.all_vectors())
    return r.are_side_by_side() ? launch_unaligned(r, launcher) : launch_strided(r, launcher);
  std::int64_t longest = 0;
  for (std::size_t i = 0; i < r.norms.size(); ++i)
    longest = std::max(longest, r.vectors(i));
  const bool short_rows = longest <= 2 * launcher.device().wave_size;
  const bool waves =
      longest <= gpu::max_wave_row && r.own_weights() && (short_rows || r.rows >= rows_for_waves(launcher.device()));
  waves ? launch_waves(r, launcher) : launch_blocks(r, launcher);
}

}  // namespace

bool has_vector_rows(const TensorView& view, std::int64_t row) {
  const auto bytes = static_cast<std::int64_t>(byte_size(view.dtype));
  const std::size_t last = view.rank - 1U;
  const bool contiguous = view.strides[last] == 1 || view.shape[last] == 1;
  return contiguous && view.shape[last] * bytes % vector_bytes == 0 && row * bytes % vector_bytes == 0 &&
         is_aligned(view.data);
}

std::string norm_suffix(DType dtype) {
  return dtype == DType::bf16 ? "_bf16" : dtype == DType::f16 ? "_f16" : "_f32";
}

bool norm_takes(DType x, DType weight) {
  return (x == DType::bf16 || x == DType::f16 || x == DType::f32) && (weight == x || weight == DType::f32);
}

void launch_rms_norms(std::span<const NormTensors> norms, bool round_before_weight, Launcher& launcher) {
  std::vector<NormTensors> present;  // those whose rows have elements
  std::vector<TensorView> tensors;
  for (const NormTensors& n : norms) {
    const std::int64_t length = n.x.shape[n.x.rank - 1U];
    if (length > std::numeric_limits<std::int32_t>::max())
      throw Error("run.too-large", "a norm over " + std::to_string(length) +
                                       " elements; the GPU's kernels take rows of "
                                       "fewer than 2^31");
    if (length == 0)
      continue;
    present.push_back(n);
    tensors.push_back(n.x);
    tensors.push_back(n.y);
  }
  if (present.empty())
    return;

  const std::vector<Loop> loops = merged_loops(tensors, present[0].x.rank - 1U);
  RowNorms r;
  r.norms = present;
  r.round_before_weight = round_before_weight;
  r.rows = loops.empty() ? 1 : loops.back().count;
  for (std::size_t i = 0; i < tensors.size(); i += 2) {
    r.x_row.push_back(loops.empty() ? 0 : loops.back().steps[i]);
    r.y_row.push_back(loops.empty() ? 0 : loops.back().steps[i + 1]);
  }
  // Leading axes that no one stride walks through: a launch for each of their positions.
  const auto visit = [&](auto&& self, std::size_t depth) -> void {
    if (depth + 1 >= loops.size())
      return launch_row_norms(r, launcher);
    const std::vector<NormTensors> here = present;
    for (std::int64_t i = 0; i < loops[depth].count; ++i) {
      for (std::size_t n = 0; n < present.size(); ++n) {
        present[n].x = advanced(here[n].x, i * loops[depth].steps[2 * n]);
        present[n].y = advanced(here[n].y, i * loops[depth].steps[2 * n + 1]);
      }
      self(self, depth + 1);
    }
    present = here;
  };
  visit(visit, 0);
}

}  // namespace tandem::hip
