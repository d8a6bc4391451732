// The fake GPU's driver.
#include <tests/support/fake_gpu.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#define TANDEM_FAKE_GUARD 0  // it watches the end of memory itself
#else
#define TANDEM_FAKE_GUARD 64
#endif

namespace tandem::test {

using hip::error_invalid_value;
using hip::error_no_device;
using hip::error_out_of_memory;
using hip::Status;
using hip::success;

namespace {

constexpr std::align_val_t alignment{256};
constexpr std::size_t guard_bytes = TANDEM_FAKE_GUARD;
constexpr std::byte rubbish{0xCD}, guard{0xE7};

const std::byte code[1] = {};
const CodeObject code_object{GpuPlatform::rocm, "gfx942", "fake.hip", code, {}};
const CodeObject waiting_code_object{GpuPlatform::rocm, "gfx942", "waiting.hip", code, {}, true};

}  // namespace

hip::CodeObjectFinder FakeGpu::finder() {
  return [this](const GpuInfo&, std::string_view kernel) {
    const bool waits = kernels_wait.contains(std::string(kernel));
    return !has_kernel(std::string(kernel)) ? nullptr : waits ? &waiting_code_object : &code_object;
  };
}

void FakeGpu::execute(const std::string& kernel, const hip::LaunchShape&, std::span<const std::byte> params) {
  kernels_.at(kernel)(params.data());
}

template <class... A>
std::function<Status(A...)> FakeGpu::counted(const char* name, std::function<Status(A...)> call) {
  const std::string text = name;
  const bool destroys = text.find("Destroy") != text.npos || text.find("Free") != text.npos ||
                        text.find("Unload") != text.npos || text.find("EndCapture") != text.npos ||
                        text.find("Synchronize") != text.npos;
  return [this, text, destroys, call = std::move(call)](A... arguments) {
    ++calls_by_name_[text];
    const bool fails = calls_++ == fail_at_;
    if (!fails)
      return call(arguments...);
    if (destroys)
      static_cast<void>(call(arguments...));
    return fail_status_;
  };
}

std::shared_ptr<const hip::Driver> FakeGpu::driver() {
  auto d = std::make_shared<hip::Driver>();
  d->platform = platform;
  d->library = "libfake.so";
  fill(*d);
#define TANDEM_HIP_CALL(name, parameters) d->name = counted(#name, std::move(d->name));
#include <tandem/runtime/hip/driver_calls.def>
#undef TANDEM_HIP_CALL
  d->enter = counted("enter", std::function([](int, void** previous) -> Status {
                       *previous = nullptr;
                       return success;
                     }));
  d->leave = [](void*) { return success; };
  d->error_name = [](Status s) { return s == error_out_of_memory ? "hipErrorOutOfMemory" : "hipErrorFake"; };
  return d;
}

void* FakeGpu::make(const char* kind) {
  void* handle = reinterpret_cast<void*>(next_handle_ += 16);
  handles_[handle] = kind;
  return handle;
}

Status FakeGpu::give_back(void* handle, const char* kind) {
  const auto it = handles_.find(handle);
  if (it == handles_.end() || it->second != kind)
    return error_invalid_value;
  handles_.erase(it);
  return success;
}

Status FakeGpu::allocate(void** out, std::size_t bytes, const char* kind, bool on_device) {
  if (bytes == 0)
    return error_invalid_value;
  if (on_device && bytes > memory_bytes - used_)
    return error_out_of_memory;
  Memory memory{{static_cast<std::byte*>(::operator new(bytes + guard_bytes, alignment)),
                 [](std::byte* p) { ::operator delete(p, alignment); }},
                bytes,
                on_device};
  std::fill_n(memory.data.get(), bytes, rubbish);
  std::fill_n(memory.data.get() + bytes, guard_bytes, guard);
  *out = memory.data.get();
  handles_[*out] = kind;
  buffers_.emplace(reinterpret_cast<std::uintptr_t>(*out), std::move(memory));
  used_ += on_device ? bytes : 0;
  return success;
}

bool FakeGpu::is_memory(const void* p, std::size_t bytes) const {
  const auto address = reinterpret_cast<std::uintptr_t>(p);
  auto it = buffers_.upper_bound(address);
  if (it == buffers_.begin())
    return false;
  --it;
  return address + bytes <= it->first + it->second.size;
}

std::vector<std::span<std::byte>> FakeGpu::device_memory() const {
  std::vector<std::span<std::byte>> all;
  for (const auto& [address, memory] : buffers_)
    if (memory.on_device)
      all.emplace_back(memory.data.get(), memory.size);
  return all;
}

std::size_t FakeGpu::overruns() const {
  return static_cast<std::size_t>(std::ranges::count_if(buffers_, [](const auto& entry) {
    const std::byte* end = entry.second.data.get() + entry.second.size;
    return std::any_of(end, end + guard_bytes, [](std::byte b) { return b != guard; });
  }));
}

void FakeGpu::queue(void* stream, std::function<void()> work) {
  if (const auto it = recordings_.find(stream); it != recordings_.end())
    it->second.push_back(std::move(work));
  else
    queue_.push_back(std::move(work));
}

void FakeGpu::finish() {
  const Work work = std::exchange(queue_, {});
  for (const auto& step : work)
    step();
}

std::string FakeGpu::live() const {
  std::map<std::string, int> counts;
  for (const auto& [handle, kind] : handles_)
    ++counts[kind];
  std::string text;
  for (const auto& [kind, n] : counts)
    text += (text.empty() ? "" : ", ") + std::to_string(n) + " " + kind;
  return text;
}

void FakeGpu::fill(hip::Driver& d) {
  d.hipInit = [this](unsigned) { return init_status; };
  d.hipDriverGetVersion = [](int* version) { return *version = 60300000, success; };
  d.hipGetDeviceCount = [this](int* n) { return *n = devices, devices > 0 ? success : error_no_device; };
  d.hipDeviceGetName = [this](char* text, int size, int) {
    std::strncpy(text, card.c_str(), static_cast<std::size_t>(size));
    return success;
  };
  d.hipGetDeviceArch = [this](char* text, int size, int) {
    std::strncpy(text, arch.c_str(), static_cast<std::size_t>(size));
    return success;
  };
  d.hipDeviceGetAttribute = [this](int* value, hip::DeviceAttribute which, int) {
    const std::array values{wave_size, 4, 1024, 65536, l2_bytes, overlaps_launches ? 1 : 0};
    *value = values[static_cast<std::size_t>(which)];
    return success;
  };
  d.hipMemGetInfo = [this](std::size_t* free, std::size_t* total) {
    *free = memory_bytes - used_;
    *total = memory_bytes;
    return success;
  };
  d.hipMalloc = [this](void** m, std::size_t bytes) { return allocate(m, bytes, "buffer", true); };
  d.hipHostMalloc = [this](void** m, std::size_t bytes, unsigned) { return allocate(m, bytes, "pinned", false); };
  d.hipFree = [this](void* m) {
    finish();  // as the real ones do
    const Status status = give_back(m, "buffer");
    if (status == success) {
      const auto it = buffers_.find(reinterpret_cast<std::uintptr_t>(m));
      used_ -= it->second.size;
      buffers_.erase(it);
    }
    return status;
  };
  d.hipHostFree = [this](void* m) {
    finish();
    buffers_.erase(reinterpret_cast<std::uintptr_t>(m));
    return give_back(m, "pinned");
  };
  d.hipMemcpyAsync = [this](void* to, const void* from, std::size_t bytes, hip::CopyKind kind, void* stream) {
    const bool from_device = kind == hip::CopyKind::device_to_host || kind == hip::CopyKind::device_to_device;
    const bool to_device = kind == hip::CopyKind::host_to_device || kind == hip::CopyKind::device_to_device;
    if ((from_device && !is_memory(from, bytes)) || (to_device && !is_memory(to, bytes)))
      return error_invalid_value;
    queue(stream, [=] { std::memcpy(to, from, bytes); });
    return success;
  };
  d.hipMemsetAsync = [this](void* to, int value, std::size_t bytes, void* stream) {
    if (!is_memory(to, bytes))
      return error_invalid_value;
    queue(stream, [=] { std::memset(to, value, bytes); });
    return success;
  };

  d.hipStreamCreateWithFlags = [this](void** s, unsigned) { return *s = make("stream"), success; };
  d.hipStreamDestroy = [this](void* s) { return finish(), give_back(s, "stream"); };
  d.hipStreamSynchronize = [this](void* s) {
    if (recordings_.contains(s))
      return error_invalid_value;
    return finish(), success;
  };
  d.hipStreamWaitEvent = [](void*, void*, unsigned) { return success; };
  d.hipStreamIsCapturing = [this](void* s, int* status) { return *status = recordings_.contains(s) ? 1 : 0, success; };
  d.hipStreamBeginCapture = [this](void* s, int) { return recordings_[s] = {}, success; };
  d.hipStreamEndCapture = [this](void* s, void** graph) {
    *graph = make("graph");
    graphs_[*graph] = std::move(recordings_[s]);
    recordings_.erase(s);
    return success;
  };
  d.hipEventCreateWithFlags = [this](void** e, unsigned) { return *e = make("event"), success; };
  d.hipEventDestroy = [this](void* e) { return give_back(e, "event"); };
  d.hipEventRecord = [](void*, void*) { return success; };
  d.hipEventSynchronize = [this](void*) { return finish(), success; };
  d.hipEventElapsedTime = [this](float* ms, void*, void*) {
    // Time is work: a microsecond a launch, and products tell how many milliseconds they take by how often they say so
    // (FakeBlas).
    const auto slow = std::count(ran.begin(), ran.end(), "slow");
    *ms = static_cast<float>(slow) + 0.001F * static_cast<float>(static_cast<std::ptrdiff_t>(ran.size()) - slow);
    return ran.clear(), success;
  };

  d.hipGraphInstantiate = [this](void** executable, void* graph) {
    *executable = make("executable");
    graphs_[*executable] = graphs_[graph];
    return success;
  };
  d.hipGraphLaunch = [this](void* executable, void* stream) {
    if (!graphs_.contains(executable))
      return error_invalid_value;
    const Work work = graphs_[executable];
    queue(stream, [work] {
      for (const auto& step : work)
        step();
    });
    return success;
  };
  d.hipGraphExecDestroy = [this](void* e) { return finish(), graphs_.erase(e), give_back(e, "executable"); };
  d.hipGraphDestroy = [this](void* g) { return graphs_.erase(g), give_back(g, "graph"); };

  d.hipModuleLoadData = [this](void** m, const void*) { return *m = make("module"), success; };
  d.hipModuleUnload = [this](void* m) { return give_back(m, "module"); };
  d.hipModuleGetFunction = [this](void** f, void*, const char* name) {
    *f = const_cast<std::string*>(&*functions_.insert(name).first);
    return success;
  };
  d.hipModuleLaunchKernel = [this](void* f, hip::LaunchShape shape, void* stream, const void* params,
                                   std::size_t size) {
    if (shape.grid.x == 0 || shape.block.x == 0)
      return error_invalid_value;
    const std::string kernel = *static_cast<const std::string*>(f);
    const auto* bytes = static_cast<const std::byte*>(params);
    queue(stream, [this, kernel, shape, copy = std::vector<std::byte>(bytes, bytes + size)] {
      ran.push_back(kernel);
      overlapped += shape.overlaps ? 1 : 0;
      execute(kernel, shape, copy);
    });
    return success;
  };
}

}  // namespace tandem::test
