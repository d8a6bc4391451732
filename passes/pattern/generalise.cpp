#include <tandem/passes/pattern/generalise.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include <tandem/passes/pattern/program.h>

namespace tandem {

namespace {

Expr integer_expr(std::int64_t v) {
  Expr e;
  e.kind = Expr::Kind::integer;
  e.integer = v;
  return e;
}

Expr text(Expr::Kind kind, std::string words) {
  Expr e;
  e.kind = kind;
  e.text = std::move(words);
  return e;
}

Expr pair(Expr::Kind kind, Expr a, Expr b) {
  Expr e;
  e.kind = kind;
  e.args = {std::move(a), std::move(b)};
  return e;
}

/// e + term, without parentheses where the term is a sum itself.
void add_term(Expr& e, Expr term) {
  if (term.kind == Expr::Kind::add) {
    add_term(e, std::move(term.args[0]));
    add_term(e, std::move(term.args[1]));
    return;
  }
  e = pair(Expr::Kind::add, std::move(e), std::move(term));
}

/// An axis as it is counted from the end, where it is the last: that is so for any leading dims.
std::int64_t from_end(std::int64_t axis, std::size_t rank) {
  return axis >= 0 && axis + 1 == static_cast<std::int64_t>(rank) ? -1 : axis;
}

/// The rank that the axes of a node are about.
std::size_t rank_of(const Graph& graph, Node n) {
  return graph.num_operands(n) == 0 ? 0 : graph.type(graph.operand(n, 0)).shape.rank();
}

/// Whether nothing that the op does depends on dims in front of the last.
bool is_rowwise(const Graph& graph, Node n) {
  const OpDef& def = graph.def(n);
  for (std::size_t i = 0; i < def.attrs.size(); ++i) {
    const Attribute a = graph.attr(n, i);
    if (def.attrs[i].name == "axis" && a.kind() == AttrKind::integer && from_end(a.integer(), rank_of(graph, n)) != -1)
      return false;
    if (a.kind() == AttrKind::dims && def.attrs[i].name != "sizes") {
      const auto dims = a.dims().dims();
      if (def.attrs[i].name != "axes" || dims.size() != 1 || !dims[0].is_constant() ||
          from_end(dims[0].constant(), rank_of(graph, n)) != -1)
        return false;
    }
  }
  for (std::size_t i = 1; i < graph.num_operands(n); ++i) {  // broadcasting counts dims from the end; others do not
    const std::size_t rank = graph.type(graph.operand(n, i)).shape.rank();
    if (rank > 1 && !def.has(trait::elementwise) && def.name != "linear" && def.name != "concat")
      return false;
  }
  return true;
}

}  // namespace

Generaliser::Generaliser(const Graph& graph, std::span<const Node> nodes) : graph_(graph) {
  std::array<int, num_dtypes> count{};
  for (const Node n : nodes) {
    open_ = open_ && is_rowwise(graph, n);
    add_sums(n);
    for (std::size_t i = 0; i < graph.num_operands(n); ++i)
      ++count[static_cast<std::size_t>(graph.type(graph.operand(n, i)).dtype)];
  }
  for (const DType d : {DType::f16, DType::bf16}) {  // what fused kernels come in; others stay what they are
    const int c = count[static_cast<std::size_t>(d)];
    if (c != 0 && (!varying_ || c >= count[static_cast<std::size_t>(*varying_)]))
      varying_ = d;
  }
}

/// A length that is cut into parts is their sum.
void Generaliser::add_sums(Node node) {
  auto add = [&](Dim whole, std::vector<Dim> parts) {
    const bool proper = parts.size() > 1 && std::none_of(parts.begin(), parts.end(), [&](Dim p) {
                          return p == whole || !p.is_constant() || p.constant() <= 1;
                        });
    if (proper && whole.is_constant())
      sums_.emplace(whole.bits(), std::move(parts));
  };
  if (graph_.op(node) == op::split) {
    const Shape shape = graph_.type(graph_.operand(node, 0)).shape;
    const Attribute axis = graph_.attr(node, "axis");
    const std::int64_t at =
        axis.integer() < 0 ? axis.integer() + static_cast<std::int64_t>(shape.rank()) : axis.integer();
    const auto sizes = graph_.attr(node, "sizes").dims().dims();
    add(shape[static_cast<std::size_t>(at)], {sizes.begin(), sizes.end()});
  }
  if (graph_.op(node) == op::slice) {
    const Dim start = graph_.attr(node, "start").dim(), end = graph_.attr(node, "end").dim();
    if (start.is_constant() && end.is_constant())
      add(end, {start, end - start});
  }
}

std::string Generaliser::variable(Dim d) {
  const auto [it, added] = variables_.emplace(d.bits(), "");
  if (!added)
    return it->second;
  std::string name;
  if (d.is_constant())
    name = fmt::format("D{}", d.constant());
  else if (!d.symbol().empty())
    name = d.symbol().view() == "T" ? "N_T" : std::string(d.symbol().view());  // T is the dtype
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0)
      c = '_';
  }
  if (name.empty() || parse_dtype(name) || std::find(dims_.begin(), dims_.end(), name) != dims_.end())
    name = fmt::format("N{}", dims_.size());
  dims_.push_back(name);
  it->second = name;
  return name;
}

