// What a check proves, and that it finds what is wrong: faults planted in fusions of a few lines.
#include "tests/support/catch.h"

#include <algorithm>
#include <string>

#include "tests/support/check_executors.h"

#include <tandem/passes/fusion/fusions.h>
#include <tandem/passes/pattern/text.h>

using namespace tandem;
using namespace tandem::test;

namespace {

constexpr std::size_t samples = 8;  // of each variant

CheckReport check(const std::string& text, std::vector<CheckExecutor> executors = oracle_only(),
                  std::uint64_t seed = CheckOptions().seed) {
  CheckOptions options;
  options.seed = seed;
  options.samples = samples;
  return check_fusion(Context::create(), parse_fusions(text, "t.fusion").at(0), executors, options);
}

/// The codes of the problems: "" when there are none.
std::string codes(const CheckReport& report) {
  std::string out;
  for (const Diagnostic& d : report.problems) {
    INFO(to_string(d));
    CHECK_FALSE(d.help.empty());
    CHECK(d.where.line != 0);
    out += (out.empty() ? "" : " ") + d.code;
  }
  return out;
}

std::string rms(const std::string& attrs) {
  return "fusion f {\n types T in {bf16, f16}\n dims H\n match {\n in %x: T[..B, H], %r: T[..B, H], %w: [H]\n"
         " %s = add(%x, %r)\n %y = rms_norm(%s, %w) {eps = $eps, round_before_weight = $round}\n }\n rewrite {\n"
         " %a, %b = fused_add_rms_norm(%x, %r, %w) {" +
         attrs + "}\n %y = %a\n %s = %b\n }\n}";
}

}  // namespace

TEST_CASE("check: a right fusion holds, on the oracle to the last bit") {
  const CheckReport report = check(rms("eps = $eps, round_before_weight = $round"));
  CHECK(codes(report) == "");
  CHECK(report.proven());
  CHECK(report.graphs >= 8);
  CHECK(report.negatives > 0);
  CHECK(report.elements > 0);
  CHECK(report.inexact == 0);
  CHECK(report.commuted > 0);
}

TEST_CASE("check: dims that are written out are not tried on gigabytes") {
  CHECK(codes(check(R"(fusion large {
  match {
    in %x: bf16[.., 7168], %w: bf16[163840, 7168]
    %y = linear(%x, %w)
    %z = neg(%y)
  }
  rewrite { %n = neg(%x)  %l = linear(%n, %w)  %z = %l }
})")) == "check.not-tested");
}

TEST_CASE("check: an attribute that is dropped or changed is found, and the counterexample is small") {
  const CheckReport changed = check(rms("eps = $eps * 2.0, round_before_weight = $round"));
  CHECK(codes(changed) == "check.differs");
  REQUIRE(changed.counterexample);
  CHECK(changed.counterexample->rewritten);
  CHECK(changed.counterexample->expected.size() == 2);
  std::size_t elements = 0;
  for (const auto& [name, tensor] : changed.counterexample->inputs)
    elements += tensor.values.size();
  CHECK(elements <= 12);

  const CheckReport rounding = check(rms("eps = $eps"));
  CHECK(codes(rounding) == "check.rounds-otherwise");
}

TEST_CASE("check: a graph of its own is drawn for each setting of boolean attributes, if there are any") {
  const CheckReport none = check(R"(fusion no_boolean {
  types T in {bf16}
  match { in %x: T[.., 512]  %a = neg(%x)  %b = neg(%a)  %y = relu(%b) }
  rewrite { %z = relu(%x)  %y = %z }
})");
  CHECK(codes(none) == "");
  CHECK(none.graphs == samples + 1);  // one graph of it has enough elements
  const CheckReport one = check(rms("eps = $eps, round_before_weight = $round"));
  CHECK(codes(one) == "");
  CHECK(one.graphs >= samples + 2);
}

