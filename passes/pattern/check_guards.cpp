#include <tandem/passes/pattern/check_guards.h>

#include <algorithm>

#include <tandem/passes/pattern/resolve.h>

namespace tandem {

namespace {

int value_named(const CompiledVariant& variant, std::string_view name) {
  for (std::size_t i = 0; i < variant.values.size(); ++i) {
    if (variant.values[i].name == name)
      return static_cast<int>(i);
  }
  return -1;
}

std::size_t uses_of(const Instance& instance, int value) {
  std::size_t uses = static_cast<std::size_t>(std::count(instance.outputs.begin(), instance.outputs.end(), value));
  for (const InstanceNode& n : instance.nodes)
    uses += static_cast<std::size_t>(std::count(n.operands.begin(), n.operands.end(), value));
  return uses;
}

/// The expression with what the instance says for `uses(%x)`.
Expr with_uses_counted(const CompiledVariant& variant, const Instance& instance, Expr e) {
  const int id = e.kind == Expr::Kind::uses ? value_named(variant, e.text) : -1;
  if (id >= 0) {
    e.kind = Expr::Kind::integer;
    e.integer = static_cast<std::int64_t>(uses_of(instance, id));
  }
  for (Expr& a : e.args)
    a = with_uses_counted(variant, instance, std::move(a));
  return e;
}

std::optional<bool> predicate_holds(const CompiledVariant& variant, const Guard& guard, const Instance& instance) {
  std::vector<int> ids;
  for (const Expr& e : guard.args)
    ids.push_back(value_named(variant, e.text));
  if (ids.empty() || std::count(ids.begin(), ids.end(), -1) != 0)
    return std::nullopt;
  const InstanceValue& a = instance.values[static_cast<std::size_t>(ids[0])];
  const std::string& name = guard.predicate;
  if (name == "weight")
    return a.weight;
  if (name == "input")
    return a.node < 0 && !a.weight;
  if (name == "constant") {
    if (a.node < 0)
      return a.weight;
    const OpId op = instance.nodes[static_cast<std::size_t>(a.node)].op;
    return op == op::constant || op == op::full || op == op::iota;
  }
  if (name == "output")
    return std::count(instance.outputs.begin(), instance.outputs.end(), ids[0]) != 0;
  if (name == "one_use")
    return uses_of(instance, ids[0]) == 1;
  if (name == "static")
    return a.type.shape.is_static();
  if (ids.size() < 2)
    return std::nullopt;
  const InstanceValue& b = instance.values[static_cast<std::size_t>(ids[1])];
  if (name == "same_shape")
    return a.type.shape == b.type.shape;
  if (name == "same_type")
    return a.type == b.type;
  if (name == "same_value")
    return ids[0] == ids[1];
  return std::nullopt;
}

}  // namespace

std::optional<bool> guard_holds(Context&, const CompiledVariant& variant, const Guard& guard, Solution& solution,
                                const Instance& instance) {
  if (!guard.predicate.empty()) {
    const auto holds = predicate_holds(variant, guard, instance);
    return holds ? std::optional(*holds != guard.negated) : std::nullopt;
  }
  const auto value_of = [&](const Expr& e) { return solution.value(with_uses_counted(variant, instance, e)); };
  const auto a = value_of(guard.args[0]);
  if (!a)
    return std::nullopt;
  if (guard.compare == Compare::one_of) {
    bool found = false;
    for (const Expr& e : guard.args[1].args) {
      const auto b = value_of(e);
      const auto equal = b ? Solution::compare(Compare::equal, *a, *b) : std::nullopt;
      if (!equal)
        return std::nullopt;
      found |= *equal;
    }
    return found != guard.negated;
  }
  const auto b = value_of(guard.args[1]);
  const auto holds = b ? Solution::compare(guard.compare, *a, *b) : std::nullopt;
  return holds ? std::optional(*holds != guard.negated) : std::nullopt;
}

namespace {

/// What guards with a predicate ask of values: `wish` says it for a guard that is to hold, or is not to.
template <class Wish>
std::vector<std::optional<bool>> asked_by_guards(const CompiledVariant& variant, int broken, Wish&& wish) {
  std::vector<std::optional<bool>> wanted(variant.values.size());
  const auto& guards = variant.source.pattern.where;
  for (std::size_t i = 0; i < guards.size(); ++i) {
    const Guard& g = guards[i];
    const int id = g.predicate.empty() ? -1 : value_named(variant, g.args.at(0).text);
    if (id < 0)
      continue;
    if (const auto is = wish(g.predicate, (static_cast<int>(i) != broken) != g.negated))
      wanted[static_cast<std::size_t>(id)] = is;
  }
  return wanted;
}

}  // namespace

std::vector<std::optional<bool>> weights_by_guards(const CompiledVariant& variant, int broken) {
  return asked_by_guards(variant, broken, [](const std::string& predicate, bool holds) -> std::optional<bool> {
    if (predicate != "weight" && predicate != "constant" && predicate != "input")
      return std::nullopt;
    return (predicate == "input") != holds;
  });
}

std::vector<std::optional<bool>> outputs_by_guards(const CompiledVariant& variant, int broken) {
  return asked_by_guards(variant, broken, [](const std::string& predicate, bool holds) -> std::optional<bool> {
    return predicate == "output" ? std::optional(holds) : std::nullopt;
  });
}

namespace {

std::int64_t largest_integer(const Expr& e) {
  std::int64_t most = e.kind == Expr::Kind::integer ? e.integer : 0;
  for (const Expr& a : e.args)
    most = std::max(most, largest_integer(a));
  return most;
}

}  // namespace

std::vector<std::int64_t> further_uses(const CompiledVariant& variant) {
  std::vector<std::int64_t> most(variant.values.size(), 0);
  const auto note = [&](const auto& self, const Expr& e, std::int64_t count) -> void {
    const int id = is_about_value(e) ? value_named(variant, e.text) : -1;
    if (id >= 0)
      most[static_cast<std::size_t>(id)] = std::max(most[static_cast<std::size_t>(id)], count);
    for (const Expr& a : e.args)
      self(self, a, count);
  };
  for (const Guard& g : variant.source.pattern.where) {
    constexpr std::int64_t limit = 12;
    std::int64_t count = 1;
    for (const Expr& e : g.args)
      count = std::max(count, std::min(limit, largest_integer(e) + 1));
    if (g.predicate == "one_use" || mentions(g.args, Expr::Kind::uses)) {
      for (const Expr& e : g.args)
        note(note, e, count);
    }
  }
  return most;
}

}  // namespace tandem
