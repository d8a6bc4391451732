// What is well formed and yet means nothing: every such fusion is refused by `compile`, with a code and a place.
#include <memory>
#include <string>
#include <vector>

#include <tandem/ir/context.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/text.h>
#include <tandem/passes/pattern/compiler.h>
#include <tandem/passes/pattern/engine.h>
#include <tandem/passes/pattern/fusion_set.h>
#include <tandem/passes/pattern/text.h>

#include "tests/support/catch.h"

using namespace tandem;

namespace {

template <class Call>
std::vector<Diagnostic> problems_of(const Call& call) {
  try {
    call();
  } catch (const Error& e) {
    return e.diagnostics();
  }
  return {};
}

/// "line code" of each problem that compiling the fusions of a text has, one a line. All have a place and a message
/// that names the fusion.
std::string problems(const std::string& text) {
  const std::vector<Pattern> patterns = parse_fusions(text, "f.fusion");
  std::string out;
  for (const Diagnostic& d : problems_of([&] { compile(Context::create(), patterns); })) {
    CHECK(d.where.file == "f.fusion");
    CHECK(d.message.starts_with("fusion '"));
    out += (out.empty() ? "" : "\n") + std::to_string(d.where.line) + " " + d.code;
  }
  return out;
}

/// Problems of a fusion of that match (in line 2) and rewrite (in line 4), with these sections in front (in line 1).
std::string of_parts(const std::string& sections, const std::string& match, const std::string& rewrite) {
  return problems("fusion f { " + sections + " match {\n" + match + "\n} rewrite {\n" + rewrite + "\n} }");
}
/// The same with a rewrite of %x to %y that is right.
std::string of_match(const std::string& match, const std::string& sections = "") {
  return of_parts(sections, match, "%new = neg(%x)\n%y = %new");
}
/// The same with a match that is right: %k is kept, %y replaced, %s goes away.
std::string of_rewrite(const std::string& rewrite) {
  return of_parts("", "keep %k = relu(%x) %s = silu(%k) %y = sigmoid(%s)", rewrite);
}

}  // namespace

TEST_CASE("what the cases below vary is right", "[diagnostics]") {
  CHECK(of_match("%y = relu(%x)") == "");
  CHECK(of_rewrite("%new = neg(%k)\n%y = %new") == "");
}

TEST_CASE("what to do is said beside what is wrong", "[diagnostics]") {
  const auto help = [](const std::string& types, const std::string& match, const std::string& rewrite) {
    const std::vector<Pattern> patterns = parse_fusions(
        "fusion f { " + types + " match { " + match + " } rewrite { " + rewrite + " %y = %z } }", "f.fusion");
    const auto found = problems_of([&] { compile(Context::create(), patterns); });
    return found.empty() ? "" : found.front().help;
  };
  CHECK(help("types T in {f16}", "in %x: f32 %y = cast(%x) {dtype = T}", "%z = cast(%x) {dtype = f16}") ==
        "say it of the result: {dtype = any} : T");
  CHECK(help("types T in {f16}", "in %x: f32 %y = cast(%x) {dtype = any} : T", "%z = cast(%x) {dtype = T}") == "");
  CHECK(help("", "%y = rms_norm(%x) {eps = $eps}", "%z = rms_norm(%x) {eps = $e}") == "captured are $eps");
  CHECK(help("", "%y = neg(%x)", "%z = rms_norm(%x) {eps = $e}") == "capture it in the match: {attribute = $e}");
  CHECK(help("", "%y = gelu(%x)", "%z = softmax(%x) {axes = -1}") == "softmax(x) -> y {axis: int}");
  CHECK(help("", "%y, %more = neg(%x)", "%z = neg(%x)") == "neg(x) -> y");
  CHECK(help("types T in {fp16}", "in %x: T %y = neg(%x)", "%z = neg(%x)").starts_with("the dtypes are f64, f32, f16"));
}

