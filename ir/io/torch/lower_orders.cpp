// What looks at the order of elements, or counts them: sorting, differences, histograms.
#include <fmt/format.h>

#include <tandem/ir/io/torch/lower.h>

namespace tandem::torch::lower {

void topk(Call& call, const Lowering&) {
  const Value v = call.real_value("self");
  const auto axis = static_cast<std::int64_t>(call.axis("dim", call.emit.rank(v)));
  if (call.emit.rank(v) == 0)
    call.unsupported("scalars");
  // Among equal elements PyTorch's choice is kept: scores that relu has made 0 decide which keys a query sees.
  const char* order = call.boolean("sorted") ? "torch" : "torch_unsorted";
  for (const Value part :
       call.emit.ops(op::topk, {v},
                     {{"k", call.dim("k")}, {"axis", axis}, {"largest", call.boolean("largest")}, {"order", order}}))
    call.give(part);
}

void sort(Call& call, const Lowering&) {
  const Value v = call.real_value("self");
  const auto axis = static_cast<std::int64_t>(call.axis("dim", call.emit.rank(v)));
  if (call.emit.rank(v) == 0)
    call.unsupported("scalars");
  for (const Value part : call.emit.ops(op::sort, {v}, {{"axis", axis}, {"descending", call.boolean("descending")}}))
    call.give(part);
}

void argsort(Call& call, const Lowering& row) {
  sort(call, row);
  call.results.erase(call.results.begin());
}

void diff(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  Value v = call.real_value("self");
  const std::size_t axis = call.axis("dim", e.rank(v));
  std::vector<Value> parts;
  if (call.has("prepend"))
    parts.push_back(e.cast(call.real_value("prepend"), e.dtype(v)));
  parts.push_back(v);
  if (call.has("append"))
    parts.push_back(e.cast(call.real_value("append"), e.dtype(v)));
  v = e.concat(parts, axis);
  const std::int64_t times = call.integer("n");
  if (times < 0 || times > 16)
    call.unsupported(fmt::format("differences of order {}", times));
  for (std::int64_t i = 0; i < times; ++i) {
    const Dim n = e.dims(v)[axis];
    const Value next = e.slice(v, axis, 1, n), before = e.slice(v, axis, 0, n - 1);
    v = is_boolean(e.dtype(v)) ? e.op(op::logical_xor, {next, before}) : e.sub(next, before);
  }
  call.give(v);
}

void histc(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  const Value v = call.real_value("self");
  const DType dtype = e.dtype(v);
  const std::int64_t bins = call.integer("bins");
  const double low = call.real("min"), high = call.real("max");
  if (!(low < high) || bins < 1)
    call.unsupported("bounds that depend on the data");
  Dim count = 1;
  for (const Dim d : e.dims(v))
    count = count * d;
  const Value x = e.reshape(e.cast(v, compute_dtype(dtype)), {count});
  const DType wide = e.dtype(x);
  // As PyTorch does it: floor((x - min) * bins / (max - min)), the largest into the last bin, others not at all. What
  // counts not goes into a bin beyond the last.
  const Value inside =
      e.op(op::logical_and, {e.op(op::ge, {x, e.scalar(wide, low)}), e.op(op::le, {x, e.scalar(wide, high)})});
  const Value scaled = e.div(e.mul(e.add(x, -low), static_cast<double>(bins)), e.scalar(wide, high - low));
  const Value bin = e.op(op::minimum, {e.cast(e.where(inside, scaled, e.scalar(wide, 0.0)), DType::i64),
                                       e.scalar(DType::i64, static_cast<double>(bins - 1))});
  const Value place = e.where(inside, bin, e.scalar(DType::i64, static_cast<double>(bins)));
  const Value counts = e.op(op::scatter, {e.full({bins + 1}, 0.0, DType::i64), place, e.full({count}, 1.0, DType::i64)},
                            {{"axis", 0}, {"mode", "add"}});
  call.give(e.cast(e.slice(counts, 0, 0, bins), dtype));
}

}  // namespace tandem::torch::lower
