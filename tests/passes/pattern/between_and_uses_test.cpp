// `through` (what may stand between a value and its reader) and `uses` (how often a value is read): what they mean in
// the three front ends, to the engine, to explain and to check.
#include <string>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/text.h>
#include <tandem/passes/pattern/builder.h>
#include <tandem/passes/pattern/check.h>
#include <tandem/passes/pattern/engine.h>
#include <tandem/passes/pattern/expand.h>
#include <tandem/passes/pattern/explain.h>
#include <tandem/passes/pattern/json.h>
#include <tandem/passes/pattern/text.h>

#include "tests/support/catch.h"
#include "tests/support/check_executors.h"

using namespace tandem;

namespace {

const std::string in_text = R"(fusion f {
  level     O1

  match {
    keep %m = neg(%x)
    %y = add(%m through cast {dtype = f32} through reshape?, %b through cast?)
  }
  where {
    uses(%m) <= 2
    not uses(%b) in {0, 4}
  }
  rewrite {
    %n = sub(%b, %x)
    %y = %n
  }
}
)";

Pattern in_cpp() {
  PatternBuilder p("f");
  const PatternValueName x{"x"}, b{"b"};
  const auto m = p.match("neg", {x}).keep().result("m");
  const auto y = p.match("add", {m.through("cast", {attribute("dtype", DType::f32)}).through_optional("reshape"),
                                 b.through_optional("cast")})
                     .result("y");
  p.where(uses(m), Compare::less_equal, 2);
  p.where(uses(b), Compare::one_of, {0, 4});
  p.replace(y, p.create("sub", {b, x}).result("n"));
  Pattern pattern = p.finish();
  pattern.where[1].negated = true;
  return pattern;
}

/// How often the fusion rewrites the graph.
std::size_t matches(const std::string& fusion, const std::string& graph) {
  const auto context = Context::create();
  Graph g = parse_text(context, graph);
  const auto set = compile(context, parse_fusions(fusion, "f.fusion"));
  return run_patterns(*set, g).fusions[0].matches;
}

std::string of_relu(const std::string& operand, const std::string& where = "") {
  return "fusion f { match { %m = neg(%x) %y = relu(" + operand + ") } " + where +
         " rewrite { %n = silu(%x) %y = %n } }";
}

std::string code_of(const std::string& fusion) {
  try {
    compile(Context::create(), parse_fusions(fusion, "f.fusion"));
  } catch (const Error& e) {
    return e.diagnostics().front().code;
  }
  return "";
}

}  // namespace

TEST_CASE("through and uses are the same in C++, text and JSON") {
  const Pattern p = in_cpp();
  CHECK(format(p) == in_text);
  CHECK(parse_fusions(in_text, "f.fusion").at(0) == p);
  CHECK(parse_fusions_json(to_json(p), "f.json").at(0) == p);
  CHECK(format_text(in_text, "f.fusion") == in_text);
  CHECK_THROWS_AS(PatternBuilder("g").create("sub", {PatternValueName{"x"}.through("cast")}), Error);
}

TEST_CASE("the order of what stands in between does not depend on the order in JSON") {
  const std::string fusion = R"([{"name": "f", "match": [{"op": "add", "in": ["a", "b"], "out": ["y"], "through": [
    {"operand": 1, "op": "neg"}, {"operand": 0, "op": "cast"}, {"operand": 1, "op": "abs", "optional": true}]}],
    "rewrite": [], "replace": []}])";
  const auto through = parse_fusions_json(fusion, "f.json").at(0).match.at(0).node.through;
  REQUIRE(through.size() == 3);
  CHECK(through[0].op == "cast");
  CHECK(through[1].op == "neg");
  CHECK(through[2].op == "abs");
}

