#include <tandem/passes/pattern/check_instance.h>

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/check_guards.h>
#include <tandem/passes/pattern/check_solution.h>

namespace tandem {

int Instance::add_node(OpId op, std::vector<int> operands, std::vector<Attribute> attrs, std::string name) {
  const int value = static_cast<int>(values.size());
  values.push_back({std::move(name), {}, static_cast<int>(nodes.size()), false});
  nodes.push_back({op, std::move(operands), {value}, std::move(attrs), -1});
  return value;
}

Graph Instance::build(const std::shared_ptr<Context>& context, std::string_view name) const {
  GraphBuilder b(context, name);
  for (const auto& [symbol, value] : symbols)
    b.dim(symbol);
  std::vector<Value> made(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const InstanceValue& v = values[i];
    if (v.node >= 0)
      continue;
    made[i] = v.weight ? b.weight(v.name, v.type.dtype, v.type.shape.dims())
                       : b.input(v.name, v.type.dtype, v.type.shape.dims());
  }
  for (const InstanceNode& n : nodes) {
    std::vector<Value> operands;
    for (int o : n.operands)
      operands.push_back(made[static_cast<std::size_t>(o)]);
    const Node node = b.node_with(n.op, operands, n.attrs);
    for (std::size_t i = 0; i < n.results.size() && i < b.graph().num_results(node); ++i) {
      made[static_cast<std::size_t>(n.results[i])] =
          b.named(values[static_cast<std::size_t>(n.results[i])].name, b.graph().result(node, i));
    }
  }
  for (int o : outputs)
    b.output(made[static_cast<std::size_t>(o)]);
  return std::move(b).finish();
}

std::vector<std::int64_t> Instance::sizes(const TensorType& type) const {
  std::vector<std::int64_t> out;
  for (Dim d : type.shape) {
    const auto value = evaluate(d, [&](Symbol s) -> std::optional<std::int64_t> {
      for (const auto& [name, size] : symbols) {
        if (s.view() == name)
          return size;
      }
      return std::nullopt;
    });
    out.push_back(value.value_or(0));
  }
  return out;
}

namespace {

/// One attempt at an instance.
class Attempt {
 public:
  Attempt(Context& context, const CompiledVariant& variant, std::span<const std::int64_t> palette, CheckRandom& random,
          const InstanceWishes& wishes)
      : context_(context),
        variant_(variant),
        random_(random),
        wishes_(wishes),
        solution_(context, variant, random, wishes.largest_dim, palette) {
    solution_.allow_symbols = !wishes.plain;
    solution_.ample = wishes.ample;
    solution_.booleans = wishes.booleans;
  }

  std::optional<Instance> run() {
    if (!solution_.choose_dtypes(wishes_.dtype))
      return std::nullopt;
    instance_.values.resize(variant_.values.size());
    name_values();
    for (const int n : order()) {
      if (!place(static_cast<std::size_t>(n)))
        return std::nullopt;
    }
    for (std::size_t i = 0; i < variant_.values.size(); ++i) {
      if (!solution_.types[i])
        return std::nullopt;  // a value that no node touches
      instance_.values[i].type = *solution_.types[i];
    }
    choose_weights();
    choose_outputs();
    if (!wishes_.plain)
      respell();
    instance_.open_booleans = solution_.open_booleans();
    instance_.symbols = solution_.symbols;
    instance_.symbolic = !solution_.symbols.empty();
    for (const auto& [name, size] : instance_.symbols) {
      if (size < 0)
        return std::nullopt;
    }
    return guards_fit() ? std::optional(std::move(instance_)) : std::nullopt;
  }

 private:
  /// By the pattern's names, so that a counterexample reads like it; some with a number behind, for names mean nothing.
  void name_values() {
    for (std::size_t i = 0; i < variant_.values.size(); ++i) {
      const std::size_t number = random_.below(10);
      const std::string& name = variant_.values[i].name;
      instance_.values[i].name = wishes_.plain || number < 5 ? name : fmt::format("{}.{}", name, number);
    }
  }

  /// A name that no value of the pattern has.
  std::string other_name(std::string_view what) const {
    std::string name = fmt::format("{}{}", what, instance_.values.size());
    while (std::any_of(instance_.values.begin(), instance_.values.end(), [&](const auto& v) { return v.name == name; }))
      name += "_";
    return name;
  }

  /// Matched nodes so that definitions come first; among those that are ready, at random.
  std::vector<int> order() {
    std::vector<int> out;
    std::vector<bool> placed(variant_.nodes.size(), false);
    while (out.size() < variant_.nodes.size()) {
      std::vector<int> ready;
      for (std::size_t i = 0; i < variant_.nodes.size(); ++i) {
        const auto defined = [&](int v) {
          const int node = v < 0 ? -1 : variant_.values[static_cast<std::size_t>(v)].node;
          return node < 0 || placed[static_cast<std::size_t>(node)];
        };
        if (!placed[i] && std::all_of(variant_.nodes[i].operands.begin(), variant_.nodes[i].operands.end(), defined))
          ready.push_back(static_cast<int>(i));
      }
      if (ready.empty())
        return {};  // a cycle: nothing to build
      out.push_back(random_.pick(ready));
      placed[static_cast<std::size_t>(out.back())] = true;
    }
    return out;
  }

