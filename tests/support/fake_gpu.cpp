// The fake GPU's driver.
#include <tests/support/fake_gpu.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <tandem/ir/context.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/ir/op_table.h>

namespace tandem::test {

using hip::error_invalid_value;
using hip::error_no_device;
using hip::error_out_of_memory;
using hip::Status;
using hip::success;

namespace {

const std::byte code[1] = {};
const CodeObject code_object{GpuPlatform::rocm, "gfx942", "fake.hip", code, {}};

}  // namespace

FakeGpu::FakeGpu() = default;

hip::CodeObjectFinder FakeGpu::finder() {
  return [this](const GpuInfo&, std::string_view kernel) {
    return kernels_.contains(std::string(kernel)) ? &code_object : nullptr;
  };
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

Status FakeGpu::allocate(void** memory, std::size_t bytes, const char* kind, bool on_device) {
  if (bytes == 0)
    return error_invalid_value;
  if (on_device && bytes > memory_bytes - used_)
    return error_out_of_memory;
  std::vector<std::byte> buffer(bytes + 255, std::byte{0xCD});
  const std::uintptr_t at = (reinterpret_cast<std::uintptr_t>(buffer.data()) + 255) / 256 * 256;
  *memory = reinterpret_cast<void*>(at);
  handles_[*memory] = kind;
  buffers_[at] = std::move(buffer);
  used_ += on_device ? bytes : 0;
  return success;
}

bool FakeGpu::is_memory(const void* p, std::size_t bytes) const {
  const auto address = reinterpret_cast<std::uintptr_t>(p);
  auto it = buffers_.upper_bound(address);
  if (it == buffers_.begin())
    return false;
  --it;
  const auto end = reinterpret_cast<std::uintptr_t>(it->second.data()) + it->second.size();
  return address + bytes <= end;
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
  d.hipDeviceGetName = [](char* name, int size, int) {
    std::strncpy(name, "Fake GPU", static_cast<std::size_t>(size));
    return success;
  };
  d.hipGetDeviceArch = [this](char* text, int size, int) {
    std::strncpy(text, arch.c_str(), static_cast<std::size_t>(size));
    return success;
  };
  d.hipDeviceGetAttribute = [](int* value, hip::DeviceAttribute which, int) {
    constexpr std::array values{64, 4, 1024, 65536, 4 << 20};
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
      used_ -= it->second.size() - 255;
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
    // Time is work: products tell how long they take by how often they say so (FakeBlas).
    return *ms = static_cast<float>(std::count(ran.begin(), ran.end(), "slow")), ran.clear(), success;
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
    const std::string name = *static_cast<const std::string*>(f);
    const auto* bytes = static_cast<const std::byte*>(params);
    queue(stream, [this, name, copy = std::vector<std::byte>(bytes, bytes + size)] {
      ran.push_back(name);
      kernels_.at(name)(copy.data());
    });
    return success;
  };
}

HipKernelTable reference_kernels_on(FakeGpu& gpu, const Context& context, const std::set<std::string>& without) {
  /// A call as it was when it was launched.
  struct Saved {
    const OpDef* op;
    std::vector<TensorView> operands, results;
    std::vector<Attribute> attrs;
    DimBindings bindings;
    std::uint32_t* fault;
    KernelFn kernel;
  };
  struct Params {
    std::size_t index;
  };
  auto calls = std::make_shared<std::vector<Saved>>();
  const KernelTable reference = tandem::reference_kernels();
  HipKernelTable table;
  for (const OpDef& def : context.ops()) {
    const KernelFn* kernel = reference.find(def.name);
    if (!kernel || without.contains(def.name))
      continue;
    gpu.add_kernel(def.name, [calls](const void* params) {
      const Saved& c = (*calls)[static_cast<const Params*>(params)->index];
      try {
        c.kernel({*c.op, c.operands, c.results, c.attrs, c.bindings});
      } catch (const Error& error) {
        if (error.diagnostics().front().code != "run.index")
          throw;
        *c.fault = static_cast<std::uint32_t>(GpuFault::index);
      }
    });
    const bool indexes =
        std::set<std::string>{"embedding", "take", "gather", "gather_nd", "scatter", "scatter_nd", "expert_linear"}
            .contains(def.name);
    table.add(def.name, [calls, fn = *kernel, indexes](const KernelCall& call, Launcher& launcher) {
      // Every third kernel wants a workspace, so that plans lay one out.
      if (call.op.name.size() % 3 == 0)
        static_cast<void>(launcher.workspace(call.op.name.size() * 100));
      calls->push_back({&call.op,
                        {call.operands.begin(), call.operands.end()},
                        {call.results.begin(), call.results.end()},
                        {call.attrs.begin(), call.attrs.end()},
                        call.bindings,
                        indexes ? launcher.fault() : nullptr,
                        fn});
      launcher.launch(call.op.name, {1, 1, 1}, {64, 1, 1}, Params{calls->size() - 1});
    });
  }
  return table;
}

}  // namespace tandem::test
