// Reductions over any axes: floats in double, integers in int64, each result rounded once.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

#include <tandem/kernels/cpu/parallel.h>
#include <tandem/kernels/cpu/registry.h>
#include <tandem/kernels/cpu/row_io.h>
#include <tandem/kernels/cpu/wrapping.h>

namespace tandem::cpu {
namespace {

constexpr std::int64_t chunk = 256;

/// Axes of a tensor with their strides; `offset` of an index that counts row-major over them.
struct Axes {
  std::array<std::int64_t, max_rank> shape{}, strides{};
  std::size_t rank = 0;
  std::int64_t size = 1;

  void add(std::int64_t length, std::int64_t stride) {
    shape[rank] = length;
    strides[rank++] = stride;
    size *= length;
  }
  std::int64_t offset(std::int64_t index) const {
    std::int64_t out = 0;
    for (std::size_t i = rank; i-- > 0 && index > 0;) {
      out += index % shape[i] * strides[i];
      index /= shape[i];
    }
    return out;
  }
};

/// A reduction taken apart. The innermost axis of x is either reduced (`across` false: each result is folded from rows)
/// or kept (`across` true: rows are folded into rows).
struct Shape {
  Axes kept_x, kept_y;                                  ///< Kept axes but the innermost, in both tensors.
  Axes reduced;                                         ///< Reduced axes but the innermost.
  std::int64_t length = 1, stride_x = 0, stride_y = 0;  ///< The innermost axis.
  bool across = false;
  std::int64_t count = 1;  ///< Elements that go into one result.
};

Shape shape_of(const KernelCall& call) {
  const TensorView& x = call.operands[0];
  const TensorView& y = call.results[0];
  std::array<bool, max_rank> is_reduced{};
  for (const Dim d : call.attr("axes").dims()) {
    const std::int64_t axis = call.bindings.value(d);
    is_reduced[static_cast<std::size_t>(axis < 0 ? axis + x.rank : axis)] = true;
  }
  const bool keepdims = call.attr("keepdims").boolean();
  std::size_t innermost = max_rank;
  for (std::size_t i = 0; i < x.rank; ++i)
    if (x.shape[i] != 1)
      innermost = i;
  Shape out;
  std::size_t axis_of_y = 0;
  for (std::size_t i = 0; i < x.rank; ++i) {
    const std::int64_t stride_y = is_reduced[i] ? 0 : y.strides[axis_of_y];
    if (!is_reduced[i] || keepdims)
      ++axis_of_y;
    if (is_reduced[i])
      out.count *= x.shape[i];
    if (i == innermost) {
      out.length = x.shape[i];
      out.stride_x = x.strides[i];
      out.stride_y = stride_y;
      out.across = !is_reduced[i];
    } else if (is_reduced[i]) {
      out.reduced.add(x.shape[i], x.strides[i]);
    } else {
      out.kept_x.add(x.shape[i], x.strides[i]);
      out.kept_y.add(x.shape[i], stride_y);
    }
  }
  return out;
}

Row part(const TensorView& x, std::int64_t offset, std::int64_t stride, std::int64_t count) {
  return {x.data + offset * static_cast<std::int64_t>(byte_size(x.dtype)), x.dtype, stride, count};
}

/// Each result from rows: eight running values, so that the sum does not wait for itself.
template <class T, class Fold, class Finish>
void fold_rows(const TensorView& x, const TensorView& y, const Shape& s, T neutral, Fold fold, Finish finish) {
  parallel_for(s.kept_x.size, s.count, [&](std::int64_t first, std::int64_t last) {
    T buffer[chunk];
    for (std::int64_t r = first; r < last; ++r) {
      T lanes[8];
      for (T& lane : lanes)
        lane = neutral;
      const std::int64_t base = s.kept_x.offset(r);
      for (std::int64_t o = 0; o < s.reduced.size && s.count > 0; ++o) {
        const std::int64_t row = base + s.reduced.offset(o);
        for (std::int64_t i = 0; i < s.length; i += chunk) {
          const std::int64_t n = std::min(chunk, s.length - i);
          const T* v = row_as(part(x, row + i * s.stride_x, s.stride_x, n), buffer);
          for (std::int64_t j = 0; j < n; ++j)
            lanes[j % 8] = fold(lanes[j % 8], v[j]);
        }
      }
      T total = lanes[0];
      for (int lane = 1; lane < 8; ++lane)
        total = fold(total, lanes[lane]);
      total = finish(total);
      store_row(part(y, s.kept_y.offset(r), 1, 1), &total);
    }
  });
}

/// Rows of results, each folded over rows.
template <class T, class Fold, class Finish>
void fold_across(const TensorView& x, const TensorView& y, const Shape& s, T neutral, Fold fold, Finish finish) {
  const std::int64_t chunks = (s.length + chunk - 1) / chunk;
  parallel_for(s.kept_x.size * chunks, s.count * std::min(chunk, s.length), [&](std::int64_t first, std::int64_t last) {
    T buffer[chunk], totals[chunk];
    for (std::int64_t item = first; item < last; ++item) {
      const std::int64_t r = item / chunks, i = item % chunks * chunk, n = std::min(chunk, s.length - i);
      std::fill_n(totals, n, neutral);
      const std::int64_t base = s.kept_x.offset(r) + i * s.stride_x;
      for (std::int64_t o = 0; o < s.reduced.size; ++o) {
        const T* v = row_as(part(x, base + s.reduced.offset(o), s.stride_x, n), buffer);
        for (std::int64_t j = 0; j < n; ++j)
          totals[j] = fold(totals[j], v[j]);
      }
      for (std::int64_t j = 0; j < n; ++j)
        totals[j] = finish(totals[j]);
      store_row(part(y, s.kept_y.offset(r) + i * s.stride_y, s.stride_y, n), totals);
    }
  });
}

template <class T, class Fold, class Finish>
void reduce(const KernelCall& call, const Shape& s, T neutral, Fold fold, Finish finish) {
  if (s.across)
    fold_across(call.operands[0], call.results[0], s, neutral, fold, finish);
  else
    fold_rows(call.operands[0], call.results[0], s, neutral, fold, finish);
}

constexpr auto as_is = [](auto v) { return v; };

bool reads_float(const KernelCall& call) {
  return is_float(call.operands[0].dtype);
}
/// Over nothing, and where a result dtype is not the operand's kind, the reference answers.
bool is_plain(const KernelCall& call) {
  return call.operands[0].size() > 0 && is_float(call.operands[0].dtype) == is_float(call.results[0].dtype);
}
bool has_elements(const KernelCall& call) {
  return call.operands[0].size() > 0;
}

template <class F, class G>
void add_fold(Registry& registry, std::string_view op, double neutral, F f, Int integer_neutral, G g) {
  registry.add(
      op,
      [=](const KernelCall& call) {
        const Shape s = shape_of(call);
        if (reads_float(call))
          reduce<double>(call, s, neutral, f, as_is);
        else
          reduce<Int>(call, s, integer_neutral, g, as_is);
      },
      is_plain);
}

template <class F>
void add_test(Registry& registry, std::string_view op, bool neutral, F f) {
  registry.add(
      op,
      [=](const KernelCall& call) {
        const Shape s = shape_of(call);
        if (reads_float(call))
          reduce<double>(call, s, neutral ? 1.0 : 0.0, f, as_is);
        else
          reduce<Int>(call, s, neutral ? 1 : 0, f, as_is);
      },
      has_elements);
}

void mean(const KernelCall& call) {
  const Shape s = shape_of(call);
  const auto count = static_cast<double>(s.count);
  reduce<double>(
      call, s, 0.0, [](double a, double b) { return a + b; }, [count](double v) { return v / count; });
}

}  // namespace

void add_reductions(Registry& r) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  add_fold(
      r, "sum", 0.0, [](double a, double b) { return a + b; }, 0,
      [](Int a, Int b) { return wrapped(unsigned_of(a) + unsigned_of(b)); });
  add_fold(
      r, "prod", 1.0, [](double a, double b) { return a * b; }, 1,
      [](Int a, Int b) { return wrapped(unsigned_of(a) * unsigned_of(b)); });
  add_fold(
      r, "reduce_max", -infinity, [](double a, double b) { return std::isnan(a) || a > b ? a : b; },
      std::numeric_limits<Int>::min(), [](Int a, Int b) { return a > b ? a : b; });
  add_fold(
      r, "reduce_min", infinity, [](double a, double b) { return std::isnan(a) || a < b ? a : b; },
      std::numeric_limits<Int>::max(), [](Int a, Int b) { return a < b ? a : b; });
  r.add("mean", mean, [](const KernelCall& call) { return is_plain(call) && reads_float(call); });
  add_test(r, "any", false, [](auto a, auto b) { return decltype(a)(a != 0 || b != 0); });
  add_test(r, "all", true, [](auto a, auto b) { return decltype(a)(a != 0 && b != 0); });
}

}  // namespace tandem::cpu