TEST_CASE("what stands in between becomes nodes: with '?' a variant each, with '= any' for what must be said") {
  const auto variants = expand(*Context::create(), parse_fusions(in_text, "f.fusion").at(0));
  REQUIRE(variants.size() == 4);
  CHECK(variants[0].choice == "with reshape at line 6, with cast at line 6");
  CHECK(variants[3].choice == "without reshape at line 6, without cast at line 6");
  const auto& nodes = variants[0].pattern.match;
  REQUIRE(nodes.size() == 5);
  CHECK(nodes[1].node.op == "cast");
  CHECK(nodes[1].node.results == std::vector<std::string>{"m.cast"});
  CHECK(nodes[2].node.operands == std::vector<std::string>{"m.cast"});
  CHECK(nodes[2].node.attrs.at(0).compare == Compare::any);
  CHECK(nodes[4].node.operands == std::vector<std::string>{"m.cast.reshape", "b.cast"});
}

TEST_CASE("two that read one value through the same words may read one node, or one each") {
  const std::string fusion =
      "fusion f { match { %a = relu(%x through cast {dtype = f64}?) %b = silu(%x through cast {dtype = f64}?)\n"
      "%y = add(%a, %b) } rewrite { %n = neg(%x) %c = cast(%n) {dtype = f64} %y = %c } }";
  const std::string head = "graph @g(%x: f32[4]) {\n", cast = " {dtype = f64}\n";
  const auto graph = [&](const std::string& casts, const std::string& a, const std::string& b) {
    return head + casts + " %a = relu " + a + "\n %b = silu " + b + "\n %y = add %a, %b\n return %y\n}";
  };
  const std::string one = " %c = cast %x" + cast, two = one + " %d = cast %x" + cast;
  CHECK(matches(fusion, graph(one, "%c", "%c")) == 1);
  CHECK(matches(fusion, graph(two, "%c", "%d")) == 1);
  CHECK(matches(fusion, graph(" %c = cast %x {dtype = bf16}\n", "%c", "%c")) == 0);
  const auto variants = expand(*Context::create(), parse_fusions(fusion, "f.fusion").at(0));
  REQUIRE(variants.size() == 5);
  CHECK(variants[1].choice == "with cast at line 1, with cast at line 1, one cast for lines 1 and 1");
  CHECK(check_fusion(Context::create(), parse_fusions(fusion, "f.fusion").at(0), test::oracle_only(), {}).variants ==
        5);
}

TEST_CASE("of chains through the same words the beginning may be shared, or all") {
  const auto variants = expand(
      *Context::create(),
      parse_fusions("fusion f { match { %y = add(%x through cast through reshape, %x through cast through reshape) }\n"
                    "rewrite { %y = %x } }",
                    "f.fusion")
          .at(0));
  std::vector<std::size_t> nodes;
  for (const Variant& v : variants)
    nodes.push_back(v.pattern.match.size());
  CHECK(nodes == std::vector<std::size_t>{5, 4, 3});
  std::string many = "fusion f { match {\n";
  for (int i = 0; i < 12; ++i)
    many += "%y" + std::to_string(i) + " = neg(%x through cast)\n";
  many +=
      "%y = concat(%y0, %y1, %y2, %y3, %y4, %y5, %y6, %y7, %y8, %y9, %y10, %y11) {axis = 0} } rewrite { %y = %x } }";
  CHECK(code_of(many) == "pattern.too-many-variants");
}

TEST_CASE("a node in between may be there, absent, or read by others") {
  const std::string maybe = of_relu("%m through cast?"), must = of_relu("%m through cast");
  const std::string with = "graph @g(%x: f32[4]) {\n %m = neg %x\n %c = cast %m {dtype = f32}\n %y = relu %c\n";
  const std::string without = "graph @g(%x: f32[4]) {\n %m = neg %x\n %y = relu %m\n";
  CHECK(matches(maybe, with + " return %y\n}") == 1);
  CHECK(matches(must, with + " return %y\n}") == 1);
  CHECK(matches(maybe, without + " return %y\n}") == 1);
  CHECK(matches(must, without + " return %y\n}") == 0);
  // Another reader of the cast keeps it and, by it, the neg: which would have to go away.
  CHECK(matches(maybe, with + " return %y, %c\n}") == 0);
  CHECK(
      matches("fusion f { match { keep %m = neg(%x) %y = relu(%m through cast?) } rewrite { %n = silu(%m) %y = %n } }",
              with + " return %y, %c\n}") == 1);
  // What is mentioned must hold, and what has a default is closed.
  CHECK(matches(of_relu("%m through cast {dtype = f32}?"), with + " return %y\n}") == 1);
  CHECK(matches(of_relu("%m through cast {dtype = bf16}"), with + " return %y\n}") == 0);
}

