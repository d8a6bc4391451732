#include <tests/gpu/gpu_table.h>

#include <cstring>
#include <stdexcept>
#include <vector>

#include <tandem/ir/diagnostic.h>

namespace tandem::test {

namespace {

constexpr std::size_t guard = 64;
constexpr std::byte rubbish{0xa5};

/// Bytes from the first element of a view to the end of its last.
std::size_t extent(const TensorView& view) {
  if (view.size() == 0)
    return 0;
  std::int64_t last = 0;
  for (std::size_t i = 0; i < view.rank; ++i)
    last += (view.shape[i] - 1) * view.strides[i];
  return static_cast<std::size_t>(last + 1) * byte_size(view.dtype);
}

/// A view's bytes on the GPU, guarded, at the same distance from a multiple of 64.
class Copy {
 public:
  Copy(Gpu& gpu, const TensorView& view)
      : view_(view),
        bytes_(extent(view)),
        lead_(guard + reinterpret_cast<std::uintptr_t>(view.data) % 64),
        host_(lead_ + bytes_ + guard, rubbish),
        buffer_(gpu, host_.size()) {}

  void upload(Gpu& gpu, bool with_data) {
    if (with_data && bytes_ != 0)
      std::memcpy(host_.data() + lead_, view_.data, bytes_);
    gpu.upload(buffer_.data(), host_.data(), host_.size());
  }
  TensorView on_gpu() const {
    TensorView view = view_;
    view.data = buffer_.data() + lead_;
    return view;
  }
  void download(Gpu& gpu) {
    std::vector<std::byte> got(host_.size());
    gpu.download(got.data(), buffer_.data(), got.size());
    std::vector<bool> is_element(got.size(), false);
    const std::size_t size = byte_size(view_.dtype);
    for (std::int64_t i = 0; i < view_.size(); ++i) {
      const std::size_t at = offset(i) * size;
      std::memcpy(view_.data + at, got.data() + lead_ + at, size);
      for (std::size_t b = 0; b < size; ++b)
        is_element[lead_ + at + b] = true;
    }
    for (std::size_t i = 0; i < got.size(); ++i)
      if (!is_element[i] && got[i] != rubbish)
        throw std::runtime_error("a kernel wrote outside its result");
  }

 private:
  std::size_t offset(std::int64_t linear) const {
    std::int64_t at = 0;
    for (std::size_t axis = view_.rank; axis-- > 0; linear /= view_.shape[axis])
      at += linear % view_.shape[axis] * view_.strides[axis];
    return static_cast<std::size_t>(at);
  }

  TensorView view_;
  std::size_t bytes_;
  std::size_t lead_;
  std::vector<std::byte> host_;
  DeviceBuffer buffer_;
};

void run(Gpu& gpu, const HipKernel& kernel, const KernelCall& call) {
  std::vector<Copy> copies;
  std::vector<TensorView> operands;
  std::vector<TensorView> results;
  for (const TensorView& view : call.operands) {
    copies.emplace_back(gpu, view).upload(gpu, true);
    operands.push_back(copies.back().on_gpu());
  }
  for (const TensorView& view : call.results) {
    copies.emplace_back(gpu, view).upload(gpu, false);
    results.push_back(copies.back().on_gpu());
  }
  kernel.run(KernelCall{call.op, operands, results, call.attrs, call.bindings}, gpu);
  if (gpu.take_fault() != 0)
    throw Error("run.index", call.op.name + ": an index is out of range");
  for (std::size_t i = call.operands.size(); i < copies.size(); ++i)
    copies[i].download(gpu);
}

}  // namespace

KernelTable gpu_table(Gpu& gpu) {
  KernelTable table("gpu");
  const HipKernelTable kernels = hip_kernels();
  for (const auto& [op, kernel] : kernels.all())
    table.add(op, [&gpu, kernel = kernel](const KernelCall& call) { run(gpu, kernel, call); });
  return table;
}

}  // namespace tandem::test
