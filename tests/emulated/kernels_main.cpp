// The main function of the GPU tests on an emulated GPU: `--wave=32` or `--wave=64` (if nothing is said) is taken from
// the arguments, the others are Catch's. Where all tests run, all kernels must have run.
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/runtime/hip/memory.h>
#include <tandem/runtime/hip/step_launcher.h>
#include <tandem/runtime/hip/stream.h>
#include <tests/gpu/gpu_test.h>
#include <tests/support/catch_runner.h>
#include <tests/support/emulated_gpu/emulated_gpu.h>

namespace tandem::test {
namespace {

int wave = 64;

/// Through the runtime's own classes, on the emulated driver.
class OnEmulatedGpu final : public Gpu {
 public:
  const GpuInfo& device() const override { return device_->info(); }
  using Launcher::launch;
  void launch(std::string_view kernel, Dim3 grid, Dim3 block, std::uint32_t shared_bytes, const void* params,
              std::size_t params_size) override {
    hip::StreamLauncher(*device_, stream_.get(), nullptr, 0)
        .launch(kernel, grid, block, shared_bytes, params, params_size);
    synchronize();  // errors come from here
  }
  void* workspace(std::size_t bytes) override {
    workspace_.reset();  // of its own size, so that what lies behind it is not touched
    workspace_ = hip::DeviceBuffer(device_, bytes, "workspace");
    return workspace_.data();
  }
  std::uint32_t* fault() override { return reinterpret_cast<std::uint32_t*>(fault_.data()); }

  std::byte* allocate(std::size_t bytes) override {
    void* memory = nullptr;
    TANDEM_HIP(device_->driver(), hipMalloc, &memory, bytes + (bytes == 0 ? 1 : 0));
    return static_cast<std::byte*>(memory);
  }
  void release(std::byte* memory) noexcept override { static_cast<void>(device_->driver().hipFree(memory)); }
  void upload(void* to, const void* from, std::size_t bytes) override {
    copy(to, from, bytes, hip::CopyKind::host_to_device);
  }
  void download(void* to, const void* from, std::size_t bytes) override {
    copy(to, from, bytes, hip::CopyKind::device_to_host);
  }
  std::uint32_t take_fault() override {
    std::uint32_t word = 0;
    download(&word, fault_.data(), sizeof word);
    upload(fault_.data(), &nothing_, sizeof nothing_);
    return word;
  }
#if defined(__SANITIZE_ADDRESS__)
  int thinning() const override {
    return 24;
  }
#else
  int thinning() const override {
    return 4;
  }
#endif

  /// Kernels that no test made run.
  std::vector<std::string> not_executed() const {
    std::vector<std::string> names = kernels_->names();
    std::erase_if(names, [&](const std::string& name) { return gpu_.executed.contains(name); });
    return names;
  }

 private:
  void synchronize() {
    TANDEM_HIP(device_->driver(), hipStreamSynchronize, stream_.get());
  }
  void copy(void* to, const void* from, std::size_t bytes, hip::CopyKind kind) {
    TANDEM_HIP(device_->driver(), hipMemcpyAsync, to, from, bytes, kind, stream_.get());
    synchronize();
  }

  std::shared_ptr<EmulatedKernels> kernels_ = EmulatedKernels::load(emulated_kernels_path(wave));
  EmulatedGpu gpu_{kernels_};
  std::shared_ptr<hip::Device> device_ = gpu_.device();
  hip::Handle stream_ = hip::make_stream(device_);
  hip::DeviceBuffer workspace_, fault_{device_, sizeof(std::uint32_t), "the fault word"};
  const std::uint32_t nothing_ = 0;

 public:
  OnEmulatedGpu() {
    upload(fault_.data(), &nothing_, sizeof nothing_);
  }
};

OnEmulatedGpu& the_emulated_gpu() {
  static OnEmulatedGpu gpu;
  return gpu;
}

}  // namespace

Gpu& the_gpu() {
  return the_emulated_gpu();
}

/// After all tests: 1 and the names where a kernel was left out.
int check_all_were_executed() {
  const std::vector<std::string> left_out = the_emulated_gpu().not_executed();
  for (const std::string& name : left_out)
    std::printf("no test runs the kernel %s\n", name.c_str());
  return left_out.empty() ? 0 : 1;
}

}  // namespace tandem::test

int main(int argc, char** argv) {
  std::vector<char*> arguments(argv, argv + argc);
  std::erase_if(arguments, [](std::string_view argument) {
    if (argument != "--wave=32" && argument != "--wave=64")
      return false;
    tandem::test::wave = argument.ends_with("32") ? 32 : 64;
    return true;
  });
  [[maybe_unused]] const bool all = arguments.size() == 1;
  const int failed = tandem::test::run_tests(static_cast<int>(arguments.size()), arguments.data());
#if !defined(__SANITIZE_ADDRESS__)  // which takes fewer cases
  if (failed == 0 && all)
    return tandem::test::check_all_were_executed();
#endif
  return failed;
}
