// Elementwise nodes that run as one launch.
//
//     %a = mul %x, %s         three kernels, two intermediate tensors     ->     one launch that reads x, s and t
//     %b = add %a, %t                                                            and writes c
//     %c = silu %b
//
// A chain is a run of steps that follow each other, all elementwise over one shape, with nothing between them but views
// that never copy. What only the chain reads needs no memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <tandem/kernels/hip/elementwise.h>
#include <tandem/runtime/bound_plan.h>
#include <tandem/runtime/plan_impl.h>

namespace tandem::hip {

struct ElementwiseChain {
  struct Input {
    std::size_t member, operand;
  };
  std::vector<std::uint32_t> members;  ///< In `Plan::Impl::steps`.
  std::vector<ChainStep> steps;        ///< One a member.
  std::vector<Input> inputs;           ///< Where each input of the chain is an operand first.
  std::vector<std::size_t> outputs;    ///< Members whose results others read.
};

struct ChainPlan {
  std::vector<ElementwiseChain> chains;
  StepGroups groups;  ///< By step the number of its chain.
};

/// Why a chain is too long for one launch; "" when it is not.
using ChainLimit = std::function<std::string(const Chain&)>;

/// Finds the chains of two steps and more among the steps for which `is_candidate` holds.
ChainPlan find_chains(const Plan::Impl& plan, const std::vector<char>& is_candidate, const ChainLimit& limit);

}  // namespace tandem::hip
