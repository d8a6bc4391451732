#include <tandem/passes/pattern/rewriter.h>

#include <algorithm>

#include <fmt/format.h>

#include <tandem/ir/builder.h>
#include <tandem/ir/diagnostic.h>

namespace tandem {

namespace {

/// How many nodes may have to move up for one rewrite. Sites that far apart are no fusion.
constexpr std::size_t max_moves = 4096;

std::string name_of(const Graph& graph, Value v) {
  const Symbol s = graph.name(v);
  return s.empty() ? std::string("an unnamed value") : "%" + std::string(s.view());
}

}  // namespace

bool Rewriter::refuse(Refusal kind, std::string reason) {
  refusal_kind_ = kind;
  refusal_ = std::move(reason);
  return false;
}

bool Rewriter::is_legal(const CompiledVariant& variant, const MatchPlan& plan, const MatchState& state) {
  return prepare(variant, plan, state);
}

bool Rewriter::prepare(const CompiledVariant& variant, const MatchPlan& plan, const MatchState& state) {
  const GraphView view(graph_);
  refusal_.clear();
  refusal_kind_ = Refusal::none;
  removed_.clear();
  for (std::size_t i = 0; i < variant.nodes.size(); ++i) {
    const PatternNode& n = variant.nodes[i];
    if (n.keep || n.recompute)
      continue;
    const Node node = view.node(state.nodes[plan.registers[i]]);
    if (!graph_.def(node).has(trait::pure)) {
      return refuse(Refusal::effects, fmt::format("{} has effects and cannot be removed", graph_.def(node).name));
    }
    removed_.push_back(node);
  }
  return plan_nodes(variant, plan, state) && plan_types(variant, plan, state) && plan_place();
}

Value Rewriter::matched_value(const MatchPlan& plan, const MatchState& state, int value) const {
  const GraphView view(graph_);
  return view.value(value_index(view, state, plan.values[static_cast<std::size_t>(value)]));
}

Rewriter::Source Rewriter::resolve(const RewriteOperand& o, const MatchPlan& plan, const MatchState& state) const {
  if (o.kind == RewriteOperand::Kind::created)
    return {Value{}, o.value, o.result};
  return {matched_value(plan, state, o.value), -1, 0};
}

const TensorType& Rewriter::type_of(const Source& s) const {
  if (s.created < 0)
    return graph_.type(s.value);
  return types_[nodes_[static_cast<std::size_t>(s.created)].first_type + static_cast<std::size_t>(s.result)];
}

bool Rewriter::plan_nodes(const CompiledVariant& variant, const MatchPlan& plan, const MatchState& state) {
  nodes_.clear();
  sources_.clear();
  attrs_.clear();
  types_.clear();
  for (const RewriteStep& step : variant.rewrite) {
    const OpDef& def = graph_.context().op(step.op);
    NewNode n;
    n.op = step.op;
    n.first_source = static_cast<std::uint32_t>(sources_.size());
    operand_types_.clear();
    for (const RewriteOperand& o : step.operands) {
      if (o.kind == RewriteOperand::Kind::rest) {
        const auto [pattern_node, first] = variant.rests[static_cast<std::size_t>(o.value)];
        const Node node = GraphView(graph_).node(state.nodes[plan.registers[static_cast<std::size_t>(pattern_node)]]);
        for (std::size_t k = static_cast<std::size_t>(first); k < graph_.num_operands(node); ++k) {
          sources_.push_back({graph_.operand(node, k), -1, 0});
          operand_types_.push_back(graph_.type(sources_.back().value));
        }
        continue;
      }
      sources_.push_back(resolve(o, plan, state));
      operand_types_.push_back(type_of(sources_.back()));
    }
    n.num_sources = static_cast<std::uint32_t>(sources_.size()) - n.first_source;
    if (!operand_types_.empty() && def.has(trait::fused) &&
        (kernel_dtypes_[variant.fusion] >> static_cast<unsigned>(operand_types_[0].dtype) & 1U) == 0) {
      return refuse(Refusal::kernel_dtype,
                    fmt::format("the target has no kernel of {} for {}", def.name, to_string(operand_types_[0].dtype)));
    }
    n.first_attr = static_cast<std::uint32_t>(attrs_.size());
    for (std::size_t i = 0; i < def.attrs.size(); ++i) {
      if (!step.given[i]) {
        attrs_.push_back(def.attrs[i].default_value);
        continue;
      }
      if (step.attrs[i].kind == Expr::Kind::capture && state.captures[step.attrs[i].slot].kind() == def.attrs[i].kind) {
        attrs_.push_back(state.captures[step.attrs[i].slot]);
        continue;
      }
      const auto value = evaluate_as(graph_.context(), def.attrs[i].kind, step.attrs[i], state);
      if (!value)
        return refuse(Refusal::attribute,
                      fmt::format("attribute '{}' of the new {} has no value here", def.attrs[i].name, def.name));
      attrs_.push_back(*value);
    }
    if (!infer(step, def, std::span(attrs_).subspan(n.first_attr)))
      return false;
    if (inferred_.size() != step.num_results) {
      return refuse(Refusal::inference, fmt::format("the new {} has {} results here, not {}", def.name,
                                                    inferred_.size(), step.num_results));
    }
    n.first_type = static_cast<std::uint32_t>(types_.size());
    n.num_types = static_cast<std::uint32_t>(inferred_.size());
    types_.insert(types_.end(), inferred_.begin(), inferred_.end());
    nodes_.push_back(n);
  }
  return true;
}

/// The types of a new node. Layers are alike: a proof for the same question is not made twice in a row.
bool Rewriter::infer(const RewriteStep& step, const OpDef& def, std::span<const Attribute> attrs) {
  if (proved_for_ == &step && std::equal(attrs.begin(), attrs.end(), proved_attrs_.begin(), proved_attrs_.end()) &&
      operand_types_ == proved_operands_) {
    return true;
  }
  proved_for_ = nullptr;
  try {
    infer_types(graph_.context(), def, operand_types_, attrs, inferred_);
  } catch (const Error& e) {
    return refuse(Refusal::inference,
                  fmt::format("the new node is not valid here: {}", e.diagnostics().front().message));
  }
  proved_for_ = &step;
  proved_attrs_.assign(attrs.begin(), attrs.end());
  proved_operands_ = operand_types_;
  return true;
}

bool Rewriter::plan_types(const CompiledVariant& variant, const MatchPlan& plan, const MatchState& state) {
  replacements_.clear();
  for (const auto& [matched, operand] : variant.replacements) {
    const Value old = matched_value(plan, state, matched);
    const Source now = resolve(operand, plan, state);
    if (type_of(now) != graph_.type(old)) {
      return refuse(Refusal::types, fmt::format("{} has type {}, its replacement {}", name_of(graph_, old),
                                                to_string(graph_.type(old)), to_string(type_of(now))));
    }
    replacements_.emplace_back(old, now);
  }
  return true;
}

bool Rewriter::is_removed(Node node) const {
  return std::find(removed_.begin(), removed_.end(), node) != removed_.end();
}

bool Rewriter::plan_place() {
  moves_.clear();
  // All operands are defined after `low`; no user of a new value stands before `high`.
  std::uint64_t low = 0;
  auto raise = [&](const Source& s) {
    if (s.created >= 0)
      return;
    if (const Node def = graph_.def_node(s.value))
      low = std::max(low, graph_.order(def));
  };
  for (const Source& s : sources_)
    raise(s);
  for (const auto& [old, now] : replacements_)
    raise(now);

  Node first_user = graph_.return_node();
  std::uint64_t high = graph_.order(first_user);
  for (const auto& [old, now] : replacements_) {
    for (const Use use : graph_.uses(old)) {
      const std::uint64_t order = graph_.order(use.user);
      if (order < high && !is_removed(use.user)) {
        high = order;
        first_user = use.user;
      }
    }
  }
  if (low < high) {
    // In place of the last node that goes, when it stands between; else right before the first user.
    Node last;
    for (Node n : removed_) {
      if (!last || graph_.order(n) > graph_.order(last))
        last = n;
    }
    const bool between = last && graph_.order(last) > low && graph_.order(last) < high;
    before_ = between ? last : first_user == graph_.return_node() ? Node{} : first_user;
    return true;
  }
  before_ = first_user;
  return collect_moves(high);
}

bool Rewriter::collect_moves(std::uint64_t high) {
  // What the operands need from behind `high` moves up, unless it needs a value that is about to be replaced.
  visited_.resize(std::max(visited_.size(), graph_.node_capacity()), 0);
  if (++stamp_ == 0) {
    std::fill(visited_.begin(), visited_.end(), 0U);
    stamp_ = 1;
  }
  auto push = [&](Value v) {
    const Node def = graph_.def_node(v);
    if (!def || graph_.order(def) < high || visited_[def.index] == stamp_)
      return;
    visited_[def.index] = stamp_;
    moves_.push_back(def);
  };
  for (const Source& s : sources_) {
    if (s.created < 0)
      push(s.value);
  }
  for (const auto& [old, now] : replacements_) {
    if (now.created < 0)
      push(now.value);
  }
  for (std::size_t i = 0; i < moves_.size(); ++i) {
    const Node n = moves_[i];
    if (n == before_ || is_removed(n)) {
      const Value shown = graph_.num_results(n) != 0 ? graph_.result(n, 0) : Value{};
      return refuse(
          Refusal::not_convex,
          fmt::format("not convex: an operand of the new node depends on {}, which depends on a replaced value",
                      shown ? name_of(graph_, shown) : graph_.def(n).name));
    }
    if (!graph_.def(n).has(trait::pure)) {
      return refuse(Refusal::effects, fmt::format("{} would have to move and has effects", graph_.def(n).name));
    }
    if (moves_.size() > max_moves)
      return refuse(Refusal::too_far, "the matched nodes stand too far apart");
    for (std::size_t k = 0; k < graph_.num_operands(n); ++k)
      push(graph_.operand(n, k));
  }
  // A mover that uses a replaced value would be a user before `high`, or reach a removed node above: both refused.
  std::sort(moves_.begin(), moves_.end(), [&](Node a, Node b) { return graph_.order(a) < graph_.order(b); });
  return true;
}

Symbol Rewriter::common_scope() const {
  if (removed_.empty())
    return {};
  const Symbol first = graph_.scope(removed_.front());
  std::string_view common = first.view();
  bool same = true;
  for (Node n : removed_) {
    const Symbol s = graph_.scope(n);
    if (s == first)
      continue;
    same = false;
    const auto [a, b] = std::mismatch(common.begin(), common.end(), s.view().begin(), s.view().end());
    std::size_t length = static_cast<std::size_t>(a - common.begin());
    // Cut at a whole component.
    const bool whole = (a == common.end() || *a == '.') && (b == s.view().end() || *b == '.');
    if (!whole)
      length = common.substr(0, length).rfind('.') == std::string_view::npos ? 0 : common.substr(0, length).rfind('.');
    common = common.substr(0, length);
  }
  return same ? first : graph_.context().intern(common);
}

/// Users that go away keep the old value: they may stand before the new node.
void Rewriter::replace_outside(Value old, Value value) {
  outside_.clear();
  bool inside = false;
  for (const Use use : graph_.uses(old)) {
    if (is_removed(use.user)) {
      inside = true;
    } else {
      outside_.push_back(use);
    }
  }
  if (!inside) {
    graph_.replace_all_uses(old, value);
    return;
  }
  for (const Use& use : outside_)
    graph_.set_operand(use.user, use.operand, value);
}

bool Rewriter::rewrite(const CompiledVariant& variant, const MatchPlan& plan, const MatchState& state) {
  if (!prepare(variant, plan, state))
    return false;
  // From here on nothing can be refused.
  const Symbol scope = common_scope();
  created_.clear();
  released_.clear();
  removed_indices_.clear();
  for (Node n : moves_)
    graph_.move_before(n, before_);
  for (const NewNode& n : nodes_) {
    operands_.clear();
    for (std::uint32_t i = 0; i < n.num_sources; ++i) {
      const Source& s = sources_[n.first_source + i];
      operands_.push_back(s.created < 0 ? s.value
                                        : graph_.result(created_[static_cast<std::size_t>(s.created)],
                                                        static_cast<std::size_t>(s.result)));
    }
    const std::size_t num_attrs = graph_.context().op(n.op).attrs.size();
    created_.push_back(graph_.create(n.op, operands_, std::span(attrs_).subspan(n.first_attr, num_attrs),
                                     std::span(types_).subspan(n.first_type, n.num_types), before_, scope));
  }
  for (const auto& [old, now] : replacements_) {
    const Value value = now.created < 0 ? now.value
                                        : graph_.result(created_[static_cast<std::size_t>(now.created)],
                                                        static_cast<std::size_t>(now.result));
    const Symbol name = graph_.name(old);
    if (graph_.name(value).empty() || now.created >= 0) {
      graph_.set_name(old, {});
      graph_.set_name(value, name);
    }
    replace_outside(old, value);
  }
  // Users first. A removed node whose results are still read (by a recomputed one) stays.
  std::sort(removed_.begin(), removed_.end(), [&](Node a, Node b) { return graph_.order(a) > graph_.order(b); });
  for (Node n : removed_) {
    bool used = false;
    for (std::size_t i = 0; i < graph_.num_results(n); ++i)
      used |= graph_.num_uses(graph_.result(n, i)) != 0;
    if (used)
      continue;
    // Values that got a new reader have as many uses as before; the others may match anew.
    for (std::size_t i = 0; i < graph_.num_operands(n); ++i) {
      const Value v = graph_.operand(n, i);
      const bool read_again =
          std::any_of(sources_.begin(), sources_.end(), [&](const Source& s) { return s.created < 0 && s.value == v; });
      if (!read_again)
        released_.push_back(v);
    }
    graph_.erase(n);
    removed_indices_.push_back(n.index);
  }
  std::erase_if(released_, [&](Value v) { return !graph_.is_live(v); });
  return true;
}

}  // namespace tandem
