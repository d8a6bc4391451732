// Which nodes the sites found so far want, and which of them more than one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tandem {

/// A set of nodes by index, a bit each: small enough to stay in the caches where a word for each would not.
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

/// The claims of the sites of one round.
class Claims {
 public:
  /// Room for indices below `nodes`. Call it before the first `add` of a round.
  void reach(std::size_t nodes) {
    claimed_.reach(nodes);
    contested_.reach(nodes);
  }

  /// Notes the nodes of a site, which may name one more than once.
  void add(std::span<const std::uint32_t> nodes) {
    bool shared = false;
    for (const std::uint32_t n : nodes)
      shared |= claimed_.has(n);
    if (shared)
      contest(nodes);
    for (const std::uint32_t n : nodes)
      claimed_.add(n);
  }

  /// Whether a site that was added shares a node with another that was, before or after it.
  bool are_contested(std::span<const std::uint32_t> nodes) const {
    return any_contested_ &&
           std::any_of(nodes.begin(), nodes.end(), [&](std::uint32_t n) { return contested_.has(n); });
  }

  /// Forgets a site. When all are forgotten there are no claims.
  void remove(std::span<const std::uint32_t> nodes) {
    for (const std::uint32_t n : nodes) {
      claimed_.remove(n);
      contested_.remove(n);
    }
  }
  void none_left() { any_contested_ = false; }

 private:
  void contest(std::span<const std::uint32_t> nodes) {
    any_contested_ = true;
    for (const std::uint32_t n : nodes) {
      if (claimed_.has(n))
        contested_.add(n);
    }
  }

  NodeBits claimed_, contested_;
  bool any_contested_ = false;
};

}  // namespace tandem
