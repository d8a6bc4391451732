#include <tandem/passes/pattern/rewriter.h>

#include <algorithm>

#include <fmt/format.h>

#include <tandem/ir/builder.h>
#include <tandem/ir/counted.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/ir/graph_edit.h>
#include <tandem/passes/pattern/match_record.h>

namespace tandem {

std::string Rewriter::name_of(std::uint32_t value) const {
  const Symbol s = graph_.name(view_.value(value));
  return s.empty() ? std::string("an unnamed value") : "%" + std::string(s.view());
}

bool Rewriter::refuse(Refusal kind, std::string reason) {
  refusal_kind_ = kind;
  refusal_ = std::move(reason);
  return false;
}

bool Rewriter::is_legal(const CompiledVariant& variant, const MatchPlan& plan, const MatchState& state) {
  return prepare(variant, plan, state, false);
}

bool Rewriter::prepare(const CompiledVariant& variant, const MatchPlan& plan, const MatchState& state, bool like_last) {
  view_ = GraphView(graph_);
  refusal_.clear();
  refusal_kind_ = Refusal::none;
  plan_removal(variant, plan, state);
  draft_ = &drafts_[static_cast<std::size_t>(&variant - set_.variants.data())];
  if (has_proof(variant, plan, state, like_last))
    return plan_place();
  if (!removes_without_effect(variant))
    return false;
  sources_of_ = nullptr;
  collect_sources(variant, plan, state);
  return draft_nodes(variant, plan, state) && plan_types(variant, plan, state) && plan_place();
}

bool Rewriter::removes_without_effect(const CompiledVariant& variant) {
  for (const std::uint8_t i : variant.removed) {
    const OpDef& def = graph_.context().op(variant.nodes[i].op);
    if (!def.has(trait::pure))
      return refuse(Refusal::effects, fmt::format("{} has effects and cannot be removed", def.name));
  }
  return true;
}

void Rewriter::plan_removal(const CompiledVariant& variant, const MatchPlan& plan, const MatchState& state) {
  removed_.clear();
  for (const std::uint8_t i : variant.removed)
    removed_.push_back(state.nodes[plan.registers[i]]);
  recomputed_.clear();
  for (const std::uint8_t i : variant.recomputed) {
    if (graph_.context().op(variant.nodes[i].op).has(trait::pure))
      recomputed_.push_back(state.nodes[plan.registers[i]]);
  }
  releasing_.clear();
  for (const std::uint8_t i : variant.releasing)
    releasing_.push_back(state.nodes[plan.registers[i]]);
}

// --- the new nodes
// ---------------------------------------------------------------------------------------------------------

/// The operands of all new nodes.
void Rewriter::collect_sources(const CompiledVariant& variant, const MatchPlan& plan, const MatchState& state) {
  sources_.clear();
  source_ends_.clear();
  for (const RewriteStep& step : variant.rewrite) {
    for (const RewriteOperand& o : step.operands) {
      if (o.kind != RewriteOperand::Kind::rest) {
        sources_.push_back(resolve(o, plan, state));
        continue;
      }
      const auto [pattern_node, first] = variant.rests[static_cast<std::size_t>(o.value)];
      const std::uint32_t node = state.nodes[plan.registers[static_cast<std::size_t>(pattern_node)]];
      for (auto k = static_cast<std::uint32_t>(first); k < view_.num_operands(node); ++k)
        sources_.push_back({view_.operand(node, k), -1, 0});
    }
    source_ends_.push_back(static_cast<std::uint32_t>(sources_.size()));
  }
}

/// Whether the draft at hand is what this site would get, because all that it is a function of is the same: what the
/// match bound, the types of the sources and those of the replaced values. The sources are those of this site then.
bool Rewriter::has_proof(const CompiledVariant& variant, const MatchPlan& plan, const MatchState& state,
                         bool like_last) {
  const Draft& d = *draft_;
  if (!d.proven || d.plan != &plan || d.refs.empty())
    return false;
  const std::uint64_t* known = d.bindings.data();
  if (!like_last && !visit_bindings(variant, state, [&](std::uint64_t w) { return w == *known++; }))
    return false;
  if (sources_of_ != draft_) {
    sources_ = d.sources;
    replacements_ = d.replacements;
    sources_of_ = draft_;
  }
  const ValueRef* ref = d.refs.data();
  for (std::size_t i = 0; i < sources_.size(); ++i, ++ref) {
    if (sources_[i].created >= 0)
      continue;
    sources_[i].value = value_index(view_, state, *ref);
    if (view_.type(sources_[i].value) != d.source_types[i])
      return false;
  }
  for (auto& [old, now] : replacements_) {
    old = value_index(view_, state, *ref++);
    if (now.created < 0)
      now.value = value_index(view_, state, *ref++);
    if (view_.type(old) != type_of(now))
      return false;
  }
  return true;
}

bool Rewriter::draft_nodes(const CompiledVariant& variant, const MatchPlan& plan, const MatchState& state) {
  Draft& d = *draft_;
  d = {};
  d.nodes.reserve(variant.rewrite.size());
  d.refs.reserve(sources_.size() + 2 * variant.replacements.size());
  d.source_types.reserve(sources_.size());
  d.bindings.reserve(2 * variant.captures.size() + variant.dims.size() + variant.types.size());
  for (const RewriteStep& step : variant.rewrite) {
    if (!draft_node(variant, step, state))
      return false;
  }
  for (const Source& s : sources_)
    d.source_types.push_back(type_of(s));
  visit_bindings(variant, state, [&](std::uint64_t w) {
    d.bindings.push_back(w);
    return true;
  });
  d.sources = sources_;
  d.plan = &plan;
  note_refs(variant, plan, state);
  d.proven = true;
  return true;
}

/// Where the sources and the replaced values of every site of this plan are found, unless a rest makes that vary.
void Rewriter::note_refs(const CompiledVariant& variant, const MatchPlan& plan, const MatchState& state) {
  Draft& d = *draft_;
  for (const RewriteStep& step : variant.rewrite) {
    for (const RewriteOperand& o : step.operands) {
      if (o.kind == RewriteOperand::Kind::rest)
        return d.refs.clear();
      d.refs.push_back(o.kind == RewriteOperand::Kind::matched ? plan.values[static_cast<std::size_t>(o.value)]
                                                               : ValueRef{});
    }
  }
  for (const auto& [matched, operand] : variant.replacements) {
    d.refs.push_back(plan.values[static_cast<std::size_t>(matched)]);
    if (operand.kind != RewriteOperand::Kind::created)
      d.refs.push_back(plan.values[static_cast<std::size_t>(operand.value)]);
    d.replacements.emplace_back(no_index, resolve(operand, plan, state));
  }
}

bool Rewriter::draft_node(const CompiledVariant& variant, const RewriteStep& step, const MatchState& state) {
  Draft& d = *draft_;
  const OpDef& def = graph_.context().op(step.op);
  NewNode n;
  n.op = step.op;
  n.first_source = d.nodes.empty() ? 0 : d.nodes.back().first_source + d.nodes.back().num_sources;
  n.num_sources = source_ends_[d.nodes.size()] - n.first_source;
  operand_types_.clear();
  for (std::uint32_t i = 0; i < n.num_sources; ++i)
    operand_types_.push_back(type_of(sources_[n.first_source + i]));
  if (!operand_types_.empty() && def.has(trait::fused) &&
      (kernel_dtypes_[variant.fusion] >> static_cast<unsigned>(operand_types_[0].dtype) & 1U) == 0) {
    return refuse(Refusal::kernel_dtype,
                  fmt::format("the target has no kernel of {} for {}", def.name, to_string(operand_types_[0].dtype)));
  }
  n.first_attr = static_cast<std::uint32_t>(d.attrs.size());
  n.num_attrs = static_cast<std::uint32_t>(def.attrs.size());
  if (!draft_attrs(step, def, state))
    return false;
  try {
    infer_types(graph_.context(), def, operand_types_, std::span(d.attrs).subspan(n.first_attr), inferred_);
  } catch (const Error& e) {
    return refuse(Refusal::inference,
                  fmt::format("the new node is not valid here: {}", e.diagnostics().front().message));
  }
  if (inferred_.size() != step.num_results) {
    return refuse(Refusal::inference, fmt::format("the new {} has {} here, not {}", def.name,
                                                  counted(inferred_.size(), "result"), step.num_results));
  }
  n.first_type = static_cast<std::uint32_t>(d.types.size());
  n.num_types = static_cast<std::uint32_t>(inferred_.size());
  d.types.insert(d.types.end(), inferred_.begin(), inferred_.end());
  d.nodes.push_back(n);
  return true;
}

bool Rewriter::draft_attrs(const RewriteStep& step, const OpDef& def, const MatchState& state) {
  for (std::size_t i = 0; i < def.attrs.size(); ++i) {
    const BoundExpr& e = step.attrs[i];
    if (!step.given[i]) {
      draft_->attrs.push_back(def.attrs[i].default_value);
    } else if (e.kind == Expr::Kind::capture && state.captures[e.slot].kind() == def.attrs[i].kind) {
      draft_->attrs.push_back(state.captures[e.slot]);
    } else if (const auto value = evaluate_as(graph_.context(), def.attrs[i].kind, e, state)) {
      draft_->attrs.push_back(*value);
    } else {
      return refuse(Refusal::attribute,
                    fmt::format("attribute '{}' of the new {} has no value here", def.attrs[i].name, def.name));
    }
  }
  return true;
}

bool Rewriter::plan_types(const CompiledVariant& variant, const MatchPlan& plan, const MatchState& state) {
  replacements_.clear();
  for (const auto& [matched, operand] : variant.replacements) {
    const std::uint32_t old = value_index(view_, state, plan.values[static_cast<std::size_t>(matched)]);
    const Source now = resolve(operand, plan, state);
    const TensorType had = view_.type(old), gets = type_of(now);
    if (gets != had) {
      return refuse(Refusal::types,
                    fmt::format("{} has type {}, its replacement {}", name_of(old), to_string(had), to_string(gets)));
    }
    replacements_.emplace_back(old, now);
  }
  return true;
}

// --- the edit
// --------------------------------------------------------------------------------------------------------------

Symbol Rewriter::common_scope() const {
  if (removed_.empty())
    return {};
  GraphEdit edit(graph_);
  const Symbol first = edit.scope(removed_.front());
  std::string_view common = first.view();
  bool same = true;
  for (const std::uint32_t n : removed_) {
    const Symbol s = edit.scope(n);
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

/// The value that a source stands for, once the new nodes are there.
std::uint32_t Rewriter::made(const Source& s) const {
  if (s.created < 0)
    return s.value;
  return view_.result(created_[static_cast<std::size_t>(s.created)].index, static_cast<std::uint32_t>(s.result));
}

bool Rewriter::rewrite(const CompiledVariant& variant, const MatchPlan& plan, const MatchState& state, bool like_last) {
  if (!prepare(variant, plan, state, like_last))
    return false;
  // From here on nothing can be refused.
  GraphEdit edit(graph_);
  const Symbol scope = common_scope();
  created_.clear();
  for (const std::uint32_t n : moves_)
    edit.move_before(n, before_);
  for (const NewNode& n : draft_->nodes) {
    operands_.clear();
    for (std::uint32_t i = 0; i < n.num_sources; ++i)
      operands_.push_back(made(sources_[n.first_source + i]));
    const std::uint32_t index =
        edit.create(n.op, operands_, std::span(draft_->attrs).subspan(n.first_attr, n.num_attrs),
                    std::span(draft_->types).subspan(n.first_type, n.num_types), before_, scope);
    view_ = GraphView(graph_);  // storage may have moved
    created_.push_back(view_.node(index));
  }
  for (const auto& [old, now] : replacements_) {
    const std::uint32_t value = made(now);
    if (now.created >= 0 || !edit.is_named(value))
      edit.move_name(old, value);
    if (read_inside_)
      replace_outside(old, value);
    else
      edit.replace_uses(old, value);
  }
  erase_removed();
  return true;
}

/// Users that go away keep the old value: they may stand before the new node.
void Rewriter::replace_outside(std::uint32_t old, std::uint32_t value) {
  GraphEdit edit(graph_);
  outside_.clear();
  for (std::uint32_t use = view_.first_use(old); use != no_index; use = view_.next_use(use)) {
    if (!is_removed(view_.user(use)))
      outside_.push_back(use);
  }
  for (const std::uint32_t use : outside_)
    edit.move_use(use, value);
}

/// Notes what may match anew when `node` is gone. A value that got a new reader has as many uses as before, or more
/// than a match allows, which only guards can tell apart, and a negative part that matched the node; nor does such a
/// part then see the node behind the new values.
void Rewriter::release(std::uint32_t node) {
  const bool hindered = set_.hindering_ops[view_.op(node).index];
  for (std::uint32_t i = 0; i < view_.num_operands(node); ++i) {
    const std::uint32_t v = view_.operand(node, i);
    const bool read_again =
        std::any_of(sources_.begin(), sources_.end(), [&](const Source& s) { return s.created < 0 && s.value == v; });
    if (!read_again || hindered || set_.looks_at_readers)
      released_.push_back(view_.value(v));
  }
  if (hindered) {
    for (const auto& [old, now] : replacements_)
      released_.push_back(view_.value(made(now)));
  }
}

void Rewriter::erase_removed() {
  GraphEdit edit(graph_);
  released_.clear();
  erased_.clear();
  // Users first. What nobody reads goes away: of the removed nodes those stay that a recomputed one with other users
  // reads.
  removed_.insert(removed_.end(), recomputed_.begin(), recomputed_.end());
  for (std::size_t i = 1; i < removed_.size(); ++i) {  // an insertion sort: they are few
    for (std::size_t k = i; k != 0 && view_.order(removed_[k]) > view_.order(removed_[k - 1]); --k)
      std::swap(removed_[k], removed_[k - 1]);
  }
  for (const std::uint32_t n : removed_) {
    bool used = false;
    for (std::uint32_t i = 0; i < view_.num_results(n); ++i)
      used |= view_.num_uses(view_.result(n, i)) != 0;
    if (used)
      continue;
    if (std::find(releasing_.begin(), releasing_.end(), n) != releasing_.end())
      release(n);
    edit.erase(n);
    erased_.push_back(n);
  }
  if (set_.looks_at_readers) {  // others have more readers than before
    for (const Source& s : sources_) {
      if (s.created < 0)
        released_.push_back(view_.value(s.value));
    }
    for (const auto& [old, now] : replacements_)
      released_.push_back(view_.value(made(now)));
  }
  if (!released_.empty())
    std::erase_if(released_, [&](Value v) { return !graph_.is_live(v); });
}

}  // namespace tandem
