// Each lint on a fusion that has the fault, with the place where it is said.
#include "tests/support/catch.h"

#include <algorithm>
#include <string>

#include <tandem/passes/fusion/fusions.h>
#include <tandem/passes/pattern/lint.h>
#include <tandem/passes/pattern/text.h>

using namespace tandem;

namespace {

/// "lint.unused-name:3 lint.float-equality:5": codes and lines.
std::string codes(const std::vector<Diagnostic>& diagnostics) {
  std::string out;
  for (const Diagnostic& d : diagnostics) {
    CHECK_FALSE(d.help.empty());
    out += (out.empty() ? "" : " ") + d.code + ":" + std::to_string(d.where.line);
  }
  return out;
}

std::string lints(const std::string& text) {
  return codes(lint_fusion(Context::create(), parse_fusions(text, "t.fusion").at(0)));
}

}  // namespace

TEST_CASE("lint: names that nothing reads") {
  CHECK(lints(R"(fusion f {
  types T in {bf16}, S
  dims Q, H
  match {
    in %x: T[.., H]
    %y = rms_norm(%x) {eps = $eps, round_before_weight = $round}
  }
  rewrite {
    %z = rms_norm(%x) {eps = $eps}
    %b = relu(%x)
    %y = %z
  }
})") == "lint.unused-name:1 lint.unused-name:1 lint.unused-name:6 lint.unused-name:10");
}

TEST_CASE("lint: definitions that nothing uses") {
  CHECK(lints(R"(fusion f {
  define other(%a) -> %b { %b = relu(%a) }
  match { %y = relu(%x) }
  rewrite { %z = abs(%x)  %y = %z }
})") == "lint.unused-name:2");
}

TEST_CASE("lint: reals that f32 does not have are not compared to the bit") {
  const auto with = [](const std::string& eps) {
    return lints("fusion f {\n match {\n %y = rms_norm(%x) {eps " + eps +
                 "}\n }\n rewrite { %z = relu(%x)  %y = %z }\n}");
  };
  CHECK(with("= 1e-06") == "lint.float-equality:3");
  CHECK(with("in {0.5, 1e-05}") == "lint.float-equality:3");
  CHECK(with("= 0.0009765625").empty());
  CHECK(with("> 9e-07, eps < 1.1e-06").empty());
  CHECK(lints(R"(fusion f {
  match { %y = rms_norm(%x) {eps = $eps} }
  where { $eps == 1e-06 }
  rewrite { %z = rms_norm(%x) {eps = $eps}  %y = %z }
})") == "lint.float-equality:3");
}

TEST_CASE("lint: the advice on a real speaks of the attribute at hand, and of bounds around its number") {
  const auto help = [](const std::string& text) {
    return lint_fusion(Context::create(), parse_fusions(text, "t.fusion").at(0)).at(0).help;
  };
  CHECK(help("fusion f { match { %y = full() {shape = $s, value = 0.1, dtype = $d} }"
             " rewrite { %n = full() {shape = $s, value = 0.5, dtype = $d} %y = %n } }") ==
        "capture it (value = $value), or give bounds: value > 0.099, value < 0.101");
  CHECK(help("fusion f { match { %y = rms_norm(%x) {eps = $e} } where { 1e-06 == $e }"
             " rewrite { %n = rms_norm(%x) {eps = $e} %y = %n } }") == "give bounds: $e > 9.9e-07, $e < 1.01e-06");
}

TEST_CASE("lint: attributes that are ignored, unless a type says what they are") {
  CHECK(lints(R"(fusion f {
  match {
    %y = softmax(%x) {axis = any}
  }
  rewrite { %z = relu(%x)  %y = %z }
})") == "lint.ignored-attribute:3");
  CHECK(lints(R"(fusion f {
  dims A, B
  match {
    in %x: [A, B]
    %y = reshape(%x) {shape = any} : [B, A]
  }
  rewrite { %z = reshape(%x) {shape = [B, A]}  %y = %z }
})")
            .empty());
}

TEST_CASE("lint: guards that exclude each other") {
  const auto where = [](const std::string& guards) {
    return lints("fusion f {\n dims H\n match {\n in %x: [H]\n %y = rms_norm(%x) {eps = $eps}\n }\n where {\n" +
                 guards + "\n}\n rewrite { %z = rms_norm(%x) {eps = $eps}  %y = %z }\n}");
  };
  CHECK(where("H < 8\n H > 8") == "lint.contradictory-guards:9");
  CHECK(where("H <= 8\n 8 <= H").empty());
  CHECK(where("H < 8\n not H < 8") == "lint.contradictory-guards:9");
  CHECK(where("H == 7\n H != 7") == "lint.contradictory-guards:9");
  CHECK(where("$eps > 0.5\n $eps <= 0.5") == "lint.contradictory-guards:9");
  CHECK(where("weight(%x)\n not weight(%x)") == "lint.contradictory-guards:9");
  CHECK(where("H < 0") == "lint.contradictory-guards:8");
  CHECK(where("H * 2 < 8\n H > 8").empty());  // not seen: another expression
}