  bool place(std::size_t index) {
    constexpr int tries = 24;
    const Solution before = solution_;
    for (int i = 0; i < tries; ++i) {
      if (try_place(index))
        return true;
      solution_ = before;
    }
    return false;
  }

  bool try_place(std::size_t index) {
    const PatternNode& pattern = variant_.nodes[index];
    const OpDef& def = context_.op(pattern.op);
    std::vector<std::optional<TensorType>> types;
    for (int o : pattern.operands)
      types.push_back(solution_.types[static_cast<std::size_t>(o)]);
    const std::size_t named = types.size();
    if (pattern.rest_operands >= 0)
      types.resize(named + random_.below(3));
    std::vector<Attribute> attrs(def.attrs.size());
    const PartialNode partial{context_, def, types, attrs, wishes_.largest_dim};
    // A shape that only attributes tell (split of an untyped value) needs those first.
    const bool attrs_first = types.empty() || (!types[0] && (named == 0 || !type_of(pattern.operands[0]).has_shape));
    if (attrs_first && !choose_attrs(pattern, partial, attrs))
      return false;
    // Operands of one name are one value.
    for (std::size_t i = 0; i < types.size(); ++i) {
      if (i < named && solution_.types[static_cast<std::size_t>(pattern.operands[i])])
        types[i] = solution_.types[static_cast<std::size_t>(pattern.operands[i])];
      if (types[i])
        continue;
      const TypePattern any;
      const TypePattern& wanted = i < named ? variant_.values[static_cast<std::size_t>(pattern.operands[i])].type : any;
      types[i] = solution_.choose_type(wanted, partial, i);
      if (!types[i])
        return false;
      if (i < named)
        solution_.types[static_cast<std::size_t>(pattern.operands[i])] = types[i];
    }
    if (!attrs_first && !choose_attrs(pattern, partial, attrs))
      return false;
    std::vector<TensorType> operand_types, results;
    for (const auto& t : types)
      operand_types.push_back(*t);
    try {
      infer_types(context_, def, operand_types, attrs, results);
    } catch (const Error&) {
      return false;
    }
    if (results.size() < pattern.results.size() || (!pattern.rest_results && results.size() != pattern.results.size()))
      return false;
    for (std::size_t i = 0; i < pattern.results.size(); ++i) {
      const int v = pattern.results[i];
      if (v >= 0 && !solution_.bind_type(variant_.values[static_cast<std::size_t>(v)].type, results[i]))
        return false;
      if (v >= 0)
        solution_.types[static_cast<std::size_t>(v)] = results[i];
    }
    add(index, pattern, types, attrs, results);
    return true;
  }

  const TypePattern& type_of(int value) const { return variant_.values[static_cast<std::size_t>(value)].type; }

  bool choose_attrs(const PatternNode& pattern, const PartialNode& partial, std::vector<Attribute>& attrs) {
    const TypePattern* result = nullptr;
    if (!pattern.results.empty() && pattern.results[0] >= 0)
      result = &variant_.values[static_cast<std::size_t>(pattern.results[0])].type;
    for (std::size_t i = 0; i < attrs.size(); ++i) {
      const auto value = solution_.choose_attribute(*pattern.source, partial, i, result);
      if (!value)
        return false;
      attrs[i] = *value;
    }
    return true;
  }

  void add(std::size_t index, const PatternNode& pattern, std::span<const std::optional<TensorType>> types,
           std::vector<Attribute> attrs, std::span<const TensorType> results) {
    InstanceNode node{pattern.op, pattern.operands, {}, std::move(attrs), static_cast<int>(index)};
    const auto fresh = [&](const TensorType& type, int def) {
      instance_.values.push_back({other_name("more"), type, def, false});
      return static_cast<int>(instance_.values.size()) - 1;
    };
    for (std::size_t i = pattern.operands.size(); i < types.size(); ++i)
      node.operands.push_back(fresh(*types[i], -1));
    const int here = static_cast<int>(instance_.nodes.size());
    for (std::size_t i = 0; i < results.size(); ++i) {
      const int v = i < pattern.results.size() ? pattern.results[i] : -1;
      node.results.push_back(v >= 0 ? v : fresh(results[i], here));
      instance_.values[static_cast<std::size_t>(node.results.back())].node = here;
    }
    instance_.nodes.push_back(std::move(node));
  }

  void choose_weights() {
    const auto wanted = weights_by_guards(variant_, wishes_.break_guard);
    for (std::size_t i = 0; i < instance_.values.size(); ++i) {
      InstanceValue& v = instance_.values[i];
      const bool random_weight = !wishes_.plain && v.type.shape.is_static() && random_.percent(25);
      v.weight = v.node < 0 && (i < wanted.size() && wanted[i] ? *wanted[i] : random_weight);
    }
  }

