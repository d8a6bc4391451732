// Views: other readings of the same memory. What is written through them reaches the tensor that they view.
#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/torch/lower.h>

namespace tandem::torch::lower {

namespace {

constexpr std::int64_t max_index_elements = std::int64_t{1} << 20;

View to_shape(Dims shape) {
  View v;
  v.shape = std::move(shape);
  return v;
}

View to_slice(std::size_t axis, Dim start, Dim end, std::int64_t step = 1) {
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

/// 0, 1, .. for all axes, that of pairs included.
std::vector<std::int64_t> identity_order(Call& call, const Tensor& t) {
  std::vector<std::int64_t> perm(dims_of(call, t).size());
  std::iota(perm.begin(), perm.end(), std::int64_t{0});
  return perm;
}

/// A position along an axis as Python writes it, from the end when negative.
Dim from_front(Dim position, Dim length) {
  return position.is_constant() && position.constant() < 0 ? length + position : position;
}

bool surely_at_least(Dim a, Dim b) {
  return bounds(a - b, [](Symbol) { return DimRange{}; }).min >= 0;
}

/// Where a slice starts and ends, clamped as Python does; `count` is its length as PyTorch traced it.
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

Value strided_index(Call& call, const Dims& sizes, const Dims& strides, Dim offset) {
  if (!offset.is_constant())
    call.unsupported("symbolic strides");
  std::int64_t count = 1;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (!sizes[i].is_constant() || !strides[i].is_constant())
      call.unsupported("symbolic strides");
    if (__builtin_mul_overflow(count, sizes[i].constant(), &count) || count < 0 || count > max_index_elements)
      call.unsupported(fmt::format("a strided view of more than {} elements", max_index_elements));
  }
  TensorLiteral literal{{DType::i64, call.emit.context().shape(sizes)}, {}};
  literal.data.resize(static_cast<std::size_t>(count) * sizeof(std::int64_t));
  std::vector<std::int64_t> at(sizes.size(), 0);
  for (std::int64_t n = 0; n < count; ++n) {
    std::int64_t position = offset.constant();
    for (std::size_t i = 0; i < at.size(); ++i) {
      std::int64_t along = 0;
      if (__builtin_mul_overflow(at[i], strides[i].constant(), &along) ||
          __builtin_add_overflow(position, along, &position))
        call.unsupported("strides beyond 64 bits");
    }
    for (std::size_t b = 0; b < sizeof position; ++b)
      literal.data[static_cast<std::size_t>(n) * sizeof position + b] =
          static_cast<std::byte>(static_cast<std::uint64_t>(position) >> (8 * b));
    for (std::size_t i = at.size(); i-- > 0;) {
      if (++at[i] < sizes[i].constant())
        break;
      at[i] = 0;
    }
  }
  return call.emit.op(op::constant, {}, {{"value", std::move(literal)}});
}

namespace {

Dims row_major(const Dims& sizes) {
  Dims strides(sizes.size(), Dim(1));
  for (std::size_t i = sizes.size(); i-- > 1;)
    strides[i - 1] = strides[i] * sizes[i];
  return strides;
}

View to_elements(Value index) {
  View v;
  v.kind = View::Kind::elements;
  v.index = index;
  return v;
}

View diagonal_view(Call& call, const Tensor& t) {
  if (t->complex)
    call.unsupported("complex numbers");
  const Dims sizes = dims_of(call, t), strides = row_major(sizes);
  const std::size_t a = call.axis("dim1", sizes.size()), b = call.axis("dim2", sizes.size());
  const std::int64_t offset = call.integer("offset");
  if (a == b || sizes.size() < 2)
    throw Error("torch.argument", "the diagonal needs two different axes");
  if (!sizes[a].is_constant() || !sizes[b].is_constant())
    call.unsupported("symbolic sizes");
  const std::int64_t rows = sizes[a].constant() - std::max<std::int64_t>(-offset, 0);
  const std::int64_t columns = sizes[b].constant() - std::max<std::int64_t>(offset, 0);
  Dims shape, steps;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (i == a || i == b)
      continue;
    shape.push_back(sizes[i]);
    steps.push_back(strides[i]);
  }
  shape.emplace_back(std::max<std::int64_t>(std::min(rows, columns), 0));
  steps.push_back(strides[a] + strides[b]);
  return to_elements(strided_index(call, shape, steps, offset >= 0 ? strides[b] * offset : strides[a] * -offset));
}

}  // namespace

void diagonal(Call& call, const Lowering&) {
  const Tensor self = call.tensor("self");
  call.give_view(self, diagonal_view(call, self));
}

void as_strided(Call& call, const Lowering&) {
  const Tensor self = call.tensor("self");
  const Dims sizes = dims_of(call, self);
  const Dims traced = call.strides("self"), natural = row_major(sizes);
  for (std::size_t i = 0; i < sizes.size(); ++i)
    if (!sizes[i].is(1) && (i >= traced.size() || traced[i] != natural[i]))
      call.unsupported("strides over a tensor that is itself strided");
  if (self->complex || !self->views.empty())
    call.unsupported("strides over a view");
  const Dims shape = call.dims("size"), strides = call.dims("stride");
  if (shape.size() != strides.size())
    throw Error("torch.argument", "'size' and 'stride' differ in length");
  call.give_view(self, to_elements(strided_index(call, shape, strides,
                                                 call.has("storage_offset") ? call.dim("storage_offset") : Dim(0))));
}

void unfold(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  const Tensor self = call.tensor("self");
  if (self->complex)
    call.unsupported("complex numbers");
  View v;
  v.kind = View::Kind::windows;
  v.axis = call.axis("dimension", call.rank(self));
  const Dim windows = call.result_dims().at(v.axis);
  v.index = e.add(e.reshape(e.iota(windows, 0, call.integer("step")), {windows, 1}), e.iota(call.integer("size")));
  call.give_view(self, std::move(v));
}

namespace {

/// A copy of self in which a view is replaced by src.
void scatter_into(Call& call, const Tensor& self, const View& first, const View* second) {
  const Tensor copy = Tensors::fresh(call.tensors.read(self), self->complex);
  Tensor target = call.tensors.view(copy, first);
  if (second != nullptr)
    target = call.tensors.view(target, *second);
  const Value src = call.emit.cast(call.value("src"), call.emit.dtype(call.tensors.read(self)));
  const auto shape = call.emit.dims(call.tensors.read(target));
  call.tensors.write(target, call.emit.expand(src, Dims(shape.begin(), shape.end())));
  call.give(copy);
}

}  // namespace

void slice_scatter(Call& call, const Lowering&) {
  const Tensor self = call.tensor("self");
  const std::size_t axis = call.axis("dim", call.rank(self));
  const std::int64_t step = call.integer("step");
  Dim start = 0, end = 0;
  slice_bounds(call, dims_of(call, self)[axis], dims_of(call, call.tensor("src")).at(axis), step, start, end);
  scatter_into(call, self, to_slice(axis, start, end, step), nullptr);
}

void select_scatter(Call& call, const Lowering&) {
  const Tensor self = call.tensor("self");
  const std::size_t axis = call.axis("dim", call.rank(self));
  Dims shape = dims_of(call, self);
  const Dim at = from_front(call.dim("index"), shape[axis]);
  shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
  const View drop = to_shape(std::move(shape));
  scatter_into(call, self, to_slice(axis, at, at + 1), &drop);
}

void diagonal_scatter(Call& call, const Lowering&) {
  const Tensor self = call.tensor("self");
  scatter_into(call, self, diagonal_view(call, self), nullptr);
}

}  // namespace tandem::torch::lower
