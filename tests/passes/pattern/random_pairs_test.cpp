// Random graphs and fusions that are right by construction (tests/support/random_fusion.h): the compiled trie finds
// what brute force finds, every rewrite leaves a valid graph, the results do not change by a bit, nothing that could be
// rewritten is left, and the order in which nodes were created does not show.
//
//     TANDEM_PAIRS=100000 build/dev/tests/tests_passes "random pairs*"      as many as that, from seed TANDEM_SEED
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <tandem/passes/pattern/engine.h>
#include <tandem/passes/pattern/matcher.h>
#include <tandem/passes/pattern/rewriter.h>
#include <tandem/passes/pattern/text.h>

#include "tests/passes/pass_test_support.h"
#include "tests/support/brute_force_matcher.h"
#include "tests/support/evaluate_graph.h"
#include "tests/support/random_fusion.h"

using namespace tandem;
using namespace tandem::test;

namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

using Matches = std::set<std::vector<std::uint32_t>>;

std::vector<std::uint32_t> all_variants(const CompiledSet& set) {
  std::vector<std::uint32_t> all(set.variants.size());
  for (std::uint32_t v = 0; v < all.size(); ++v)
    all[v] = v;
  return all;
}

/// What the trie finds, by variant; nodes in the order of the variant's nodes.
std::vector<Matches> trie_matches(const CompiledSet& set, const Graph& graph) {
  struct Collector {
    const CompiledSet& set;
    const Matcher& matcher;
    std::vector<Matches> found;
  };
  Matcher matcher(set, graph);
  matcher.activate(all_variants(set));
  Collector collector{set, matcher, std::vector<Matches>(set.variants.size())};
  for (const Matcher::Anchor& anchor : matcher.anchors()) {
    for (Node n = graph.first_of(anchor.op); n; n = graph.next_of_same_op(n)) {
      matcher.match_at(
          anchor, n.index,
          [](void* user, std::uint32_t variant, const MatchState& state) {
            auto& c = *static_cast<Collector*>(user);
            std::vector<std::uint32_t> nodes;
            for (const std::uint8_t r : c.matcher.plan_of(variant).registers)
              nodes.push_back(state.nodes[r]);
            c.found[variant].insert(nodes);
            return false;  // go on: all of them
          },
          &collector);
    }
  }
  return std::move(collector.found);
}

/// Rewrites one site after another, verifying after each; how many.
std::size_t rewrite_step_by_step(const CompiledSet& set, Graph& graph) {
  using Found = std::vector<std::pair<std::uint32_t, MatchState>>;
  std::size_t rewrites = 0;
  for (bool progress = true; progress && rewrites < 1000;) {
    progress = false;
    Matcher matcher(set, graph);
    matcher.activate(all_variants(set));
    Rewriter rewriter(set, graph);
    Found found;
    for (const Matcher::Anchor& anchor : matcher.anchors()) {
      for (Node n = graph.first_of(anchor.op); n; n = graph.next_of_same_op(n)) {
        matcher.match_at(
            anchor, n.index,
            [](void* user, std::uint32_t variant, const MatchState& state) {
              static_cast<Found*>(user)->emplace_back(variant, state);
              return false;
            },
            &found);
      }
    }
    for (const auto& [variant, state] : found) {
      progress = rewriter.rewrite(set.variants[variant], matcher.plan_of(variant), state);
      if (progress)
        break;
    }
    rewrites += progress ? 1 : 0;
    REQUIRE(to_string(verify(graph)) == "");
  }
  return rewrites;
}

/// Matches that could still be rewritten.
std::size_t legal_matches_left(const CompiledSet& set, Graph& graph) {
  struct Count {
    const CompiledSet& set;
    const Matcher& matcher;
    Rewriter& rewriter;
    std::size_t legal = 0;
  };
  Matcher matcher(set, graph);
  matcher.activate(all_variants(set));
  Rewriter rewriter(set, graph);
  Count count{set, matcher, rewriter};
  for (const Matcher::Anchor& anchor : matcher.anchors()) {
    for (Node n = graph.first_of(anchor.op); n; n = graph.next_of_same_op(n)) {
      matcher.match_at(
          anchor, n.index,
          [](void* user, std::uint32_t variant, const MatchState& state) {
            auto& c = *static_cast<Count*>(user);
            c.legal += c.rewriter.is_legal(c.set.variants[variant], c.matcher.plan_of(variant), state) ? 1 : 0;
            return false;
          },
          &count);
    }
  }
  return count.legal;
}

