// A set of nodes, one bit each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tandem {

/// Nodes by index. Small enough to stay in the caches where a word for each node would not.
class NodeBits {
 public:
  /// Room for indices below `nodes`; what is in the set stays.
  void reach(std::size_t nodes) {
    if (const std::size_t words = nodes / 64 + 1; words > words_.size())
      words_.resize(words);
  }
  bool has(std::uint32_t node) const { return (words_[node / 64] >> node % 64 & 1U) != 0; }
  void add(std::uint32_t node) { words_[node / 64] |= std::uint64_t{1} << node % 64; }
  void remove(std::uint32_t node) { words_[node / 64] &= ~(std::uint64_t{1} << node % 64); }

 private:
  std::vector<std::uint64_t> words_;
};

}  // namespace tandem
