#include <tandem/runtime/torch_weights.h>

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>

namespace tandem {

namespace {

Tensor window(const ProgramWeight& weight) {
  if (weight.sizes.size() > max_rank)
    throw Error("tensor.rank",
                fmt::format("the weight '{}' has {} axes; the most is {}", weight.key, weight.sizes.size(), max_rank));
  Tensor tensor;
  TensorView& view = tensor.view;
  view.dtype = weight.dtype;
  view.rank = static_cast<std::uint8_t>(weight.sizes.size());
  std::copy(weight.sizes.begin(), weight.sizes.end(), view.shape.begin());
  std::copy(weight.strides.begin(), weight.strides.end(), view.strides.begin());
  if (view.size() == 0)
    return Tensor::zeros(weight.dtype, weight.sizes);

  const std::size_t size = byte_size(weight.dtype);
  const std::byte* first = weight.storage.data() + static_cast<std::size_t>(weight.offset) * size;
  tensor.owner = weight.owner;
  if (reinterpret_cast<std::uintptr_t>(first) % size != 0) {
    // From the first element to the end of the storage, at an address that fits.
    const auto bytes = weight.storage.subspan(static_cast<std::size_t>(weight.offset) * size);
    const std::int64_t count[] = {static_cast<std::int64_t>(bytes.size())};
    const Tensor aligned = Tensor::zeros(DType::u8, count);
    std::memcpy(aligned.view.data, bytes.data(), bytes.size());
    tensor.owner = aligned.owner;
    first = aligned.view.data;
  }
  // Views have no const; nothing writes to a weight.
  view.data = const_cast<std::byte*>(first);
  return tensor;
}

}  // namespace

void add_program_weights(TensorStore& store, std::span<const ProgramWeight> weights) {
  for (const ProgramWeight& weight : weights)
    if (store.find(weight.key) == nullptr)
      store.add(weight.key, window(weight));
}

}  // namespace tandem
