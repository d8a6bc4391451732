// Matrix products, convolution and attention.
#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/torch/lower.h>

namespace tandem::torch::lower {

namespace {

/// What `v` is the transpose of, for a matrix that is one; else null.
Value transposed_matrix(Emitter& e, Value v) {
  const Node def = e.graph().def_node(v);
  if (e.rank(v) != 2 || !def || e.graph().op(def) != op::transpose)
    return {};
  return e.graph().operand(def, 0);
}

/// The product of matrices. With a transposed second one it is what PyTorch's `linear` is decomposed into.
Value product(Emitter& e, Value a, Value b) {
  if (const Value weight = transposed_matrix(e, b))
    return e.op(op::linear, {a, weight});
  if (e.rank(a) == 3 && e.rank(b) == 3 && e.dims(a)[0] == e.dims(b)[0])
    return e.op(op::batch_matmul, {a, b});
  return e.op(op::matmul, {a, b});
}

/// matmul of any ranks: vectors become matrices with one row or column.
Value matmul_of(Emitter& e, Value a, Value b) {
  const bool row = e.rank(a) == 1, column = e.rank(b) == 1;
  if (e.rank(a) == 0 || e.rank(b) == 0)
    throw Error("torch.argument", "the product of a scalar");
  if (row)
    a = e.unsqueeze(a, 0);
  if (column)
    b = e.unsqueeze(b, 1);
  const Value out = product(e, a, b);
  if (!row && !column)
    return out;
  Dims shape(e.dims(out).begin(), e.dims(out).end());
  if (column)
    shape.pop_back();
  if (row)
    shape.erase(shape.end() - (column ? 1 : 2));
  return e.reshape(out, shape);
}

Value scaled(Emitter& e, Value v, const Scalar& factor) {
  if (factor.kind != Scalar::symbolic && factor.number() == 1.0)
    return v;
  Operand operand;
  operand.scalar = factor;
  return e.mul(v, materialize(e, operand, {e.dtype(v)}));
}

}  // namespace

void linear(Call& call, const Lowering&) {
  const Value x = call.real_value("input"), weight = call.real_value("weight");
  std::vector<Value> operands{x, weight};
  if (call.has("bias"))
    operands.push_back(call.real_value("bias"));
  call.give(call.emit.op(op::linear, operands));
}

/// matmul, mm, bmm, mv, dot: the second operand has several names.
void matmul(Call& call, const Lowering& row) {
  constexpr std::string_view names[] = {"other", "mat2", "vec", "tensor"};
  const Value b = call.real_value(names[static_cast<std::size_t>(row.number)]);
  call.give(matmul_of(call.emit, call.real_value("self"), b));
}

/// addmm (0), baddbmm (1), addmv (2)
void addmm(Call& call, const Lowering& row) {
  Emitter& e = call.emit;
  constexpr std::string_view first[] = {"mat1", "batch1", "mat"}, second[] = {"mat2", "batch2", "vec"};
  const auto form = static_cast<std::size_t>(row.number);
  const Value self = call.real_value("self"), a = call.real_value(first[form]), b = call.real_value(second[form]);
  const Scalar alpha = call.scalar("alpha"), beta = call.scalar("beta");
  const Value weight = transposed_matrix(e, b);
  if (weight && e.rank(self) == 1 && e.rank(a) == 2 && alpha.number() == 1.0 && beta.number() == 1.0 &&
      e.dims(self)[0] == e.dims(weight)[0] && e.dtype(self) == e.dtype(a))
    return call.give(e.op(op::linear, {a, weight, self}));
  const Value out = scaled(e, matmul_of(e, a, b), alpha);
  // With beta 0 PyTorch does not read self, not even a NaN in it.
  if (beta.number() == 0.0 && beta.kind != Scalar::symbolic)
    return call.give(out);
  call.give(e.add(scaled(e, e.cast(self, e.dtype(out)), beta), out));
}

void outer(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  const Operand operands[] = {call.operand("self"), call.operand("vec2")};
  const TorchType type = result_type(operands);
  call.give(e.mul(e.unsqueeze(materialize(e, operands[0], type), 1), materialize(e, operands[1], type)));
}

namespace {

/// The letters of one term of an equation.
std::string letters_of(std::string_view term) {
  std::string out;
  for (const char c : term)
    if (c != ' ')
      out += c;
  return out;
}

/// Sums over the axes whose letters `keep` has not, and orders the others as in `keep`.
Value reduce_to(Emitter& e, Value v, std::string letters, const std::string& keep) {
  std::vector<std::int64_t> gone;
  std::string left;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    if (keep.find(letters[i]) == std::string::npos)
      gone.push_back(static_cast<std::int64_t>(i));
    else
      left += letters[i];
  }
  if (!gone.empty())
    v = e.reduce(op::sum, v, gone, false);
  std::vector<std::int64_t> perm;
  for (const char c : keep)
    if (left.find(c) != std::string::npos)
      perm.push_back(static_cast<std::int64_t>(left.find(c)));
  return e.transpose(v, perm);
}

}  // namespace

