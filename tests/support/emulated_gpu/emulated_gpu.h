// A GPU that is a FakeGpu in all but one thing: its kernels are those of kernels/hip, compiled for the host and
// executed (machine.h). So plans, arenas, uploads, launches and recorded graphs run as they do on AMD's, down to the
// last statement of a kernel.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <tests/support/emulated_gpu/machine.h>
#include <tests/support/fake_gpu.h>

namespace tandem::test {

/// A module of emulated kernels that the build made; `wave` is 32 or 64.
std::string emulated_kernels_path(int wave, const std::string& name = "kernels");

/// Kernels for waves of one size: those of a module.
class EmulatedKernels {
 public:
  /// Throws std::runtime_error when the module cannot be loaded.
  static std::shared_ptr<EmulatedKernels> load(const std::string& path);

  EmulatedMachine& machine() { return *machine_; }
  /// Null when there is no entry point of that name.
  const TandemEmulatedKernel* find(const std::string& kernel) const;
  std::vector<std::string> names() const;

 private:
  std::shared_ptr<void> library_;
  std::unique_ptr<EmulatedMachine> machine_;
  std::map<std::string, const TandemEmulatedKernel*, std::less<>> kernels_;
};

class EmulatedGpu final : public FakeGpu {
 public:
  /// Of waves of 64 lanes (gfx942) or of 32 (gfx1100).
  explicit EmulatedGpu(std::shared_ptr<EmulatedKernels> kernels);

  /// Runs every launch a second time, backwards and shuffled by turns: both must leave the same bits in all memory.
  bool in_two_orders = true;
  /// The kernels that were executed so far.
  std::set<std::string> executed;

 protected:
  bool has_kernel(const std::string& kernel) const override { return kernels_->find(kernel) != nullptr; }
  void execute(const std::string& kernel, const hip::LaunchShape& shape, std::span<const std::byte> params) override;

 private:
  void run(const std::string& kernel, const hip::LaunchShape& shape, std::span<const std::byte> params,
           TurnOrder order);
  static std::vector<std::vector<std::byte>> copy_of(const std::vector<std::span<std::byte>>& memory);

  std::shared_ptr<EmulatedKernels> kernels_;
  std::uint64_t launches_ = 0;
};

}  // namespace tandem::test
