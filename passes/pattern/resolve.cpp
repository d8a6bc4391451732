#include <tandem/passes/pattern/resolve.h>

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/resolver.h>

namespace tandem {

int index_in(const std::vector<std::string>& names, std::string_view name) {
  const auto it = std::find(names.begin(), names.end(), name);
  return it == names.end() ? -1 : static_cast<int>(it - names.begin());
}

int intern(std::vector<std::string>& names, const std::string& name) {
  if (const int i = index_in(names, name); i >= 0)
    return i;
  names.push_back(name);
  return static_cast<int>(names.size()) - 1;
}

Resolver::Resolver(Context& context, std::size_t fusion, Variant variant) : context_(context) {
  v_.fusion = fusion;
  v_.source = std::move(variant);
}

CompiledVariant Resolver::run() {
  const Pattern& p = v_.source.pattern;
  v_.dims = p.dims;
  for (const TypeVariable& t : p.types)
    v_.types.push_back(t.name);
  check_declarations();
  for (const InputPattern& in : p.inputs) {
    if (value_ids_.contains(in.name)) {
      problem(in.span, "pattern.duplicate-value", fmt::format("input '%{}' is declared twice", in.name));
      continue;
    }
    add_value(in.name, -1, 0, in.type, in.span);
  }
  number_results(p.match);
  for (const Clause& c : p.match) {
    if (c.kind == Clause::Kind::node)
      resolve_node(c.node);
  }
  if (v_.nodes.empty())
    problem(p.span, "pattern.empty-match", "matches nothing: 'match' has no node");
  resolve_rewrite();
  check_use();
  check_connected();
  check_limits();
  if (!problems_.empty())
    throw Error(std::move(problems_));
  std::map<std::uint16_t, std::uint32_t> ops;
  for (const PatternNode& n : v_.nodes)
    ++ops[n.op.index];
  for (const auto& [op, count] : ops)
    v_.required_ops.emplace_back(OpId{op}, count);
  for (std::size_t i = 0; i < v_.nodes.size(); ++i) {
    if (!v_.nodes[i].keep)
      (v_.nodes[i].recompute ? v_.recomputed : v_.removed).push_back(static_cast<std::uint8_t>(i));
  }
  v_.has_guards = !p.where.empty();
  v_.has_negative_parts = p.match.size() != v_.nodes.size();
  return std::move(v_);
}

void Resolver::problem(const Span& span, std::string_view code, std::string message, std::string help) {
  problems_.push_back(pattern_problem(v_.source.pattern, span, code, std::move(message), std::move(help)));
}

void Resolver::check_declarations() {
  const Pattern& p = v_.source.pattern;
  if (p.name.empty())
    problem(p.span, "pattern.no-name", "a fusion must have a name");
  if (!p.pass.empty() && p.pass != "fuse" && p.pass != "raise") {
    problem(p.span, "pattern.pass",
            fmt::format("pass '{}' applies no fusions{}", p.pass, did_you_mean(p.pass, {"fuse", "raise"})),
            "write: pass raise");
  }
  std::set<std::string> seen;
  for (const std::string& d : p.dims) {
    if (!seen.insert(d).second)
      problem(p.span, "pattern.duplicate-name", fmt::format("dim '{}' is declared twice", d));
  }
  for (const TypeVariable& t : p.types) {
    if (!seen.insert(t.name).second || parse_dtype(t.name)) {
      problem(p.span, "pattern.duplicate-name",
              fmt::format("type variable '{}' has the name of another thing", t.name));
    }
    std::vector<std::string_view> dtypes;
    for (DType d : all_dtypes())
      dtypes.push_back(to_string(d));
    for (const std::string& d : t.dtypes) {
      if (!parse_dtype(d))
        problem(p.span, "pattern.unknown-name", fmt::format("'{}' is no dtype{}", d, did_you_mean(d, dtypes)),
                fmt::format("the dtypes are {}", fmt::join(dtypes, ", ")));
    }
  }
}

int Resolver::add_value(const std::string& name, int node, int result, TypePattern type, const Span& span) {
  const int id = static_cast<int>(v_.values.size());
  check_type(type, span);
  v_.values.push_back({name, node, result, std::move(type), span, 0, false});
  value_ids_.emplace(name, id);
  return id;
}

void Resolver::check_type(const TypePattern& type, const Span& span) {
  if (!type.dtype.empty() && index_in(v_.types, type.dtype) < 0 && !parse_dtype(type.dtype)) {
    problem(span, "pattern.unknown-name", fmt::format("'{}' is neither a dtype nor a type variable", type.dtype),
            "declare it: types " + type.dtype + " in {bf16, f16}");
  }
  if (!type.leading.empty())
    intern(v_.leading, type.leading);
  for (const Expr& e : type.dims)
    check_dim_expr(e, span);
}

void Resolver::check_dim_expr(const Expr& e, const Span& span) {
  if (e.kind == Expr::Kind::name && index_in(v_.dims, e.text) < 0) {
    problem(span, "pattern.unknown-name", fmt::format("'{}' is no declared dim", e.text), "declare it: dims " + e.text);
  }
  if (e.kind == Expr::Kind::real || e.kind == Expr::Kind::string || e.kind == Expr::Kind::boolean) {
    problem(span, "pattern.dim-expression", fmt::format("'{}' is no dimension", to_string(e)));
  }
  for (const Expr& a : e.args)
    check_dim_expr(a, span);
}

int Resolver::value(const std::string& name, const Span& span) {
  const auto it = value_ids_.find(name);
  if (it != value_ids_.end())
    return it->second;
  // A value that nothing defines is an input of any type.
  return add_value(name, -1, 0, {}, span);
}

std::optional<OpId> Resolver::find_op(const std::string& name, const Span& span) {
  if (const auto id = context_.find_op(name))
    return id;
  std::vector<std::string_view> names;
  for (const OpDef& def : context_.ops())
    names.push_back(def.name);
  problem(span, "pattern.unknown-op", fmt::format("unknown op '{}'{}", name, did_you_mean(name, names)),
          "'tandem list ops' shows all of them");
  return std::nullopt;
}

CompiledVariant resolve(Context& context, std::size_t fusion, Variant variant) {
  return Resolver(context, fusion, std::move(variant)).run();
}

Diagnostic pattern_problem(const Pattern& pattern, const Span& span, std::string_view code, std::string message,
                           std::string help) {
  const Span& at = span.line != 0 ? span : pattern.span;
  return {.code = std::string(code),
          .where = {.file = at.file, .line = at.line, .column = at.column, .path = {}},
          .message = fmt::format("fusion '{}': {}", pattern.name, message),
          .help = std::move(help),
          .notes = {},
          .source_line = {}};
}

}  // namespace tandem