/// One or two operands, each letter once in an operand: as one batched matrix product.
void einsum(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  const std::string_view equation = call.string("equation");
  const std::vector<Tensor> tensors = call.tensor_list("tensors");
  const std::size_t arrow = equation.find("->"), comma = equation.find(',');
  if (arrow == std::string_view::npos || equation.find('.') != std::string_view::npos || tensors.empty() ||
      tensors.size() > 2 || (comma == std::string_view::npos) != (tensors.size() == 1))
    call.unsupported(fmt::format("the equation '{}'", equation));
  const std::string out = letters_of(equation.substr(arrow + 2));
  std::string a = letters_of(equation.substr(0, std::min(comma, arrow)));
  std::string b = comma == std::string_view::npos ? "" : letters_of(equation.substr(comma + 1, arrow - comma - 1));
  std::map<char, Dim> size;
  std::vector<Value> values;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (!tensors[i] || tensors[i]->complex)
      call.unsupported("complex numbers");
    values.push_back(call.tensors.read(tensors[i]));
    const std::string& letters = i == 0 ? a : b;
    if (letters.size() != e.rank(values[i]))
      throw Error("torch.argument", "the equation does not fit its tensors");
    for (std::size_t d = 0; d < letters.size(); ++d) {
      if (letters.find(letters[d]) != d)
        call.unsupported(fmt::format("the equation '{}'", equation));
      const auto [it, fresh] = size.emplace(letters[d], e.dims(values[i])[d]);
      if (!fresh && it->second != e.dims(values[i])[d])
        call.unsupported("an equation that broadcasts");
    }
  }
  if (values.size() == 1)
    return call.give(reduce_to(e, values[0], a, out));
  const auto has = [](const std::string& s, char c) { return s.find(c) != std::string::npos; };
  std::string batch, rows, columns, summed;
  for (const char c : a) {
    if (has(b, c))
      (has(out, c) ? batch : summed) += c;
    else if (has(out, c))
      rows += c;
  }
  for (const char c : b)
    if (!has(a, c) && has(out, c))
      columns += c;
  const auto count = [&](const std::string& letters) {
    Dim n = 1;
    for (const char c : letters)
      n = n * size.at(c);
    return n;
  };
  const Value left =
      e.reshape(reduce_to(e, values[0], a, batch + rows + summed), {count(batch), count(rows), count(summed)});
  const Value right =
      e.reshape(reduce_to(e, values[1], b, batch + summed + columns), {count(batch), count(summed), count(columns)});
  const std::string order = batch + rows + columns;
  Dims shape;
  for (const char c : order)
    shape.push_back(size.at(c));
  call.give(reduce_to(e, e.reshape(e.op(op::batch_matmul, {left, right}), shape), order, out));
}