TEST_CASE("lint: what a fusion admits against what kernels take") {
  const auto lint = [](const std::string& where, std::vector<Capabilities> targets) {
    const std::string text = R"(fusion f {
  requires kernel(fused_mla_dual_rms_norm)
  platforms rocm
  types T in {bf16, f16, f64}
  dims Q, C
  match {
    in %q: T[.., Q], %c: T[.., C], %v: T[Q], %w: T[C]
    %s = add(%q, %v) : T[.., Q]  %u = add(%c, %w)  %y = mul(%s, %u)
  }
  where {
)" + where + R"(
  }
  rewrite { %a, %b = fused_mla_dual_rms_norm(%q, %v, %c, %w) {eps_q = 1.0, eps_kv = 1.0}  %y = %a }
})";
    const std::vector<Diagnostic> found = lint_kernels(parse_fusions(text, "t.fusion").at(0), targets);
    std::string limit;
    for (const Diagnostic& d : found)
      limit = d.code == "lint.kernel-limit" ? d.notes.at(0) : limit;
    return codes(found) + (limit.empty() ? "" : "\n" + limit);
  };
  const std::vector<Capabilities> rocm{parse_target("rocm:gfx942,aiter=0.1.16")};
  CHECK(lint("", rocm) ==
        "lint.kernel-dtypes:1 lint.kernel-limit:1\n"
        "aiter: a last axis of at most 8192; no guard says Q <= 8192, C <= 8192");
  CHECK(lint("Q <= 8192", rocm) ==
        "lint.kernel-dtypes:1 lint.kernel-limit:1\naiter: a last axis of at most 8192; no guard says C <= 8192");
  CHECK(lint("Q <= 8192  C < 8193  C * 2 < 9", rocm) ==
        "lint.kernel-dtypes:1 lint.kernel-limit:1\naiter: a last axis of at most 8192; no guard says C <= 8192");
  CHECK(lint("Q <= 8192  not C > 4096", rocm) == "lint.kernel-dtypes:1");
  CHECK(lint("", {}) == "lint.kernel-dtypes:1");
}

TEST_CASE("lint: a fusion that another starves, and a pair without an end") {
  const auto together = [](const std::string& text) {
    return codes(lint_together(Context::create(), parse_fusions(text, "t.fusion")));
  };
  CHECK(together(R"(fusion small {
  match { %y = relu(%x) }
  rewrite { %z = abs(%x)  %y = %z }
}
fusion large {
  benefit 1
  match { %y = relu(%x) }
  rewrite { %z = neg(%x)  %y = %z }
})") == "lint.starved:1");
  CHECK(together(R"(fusion there {
  match { %y = relu(%x) }
  rewrite { %z = abs(%x)  %y = %z }
}
fusion back {
  match { %y = abs(%x) }
  rewrite { %z = relu(%x)  %y = %z }
})") == "lint.non-terminating:1 lint.non-terminating:5");
  CHECK(together(R"(fusion some {
  match {
    either { %y = relu(%x) } or { %y = abs(%x) }
  }
  rewrite { %z = neg(%x)  %y = %z }
}
fusion other {
  benefit 1
  match { %y = abs(%x) }
  rewrite { %z = square(%x)  %y = %z }
})") == "lint.shadowed:1");
}

TEST_CASE("lint: a fusion that one beside it starves") {
  const auto context = Context::create();
  const std::vector<Pattern> mine = parse_fusions(R"(
fusion mine { match { %y = neg(%x) } rewrite { %z = abs(%x)  %y = %z } }
)",
                                                  "t.fusion");
  const std::vector<Pattern> beside = parse_fusions(R"(
fusion greedy { benefit 9  match { %y = neg(%x) } rewrite { %z = exp(%x)  %y = %z } }
fusion starving { match { %y = neg(%x) } rewrite { %z = exp(%x)  %y = %z } }
fusion mine { match { %y = neg(%x) } rewrite { %z = neg(%x)  %y = %z } }
)",
                                                    "t.fusion");
  CHECK(lint_together(context, mine).empty());
  const std::vector<Diagnostic> found = lint_together(context, mine, beside);
  REQUIRE(found.size() == 1);
  CHECK(found[0].code == "lint.starved");
  CHECK(found[0].message.find("'mine': 'greedy' takes every site") != std::string::npos);
}

TEST_CASE("lint: shipped fusions have no warnings") {
  const auto context = Context::create();
  std::vector<Pattern> fusions = shipped_fusions();
  std::erase_if(fusions, [](const Pattern& p) { return p.pass == "raise"; });
  for (const Pattern& p : fusions) {
    INFO(p.name);
    CHECK(codes(lint_fusion(context, p)) == "");
  }
  for (const Diagnostic& d : lint_together(context, fusions)) {
    INFO(to_string(d));
    CHECK(d.severity == Severity::note);
  }
}
