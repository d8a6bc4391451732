#include <tandem/passes/pattern/resolve.h>

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <tandem/ir/counted.h>
#include <tandem/ir/diagnostic.h>

namespace tandem {

namespace {

bool is_rest(std::string_view name) {
  return name.ends_with("...");
}

/// Position of `name` in `names`, or -1.
int find(const std::vector<std::string>& names, std::string_view name) {
  const auto it = std::find(names.begin(), names.end(), name);
  return it == names.end() ? -1 : static_cast<int>(it - names.begin());
}

int intern(std::vector<std::string>& names, const std::string& name) {
  if (const int i = find(names, name); i >= 0)
    return i;
  names.push_back(name);
  return static_cast<int>(names.size()) - 1;
}

void collect_captures(const Expr& e, std::vector<std::string>& out) {
  if (e.kind == Expr::Kind::capture)
    intern(out, e.text);
  for (const Expr& a : e.args)
    collect_captures(a, out);
}

class Resolver {
 public:
  Resolver(Context& context, std::size_t fusion, Variant variant) : context_(context) {
    v_.fusion = fusion;
    v_.source = std::move(variant);
  }

  CompiledVariant run() {
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

 private:
  void problem(const Span& span, std::string_view code, std::string message, std::string help = {}) {
    problems_.push_back(pattern_problem(v_.source.pattern, span, code, std::move(message), std::move(help)));
  }

  void check_declarations() {
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

  int add_value(const std::string& name, int node, int result, TypePattern type, const Span& span) {
    const int id = static_cast<int>(v_.values.size());
    check_type(type, span);
    v_.values.push_back({name, node, result, std::move(type), span, 0, false});
    value_ids_.emplace(name, id);
    return id;
  }

  void check_type(const TypePattern& type, const Span& span) {
    if (!type.dtype.empty() && find(v_.types, type.dtype) < 0 && !parse_dtype(type.dtype)) {
      problem(span, "pattern.unknown-name", fmt::format("'{}' is neither a dtype nor a type variable", type.dtype),
              "declare it: types " + type.dtype + " in {bf16, f16}");
    }
    if (!type.leading.empty())
      intern(v_.leading, type.leading);
    for (const Expr& e : type.dims)
      check_dim_expr(e, span);
  }

  void check_dim_expr(const Expr& e, const Span& span) {
    if (e.kind == Expr::Kind::name && find(v_.dims, e.text) < 0) {
      problem(span, "pattern.unknown-name", fmt::format("'{}' is no declared dim", e.text),
              "declare it: dims " + e.text);
    }
    if (e.kind == Expr::Kind::real || e.kind == Expr::Kind::string || e.kind == Expr::Kind::boolean) {
      problem(span, "pattern.dim-expression", fmt::format("'{}' is no dimension", to_string(e)));
    }
    for (const Expr& a : e.args)
      check_dim_expr(a, span);
  }

  // Results first, so that nodes may be written in any order.
  void number_results(const std::vector<Clause>& clauses) {
    int node = 0;
    for (const Clause& c : clauses) {
      if (c.kind != Clause::Kind::node)
        continue;
      for (std::size_t i = 0; i < c.node.results.size(); ++i) {
        const std::string& name = c.node.results[i];
        if (name == "_" || is_rest(name))
          continue;
        if (value_ids_.contains(name)) {
          problem(c.node.span, "pattern.duplicate-value", fmt::format("'%{}' is defined twice", name));
          continue;
        }
        add_value(name, node, static_cast<int>(i), i < c.node.types.size() ? c.node.types[i] : TypePattern{},
                  c.node.span);
      }
      ++node;
    }
  }

  void resolve_node(const NodePattern& source) {
    PatternNode node;
    node.source = &source;
    node.keep = source.keep;
    node.recompute = source.recompute;
    const int index = static_cast<int>(v_.nodes.size());
    const auto op = find_op(source.op, source.span);
    if (!op) {  // its operands and captures are bound all the same: one mistake, one problem
      for (const AttrPattern& a : source.attrs)
        collect_captures(a.value, v_.captures);
      for (const std::string& name : source.operands) {
        if (is_rest(name))
          continue;
        const int id = value(name, source.span);
        node.operands.push_back(id);
        ++v_.values[static_cast<std::size_t>(id)].inner_uses;
      }
      v_.nodes.push_back(std::move(node));
      return;
    }
    node.op = *op;
    const OpDef& def = context_.op(*op);
    for (std::size_t i = 0; i < source.operands.size(); ++i) {
      const std::string& name = source.operands[i];
      if (is_rest(name)) {
        if (i + 1 != source.operands.size() || !(def.variadic_operands || i < def.operands.size())) {
          problem(source.span, "pattern.rest",
                  fmt::format("'%{}' must be the last operand of an op that takes more", name));
          continue;
        }
        node.rest_operands = static_cast<int>(v_.rests.size());
        rest_ids_.emplace(name.substr(0, name.size() - 3), node.rest_operands);
        v_.rests.emplace_back(index, static_cast<int>(i));
        continue;
      }
      node.operands.push_back(value(name, source.span));
      if (node.operands.back() >= 0)
        ++v_.values[static_cast<std::size_t>(node.operands.back())].inner_uses;
    }
    if (node.rest_operands < 0 && !def.accepts_operands(node.operands.size())) {
      problem(source.span, "pattern.arity",
              fmt::format("{} does not take {}", def.name, counted(node.operands.size(), "operand")),
              def.name + def.signature);
    }
    for (const std::string& name : source.results) {
      if (is_rest(name)) {
        node.rest_results = true;
        if (&name != &source.results.back())
          problem(source.span, "pattern.rest", "only the last result may be a rest");
        if (!node.keep) {
          problem(source.span, "pattern.rest", fmt::format("a node with further results ('%{}') must be kept", name),
                  "write 'keep' in front of it");
        }
        continue;
      }
      node.results.push_back(name == "_" ? -1 : value_ids_.at(name));
    }
    if (!node.rest_results && !def.variadic_results && node.results.size() != def.results.size()) {
      problem(source.span, "pattern.arity",
              fmt::format("{} has {}, not {}", def.name, counted(def.results.size(), "result"), node.results.size()),
              def.name + def.signature);
    }
    check_attrs(source, def);
    v_.nodes.push_back(std::move(node));
  }

  void check_attrs(const NodePattern& source, const OpDef& def) {
    std::set<std::string> seen;
    for (const AttrPattern& a : source.attrs) {
      collect_captures(a.value, v_.captures);
      if (def.find_attr(a.name) < 0) {
        std::vector<std::string_view> names;
        for (const AttrDef& d : def.attrs)
          names.push_back(d.name);
        problem(a.span.line ? a.span : source.span, "pattern.unknown-attribute",
                fmt::format("op '{}' has no attribute '{}'{}", def.name, a.name, did_you_mean(a.name, names)),
                def.name + def.signature);
        continue;
      }
      if (!seen.insert(a.name).second && a.compare == Compare::equal) {
        problem(a.span, "pattern.duplicate-name", fmt::format("attribute '{}' is given twice", a.name));
      }
    }
    for (const AttrDef& d : def.attrs) {
      if (!d.default_value && !seen.contains(d.name)) {
        problem(source.span, "pattern.missing-attribute",
                fmt::format("'{}' of op '{}' has no default and is not mentioned: the node could never match", d.name,
                            def.name),
                fmt::format("fix it, capture it ({} = ${}), or ignore it ({} = any)", d.name, d.name, d.name));
      }
    }
  }

  int value(const std::string& name, const Span& span) {
    const auto it = value_ids_.find(name);
    if (it != value_ids_.end())
      return it->second;
    // A value that nothing defines is an input of any type.
    return add_value(name, -1, 0, {}, span);
  }

  std::optional<OpId> find_op(const std::string& name, const Span& span) {
    if (const auto id = context_.find_op(name))
      return id;
    std::vector<std::string_view> names;
    for (const OpDef& def : context_.ops())
      names.push_back(def.name);
    problem(span, "pattern.unknown-op", fmt::format("unknown op '{}'{}", name, did_you_mean(name, names)),
            "'tandem list ops' shows all of them");
    return std::nullopt;
  }

  // --- the right side
  // ------------------------------------------------------------------------------------------------------

  void resolve_rewrite() {
    const Pattern& p = v_.source.pattern;
    std::map<std::string, RewriteOperand> created;
    for (const RewriteNode& source : p.rewrite) {
      RewriteStep step;
      step.span = source.span;
      const auto op = find_op(source.op, source.span);
      if (!op) {  // its results are there all the same: one mistake, one problem
        for (const std::string& name : source.results)
          created.try_emplace(name, RewriteOperand{RewriteOperand::Kind::matched, -1, 0});
        continue;
      }
      step.op = *op;
      const OpDef& def = context_.op(*op);
      for (const std::string& name : source.operands)
        step.operands.push_back(rewrite_operand(name, source.span, created));
      if (!std::any_of(step.operands.begin(), step.operands.end(),
                       [](const RewriteOperand& o) { return o.kind == RewriteOperand::Kind::rest; }) &&
          !def.accepts_operands(step.operands.size())) {
        problem(source.span, "pattern.arity",
                fmt::format("{} does not take {}", def.name, counted(step.operands.size(), "operand")),
                def.name + def.signature);
      }
      step.attrs.resize(def.attrs.size());
      step.given.assign(def.attrs.size(), false);
      for (const AttrPattern& a : source.attrs) {
        const int i = def.find_attr(a.name);
        if (i < 0) {
          problem(a.span, "pattern.unknown-attribute", fmt::format("op '{}' has no attribute '{}'", def.name, a.name),
                  def.name + def.signature);
          continue;
        }
        if (a.compare != Compare::equal) {
          problem(a.span, "pattern.rewrite-attribute", "an attribute of a new node must be given with '='");
          continue;
        }
        if (mentions({a.value}, Expr::Kind::value) || mentions({a.value}, Expr::Kind::uses)) {
          problem(a.span, "pattern.rewrite-attribute", "an attribute of a new node cannot be computed from a value",
                  "it is an expression over captures, dims and dtypes");
          continue;
        }
        try {
          step.attrs[static_cast<std::size_t>(i)] = bind_expr(context_, v_, a.value, a.span);
          step.given[static_cast<std::size_t>(i)] = true;
        } catch (const Error& e) {
          problems_.insert(problems_.end(), e.diagnostics().begin(), e.diagnostics().end());
        }
      }
      for (std::size_t i = 0; i < def.attrs.size(); ++i) {
        if (!step.given[i] && !def.attrs[i].default_value) {
          problem(source.span, "pattern.missing-attribute",
                  fmt::format("the new {} needs attribute '{}'", def.name, def.attrs[i].name),
                  def.name + def.signature);
        }
      }
      step.num_results = source.results.size();
      if (!def.variadic_results && source.results.size() != def.results.size()) {
        problem(
            source.span, "pattern.arity",
            fmt::format("{} has {}, not {}", def.name, counted(def.results.size(), "result"), source.results.size()),
            def.name + def.signature);
      }
      for (std::size_t i = 0; i < source.results.size(); ++i) {
        if (source.results[i] == "_")
          continue;
        const RewriteOperand made{RewriteOperand::Kind::created, static_cast<int>(v_.rewrite.size()),
                                  static_cast<int>(i)};
        if (!created.emplace(source.results[i], made).second || value_ids_.contains(source.results[i])) {
          problem(source.span, "pattern.duplicate-value",
                  fmt::format("the new value '%{}' has the name of another", source.results[i]),
                  "a new value needs a name of its own; 'replace' or '%old = %new' says what it stands for");
        }
      }
      v_.rewrite.push_back(std::move(step));
    }
    for (const Replacement& r : p.replacements) {
      const auto it = value_ids_.find(r.matched);
      if (it == value_ids_.end() || v_.values[static_cast<std::size_t>(it->second)].node < 0) {
        problem(r.span, "pattern.unbound-value",
                fmt::format("'%{}' is not a value that the match computes, so it cannot be replaced", r.matched));
        continue;
      }
      PatternValue& old = v_.values[static_cast<std::size_t>(it->second)];
      if (old.replaced)
        problem(r.span, "pattern.duplicate-value", fmt::format("'%{}' is replaced twice", r.matched));
      if (v_.nodes[static_cast<std::size_t>(old.node)].keep) {
        problem(r.span, "pattern.replaced-kept", fmt::format("'%{}' is both kept and replaced", r.matched),
                "remove 'keep' from its node");
      }
      old.replaced = true;
      v_.replacements.emplace_back(it->second, rewrite_operand(r.replacement, r.span, created));
    }
    if (v_.replacements.empty()) {
      problem(p.span, "pattern.no-replacement", "replaces nothing",
              "say which matched value becomes which new one: %old = %new");
    }
  }

  RewriteOperand rewrite_operand(const std::string& name, const Span& span,
                                 const std::map<std::string, RewriteOperand>& created) {
    if (is_rest(name)) {
      const auto it = rest_ids_.find(name.substr(0, name.size() - 3));
      if (it != rest_ids_.end())
        return {RewriteOperand::Kind::rest, it->second, 0};
    }
    if (const auto it = created.find(name); it != created.end())
      return it->second;
    if (const auto it = value_ids_.find(name); it != value_ids_.end())
      return {RewriteOperand::Kind::matched, it->second, 0};
    std::vector<std::string_view> names;
    for (const auto& [n, id] : value_ids_)
      names.push_back(n);
    problem(span, "pattern.unbound-value",
            fmt::format("'%{}' is bound neither by the match nor by a new node{}", name, did_you_mean(name, names)));
    return {RewriteOperand::Kind::matched, -1, 0};
  }

  // --- the whole
  // -------------------------------------------------------------------------------------------------------------

  /// New nodes may read inputs and kept or recomputed values only: all others are gone afterwards.
  void check_use() {
    auto check = [&](const RewriteOperand& o, const Span& span) {
      if (o.kind != RewriteOperand::Kind::matched || o.value < 0)
        return;
      const PatternValue& value = v_.values[static_cast<std::size_t>(o.value)];
      if (value.node < 0 || static_cast<std::size_t>(value.node) >= v_.nodes.size())
        return;
      const PatternNode& node = v_.nodes[static_cast<std::size_t>(value.node)];
      if (!node.keep && !node.recompute) {
        problem(span, "pattern.removed-value",
                fmt::format("'%{}' is computed by a node that the rewrite removes", value.name),
                fmt::format("write 'keep' in front of the node that defines '%{}'", value.name));
      }
    };
    for (const RewriteStep& s : v_.rewrite) {
      for (const RewriteOperand& o : s.operands)
        check(o, s.span);
    }
    for (const auto& [old, o] : v_.replacements)
      check(o, v_.source.pattern.span);
    for (const PatternNode& n : v_.nodes) {
      for (const int operand : n.operands) {
        if (n.keep)
          check_kept_operand(n, operand);
      }
    }
    for (const InputPattern& in : v_.source.pattern.inputs) {
      const PatternValue& value = v_.values[static_cast<std::size_t>(value_ids_.at(in.name))];
      if (value.inner_uses == 0) {
        problem(in.span, "pattern.unused-value", fmt::format("input '%{}' is used by no matched node", in.name));
      }
    }
  }

  /// What a kept node reads must still be there afterwards, itself or what replaces it.
  void check_kept_operand(const PatternNode& kept, int operand) {
    const PatternValue& value = v_.values[static_cast<std::size_t>(operand)];
    if (value.replaced || value.node < 0 || static_cast<std::size_t>(value.node) >= v_.nodes.size())
      return;
    const PatternNode& def = v_.nodes[static_cast<std::size_t>(value.node)];
    if (def.recompute) {  // it stays for the kept node, and so must what it reads
      for (const int o : def.operands)
        check_kept_operand(kept, o);
    } else if (!def.keep) {
      problem(
          kept.source->span, "pattern.removed-value",
          fmt::format("a kept node reads '%{}', which is computed by a node that the rewrite removes", value.name),
          fmt::format("keep the node that defines '%{0}' as well, or say what replaces it: %{0} = ...", value.name));
    }
  }

  /// All nodes must hang together by shared values: else the engine would have to try every pair.
  void check_connected() {
    if (v_.nodes.empty() || !problems_.empty())
      return;
    std::vector<std::size_t> group(v_.nodes.size());
    for (std::size_t i = 0; i < group.size(); ++i)
      group[i] = i;
    auto find_group = [&](std::size_t i) {
      while (group[i] != i)
        i = group[i];
      return i;
    };
    std::map<int, std::size_t> first;
    for (std::size_t i = 0; i < v_.nodes.size(); ++i) {
      auto touch = [&](int value) {
        if (value < 0)
          return;
        const auto [it, added] = first.emplace(value, i);
        if (!added)
          group[find_group(i)] = find_group(it->second);
      };
      for (int o : v_.nodes[i].operands)
        touch(o);
      for (int r : v_.nodes[i].results)
        touch(r);
    }
    for (std::size_t i = 1; i < v_.nodes.size(); ++i) {
      if (find_group(i) != find_group(0)) {
        problem(v_.nodes[i].source->span, "pattern.disconnected",
                fmt::format("'{}' shares no value with the rest of the match", v_.nodes[i].source->op),
                "every matched node must be reachable from every other through values of the match");
        return;
      }
    }
  }

  void check_limits() {
    auto limit = [&](std::size_t n, std::size_t most, std::string_view what) {
      if (n > most) {
        problem(v_.source.pattern.span, "pattern.too-large",
                fmt::format("{} {}, at most {} are possible", n, what, most));
      }
    };
    limit(v_.nodes.size(), max_pattern_nodes, "nodes");
    limit(v_.captures.size(), max_pattern_captures, "captures");
    limit(v_.dims.size(), max_pattern_dims, "dims");
    limit(v_.types.size(), max_pattern_types, "type variables");
    limit(v_.leading.size(), max_pattern_leading, "named leading dims");
    for (const PatternNode& n : v_.nodes) {
      limit(n.operands.size(), 200, "operands");
      limit(n.results.size(), 200, "results");
    }
  }

  Context& context_;
  CompiledVariant v_;
  std::map<std::string, int> value_ids_;
  std::map<std::string, int> rest_ids_;
  std::vector<Diagnostic> problems_;
};

}  // namespace

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
