// Drafts of fusions: what is cut out of a graph parses, compiles and matches where it was cut from.
#include <algorithm>
#include <filesystem>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/check_executors.h"
#include "tests/support/mla_layers.h"
#include "tests/support/random_graph.h"

#include <tandem/ir/io/text.h>
#include <tandem/ir/io/torch_export.h>
#include <tandem/passes/meetings.h>
#include <tandem/passes/pattern/check.h>
#include <tandem/passes/pattern/explain.h>
#include <tandem/passes/pattern/extract.h>
#include <tandem/passes/pattern/fusion_set.h>
#include <tandem/passes/pattern/lint.h>
#include <tandem/passes/pattern/matcher.h>
#include <tandem/passes/pattern/rewriter.h>
#include <tandem/passes/pattern/text.h>
#include <tandem/passes/pipeline.h>
#include "tests/support/thinned.h"

using namespace tandem;

namespace {

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::vector<Node> nodes_of(const Graph& graph, const std::vector<std::string>& names) {
  std::vector<Node> nodes;
  for (const std::string& n : names) {
    nodes.push_back(find_node(graph, n));
    REQUIRE(nodes.back());
  }
  return nodes;
}

/// Whether the compiled draft matches with each of its nodes bound to the node that it was cut from, and could be
/// rewritten there. All readings are looked at: the engine rewrites one of those that overlap, which may be another.
bool matches_its_site(const CompiledSet& set, Graph graph, const std::vector<Node>& nodes) {
  struct Seek {
    const CompiledSet& set;
    const Matcher& matcher;
    Rewriter& rewriter;
    const std::vector<Node>& nodes;
    bool found = false;
  };
  Matcher matcher(set, graph);
  const std::uint32_t only[] = {0};
  matcher.activate(only);
  Rewriter rewriter(set, graph);
  Seek seek{set, matcher, rewriter, nodes};
  for (const Matcher::Anchor& anchor : matcher.anchors()) {
    for (const Node n : nodes) {
      if (graph.op(n) != anchor.op)
        continue;
      matcher.match_at(
          anchor, n.index,
          [](void* user, std::uint32_t variant, const MatchState& state) {
            auto& s = *static_cast<Seek*>(user);
            const MatchPlan& plan = s.matcher.plan_of(variant);
            for (std::size_t i = 0; i < s.nodes.size(); ++i) {
              if (state.nodes[plan.registers[i]] != s.nodes[i].index)
                return false;
            }
            s.found = s.rewriter.is_legal(s.set.variants[variant], plan, state);
            return s.found;
          },
          &seek);
    }
  }
  return seek.found;
}

/// "" when the draft of the nodes, written and read again, matches exactly where they are, and explains so.
std::string difference(const Graph& graph, std::vector<Node> nodes) {
  const std::string text = extract_text(graph, nodes, "draft");
  const std::vector<Pattern> read = parse_fusions(text, "draft.fusion");
  const auto set = compile(graph.shared_context(), read);
  if (format_text(text, "draft.fusion") != text)
    return "not as the formatter writes it:\n" + text;
  for (const Diagnostic& d : lint_fusion(graph.shared_context(), read[0])) {
    if (d.severity == Severity::error)
      return d.message + "\n" + text;
  }
  std::sort(nodes.begin(), nodes.end(), [&](Node a, Node b) { return graph.comes_before(a, b); });
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  if (set->variants.size() != 1 || set->variants[0].nodes.size() != nodes.size())
    return "not as many nodes as were asked for:\n" + text;
  if (!matches_its_site(*set, graph, nodes))
    return "no match where it was cut from:\n" + text;
  // The soft matcher, which knows nothing of the engine's plans, must agree at each of the nodes.
  for (const Node n : nodes) {
    const SiteExplanation e = explain_at(*set, graph, 0, n);
    for (const FailedPredicate& f : e.failures) {
      // Where readings overlap the engine takes one; the explanation says that of the others.
      if (f.cause != Cause::refused)
        return "matches, but is explained by: " + f.predicate + "; " + f.found + "\n" + text;
    }
  }
  return {};
}

std::string error_of(const Graph& graph, const std::vector<Node>& nodes) {
  try {
    extract(graph, nodes, "draft");
  } catch (const Error& e) {
    return e.what();
  }
  return "nothing was thrown";
}

/// A connected set of up to `size` nodes, grown from a random one.
std::vector<Node> random_piece(const Graph& graph, std::mt19937_64& random, std::size_t size) {
  std::vector<Node> all;
  for (const Node n : graph.nodes())
    all.push_back(n);
  std::vector<Node> piece = {all[random() % all.size()]};
  while (piece.size() < size) {
    std::vector<Node> around;
    const auto add = [&](Node n) {
      if (n && n != graph.return_node() && std::find(piece.begin(), piece.end(), n) == piece.end())
        around.push_back(n);
    };
    for (const Node n : piece) {
      for (std::size_t i = 0; i < graph.num_operands(n); ++i)
        add(graph.def_node(graph.operand(n, i)));
      for (std::size_t i = 0; i < graph.num_results(n); ++i) {
        for (const Use use : graph.uses(graph.result(n, i)))
          add(use.user);
      }
    }
    if (around.empty())
      break;
    piece.push_back(around[random() % around.size()]);
  }
  return piece;
}

struct Tally {
  int pieces = 0, drafts = 0, not_convex = 0, unread = 0;
};

/// Whether a value outside the piece lies on a way from what the piece computes back into it. By the letter: the
/// extractor may leave nodes that others read, and then less is in the way.
bool has_way_out_and_in(const Graph& graph, const std::vector<Node>& piece) {
  const auto inside = [&](Node n) { return std::find(piece.begin(), piece.end(), n) != piece.end(); };
  std::set<std::uint32_t> behind;  // nodes outside that depend on the piece
  for (const Node n : graph.nodes()) {
    bool depends = false, within = false;
    for (std::size_t i = 0; i < graph.num_operands(n); ++i) {
      const Node def = graph.def_node(graph.operand(n, i));
      depends = depends || (def && behind.contains(def.index));
      within = within || (def && inside(def));
    }
    if (inside(n) && depends)
      return true;
    if (!inside(n) && (depends || within))
      behind.insert(n.index);
  }
  return false;
}

/// Each piece becomes a draft that matches where it was cut from, or the diagnostic says rightly why not.
void try_pieces(const Graph& graph, std::uint64_t seed, int count, Tally& tally) {
  std::mt19937_64 random(seed);
  if (graph.num_nodes() == 0)
    return;
  for (int i = 0; i < count; ++i) {
    const std::vector<Node> piece = random_piece(graph, random, 1 + random() % 8);
    ++tally.pieces;
    const bool read = std::any_of(piece.begin(), piece.end(), [&](Node n) {
      for (std::size_t r = 0; r < graph.num_results(n); ++r) {
        for (const Use use : graph.uses(graph.result(n, r))) {
          if (std::find(piece.begin(), piece.end(), use.user) == piece.end())
            return true;
        }
      }
      return false;
    });
    try {
      const std::string found = difference(graph, piece);
      CHECK(found == "");
      CHECK(read);
      ++tally.drafts;
    } catch (const Error& e) {
      INFO(e.what());
      const std::string& code = e.diagnostics().front().code;
      if (code == "extract.unread") {
        CHECK_FALSE(read);
        ++tally.unread;
      } else {
        CHECK(code == "extract.not-convex");
        CHECK(has_way_out_and_in(graph, piece));
        ++tally.not_convex;
      }
    }
  }
}

const std::string mla = R"(graph @mla(%x: bf16[T, 256], %w_down: bf16[112, 256] = weight,
                                      %q_w: bf16[64] = weight, %kv_w: bf16[32] = weight) {
  %p = linear %x, %w_down
  %q, %kv = split %p {axis = -1, sizes = [64, 48]}
  %c, %pe = split %kv {axis = -1, sizes = [32, 16]}
  %qn = rms_norm %q, %q_w {eps = 1e-06}
  %cn = rms_norm %c, %kv_w {eps = 1e-06}
  return %qn, %cn, %pe
})";

}  // namespace

