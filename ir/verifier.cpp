#include <tandem/ir/verifier.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <unordered_map>

#include <fmt/format.h>

#include <tandem/ir/counted.h>
#include <tandem/ir/growing_array.h>
#include <tandem/ir/inferred_types.h>
#include <tandem/ir/weight_keys.h>

namespace tandem {

namespace {

/// Symbols, told apart by address.
class NameSet {
 public:
  /// For at most `n` symbols.
  explicit NameSet(std::size_t n) : mask_(std::bit_ceil(2 * n + 1) - 1) { slots_.append(mask_ + 1); }

  /// False when it is there already.
  bool insert(Symbol s) {
    std::size_t i = (reinterpret_cast<std::uint64_t>(s.id()) * 0x9e3779b97f4a7c15ULL) >> 32;
    for (;; ++i) {
      Symbol& slot = slots_[i & mask_];
      if (slot == s)
        return false;
      if (slot.empty()) {
        slot = s;
        return true;
      }
    }
  }

 private:
  GrowingArray<Symbol> slots_;
  std::size_t mask_;
};

}  // namespace

/// Checks one graph. A friend of Graph: it sees the links themselves.
class GraphChecker {
 public:
  GraphChecker(const Graph& graph, std::size_t limit) : graph_(graph), limit_(limit) {}

  std::vector<Diagnostic> run() {
    check_links();
    if (findings_.empty())
      check_order_and_uses();
    if (findings_.empty()) {  // what follows walks the graph, which is safe only when it holds together
      check_names();
      check_weight_keys();
      check_types();
    }
    return std::move(findings_);
  }

 private:
  // The ring of the order visits every live node once, with growing numbers.
  void check_links() {
    const auto& nodes = graph_.nodes_;
    std::size_t seen = 0;
    std::uint32_t previous = 0;
    std::uint64_t order = 0;
    for (std::uint32_t i = nodes[0].next; i != 0; i = nodes[i].next) {
      if (i >= nodes.size() || nodes[i].prev != previous || nodes[i].order <= order || ++seen > nodes.size()) {
        return broken("the order's links or numbers are inconsistent");
      }
      order = nodes[i].order;
      previous = i;
    }
    if (nodes[0].prev != previous || seen != graph_.num_nodes_)
      broken("the order does not hold all nodes");
    std::size_t indexed = 0;
    for (const auto& list : graph_.op_index_)
      indexed += list.count;
    if (indexed != graph_.num_nodes_)
      broken("the op index does not hold all nodes");
  }

  // Operands are live and defined earlier; every operand stands once in the use list of its value.
  void check_order_and_uses() {
    counted_.assign(graph_.values_.size(), 0);
    for (Node n : graph_.nodes())
      check_operands(n);
    check_operands(graph_.return_node());
    for (std::uint32_t i = 0; i < graph_.values_.size(); ++i) {
      const auto& v = graph_.values_[i];
      if (v.kind == Graph::ValueKind::dead)
        continue;
      std::uint32_t length = 0;
      // The first use knows the last one, so that uses are added at the end.
      const std::uint32_t last = v.first_use == no_index ? no_index : graph_.operands_[v.first_use].prev_use;
      std::uint32_t previous = last;
      for (std::uint32_t slot = v.first_use; slot != no_index; slot = graph_.operands_[slot].next_use) {
        const auto& o = graph_.operands_[slot];
        if (o.value != i || o.prev_use != previous || ++length > v.num_uses)
          return broken("a use list is inconsistent");
        previous = slot;
      }
      if (length != v.num_uses || length != counted_[i] || last != previous) {
        return broken("a use list is not exact");
      }
    }
  }

  void check_operands(Node n) {
    const auto& d = graph_.nodes_[n.index];
    for (std::uint32_t i = 0; i < d.num_operands; ++i) {
      const auto& o = graph_.operands_[d.first_operand + i];
      if (o.node != n.index || o.value >= graph_.values_.size())
        return broken("an operand is not its node's");
      const auto& v = graph_.values_[o.value];
      if (v.kind == Graph::ValueKind::dead) {
        return broken(fmt::format("operand {} of a {} node is a value that was erased", i, graph_.def(n).name));
      }
      ++counted_[o.value];
      if (v.def != no_index && graph_.nodes_[v.def].order >= d.order) {
        report("graph.order", n,
               fmt::format("operand '{}' is used before it is defined", graph_.def(n).operand_name(i)));
      }
    }
  }

  // A key names one tensor of a file, which has one type; several weights may be it.
  void check_weight_keys() {
    std::unordered_map<Symbol, TensorType> types;
    for (const Weight& w : graph_.weights()) {
      if (w.key.empty())
        continue;
      const TensorType& type = graph_.type(w.value);
      const auto [known, is_new] = types.try_emplace(w.key, type);
      if (is_new || known->second == type)
        continue;
      add_finding({.code = "graph.weight-key",
                   .where = {.file = {}, .path = fmt::format("%{}", graph_.name(w.value).view())},
                   .message = weight_key_conflict(w.key.view(), known->second, type),
                   .help = std::string(weight_key_help),
                   .notes = {},
                   .source_line = {}});
    }
  }

