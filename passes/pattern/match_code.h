// All plans of a set, laid out to be run.
//
// Plans that begin with the same steps share them, so that a pattern costs only where it differs from others: the plans
// of one anchor op form a trie. The trie is laid out as blocks: straight runs of steps between the places where plans
// part or a choice is made. Within a block what walks edges comes first, then what looks at attributes, types and dims
// alone, then the guards. The order does not change what matches: a block holds when all of its steps do.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <tandem/passes/pattern/block_memo.h>
#include <tandem/passes/pattern/program.h>

namespace tandem {

struct CompiledSet;

/// A run of steps.
struct CodeBlock {
  Step choice;  ///< How the block is entered: a step of kind down, commute or unless; of kind anchor: plainly.
  std::uint32_t first_step = 0;
  std::uint16_t num_walks = 0, num_tests = 0, num_guards = 0;
  std::uint16_t num_accepts = 0;
  std::uint32_t question = no_index;  ///< Of the tests, to remember their outcomes; `no_index`: not worth it.
  std::uint32_t first_accept = 0;
  std::uint32_t first_child = 0, num_children = 0;
  std::uint32_t parent = no_index;
};

/// A plan that ends in a block.
struct CodeAccept {
  std::uint32_t variant;
  std::uint32_t plan;
};

/// Where a plan begins and ends.
struct CodePath {
  std::uint32_t root;
  std::uint32_t leaf;
};

struct MatchCode {
  std::vector<CodeBlock> blocks;
  std::vector<Step> steps;
  std::vector<CodeAccept> accepts;
  std::vector<std::uint32_t> children;  // blocks
  std::vector<BlockQuestion> questions;
  std::vector<std::vector<CodePath>> paths;  // by variant, then by plan

  std::span<const CodeAccept> accepts_of(const CodeBlock& b) const {
    return {accepts.data() + b.first_accept, b.num_accepts};
  }
  std::span<const std::uint32_t> children_of(const CodeBlock& b) const {
    return {children.data() + b.first_child, b.num_children};
  }
};

/// Lays out the plans of all variants of `set`.
MatchCode lay_out(const CompiledSet& set);

}  // namespace tandem
