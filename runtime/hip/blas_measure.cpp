// Which of a library's proposals is fastest, by trying them.
//
// A library's first proposal is not always its best (docs/gpu-runtime.md has figures).
// Each proposal is recorded as a graph of a few products over rotating copies of the operands,
// so that neither launches nor a warm cache are measured.
#include <algorithm>
#include <limits>

#include <tandem/ir/diagnostic.h>
#include <tandem/runtime/hip/blas.h>
#include <tandem/runtime/hip/memory.h>

namespace tandem::hip {
namespace {

constexpr std::int64_t max_copies = 8;
constexpr std::int64_t max_bytes = std::int64_t{4} << 30;

std::int64_t stored_bytes(std::int64_t rows, std::int64_t row, std::int64_t batch, std::int64_t batch_stride,
                          DType dtype) {
  const std::int64_t elements = rows * row + (batch - 1) * batch_stride;
  return (elements * static_cast<std::int64_t>(byte_size(dtype)) + 255) / 256 * 256;
}

}  // namespace

std::optional<std::size_t> Blas::measure_fastest(GemmPlan& plan, const std::vector<BlasAlgorithm>& algorithms) const {
  const Gemm& g = plan.gemm_;
  const std::int64_t a_bytes = stored_bytes(g.a_transposed ? g.k : g.m, g.row_a, g.batch, g.batch_a, g.in);
  const std::int64_t b_bytes = stored_bytes(g.b_transposed ? g.n : g.k, g.row_b, g.batch, g.batch_b, g.in);
  const std::int64_t d_bytes = stored_bytes(g.m, g.row_d, g.batch, g.batch_d, g.out);
  const std::int64_t bias_bytes = (g.n * 8 + 255) / 256 * 256;
  const std::int64_t set_bytes = a_bytes + b_bytes + d_bytes + bias_bytes;
  const std::int64_t l2 = std::max<std::int64_t>(device_->info().l2_bytes, 1);
  const std::int64_t copies = std::clamp<std::int64_t>(2 * l2 / set_bytes + 1, 2, max_copies);
  if (copies * set_bytes > max_bytes)
    return 0;
  const Driver& driver = device_->driver();
  DeviceBuffer memory, workspace;
  try {
    memory = DeviceBuffer(device_, static_cast<std::size_t>(copies * set_bytes), "measuring matrix products");
    workspace = DeviceBuffer(device_, blas_workspace_bytes, "measuring matrix products");
  } catch (const Error& error) {
    if (error.diagnostics().front().code != "hip.out-of-memory")
      throw;
    return 0;  // the library's own choice it is
  }
  const Handle stream = make_stream(device_), start = make_event(device_, true), stop = make_event(device_, true);
  TANDEM_HIP(driver, hipMemsetAsync, memory.data(), 0, memory.size(), stream.get());

  std::optional<std::size_t> best;
  float best_time = std::numeric_limits<float>::max();
  for (std::size_t i = 0; i < algorithms.size(); ++i) {
    plan.algorithm_ = algorithms[i];
    const auto all = [&] {
      for (std::int64_t copy = 0; copy < copies; ++copy) {
        std::byte* at = memory.data() + copy * set_bytes;
        plan.run({at, at + a_bytes, at + a_bytes + b_bytes + d_bytes, at + a_bytes + b_bytes}, workspace.data(),
                 stream.get());
      }
    };
    float time = std::numeric_limits<float>::max();
    try {
      all();  // loads the kernel
      const Handle graph = record_graph(device_, stream.get(), all);
      for (int round = 0; round < 5; ++round) {
        TANDEM_HIP(driver, hipEventRecord, start.get(), stream.get());
        TANDEM_HIP(driver, hipGraphLaunch, graph.get(), stream.get());
        TANDEM_HIP(driver, hipEventRecord, stop.get(), stream.get());
        TANDEM_HIP(driver, hipEventSynchronize, stop.get());
        float once = 0;
        TANDEM_HIP(driver, hipEventElapsedTime, &once, start.get(), stop.get());
        time = std::min(time, once);
      }
    } catch (const Error&) {
      TANDEM_HIP(driver, hipStreamSynchronize, stream.get());
      continue;  // a proposal that does not run is not chosen
    }
    // The library's order decides between those that are about equal: fewer surprises from one process to the next.
    if (time < 0.99F * best_time) {
      best = i;
      best_time = time;
    }
  }
  TANDEM_HIP(driver, hipStreamSynchronize, stream.get());
  return best;
}

}  // namespace tandem::hip