TEST_CASE("check: what a rewrite forgets is found") {
  CHECK(codes(check(R"(fusion operands_swapped {
  types T in {f32}
  match {
    in %a: T[..B], %b: T[..B]
    %d = sub(%a, %b)
    %y = neg(%d)
  }
  rewrite { %z = sub(%a, %b)  %y = %z }
})")) == "check.differs");
  CHECK(codes(check(R"(fusion scale_dropped {
  dims K, N
  match {
    in %x: f32[.., K], %w: f32[N, K], %s: f32[]
    %p = linear(%x, %w)
    %y = mul(%p, %s)
  }
  rewrite { %z = linear(%x, %w)  %y = %z }
})")) == "check.differs");
  CHECK(codes(check(R"(fusion axis_forgotten {
  match {
    in %x: f32[.., 4]
    %n = neg(%x)
    %y = cumsum(%n) {axis = $axis}
  }
  rewrite { %c = cumsum(%x) {axis = -1}  %z = neg(%c)  %y = %z }
})")) == "check.differs");
}

TEST_CASE("check: a fusion that exactly undoes itself holds") {
  CHECK(codes(check(R"(fusion double_neg {
  types T in {bf16, f32}
  match {
    in %x: T[.., 3]
    %a = neg(%x)
    %b = neg(%a)
    %y = relu(%b)
  }
  rewrite { %z = relu(%x)  %y = %z }
})")) == "");
}

TEST_CASE("check: guards are seen to hold and to fail") {
  const CheckReport report = check(R"(fusion guarded {
  dims H
  match {
    in %x: bf16[.., H], %w: bf16[H]
    %a = neg(%x)
    %b = neg(%a)
    %y = mul(%b, %w)
  }
  where {
    H % 8 == 0
    H <= 64
    weight(%w)
    not input(%w)
  }
  rewrite { %z = mul(%x, %w)  %y = %z }
})");
  CHECK(codes(report) == "");
  REQUIRE(report.guards.size() == 4);
  CHECK(report.guards[0].text == "H % 8 == 0");
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(report.guards[i].held > 0);
    CHECK(report.guards[i].broken > 0);
  }
  CHECK(report.guards[2].held > 0);
}

TEST_CASE("check: a rounding that moves shows for few dtypes, under one setting, and in small patterns too") {
  // `round_before_weight` is dropped: no element differs where it is false, or in f32.
  const std::string dropped = R"(fusion dropped {
  types T in {bf16, f16, f32}
  dims H
  match {
    in %a: T[..B, H], %b: T[..B, H], %c: T[..B, H], %w: T[H]
    %s1 = add(%a, %b)
    %s2 = add(%s1, %c)
    %y = rms_norm(%s2, %w) {eps = $eps, round_before_weight = $round}
  }
  rewrite {
    %s = add(%a, %b)
    %n, %sum = fused_add_rms_norm(%s, %c, %w) {eps = $eps}
    %y = %n
    %s2 = %sum
  }
})";
  // Constants come first, and most of the graph could be single numbers.
  const std::string spelled_out = R"(fusion gelu_spelled_out {
  types T in {f32, bf16, f16}
  match {
    in %x: T
    keep %half = full() {shape = [], value = 0.5, dtype = any}
    keep %one = full() {shape = [], value = 1.0, dtype = any}
    keep %three = full() {shape = [], value = 3.0, dtype = any}
    keep %k = full() {shape = [], value = 0.044715, dtype = any}
    keep %c = full() {shape = [], value = 0.7978845608028654, dtype = any}
    %cube = pow(%x, %three)
    %kc = mul(%cube, %k)
    %s = add(%x, %kc)
    %a = mul(%s, %c)
    %t = tanh(%a)
    %t1 = add(%t, %one)
    %xh = mul(%x, %half)
    %y = mul(%xh, %t1)
  }
  rewrite { %g = gelu(%x) {tanh_approximation = true}  %y = %g }
})";
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    INFO(seed);
    CHECK(codes(check(dropped, oracle_only(), seed)) == "check.rounds-otherwise");
    CHECK(check(spelled_out, oracle_only(), seed).counterexample);
  }
}