/// The same graph, its nodes created in another order.
Graph created_otherwise(const Graph& graph, std::uint64_t seed) {
  Graph out(graph.shared_context(), graph.name());
  std::map<std::uint32_t, Value> values;  // by index in `graph`
  for (Value v : graph.inputs())
    values[v.index] = out.add_input(graph.type(v), graph.name(v));
  std::vector<Node> waiting, order;
  for (Node n : graph.nodes())
    waiting.push_back(n);
  order = waiting;
  std::map<std::uint32_t, Node> nodes;
  while (!waiting.empty()) {
    std::vector<std::size_t> ready;
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      bool all = true;
      for (std::size_t k = 0; k < graph.num_operands(waiting[i]); ++k)
        all = all && values.contains(graph.operand(waiting[i], k).index);
      if (all)
        ready.push_back(i);
    }
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    const std::size_t pick = ready[(seed >> 33) % ready.size()];
    const Node n = waiting[pick];
    waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(pick));
    std::vector<Value> operands;
    std::vector<TensorType> types;
    for (std::size_t k = 0; k < graph.num_operands(n); ++k)
      operands.push_back(values[graph.operand(n, k).index]);
    for (std::size_t k = 0; k < graph.num_results(n); ++k)
      types.push_back(graph.type(graph.result(n, k)));
    const Node made = out.create(graph.op(n), operands, graph.attrs(n), types, {}, graph.scope(n));
    nodes[n.index] = made;
    for (std::size_t k = 0; k < graph.num_results(n); ++k)
      values[graph.result(n, k).index] = out.result(made, k);
  }
  Node after{};
  for (auto n = order.rbegin(); n != order.rend(); ++n) {
    out.move_before(nodes[n->index], after);
    after = nodes[n->index];
  }
  std::vector<Value> outputs;
  for (std::size_t i = 0; i < graph.num_outputs(); ++i)
    outputs.push_back(values[graph.output(i).index]);
  out.set_outputs(outputs);
  return out;
}

/// The pattern, compiled; null when it does not.
std::shared_ptr<const CompiledSet> compiled(const std::shared_ptr<Context>& context, const Pattern& pattern) {
  try {
    return compile(context, {pattern});
  } catch (const Error& e) {
    REQUIRE(e.diagnostics().front().code != "internal");
    return nullptr;
  }
}

struct Tally {
  std::size_t compiled = 0, matches = 0, rewrites = 0, refused = 0;
};

void check_pair(const std::shared_ptr<Context>& context, std::uint64_t seed, Tally& tally) {
  const RandomFusion pair = random_fusion(context, seed);
  const auto set = compiled(context, pair.pattern);
  if (set == nullptr)
    return;
  ++tally.compiled;
  INFO("seed " << seed << "\n" << to_text(pair.graph) << "\n" << format(pair.pattern));

  const std::vector<Matches> found = trie_matches(*set, pair.graph);
  for (std::size_t v = 0; v < set->variants.size(); ++v) {
    REQUIRE(found[v] == brute_force_matches(set->variants[v], pair.graph));
    tally.matches += found[v].size();
  }

  Graph stepped = pair.graph, fused = pair.graph;
  const std::size_t steps = rewrite_step_by_step(*set, stepped);
  const EngineResult result = run_patterns(*set, fused);
  INFO(to_text(fused));
  REQUIRE(to_string(verify(fused)) == "");
  REQUIRE((steps != 0) == result.changed);
  tally.rewrites += result.fusions[0].matches;
  for (const auto& [reason, count] : result.fusions[0].refusals)
    tally.refused += count;
  REQUIRE(legal_matches_left(*set, fused) == 0);
  if (result.changed) {
    const auto expected = evaluate_graph(pair.graph);
    REQUIRE(same_bits(expected, evaluate_graph(stepped)));
    REQUIRE(same_bits(expected, evaluate_graph(fused)));
    Graph other = created_otherwise(pair.graph, seed);
    REQUIRE(to_text(other) == to_text(pair.graph));
    run_patterns(*set, other);
    REQUIRE(to_text(other) == to_text(fused));
  }
}

}  // namespace

TEST_CASE("random pairs of a graph and a fusion: matches, validity, results, order") {
  const std::uint64_t pairs = from_environment("TANDEM_PAIRS", 400), first = from_environment("TANDEM_SEED", 1);
  std::shared_ptr<Context> context;
  Tally tally;
  for (std::uint64_t i = 0; i < pairs; ++i) {
    if (i % 1000 == 0)
      context = context_with_twins();
    check_pair(context, first + i, tally);
  }
  CAPTURE(pairs, tally.compiled, tally.matches, tally.rewrites, tally.refused);
  CHECK(tally.compiled * 10 > pairs * 8);  // the pairs are worth their name
  CHECK(tally.matches > pairs);
  CHECK(tally.rewrites * 2 > pairs);
  if (from_environment("TANDEM_PAIRS", 0) != 0)
    WARN(pairs << " pairs, " << tally.compiled << " compiled, " << tally.matches << " matches, " << tally.rewrites
               << " rewritten, " << tally.refused << " refused");
}

TEST_CASE("random pairs: two threads with contexts of their own do what one does") {
  auto texts = [] {
    const auto context = context_with_twins();
    std::vector<std::string> out;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
      RandomFusion pair = random_fusion(context, seed);
      try {
        run_patterns(*compile(context, {pair.pattern}), pair.graph);
      } catch (const Error&) {  // one that does not compile
      }
      out.push_back(to_text(pair.graph));
    }
    return out;
  };
  const std::vector<std::string> alone = texts();
  std::vector<std::string> first, second;
  std::thread one([&] { first = texts(); }), two([&] { second = texts(); });
  one.join();
  two.join();
  CHECK(first == alone);
  CHECK(second == alone);
}

TEST_CASE("random pairs: threads share a compiled set") {
  const auto context = context_with_twins();
  const RandomFusion pair = random_fusion(context, 7);
  const auto set = compile(context, {pair.pattern});
  auto fused = [&] {
    Graph graph = pair.graph;
    run_patterns(*set, graph);
    return to_text(graph);
  };
  const std::string alone = fused();
  std::string first, second;
  std::thread one([&] { first = fused(); }), two([&] { second = fused(); });
  one.join();
  two.join();
  CHECK(first == alone);
  CHECK(second == alone);
}
