// How a GPU kernel is asked for: the contract between kernels/hip (which kernel, which grid, which parameters) and
// runtime/hip (streams, graphs, memory).
//
// A HIP kernel of an op is host code. It reads a `KernelCall` whose data pointers are device addresses, decides on
// grid, block and variant, fills one parameter struct and gives it to the `Launcher`. It never reads the data,
// allocates nothing and knows no stream, so the same call can run at once, be recorded into a graph, or only be
// measured:
//
//     Launcher that records   -> nodes of a captured graph
//     Launcher that counts    -> bytes of workspace that a plan must lay out
//
// The same call on the same GPU always makes the same requests in the same order.
//
// On NVIDIA from sm_90 on every kernel first waits for the kernel before it in the stream (griddepcontrol.wait), and
// only then reads or writes. So a launcher may set CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION on each launch
// of kernels from `code_objects()`, captured ones too: the next kernel is then set up while this one runs, which is
// worth 0.4 to 0.7 microseconds a launch (docs/gpu.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <tandem/ir/type.h>
#include <tandem/kernels/hip/device_info.h>
#include <tandem/kernels/kernel.h>

namespace tandem {

/// Blocks of a grid or threads of a block. x < 2^31; y and z < 2^16; HIP also wants blocks.x * threads.x < 2^32.
struct Dim3 {
  std::uint32_t x = 1, y = 1, z = 1;
};

/// What a kernel writes into the fault word when data makes it impossible to go on.
enum class GpuFault : std::uint32_t {
  none = 0,
  index = 1,  ///< An index points outside: the error "run.index". The elements concerned are left as they are.
};

/// Runs, records or counts launches. All requests of one kernel call go to one stream, in order.
class Launcher {
 public:
  virtual ~Launcher() = default;
  virtual const GpuInfo& device() const = 0;

  /// Launches `kernel`, an entry point of `code_objects()`. Its one parameter is a struct, passed by value:
  /// `params_size` bytes (at most 4,096) at `params`, which are copied before this returns.
  virtual void launch(std::string_view kernel, Dim3 grid, Dim3 block, std::uint32_t shared_bytes, const void* params,
                      std::size_t params_size) = 0;

  /// Device memory for this kernel call, 256-byte aligned, contents unspecified. Asked for at most once a call; it
  /// may be used again by others when the launches of this call are done.
  virtual void* workspace(std::size_t bytes) = 0;

  /// Device address of the fault word of this kernel call: 0 before a run, else a `GpuFault`. Who runs the plan reads
  /// it when the results are fetched.
  virtual std::uint32_t* fault() = 0;

  template <class Params>
  void launch(std::string_view kernel, Dim3 grid, Dim3 block, const Params& params, std::uint32_t shared_bytes = 0) {
    static_assert(sizeof(Params) <= 4096);
    launch(kernel, grid, block, shared_bytes, &params, sizeof(Params));
  }
};

/// Computes results from operands on the GPU. Throws nothing for a call that its `supports` accepts.
using HipKernelFn = std::function<void(const KernelCall&, Launcher&)>;

/// What is known of a node before its sizes are.
struct HipQuery {
  const OpDef& op;
  std::span<const TensorType> operands;
  std::span<const TensorType> results;
  std::span<const Attribute> attrs;  ///< By position in the op's row.
  const GpuInfo& device;

  Attribute attr(std::string_view name) const { return attrs[static_cast<std::size_t>(op.find_attr(name))]; }
};

/// One op's kernel.
struct HipKernel {
  HipKernelFn run;
  /// Empty when `run` takes calls of these types with any strides, else why not: "order = torch needs a CPU".
  std::function<std::string(const HipQuery&)> supports;
};

/// Kernels by op name.
class HipKernelTable {
 public:
  /// A kernel that takes everything the op's row allows.
  void add(std::string_view op, HipKernelFn run) {
    add(op, HipKernel{std::move(run), [](const HipQuery&) { return std::string(); }});
  }
  void add(std::string_view op, HipKernel kernel) { kernels_[std::string(op)] = std::move(kernel); }
  /// Null when there is no kernel for the op.
  const HipKernel* find(std::string_view op) const {
    const auto it = kernels_.find(std::string(op));
    return it == kernels_.end() ? nullptr : &it->second;
  }
  const std::unordered_map<std::string, HipKernel>& all() const { return kernels_; }

 private:
  std::unordered_map<std::string, HipKernel> kernels_;
};

/// Tandem's own GPU kernels.
TANDEM_RUNTIME_API HipKernelTable hip_kernels();

}  // namespace tandem
