// A GPU made of host memory, so that the whole GPU runtime is tested where there is none.
//
// Its driver table does what a driver does: work is queued when it is asked for and done when somebody waits, streams
// can be recorded, handles and memory must be given back. Any call can be made to fail. A kernel is a function of its
// parameters; `reference_kernels_on` gives kernels for every op, which compute as the reference does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <tandem/kernels/hip/launch.h>
#include <tandem/runtime/hip/blas_api.h>
#include <tandem/runtime/hip/device.h>

namespace tandem::test {

class FakeGpu {
 public:
  using Kernel = std::function<void(const void* params)>;

  FakeGpu() = default;
  virtual ~FakeGpu() = default;
  FakeGpu(const FakeGpu&) = delete;
  FakeGpu& operator=(const FakeGpu&) = delete;

  // What it is like; to be set before use.
  GpuPlatform platform = GpuPlatform::rocm;
  int devices = 1;
  std::string card = "Fake GPU";
  std::string arch = "gfx942:sramecc+:xnack-";
  int wave_size = 64;
  int l2_bytes = 4 << 20;
  bool overlaps_launches = false;
  std::set<std::string> kernels_wait;  ///< Those whose code waits for the launch ahead.
  std::size_t memory_bytes = std::size_t{1} << 30;
  /// Answers of hipInit; success otherwise.
  hip::Status init_status = 0;

  std::shared_ptr<const hip::Driver> driver();
  std::shared_ptr<hip::Device> device() { return hip::Device::open(driver(), 0, finder()); }
  /// Knows every kernel that was added.
  hip::CodeObjectFinder finder();
  void add_kernel(const std::string& name, Kernel kernel) { kernels_[name] = std::move(kernel); }

  /// The `n`th call from now on (0: the next) fails with `status`; calls that destroy or wait do their work all the
  /// same.
  void fail_call(std::int64_t n, hip::Status status) { fail_at_ = calls_ + n, fail_status_ = status; }
  void fail_none() { fail_at_ = -1; }
  std::int64_t calls() const { return calls_; }
  std::int64_t calls_of(const std::string& name) const {
    const auto it = calls_by_name_.find(name);
    return it == calls_by_name_.end() ? 0 : it->second;
  }

  /// Names of the kernels that ran, in order.
  std::vector<std::string> ran;
  std::int64_t overlapped = 0;  ///< How many of them might start before the launch ahead had finished.
  /// What has not been given back: "2 buffers, 1 stream"; "" when nothing.
  std::string live() const;
  std::size_t used_bytes() const { return used_; }

  /// Queues work, or adds it to the recording of a stream that is recorded.
  void queue(void* stream, std::function<void()> work);

 protected:
  virtual bool has_kernel(const std::string& kernel) const { return kernels_.contains(kernel); }
  virtual void execute(const std::string& kernel, const hip::LaunchShape& shape, std::span<const std::byte> params);
  /// All that hipMalloc gave.
  std::vector<std::span<std::byte>> device_memory() const;
  /// Of what was allocated, how many pieces were written to behind their end. (AddressSanitizer finds that itself.)
  std::size_t overruns() const;

 private:
  /// Memory of a size, to the byte, and a guard behind it.
  struct Memory {
    std::unique_ptr<std::byte, void (*)(std::byte*)> data;
    std::size_t size = 0;
    bool on_device = false;
  };
  template <class... A>
  std::function<hip::Status(A...)> counted(const char* name, std::function<hip::Status(A...)> call);
  hip::Status allocate(void** memory, std::size_t bytes, const char* kind, bool on_device);
  hip::Status give_back(void* handle, const char* kind);
  void* make(const char* kind);
  void finish();
  bool is_memory(const void* p, std::size_t bytes) const;
  void fill(hip::Driver& d);

  using Work = std::vector<std::function<void()>>;
  std::map<std::string, Kernel> kernels_;
  std::map<std::string, std::int64_t> calls_by_name_;
  std::int64_t calls_ = 0, fail_at_ = -1;
  hip::Status fail_status_ = 0;
  std::size_t used_ = 0;
  std::map<void*, std::string> handles_;
  std::map<std::uintptr_t, Memory> buffers_;
  std::map<void*, Work> recordings_, graphs_;
  Work queue_;
  std::set<std::string> functions_;
  std::uintptr_t next_handle_ = 0x1000;
};

/// Kernels for all ops of the table that the reference computes, but for `without`. They write a fault word where the
/// reference throws "run.index".
HipKernelTable reference_kernels_on(FakeGpu& gpu, const Context& context, const std::set<std::string>& without = {});

/// A library for matrix products on that GPU. `proposals` algorithms are found for each; the last is the fastest.
struct FakeBlas {
  int proposals = 3;
  bool knows_everything = true;  ///< Else it has no algorithm for any product.
  bool runs_nothing = false;     ///< It proposes, but each product fails.
  std::int64_t products = 0;     ///< How many were asked for.
  std::int64_t products_without_c = 0;
  std::int64_t live = 0;  ///< Descriptions that were not destroyed.
  int fail_call = -1;     ///< The nth call from now on fails.

  std::shared_ptr<const hip::BlasApi> api(FakeGpu& gpu);
};

}  // namespace tandem::test