TEST_CASE("two nodes stand in between in the order that is said") {
  const std::string graph =
      "graph @g(%x: f32[4]) {\n %m = neg %x\n %a = abs %m\n %e = exp %a\n %y = relu %e\n return %y\n}";
  CHECK(matches(of_relu("%m through abs through exp"), graph) == 1);
  CHECK(matches(of_relu("%m through exp through abs"), graph) == 0);
  CHECK(matches(of_relu("%m through abs? through exp?"), graph) == 1);
}

TEST_CASE("families, definitions and negative parts have nodes in between, too") {
  const std::string graph = "graph @g(%x: f32[4]) {\n %m = neg %x\n %a = abs %m\n %y = relu %a\n return %y\n}";
  CHECK(
      matches("fusion f { for op in {abs, exp} match { %y = relu(%x through op) } rewrite { %n = silu(%x) %y = %n } }",
              graph) == 1);
  CHECK(matches("fusion f { define d(%u) -> %v { %v = relu(%u through abs?) } match { %m = neg(%x) %y = d(%m) } "
                "rewrite { %n = silu(%x) %y = %n } }",
                graph) == 1);
  CHECK(matches("fusion f { match { keep %m = neg(%x)  unless { _ = relu(%m through abs) } %y = abs(%m) } "
                "rewrite { %n = silu(%x) %y = %n } }",
                graph) == 0);
  CHECK(matches("fusion f { match { keep %m = neg(%x)  unless { _ = relu(%m through exp) } %y = abs(%m) } "
                "rewrite { %n = silu(%x) %y = %n } }",
                graph) == 1);
}

TEST_CASE("uses are counted over the whole graph: each operand, and being returned") {
  const auto graph = [](const std::string& more) {
    return "graph @g(%x: f32[4]) {\n %m = neg %x\n %y = relu %m\n %z = add %x, %x\n return %y, %z" + more + "\n}";
  };
  const auto guarded = [](const std::string& where) { return of_relu("%m", "where " + where); };
  CHECK(matches(guarded("uses(%x) == 3"), graph("")) == 1);
  CHECK(matches(guarded("uses(%x) == 3"), graph(", %x")) == 0);
  CHECK(matches(guarded("uses(%x) <= 3"), graph("")) == 1);
  CHECK(matches(guarded("uses(%x) < 3"), graph("")) == 0);
  CHECK(matches(guarded("uses(%x) >= 4"), graph(", %x")) == 1);
  CHECK(matches(guarded("not uses(%x) in {1, 3}"), graph("")) == 0);
  CHECK(matches(guarded("uses(%m) * 2 + 1 == uses(%x)"), graph("")) == 1);
}

TEST_CASE("a rewrite that changes how often a value is read lets others match") {
  // The add of %z goes away first; then %x is read twice.
  CHECK(matches("fusion f { match { %y = relu(%x) } where uses(%x) == 2  rewrite { %n = silu(%x) %y = %n } }\n"
                "fusion g { match { %y = add(%x, %x) } rewrite { %n = exp(%x) %y = %n } }",
                "graph @g(%x: f32[4]) {\n %y = relu %x\n %z = add %x, %x\n return %y, %z\n}") == 1);
}

