// Views: other readings of the same memory. What is written through them reaches the tensor that they view.
#include <algorithm>
#include <numeric>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/torch/lower.h>
#include <tandem/ir/io/torch/views.h>

namespace tandem::torch::lower {

namespace {

/// 0, 1, .. for all axes, that of pairs included.
std::vector<std::int64_t> identity_order(Call& call, const Tensor& t) {
  std::vector<std::int64_t> perm(dims_of(call, t).size());
  std::iota(perm.begin(), perm.end(), std::int64_t{0});
  return perm;
}

}  // namespace

bool can_view(const Dims& sizes, const Dims& strides, const Dims& new_sizes) {
  if (sizes.size() != strides.size())
    return false;
  for (const Dim d : sizes)
    if (d.is(0))
      return true;
  if (sizes.empty())
    return true;
  // From the back: runs of old axes that lie without gaps; each must hold whole new axes.
  std::size_t next = new_sizes.size();
  Dim base = strides.back(), run = 1, filled = 1;
  for (std::size_t i = sizes.size(); i-- > 0;) {
    run = run * sizes[i];
    if (i > 0 && (sizes[i - 1].is(1) || strides[i - 1] == run * base))
      continue;
    while (next > 0 && (filled != run || new_sizes[next - 1].is(1)))
      filled = filled * new_sizes[--next];
    if (filled != run)
      return false;
    if (i > 0)
      base = strides[i - 1];
    run = 1;
    filled = 1;
  }
  return next == 0;
}

void view(Call& call, const Lowering&) {
  const Tensor self = call.tensor("self");
  call.give_view(self, to_shape(call.result_dims()));
}

void reshape(Call& call, const Lowering&) {
  const Tensor self = call.tensor("self");
  Dims shape = call.result_dims();
  Dims plain = shape;
  if (self->complex)
    plain.pop_back();
  if (can_view(call.sizes("self"), call.strides("self"), plain))
    return call.give_view(self, to_shape(shape));
  call.give(call.emit.reshape(call.tensors.read(self), std::move(shape)), self->complex);
}

void permute(Call& call, const Lowering&) {
  const Tensor self = call.tensor("self");
  const std::size_t rank = call.rank(self);
  std::vector<std::int64_t> perm;
  for (const std::int64_t a : call.integers("dims"))
    perm.push_back(static_cast<std::int64_t>(call.axis(a, rank)));
  if (perm.size() != rank)
    throw Error("torch.argument", "the argument 'dims' must name every axis");
  if (self->complex)
    perm.push_back(static_cast<std::int64_t>(rank));
  call.give_view(self, to_order(std::move(perm)));
}

namespace {

void give_swapped(Call& call, const Tensor& self, std::size_t a, std::size_t b) {
  if (a == b)
    return call.give(Tensors::alias(self, self->complex));
  std::vector<std::int64_t> perm = identity_order(call, self);
  std::swap(perm[a], perm[b]);
  call.give_view(self, to_order(std::move(perm)));
}

}  // namespace

/// Two axes change places: dim0 and dim1 or (number 1: t, mT) the last two.
void transpose(Call& call, const Lowering& row) {
  const Tensor self = call.tensor("self");
  const std::size_t rank = call.rank(self);
  if (row.number == 1.0)
    return give_swapped(call, self, rank < 2 ? 0 : rank - 2, rank < 2 ? 0 : rank - 1);
  give_swapped(call, self, call.axis("dim0", rank), call.axis("dim1", rank));
}

void swap(Call& call, const Lowering&) {
  const Tensor self = call.tensor("self");
  give_swapped(call, self, call.axis("axis0", call.rank(self)), call.axis("axis1", call.rank(self)));
}

void reverse_axes(Call& call, const Lowering&) {
  const Tensor self = call.tensor("self");
  std::vector<std::int64_t> perm = identity_order(call, self);
  std::reverse(perm.begin(), perm.begin() + static_cast<std::ptrdiff_t>(call.rank(self)));
  call.give_view(self, to_order(std::move(perm)));
}

void movedim(Call& call, const Lowering&) {
  const Tensor self = call.tensor("self");
  const std::size_t rank = call.rank(self);
  const auto sources = call.integers("source"), targets = call.integers("destination");
  if (sources.size() != targets.size())
    throw Error("torch.argument", "'source' and 'destination' differ in length");
  std::vector<std::int64_t> perm(rank, -1);
  std::vector<bool> moved(rank);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const std::size_t from = call.axis(sources[i], rank);
    perm[call.axis(targets[i], rank)] = static_cast<std::int64_t>(from);
    moved[from] = true;
  }
  std::size_t next = 0;
  for (std::int64_t& p : perm) {
    if (p >= 0)
      continue;
    while (next < rank && moved[next])
      ++next;
    p = static_cast<std::int64_t>(next++);
  }
  if (self->complex)
    perm.push_back(static_cast<std::int64_t>(rank));
  call.give_view(self, to_order(std::move(perm)));
}

