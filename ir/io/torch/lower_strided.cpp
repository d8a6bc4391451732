// Views of elements that lie anywhere: diagonals, strides, windows. And copies of a tensor in which a view is replaced.
#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/torch/lower.h>
#include <tandem/ir/io/torch/views.h>

namespace tandem::torch::lower {

namespace {

constexpr std::int64_t max_index_elements = std::int64_t{1} << 20;

}  // namespace

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
