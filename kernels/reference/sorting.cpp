// Reference kernels of sort and topk: a stable sort of each line, in which NaN is larger than all else.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tandem/kernels/reference/elements.h>
#include <tandem/kernels/reference/families.h>
#include <tandem/kernels/torch_topk.h>

namespace tandem::reference {

namespace {

bool less(double a, double b) {
  return std::isnan(b) ? !std::isnan(a) : a < b;
}
bool less(std::int64_t a, std::int64_t b) {
  return a < b;
}

/// Where the elements of a sorted line stood before; equal ones keep their order.
template <class T>
std::vector<std::int64_t> sorted_order(const std::vector<T>& line, bool descending) {
  std::vector<std::int64_t> order(line.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t i, std::int64_t j) {
    const T a = line[static_cast<std::size_t>(i)];
    const T b = line[static_cast<std::size_t>(j)];
    return descending ? less(b, a) : less(a, b);
  });
  return order;
}

/// Writes the first elements of each sorted line, as many as the results have places for.
void sort_lines(const KernelCall& call, std::size_t axis, bool descending) {
  const TensorView& x = call.operands[0];
  const TensorView& values = call.results[0];
  const TensorView& indices = call.results[1];
  for_each_line(x, axis, [&](Index at) {
    TensorView line;
    line.data = element(x, at).data;
    line.dtype = x.dtype;
    line.rank = 1;
    line.shape[0] = x.shape[axis];
    line.strides[0] = x.strides[axis];
    const std::vector<std::int64_t> order =
        is_float(x.dtype) ? sorted_order(read_reals(line), descending) : sorted_order(read_integers(line), descending);
    for (std::int64_t i = 0; i < values.shape[axis]; ++i) {
      at[axis] = i;
      const std::int64_t from = order[static_cast<std::size_t>(i)];
      copy(element(line, {from}), element(values, at));
      write_integer(element(indices, at), from);
    }
  });
}

/// As `sort_lines`, in PyTorch's order of equal elements.
template <class T>
void torch_lines(const KernelCall& call, std::size_t axis, std::int64_t k, bool sorted) {
  const TensorView& x = call.operands[0];
  std::vector<std::pair<T, std::int64_t>> line(static_cast<std::size_t>(x.shape[axis]));
  for_each_line(x, axis, [&](Index at) {
    for (std::int64_t i = 0; i < x.shape[axis]; ++i) {
      at[axis] = i;
      if constexpr (std::is_floating_point_v<T>)
        line[static_cast<std::size_t>(i)] = {read_real(element(x, at)), i};
      else
        line[static_cast<std::size_t>(i)] = {read_integer(element(x, at)), i};
    }
    torch_topk(std::span(line), k, call.attr("largest").boolean(), sorted);
    for (std::int64_t i = 0; i < k; ++i) {
      at[axis] = line[static_cast<std::size_t>(i)].second;
      const TensorView from = element(x, at);
      at[axis] = i;
      copy(from, element(call.results[0], at));
      write_integer(element(call.results[1], at), line[static_cast<std::size_t>(i)].second);
    }
  });
}

void sort(const KernelCall& call) {
  sort_lines(call, call.axis("axis", call.operands[0].rank), call.attr("descending").boolean());
}

void topk(const KernelCall& call) {
  const TensorView& x = call.operands[0];
  const std::size_t axis = call.axis("axis", x.rank);
  const std::int64_t k = call.dim("k");
  if (k < 0 || k > x.shape[axis])
    fail_index(call, "'k' is " + std::to_string(k) + ", out of range for axis " + std::to_string(axis) +
                         ", which has " + std::to_string(x.shape[axis]) + " elements");
  const std::string_view order = call.attr("order").string().view();
  if (order == "stable" || k == 0)
    return sort_lines(call, axis, call.attr("largest").boolean());
  if (is_float(x.dtype))
    torch_lines<double>(call, axis, k, order == "torch");
  else
    torch_lines<std::int64_t>(call, axis, k, order == "torch");
}

}  // namespace

void add_sorting(KernelTable& table) {
  table.add("sort", sort);
  table.add("topk", topk);
}

}  // namespace tandem::reference