Expr Generaliser::dim(Dim d) {
  if (d.is_constant() && d.constant() <= 1)
    return integer_expr(d.constant());  // nothing, and what broadcasts
  const auto sum = sums_.find(d.bits());
  if (sum == sums_.end())
    return text(Expr::Kind::name, variable(d));
  const std::vector<Dim> parts = sum->second;
  if (std::all_of(parts.begin(), parts.end(), [&](Dim p) { return p == parts[0]; }))
    return pair(Expr::Kind::mul, integer_expr(static_cast<std::int64_t>(parts.size())), dim(parts[0]));
  Expr e = dim(parts[0]);
  for (std::size_t i = 1; i < parts.size(); ++i)
    add_term(e, dim(parts[i]));
  return e;
}

std::string Generaliser::dtype(DType d) {
  if (d != varying_)
    return std::string(to_string(d));
  if (types_.empty())
    types_.push_back({"T", {"bf16", "f16"}});
  return "T";
}

/// A name for leading dims: the same dims, the same name. None when a pattern can have no more of them.
std::string Generaliser::leading(std::span<const Dim> dims) {
  const std::vector<Dim> key(dims.begin(), dims.end());
  const auto found = std::find(leading_.begin(), leading_.end(), key);
  const auto number = static_cast<std::size_t>(found - leading_.begin());
  if (number >= max_pattern_leading)
    return "";
  if (found == leading_.end())
    leading_.push_back(key);
  return number == 0 ? "B" : fmt::format("B{}", number + 1);
}

TypePattern Generaliser::type(Value value) {
  const TensorType& t = graph_.type(value);
  TypePattern p;
  p.dtype = dtype(t.dtype);
  p.has_shape = true;
  p.open = open_ && t.shape.rank() > 1;
  const auto dims = t.shape.dims();
  if (p.open)
    p.leading = leading(dims.first(dims.size() - 1));
  for (std::size_t i = p.open ? dims.size() - 1 : 0; i < dims.size(); ++i)
    p.dims.push_back(dim(dims[i]));
  // A weight's own rows and columns are what it is.
  if (p.open && graph_.is_weight(value)) {
    p.open = false;
    p.leading.clear();
    p.dims.clear();
    for (const Dim d : dims)
      p.dims.push_back(dim(d));
  }
  return p;
}

std::string Generaliser::capture_name(const std::string& attr) {
  std::string name = attr;
  for (int i = 2; !captures_.insert(name).second; ++i)
    name = fmt::format("{}{}", attr, i);
  return name;
}

Expr Generaliser::attribute(const AttrDef& def, Attribute a, std::size_t rank) {
  auto capture = [&] { return text(Expr::Kind::capture, capture_name(def.name)); };
  switch (a.kind()) {
    case AttrKind::boolean: {
      Expr e;
      e.kind = Expr::Kind::boolean;
      e.boolean = a.boolean();
      return e;
    }
    case AttrKind::integer: return integer_expr(def.name == "axis" ? from_end(a.integer(), rank) : a.integer());
    case AttrKind::real: {
      if (def.name.find("eps") != std::string::npos || def.name.find("scale") != std::string::npos)
        return capture();
      Expr e;
      e.kind = Expr::Kind::real;
      e.real = a.real();
      return e;
    }
    case AttrKind::string: return text(Expr::Kind::string, std::string(a.string().view()));
    case AttrKind::dtype:
      return a.dtype() == varying_ ? capture() : text(Expr::Kind::name, std::string(to_string(a.dtype())));
    case AttrKind::dim: return dim(a.dim());
    case AttrKind::dims: {
      const bool numbers = def.name == "axes" || def.name == "perm";
      Expr e;
      e.kind = Expr::Kind::list;
      for (const Dim d : a.dims().dims())
        e.args.push_back(!numbers || !d.is_constant() ? dim(d)
                         : def.name == "axes"         ? integer_expr(from_end(d.constant(), rank))
                                                      : integer_expr(d.constant()));
      return e;
    }
    default: return capture();
  }
}

Generaliser::Attributes Generaliser::attributes(Node node) {
  Attributes out;
  const OpDef& def = graph_.def(node);
  for (std::size_t i = 0; i < def.attrs.size(); ++i) {
    const Attribute a = graph_.attr(node, i);
    if (a == def.attrs[i].default_value)
      continue;
    AttrPattern attr;
    attr.name = def.attrs[i].name;
    attr.value = attribute(def.attrs[i], a, rank_of(graph_, node));
    out.match.push_back(attr);
    out.rewrite.push_back(std::move(attr));
  }
  return out;
}

}  // namespace tandem
