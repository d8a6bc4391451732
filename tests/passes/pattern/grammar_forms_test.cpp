// What each construct of the text means, seen through the canonical form.

#include <cmath>
#include <limits>
#include <string>

#include <tandem/ir/context.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/expand.h>
#include <tandem/passes/pattern/text.h>

#include "tests/support/catch.h"

using namespace tandem;

namespace {

Pattern parse_one(const std::string& text) {
  std::vector<Pattern> all = parse_fusions(text, "f.fusion");
  REQUIRE(all.size() == 1);
  return all[0];
}

/// The canonical spelling of an expression.
std::string canonical(const std::string& text) {
  return to_string(parse_pattern_expr(text, {}));
}

}  // namespace

TEST_CASE("the design's own example parses as it stands") {
  const Pattern p = parse_one(R"(
    fusion mla_dual_rms_norm {
      doc      "Two RMSNorms of the MLA latents, one launch."
      level    O1
      flag     fuse_mla_dual_rms_norm
      requires kernel(fused_mla_dual_rms_norm)
      types    T in {bf16, f16}
      dims     Q, C, P

      match {
        in %x: T[.., Q+C+P], %q_w: T[Q], %kv_w: T[C]
        keep %q, %kv = split(%x)  {axis = -1, sizes = [Q, C+P]}
        keep %c, %pe = split(%kv) {axis = -1, sizes = [C, P]}
        %qn = rms_norm(%q, %q_w)  {eps = $eps_q}
        %cn = rms_norm(%c, %kv_w) {eps = $eps_kv}
      }
      rewrite {
        %a, %b = fused_mla_dual_rms_norm(%q, %q_w, %c, %kv_w) {eps_q = $eps_q, eps_kv = $eps_kv}
        %qn = %a
        %cn = %b
      }
    })");
  CHECK(p.inputs.size() == 3);
  CHECK(p.match.size() == 4);
  CHECK(p.match[0].node.keep);
  CHECK(to_string(p.inputs[0].type) == "T[.., Q + C + P]");
  CHECK(p.replacements.size() == 2);
  CHECK(to_string(p.match[1].node.attrs[1].span) == "f.fusion:13:47");
}

TEST_CASE("expressions keep their tree") {
  CHECK(canonical("Q+C*P") == "Q + C * P");
  CHECK(canonical("(Q+C)*P") == "(Q + C) * P");
  CHECK(canonical("Q-(C-P)") == "Q - (C - P)");
  CHECK(canonical("Q-C-P") == "Q - C - P");
  CHECK(canonical("Q%8") == "Q % 8");
  CHECK(canonical("mod(Q, 8)") == "Q % 8");
  CHECK(canonical("Q % (C % 2)") == "Q % (C % 2)");
  CHECK(canonical("floordiv(Q+1,2)") == "floordiv(Q + 1, 2)");
  CHECK(canonical("-Q*-2") == "-Q * -2");
  CHECK(canonical("-(Q+1)") == "-(Q + 1)");
  CHECK(canonical("-(1)") == "-(1)");
  CHECK(canonical("[1, $eps, \"a\\\"b\", ...]") == "[1, $eps, \"a\\\"b\", ...]");
}

TEST_CASE("numbers keep their bits") {
  const auto real = [](const std::string& text) {
    const Expr e = parse_pattern_expr(text, {});
    REQUIRE(e.kind == Expr::Kind::real);
    return e.real;
  };
  CHECK(real("1e-06") == 1e-6);
  CHECK(real("4.9406564584124654e-324") == std::numeric_limits<double>::denorm_min());
  CHECK(real("1e-400") == 0);
  CHECK(std::signbit(real("-0.0")));
  CHECK(real("-inf") == -std::numeric_limits<double>::infinity());
  CHECK(std::isnan(real("nan")));
  CHECK(canonical("nan(0x7ff8000000000001)") == "nan(0x7ff8000000000001)");
  CHECK(canonical("-9223372036854775808") == "-9223372036854775808");
  CHECK(parse_pattern_expr("1", {}).kind == Expr::Kind::integer);
  CHECK(parse_pattern_expr("1.0", {}).kind == Expr::Kind::real);
}

TEST_CASE("a use of a definition is told from an op by its name") {
  const Pattern p = parse_one(R"(fusion f {
    define rms(%x, %w) -> %y { %y = rms_norm(%x, %w) {eps = any} }
    match {
      %a = rms(%x, %w)
      %b = silu(%a)
      node %c = rms(%b)
      use %d = later(%c)
    }
  })");
  CHECK(p.match[0].kind == Clause::Kind::use);
  CHECK(p.match[1].kind == Clause::Kind::node);
  CHECK(p.match[2].kind == Clause::Kind::node);
  CHECK(p.match[3].kind == Clause::Kind::use);
}

TEST_CASE("conditions stand one a line, or behind commas") {
  const Pattern lines = parse_one("fusion f { where {\n Q % 8 == 0\n -1 < Q  not weight(%x)\n $t in {bf16, f16}\n } }");
  const Pattern commas = parse_one("fusion f { where Q % 8 == 0, -1 < Q, not weight(%x), $t in {bf16, f16}\n }");
  CHECK(lines.where.size() == 4);
  CHECK(lines == commas);
}

TEST_CASE("an optional node is one of two variants") {
  const Pattern p = parse_one(R"(fusion f {
    match {
      optional %b = cast(%a) {dtype = any}
      %y = relu(%b)
    }
    rewrite { %n = silu(%a)
      %y = %n }
  })");
  const std::vector<Variant> variants = expand(*Context::create(), p);
  REQUIRE(variants.size() == 2);
  CHECK(variants[0].choice == "with cast at line 3");
  CHECK(variants[1].pattern.match[0].node.operands == std::vector<std::string>{"a"});
}

TEST_CASE("names that are keywords or no words are quoted") {
  const Pattern p = parse_one("fusion `my fusion` { dims `in` match { %\"odd name\", %more... = `any`(%0) } }");
  CHECK(p.name == "my fusion");
  CHECK(p.dims == std::vector<std::string>{"in"});
  CHECK(p.match[0].node.results == std::vector<std::string>{"odd name", "more..."});
  CHECK(p.match[0].node.op == "any");
}

TEST_CASE("JSON and text are told apart by their first character") {
  CHECK(read_fusions("  {\"format\": \"tandem.fusion\", \"version\": 1, \"fusions\": [{\"name\": \"a\"}]}", "-")[0]
            .name == "a");
  CHECK(read_fusions("[{\"name\": \"b\"}]", "-")[0].name == "b");
  CHECK(read_fusions("fusion c { }", "-")[0].name == "c");
}
