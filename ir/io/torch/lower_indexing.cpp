// Reading and writing where index tensors say.
#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/torch/lower.h>

namespace tandem::torch::lower {

namespace {

/// Python's negative indices count from the end; nothing is added where none can be.
Value wrapped(Emitter& e, Value index, Dim length) {
  index = e.cast(index, DType::i64);
  if (e.is_nonnegative(index))
    return index;
  const Value negative = e.op(op::lt, {index, e.scalar(DType::i64, 0.0)});
  return e.where(negative, e.add(index, e.dim(length, DType::i64)), index);
}

/// What x[a, :, b] selects: the indexed axes, in front, and how the result's axes go back to where PyTorch has them.
struct Advanced {
  std::vector<std::int64_t> axes;  ///< Of x, indexed.
  std::vector<Value> indices;
  std::vector<std::int64_t> perm;  ///< Brings those axes to the front.
  std::size_t place = 0;           ///< Where the index's axes stand in the result.
  Dims index_shape;                ///< The indices, broadcast.
};

Advanced analyse(Call& call, Value x, const std::vector<Tensor>& indices) {
  Emitter& e = call.emit;
  Advanced a;
  std::vector<std::int64_t> others;
  for (std::size_t i = 0; i < e.rank(x); ++i) {
    if (i >= indices.size() || !indices[i]) {
      others.push_back(static_cast<std::int64_t>(i));
      continue;
    }
    const Value index = call.tensors.read(indices[i]);
    if (is_boolean(e.dtype(index)) || e.dtype(index) == DType::u8)
      call.unsupported("a mask as an index, whose result's size depends on the data");
    a.axes.push_back(static_cast<std::int64_t>(i));
    a.indices.push_back(wrapped(e, index, e.dims(x)[i]));
    a.index_shape = Emitter::broadcast(a.index_shape, e.dims(index));
  }
  if (indices.size() > e.rank(x) || a.axes.empty())
    throw Error("torch.argument", "the argument 'indices' does not fit the tensor");
  const bool adjacent = a.axes.back() - a.axes.front() + 1 == static_cast<std::int64_t>(a.axes.size());
  a.place = adjacent ? static_cast<std::size_t>(a.axes.front()) : 0;
  a.perm = a.axes;
  a.perm.insert(a.perm.end(), others.begin(), others.end());
  return a;
}

/// The order that moves the first `count` axes behind the `place` that follow them.
std::vector<std::int64_t> rotation(std::size_t rank, std::size_t count, std::size_t place) {
  std::vector<std::int64_t> perm;
  for (std::size_t i = 0; i < place; ++i)
    perm.push_back(static_cast<std::int64_t>(count + i));
  for (std::size_t i = 0; i < count; ++i)
    perm.push_back(static_cast<std::int64_t>(i));
  for (std::size_t i = count + place; i < rank; ++i)
    perm.push_back(static_cast<std::int64_t>(i));
  return perm;
}

std::vector<std::int64_t> inverse(const std::vector<std::int64_t>& perm) {
  std::vector<std::int64_t> out(perm.size());
  for (std::size_t i = 0; i < perm.size(); ++i)
    out[static_cast<std::size_t>(perm[i])] = static_cast<std::int64_t>(i);
  return out;
}

Dims shape_of(Emitter& e, Value v) {
  return Dims(e.dims(v).begin(), e.dims(v).end());
}

}  // namespace

void index(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  const Value x = call.real_value("self");
  const Advanced a = analyse(call, x, call.tensor_list("indices"));
  if (a.axes.size() == 1)
    return call.give(e.op(op::take, {x, a.indices[0]}, {{"axis", a.axes[0]}}));
  const Value picked = e.op(op::gather_nd, {e.transpose(x, a.perm), e.coordinates(a.indices)});
  call.give(e.transpose(picked, rotation(e.rank(picked), a.index_shape.size(), a.place)));
}

void index_put(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  const Value x = call.real_value("self");
  const std::vector<Tensor> indices = call.tensor_list("indices");
  const Value values = e.cast(call.real_value("values"), e.dtype(x));
  const bool accumulate = call.boolean("accumulate");
  // A single mask, with one value for all of its places, selects.
  std::size_t given = 0, at = 0;
  for (std::size_t i = 0; i < indices.size(); ++i)
    if (indices[i])
      ++given, at = i;
  if (given == 1 && is_boolean(e.dtype(call.tensors.read(indices[at])))) {
    Value mask = call.tensors.read(indices[at]);
    for (const Dim d : e.dims(values))
      if (!d.is(1))
        call.unsupported("a mask as an index together with a tensor of values");
    while (e.rank(mask) + at < e.rank(x))
      mask = e.unsqueeze(mask, e.rank(mask));
    const Value one = e.reshape(values, {});
    return call.give(e.where(mask, accumulate ? e.add(x, one) : one, x));
  }
  const Advanced a = analyse(call, x, indices);
  const Value front = e.transpose(x, a.perm);
  Dims shape = a.index_shape;
  const auto rest = e.dims(front).subspan(a.axes.size());
  shape.insert(shape.end(), rest.begin(), rest.end());
  // The values broadcast to the result of the same index, from where the axes of the index go to the front.
  const auto to_result = rotation(shape.size(), a.index_shape.size(), a.place);
  Dims result_shape;
  for (const std::int64_t i : to_result)
    result_shape.push_back(shape[static_cast<std::size_t>(i)]);
  const Value updates = e.transpose(e.expand(values, result_shape), inverse(to_result));
  const Value written =
      e.op(op::scatter_nd, {front, e.coordinates(a.indices), updates}, {{"mode", accumulate ? "add" : "set"}});
  call.give(e.transpose(written, inverse(a.perm)));
}

void index_select(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  const Value x = call.real_value("self");
  const auto axis = static_cast<std::int64_t>(call.axis("dim", e.rank(x)));
  Value index = call.value("index");
  if (e.rank(index) == 0)
    index = e.unsqueeze(index, 0);
  if (e.rank(x) == 0)
    return call.give(x);
  call.give(e.op(op::take, {x, index}, {{"axis", axis}}));
}

/// gather, and take_along_dim (number 1), whose operands broadcast.
void gather(Call& call, const Lowering& row) {
  Emitter& e = call.emit;
  Value x = call.real_value("self");
  Value index = call.value(row.number == 1.0 ? "indices" : "index");
  if (e.rank(x) == 0 || e.rank(index) == 0)
    call.unsupported("scalars");
  if (row.number == 1.0 && !call.has("dim"))
    call.unsupported("no axis");
  const std::size_t axis = call.axis("dim", e.rank(x));
  if (e.rank(x) != e.rank(index))
    throw Error("torch.argument", "'self' and 'index' differ in rank");
  for (std::size_t i = 0; i < e.rank(x); ++i) {
    if (i == axis)
      continue;
    if (row.number == 1.0) {
      const Dim d = Emitter::broadcast(e.dims(x)[i], e.dims(index)[i]);
      for (Value* v : {&x, &index}) {
        Dims shape = shape_of(e, *v);
        shape[i] = d;
        *v = e.expand(*v, shape);
      }
    } else if (e.dims(x)[i] != e.dims(index)[i]) {
      x = e.slice(x, i, 0, e.dims(index)[i]);
    }
  }
  if (row.number == 1.0)
    index = wrapped(e, index, e.dims(x)[axis]);
  call.give(e.op(op::gather, {x, index}, {{"axis", static_cast<std::int64_t>(axis)}}));
}

void take_flat(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  const Value x = call.real_value("self");
  Dim count = 1;
  for (const Dim d : e.dims(x))
    count = count * d;
  call.give(e.op(op::take, {e.reshape(x, {count}), wrapped(e, call.value("index"), count)}, {{"axis", 0}}));
}

Value scatter_along(Emitter& e, Value base, std::size_t axis, Value index, Value src, std::string_view mode) {
  // Only the corner of the base that the index spans is written, and only that of src is read.
  Value corner = base;
  for (std::size_t i = 0; i < e.rank(base); ++i) {
    const Dim n = e.dims(index)[i];
    if (i != axis && e.dims(base)[i] != n)
      corner = e.slice(corner, i, 0, n);
    if (e.dims(src)[i] != n)
      src = e.slice(src, i, 0, n);
  }
  Value written = e.op(op::scatter, {corner, index, src}, {{"axis", static_cast<std::int64_t>(axis)}, {"mode", mode}});
  // Back into the base, from the innermost slice outwards.
  std::vector<std::size_t> cut;
  for (std::size_t i = 0; i < e.rank(base); ++i)
    if (i != axis && e.dims(base)[i] != e.dims(index)[i])
      cut.push_back(i);
  for (std::size_t k = cut.size(); k-- > 0;) {
    Value outer = base;
    for (std::size_t j = 0; j < k; ++j)
      outer = e.slice(outer, cut[j], 0, e.dims(index)[cut[j]]);
    written = e.slice_update(outer, written, cut[k], 0, e.dims(index)[cut[k]]);
  }
  return written;
}

/// scatter.value, scatter.src, scatter_add, scatter.reduce, scatter_reduce.two
void scatter(Call& call, const Lowering& row) {
  enum Form { value, source, add, reduce, reduce_two };
  const auto form = static_cast<Form>(row.number);
  Emitter& e = call.emit;
  const Value x = call.real_value("self");
  const Value index = call.value("index");
  if (e.rank(x) == 0 || e.rank(x) != e.rank(index))
    call.unsupported("scalars, or ranks that differ");
  const std::size_t axis = call.axis("dim", e.rank(x));
  std::string_view mode = "set";
  if (form == add)
    mode = "add";
  if (form == reduce || form == reduce_two) {
    const std::string_view how = call.string("reduce");
    if (how != (form == reduce ? "add" : "sum"))
      call.unsupported(fmt::format("reduce '{}'", how));
    if (form == reduce_two && !call.boolean("include_self"))
      call.unsupported("include_self = False");
    mode = "add";
  }
  Value src;
  if (form == value)
    src = e.expand(materialize(e, call.operand("value"), {e.dtype(x)}), shape_of(e, index));
  else
    src = e.cast(call.real_value("src"), e.dtype(x));
  call.give(scatter_along(e, x, axis, index, src, mode));
}

/// index_add (number 1, with alpha) and index_copy: whole slices.
void index_add(Call& call, const Lowering& row) {
  Emitter& e = call.emit;
  const Value x = call.real_value("self");
  if (e.rank(x) == 0)
    call.unsupported("scalars");
  const std::size_t axis = call.axis("dim", e.rank(x));
  Value source = e.cast(call.real_value("source"), e.dtype(x));
  if (row.number == 1.0 && call.scalar("alpha").number() != 1.0) {
    Operand factor;
    factor.scalar = call.scalar("alpha");
    source = e.mul(source, materialize(e, factor, {e.dtype(x)}));
  }
  const Value index = e.cast(call.value("index"), DType::i64);
  const Dim n = e.rank(index) == 0 ? Dim(1) : e.dims(index)[0];
  const std::vector<std::int64_t> front = rotation(e.rank(x), axis, 1);
  const Value written =
      e.op(op::scatter_nd, {e.transpose(x, front), e.reshape(index, {n, 1}), e.transpose(source, front)},
           {{"mode", row.number == 1.0 ? "add" : "set"}});
  call.give(e.transpose(written, inverse(front)));
}

void index_fill(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  const Value x = call.real_value("self");
  if (e.rank(x) == 0)
    call.unsupported("scalars");
  const std::size_t axis = call.axis("dim", e.rank(x));
  const Value index = wrapped(e, call.value("index"), e.dims(x)[axis]);
  const Dim n = e.rank(index) == 0 ? Dim(1) : e.dims(index)[0];
  const std::vector<std::int64_t> front = rotation(e.rank(x), axis, 1);
  const Value turned = e.transpose(x, front);
  Dims shape = shape_of(e, turned);
  shape[0] = n;
  const Value fill = e.expand(materialize(e, call.operand("value"), {e.dtype(x)}), shape);
  call.give(e.transpose(e.op(op::scatter_nd, {turned, e.reshape(index, {n, 1}), fill}), inverse(front)));
}

/// searchsorted and bucketize (number 1) over one sorted vector: how many of its elements stand before the value.
void search_sorted(Call& call, const Lowering& row) {
  Emitter& e = call.emit;
  const Operand operands[] = {call.operand(row.number == 1.0 ? "boundaries" : "sorted_sequence"), call.operand("self")};
  const TorchType type = result_type(operands);
  const Value sorted = materialize(e, operands[0], type);
  if (e.rank(sorted) != 1)
    call.unsupported("several sorted sequences");
  if (row.number != 1.0 && call.has("sorter"))
    call.unsupported("a sorter");
  bool right = call.boolean("right");
  if (row.number != 1.0 && call.has("side"))
    right = call.string("side") == "right";
  const Value v = materialize(e, operands[1], type);
  const Value before = e.op(right ? op::le : op::lt, {sorted, e.unsqueeze(v, e.rank(v))});
  const Value count = e.reduce(op::sum, e.cast(before, DType::i64), {static_cast<std::int64_t>(e.rank(v))}, false);
  call.give(e.cast(count, call.boolean("out_int32") ? DType::i32 : DType::i64));
}

void one_hot(Call& call, const Lowering&) {
  const Dim classes = call.result_dims().back();
  call.give(call.emit.op(op::one_hot, {call.value("self")}, {{"classes", classes}}));
}

}  // namespace tandem::torch::lower
