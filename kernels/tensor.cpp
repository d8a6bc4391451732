// Tensors: memory, and elements one at a time.
#include <tandem/kernels/tensor.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>

#include <tandem/ir/diagnostic.h>
#include <tandem/kernels/float_conversion.h>

namespace tandem {

namespace {

constexpr std::int64_t max_bytes = std::int64_t{1} << 46;
constexpr std::size_t alignment = 64;

std::string describe(DType dtype, std::span<const std::int64_t> shape) {
  std::string out(to_string(dtype));
  out += '[';
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i != 0)
      out += ", ";
    out += std::to_string(shape[i]);
  }
  return out + ']';
}

[[noreturn]] void throw_too_large(DType dtype, std::span<const std::int64_t> shape, const char* why) {
  throw Error("tensor.too-large", "a tensor " + describe(dtype, shape) + " " + why, "check the sizes that were given");
}

/// Bytes of a dense tensor. Empty tensors may not be absurdly large in their other dims, either.
std::size_t checked_bytes(DType dtype, std::span<const std::int64_t> shape) {
  std::int64_t bytes = static_cast<std::int64_t>(byte_size(dtype));
  for (const std::int64_t d : shape)
    if (__builtin_mul_overflow(bytes, std::max<std::int64_t>(d, 1), &bytes) || bytes > max_bytes)
      throw_too_large(dtype, shape, "has more than 2^46 bytes");
  return std::ranges::find(shape, 0) != shape.end() ? 0 : static_cast<std::size_t>(bytes);
}

std::byte* element(const TensorView& view, std::int64_t linear_index) {
  std::int64_t offset = 0;
  for (std::size_t i = view.rank; i-- > 0;) {
    offset += linear_index % view.shape[i] * view.strides[i];
    linear_index /= view.shape[i];
  }
  return view.data + offset * static_cast<std::int64_t>(byte_size(view.dtype));
}

// Tensors may lie unaligned in a mapped file.
template <class T>
T read(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

template <class T>
void write(std::byte* to, T value) {
  std::memcpy(to, &value, sizeof(T));
}

/// Towards zero; what lies outside becomes the nearest end, NaN 0.
template <class T>
T truncate(double value) {
  if (std::isnan(value))
    return 0;
  // 2^63 is a double, max() of int64 is not: hence >=.
  if (value >= static_cast<double>(std::numeric_limits<T>::max()))
    return std::numeric_limits<T>::max();
  if (value <= static_cast<double>(std::numeric_limits<T>::min()))
    return std::numeric_limits<T>::min();
  return static_cast<T>(value);
}

/// Copies one axis after another; `from` is strided, `to` is dense and is moved on.
void copy_dense(const TensorView& view, std::size_t axis, const std::byte* from, std::byte*& to) {
  const std::size_t size = byte_size(view.dtype);
  if (axis == view.rank) {
    std::memcpy(to, from, size);
    to += size;
    return;
  }
  const std::int64_t step = view.strides[axis] * static_cast<std::int64_t>(size);
  if (axis + 1 == view.rank && view.strides[axis] == 1) {
    const std::size_t bytes = static_cast<std::size_t>(view.shape[axis]) * size;
    std::memcpy(to, from, bytes);
    to += bytes;
    return;
  }
  for (std::int64_t i = 0; i < view.shape[axis]; ++i)
    copy_dense(view, axis + 1, from + i * step, to);
}

}  // namespace

TensorView make_view(void* data, DType dtype, std::span<const std::int64_t> shape) {
  if (shape.size() > max_rank)
    throw Error("tensor.rank", "a tensor has rank " + std::to_string(shape.size()) + "; at most " +
                                   std::to_string(max_rank) + " is supported");
  if (std::ranges::any_of(shape, [](std::int64_t d) { return d < 0; }))
    throw Error("tensor.shape", "a tensor " + describe(dtype, shape) + " has a negative dim");
  checked_bytes(dtype, shape);
  TensorView view;
  view.data = static_cast<std::byte*>(data);
  view.dtype = dtype;
  view.rank = static_cast<std::uint8_t>(shape.size());
  std::int64_t stride = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    view.shape[i] = shape[i];
    view.strides[i] = stride;
    stride *= shape[i];
  }
  return view;
}

Tensor Tensor::zeros(DType dtype, std::span<const std::int64_t> shape) {
  Tensor tensor;
  tensor.view = make_view(nullptr, dtype, shape);
  const std::size_t bytes = checked_bytes(dtype, shape);
  // calloc takes large blocks as untouched zero pages from the system, which aligned_alloc and memset would not.
  void* memory = std::calloc(bytes + alignment, 1);
  if (memory == nullptr)
    throw_too_large(dtype, shape, "does not fit into memory");
  tensor.owner = std::shared_ptr<const void>(memory, [](const void* p) { std::free(const_cast<void*>(p)); });
  std::size_t space = bytes + alignment;
  tensor.view.data = static_cast<std::byte*>(std::align(alignment, bytes, memory, space));
  return tensor;
}

