// Elements of strided tensors.
#include <tandem/kernels/reference/elements.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include <tandem/ir/diagnostic.h>

namespace tandem::reference {

namespace {

/// The double next to `value` whose last bit says whether it is exact (1: it is not, "round to odd"). Rounding it to
/// any format of less than 52 bits gives what rounding `value` itself would.
double to_odd_double(std::int64_t value) {
  const std::uint64_t magnitude = value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  const int excess = std::numeric_limits<std::uint64_t>::digits - std::countl_zero(magnitude) - 53;
  if (excess <= 0)
    return static_cast<double>(value);
  const std::uint64_t lost = magnitude & ((std::uint64_t{1} << excess) - 1);
  const double rounded = std::ldexp(static_cast<double>((magnitude >> excess) | (lost != 0 ? 1U : 0U)), excess);
  return value < 0 ? -rounded : rounded;
}

template <class T>
std::int64_t saturate(double value) {
  if (std::isnan(value))
    return 0;
  // The bounds are powers of two (or 0), so that these comparisons are exact, for int64, too.
  if (value <= static_cast<double>(std::numeric_limits<T>::min()))
    return std::numeric_limits<T>::min();
  if (value >= std::ldexp(1.0, std::numeric_limits<T>::digits))
    return std::numeric_limits<T>::max();
  return static_cast<std::int64_t>(value);
}

template <class T>
void store_bits(std::byte* data, T value) {
  std::memcpy(data, &value, sizeof value);
}

}  // namespace

TensorView element(const TensorView& view, const Index& index) {
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < view.rank; ++i)
    offset += index[i] * view.strides[i];
  TensorView out;
  out.data = view.data + offset * static_cast<std::int64_t>(byte_size(view.dtype));
  out.dtype = view.dtype;
  return out;
}

double read_real(const TensorView& element) {
  return load_element(element, 0);
}

std::int64_t read_integer(const TensorView& element) {
  return load_integer(element, 0);
}

bool read_truth(const TensorView& element) {
  return is_float(element.dtype) ? read_real(element) != 0.0 : read_integer(element) != 0;
}

void write_real(const TensorView& element, double value) {
  switch (element.dtype) {
    case DType::i64: return write_integer(element, saturate<std::int64_t>(value));
    case DType::i32: return write_integer(element, saturate<std::int32_t>(value));
    case DType::i16: return write_integer(element, saturate<std::int16_t>(value));
    case DType::i8: return write_integer(element, saturate<std::int8_t>(value));
    case DType::u8: return write_integer(element, saturate<std::uint8_t>(value));
    case DType::boolean: return write_integer(element, value != 0.0 ? 1 : 0);
    default: return store_element(element, 0, value);
  }
}

void write_integer(const TensorView& element, std::int64_t value) {
  switch (element.dtype) {
    case DType::i64: return store_bits(element.data, value);
    case DType::i32: return store_bits(element.data, static_cast<std::int32_t>(value));
    case DType::i16: return store_bits(element.data, static_cast<std::int16_t>(value));
    case DType::i8: return store_bits(element.data, static_cast<std::int8_t>(value));
    case DType::u8: return store_bits(element.data, static_cast<std::uint8_t>(value));
    case DType::boolean: return store_bits(element.data, static_cast<std::uint8_t>(value != 0 ? 1 : 0));
    case DType::f64: return store_element(element, 0, static_cast<double>(value));
    default: return store_element(element, 0, to_odd_double(value));
  }
}

void Cursor::advance() {
  const auto bytes = static_cast<std::int64_t>(byte_size(view_.dtype));
  for (std::size_t axis = view_.rank; axis-- > 0;) {
    const std::int64_t step = view_.strides[axis] * bytes;
    if (++index_[axis] < view_.shape[axis]) {
      element_.data += step;
      return;
    }
    element_.data -= step * (view_.shape[axis] - 1);
    index_[axis] = 0;
  }
}

std::vector<double> read_reals(const TensorView& view) {
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(view.size()));
  for_each(view, [&](const TensorView& e, const Index&) { values.push_back(read_real(e)); });
  return values;
}

std::vector<std::int64_t> read_integers(const TensorView& view) {
  std::vector<std::int64_t> values;
  values.reserve(static_cast<std::size_t>(view.size()));
  for_each(view, [&](const TensorView& e, const Index&) { values.push_back(read_integer(e)); });
  return values;
}

void write_reals(const TensorView& view, std::span<const double> values) {
  std::size_t i = 0;
  for_each(view, [&](const TensorView& e, const Index&) { write_real(e, values[i++]); });
}

void write_integers(const TensorView& view, std::span<const std::int64_t> values) {
  std::size_t i = 0;
  for_each(view, [&](const TensorView& e, const Index&) { write_integer(e, values[i++]); });
}

void copy(const TensorView& from, const TensorView& to) {
  if (from.dtype != to.dtype || from.size() != to.size())
    internal_error("a kernel copies between unlike tensors");
  const std::size_t bytes = byte_size(from.dtype);
  Cursor source(from);
  for_each(to, [&](const TensorView& e, const Index&) {
    std::memmove(e.data, (*source).data, bytes);
    source.advance();
  });
}

TensorView window(const TensorView& view, std::size_t axis, std::int64_t start, std::int64_t length,
                  std::int64_t step) {
  TensorView out = view;
  out.data += start * view.strides[axis] * static_cast<std::int64_t>(byte_size(view.dtype));
  out.shape[axis] = length;
  out.strides[axis] = view.strides[axis] * step;
  return out;
}

TensorView permuted(const TensorView& view, std::span<const std::int64_t> perm) {
  TensorView out = view;
  for (std::size_t i = 0; i < perm.size(); ++i) {
    out.shape[i] = view.shape[static_cast<std::size_t>(perm[i])];
    out.strides[i] = view.strides[static_cast<std::size_t>(perm[i])];
  }
  return out;
}

TensorView broadcast_to(const TensorView& view, std::span<const std::int64_t> shape) {
  TensorView out;
  out.data = view.data;
  out.dtype = view.dtype;
  out.rank = static_cast<std::uint8_t>(shape.size());
  const std::size_t added = shape.size() - view.rank;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    out.shape[i] = shape[i];
    const bool stretched = i < added || view.shape[i - added] == 1;
    out.strides[i] = stretched ? 0 : view.strides[i - added];
    if (!stretched && view.shape[i - added] != shape[i])
      internal_error("a kernel broadcasts to a shape that does not fit");
  }
  return out;
}

void fail_index(const KernelCall& call, std::string_view message) {
  throw Error("run.index", call.op.name + ": " + std::string(message));
}

std::int64_t checked_index(const KernelCall& call, std::size_t operand, std::size_t axis, std::int64_t index) {
  const std::int64_t length = call.operands[operand].shape[axis];
  if (index >= 0 && index < length)
    return index;
  fail_index(call, "index " + std::to_string(index) + " is out of range for axis " + std::to_string(axis) + " of '" +
                       call.op.operand_name(operand) + "', which has " + std::to_string(length) +
                       " elements; expected an index from 0, below that");
}

}  // namespace tandem::reference
