// topk: selection, then a sort of what was selected. Equal elements keep their order; NaN is larger than all.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tandem/ir/diagnostic.h>
#include <tandem/kernels/cpu/parallel.h>
#include <tandem/kernels/cpu/registry.h>
#include <tandem/kernels/cpu/row_io.h>
#include <tandem/kernels/cpu/scratch.h>
#include <tandem/kernels/cpu/tensor_rows.h>
#include <tandem/kernels/torch_topk.h>

namespace tandem::cpu {
namespace {

bool less(double a, double b) {
  return std::isnan(b) ? !std::isnan(a) : a < b;
}
bool less(std::int64_t a, std::int64_t b) {
  return a < b;
}

template <class T>
void topk_as(const KernelCall& call, std::size_t axis, std::int64_t k) {
  const TensorView& x = call.operands[0];
  const bool largest = call.attr("largest").boolean();
  const std::int64_t length = x.shape[axis];
  parallel_for(num_lines(x, axis), length * 8, [&](std::int64_t first, std::int64_t last) {
    T* values = scratch<T>(Scratch::a, length);
    auto* order = scratch<std::int64_t>(Scratch::b, length);
    T* chosen = scratch<T>(Scratch::c, k);
    const auto before = [&](std::int64_t i, std::int64_t j) {
      if (largest ? less(values[j], values[i]) : less(values[i], values[j]))
        return true;
      if (largest ? less(values[i], values[j]) : less(values[j], values[i]))
        return false;
      return i < j;
    };
    for (std::int64_t r = first; r < last; ++r) {
      load_row(line(x, axis, r), values);
      for (std::int64_t i = 0; i < length; ++i)
        order[i] = i;
      if (k < length)
        std::nth_element(order, order + k, order + length, before);
      std::sort(order, order + k, before);
      for (std::int64_t i = 0; i < k; ++i)
        chosen[i] = values[order[i]];
      store_row(line(call.results[0], axis, r), chosen);
      store_row(line(call.results[1], axis, r), order);
    }
  });
}

/// The same in PyTorch's order of equal elements.
template <class T>
void torch_topk_as(const KernelCall& call, std::size_t axis, std::int64_t k, bool sorted) {
  const TensorView& x = call.operands[0];
  const bool largest = call.attr("largest").boolean();
  const std::int64_t length = x.shape[axis];
  parallel_for(num_lines(x, axis), length * 8, [&](std::int64_t first, std::int64_t last) {
    T* values = scratch<T>(Scratch::a, length);
    auto* order = scratch<std::int64_t>(Scratch::b, k);
    std::vector<std::pair<T, std::int64_t>> elements(static_cast<std::size_t>(length));
    for (std::int64_t r = first; r < last; ++r) {
      load_row(line(x, axis, r), values);
      for (std::int64_t i = 0; i < length; ++i)
        elements[static_cast<std::size_t>(i)] = {values[i], i};
      torch_topk(std::span(elements), k, largest, sorted);
      for (std::int64_t i = 0; i < k; ++i) {
        values[i] = elements[static_cast<std::size_t>(i)].first;
        order[i] = elements[static_cast<std::size_t>(i)].second;
      }
      store_row(line(call.results[0], axis, r), values);
      store_row(line(call.results[1], axis, r), order);
    }
  });
}

void topk(const KernelCall& call) {
  const TensorView& x = call.operands[0];
  const std::size_t axis = call.axis("axis", x.rank);
  const std::int64_t k = call.dim("k");
  if (k < 0 || k > x.shape[axis])
    throw Error("run.index", "topk: k is " + std::to_string(k) + ", but axis " + std::to_string(axis) + " has " +
                                 std::to_string(x.shape[axis]) + " elements");
  if (k == 0 || x.size() == 0)
    return;
  const std::string_view order = call.attr("order").string().view();
  const bool stable = order == "stable", sorted = order == "torch";
  if (is_float(x.dtype))
    stable ? topk_as<double>(call, axis, k) : torch_topk_as<double>(call, axis, k, sorted);
  else
    stable ? topk_as<std::int64_t>(call, axis, k) : torch_topk_as<std::int64_t>(call, axis, k, sorted);
}

}  // namespace

void add_topk(Registry& r) {
  r.add("topk", topk);
}

}  // namespace tandem::cpu
