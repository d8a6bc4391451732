// Matches kept for later: only what a variant binds, packed one after another.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include <tandem/ir/growing_array.h>
#include <tandem/passes/pattern/compiler.h>

namespace tandem {

/// Calls `word` with each word of what a match of `v` bound to captures, dims and dtypes, until it says false.
template <class Word>
bool visit_bindings(const CompiledVariant& v, const MatchState& s, const Word& word) {
  for (std::size_t i = 0; i < v.captures.size(); ++i) {
    if (!word(static_cast<std::uint64_t>(s.captures[i].kind())) || !word(s.captures[i].bits()))
      return false;
  }
  for (std::size_t i = 0; i < v.dims.size(); ++i) {
    if (!word(s.dims[i].bits()))
      return false;
  }
  for (std::size_t i = 0; i < v.types.size(); ++i) {
    if (!word(static_cast<std::uint64_t>(s.dtypes[i])))
      return false;
  }
  return true;
}

/// A store of matches. Layers are alike, so that most matches bind the same captures, dims and dtypes as the one before
/// them: those are stored once, and a match of the dual norm takes 24 bytes.
class MatchRecords {
 public:
  /// Which bindings a state holds.
  struct Loaded {
    std::uint32_t variant = no_index;
    std::uint32_t bindings = 0;
  };

  /// Makes room for so many matches of usual size.
  void reserve(std::size_t matches) {
    nodes_.reserve(matches * 8);
    words_.reserve(64);
  }

  std::uint32_t add(std::uint32_t variant, const CompiledVariant& v, const MatchState& s) {
    const std::size_t at = nodes_.size();
    std::uint32_t* const w = nodes_.extend(2 + v.nodes.size());
    w[0] = s.swapped;
    w[1] = bindings_of(variant, v, s);
    for (std::size_t i = 0; i < v.nodes.size(); ++i)  // they are few: a call of memcpy costs more
      w[2 + i] = s.nodes[i];
    return static_cast<std::uint32_t>(at);
  }

  /// Fills `s` with the match of `variant` stored at `at`, leading dims apart: no rewrite reads those. `loaded` says
  /// what `s` holds already. True when that bound the same, nodes apart.
  bool load(std::uint32_t at, std::uint32_t variant, const CompiledVariant& v, MatchState& s, Loaded& loaded) const {
    const std::uint32_t* n = nodes_.data() + at;
    s.swapped = n[0];
    for (std::size_t i = 0; i < v.nodes.size(); ++i)
      s.nodes[i] = n[2 + i];
    if (loaded.variant == variant && loaded.bindings == n[1])
      return true;
    loaded = {variant, n[1]};
    const std::uint64_t* w = words_.data() + n[1];
    for (std::size_t i = 0; i < v.captures.size(); ++i, w += 2)
      s.captures[i] = Attribute::from_bits(static_cast<AttrKind>(w[0]), w[1]);
    for (std::size_t i = 0; i < v.dims.size(); ++i)
      s.dims[i] = std::bit_cast<Dim>(*w++);
    for (std::size_t i = 0; i < v.types.size(); ++i)
      s.dtypes[i] = static_cast<DType>(*w++);
    return false;
  }

  /// The nodes of the match stored at `at`, by register.
  std::span<const std::uint32_t> nodes(std::uint32_t at, const CompiledVariant& v) const {
    return {nodes_.data() + at + 2, v.nodes.size()};
  }

  void clear() {
    nodes_.clear();
    words_.clear();
    last_variant_ = no_index;
  }

 private:
  /// Where in `words_` the bindings of `s` stand: where the last ones do, if they are the same.
  std::uint32_t bindings_of(std::uint32_t variant, const CompiledVariant& v, const MatchState& s) {
    if (variant == last_variant_ && s.answer != 0 && s.answer == last_answer_)
      return last_;
    last_answer_ = s.answer;
    const std::uint64_t* known = words_.data() + last_;
    if (variant == last_variant_ && visit_bindings(v, s, [&](std::uint64_t w) { return w == *known++; }))
      return last_;
    last_variant_ = variant;
    last_ = static_cast<std::uint32_t>(words_.size());
    visit_bindings(v, s, [&](std::uint64_t w) {
      words_.push_back(w);
      return true;
    });
    return last_;
  }

  GrowingArray<std::uint32_t> nodes_;
  std::vector<std::uint64_t> words_;
  std::uint32_t last_variant_ = no_index;
  std::uint32_t last_ = 0, last_answer_ = 0;
};

}  // namespace tandem