TEST_CASE("names that nothing has", "[diagnostics]") {
  CHECK(of_match("keep %x = silu(%z) %y = relo(%x)") == "2 pattern.unknown-op");
  CHECK(of_rewrite("%new = nego(%k)\n%y = %new") == "4 pattern.unknown-op");
  CHECK(of_match("%y = relu(%x) {slope = 1.0}") == "2 pattern.unknown-attribute");
  CHECK(of_rewrite("%new = neg(%k) {slope = 1.0}\n%y = %new") == "4 pattern.unknown-attribute");
  CHECK(of_match("in %x: U[..] %y = relu(%x)") == "2 pattern.unknown-name");
  CHECK(of_match("in %x: [.., Q] %y = relu(%x)") == "2 pattern.unknown-name");
  CHECK(of_match("%y = relu(%x)", "types T in {bf17}") == "1 pattern.unknown-name");
  CHECK(of_rewrite("%new = cast(%k) {dtype = $d}\n%y = %new") == "4 pattern.unknown-name\n4 pattern.missing-attribute");
}

TEST_CASE("an unknown op is answered with the nearest one", "[diagnostics]") {
  const auto patterns =
      parse_fusions("fusion f { match { keep %x = silu(%z) %y = rms_nrm(%x, %w) } rewrite { %y = %x } }", "f.fusion");
  const auto found = problems_of([&] { compile(Context::create(), patterns); });
  REQUIRE(found.size() == 1);
  CHECK(found[0].message.find("'rms_norm'") != std::string::npos);
}

TEST_CASE("numbers of operands and results", "[diagnostics]") {
  CHECK(of_match("%y = relu(%x, %z)") == "2 pattern.arity");
  CHECK(of_match("%y, %z = relu(%x)") == "2 pattern.arity");
  CHECK(of_rewrite("%new = neg(%k, %k)\n%y = %new") == "4 pattern.arity");
  CHECK(of_rewrite("%new, %more = neg(%k)\n%y = %new") == "4 pattern.arity");
  CHECK(of_match("%y = twice(%x, %x)", "define twice(%a) -> %b { %b = relu(%a) }") == "2 pattern.arity");
}

TEST_CASE("a rest stands last, where the op takes more, and only kept nodes have one", "[diagnostics]") {
  CHECK(of_match("%y = relu(%x, %more...)") == "2 pattern.rest");
  CHECK(of_match("%y = concat(%more..., %x) {axis = -1}") == "2 pattern.rest");
  CHECK(of_match("%a, %more... = split(%x) {axis = -1, sizes = any} %y = relu(%a)") == "2 pattern.rest");
  CHECK(of_match("keep %a, %more... = split(%x) {axis = -1, sizes = any} %y = relu(%a)") == "");
}

TEST_CASE("attributes that must be mentioned", "[diagnostics]") {
  CHECK(of_match("%y = rms_norm(%x, %w)") == "2 pattern.missing-attribute");
  CHECK(of_match("%y = rms_norm(%x, %w) {eps = any}") == "");
  CHECK(of_rewrite("%new = cast(%k)\n%y = %new") == "4 pattern.missing-attribute");
}

TEST_CASE("values that an attribute cannot have", "[diagnostics]") {
  CHECK(of_match("%y = cast(%x) {dtype = 7}") == "2 pattern.attribute-kind");
  CHECK(of_match("%y = cast(%x) {dtype < f32}") == "2 pattern.attribute-kind");
  CHECK(of_match("%y = cast(%x) {dtype in {f32, \"f16\", 3}}") == "2 pattern.attribute-kind");
  CHECK(of_match("%y = rms_norm(%x, %w) {eps = true}") == "2 pattern.attribute-kind");
  CHECK(of_match("%y = rms_norm(%x, %w) {eps = $e, eps = $f}") == "2 pattern.duplicate-name");
}

TEST_CASE("a new node's attributes are given, not compared", "[diagnostics]") {
  CHECK(of_rewrite("%new = softmax(%k) {axis > 0}\n%y = %new") ==
        "4 pattern.rewrite-attribute\n4 pattern.missing-attribute");
}

TEST_CASE("things that are there twice", "[diagnostics]") {
  CHECK(of_match("in %x: [..] in %x: [..] %y = relu(%x)") == "2 pattern.duplicate-value");
  CHECK(of_match("%y = relu(%x) %y = silu(%x)") == "2 pattern.duplicate-value");
  CHECK(of_rewrite("%k = neg(%k)\n%y = %k") == "4 pattern.duplicate-value");
  CHECK(of_rewrite("%new = neg(%k)\n%y = %new\n%y = %new") == "6 pattern.duplicate-value");
  CHECK(of_match("%y = relu(%x)", "dims Q, Q") == "1 pattern.duplicate-name");
  CHECK(of_match("%y = relu(%x)", "types T in {bf16}, T in {f16}") == "1 pattern.duplicate-name");
  CHECK(of_match("%y = relu(%x)", "types f32 in {f32}") == "1 pattern.duplicate-name");
}

