// What inference functions share: checks that fail in one wording, and result shapes built without the heap.
//
// Names of operands and texts of types are put together on failure only: the way of a correct graph allocates nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include <tandem/ir/op_table.h>

namespace tandem::inference {

/// The largest rank that inference handles.
inline constexpr std::size_t max_inferred_rank = 16;

// --- messages
// ----------------------------------------------------------------------------------------------------------

/// The parts of a message, one after another: text, integers, dims, shapes, types, dtypes.
template <class... Parts>
std::string cat(const Parts&... parts) {
  std::string out;
  const auto append = [&out](const auto& part) {
    using Part = std::decay_t<decltype(part)>;
    if constexpr (std::is_convertible_v<const Part&, std::string_view>) {
      out += std::string_view(part);
    } else if constexpr (std::is_integral_v<Part>) {
      out += std::to_string(part);
    } else {
      out += to_string(part);
    }
  };
  (append(parts), ...);
  return out;
}

/// "'x' is i64[T]"
std::string describe(const Inference& in, std::size_t operand);

/// Fails with "'x' is i64[T]; expected <expected>".
[[noreturn]] void fail_operand(const Inference& in, std::size_t operand, std::string_view expected);

// --- dtypes
// ------------------------------------------------------------------------------------------------------------

void require_float(const Inference& in, std::size_t operand);
/// A float or an integer, not a bool.
void require_number(const Inference& in, std::size_t operand);
void require_integer(const Inference& in, std::size_t operand);
void require_same_dtype(const Inference& in, std::size_t a, std::size_t b);
/// Fails when `value`, given as attribute `name`, is not a value of an integer or bool `dtype`. Floats round it.
void require_representable(const Inference& in, std::string_view name, double value, DType dtype);
void require_representable(const Inference& in, std::string_view name, std::int64_t value, DType dtype);

// --- shapes
// ------------------------------------------------------------------------------------------------------------

void require_rank(const Inference& in, std::size_t operand, std::size_t rank);
void require_rank_at_least(const Inference& in, std::size_t operand, std::size_t rank);
/// Fails when dim `axis` of an operand is not provably `expected`; `why` says what that is: "the last dim of 'x'".
void require_dim(const Inference& in, std::size_t operand, std::size_t axis, Dim expected, std::string_view why);
/// Fails when two operands do not have the same shape.
void require_same_shape(const Inference& in, std::size_t a, std::size_t b);

/// True when no assignment of non-negative integers to its symbols makes `dim` non-negative, as far as interval
/// arithmetic sees it.
bool provably_negative(Dim dim);
/// Fails when an attribute that is a size is provably negative.
void require_size(const Inference& in, std::string_view name, Dim size);
/// As above, for each of a list.
void require_sizes(const Inference& in, std::string_view name, std::span<const Dim> sizes);

/// Fails when the real attribute `name` is not what an epsilon can be: finite and not negative.
void require_epsilon(const Inference& in, std::string_view name);

/// Axes of a rank as a set of bits, from a list attribute of constants; negative ones count from the end. Fails on one
/// that is out of range, given twice or symbolic, and on an empty list where there are axes to name.
std::uint32_t axis_set(const Inference& in, std::string_view name, std::size_t rank);

/// The dims of a result, on the stack.
class DimBuffer {
 public:
  explicit DimBuffer(const Inference& in) : in_(in) {}
  DimBuffer(const Inference& in, std::span<const Dim> dims) : in_(in) { append(dims); }

  void push(Dim dim) {
    if (size_ == max_inferred_rank)
      fail_rank();
    dims_[size_++] = dim;
  }
  void append(std::span<const Dim> dims) {
    for (Dim dim : dims)
      push(dim);
  }
  Dim& operator[](std::size_t i) { return dims_[i]; }
  std::span<const Dim> dims() const { return {dims_.data(), size_}; }

 private:
  [[noreturn]] void fail_rank() const;

  const Inference& in_;
  std::array<Dim, max_inferred_rank> dims_;
  std::size_t size_ = 0;
};

/// Adds a result, after a look for negative dims. Takes over `like` where the dims are the same: interning is dearer.
void push_result(Inference& in, DType dtype, const DimBuffer& dims, Shape like = {});

/// Appends the broadcast of `a` and `b` by NumPy's rule: aligned at their ends; dims equal, or one of them 1. False
/// when a pair is neither provably equal nor has a 1; then `mismatch` is that pair.
bool broadcast(std::span<const Dim> a, std::span<const Dim> b, DimBuffer& out, std::array<Dim, 2>& mismatch);

/// The broadcast of the shapes of all operands from `first` on.
Shape broadcast_operands(const Inference& in, std::size_t first = 0);

/// True when `from` broadcasts to exactly `to`.
bool broadcasts_to(std::span<const Dim> from, std::span<const Dim> to);

}  // namespace tandem::inference
