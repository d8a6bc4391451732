// Every planted fault against the same cases: the fault must show.
#include <tandem/passes/pattern/check.h>

#include <fmt/format.h>

#include <tandem/ir/counted.h>
#include <tandem/passes/pattern/check_cases.h>
#include <tandem/passes/pattern/check_mutants.h>

namespace tandem {

namespace {

/// A case, what the fusion as it is makes of it, and whether that is exact.
struct Tried {
  CheckCase given;
  std::vector<std::uint64_t> meaning;
};

CheckTolerance tolerance_of(const Pattern& pattern) {
  return {16, pattern.numerics == Numerics::relaxed, {}};
}

std::vector<Tried> make_cases(const std::shared_ptr<Context>& context, const CompiledSet& set,
                              const CheckExecutor& oracle, const CheckOptions& options, Comparison& unmutated) {
  std::vector<Tried> out;
  CheckRandom random(options.seed);
  InstanceWishes wishes;
  for (std::size_t v = 0; v < set.variants.size(); ++v) {
    std::size_t taken = 0;
    wishes.ample = true;
    for (std::size_t s = 0; s < 4 * options.samples && taken < options.samples; ++s) {
      // Data that shows small differences: ordinary numbers, and small ones against an epsilon.
      const DataKind kind = taken % 2 == 0 ? DataKind::normal : DataKind::small;
      wishes.booleans = static_cast<unsigned>(taken);  // both values of each, in all combinations
      auto one = make_case(context, set, v, wishes, kind, oracle, random);
      if (!one) {
        wishes.ample = false;
        one = make_case(context, set, v, wishes, kind, oracle, random);
      }
      if (!one)
        break;
      const Rewriting rewriting = apply(set, one->graph);
      if (!rewriting.graph)
        continue;
      ++taken;
      const Graph meant = decomposed(*rewriting.graph);
      accumulate(unmutated, compare_with(*one, oracle.run(meant, one->inputs), tolerance_of(set.patterns[0]), oracle),
                 kind);
      out.push_back({std::move(*one), meaning(meant)});
    }
  }
  return out;
}

MutantOutcome try_mutant(const std::shared_ptr<Context>& context, const Mutant& mutant, std::span<const Tried> cases,
                         const CheckExecutor& oracle, bool exact) {
  using Fate = MutantOutcome::Fate;
  std::shared_ptr<const CompiledSet> set;
  try {
    set = compile(context, {mutant.pattern});
  } catch (const Error& e) {
    return {mutant.mutation, Fate::killed, "does not compile: " + e.diagnostics().front().code};
  }
  Comparison sum;
  std::size_t other = 0;
  for (const Tried& c : cases) {
    const Rewriting rewriting = apply(*set, c.given.graph);
    if (rewriting.endless)
      return {mutant.mutation, Fate::killed, "rewrites without an end"};
    if (!rewriting.graph)
      return {mutant.mutation, Fate::killed, "refused: " + rewriting.refusal};
    const Graph meant = decomposed(*rewriting.graph);
    if (meaning(meant) == c.meaning)
      continue;
    ++other;
    const Comparison result =
        compare_with(c.given, oracle.run(meant, c.given.inputs), tolerance_of(mutant.pattern), oracle);
    if (result.failure)
      return {mutant.mutation, Fate::killed,
              describe(*result.failure, fmt::format("output {}", result.failure->output))};
    accumulate(sum, result, c.given.kind);
  }
  if (other == 0)
    return {mutant.mutation, Fate::equivalent, "computes the same expressions"};
  if (exact && sum.inexact != 0)
    return {mutant.mutation, Fate::killed, "differs in the last place, where the fusion is exact"};
  if (rounds_otherwise(sum))
    return {mutant.mutation, Fate::killed, "rounds otherwise"};
  return {mutant.mutation, Fate::survived,
          counted(other, "graph") + (other == 1 ? " shows no difference" : " show no difference")};
}

}  // namespace

std::vector<MutantOutcome> check_mutants(const std::shared_ptr<Context>& context, const Pattern& pattern,
                                         std::span<const CheckExecutor> executors, const CheckOptions& options) {
  Comparison unmutated;
  const std::vector<Tried> cases = make_cases(context, *compile(context, {pattern}), executors[0], options, unmutated);
  const std::vector<Mutant> all = mutants(*context, pattern);
  if (cases.empty()) {
    return {{"any of " + counted(all.size(), "fault"), MutantOutcome::Fate::survived,
             "no graph of the fusion as it is can be rewritten: none was tried"}};
  }
  std::vector<MutantOutcome> out;
  for (const Mutant& mutant : all)
    out.push_back(try_mutant(context, mutant, cases, executors[0], unmutated.inexact == 0));
  return out;
}

}  // namespace tandem
