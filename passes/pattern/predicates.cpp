#include <tandem/passes/pattern/predicates.h>

#include <array>

namespace tandem {

namespace {

bool is_constant(const Graph& g, Value v) {
  if (g.is_weight(v))
    return true;
  const Node n = g.def_node(v);
  return n && (g.op(n) == op::constant || g.op(n) == op::full || g.op(n) == op::iota);
}

constexpr std::array<Predicate, 9> table = {{
    {"constant", 1, [](const Graph& g, std::span<const Value> v) { return is_constant(g, v[0]); },
     "known before the graph runs: a weight, constant, full or iota"},
    {"weight", 1, [](const Graph& g, std::span<const Value> v) { return g.is_weight(v[0]); }, "a weight of the graph"},
    {"input", 1, [](const Graph& g, std::span<const Value> v) { return g.is_input(v[0]); }, "an input of the graph"},
    {"output", 1,
     [](const Graph& g, std::span<const Value> v) {
       for (Use u : g.uses(v[0])) {
         if (u.user == g.return_node())
           return true;
       }
       return false;
     },
     "an output of the graph"},
    {"one_use", 1, [](const Graph& g, std::span<const Value> v) { return g.num_uses(v[0]) == 1; }, "used exactly once"},
    {"static", 1, [](const Graph& g, std::span<const Value> v) { return g.type(v[0]).shape.is_static(); },
     "a shape without symbols"},
    {"same_shape", 2, [](const Graph& g, std::span<const Value> v) { return g.type(v[0]).shape == g.type(v[1]).shape; },
     "equal shapes"},
    {"same_type", 2, [](const Graph& g, std::span<const Value> v) { return g.type(v[0]) == g.type(v[1]); },
     "equal dtypes and shapes"},
    {"same_value", 2, [](const Graph&, std::span<const Value> v) { return v[0] == v[1]; }, "one and the same value"},
}};

}  // namespace

std::span<const Predicate> predicates() {
  return table;
}

const Predicate* find_predicate(std::string_view name) {
  for (const Predicate& p : table) {
    if (p.name == name)
      return &p;
  }
  return nullptr;
}

}  // namespace tandem