TEST_CASE("two fusions of one name, and where the other is", "[diagnostics]") {
  const std::string one = "fusion f { match { %y = relu(%x) } rewrite { %n = neg(%x) %y = %n } }\n";
  CHECK(problems(one + one) == "2 pattern.duplicate-name");
  const auto found = problems_of([&] { compile(Context::create(), parse_fusions(one + one, "f.fusion")); });
  REQUIRE(found.size() == 1);
  REQUIRE(found[0].notes.size() == 1);
  CHECK(found[0].notes[0].find("f.fusion:1") != std::string::npos);
}

TEST_CASE("parts that a fusion must have", "[diagnostics]") {
  Pattern p = parse_fusions("fusion f { match { %y = relu(%x) } rewrite { %n = neg(%x) %y = %n } }", "f.fusion")[0];
  const auto codes = [&] {
    std::string out;
    for (const Diagnostic& d : problems_of([&] { compile(Context::create(), {p}); }))
      out += d.code + " ";
    return out;
  };
  REQUIRE(codes() == "");
  SECTION("a name, which the text form always has") {
    p.name.clear();
    CHECK(codes() == "pattern.no-name ");
  }
  SECTION("a replacement") {
    p.replacements.clear();
    CHECK(codes() == "pattern.no-replacement ");
  }
  SECTION("a node to match") {
    p.match.clear();
    CHECK(codes().find("pattern.empty-match ") == 0);
  }
}

TEST_CASE("values that are not there when the new nodes read them", "[diagnostics]") {
  CHECK(of_rewrite("%new = neg(%s)\n%y = %new") == "4 pattern.removed-value");
  CHECK(of_rewrite("%y = %s") == "1 pattern.removed-value");
  CHECK(of_rewrite("%new = neg(%k)\n%y = %new\n%k = %new") == "6 pattern.replaced-kept");
  CHECK(of_match("in %x: [..], %z: [..] %y = relu(%x)") == "2 pattern.unused-value");
}

TEST_CASE("values that nothing gives", "[diagnostics]") {
  // The text form refuses these itself; a fusion that is built or read from elsewhere meets the compiler.
  Pattern p = parse_fusions("fusion f { match { %y = relu(%x) } rewrite { %n = neg(%x) %y = %n } }", "f.fusion")[0];
  const auto code = [&] { return problems_of([&] { compile(Context::create(), {p}); }).at(0).code; };
  SECTION("a new node's operand") {
    p.rewrite[0].operands[0] = "nobody";
    CHECK(code() == "pattern.unbound-value");
  }
  SECTION("what is replaced") {
    p.replacements[0].matched = "nobody";
    CHECK(code() == "pattern.unbound-value");
  }
  SECTION("an input cannot be replaced") {
    p.replacements[0].matched = "x";
    CHECK(code() == "pattern.unbound-value");
  }
}

TEST_CASE("dims that do not follow from what matches", "[diagnostics]") {
  CHECK(of_match("in %x: [.., Q + C] %y = relu(%x)", "dims Q, C") == "1 pattern.unsolved-dims");
  CHECK(of_match("in %x: [.., Q * C] %y = relu(%x)", "dims Q, C") == "1 pattern.unsolved-dims");
  CHECK(of_match("in %x: [Q, Q + C] %y = relu(%x)", "dims Q, C") == "");
  CHECK(of_parts("dims Q where Q > 2", "%y = relu(%x)", "%n = neg(%x)\n%y = %n") == "1 pattern.unsolved-dims");
  CHECK(of_match("in %x: [.., 1.5] %y = relu(%x)") == "2 pattern.dim-expression");
  CHECK(of_match("in %x: [.., true] %y = relu(%x)") == "2 pattern.dim-expression");
}

