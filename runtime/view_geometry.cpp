// Strides of views.
#include <tandem/runtime/view_geometry.h>

#include <numeric>
#include <string>
#include <utility>

#include <fmt/format.h>

#include <tandem/ir/counted.h>
#include <tandem/ir/diagnostic.h>

namespace tandem {
namespace {

[[noreturn]] void fail(const KernelCall& call, const std::string& message) {
  throw Error("run.shape", fmt::format("{}: {}", call.op.name, message));
}

ViewGeometry same_as(const TensorView& x) {
  return {0, x.strides};
}

void split(const KernelCall& call, std::vector<ViewGeometry>& results) {
  const TensorView& x = call.operands[0];
  const std::size_t axis = call.axis("axis", x.rank);
  std::int64_t begin = 0;
  for (const TensorView& part : call.results) {
    ViewGeometry g = same_as(x);
    g.offset = begin * x.strides[axis];
    begin += part.shape[axis];
    results.push_back(g);
  }
  if (begin != x.shape[axis])
    fail(call,
         fmt::format("the sizes add up to {}, but axis {} has {}", begin, axis, counted(x.shape[axis], "element")));
}

void slice(const KernelCall& call, std::vector<ViewGeometry>& results) {
  const TensorView& x = call.operands[0];
  const std::size_t axis = call.axis("axis", x.rank);
  const std::int64_t start = call.dim("start"), end = call.dim("end"), step = call.attr("step").integer();
  if (start < 0 || start > end || end > x.shape[axis])
    fail(call, fmt::format("start {}, end {} do not lie in order within the {} of axis {}", start, end,
                           counted(x.shape[axis], "element"), axis));
  ViewGeometry g = same_as(x);
  g.offset = start * x.strides[axis];
  if (call.results[0].shape[axis] > 1)
    g.strides[axis] *= step;  // else the stride has no meaning and could overflow
  results.push_back(g);
}

void transpose(const KernelCall& call, std::vector<ViewGeometry>& results) {
  const TensorView& x = call.operands[0];
  const std::vector<std::int64_t> perm = call.dims("perm");
  ViewGeometry g;
  for (std::size_t i = 0; i < perm.size(); ++i) {
    const std::int64_t from = perm[i] < 0 ? perm[i] + x.rank : perm[i];
    g.strides[i] = x.strides[static_cast<std::size_t>(from)];
  }
  results.push_back(g);
}

void expand(const KernelCall& call, std::vector<ViewGeometry>& results) {
  const TensorView& x = call.operands[0];
  const TensorView& y = call.results[0];
  const std::size_t lead = static_cast<std::size_t>(y.rank - x.rank);
  ViewGeometry g;
  for (std::size_t i = 0; i < x.rank; ++i) {
    if (x.shape[i] != y.shape[lead + i] && x.shape[i] != 1)
      fail(call, fmt::format("axis {} of {} cannot become {}", i, counted(x.shape[i], "element"), y.shape[lead + i]));
    g.strides[lead + i] = x.shape[i] == y.shape[lead + i] ? x.strides[i] : 0;
  }
  results.push_back(g);
}

/// Both shapes are cut into runs of axes of equal products, from the left; a run of the source that lies evenly in
/// memory can be cut anew. (NumPy, `_attempt_nocopy_reshape`.)
bool reshape(const KernelCall& call, std::vector<ViewGeometry>& results) {
  const TensorView& x = call.operands[0];
  const TensorView& y = call.results[0];
  if (x.size() != y.size())
    fail(call, fmt::format("{} cannot take a shape of {}", counted(x.size(), "element"), y.size()));
  ViewGeometry g;
  if (y.size() == 0) {
    results.push_back(g);
    return true;
  }
  std::vector<std::int64_t> sizes, strides;  // of x, without axes of one element
  for (std::size_t i = 0; i < x.rank; ++i) {
    if (x.shape[i] == 1)
      continue;
    sizes.push_back(x.shape[i]);
    strides.push_back(x.strides[i]);
  }
  std::size_t from = 0, to = 0;
  while (from < sizes.size()) {
    std::size_t from_end = from, to_end = to;
    std::int64_t from_product = sizes[from_end++], to_product = y.shape[to_end++];
    while (from_product != to_product) {
      if (from_product < to_product)
        from_product *= sizes[from_end++];
      else
        to_product *= y.shape[to_end++];
    }
    for (std::size_t i = from; i + 1 < from_end; ++i)
      if (strides[i] != strides[i + 1] * sizes[i + 1])
        return false;
    std::int64_t stride = strides[from_end - 1];
    for (std::size_t i = to_end; i-- > to;) {
      g.strides[i] = stride;
      stride *= y.shape[i];
    }
    from = from_end;
    to = to_end;
  }
  results.push_back(g);  // axes of y beyond have one element
  return true;
}

}  // namespace

bool is_core_view(OpId op) {
  return op == op::split || op == op::slice || op == op::reshape || op == op::transpose || op == op::expand ||
         op == op::identity;
}

bool view_geometry(OpId op, const KernelCall& call, std::vector<ViewGeometry>& results) {
  results.clear();
  if (op == op::reshape)
    return reshape(call, results);
  if (op == op::split)
    split(call, results);
  else if (op == op::slice)
    slice(call, results);
  else if (op == op::transpose)
    transpose(call, results);
  else if (op == op::expand)
    expand(call, results);
  else if (op == op::identity)
    results.push_back(same_as(call.operands[0]));
  else
    internal_error("not a core view");
  return true;
}

}  // namespace tandem
