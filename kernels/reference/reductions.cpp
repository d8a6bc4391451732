// Reference kernels of reductions and scans. Over nothing a reduction gives its neutral element: 0, 1, the lowest or
// the highest value of the dtype, false, true; a mean gives NaN.
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include <tandem/kernels/reference/elements.h>
#include <tandem/kernels/reference/families.h>
#include <tandem/kernels/reference/wrapping.h>

namespace tandem::reference {

namespace {

/// `y` with the axes of `x` that a reduction left out put back, with stride 0: the result element that each x goes
/// into.
TensorView spread_over(const TensorView& y, const TensorView& x, const std::vector<bool>& reduced, bool keepdims) {
  TensorView out = x;
  out.data = y.data;
  out.dtype = y.dtype;
  std::size_t axis_of_y = 0;
  for (std::size_t i = 0; i < x.rank; ++i) {
    out.strides[i] = reduced[i] ? 0 : y.strides[axis_of_y];
    if (!reduced[i] || keepdims)
      ++axis_of_y;
  }
  return out;
}

std::vector<bool> reduced_axes(const KernelCall& call, std::size_t rank) {
  std::vector<bool> reduced(rank, false);
  for (std::int64_t axis : call.dims("axes"))
    reduced[resolve_axis(axis, rank)] = true;
  return reduced;
}

/// Folds the elements of each group in order, starting from `neutral`; T is double or int64.
template <class T, class Read, class Fold>
std::vector<T> reduce(const KernelCall& call, T neutral, Read read, Fold fold) {
  const TensorView& x = call.operands[0];
  std::vector<T> totals(static_cast<std::size_t>(call.results[0].size()), neutral);
  constexpr DType dtype = std::is_same_v<T, double> ? DType::f64 : DType::i64;
  const TensorView y = make_view(totals.data(), dtype, call.results[0].dims());
  Cursor total(spread_over(y, x, reduced_axes(call, x.rank), call.attr("keepdims").boolean()));
  for_each(x, [&](const TensorView& e, const Index&) {
    T* t = (*total).template as<T>();
    *t = fold(*t, read(e));
    total.advance();
  });
  return totals;
}

/// A reduction of floats as doubles and of integers as int64.
template <class Real, class Integer>
KernelFn reduction(double real_neutral, Real real, std::int64_t (*integer_neutral)(DType), Integer integer) {
  return [=](const KernelCall& call) {
    const TensorView& y = call.results[0];
    if (is_float(y.dtype)) {
      write_reals(y, reduce<double>(call, real_neutral, read_real, real));
    } else {
      write_integers(y, reduce<std::int64_t>(call, integer_neutral(y.dtype), read_integer, integer));
    }
  };
}

template <class Fold>
KernelFn test(bool neutral, Fold fold) {
  return [=](const KernelCall& call) {
    write_integers(call.results[0], reduce<std::int64_t>(call, neutral ? 1 : 0, read_truth, fold));
  };
}

std::int64_t lowest(DType dtype) {
  if (dtype == DType::u8 || dtype == DType::boolean)
    return 0;
  return std::numeric_limits<std::int64_t>::min() >> (64 - 8 * byte_size(dtype));
}
std::int64_t highest(DType dtype) {
  return dtype == DType::u8 ? 255 : ~lowest(dtype);
}

double larger(double a, double b) {
  return std::isnan(a) || a > b ? a : b;
}
double smaller(double a, double b) {
  return std::isnan(a) || a < b ? a : b;
}

void mean(const KernelCall& call) {
  std::vector<double> totals = reduce<double>(call, 0.0, read_real, [](double a, double b) { return a + b; });
  const TensorView& x = call.operands[0];
  const std::vector<bool> reduced = reduced_axes(call, x.rank);
  double count = 1;
  for (std::size_t i = 0; i < x.rank; ++i)
    if (reduced[i])
      count *= static_cast<double>(x.shape[i]);
  for (double& total : totals)
    total /= count;
  write_reals(call.results[0], totals);
}

/// The first element that beats all before it: `beats(a, b)` says that a is better. The first NaN beats everything.
template <class Beats>
KernelFn arg_reduction(Beats beats) {
  return [=](const KernelCall& call) {
    const TensorView& x = call.operands[0];
    const std::size_t axis = call.axis("axis", x.rank);
    const bool keepdims = call.attr("keepdims").boolean();
    const std::int64_t length = x.shape[axis];
    if (length == 0 && call.results[0].size() != 0)
      fail_index(call, "there are no elements along the axis");
    if (x.size() == 0)
      return;
    std::vector<bool> reduced(x.rank, false);
    reduced[axis] = true;
    const TensorView y = spread_over(call.results[0], x, reduced, keepdims);
    for_each_line(x, axis, [&](Index at) {
      std::int64_t best = 0;
      Index at_best = at;
      for (at[axis] = 1; at[axis] < length; ++at[axis]) {
        const TensorView e = element(x, at);
        const TensorView b = element(x, at_best);
        const bool better = is_float(x.dtype) ? !std::isnan(read_real(b)) &&
                                                    (std::isnan(read_real(e)) || beats(read_real(e), read_real(b)))
                                              : beats(read_integer(e), read_integer(b));
        if (!better)
          continue;
        best = at[axis];
        at_best = at;
      }
      write_integer(element(y, at_best), best);
    });
  };
}

void cumsum(const KernelCall& call) {
  const TensorView& x = call.operands[0];
  const TensorView& y = call.results[0];
  const std::size_t axis = call.axis("axis", x.rank);
  if (x.size() == 0)
    return;
  for_each_line(x, axis, [&](Index at) {
    double real = 0;
    std::int64_t integer = 0;
    for (at[axis] = 0; at[axis] < x.shape[axis]; ++at[axis]) {
      if (is_float(x.dtype)) {
        real += read_real(element(x, at));
        write_real(element(y, at), real);
      } else {
        integer = wrapping_add(integer, read_integer(element(x, at)));
        write_integer(element(y, at), integer);
      }
    }
  });
}

}  // namespace

void add_reductions(KernelTable& table) {
  using Int = std::int64_t;
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const auto zero = [](DType) { return Int{0}; };
  const auto one = [](DType) { return Int{1}; };
  table.add("sum", reduction(
                       0.0, [](double a, double b) { return a + b; }, zero, wrapping_add));
  table.add("prod", reduction(
                        1.0, [](double a, double b) { return a * b; }, one, wrapping_mul));
  table.add("reduce_max", reduction(-infinity, larger, lowest, [](Int a, Int b) { return a > b ? a : b; }));
  table.add("reduce_min", reduction(infinity, smaller, highest, [](Int a, Int b) { return a < b ? a : b; }));
  table.add("mean", mean);
  table.add("any", test(false, [](Int a, bool b) { return b ? Int{1} : a; }));
  table.add("all", test(true, [](Int a, bool b) { return b ? a : Int{0}; }));
  table.add("argmax", arg_reduction([](auto a, auto b) { return a > b; }));
  table.add("argmin", arg_reduction([](auto a, auto b) { return a < b; }));
  table.add("cumsum", cumsum);
}

}  // namespace tandem::reference
