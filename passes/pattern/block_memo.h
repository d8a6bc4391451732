// What the tests of a block gave for the same question before.
//
// A test of attributes, types or dims is a function of a few words: attribute bits, dtypes, interned shapes, and what
// earlier blocks bound. Layers of a model are alike, so the same words come again and again: comparing them costs a
// fraction of testing them. Nothing is assumed of the graph: other words are other questions, and are tested.
//
// What earlier blocks bound is one word: the number of the answer by which the last of them held. Its question has the
// number of the answer before it among its words, and so on: equal numbers, equal bindings.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include <tandem/passes/pattern/match_state.h>

namespace tandem {

struct CompiledSet;

/// The words that the tests of a block are a function of, and what they bind.
class BlockQuestion {
 public:
  /// Whether remembering the outcome of these tests is cheaper than making them.
  static bool pays(std::span<const Step> tests);

  /// For tests among which there is no guard and no choice.
  BlockQuestion(const CompiledSet& set, std::span<const Step> tests);

  std::size_t num_words() const { return num_words_; }
  std::size_t num_bound() const { return bound_words_.size() + bound_dtypes_.size(); }

  /// Calls `word` with each word of the question, until it says false.
  template <class Word>
  bool visit(const GraphView& view, const MatchState& state, std::uint32_t above, const Word& word) const {
    if (!word(above))
      return false;
    const Part* part = parts_.data();
    for (const Part* const end = part + num_attrs_; part != end; ++part) {
      if (!word(view.attr(state.nodes[part->node], part->index).bits()))
        return false;
    }
    for (const Part* const end = part + num_values_; part != end; ++part) {
      const std::uint32_t v = value_index(view, state, {part->node, part->index, part->is_result});
      // One word: shapes stand at multiples of 8 and below 2^63.
      static_assert(num_dtypes <= 16);
      if (!word(bits_of(view.shape(v)) << 1U | static_cast<std::uint64_t>(view.dtype(v))))
        return false;
    }
    for (const Part* const end = part + num_first_operands_; part != end; ++part) {
      if (!word(bits_of(view.shape(view.operand(state.nodes[part->node], 0)))))
        return false;
    }
    return true;
  }
  /// Copies what the tests bound.
  void save(const MatchState& state, std::uint64_t* words) const {
    for (const std::uint16_t offset : bound_words_)
      std::memcpy(words++, reinterpret_cast<const std::byte*>(&state) + offset, sizeof(std::uint64_t));
    for (const std::uint8_t slot : bound_dtypes_)
      *words++ = static_cast<std::uint64_t>(state.dtypes[slot]);
  }
  /// Binds what `save` copied.
  void bind(MatchState& state, const std::uint64_t* words) const {
    for (const std::uint16_t offset : bound_words_)
      std::memcpy(reinterpret_cast<std::byte*>(&state) + offset, words++, sizeof(std::uint64_t));
    for (const std::uint8_t slot : bound_dtypes_)
      state.dtypes[slot] = static_cast<DType>(*words++);
  }

 private:
  struct Part {  // attribute `index` of a node, or the value {node, index, is_result}, or a node's first operand
    std::uint8_t node = 0, index = 0;
    bool is_result = false;
    friend bool operator==(Part, Part) = default;
  };
  struct Sources {
    std::vector<Part> attrs, values, first_operands;
  };

  void add_sources(const CompiledSet& set, const Step& step, Sources& sources);
  void add_bound(std::size_t offset, std::size_t bytes);
  static std::uint64_t bits_of(Shape s) { return reinterpret_cast<std::uint64_t>(s.id()); }

  std::vector<Part> parts_;                 // attributes, then values, then first operands
  std::vector<std::uint16_t> bound_words_;  // what the tests bind: where in a MatchState, 8 bytes each ...
  std::vector<std::uint8_t> bound_dtypes_;  // ... and type variables
  std::uint32_t num_attrs_ = 0, num_values_ = 0, num_first_operands_ = 0, num_words_ = 0;
};

/// The answers that one matcher has had to the questions of its set: for each the last two, for models often have two
/// kinds of layers.
class BlockMemo {
 public:
  enum class Outcome : std::uint8_t { unknown, fails, holds };

  /// For `questions` questions.
  explicit BlockMemo(std::size_t questions) : entries_(questions) { words_.reserve(256); }

  /// The outcome of the tests for what `state` has bound. When it holds, `state` gets what the tests bind, and
  /// `answer`, the number of the last answer above, becomes the number of this one.
  Outcome recall(const BlockQuestion& q, std::uint32_t id, const GraphView& view, MatchState& state,
                 std::uint32_t& answer) {
    Entry& entry = entries_[id];
    for (std::size_t tried = 0; tried < ways; ++tried) {
      const Outcome outcome = entry.outcomes[entry.last];
      if (outcome != Outcome::unknown) {
        const std::uint64_t* words = words_of(entry);
        if (q.visit(view, state, answer, [&](std::uint64_t w) { return w == *words++; })) {
          if (outcome == Outcome::holds) {
            q.bind(state, words);
            answer = entry.numbers[entry.last];
          }
          return outcome;
        }
      }
      entry.last ^= 1U;
    }
    return Outcome::unknown;
  }
  /// Notes the question of `state` before the tests change it ...
  void ask(const BlockQuestion& q, std::uint32_t id, const GraphView& view, const MatchState& state,
           std::uint32_t answer);
  /// ... and the outcome after them. When it holds `answer` becomes its number.
  void note(const BlockQuestion& q, std::uint32_t id, const MatchState& state, bool holds, std::uint32_t& answer);

 private:
  static constexpr std::size_t ways = 2;
  struct Entry {
    std::array<std::uint32_t, ways> first_words = {no_index, no_index};
    std::array<std::uint32_t, ways> numbers = {};
    std::array<Outcome, ways> outcomes = {};
    std::uint8_t last = 0;
  };

  std::uint64_t* words_of(const Entry& e) { return words_.data() + e.first_words[e.last]; }

  std::vector<Entry> entries_;
  std::uint32_t last_number_ = 0;
  std::vector<std::uint64_t> words_;  // of those asked: the question and what was bound, twice
};

}  // namespace tandem
