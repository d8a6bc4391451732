// Random graphs through every pass: they keep verifying, a second run finds nothing to do, and they compute the same
// values to the bit, as the float64 oracle sees them.

#include <random>

#include <tandem/ir/builder.h>

#include "tests/passes/pass_test_support.h"
#include "tests/support/evaluate_graph.h"

using namespace tandem;
using namespace tandem::test;

namespace {

/// Grows a graph of ops that the passes know, dense in what they look for: duplicates, no-ops, nested and overlapping
/// cuts, dead ends.
class RandomGraph {
 public:
  explicit RandomGraph(std::uint32_t seed) : random_(seed), builder_(Context::create(), "random") {}

  Graph build(std::size_t nodes) {
    for (const char* name : {"x", "y"}) {
      values_.push_back(builder_.input(name, DType::f64, {4, 12}));
    }
    for (std::size_t i = 0; i < nodes; ++i) {
      add_node();
    }
    for (std::size_t i = 0; i < 4; ++i) {
      const Value v = pick();
      if (below(2) == 0 && builder_.graph().name(v).empty()) {
        builder_.named("out" + std::to_string(i), v);
      }
      builder_.output(v);
    }
    return std::move(builder_).finish();
  }

 private:
  std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n)); }
  /// One of the values, recent or old.
  Value pick() {
    const auto n = static_cast<std::int64_t>(values_.size());
    const std::int64_t back = below(2) == 0 ? below(std::min<std::int64_t>(n, 4)) : below(n);
    return values_[static_cast<std::size_t>(n - 1 - back)];
  }
  void keep(Node node) {
    for (std::size_t i = 0; i < builder_.graph().num_results(node); ++i) {
      values_.push_back(builder_.graph().result(node, i));
    }
  }
  std::int64_t length(Value v, std::int64_t axis) {
    const Shape shape = builder_.graph().type(v).shape;
    return shape[static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(shape.rank()) : axis)].constant();
  }
  Node add(const char* op, std::vector<Value> operands, std::vector<NamedAttr> attrs = {}) {
    return builder_.node(op, operands, attrs);
  }

  void add_node() {
    const Value x = pick();
    const std::int64_t axis = below(4) - 2;  // -2 .. 1
    const std::int64_t n = length(x, axis);
    switch (below(10)) {
      case 0: keep(add("neg", {x})); break;
      case 1: keep(add(below(2) == 0 ? "identity" : "exp", {x})); break;
      case 2: {
        const Value y = pick();
        const bool same = builder_.graph().type(x) == builder_.graph().type(y);
        keep(same ? add(below(2) == 0 ? "add" : "sub", {x, y}) : add("neg", {y}));
        break;
      }
      case 3:
      case 4:
      case 5: {
        std::vector<Dim> sizes;
        for (std::int64_t rest = n; rest > 0 || sizes.empty();) {
          const std::int64_t size = sizes.size() == 3 ? rest : below(rest + 1);
          sizes.emplace_back(size);
          rest -= size;
          if (sizes.size() == 4) {
            break;
          }
        }
        keep(add("split", {x}, {{"axis", axis}, {"sizes", sizes}}));
        break;
      }
      case 6:
      case 7: {
        const std::int64_t a = below(n + 1), b = below(n + 1);
        keep(add("slice", {x},
                 {{"axis", axis},
                  {"start", Dim(std::min(a, b))},
                  {"end", Dim(std::max(a, b))},
                  {"step", 1 + below(5) / 4}}));
        break;
      }
      case 8: {
        const std::vector<Dim> perm = below(2) == 0 ? std::vector<Dim>{0, 1} : std::vector<Dim>{1, 0};
        keep(add("transpose", {x}, {{"perm", perm}}));
        break;
      }
      default: {
        const std::int64_t rows = length(x, 0), columns = length(x, 1);
        const std::vector<Dim> shape =
            rows % 2 == 0 ? std::vector<Dim>{rows / 2, columns * 2} : std::vector<Dim>{rows, columns};
        keep(add("reshape", {x}, {{"shape", shape}}));
        break;
      }
    }
  }

  std::mt19937 random_;
  GraphBuilder builder_;
  std::vector<Value> values_;
};

std::vector<std::string> output_names(const Graph& graph) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < graph.num_outputs(); ++i) {
    names.emplace_back(graph.name(graph.output(i)).view());
  }
  return names;
}

}  // namespace

TEST_CASE("random graphs keep their values, their outputs' names and their validity") {
  std::size_t changes = 0;
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    Graph graph = RandomGraph(seed).build(6 + seed % 40);
    INFO("seed " << seed << "\n" << to_text(graph));
    const auto expected = evaluate_graph(graph);
    const std::vector<std::string> names = output_names(graph);
    for (PassFunction pass : {&pass::fold, &pass::cse, &pass::noops, &pass::splits, &pass::dce}) {
      changes += run_pass(pass, graph).changed ? 1 : 0;
      INFO(to_text(graph));
      REQUIRE(same_bits(expected, evaluate_graph(graph)));
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!names[i].empty()) {
        REQUIRE(graph.name(graph.output(i)).view() == names[i]);
      }
    }
  }
  CHECK(changes > 600);  // the graphs are worth the name
}

TEST_CASE("the pipeline reaches a state in which it changes nothing") {
  for (std::uint32_t seed = 1; seed <= 100; ++seed) {
    Graph graph = RandomGraph(seed).build(40);
    INFO("seed " << seed << "\n" << to_text(graph));
    std::size_t rounds = 0;
    for (bool changed = true; changed; ++rounds) {
      const DecisionReport report = run_pipeline(graph, PassConfig{}, detect_capabilities());
      changed = false;
      for (const PassReport& pass : report.passes) {
        changed = changed || pass.changed;
      }
      REQUIRE(rounds < 20);
    }
  }
}
