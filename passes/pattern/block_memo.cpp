#include <tandem/passes/pattern/block_memo.h>

#include <algorithm>
#include <cstddef>
#include <type_traits>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/compiler.h>

namespace tandem {

namespace {

template <class T>
void add_once(std::vector<T>& to, const T& x) {
  if (std::find(to.begin(), to.end(), x) == to.end())
    to.push_back(x);
}

}  // namespace

bool BlockQuestion::pays(std::span<const Step> tests) {
  // A comparison of bits or two are cheaper made than remembered. What binds must be remembered: later questions count
  // on the number of the answer.
  std::size_t cost = 0;
  for (const Step& s : tests) {
    switch (s.kind) {
      case StepKind::attr_is:
      case StepKind::dtype_in: cost += 1; break;
      case StepKind::attr_bind:
      case StepKind::dtype_bind:
      case StepKind::leading_bind:
      case StepKind::equation: return true;
      default: cost += 2;
    }
  }
  return cost > 2;
}

BlockQuestion::BlockQuestion(const CompiledSet& set, std::span<const Step> tests) {
  static_assert(std::is_trivially_copyable_v<MatchState> && sizeof(MatchState) < 0xffff);
  Sources sources;
  for (const Step& s : tests)
    add_sources(set, s, sources);
  for (const auto* part : {&sources.attrs, &sources.values, &sources.first_operands})
    parts_.insert(parts_.end(), part->begin(), part->end());
  num_attrs_ = static_cast<std::uint32_t>(sources.attrs.size());
  num_values_ = static_cast<std::uint32_t>(sources.values.size());
  num_first_operands_ = static_cast<std::uint32_t>(sources.first_operands.size());
  num_words_ = 1 + num_attrs_ + num_values_ + num_first_operands_;
}

void BlockQuestion::add_bound(std::size_t offset, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; i += sizeof(std::uint64_t))
    bound_words_.push_back(static_cast<std::uint16_t>(offset + i));
}

void BlockQuestion::add_sources(const CompiledSet& set, const Step& s, Sources& sources) {
  auto attribute = [&](std::uint8_t node, std::uint8_t index) { add_once(sources.attrs, {node, index, false}); };
  auto value = [&](ValueRef v) { add_once(sources.values, {v.node, v.index, v.is_result}); };
  switch (s.kind) {
    case StepKind::attr_is:
    case StepKind::attr_same:
    case StepKind::attr_compare:
    case StepKind::list_length: return attribute(s.node, s.index);
    case StepKind::axis_is:
    case StepKind::axes_are: attribute(s.node, s.index); return add_once(sources.first_operands, {s.node, 0, false});
    case StepKind::attr_bind:
      attribute(s.node, s.index);
      return add_bound(offsetof(MatchState, captures) + s.slot * sizeof(Attribute), sizeof(Attribute));
    case StepKind::dtype_in:
    case StepKind::dtype_same:
    case StepKind::leading_same:
    case StepKind::rank: return value(s.value);
    case StepKind::dtype_bind: value(s.value); return bound_dtypes_.push_back(s.slot);
    case StepKind::leading_bind:
      value(s.value);
      return add_bound(offsetof(MatchState, leading) + s.slot * sizeof(std::span<const Dim>),
                       sizeof(std::span<const Dim>));
    case StepKind::equation: {
      const Equation& e = set.equations[s.arg];
      if (e.source == Equation::Source::from_end || e.source == Equation::Source::from_start)
        value(e.value);
      else
        attribute(e.node, e.attr);
      if (e.general < 0 && e.unknown >= 0) {
        const std::uint8_t slot = e.linear.terms[static_cast<std::size_t>(e.unknown)].second;
        add_bound(offsetof(MatchState, dims) + slot * sizeof(Dim), sizeof(Dim));
      }
      return;
    }
    default: internal_error("a step that is no test of attributes, types or dims cannot be remembered");
  }
}

void BlockMemo::ask(const BlockQuestion& q, std::uint32_t id, const GraphView& view, const MatchState& state,
                    std::uint32_t answer) {
  Entry& entry = entries_[id];
  entry.last ^= 1U;  // the older of the two answers is given up
  if (entry.first_words[entry.last] == no_index) {
    entry.first_words[entry.last] = static_cast<std::uint32_t>(words_.size());
    words_.resize(words_.size() + q.num_words() + q.num_bound());
  }
  entry.outcomes[entry.last] = Outcome::unknown;
  std::uint64_t* words = words_of(entry);
  q.visit(view, state, answer, [&](std::uint64_t w) {
    *words++ = w;
    return true;
  });
}

void BlockMemo::note(const BlockQuestion& q, std::uint32_t id, const MatchState& state, bool holds,
                     std::uint32_t& answer) {
  Entry& entry = entries_[id];
  if (last_number_ == ~std::uint32_t{0}) {  // before a number comes again all are forgotten
    for (Entry& e : entries_)
      e.outcomes = {};
    last_number_ = 0;
  }
  entry.outcomes[entry.last] = holds ? Outcome::holds : Outcome::fails;
  if (!holds)
    return;
  q.save(state, words_of(entry) + q.num_words());
  answer = entry.numbers[entry.last] = ++last_number_;
}

}  // namespace tandem