TEST_CASE("check: a pattern without graphs, and one without an end") {
  CHECK(codes(check(R"(fusion impossible {
  dims H
  match {
    in %x: f32[H]
    %y = relu(%x)
  }
  where { H > 8  H < 4 }
  rewrite { %z = abs(%x)  %y = %z }
})")) == "check.contradictory");
  CHECK(codes(check(R"(fusion endless {
  match {
    in %x: f32[3]
    %y = relu(%x)
  }
  rewrite { %z = relu(%x)  %y = %z }
})")) == "check.non-terminating");
}

TEST_CASE("check: a provider's kernel that is wrong is told from a fusion that is wrong") {
  KernelTable broken("broken");
  broken.add("fused_silu_and_mul", [](const KernelCall& call) {
    for (std::int64_t i = 0; i < call.results[0].size(); ++i)
      store_element(call.results[0], i, 1);
  });
  std::vector<CheckExecutor> executors = oracle_only();
  executors.push_back(check_executor("broken", {broken, reference_kernels()}));
  const std::vector<Pattern> shipped = shipped_fusions();
  const auto it =
      std::find_if(shipped.begin(), shipped.end(), [](const Pattern& p) { return p.name == "silu_and_mul"; });
  REQUIRE(it != shipped.end());
  const CheckReport report = check_fusion(Context::create(), *it, executors);
  CHECK(codes(report) == "check.kernel-differs");
  CHECK(report.problems[0].message.find("provider broken") != std::string::npos);
}

TEST_CASE("check: a match that can never be rewritten") {
  const CheckReport report = check(R"(fusion refused {
  match {
    in %x: bf16[4]
    %y = relu(%x)
  }
  rewrite { %z = cast(%x) {dtype = f32}  %y = %z }
})");
  CHECK(codes(report) == "check.refused");
}

TEST_CASE("check: a result whose type does not follow from the match, until the match says so") {
  const auto chosen = [](const std::string& c, const std::string& y) {
    return check("fusion chosen { dims M match { in %x: f32[1, 4], %c: " + c + "\n %y = where(%c, %x, %x) : " + y +
                 " } rewrite { %z = identity(%x)  %y = %z } }");
  };
  const CheckReport loose = chosen("bool[M, 4]", "any");
  CHECK(codes(loose) == "lint.result-type");
  CHECK(loose.proven());
  CHECK(codes(chosen("bool[1, 4]", "any")) == "");
  CHECK(codes(chosen("bool[M, 4]", "f32[1, 4]")) == "");
}

TEST_CASE("check: the same seed gives the same report, another seed other graphs") {
  const Pattern pattern = parse_fusions(rms("eps = $eps, round_before_weight = $round"), "t").at(0);
  CheckOptions options;
  options.samples = 4;
  const auto elements = [&](std::uint64_t seed) {
    options.seed = seed;
    return check_fusion(Context::create(), pattern, oracle_only(), options).elements;
  };
  CHECK(elements(3) == elements(3));
  CHECK(elements(3) != elements(4));
}

TEST_CASE("check: every shipped fusion holds", "[shipped]") {
  std::vector<CheckExecutor> executors = oracle_only();
  executors.push_back(check_executor("cpu", {cpu_kernels(), reference_kernels()}));
  CheckOptions options;
  options.samples = check_samples;
  const auto context = Context::create();
  for (const Pattern& p : shipped_fusions()) {
    const CheckReport report = check_fusion(context, p, executors, options);
    INFO(p.name << "\n" << to_string(report.problems));
    CHECK(report.proven());
    CHECK(report.graphs > 0);
    if (p.pass != "raise")  // a raise computes in another order
      CHECK(report.inexact == 0);
    for (const Diagnostic& d : report.problems)
      CHECK(d.code != "check.not-tested");
  }
}

TEST_CASE("check: every fault planted in a shipped fusion is found", "[shipped]") {
  CheckOptions options;
  options.samples = 8;  // with fewer, a fault of rounding may stay below what is judged
  const auto context = Context::create();
  for (const Pattern& p : shipped_fusions()) {
    std::size_t killed = 0;
    for (const MutantOutcome& m : check_mutants(context, p, oracle_only(), options)) {
      INFO(p.name << ": " << m.mutation << ": " << m.reason);
      CHECK(m.fate != MutantOutcome::Fate::survived);
      killed += m.fate == MutantOutcome::Fate::killed ? 1 : 0;
    }
    INFO(p.name);
    CHECK(killed > 0);
  }
}

TEST_CASE("check: a capture that a guard determines is not left to chance") {
  const CheckReport report = check(R"(fusion mean_of_sum {
  numerics relaxed
  dims  N
  match {
    in %x: f32[.., N]
    %s = sum(%x) {axes = [-1], keepdims = $keep}
    %n = full() {shape = [], value = $n, dtype = f32}
    %y = div(%s, %n)
  }
  where { $n == N  not N == 0 }
  rewrite { %m = mean(%x) {axes = [-1], keepdims = $keep}  %y = %m }
})");
  CHECK(codes(report) == "");
  REQUIRE(report.guards.size() == 2);
  CHECK(report.guards[0].held >= 8);
  CHECK(report.guards[0].broken > 0);
}
