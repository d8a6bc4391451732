// Loading modules, launching in two orders.
#include <tests/support/emulated_gpu/emulated_gpu.h>

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

namespace tandem::test {

namespace {

/// The calling thread's thread-local storage of a module.
std::span<std::byte> thread_local_memory(void* library) {
  struct Search {
    std::size_t module = 0, bytes = 0;
  } search;
  void* data = nullptr;
  if (::dlinfo(library, RTLD_DI_TLS_MODID, &search.module) != 0 || search.module == 0 ||
      ::dlinfo(library, RTLD_DI_TLS_DATA, &data) != 0 || !data)
    return {};
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* to) {
        auto& s = *static_cast<Search*>(to);
        for (int i = 0; i < info->dlpi_phnum && info->dlpi_tls_modid == s.module; ++i)
          if (info->dlpi_phdr[i].p_type == PT_TLS)
            s.bytes = info->dlpi_phdr[i].p_memsz;
        return 0;
      },
      &search);
  return {static_cast<std::byte*>(data), search.bytes};
}

}  // namespace

std::string emulated_kernels_path(int wave, const std::string& name) {
  return fmt::format("{}/{}_{}.so", TANDEM_EMULATED_DIR, name, wave);
}

std::shared_ptr<EmulatedKernels> EmulatedKernels::load(const std::string& path) {
  const auto kernels = std::make_shared<EmulatedKernels>();
  kernels->library_ = {::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL), [](void* library) {
                         if (library)
                           ::dlclose(library);
                       }};
  if (!kernels->library_)
    throw std::runtime_error(fmt::format("no emulated kernels: {}", ::dlerror()));
  const auto* wave = static_cast<const int*>(::dlsym(kernels->library_.get(), "tandem_emulated_wave"));
  auto* machine = static_cast<TandemEmulatedMachine*>(::dlsym(kernels->library_.get(), "tandem_emulated_machine"));
  void (*touch)() = nullptr;
  void* symbol = ::dlsym(kernels->library_.get(), "tandem_emulated_touch");
  std::memcpy(&touch, &symbol, sizeof symbol);
  auto* const* list =
      static_cast<const TandemEmulatedKernel* const*>(::dlsym(kernels->library_.get(), "tandem_emulated_kernels"));
  if (!wave || !machine || !touch || !list)
    throw std::runtime_error(fmt::format("{} has no emulated kernels", path));
  kernels->machine_ = std::make_unique<EmulatedMachine>(
      *wave, *machine, [touch, library = kernels->library_.get()] { return touch(), thread_local_memory(library); });
  for (const TandemEmulatedKernel* kernel = *list; kernel; kernel = kernel->next)
    kernels->kernels_[kernel->name] = kernel;
  return kernels;
}

const TandemEmulatedKernel* EmulatedKernels::find(const std::string& kernel) const {
  const auto it = kernels_.find(kernel);
  return it == kernels_.end() ? nullptr : it->second;
}

std::vector<std::string> EmulatedKernels::names() const {
  std::vector<std::string> all;
  for (const auto& [name, kernel] : kernels_)
    all.push_back(name);
  return all;
}

EmulatedGpu::EmulatedGpu(std::shared_ptr<EmulatedKernels> kernels) : kernels_(std::move(kernels)) {
  wave_size = kernels_->machine().wave_size();
  l2_bytes = 256 << 10;  // small, so that small tests go beyond it
  arch = wave_size == 64 ? "gfx942:sramecc+:xnack-" : "gfx1100";
  card = fmt::format("Emulated GPU, waves of {}", wave_size);
  overlaps_launches = true;  // so that kernels are seen to wait
  for (const std::string& name : kernels_->names())
    kernels_wait.insert(name);
}

void EmulatedGpu::run(const std::string& kernel, const hip::LaunchShape& shape, std::span<const std::byte> params,
                      TurnOrder order) {
  const TandemEmulatedKernel* info = kernels_->find(kernel);
  if (!info)
    throw EmulationError(fmt::format("there is no emulated kernel '{}'", kernel));
  executed.insert(kernel);
  kernels_->machine().run(kernel, *info, shape, params.data(), params.size(), order);
  if (overruns() > 0)
    throw EmulationError(fmt::format("kernel '{}' wrote behind the end of a buffer", kernel));
}

std::vector<std::vector<std::byte>> EmulatedGpu::copy_of(const std::vector<std::span<std::byte>>& memory) {
  std::vector<std::vector<std::byte>> copy;
  for (const std::span<std::byte> piece : memory)
    copy.emplace_back(piece.begin(), piece.end());
  return copy;
}

void EmulatedGpu::execute(const std::string& kernel, const hip::LaunchShape& shape, std::span<const std::byte> params) {
  if (!in_two_orders)
    return run(kernel, shape, params, {});
  const std::vector<std::span<std::byte>> memory = device_memory();
  const std::vector<std::vector<std::byte>> before = copy_of(memory);
  const std::uint64_t launch = launches_++;
  run(kernel, shape, params,
      launch % 2 == 0 ? TurnOrder{TurnOrder::Kind::backward, 0} : TurnOrder{TurnOrder::Kind::shuffled, launch});
  const std::vector<std::vector<std::byte>> other = copy_of(memory);
  for (std::size_t i = 0; i < memory.size(); ++i)
    std::ranges::copy(before[i], memory[i].begin());
  run(kernel, shape, params, {});
  if (kernels_->machine().was_unordered())
    return;
  for (std::size_t i = 0; i < memory.size(); ++i)
    if (!std::ranges::equal(memory[i], other[i]))
      throw EmulationError(fmt::format(
          "kernel '{}' on {} x {} x {} blocks of {} threads: a race; the result depends on the order of threads (byte "
          "{} of a buffer of {})",
          kernel, shape.grid.x, shape.grid.y, shape.grid.z, shape.block.x,
          std::ranges::mismatch(memory[i], other[i]).in1 - memory[i].begin(), memory[i].size()));
}

}  // namespace tandem::test