Tensor Tensor::contiguous() const {
  Tensor copy = zeros(view.dtype, view.dims());
  if (view.size() == 0)
    return copy;
  if (view.is_contiguous()) {
    std::memcpy(copy.view.data, view.data, static_cast<std::size_t>(view.size()) * byte_size(view.dtype));
  } else {
    std::byte* to = copy.view.data;
    copy_dense(view, 0, view.data, to);
  }
  return copy;
}

double load_element(const TensorView& view, std::int64_t linear_index) {
  const std::byte* from = element(view, linear_index);
  switch (view.dtype) {
    case DType::f64: return read<double>(from);
    case DType::f32: return read<float>(from);
    case DType::f16: return f16_to_f32(read<std::uint16_t>(from));
    case DType::bf16: return bf16_to_f32(read<std::uint16_t>(from));
    case DType::f8e4m3: return f8e4m3_to_f32(read<std::uint8_t>(from));
    case DType::f8e4m3fnuz: return f8e4m3fnuz_to_f32(read<std::uint8_t>(from));
    case DType::f8e5m2: return f8e5m2_to_f32(read<std::uint8_t>(from));
    default: return static_cast<double>(load_integer(view, linear_index));
  }
}

std::int64_t load_integer(const TensorView& view, std::int64_t linear_index) {
  const std::byte* from = element(view, linear_index);
  switch (view.dtype) {
    case DType::i64: return read<std::int64_t>(from);
    case DType::i32: return read<std::int32_t>(from);
    case DType::i16: return read<std::int16_t>(from);
    case DType::i8: return read<std::int8_t>(from);
    case DType::u8: return read<std::uint8_t>(from);
    case DType::boolean: return read<std::uint8_t>(from) != 0 ? 1 : 0;
    default: internal_error("load_integer reads integer and bool tensors only");
  }
}

void store_element(const TensorView& view, std::int64_t linear_index, double value) {
  std::byte* to = element(view, linear_index);
  switch (view.dtype) {
    case DType::f64: return write(to, value);
    case DType::f32: return write(to, static_cast<float>(value));
    case DType::f16: return write(to, f64_to_f16(value));
    case DType::bf16: return write(to, f64_to_bf16(value));
    case DType::f8e4m3: return write(to, f64_to_f8e4m3(value));
    case DType::f8e4m3fnuz: return write(to, f64_to_f8e4m3fnuz(value));
    case DType::f8e5m2: return write(to, f64_to_f8e5m2(value));
    case DType::i64: return write(to, truncate<std::int64_t>(value));
    case DType::i32: return write(to, truncate<std::int32_t>(value));
    case DType::i16: return write(to, truncate<std::int16_t>(value));
    case DType::i8: return write(to, truncate<std::int8_t>(value));
    case DType::u8: return write(to, truncate<std::uint8_t>(value));
    case DType::boolean: return write<std::uint8_t>(to, value != 0 ? 1 : 0);
  }
}

void store_integer(const TensorView& view, std::int64_t linear_index, std::int64_t value) {
  std::byte* to = element(view, linear_index);
  switch (view.dtype) {
    case DType::i64: return write(to, value);
    case DType::i32: return write(to, static_cast<std::int32_t>(value));
    case DType::i16: return write(to, static_cast<std::int16_t>(value));
    case DType::i8: return write(to, static_cast<std::int8_t>(value));
    case DType::u8: return write(to, static_cast<std::uint8_t>(value));
    case DType::boolean: return write<std::uint8_t>(to, value != 0 ? 1 : 0);
    default: internal_error("store_integer writes integer and bool tensors only");
  }
}

double round_to(DType dtype, double value) {
  switch (dtype) {
    case DType::f64: return value;
    case DType::f32: return static_cast<float>(value);
    case DType::f16: return f16_to_f32(f64_to_f16(value));
    case DType::bf16: return bf16_to_f32(f64_to_bf16(value));
    case DType::f8e4m3: return f8e4m3_to_f32(f64_to_f8e4m3(value));
    case DType::f8e4m3fnuz: return f8e4m3fnuz_to_f32(f64_to_f8e4m3fnuz(value));
    case DType::f8e5m2: return f8e5m2_to_f32(f64_to_f8e5m2(value));
    default: internal_error("round_to rounds to float dtypes only");
  }
}

}  // namespace tandem
