// What a machine's drivers say, and the reason where no GPU can be used.
#include <tandem/runtime/hip/probe.h>

#include <tests/support/catch.h>
#include <tests/support/fake_gpu.h>

using namespace tandem;
using namespace tandem::test;

namespace {

std::string all(const GpuInfo& device) {
  return device.arch;
}
hip::Probe probe(const hip::DriverSearch& amd, const std::function<std::string(const GpuInfo&)>& arch_of = all) {
  return hip::probe_gpus({{GpuPlatform::rocm, amd}, {GpuPlatform::cuda, {nullptr, "libcuda.so.1 is not there"}}},
                         arch_of);
}

}  // namespace

TEST_CASE("probe: each cause has its own reason", "[hip][probe]") {
  const std::string nvidia = "; NVIDIA: libcuda.so.1 is not there";
  FakeGpu gpu;
  CHECK(probe({nullptr, "libamdhip64.so is not there"}).reason == "AMD: libamdhip64.so is not there" + nvidia);
  gpu.devices = 0;
  CHECK(probe({gpu.driver(), {}}).reason == "AMD: libfake.so finds no device" + nvidia);
  gpu.init_status = hip::error_no_device;
  CHECK(probe({gpu.driver(), {}}).reason == "AMD: libfake.so finds no device" + nvidia);
  gpu.init_status = 35;
  CHECK(probe({gpu.driver(), {}}).reason == "AMD: libfake.so does not start: 35 (hipErrorFake)" + nvidia);
  gpu.init_status = 0;
  gpu.devices = 2;
  CHECK(probe({gpu.driver(), {}}, [](const GpuInfo&) { return ""; }).reason ==
        "AMD: this build has no machine code for gfx942 (Fake GPU)" + nvidia);
  gpu.fail_call(3, 999);
  CHECK(probe({gpu.driver(), {}}).reason == "AMD: hipDeviceGetName failed with 999 (hipErrorFake)" + nvidia);
}

TEST_CASE("probe: a GPU that can be used", "[hip][probe]") {
  FakeGpu gpu;
  gpu.devices = 2;
  const hip::Probe p = probe({gpu.driver(), {}});
  CHECK(p.reason == "");
  CHECK(p.target() == "rocm:gfx942");
  CHECK(p.device.name == "Fake GPU");
  CHECK(p.device.wave_size == 64);
  CHECK(p.reports[0].devices.size() == 2);
  CHECK(p.reports[0].version == 60300000);
  CHECK(p.reports[1].reason == "libcuda.so.1 is not there");
}

TEST_CASE("probe: this machine's drivers are asked without an exception", "[hip][probe]") {
  const hip::Probe p = hip::probe_gpus();
  CHECK(p.reports.size() >= 1);
  CHECK((p.driver != nullptr) == p.reason.empty());
  CHECK((p.target() == "cpu") == !p.driver);
}
