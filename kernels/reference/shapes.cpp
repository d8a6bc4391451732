// Reference kernels of ops that move elements without changing them: each reads or writes through another view, and
// copies. What symbolic sizes left open when types were inferred is checked here.
#include <string>

#include <tandem/kernels/reference/elements.h>
#include <tandem/kernels/reference/families.h>

namespace tandem::reference {

namespace {

void split(const KernelCall& call) {
  const TensorView& x = call.operands[0];
  const std::size_t axis = call.axis("axis", x.rank);
  std::int64_t start = 0;
  for (const TensorView& part : call.results) {
    const std::int64_t length = part.shape[axis];
    if (length < 0 || length > x.shape[axis] - start)
      fail_index(call, "parts of " + std::to_string(length) + " elements do not fit into the " +
                           std::to_string(x.shape[axis]) + " of axis " + std::to_string(axis));
    copy(window(x, axis, start, length), part);
    start += length;
  }
}

void slice(const KernelCall& call) {
  const TensorView& x = call.operands[0];
  const std::size_t axis = call.axis("axis", x.rank);
  const std::int64_t start = call.dim("start");
  const std::int64_t end = call.dim("end");
  const std::int64_t length = x.shape[axis];
  if (start < 0 || start > end || end > length)
    fail_index(call, "elements " + std::to_string(start) + " to " + std::to_string(end) +
                         " are out of range for axis " + std::to_string(axis) + ", which has " +
                         std::to_string(length) + " elements");
  const TensorView& y = call.results[0];
  copy(window(x, axis, start, y.shape[axis], call.attr("step").integer()), y);
}

void concat(const KernelCall& call) {
  const TensorView& y = call.results[0];
  const std::size_t axis = call.axis("axis", y.rank);
  std::int64_t start = 0;
  for (const TensorView& part : call.operands) {
    copy(part, window(y, axis, start, part.shape[axis]));
    start += part.shape[axis];
  }
}

void transpose(const KernelCall& call) {
  copy(permuted(call.operands[0], call.dims("perm")), call.results[0]);
}

void expand(const KernelCall& call) {
  copy(broadcast_to(call.operands[0], call.results[0].dims()), call.results[0]);
}

void pad(const KernelCall& call) {
  const TensorView& x = call.operands[0];
  const TensorView& y = call.results[0];
  const double value = call.attr("value").real();
  for_each(y, [&](const TensorView& e, const Index&) { write_real(e, value); });
  const std::vector<std::int64_t> low = call.dims("low");
  TensorView inner = y;
  for (std::size_t i = 0; i < low.size(); ++i) {
    if (low[i] < 0 || low[i] > y.shape[i] - x.shape[i])
      fail_index(call, "'low' or 'high' is negative for axis " + std::to_string(i));
    inner = window(inner, i, low[i], x.shape[i]);
  }
  copy(x, inner);
}

}  // namespace

void add_shapes(KernelTable& table) {
  // Row-major order is the same under both shapes.
  const KernelFn copy_elements = [](const KernelCall& call) { copy(call.operands[0], call.results[0]); };
  table.add("identity", copy_elements);
  table.add("reshape", copy_elements);
  table.add("split", split);
  table.add("slice", slice);
  table.add("concat", concat);
  table.add("transpose", transpose);
  table.add("expand", expand);
  table.add("pad", pad);
}

}  // namespace tandem::reference