TEST_CASE("a draft: equal dims have one name, cuts are sums, eps is captured, views with other users stay",
          "[extract]") {
  const Graph graph = parse_text(Context::create(), mla);
  const std::string text = extract_text(graph, nodes_of(graph, {"%q", "%c", "%qn", "%cn"}), "my_norms");
  INFO(text);
  CHECK(has(text, "#     %qn = rms_norm %q, %q_w {eps = 1e-06} : bf16[T, 64]"));
  CHECK(has(text, "types     T in {bf16, f16}"));
  CHECK(has(text, "in %p: T[.., D64 + D32 + D16], %q_w: T[D64], %kv_w: T[D32]"));
  CHECK(has(text, "keep %q, %kv = split(%p) {axis = -1, sizes = [D64, D32 + D16]}"));
  CHECK(has(text, "keep %c, %pe = split(%kv) {axis = -1, sizes = [D32, D16]}"));
  CHECK(has(text, "%qn = rms_norm(%q, %q_w) {eps = $eps}"));
  CHECK(has(text, "%cn = rms_norm(%c, %kv_w) {eps = $eps2}"));
  CHECK(has(text, "%new_cn = rms_norm(%c, %kv_w) {eps = $eps2}"));
  CHECK(format_text(text, "draft") == text);
}