  void check_names() {
    NameSet names(graph_.values_.size());
    std::vector<std::string> duplicates;
    auto add = [&](Value v) {
      if (const Symbol s = graph_.name(v); !s.empty() && !names.insert(s))
        duplicates.emplace_back(s.view());
    };
    for (Value v : graph_.inputs())
      add(v);
    for (const Weight& w : graph_.weights())
      add(w.value);
    for (Node n : graph_.nodes()) {
      for (std::size_t i = 0; i < graph_.num_results(n); ++i)
        add(graph_.result(n, i));
    }
    std::sort(duplicates.begin(), duplicates.end());
    duplicates.erase(std::unique(duplicates.begin(), duplicates.end()), duplicates.end());
    for (const std::string& name : duplicates) {
      add_finding({.code = "graph.duplicate-name",
                   .where = {.file = {}, .path = "%" + name},
                   .message = fmt::format("the name '%{}' is given to two values", name),
                   .help = "rename one of them",
                   .notes = {},
                   .source_line = {}});
    }
  }

  void check_types() {
    std::vector<TensorType> operands;
    std::span<const TensorType> inferred;
    InferredTypes types(graph_.context());
    for (Node n : graph_.nodes()) {
      if (findings_.size() >= limit_)
        return;
      const OpDef& op = graph_.def(n);
      const auto attrs = graph_.attrs(n);
      if (!attributes_fit(n, op, attrs))
        continue;
      operands.clear();
      for (std::size_t i = 0; i < graph_.num_operands(n); ++i)
        operands.push_back(graph_.type(graph_.operand(n, i)));
      try {
        inferred = types.of(graph_.op(n), operands, attrs);
      } catch (const Error& e) {
        for (Diagnostic d : e.diagnostics()) {
          d.where.path = place(n);
          add_finding(std::move(d));
        }
        continue;
      }
      if (inferred.size() != graph_.num_results(n)) {
        report("graph.type", n,
               fmt::format("{} has {}, inference gives {}", op.name, counted(graph_.num_results(n), "result"),
                           inferred.size()));
        continue;
      }
      for (std::size_t i = 0; i < inferred.size(); ++i) {
        const TensorType& type = graph_.type(graph_.result(n, i));
        if (type != inferred[i]) {
          report("graph.type", n,
                 fmt::format("result {} of {} has type {}, inference gives {}", i, op.name, to_string(type),
                             to_string(inferred[i])));
        }
      }
    }
  }

  bool attributes_fit(Node n, const OpDef& op, std::span<const Attribute> attrs) {
    if (attrs.size() != op.attrs.size()) {
      report("graph.missing-attribute", n,
             fmt::format("{} has {}, its row {}", op.name, counted(attrs.size(), "attribute"), op.attrs.size()));
      return false;
    }
    for (std::size_t i = 0; i < attrs.size(); ++i) {
      if (attrs[i].kind() == op.attrs[i].kind)
        continue;
      report("graph.attribute-kind", n,
             fmt::format("attribute '{}' of {} is of kind {}, not {}", op.attrs[i].name, op.name,
                         to_string(attrs[i].kind()), to_string(op.attrs[i].kind)));
      return false;
    }
    return true;
  }

  /// "%qn", or "return".
  std::string place(Node n) {
    if (n == graph_.return_node())
      return "return";
    if (graph_.num_results(n) == 0)
      return graph_.def(n).name;
    const Symbol name = graph_.name(graph_.result(n, 0));
    return name.empty() ? fmt::format("{} (node {})", graph_.def(n).name, n.index) : "%" + std::string(name.view());
  }
  void report(std::string_view code, Node n, std::string message) {
    add_finding({.code = std::string(code),
                 .where = {.file = {}, .path = place(n)},
                 .message = std::move(message),
                 .help = {},
                 .notes = {},
                 .source_line = {}});
  }
  /// The storage itself is wrong: no user's input can cause that.
  void broken(std::string message) {
    add_finding({.code = "internal",
                 .where = {},
                 .message = std::move(message) + "; this is a bug in tandem",
                 .help = {},
                 .notes = {},
                 .source_line = {}});
  }
  void add_finding(Diagnostic d) {
    if (findings_.size() < limit_)
      findings_.push_back(std::move(d));
  }

  const Graph& graph_;
  std::size_t limit_;
  std::vector<Diagnostic> findings_;
  std::vector<std::uint32_t> counted_;
};

std::vector<Diagnostic> verify(const Graph& graph, std::size_t limit) {
  return GraphChecker(graph, limit).run();
}

void verify_or_throw(const Graph& graph) {
  if (auto findings = verify(graph); !findings.empty())
    throw Error(std::move(findings));
}

}  // namespace tandem
