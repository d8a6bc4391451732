// Elements of strided tensors, one by one and in row-major order: what every reference kernel is written with.
//
// A kernel that computes reads elements as doubles or as 64-bit integers and writes each result once. A kernel that
// only moves elements re-reads its operands through another view (`window`, `permuted`, `broadcast_to`) and copies, bit
// by bit. Nothing here is fast.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <tandem/kernels/kernel.h>
#include <tandem/kernels/tensor.h>

namespace tandem::reference {

/// A position along each axis.
using Index = std::array<std::int64_t, max_rank>;

// --- one element
// -------------------------------------------------------------------------------------------------------

/// A view of rank 0 on the element at `index`; axes beyond the view's rank are not looked at.
TensorView element(const TensorView& view, const Index& index);

double read_real(const TensorView& element);
/// Of an integer or bool element.
std::int64_t read_integer(const TensorView& element);
/// Whether an element of any dtype is not zero; NaN is not.
bool read_truth(const TensorView& element);

/// Rounds to nearest even where the element is a float; elsewhere towards zero, into the dtype's range, and NaN to 0.
/// For bool, what is not zero is true.
void write_real(const TensorView& element, double value);
/// Keeps the low bits where the element is an integer; elsewhere rounds to nearest even, once. For bool, what is not
/// zero is true.
void write_integer(const TensorView& element, std::int64_t value);

// --- all elements
// ------------------------------------------------------------------------------------------------------

/// Walks over a view in row-major order.
class Cursor {
 public:
  explicit Cursor(const TensorView& view) : view_(view), element_(element(view, {})) {}
  /// The element at hand, as a view of rank 0.
  const TensorView& operator*() const { return element_; }
  const Index& index() const { return index_; }
  void advance();

 private:
  TensorView view_;
  TensorView element_;
  Index index_{};
};

/// Calls `visit(element, index)` for each element in row-major order.
template <class Visit>
void for_each(const TensorView& view, Visit&& visit) {
  Cursor cursor(view);
  for (std::int64_t n = view.size(); n > 0; --n, cursor.advance())
    visit(*cursor, cursor.index());
}

/// Calls `visit(index)` with the first element of each line of `view` along an axis; a view without elements has none.
template <class Visit>
void for_each_line(const TensorView& view, std::size_t axis, Visit&& visit) {
  if (view.size() == 0)
    return;
  TensorView heads = view;
  heads.shape[axis] = 1;
  for_each(heads, [&](const TensorView&, const Index& first) { visit(first); });
}

std::vector<double> read_reals(const TensorView& view);
std::vector<std::int64_t> read_integers(const TensorView& view);
void write_reals(const TensorView& view, std::span<const double> values);
void write_integers(const TensorView& view, std::span<const std::int64_t> values);

/// Copies elements in row-major order, bit by bit. Both views have one dtype and as many elements.
void copy(const TensorView& from, const TensorView& to);

// --- other views of the same elements
// ------------------------------------------------------------------------------------

/// `length` elements along an axis: start, start + step, ...
TensorView window(const TensorView& view, std::size_t axis, std::int64_t start, std::int64_t length,
                  std::int64_t step = 1);
/// Axis i of the result is axis perm[i] of `view`.
TensorView permuted(const TensorView& view, std::span<const std::int64_t> perm);
/// `view` under a shape that it broadcasts to.
TensorView broadcast_to(const TensorView& view, std::span<const std::int64_t> shape);

// --- checks
// --------------------------------------------------------------------------------------------------------------

/// Throws Error "run.index" with the op's name in front.
[[noreturn]] void fail_index(const KernelCall& call, std::string_view message);

/// `index`, if it points into axis `axis` of operand `operand`. Throws Error "run.index" if not.
std::int64_t checked_index(const KernelCall& call, std::size_t operand, std::size_t axis, std::int64_t index);

/// An axis given as a negative number counts from the end.
inline std::size_t resolve_axis(std::int64_t axis, std::size_t rank) {
  return static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis);
}

}  // namespace tandem::reference