  void choose_outputs() {
    const auto wanted = outputs_by_guards(variant_, wishes_.break_guard);
    for (const auto& [value, replacement] : variant_.replacements) {
      const bool returned = wanted[static_cast<std::size_t>(value)].value_or(true);
      instance_.outputs.push_back(returned ? value : add_reader(value));
    }
    for (std::size_t v = 0; v < wanted.size(); ++v) {
      if (wanted[v].value_or(false) && !variant_.values[v].replaced)
        instance_.outputs.push_back(static_cast<int>(v));
    }
    add_counted_uses();
    if (wishes_.plain)
      return;
    for (const InstanceNode& n : instance_.nodes) {
      if (n.pattern_node < 0)
        continue;
      const PatternNode& pattern = variant_.nodes[static_cast<std::size_t>(n.pattern_node)];
      if (!pattern.keep && !pattern.recompute)
        continue;
      for (std::size_t i = 0; i < n.results.size(); ++i) {
        const bool must_not = i < pattern.results.size() && pattern.results[i] < 0;
        if (must_not || !random_.percent(30))
          continue;
        instance_.outputs.push_back(n.results[i]);
        instance_.outside_users = true;
      }
    }
  }

  /// What is not returned itself is returned by another name, so that it can be compared.
  int add_reader(int value) {
    const int read = instance_.add_node(op::identity, {value}, {}, other_name("same"));
    instance_.values[static_cast<std::size_t>(read)].type = instance_.values[static_cast<std::size_t>(value)].type;
    return read;
  }

  /// Guards that count uses are about readers outside the match, too: those that it may have are drawn.
  void add_counted_uses() {
    const std::vector<std::int64_t> most = further_uses(variant_);
    for (std::size_t v = 0; v < most.size(); ++v) {
      const PatternValue& value = variant_.values[v];
      const PatternNode* def = value.node < 0 ? nullptr : &variant_.nodes[static_cast<std::size_t>(value.node)];
      if (most[v] == 0 || (def != nullptr && !def->keep && !def->recompute && !value.replaced))
        continue;
      for (std::size_t n = random_.below(static_cast<std::size_t>(most[v]) + 1); n > 0; --n)
        instance_.outputs.push_back(static_cast<int>(v));
    }
  }

  /// Other spellings of the same: swapped operands, an axis that counts from the other end.
  void respell() {
    for (InstanceNode& n : instance_.nodes) {
      if (n.pattern_node < 0)
        continue;
      const OpDef& def = context_.op(n.op);
      if (def.has(trait::commutative) && n.operands.size() >= 2 && random_.percent(50)) {
        std::swap(n.operands[0], n.operands[1]);
        instance_.commuted = true;
      }
      const int axis = def.find_attr("axis");
      const auto& mentions = variant_.nodes[static_cast<std::size_t>(n.pattern_node)].source->attrs;
      const bool literal = std::any_of(mentions.begin(), mentions.end(), [](const AttrPattern& a) {
        return a.name == "axis" && a.compare == Compare::equal && a.value.kind == Expr::Kind::integer;
      });
      if (axis < 0 || !literal || n.operands.empty() || !random_.percent(30))
        continue;
      Attribute& value = n.attrs[static_cast<std::size_t>(axis)];
      const auto rank =
          static_cast<std::int64_t>(instance_.values[static_cast<std::size_t>(n.operands[0])].type.shape.rank());
      value = Attribute::of(value.integer() < 0 ? value.integer() + rank : value.integer() - rank);
      instance_.respelled = true;
    }
  }

  bool guards_fit() {
    const auto& guards = variant_.source.pattern.where;
    for (std::size_t i = 0; i < guards.size(); ++i) {
      const std::optional<bool> holds = guard_holds(context_, variant_, guards[i], solution_, instance_);
      instance_.guards.push_back(holds);
      if (!holds || *holds == (static_cast<int>(i) == wishes_.break_guard))
        return false;
    }
    return true;
  }

  Context& context_;
  const CompiledVariant& variant_;
  CheckRandom& random_;
  const InstanceWishes& wishes_;
  Solution solution_;
  Instance instance_;
};

void collect_integers(const Expr& e, std::vector<std::int64_t>& out) {
  if (e.kind == Expr::Kind::integer && e.integer > 1 && e.integer <= 4096)
    out.push_back(e.integer);
  for (const Expr& a : e.args)
    collect_integers(a, out);
}

}  // namespace

Instantiator::Instantiator(std::shared_ptr<Context> context, const CompiledVariant& variant)
    : context_(std::move(context)), variant_(variant) {
  for (const Guard& g : variant.source.pattern.where) {
    for (const Expr& e : g.args)
      collect_integers(e, palette_);
  }
}

std::optional<Instance> Instantiator::make(CheckRandom& random, const InstanceWishes& wishes) const {
  for (unsigned i = 0; i < wishes.attempts; ++i) {
    if (auto instance = Attempt(*context_, variant_, palette_, random, wishes).run())
      return instance;
  }
  return std::nullopt;
}

}  // namespace tandem
