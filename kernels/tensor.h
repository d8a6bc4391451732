// Tensors with data: what kernels read and write.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <tandem/ir/dtype.h>
#include <tandem/ir/export.h>

namespace tandem {

/// The largest rank that kernels take. (PyTorch's exports stay below 8.)
inline constexpr std::size_t max_rank = 8;

/// A strided window on memory that somebody else owns. Strides count elements; 0 broadcasts.
struct TensorView {
  std::byte* data = nullptr;
  DType dtype = DType::f32;
  std::uint8_t rank = 0;
  std::array<std::int64_t, max_rank> shape{};
  std::array<std::int64_t, max_rank> strides{};

  std::span<const std::int64_t> dims() const { return {shape.data(), rank}; }
  /// Elements.
  std::int64_t size() const {
    std::int64_t n = 1;
    for (std::int64_t d : dims())
      n *= d;
    return n;
  }
  /// True when elements lie row-major without gaps.
  bool is_contiguous() const {
    std::int64_t expected = 1;
    for (std::size_t i = rank; i-- > 0;) {
      if (shape[i] != 1 && strides[i] != expected)
        return false;
      expected *= shape[i];
    }
    return true;
  }
  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(data);
  }
};

/// A row-major view of `data`. Throws Error "tensor.rank", "tensor.shape" (a negative dim) or "tensor.too-large".
TANDEM_RUNTIME_API TensorView make_view(void* data, DType dtype, std::span<const std::int64_t> shape);

/// A tensor that keeps its memory alive: its own, or a window on a mapped file.
struct Tensor {
  TensorView view;
  std::shared_ptr<const void> owner;

  /// Zero-filled, row-major, 64-byte aligned. Throws Error "tensor.too-large" beyond 2^46 bytes or where memory is
  /// short.
  TANDEM_RUNTIME_API static Tensor zeros(DType dtype, std::span<const std::int64_t> shape);
  /// A row-major copy.
  TANDEM_RUNTIME_API Tensor contiguous() const;
};

/// The element at a linear row-major index, as a double; integers beyond 2^53 lose bits (see `load_integer`).
TANDEM_RUNTIME_API double load_element(const TensorView& view, std::int64_t linear_index);
/// The element of an integer or bool tensor.
TANDEM_RUNTIME_API std::int64_t load_integer(const TensorView& view, std::int64_t linear_index);
/// Stores a double, rounded to the view's dtype (nearest even for floats, towards zero for integers). What an integer
/// dtype cannot hold becomes its nearest end, NaN becomes 0; as a bool, all but 0 is true.
TANDEM_RUNTIME_API void store_element(const TensorView& view, std::int64_t linear_index, double value);
/// Stores into an integer or bool tensor. What the dtype cannot hold loses its upper bits, as in C.
TANDEM_RUNTIME_API void store_integer(const TensorView& view, std::int64_t linear_index, std::int64_t value);

/// `value` rounded to a float dtype and back (nearest even). f16 and f8e5m2 overflow to infinity; f8e4m3 and f8e4m3fnuz
/// have none and overflow to NaN, as PyTorch's casts do.
TANDEM_RUNTIME_API double round_to(DType dtype, double value);

}  // namespace tandem