/// Contracts axes of one tensor with axes of the other.
void tensordot(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  const Value a = call.real_value("self"), b = call.real_value("other");
  std::vector<std::int64_t> in_a, in_b, order_a, order_b;
  for (const std::int64_t i : call.integers("dims_self"))
    in_a.push_back(static_cast<std::int64_t>(call.axis(i, e.rank(a))));
  for (const std::int64_t i : call.integers("dims_other"))
    in_b.push_back(static_cast<std::int64_t>(call.axis(i, e.rank(b))));
  Dim rows = 1, columns = 1, summed = 1;
  const auto contracted = [](const std::vector<std::int64_t>& axes, std::int64_t i) {
    return std::find(axes.begin(), axes.end(), i) != axes.end();
  };
  for (std::size_t i = 0; i < e.rank(a); ++i)
    if (!contracted(in_a, static_cast<std::int64_t>(i))) {
      order_a.push_back(static_cast<std::int64_t>(i));
      rows = rows * e.dims(a)[i];
    }
  for (const std::int64_t i : in_a)
    summed = summed * e.dims(a)[static_cast<std::size_t>(i)];
  order_a.insert(order_a.end(), in_a.begin(), in_a.end());
  order_b = in_b;
  for (std::size_t i = 0; i < e.rank(b); ++i)
    if (!contracted(in_b, static_cast<std::int64_t>(i))) {
      order_b.push_back(static_cast<std::int64_t>(i));
      columns = columns * e.dims(b)[i];
    }
  if (order_a.size() != e.rank(a) || order_b.size() != e.rank(b))
    throw Error("torch.argument", "an axis is named twice");
  const Value left = e.reshape(e.transpose(a, order_a), {rows, summed});
  const Value right = e.reshape(e.transpose(b, order_b), {summed, columns});
  call.give(e.reshape(product(e, left, right), call.result_dims()));
}

/// conv1d, conv2d, conv3d, and convolution.default (number 1).
void convolution(Call& call, const Lowering& row) {
  Emitter& e = call.emit;
  Value x = call.real_value("input");
  const Value weight = call.real_value("weight");
  if (row.number == 1.0 && call.boolean("transposed"))
    call.unsupported("transposed convolution");
  if (e.rank(weight) < 3)
    throw Error("torch.argument", "the argument 'weight' must have three axes or more");
  if (e.rank(x) + 1 == e.rank(weight))
    x = e.unsqueeze(x, 0);
  if (e.rank(weight) > 3) {
    const auto each = [&](std::string_view name) {
      std::vector<std::int64_t> out = call.integers(name);
      out.resize(e.rank(weight) - 2, out.at(0));
      return out;
    };
    Value out = convolve(call, x, weight, each("stride"), each("padding"), each("dilation"), call.integer("groups"));
    if (call.has("bias")) {
      Dims shape(e.rank(out) - 1, Dim(1));
      shape[0] = e.dims(weight)[0];
      out = e.add(out, e.reshape(call.real_value("bias"), shape));
    }
    return call.give(e.reshape(out, call.result_dims()));
  }
  const auto one = [&](std::string_view name) { return call.integers(name).at(0); };
  const std::int64_t stride = one("stride"), dilation = one("dilation"), groups = call.integer("groups");
  std::int64_t padding = 0;
  if (row.number == 2.0) {
    const std::string_view mode = call.string("padding");
    if (mode != "same" && mode != "valid")
      call.unsupported(fmt::format("padding '{}'", mode));
    if (mode == "same") {
      if (!e.dims(weight)[2].is_constant())
        call.unsupported("padding 'same' for a symbolic kernel");
      // The odd element goes to the end.
      const std::int64_t total = dilation * (e.dims(weight)[2].constant() - 1);
      x = e.op(op::pad, {x}, {{"low", Dims{0, 0, total / 2}}, {"high", Dims{0, 0, total - total / 2}}});
    }
  } else {
    padding = one("padding");
  }
  std::vector<Value> operands{x, weight};
  if (call.has("bias"))
    operands.push_back(call.real_value("bias"));
  Value out = e.op(op::conv1d, operands,
                   {{"stride", stride}, {"padding", padding}, {"dilation", dilation}, {"groups", groups}});
  call.give(e.reshape(out, call.result_dims()));
}