void expand(Call& call, const Lowering&) {
  const Tensor self = call.tensor("self");
  const Dims old = dims_of(call, self);
  Dims shape = call.result_dims();
  if (shape == old)
    return call.give(Tensors::alias(self, self->complex));
  View v = to_shape(std::move(shape));
  v.kind = View::Kind::expand;
  call.give_view(self, std::move(v));
}

void slice(Call& call, const Lowering&) {
  const Tensor self = call.tensor("self");
  const std::size_t axis = call.axis("dim", call.rank(self));
  const Dim length = dims_of(call, self)[axis];
  const std::int64_t step = call.integer("step");
  Dim start = 0, end = 0;
  slice_bounds(call, length, call.result_dims()[axis], step, start, end);
  call.give_view(self, to_slice(axis, start, end, step));
}

namespace {

Tensor selected(Call& call, const Tensor& t, std::size_t axis, Dim index) {
  Dims shape = dims_of(call, t);
  const Dim at = from_front(index, shape[axis]);
  shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
  return call.tensors.view(call.tensors.view(t, to_slice(axis, at, at + 1)), to_shape(std::move(shape)));
}

}  // namespace

void select(Call& call, const Lowering&) {
  const Tensor self = call.tensor("self");
  call.give(selected(call, self, call.axis("dim", call.rank(self)), call.dim("index")));
}

void narrow(Call& call, const Lowering&) {
  const Tensor self = call.tensor("self");
  const std::size_t axis = call.axis("dim", call.rank(self));
  const Dim start = from_front(call.dim("start"), dims_of(call, self)[axis]);
  call.give_view(self, to_slice(axis, start, start + call.dim("length")));
}

/// split, split_with_sizes, chunk, tensor_split: the parts' sizes are as traced. One `split` op where no part is
/// written.
void split(Call& call, const Lowering&) {
  const Tensor self = call.tensor("self");
  const std::size_t axis = call.axis("dim", call.rank(self));
  Dims sizes;
  for (std::size_t i = 0; i < call.num_results(); ++i)
    sizes.push_back(call.result_dims(i).at(axis));
  if (sizes.empty())
    throw Error("torch.argument", "a split without parts");
  const Value whole = call.tensors.read(self);
  if (sizes.size() == 1)
    return call.give(Tensors::alias(self, self->complex));
  const std::vector<Value> parts =
      call.emit.ops(op::split, {whole}, {{"axis", static_cast<std::int64_t>(axis)}, {"sizes", sizes}});
  Dim at = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    auto part = std::make_shared<TensorState>(*self);
    part->views.push_back(to_slice(axis, at, at + sizes[i]));
    part->value = parts[i];
    call.give(Tensor(std::move(part)));
    at = at + sizes[i];
  }
}

void unbind(Call& call, const Lowering&) {
  const Tensor self = call.tensor("self");
  const std::size_t axis = call.axis("dim", call.rank(self));
  for (std::size_t i = 0; i < call.num_results(); ++i)
    call.give(selected(call, self, axis, static_cast<std::int64_t>(i)));
}

}  // namespace tandem::torch::lower