TEST_CASE("parts that share no value", "[diagnostics]") {
  CHECK(of_match("%y = relu(%x) %b = silu(%a)") == "2 pattern.disconnected");
  CHECK(of_match("%y = relu(%x) unless { %b = silu(%a) }") == "2 pattern.unless");
  CHECK(of_match("%y = relu(%x) unless { %b = silu(%y) }") == "");
}

TEST_CASE("an 'unless' part holds plain nodes only", "[diagnostics]") {
  CHECK(of_match("%y = relu(%x) unless { %b = silu(%y) unless { %c = neg(%b) } }") == "2 pattern.unless");
}

TEST_CASE("definitions and optional nodes", "[diagnostics]") {
  // The text form takes a call of no definition for an op, so `use` says what is meant.
  CHECK(of_match("use %y = rms(%x)", "define rmz(%a) -> %b { %b = relu(%a) }") == "2 pattern.unknown-definition");
  CHECK(of_match("%y = again(%x)", "define again(%a) -> %b { %b = again(%a) }") == "1 pattern.recursive-definition");
  CHECK(of_match("optional %y = add(%x, %z)") == "2 pattern.optional");
}

TEST_CASE("a fusion has at most 256 variants", "[diagnostics]") {
  std::string chain;
  for (int i = 0; i < 9; ++i)
    chain += "optional %v" + std::to_string(i + 1) + " = relu(%v" + std::to_string(i) + ") ";
  CHECK(of_parts("", chain + "%y = silu(%v9)", "%n = neg(%v0)\n%y = %n") == "2 pattern.too-many-variants");
  std::string family = "for op in {relu", more = "for other in {relu";
  for (int i = 0; i < 16; ++i) {
    family += ", a" + std::to_string(i);
    more += ", b" + std::to_string(i);
  }
  CHECK(of_match("%s = op(%x) %y = other(%s)", family + "} " + more + "}") == "1 pattern.too-many-variants");
}

TEST_CASE("a fusion has at most 24 nodes, dims and captures", "[diagnostics]") {
  std::string chain;
  for (int i = 0; i < 25; ++i)
    chain += "%v" + std::to_string(i + 1) + " = relu(%v" + std::to_string(i) + ") ";
  CHECK(of_parts("", chain, "%n = neg(%v0)\n%v25 = %n") == "1 pattern.too-large");
  std::string dims = "dims D0";
  for (int i = 1; i < 25; ++i)
    dims += ", D" + std::to_string(i);
  CHECK(of_match("%y = relu(%x)", dims) == "1 pattern.too-large");
}

TEST_CASE("predicates", "[diagnostics]") {
  CHECK(of_match("%y = relu(%x)", "where weigth(%x)") == "1 pattern.predicate");
  CHECK(of_match("%y = relu(%x)", "where weight(%x, %x)") == "1 pattern.predicate");
  CHECK(of_match("%y = relu(%x)", "where weight(3)") == "1 pattern.predicate");
  CHECK(of_match("%y = relu(%x)", "where $nothing > 3") == "1 pattern.unknown-name");
  CHECK(of_match("%y = relu(%x)", "where weight(%x)") == "");
}

TEST_CASE("what follows from a misspelt op or attribute is no problem of its own", "[diagnostics]") {
  CHECK(problems("fusion f { match { %y = rms_norn(%x) {eps = $e} }\n"
                 "rewrite { %n = rms_norm(%x) {eps = $e} %y = %n } }") == "1 pattern.unknown-op");
  CHECK(problems("fusion f { match { %y = rms_norm(%x) {epss = $e} }\n"
                 "rewrite { %n = rms_norm(%x) {eps = $e} %y = %n } }") ==
        "1 pattern.unknown-attribute\n"
        "1 pattern.missing-attribute");
  CHECK(problems("fusion f { match { %y = relu(%x) }\n"
                 "rewrite { %n = negg(%x) %m = abs(%n) %y = %m } }") == "2 pattern.unknown-op");
}

TEST_CASE("a fusion is for platforms that exist", "[diagnostics]") {
  const std::string text = "fusion f { platforms rocmm match { %y = relu(%x) } rewrite { %n = neg(%x) %y = %n } }";
  const auto found = problems_of([&] { FusionSet(Context::create(), parse_fusions(text, "f.fusion")); });
  REQUIRE(found.size() == 1);
  CHECK(found[0].code == "pattern.platform");
  CHECK(found[0].message.find("'rocm'") != std::string::npos);
}