/// scaled_dot_product_attention
void attention(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  const Value q = call.real_value("query");
  Value k = call.real_value("key"), v = call.real_value("value");
  if (call.real("dropout_p") != 0.0)
    call.unsupported("dropout; export the model after model.eval()");
  const std::size_t rank = e.rank(q);
  if (rank < 2)
    throw Error("torch.argument", "the argument 'query' must have two axes or more");
  if (!e.dims(q).back().is_constant() && !call.has("scale"))
    call.unsupported("a symbolic head size without a scale");
  const double scale =
      call.has("scale") ? call.real("scale") : 1.0 / std::sqrt(static_cast<double>(e.dims(q).back().constant()));

  // Heads of k and v that serve several of q (enable_gqa), and leading dims that broadcast.
  const auto fit = [&](Value x) {
    Dims shape(e.dims(x).begin(), e.dims(x).end());
    if (call.boolean("enable_gqa") && rank >= 3 && shape[rank - 3] != e.dims(q)[rank - 3]) {
      const Dim heads = shape[rank - 3], times = floordiv(e.dims(q)[rank - 3], heads);
      Dims wide = shape;
      wide.insert(wide.begin() + static_cast<std::ptrdiff_t>(rank - 2), times);
      x = e.expand(e.unsqueeze(x, rank - 2), wide);
      shape[rank - 3] = heads * times;
      return e.reshape(x, shape);
    }
    for (std::size_t i = 0; i + 2 < rank && shape.size() == rank; ++i)
      shape[i] = Emitter::broadcast(shape[i], e.dims(q)[i]);
    return e.expand(x, shape);
  };
  k = fit(k);
  v = fit(v);
  const Dim m = e.dims(q)[rank - 2], n = e.dims(k)[rank - 2];
  std::vector<Value> operands{q, k, v};
  bool causal = call.boolean("is_causal");
  if (call.has("attn_mask")) {
    if (causal)
      call.unsupported("a mask together with is_causal");
    const Value mask = call.real_value("attn_mask");
    operands.push_back(is_boolean(e.dtype(mask)) ? mask : e.cast(mask, e.dtype(q)));
  } else if (causal && m != n) {
    // PyTorch aligns the first query with the first key; the op aligns the last ones.
    const Value rows = e.reshape(e.iota(m), {m, 1}), columns = e.reshape(e.iota(n), {1, n});
    operands.push_back(e.op(op::le, {columns, rows}));
    causal = false;
  }
  call.give(e.op(op::attention, operands, {{"scale", scale}, {"causal", causal}}));
}

/// transformers.grouped_mm_fallback and aten._grouped_mm: rows [offs[g-1], offs[g]) of the input times weight[g]; rows
/// beyond the last group are 0.
void grouped_mm(Call& call, const Lowering& row) {
  Emitter& e = call.emit;
  const bool aten = row.number == 1.0;
  const Value x = call.real_value(aten ? "self" : "input"), weight = call.real_value(aten ? "mat2" : "weight");
  if (e.rank(x) != 2 || e.rank(weight) != 3)
    call.unsupported("operands that are not [rows, K] and [groups, K, N]");
  if (aten && call.has("bias"))
    call.unsupported("a bias");
  const Value offs = e.cast(call.real_value("offs"), DType::i64);
  const Dim rows = e.dims(x)[0], groups = e.dims(weight)[0];
  // The group of row r: how many groups end at or before it.
  const Value at = e.reshape(e.iota(rows), {rows, 1});
  const Value ended = e.op(op::le, {e.reshape(offs, {1, groups}), at});
  const Value group = e.reduce(op::sum, e.cast(ended, DType::i64), {1}, false);
  const Value last = e.dim(groups - 1, DType::i64);
  const Value product = e.op(op::expert_linear, {x, e.swap_axes(weight, 1, 2), e.op(op::minimum, {group, last})});
  const Value inside = e.op(op::le, {e.reshape(group, {rows, 1}), last});
  call.give(e.where(inside, product, e.scalar(e.dtype(product), 0.0)));
}

void embedding(Call& call, const Lowering&) {
  const Value ids = call.value("indices");
  call.give(call.emit.op(op::embedding, {call.real_value("weight"), ids}));
}

}  // namespace tandem::torch::lower