TEST_CASE("a draft has the graph's names for symbols, and one name for equal leading dims", "[extract]") {
  const Graph graph = parse_text(Context::create(), R"(graph @g(%s: f16[H, M, N], %r: f16[H, M, N], %mask: f16[M, N]) {
    %a = add %s, %r
    %b = add %a, %mask
    %p = softmax %b {axis = -1}
    return %p
  })");
  const std::string text = extract_text(graph, nodes_of(graph, {"%a", "%b", "%p"}), "masked");
  INFO(text);
  CHECK(has(text, "dims      N\n"));
  CHECK(has(text, "in %s: T[..B, N], %r: T[..B, N], %mask: T[.., N]"));
}

TEST_CASE("a draft matches other layers of the model, too", "[extract]") {
  const auto context = Context::create();
  const Graph graph = test::mla_layers(context, 5);
  std::vector<Node> nodes;
  for (const Node n : graph.nodes()) {
    const std::string& op = graph.def(n).name;
    if ((op == "split" || op == "rms_norm") && nodes.size() < 4)
      nodes.push_back(n);
  }
  const auto set = compile(context, {extract(graph, nodes, "draft")});
  CHECK(matching_sites(*set, graph, 0).size() == 5);
}

TEST_CASE("an axis that is the last is counted from the end, so that a draft holds for any leading dims", "[extract]") {
  const Graph graph = parse_text(Context::create(), R"(graph @g(%x: f32[4, 8]) {
    %m = reduce_max %x {axes = [1], keepdims = true}
    %s = sub %x, %m
    %y = softmax %s {axis = 1}
    return %y
  })");
  const std::string text = extract_text(graph, nodes_of(graph, {"%m", "%s", "%y"}), "stable_softmax");
  INFO(text);
  CHECK(has(text, "in %x: f32[.., D8]"));
  CHECK(has(text, "%m = reduce_max(%x) {axes = [-1], keepdims = true}"));
  CHECK(has(text, "%y = softmax(%s) {axis = -1}"));
}

TEST_CASE("a draft is checked by what it matches", "[extract]") {
  const auto context = Context::create();
  const Graph graph = parse_text(context, mla);
  const Pattern draft = extract(graph, nodes_of(graph, {"%q", "%c", "%qn", "%cn"}), "my_norms");
  CHECK(is_draft(draft));
  const CheckReport report = check_fusion(context, draft, test::oracle_only(), {.samples = test::check_samples});
  REQUIRE(report.problems.size() == 1);
  CHECK(report.problems[0].code == "check.draft");
  CHECK(report.proven());
  CHECK(report.graphs != 0);
  CHECK(report.negatives != 0);
  CHECK(lint_together(context, std::vector<Pattern>{draft}).empty());

  Pattern other = draft;
  other.rewrite[0].op = "layer_norm";
  CHECK_FALSE(is_draft(other));
}