TEST_CASE("a fusion is applied by a pass that applies fusions", "[diagnostics]") {
  CHECK(of_match("%y = relu(%x)", "pass rise") == "1 pattern.pass");
  CHECK(of_match("%y = relu(%x)", "pass raise") == "");
  CHECK(of_match("%y = relu(%x)", "pass fuse") == "");
}

TEST_CASE("all that is wrong is said at once, and what variants share once", "[diagnostics]") {
  CHECK(problems("fusion f { match { either { %a = relu(%x) } or { %a = silu(%x) }\n"
                 "%y = relo(%a) } rewrite { %n = neg(%x) %y = %n } }\n"
                 "fusion g { match { keep %x = silu(%z) %y = nogo(%x) } rewrite { %n = neg(%x) %y = %n } }") ==
        "2 pattern.unknown-op\n3 pattern.unknown-op");
}

namespace {

/// What running all of `fusions` over a graph says.
Diagnostic endless(const std::string& fusions, const std::string& body) {
  const auto context = Context::create();
  const auto set = compile(context, parse_fusions(fusions, "f.fusion"));
  Graph graph = parse_text(context, "graph @g(%a: f32[4], %b: f32[4]) {\n" + body + "}\n");
  const auto found = problems_of([&] { run_patterns(*set, graph); });
  REQUIRE(found.size() == 1);
  CHECK(found[0].code == "pattern.non-terminating");
  return found[0];
}

std::string place_of(const Diagnostic& d) {
  return d.where.file + ":" + std::to_string(d.where.line);
}

}  // namespace

TEST_CASE("rewrites that do not end are stopped, and the fusion is named with its place", "[diagnostics]") {
  const Diagnostic d = endless("\nfusion again { match { %y = mul(%a, %b) } rewrite { %n = mul(%a, %b) %y = %n } }",
                               "%y = mul %a, %b\nreturn %y\n");
  CHECK(place_of(d) == "f.fusion:2");
  CHECK(d.message == "fusion 'again' matches what it makes itself without an end: stopped after 1041 rewrites");
  CHECK(d.notes ==
        std::vector<std::string>{"'again' [f.fusion:2:1] makes a node 'mul' that 'again' [f.fusion:2:1] matches"});
}

TEST_CASE("of rewrites that do not end all fusions that go round are named, and no others", "[diagnostics]") {
  const std::string fusions = R"(fusion sober { match { %y = tanh(%x) } rewrite { %n = sigmoid(%x) %y = %n } }
fusion b { flag fuse_b match { %y = abs(%x) } rewrite { %n = neg(%x) %y = %n } }
fusion c { match { %y = neg(%x) } rewrite { %n = relu(%x) %s = sqrt(%n) %y = %s } }
fusion mops_up { match { %y = sqrt(%x) } rewrite { %y = %x } }
fusion a { flag fuse_a match { %y = relu(%x) } rewrite { %n = abs(%x) %y = %n } }
)";
  const Diagnostic d = endless(fusions, "%t = tanh %a\n%y = relu %t\nreturn %y\n");
  CHECK(place_of(d) == "f.fusion:2");
  CHECK(d.message.find("fusions 'b', 'c' and 'a' match what they make in turn without an end") == 0);
  CHECK(d.notes == std::vector<std::string>{
                       "'b' [f.fusion:2:1] makes a node 'neg' that 'c' [f.fusion:3:1] matches",
                       "'c' [f.fusion:3:1] makes a node 'relu' that 'a' [f.fusion:5:1] matches",
                       "'a' [f.fusion:5:1] makes a node 'abs' that 'b' [f.fusion:2:1] matches",
                   });
  CHECK(d.help.find("switch one off: '--flag fuse_b=off' or '--flag fuse_a=off'") != std::string::npos);
}

TEST_CASE("rewrites that multiply are told by the fusion, too", "[diagnostics]") {
  const Diagnostic d =
      endless("fusion more { match { %y = relu(%x) } rewrite { %n = relu(%x) %m = relu(%n) %o = relu(%m) %y = %o } }",
              "%y = relu %a\nreturn %y\n");
  CHECK(d.message.find("fusion 'more' matches what it makes itself") == 0);
}
