// Matches kept for later: only what a variant binds, packed one after another.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include <tandem/passes/pattern/compiler.h>

namespace tandem {

/// A store of matches. A dual norm takes 14 words, where a `MatchState` has room for the largest pattern.
class MatchRecords {
 public:
  std::size_t add(const CompiledVariant& v, const MatchState& s) {
    const std::size_t at = used_;
    used_ += size_of(v);
    if (used_ > words_.size())
      words_.resize(2 * used_ + 1024);
    std::uint64_t* w = words_.data() + at;
    *w++ = s.swapped;
    for (std::size_t i = 0; i < v.nodes.size(); ++i)
      *w++ = s.nodes[i];
    for (std::size_t i = 0; i < v.captures.size(); ++i) {
      *w++ = static_cast<std::uint64_t>(s.captures[i].kind());
      *w++ = s.captures[i].bits();
    }
    for (std::size_t i = 0; i < v.dims.size(); ++i)
      *w++ = s.dims[i].bits();
    for (std::size_t i = 0; i < v.types.size(); ++i)
      *w++ = static_cast<std::uint64_t>(s.dtypes[i]);
    return at;
  }

  /// Fills `s` with the match stored at `at`, leading dims apart: no rewrite reads those.
  void load(std::size_t at, const CompiledVariant& v, MatchState& s) const {
    const std::uint64_t* w = words_.data() + at;
    s.swapped = static_cast<std::uint32_t>(*w++);
    for (std::size_t i = 0; i < v.nodes.size(); ++i)
      s.nodes[i] = static_cast<std::uint32_t>(*w++);
    for (std::size_t i = 0; i < v.captures.size(); ++i, w += 2) {
      s.captures[i] = Attribute::from_bits(static_cast<AttrKind>(w[0]), w[1]);
    }
    for (std::size_t i = 0; i < v.dims.size(); ++i)
      s.dims[i] = std::bit_cast<Dim>(*w++);
    for (std::size_t i = 0; i < v.types.size(); ++i)
      s.dtypes[i] = static_cast<DType>(*w++);
  }

  void clear() { used_ = 0; }

 private:
  static std::size_t size_of(const CompiledVariant& v) {
    return 1 + v.nodes.size() + 2 * v.captures.size() + v.dims.size() + v.types.size();
  }

  std::vector<std::uint64_t> words_;
  std::size_t used_ = 0;
};

}  // namespace tandem
