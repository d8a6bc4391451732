// Graphs with data and with what they compute: the cases that a fusion, or one with a planted fault, is tried on.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <tandem/passes/pattern/check_data.h>
#include <tandem/passes/pattern/check_instance.h>
#include <tandem/passes/pattern/compiler.h>
#include <tandem/passes/pattern/rewriter.h>

namespace tandem {

struct CheckCase {
  std::size_t variant = 0;
  Instance instance;
  Graph graph;
  DataKind kind = DataKind::normal;
  std::vector<CheckTensor> inputs;  ///< Of inputs and weights.
  std::vector<CheckTensor> want;    ///< What the oracle computes.
};

/// One graph with data, computed by the oracle. Empty where none could be made (`made` stays as it is), or the oracle
/// cannot run it or it is too large (`made` is set).
std::optional<CheckCase> make_case(const std::shared_ptr<Context>& context, const CompiledSet& set, std::size_t variant,
                                   const InstanceWishes& wishes, DataKind kind, const CheckExecutor& oracle,
                                   CheckRandom& random, bool* made = nullptr);

/// Compares what a rewritten graph computes with what the case wants. A relaxed fusion may move a result three times as
/// far as it moves anyhow when all that is rounded is rounded otherwise (check_conditioning.h): where scores are large,
/// softmax makes much of little.
Comparison compare_with(const CheckCase& c, std::span<const CheckTensor> got, CheckTolerance allowed,
                        const CheckExecutor& oracle);

/// `graph` as a fusion set leaves it.
struct Rewriting {
  std::optional<Graph> graph;       ///< Empty: nothing matched, or it was refused.
  Refusal refused = Refusal::none;  ///< Of the first site that was not rewritten.
  std::string refusal;
  bool endless = false;
  std::vector<std::uint32_t> matched;  ///< Indices of the nodes of the first site, by node of its variant.
};
Rewriting apply(const CompiledSet& set, const Graph& graph);

/// Fused ops are replaced by what they mean.
Graph decomposed(Graph graph);

/// Equal for graphs that compute their outputs by the same expressions of the same inputs, up to the order of
/// commutative operands.
std::vector<std::uint64_t> meaning(const Graph& graph);

bool all_finite(std::span<const CheckTensor> tensors);

}  // namespace tandem
