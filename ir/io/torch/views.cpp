#include <tandem/ir/io/torch/views.h>

#include <algorithm>
#include <utility>

namespace tandem::torch::lower {

namespace {

bool surely_at_least(Dim a, Dim b) {
  return bounds(a - b, [](Symbol) { return DimRange{}; }).min >= 0;
}

}  // namespace

View to_shape(Dims shape) {
  View v;
  v.shape = std::move(shape);
  return v;
}

View to_slice(std::size_t axis, Dim start, Dim end, std::int64_t step) {
  View v;
  v.kind = View::Kind::slice;
  v.axis = axis;
  v.start = start;
  v.end = end;
  v.step = step;
  return v;
}

View to_order(std::vector<std::int64_t> perm) {
  View v;
  v.kind = View::Kind::transpose;
  v.perm = std::move(perm);
  return v;
}

Dims dims_of(Call& call, const Tensor& t) {
  const auto d = call.emit.dims(call.tensors.read(t));
  return Dims(d.begin(), d.end());
}

Dim from_front(Dim position, Dim length) {
  return position.is_constant() && position.constant() < 0 ? length + position : position;
}

void slice_bounds(Call& call, Dim length, Dim count, std::int64_t step, Dim& start, Dim& end) {
  start = call.has("start") ? from_front(call.dim("start"), length) : Dim(0);
  end = call.has("end") ? from_front(call.dim("end"), length) : length;
  if (start.is_constant() && start.constant() < 0)
    start = 0;
  if (start.is_constant() && length.is_constant())
    start = std::min(start.constant(), length.constant());
  if (start.is(Dim::max_constant))
    start = length;
  if (end.is(Dim::max_constant) || (end.is_constant() && length.is_constant() && end.constant() > length.constant()))
    end = length;
  if (end.is_constant() && start.is_constant() && end.constant() < start.constant())
    end = start;
  if (step != 1 || (start.is_constant() && end.is_constant() && length.is_constant()))
    return;
  // Where the sizes are symbolic, the trace has decided which bound holds.
  if (end - start != count) {
    if (length - start == count)
      end = length;
    else if (surely_at_least(length, start + count))
      end = start + count;
    else
      start = length - count, end = length;  // the start was before the first element
  }
}

}  // namespace tandem::torch::lower
