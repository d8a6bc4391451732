// Checks that inference functions share.
#include <tandem/ir/ops/checks.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include <tandem/ir/context.h>

namespace tandem::inference {

namespace {

struct IntegerRange {
  std::int64_t min, max;
};

IntegerRange range_of(DType dtype) {
  switch (dtype) {
    case DType::i32: return {std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()};
    case DType::i16: return {std::numeric_limits<std::int16_t>::min(), std::numeric_limits<std::int16_t>::max()};
    case DType::i8: return {std::numeric_limits<std::int8_t>::min(), std::numeric_limits<std::int8_t>::max()};
    case DType::u8: return {0, std::numeric_limits<std::uint8_t>::max()};
    case DType::boolean: return {0, 1};
    default: return {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()};
  }
}

[[noreturn]] void fail_representable(const Inference& in, std::string_view name, std::string_view value, DType dtype) {
  const IntegerRange range = range_of(dtype);
  in.fail(cat("'", name, "' is ", value, ", which is no ", dtype, "; expected an integer from ", range.min, " to ",
              range.max));
}

bool all_equal(std::span<const Dim> a, std::span<const Dim> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

/// "'a'", "'a' and 'b'", "'a', 'b' and 'c'": operands [first, last).
std::string list_operands(const Inference& in, std::size_t first, std::size_t last) {
  std::string out;
  for (std::size_t i = first; i < last; ++i) {
    if (i != first)
      out += i + 1 == last ? " and " : ", ";
    out += cat("'", in.op.operand_name(i), "'");
  }
  return out;
}

}  // namespace

std::string describe(const Inference& in, std::size_t operand) {
  return cat("'", in.op.operand_name(operand), "' is ", in.operands[operand]);
}

void fail_operand(const Inference& in, std::size_t operand, std::string_view expected) {
  in.fail(cat(describe(in, operand), "; expected ", expected));
}

void require_float(const Inference& in, std::size_t operand) {
  if (!is_float(in.operands[operand].dtype))
    fail_operand(in, operand, "a float dtype");
}

void require_number(const Inference& in, std::size_t operand) {
  if (is_boolean(in.operands[operand].dtype))
    fail_operand(in, operand, "a float or integer dtype");
}

void require_integer(const Inference& in, std::size_t operand) {
  if (!is_integer(in.operands[operand].dtype))
    fail_operand(in, operand, "an integer dtype");
}

void require_same_dtype(const Inference& in, std::size_t a, std::size_t b) {
  if (in.operands[a].dtype == in.operands[b].dtype)
    return;
  in.fail(cat(describe(in, a), " and ", describe(in, b), "; expected one dtype, so cast one of them"));
}

void require_representable(const Inference& in, std::string_view name, double value, DType dtype) {
  if (is_float(dtype))
    return;
  const IntegerRange range = range_of(dtype);
  // As a double the largest int64 is 2^63, which is one too many.
  const bool inside = dtype == DType::i64
                          ? value >= -0x1p63 && value < 0x1p63
                          : value >= static_cast<double>(range.min) && value <= static_cast<double>(range.max);
  if (!inside || std::trunc(value) != value)
    fail_representable(in, name, to_string(Attribute::of(value)), dtype);
}

void require_representable(const Inference& in, std::string_view name, std::int64_t value, DType dtype) {
  if (is_float(dtype))
    return;
  const IntegerRange range = range_of(dtype);
  if (value < range.min || value > range.max)
    fail_representable(in, name, std::to_string(value), dtype);
}

void require_rank(const Inference& in, std::size_t operand, std::size_t rank) {
  if (in.operands[operand].shape.rank() != rank)
    fail_operand(in, operand, cat("rank ", rank));
}

void require_rank_at_least(const Inference& in, std::size_t operand, std::size_t rank) {
  if (in.operands[operand].shape.rank() < rank)
    fail_operand(in, operand, cat("rank ", rank, " or more"));
}

void require_dim(const Inference& in, std::size_t operand, std::size_t axis, Dim expected, std::string_view why) {
  const Dim dim = in.operands[operand].shape[axis];
  if (dim == expected)
    return;
  in.fail(cat(describe(in, operand), ", with ", dim, " as dim ", axis, "; expected ", expected, ", ", why));
}

void require_same_shape(const Inference& in, std::size_t a, std::size_t b) {
  if (in.operands[a].shape == in.operands[b].shape)
    return;
  in.fail(cat(describe(in, a), " and ", describe(in, b), "; expected one shape"));
}

bool provably_negative(Dim dim) {
  if (dim.is_constant())
    return dim.constant() < 0;
  if (!dim.symbol().empty())
    return false;
  return bounds(dim, [](Symbol) { return DimRange{}; }).max < 0;
}

void require_size(const Inference& in, std::string_view name, Dim size) {
  if (provably_negative(size))
    in.fail(cat("'", name, "' is ", size, "; a size cannot be negative"));
}

void require_sizes(const Inference& in, std::string_view name, std::span<const Dim> sizes) {
  for (std::size_t i = 0; i < sizes.size(); ++i)
    if (provably_negative(sizes[i]))
      in.fail(cat("'", name, "'[", i, "] is ", sizes[i], "; a size cannot be negative"));
}

void require_epsilon(const Inference& in, std::string_view name) {
  const double eps = in.attr(name).real();
  if (!std::isfinite(eps) || eps < 0)
    in.fail(cat("'", name, "' is ", in.attr(name), "; expected a finite number that is not negative"));
}

std::uint32_t axis_set(const Inference& in, std::string_view name, std::size_t rank) {
  const std::span<const Dim> axes = in.attr(name).dims().dims();
  if (rank > max_inferred_rank)
    in.fail(cat("an operand has rank ", rank, "; the most is ", max_inferred_rank));
  if (axes.empty() && rank != 0)
    in.fail(cat("'", name, "' is empty; expected the axes by number"));
  std::uint32_t set = 0;
  const auto signed_rank = static_cast<std::int64_t>(rank);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (!axes[i].is_constant())
      in.fail(cat("'", name, "'[", i, "] is ", axes[i], "; expected a constant"));
    const std::int64_t axis = axes[i].constant();
    if (axis < -signed_rank || axis >= signed_rank)
      in.fail(cat("'", name, "'[", i, "] is ", axis, ", which is no axis of rank ", rank));
    const std::uint32_t bit = 1U << static_cast<std::uint32_t>(axis < 0 ? axis + signed_rank : axis);
    if ((set & bit) != 0)
      in.fail(cat("'", name, "' names axis ", axis, " twice"));
    set |= bit;
  }
  return set;
}

void DimBuffer::fail_rank() const {
  in_.fail(cat("the result has a rank above ", max_inferred_rank, ", the most"));
}

void push_result(Inference& in, DType dtype, const DimBuffer& dims, Shape like) {
  for (std::size_t i = 0; i < dims.dims().size(); ++i)
    if (dims.dims()[i].is_constant() && dims.dims()[i].constant() < 0)
      in.fail(cat("dim ", i, " of the result would be ", dims.dims()[i], "; a size cannot be negative"));
  if (all_equal(dims.dims(), like.dims())) {
    in.result(dtype, like);
  } else {
    in.result(dtype, dims.dims());
  }
}

bool broadcast(std::span<const Dim> a, std::span<const Dim> b, DimBuffer& out, std::array<Dim, 2>& mismatch) {
  const std::size_t rank = std::max(a.size(), b.size());
  for (std::size_t i = 0; i < rank; ++i) {
    const bool has_a = i + a.size() >= rank;
    const bool has_b = i + b.size() >= rank;
    const Dim of_a = has_a ? a[i + a.size() - rank] : Dim(1);
    const Dim of_b = has_b ? b[i + b.size() - rank] : Dim(1);
    if (of_a == of_b || of_b.is(1)) {
      out.push(of_a);
    } else if (of_a.is(1)) {
      out.push(of_b);
    } else {
      mismatch = {of_a, of_b};
      return false;
    }
  }
  return true;
}

Shape broadcast_operands(const Inference& in, std::size_t first) {
  Shape shape = in.operands[first].shape;
  for (std::size_t i = first + 1; i < in.operands.size(); ++i) {
    const Shape other = in.operands[i].shape;
    if (other == shape || other.rank() == 0)
      continue;
    if (shape.rank() == 0) {
      shape = other;
      continue;
    }
    DimBuffer dims(in);
    std::array<Dim, 2> mismatch;
    if (!broadcast(shape.dims(), other.dims(), dims, mismatch)) {
      in.fail(cat(describe(in, i), ", which does not broadcast with ", shape, ", the shape of ",
                  list_operands(in, first, i), ": the dims ", mismatch[0], " and ", mismatch[1],
                  " are not provably equal, and neither is 1"));
    }
    if (all_equal(dims.dims(), shape.dims()))
      continue;
    shape = all_equal(dims.dims(), other.dims()) ? other : in.context.shape(dims.dims());
  }
  return shape;
}

bool broadcasts_to(std::span<const Dim> from, std::span<const Dim> to) {
  if (from.size() > to.size())
    return false;
  const std::size_t offset = to.size() - from.size();
  for (std::size_t i = 0; i < from.size(); ++i)
    if (from[i] != to[i + offset] && !from[i].is(1))
      return false;
  return true;
}

}  // namespace tandem::inference