TEST_CASE("nodes that cannot be a match are refused, with what to do", "[extract]") {
  const Graph graph = parse_text(Context::create(), mla);
  CHECK(has(error_of(graph, {}), "[extract.no-nodes]"));
  for (const char* name : {"", "q\n", "my norms", "1st"})
    CHECK_THROWS_WITH(extract_text(graph, nodes_of(graph, {"%q"}), name),
                      Catch::Matchers::ContainsSubstring("a draft needs a name"));
  const std::string apart = error_of(graph, nodes_of(graph, {"%p", "%qn"}));
  CHECK(has(apart, "shares no value with the other nodes [extract.disconnected]"));
  CHECK(has(apart, "it reads: %q, %kv = split %p"));

  const Graph unread = parse_text(Context::create(), R"(graph @g(%x: f32[4]) {
    %a = exp %x
    return %x
  })");
  CHECK(has(error_of(unread, nodes_of(unread, {"%a"})), "[extract.unread]"));

  const Graph around = parse_text(Context::create(), R"(graph @g(%x: f32[4]) {
    %a = exp %x
    %b = neg %a
    %c = add %a, %b
    return %c
  })");
  CHECK(has(error_of(around, nodes_of(around, {"%a", "%c"})), "depends on '%b = neg %a : f32[4]'"));

  std::string many = "graph @g(%x: f32[4]) {\n  %v0 = neg %x\n";
  std::vector<std::string> names = {"%v0"};
  for (int i = 1; i < 30; ++i) {
    names.push_back("%v" + std::to_string(i));
    many += "  " + names.back() + " = neg " + names[names.size() - 2] + "\n";
  }
  const Graph chain = parse_text(Context::create(), many + "  return %v29\n}\n");
  CHECK(has(error_of(chain, nodes_of(chain, names)), "[extract.too-large]"));
}

TEST_CASE("random connected pieces of random graphs: the draft matches where it was cut from", "[extract]") {
  Tally tally;
  constexpr int graphs = test::thinned(50);
  for (std::uint64_t seed = 0; seed < graphs; ++seed)
    try_pieces(test::random_graph(Context::create(), seed), seed, 4, tally);
  CAPTURE(tally.drafts, tally.not_convex, tally.unread);
  CHECK(tally.drafts + tally.not_convex + tally.unread == tally.pieces);
  CHECK(tally.pieces == 4 * graphs);
}

TEST_CASE("every archive: pieces of the model, and the sites of the shipped fusions", "[extract]") {
  Tally tally;
  int archives = 0, sites = 0;
  for (const auto& entry : std::filesystem::directory_iterator(TANDEM_TEST_DATA "/torch_export")) {
    if (entry.path().extension() != ".pt2")
      continue;
    ++archives;
    INFO(entry.path().string());
    const auto context = Context::create();
    const Graph graph = import_torch_export(context, entry.path().string()).graph;
    try_pieces(graph, 11, test::thinned(10), tally);

    // What each shipped fusion would match, as it meets the graph.
    const FusionSet fusions = FusionSet::shipped(context);
    PassConfig config;
    const auto meetings = meetings_with_fusions(graph, config, parse_target("cpu"), fusions, "fuse", "raise,fuse");
    for (std::uint32_t f = 0; f < fusions.patterns().size(); ++f) {
      const auto found = matching_sites(fusions.compiled(), meetings.back().graph, f);
      for (std::size_t i = 0; i < found.size() && i < 2; ++i, ++sites)
        CHECK(difference(meetings.back().graph, found[i]) == "");
    }
  }
  CAPTURE(archives, sites, tally.drafts, tally.not_convex, tally.unread);
  CHECK(tally.drafts + tally.not_convex + tally.unread == tally.pieces);
  CHECK(tally.pieces == test::thinned(10) * archives);
}