TEST_CASE("mistakes with through and uses have a code") {
  CHECK(code_of("fusion f { match { %y = relu(%x through) } rewrite { %n = silu(%x) %y = %n } }") == "pattern.syntax");
  CHECK(code_of("fusion f { match { %y = concat(%x, %xs... through cast?) {axis = 0} } rewrite { %n = silu(%x) %y = %n "
                "} }") == "pattern.syntax");
  CHECK(code_of("fusion f { match { %y = relu(%x) } rewrite { %n = silu(%x through cast?) %y = %n } }") ==
        "pattern.syntax");
  CHECK(code_of(of_relu("%m through cats?")) == "pattern.unknown-op");
  CHECK(code_of(of_relu("%m through add?")) == "pattern.arity");
  CHECK(code_of(of_relu("%m through cast {to = f32}?")) == "pattern.unknown-attribute");
  CHECK(code_of("fusion f { define d(%u) -> %v { %v = relu(%u) } match { %y = d(%x through cast?) } "
                "rewrite { %n = silu(%x) %y = %n } }") == "pattern.use");
  CHECK(code_of("fusion f { match { %m = neg(%x) keep %y = relu(%m through cast?) %z = exp(%m) } "
                "rewrite { %n = silu(%x) %z = %n } }") == "pattern.removed-value");
  CHECK(code_of(of_relu("%m", "where uses(%x)")) == "pattern.syntax");
  CHECK(code_of(of_relu("%m", "where uses($x) == 1")) == "pattern.syntax");
  CHECK(code_of(of_relu("%m", "where uses(%q) == 1")) == "pattern.unbound-value");
  CHECK(code_of(of_relu("%m", "where %x == %m")) == "pattern.predicate");
  CHECK(code_of("fusion f { match { %y = relu(%x) } rewrite { %n = softmax(%x) {axis = uses(%x)} %y = %n } }") ==
        "pattern.rewrite-attribute");
  CHECK(code_of("fusion f { match { in %x: [uses(%x)] %y = relu(%x) } rewrite { %n = silu(%x) %y = %n } }") ==
        "pattern.dim-expression");
  CHECK(code_of(of_relu("%m", "where `uses`(%x)")) == "pattern.predicate");
}

TEST_CASE("an explanation offers 'through', and says who reads what is counted", "[explain]") {
  const auto context = Context::create();
  const Graph graph = parse_text(context,
                                 "graph @g(%x: f32[2, 4]) {\n %m = neg %x\n %c = cast %m {dtype = bf16}\n"
                                 " %r = reshape %c {shape = [8]}\n %y = relu %r\n %z = exp %x\n return %y, %z\n}");
  const auto failures = [&](const std::string& fusion) {
    const auto set = compile(context, parse_fusions(fusion, "f.fusion"));
    std::string text;
    const std::vector<SiteExplanation> sites = explain(*set, graph, 0);
    for (const FailedPredicate& f : sites.at(0).failures)
      text += f.predicate + "; " + f.found + "; " + f.in_pattern + "\n";
    return text;
  };
  CHECK(failures(of_relu("%m")) ==
        "relu (%y) reads %m as it is; cast (%c) and reshape (%r) stand in between; "
        "read it as '%m through cast? through reshape?' (line 1)\n");
  CHECK(failures(of_relu("%m through cast? through reshape?", "where uses(%x) == 1"))
            .find("uses(%x) == 1; it does not hold where uses(%x) = 2 (exp, neg); loosen the condition (line 1)") == 0);
}

TEST_CASE("check draws readers for conditions about uses, and nodes in between") {
  const auto check = [](const std::string& where, const std::string& rewrite) {
    const Pattern p = parse_fusions("fusion f { match { %a = abs(%x) %y = abs(%a through abs?) } where { " + where +
                                        " } rewrite { " + rewrite + " %y = %n } }",
                                    "f.fusion")
                          .at(0);
    return check_fusion(Context::create(), p, test::oracle_only(), {.samples = 6});
  };
  const CheckReport right = check("uses(%x) <= 2  uses(%x) != 4", "%n = abs(%x)");
  CHECK(right.problems.empty());
  CHECK(right.variants == 2);
  REQUIRE(right.guards.size() == 2);
  CHECK(right.guards[0].held != 0);
  CHECK(right.guards[0].broken != 0);
  CHECK(right.guards[1].held != 0);
  CHECK_FALSE(check("uses(%x) >= 2", "%n = neg(%x)").proven());
  CHECK(check("uses(%x) >= 2", "%n = abs(%x)").guards.at(0).broken != 0);
}
