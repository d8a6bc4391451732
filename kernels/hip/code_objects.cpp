// Finding machine code. `code_objects()` itself is made by the build (tools/cmake/TandemGpu.cmake).
#include <tandem/kernels/hip/code_objects.h>

#include <algorithm>
#include <charconv>

namespace tandem {

namespace {

/// "sm_90" -> 90; 0 for anything else.
int compute_capability(std::string_view arch) {
  int value = 0;
  if (arch.starts_with("sm_"))
    std::from_chars(arch.data() + 3, arch.data() + arch.size(), value);
  return value;
}

}  // namespace

std::string_view matching_arch(const GpuInfo& device) {
  std::string_view best;
  for (const CodeObject& object : code_objects()) {
    if (object.platform != device.platform)
      continue;
    if (object.arch == device.arch)
      return object.arch;
    if (device.platform == GpuPlatform::rocm)
      continue;
    const int built = compute_capability(object.arch);
    const int card = compute_capability(device.arch);
    if (built / 10 == card / 10 && built <= card && built > compute_capability(best))
      best = object.arch;
  }
  return best;
}

const CodeObject* find_code_object(GpuPlatform platform, std::string_view arch, std::string_view kernel) {
  for (const CodeObject& object : code_objects())
    if (object.platform == platform && object.arch == arch &&
        std::ranges::find(object.kernels, kernel) != object.kernels.end())
      return &object;
  return nullptr;
}

}  // namespace tandem
