#include <tandem/passes/pattern/check_proposals.h>

#include <algorithm>
#include <numeric>

namespace tandem {

namespace {

const TensorType* first_known(const PartialNode& node) {
  for (const auto& type : node.operands) {
    if (type)
      return &*type;
  }
  return nullptr;
}

Attribute attr(const PartialNode& node, std::string_view name) {
  const int i = node.op.find_attr(name);
  return i < 0 ? Attribute{} : node.attrs[static_cast<std::size_t>(i)];
}

/// `shape` with its last dim replaced.
Shape with_last(Context& context, Shape shape, Dim last) {
  std::vector<Dim> dims(shape.begin(), shape.end());
  if (dims.empty())
    dims.push_back(last);
  dims.back() = last;
  return context.shape(dims);
}

Dim total(std::span<const Dim> dims) {
  Dim sum = 0;
  for (Dim d : dims)
    sum = sum + d;
  return sum;
}

Shape random_shape(const PartialNode& node, CheckRandom& random) {
  std::vector<Dim> dims = propose_leading(random);
  dims.push_back(propose_dim(random, node.largest_dim, {}));
  return node.context.shape(dims);
}

Dim half(Dim d) {
  return mod(d, 2).is(0) ? floordiv(d, 2) : d;
}

/// Both operands of a product of matrices.
void propose_product(const PartialNode& node, std::size_t i, CheckRandom& random, std::vector<Shape>& out) {
  const std::string& op = node.op.name;
  const TensorType* x = node.operands[0] ? &*node.operands[0] : nullptr;
  const Dim n = propose_dim(random, node.largest_dim, {});
  if (x == nullptr || x->shape.rank() == 0)
    return;
  if (op == "linear" && i == 1)
    out.push_back(node.context.shape({n, x->shape.back()}));
  if (op == "linear" && i == 2 && node.operands[1])
    out.push_back(node.context.shape({node.operands[1]->shape[0]}));
  if ((op == "matmul" || op == "batch_matmul") && i == 1) {
    std::vector<Dim> dims(x->shape.begin(), x->shape.end());
    dims.back() = n;
    if (dims.size() >= 2)
      dims[dims.size() - 2] = x->shape.back();
    out.push_back(node.context.shape(dims));
    out.push_back(node.context.shape({x->shape.back(), n}));
  }
}

/// The divisors of a positive number.
std::vector<std::int64_t> divisors(std::int64_t n) {
  std::vector<std::int64_t> out;
  for (std::int64_t d = 1; d <= n; ++d) {
    if (n % d == 0)
      out.push_back(d);
  }
  return out;
}

std::vector<Attribute> propose_dims(const PartialNode& node, std::string_view name, CheckRandom& random) {
  Context& context = node.context;
  std::vector<Attribute> out;
  const auto add = [&](std::vector<Dim> dims) { out.push_back(Attribute::of(context.shape(dims))); };
  const TensorType* x = first_known(node);
  const std::size_t rank = x == nullptr ? 1 : x->shape.rank();
  if (name == "axes") {
    add({Dim(-1)});
    return out;
  }
  if (name == "perm") {
    std::vector<std::int64_t> perm(rank);
    std::iota(perm.begin(), perm.end(), std::int64_t{0});
    for (std::size_t i = rank; i > 1; --i)
      std::swap(perm[i - 1], perm[random.below(i)]);
    add(std::vector<Dim>(perm.begin(), perm.end()));
    return out;
  }
  if (name == "low" || name == "high") {
    add(std::vector<Dim>(rank, Dim(static_cast<std::int64_t>(random.below(3)))));
    return out;
  }
  if (x == nullptr) {
    add({});
    add({2, 3});
    return out;
  }
  const Shape shape = x->shape;
  if (name == "sizes") {
    const Dim last = rank == 0 ? Dim(0) : shape.back();
    if (last.is_constant() && last.constant() > 0) {
      const auto cut = static_cast<std::int64_t>(random.below(static_cast<std::size_t>(last.constant())));
      add({Dim(cut), last - Dim(cut)});
    }
    return out.empty() ? std::vector<Attribute>{Attribute::of(context.shape({last}))} : out;
  }
  add(std::vector<Dim>(shape.begin(), shape.end()));
  if (rank >= 1 && shape.back().is_constant() && shape.back().constant() > 0) {  // a reshape: the last axis cut in two
    const std::int64_t inner = random.pick(divisors(shape.back().constant()));
    std::vector<Dim> dims(shape.begin(), shape.end());
    dims.back() = Dim(shape.back().constant() / inner);
    dims.push_back(Dim(inner));
    add(dims);
  }
  if (rank >= 2) {  // the last two axes joined
    std::vector<Dim> dims(shape.begin(), shape.end() - 1);
    dims.back() = dims.back() * shape.back();
    add(dims);
  }
  std::vector<Dim> more(shape.begin(), shape.end());  // an expand: one more axis
  more.insert(more.begin(), Dim(2));
  add(more);
  return out;
}

}  // namespace

std::vector<Dim> propose_leading(CheckRandom& random) {
  constexpr std::int64_t sizes[] = {1, 2, 2, 3, 3, 4, 5, 0};
  std::vector<Dim> dims(random.below(3));
  for (Dim& d : dims)
    d = random.pick(sizes);
  return dims;
}

Dim propose_dim(CheckRandom& random, std::int64_t largest, std::span<const std::int64_t> palette) {
  if (!palette.empty() && random.percent(50)) {
    const std::int64_t base = random.pick(palette);
    const std::int64_t value = base * static_cast<std::int64_t>(1 + random.below(3));
    return value + (random.percent(20) ? 1 : 0) - (random.percent(20) && value > 0 ? 1 : 0);
  }
  constexpr std::int64_t sizes[] = {1, 2, 2, 3, 4, 4, 5, 6, 7, 8, 8, 12, 16, 16, 31, 64, 0};
  const std::int64_t chosen = random.pick(sizes);
  return chosen <= largest ? chosen : static_cast<std::int64_t>(random.below(static_cast<std::size_t>(largest) + 1));
}

std::vector<Shape> propose_shapes(const PartialNode& node, std::size_t i, CheckRandom& random) {
  std::vector<Shape> out;
  const std::string& op = node.op.name;
  Context& context = node.context;
  if (i == 0) {
    if (const Attribute sizes = attr(node, "sizes"); sizes && op == "split")
      out.push_back(with_last(context, random_shape(node, random), total(sizes.dims().dims())));
    if (const Attribute end = attr(node, "end"); end && op == "slice")
      out.push_back(with_last(context, random_shape(node, random), end.dim() + Dim(static_cast<int>(random.below(3)))));
    if (const Attribute shape = attr(node, "shape"); shape && (op == "reshape" || op == "expand"))
      out.push_back(shape.dims());
    if (const Attribute perm = attr(node, "perm")) {
      std::vector<Dim> dims;
      for (std::size_t k = 0; k < perm.dims().rank(); ++k)
        dims.push_back(Dim(static_cast<std::int64_t>(1 + random.below(4))));
      out.push_back(context.shape(dims));
    }
  }
  propose_product(node, i, random, out);
  if (!out.empty())
    return out;
  const TensorType* known = first_known(node);
  if (known == nullptr)
    return {random_shape(node, random)};
  const Shape shape = known->shape;
  if (op == "rope" || op == "fused_qk_norm_rope") {
    const Dim angles = i == 0 ? 2 * shape.back() : half(shape.rank() == 0 ? Dim(2) : shape.back());
    out.push_back(with_last(context, shape, angles));
    out.push_back(context.shape({angles}));
    std::vector<Dim> ones(shape.rank(), Dim(1));
    if (!ones.empty())
      ones.back() = angles;
    out.push_back(context.shape(ones));
    return out;
  }
  const bool norm = op.find("norm") != std::string::npos;
  if (norm && i > 0 && shape.rank() > 0)
    return {context.shape({shape.back()})};
  // Elementwise and the like: alike, or something that broadcasts to it.
  out.assign(3, shape);
  if (shape.rank() == 0)  // a constant, most often, and what it is applied to is more than one number
    std::generate(out.begin(), out.end(), [&] { return random_shape(node, random); });
  out.push_back({});
  if (shape.rank() > 0) {
    out.push_back(context.shape({shape.back()}));
    out.push_back(with_last(context, shape, 1));
  }
  if (op == "concat")
    out.assign(1, with_last(context, shape, propose_dim(random, node.largest_dim, {})));
  return out;
}

std::vector<DType> propose_dtypes(const PartialNode& node, std::size_t i) {
  const std::string name = node.op.operand_name(i);
  if (name == "index" || name == "ids" || name == "indices" || name == "experts")
    return {DType::i64};
  if (name == "condition")
    return {DType::boolean};
  if (const TensorType* known = first_known(node))
    return {known->dtype, known->dtype, DType::f32};
  return {DType::f32, DType::bf16, DType::f16};
}

std::vector<Attribute> propose_attribute(const PartialNode& node, std::size_t i, CheckRandom& random) {
  const AttrDef& def = node.op.attrs[i];
  const TensorType* x = first_known(node);
  const auto rank = static_cast<std::int64_t>(x == nullptr ? 1 : x->shape.rank());
  switch (def.kind) {
    case AttrKind::boolean: return {Attribute::of(false), Attribute::of(true)};
    case AttrKind::integer:
      if (def.name == "axis")
        return {Attribute::of(std::int64_t{-1}), Attribute::of(std::max<std::int64_t>(rank - 1, 0)),
                Attribute::of(std::int64_t{0})};
      return {Attribute::of(std::int64_t{1}), Attribute::of(std::int64_t{2}), Attribute::of(std::int64_t{0}),
              Attribute::of(std::int64_t{3})};
    case AttrKind::real:
      if (def.name.starts_with("eps"))
        return {Attribute::of(1e-6), Attribute::of(1e-5), Attribute::of(1e-3), Attribute::of(0.5)};
      return {Attribute::of(0.125), Attribute::of(1.0), Attribute::of(0.0), Attribute::of(-2.0)};
    case AttrKind::dtype:
      return {Attribute::of(DType::f32), Attribute::of(DType::bf16), Attribute::of(DType::f16),
              Attribute::of(DType::f8e4m3), Attribute::of(DType::i64)};
    case AttrKind::string: {
      std::vector<Attribute> out;
      for (std::string_view text : {"set", "add", "stable", "torch"})
        out.push_back(Attribute::of(node.context.intern(text)));
      if (def.default_value)
        out.push_back(def.default_value);
      return out;
    }
    case AttrKind::dim: {
      const Dim last = x == nullptr || rank == 0 ? Dim(1) : x->shape.back();
      return {Attribute::of(last), Attribute::of(Dim(1)), Attribute::of(Dim(0)), Attribute::of(Dim(2))};
    }
    case AttrKind::dims: return propose_dims(node, def.name, random);
    case AttrKind::reals: return {Attribute::of(node.context.reals(std::vector<double>{1.0, 2.0}))};
    default: return {def.default_value};
  }
}

}  // namespace tandem
