// Round trips to the host.
#include <tandem/runtime/hip/host_step.h>

#include <vector>

#include <tandem/runtime/buffer_extent.h>
#include <tandem/runtime/host_memory.h>

namespace tandem::hip {
namespace {

/// The bytes that a device view touches, on the host.
struct Mirror {
  TensorView view;
  Extent on_device;
  std::shared_ptr<std::byte> memory;
};

Mirror mirror(const TensorView& on_device) {
  Mirror m{on_device, extent(on_device), nullptr};
  const auto bytes = static_cast<std::int64_t>(m.on_device.end - m.on_device.begin);
  m.memory = try_allocate(bytes);
  if (!m.memory && bytes > 0)
    out_of_memory(bytes, "a node that the CPU computes");
  const auto first = reinterpret_cast<std::uintptr_t>(on_device.data) - m.on_device.begin;
  m.view.data = m.memory ? m.memory.get() + first : nullptr;
  return m;
}

void copy(const Driver& driver, const Mirror& m, CopyKind kind, void* stream) {
  const std::size_t bytes = m.on_device.end - m.on_device.begin;
  if (bytes == 0)
    return;
  void* device = reinterpret_cast<void*>(m.on_device.begin);
  if (kind == CopyKind::device_to_host)
    TANDEM_HIP(driver, hipMemcpyAsync, m.memory.get(), device, bytes, kind, stream);
  else
    TANDEM_HIP(driver, hipMemcpyAsync, device, m.memory.get(), bytes, kind, stream);
}

void compute(const Driver& driver, const KernelFn& kernel, const KernelCall& call, std::span<const TensorView> operands,
             std::span<const TensorView> results, const std::vector<Mirror>& mirrors, void* stream) {
  // Results too: what lies between the elements of a strided one is written back as it was.
  for (const Mirror& m : mirrors)
    copy(driver, m, CopyKind::device_to_host, stream);
  TANDEM_HIP(driver, hipStreamSynchronize, stream);
  kernel({call.op, operands, results, call.attrs, call.bindings});
  for (std::size_t i = operands.size(); i < mirrors.size(); ++i)
    copy(driver, mirrors[i], CopyKind::host_to_device, stream);
  TANDEM_HIP(driver, hipStreamSynchronize, stream);
}

}  // namespace

void run_on_host(const Device& device, const KernelFn& kernel, const KernelCall& call, void* stream) {
  const Driver& driver = device.driver();
  std::vector<Mirror> mirrors;
  std::vector<TensorView> operands, results;
  for (const TensorView& v : call.operands) {
    mirrors.push_back(mirror(v));
    operands.push_back(mirrors.back().view);
  }
  for (const TensorView& v : call.results) {
    mirrors.push_back(mirror(v));
    results.push_back(mirrors.back().view);
  }
  try {
    compute(driver, kernel, call, operands, results, mirrors, stream);
  } catch (...) {
    static_cast<void>(driver.hipStreamSynchronize(stream));  // copies that are under way use the mirrors
    throw;
  }
}

}  // namespace tandem::hip
