// The fusions that serving engines live from, each in at most twenty lines: each matches its graph and refuses a graph
// that is nearly that.
#include <algorithm>
#include <memory>
#include <string>

#include "tests/support/catch.h"

#include <tandem/ir/io/text.h>
#include <tandem/ir/verifier.h>
#include <tandem/passes/pattern/engine.h>
#include <tandem/passes/pattern/text.h>

using namespace tandem;

namespace {

/// Fused ops as an engine registers them: only their types matter here.
std::shared_ptr<Context> engine_context() {
  auto context = Context::create();
  const auto add = [&](std::string name, std::string signature, InferFn infer) {
    context->register_op({.name = std::move(name), .signature = std::move(signature), .infer = infer, .doc = "Fused."});
  };
  const InferFn like_x = [](Inference& in) { in.results.push_back(in.operands[0]); };
  const InferFn like_x_twice = [](Inference& in) { in.results = {in.operands[0], in.operands[0]}; };
  const InferFn quantised = [](Inference& in) {
    in.result(in.attr("dtype").dtype(), in.operands[0].shape);
    if (in.op.results.size() == 1)
      return;
    std::vector<Dim> scales(in.operands[0].shape.begin(), in.operands[0].shape.end());
    const std::int64_t group = in.attr("group").integer();
    scales.back() = group == 0 ? Dim(1) : floordiv(scales.back(), Dim(group));
    if (group != 0)
      scales.push_back(1);
    in.result(DType::f32, scales);
  };
  const InferFn half = [](Inference& in) {
    std::vector<Dim> dims(in.operands[0].shape.begin(), in.operands[0].shape.end());
    dims.back() = floordiv(dims.back(), Dim(2));
    in.result(in.op.find_attr("dtype") < 0 ? in.operands[0].dtype : in.attr("dtype").dtype(), dims);
  };
  add("e_add_norm", "(x, residual, weight) -> y, sum {eps: real}", like_x_twice);
  add("e_norm_quant", "(x, weight, scale) -> y {eps: real, dtype: dtype}", quantised);
  add("e_norm_quant_dynamic", "(x, weight) -> y, scale {eps: real, dtype: dtype, group: int = 0}", quantised);
  add("e_silu_mul", "(x) -> y", half);
  add("e_silu_mul_quant", "(x, scale) -> y {dtype: dtype}", half);
  add("e_qk_norm_rope", "(q, k, q_weight, k_weight, cos, sin) -> y, z {eps: real}", [](Inference& in) {
    in.results = {in.operands[0], in.operands[1]};
  });
  add("e_rope", "(x, cos, sin) -> y", like_x);
  return context;
}

/// How often the fusion matches. The fusion must be whole in twenty lines.
std::size_t matches(const std::string& fusion, const std::string& graph) {
  const auto lines = std::count(fusion.begin(), fusion.end(), '\n');
  CHECK(lines <= 20);
  const auto context = engine_context();
  const auto set = compile(context, parse_fusions(fusion, "fusion"));
  Graph g = parse_text(context, graph);
  const EngineResult result = run_patterns(*set, g);
  verify_or_throw(g);
  return result.fusions[0].matches;
}

std::string with(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("the MLA dual norm in all its spellings", "[expressiveness]") {
  const std::string fusion = R"(fusion mla_dual {
  types T in {bf16, f16}  dims Q, C, P
  match {
    in %x: T, %q_w: T[Q], %kv_w: T[C]
    either { keep %q, %c, %pe, %more... = split(%x) {axis = -1, sizes = [Q, C, P, ...]} }
    or {
      keep %q, %kv, %more... = split(%x) {axis = -1, sizes = [Q, C + P, ...]}
      keep %c, %pe = split(%kv) {axis = -1, sizes = [C, P]}
    } or {
      keep %q = slice(%x) {axis = -1, start = 0, end = Q}
      keep %c = slice(%x) {axis = -1, start = Q, end = Q + C}
    }
    %qn = rms_norm(%q, %q_w) {eps = $eps_q, round_before_weight = $round}
    %cn = rms_norm(%c, %kv_w) {eps = $eps_kv, round_before_weight = $round}
  }
  rewrite {
    %a, %b = fused_mla_dual_rms_norm(%q, %q_w, %c, %kv_w)
        {eps_q = $eps_q, eps_kv = $eps_kv, round_before_weight = $round}
    %qn = %a  %cn = %b } })";
  const std::string norms = R"(
    %qn = rms_norm %q, %q_w {eps = 1e-06}
    %cn = rms_norm %c, %kv_w {eps = 1e-05}
    return %qn, %cn
  })";
  const std::string head = "graph @g(%x: bf16[T, 112], %q_w: bf16[64], %kv_w: bf16[32]) {\n";
  const std::string flat = "%q, %c, %pe = split %x {axis = -1, sizes = [64, 32, 16]}";
  CHECK(matches(fusion, head + flat + norms) == 1);
  CHECK(matches(fusion, head + "%q, %kv = split %x {axis = 1, sizes = [64, 48]}\n" +
                            "%c, %pe = split %kv {axis = -1, sizes = [32, 16]}" + norms) == 1);
  CHECK(matches(fusion, head + "%q = slice %x {axis = -1, start = 0, end = 64}\n" +
                            "%c = slice %x {axis = -1, start = 64, end = 96}" + norms) == 1);
  CHECK(matches(fusion, head + "%q = slice %x {axis = -1, start = 0, end = 64}\n" +
                            "%c = slice %x {axis = -1, start = 65, end = 97}" + norms) == 0);
  CHECK(matches(fusion, head + flat + with(norms, "eps = 1e-06", "eps = 1e-06, round_before_weight = true")) == 0);
}

TEST_CASE("norm and static fp8 quantisation", "[expressiveness]") {
  const std::string fusion = R"(fusion norm_static_quant {
  types T in {bf16, f16}  dims H
  match {
    in %x: T[.., H], %w: T[H], %scale: f32[]
    %n = rms_norm(%x, %w) {eps = $eps}
    %f = cast(%n) {dtype = f32}
    %d = div(%f, %scale)
    keep %low = full() {shape = [], value = -448.0, dtype = f32}
    keep %high = full() {shape = [], value = 448.0, dtype = f32}
    %m = maximum(%d, %low)
    %c = minimum(%m, %high)
    %y = cast(%c) {dtype = f8e4m3}
  }
  rewrite {
    %q = e_norm_quant(%x, %w, %scale) {eps = $eps, dtype = f8e4m3}
    %y = %q } })";
  const std::string graph = R"(graph @g(%x: bf16[T, 64], %w: bf16[64], %scale: f32[]) {
    %low = full {shape = [], value = -448.0, dtype = f32}
    %high = full {shape = [], value = 448.0, dtype = f32}
    %n = rms_norm %x, %w {eps = 1e-06}
    %f = cast %n {dtype = f32}
    %d = div %f, %scale
    %m = maximum %low, %d
    %c = minimum %m, %high
    %y = cast %c {dtype = f8e4m3}
    return %y
  })";
  CHECK(matches(fusion, graph) == 1);
  CHECK(matches(fusion, with(graph, "value = 448.0", "value = 240.0")) == 0);              // the range of another fp8
  CHECK(matches(fusion, with(graph, "%d = div %f, %scale", "%d = mul %f, %scale")) == 0);  // the reciprocal scale
}

TEST_CASE("norm and per-token fp8 quantisation", "[expressiveness]") {
  const std::string fusion = R"(fusion norm_token_quant {
  types T in {bf16, f16}  dims H
  match {
    in %x: T[.., H], %w: T[H]
    %n = rms_norm(%x, %w) {eps = $eps}
    %f = cast(%n) {dtype = f32}
    %a = abs(%f)
    %m = reduce_max(%a) {axes = [-1], keepdims = true}
    keep %high = full() {shape = [], value = 448.0, dtype = f32}
    %s = div(%m, %high)
    %d = div(%f, %s)
    %y = cast(%d) {dtype = f8e4m3}
  }
  rewrite {
    %q, %scale = e_norm_quant_dynamic(%x, %w) {eps = $eps, dtype = f8e4m3}
    %y = %q  %s = %scale } })";
  const std::string graph = R"(graph @g(%x: bf16[T, 64], %w: bf16[64]) {
    %high = full {shape = [], value = 448.0, dtype = f32}
    %n = rms_norm %x, %w {eps = 1e-06}
    %f = cast %n {dtype = f32}
    %a = abs %f
    %m = reduce_max %a {axes = [1], keepdims = true}
    %s = div %m, %high
    %d = div %f, %s
    %y = cast %d {dtype = f8e4m3}
    return %y, %s
  })";
  CHECK(matches(fusion, graph) == 1);
  CHECK(matches(fusion, with(graph, "axes = [1]", "axes = [0]")) == 0);  // a scale a column
}

TEST_CASE("norm and per-group fp8 quantisation", "[expressiveness]") {
  const std::string fusion = R"(fusion norm_group_quant {
  types T in {bf16, f16}  dims N, G
  match {
    in %x: T[N, 128 * G], %w: T[128 * G]
    %n = rms_norm(%x, %w) {eps = $eps}
    %f = cast(%n) {dtype = f32}
    %r = reshape(%f) {shape = [N, G, 128]}
    %a = abs(%r)
    %m = reduce_max(%a) {axes = [-1], keepdims = true}
    keep %high = full() {shape = [], value = 448.0, dtype = f32}
    %s = div(%m, %high)
    %d = div(%r, %s)
    %c = cast(%d) {dtype = f8e4m3}
    %y = reshape(%c) {shape = [N, 128 * G]}
  }
  rewrite {
    %q, %scale = e_norm_quant_dynamic(%x, %w) {eps = $eps, dtype = f8e4m3, group = 128}
    %y = %q  %s = %scale } })";
  const std::string graph = R"(graph @g(%x: bf16[T, 512], %w: bf16[512]) {
    %high = full {shape = [], value = 448.0, dtype = f32}
    %n = rms_norm %x, %w {eps = 1e-06}
    %f = cast %n {dtype = f32}
    %r = reshape %f {shape = [T, 4, 128]}
    %a = abs %r
    %m = reduce_max %a {axes = [-1], keepdims = true}
    %s = div %m, %high
    %d = div %r, %s
    %c = cast %d {dtype = f8e4m3}
    %y = reshape %c {shape = [T, 512]}
    return %y, %s
  })";
  CHECK(matches(fusion, graph) == 1);
  CHECK(matches(fusion, with(graph, "shape = [T, 4, 128]", "shape = [T, 8, 64]")) == 0);  // groups of 64
}

TEST_CASE("residual add and norm: both results go on", "[expressiveness]") {
  const std::string fusion = R"(fusion add_norm {
  types T in {bf16, f16}  dims H
  match {
    in %x: T[..B, H], %r: T[..B, H], %w: T[H]
    %s = add(%x, %r)
    %y = rms_norm(%s, %w) {eps = $eps}
  }
  rewrite {
    %n, %sum = e_add_norm(%x, %r, %w) {eps = $eps}
    %y = %n  %s = %sum } })";
  const std::string graph = R"(graph @g(%x: bf16[T, 64], %r: bf16[T, 64], %w: bf16[64]) {
    %s = add %x, %r
    %y = rms_norm %s, %w {eps = 1e-06}
    return %y, %s
  })";
  CHECK(matches(fusion, graph) == 1);
  CHECK(matches(fusion, with(graph, "%r: bf16[T, 64]", "%r: bf16[64]")) == 0);  // a bias, not a residual
}

TEST_CASE("SiLU and mul, plain and quantised", "[expressiveness]") {
  const std::string fusion = R"(fusion silu_mul {
  types T in {bf16, f16}  dims H
  match {
    in %x: T[.., 2 * H]
    %g, %u = split(%x) {axis = -1, sizes = [H, H]}
    %s = silu(%g)
    %y = mul(%s, %u)
  }
  rewrite { %a = e_silu_mul(%x)  %y = %a } })";
  const std::string graph = R"(graph @g(%x: bf16[T, 64]) {
    %g, %u = split %x {axis = -1, sizes = [32, 32]}
    %s = silu %g
    %y = mul %u, %s
    return %y
  })";
  CHECK(matches(fusion, graph) == 1);
  CHECK(matches(fusion, with(graph, "silu %g", "silu %u")) == 0);  // mul(%u, silu(%u)) leaves %g unused

  const std::string quantised = R"(fusion silu_mul_quant {
  types T in {bf16, f16}  dims H
  match {
    in %x: T[.., 2 * H], %scale: f32[]
    %g, %u = split(%x) {axis = -1, sizes = [H, H]}
    %s = silu(%g)
    %p = mul(%s, %u)
    %f = cast(%p) {dtype = f32}
    %d = div(%f, %scale)
    %y = cast(%d) {dtype = $to}
  }
  where $to in {f8e4m3, f8e4m3fnuz}
  rewrite { %a = e_silu_mul_quant(%x, %scale) {dtype = $to}  %y = %a } })";
  const std::string quantised_graph =
      with(with(graph, "%x: bf16[T, 64]", "%x: bf16[T, 64], %scale: f32[]"), "return %y",
           "%f = cast %y {dtype = f32}\n%d = div %f, %scale\n"
           "%z = cast %d {dtype = f8e4m3fnuz}\nreturn %z");
  CHECK(matches(quantised, quantised_graph) == 1);
  CHECK(matches(quantised, with(quantised_graph, "dtype = f8e4m3fnuz", "dtype = i8")) == 0);
}

TEST_CASE("the RMSNorm of eight ops", "[expressiveness]") {
  const std::string fusion = R"(fusion raise_rms_norm {
  types T in {bf16, f16}  dims H
  match {
    in %x: T[.., H], %w: T[H]
    %f = cast(%x) {dtype = f32}
    either { keep %two = full() {shape = [], value = 2.0, dtype = f32}  %sq = pow(%f, %two) }
    or { %sq = square(%f) } or { %sq = mul(%f, %f) }
    %m = mean(%sq) {axes = [-1], keepdims = true}
    keep %e = full() {shape = [], value = $eps, dtype = f32}
    %v = add(%m, %e)
    %r = rsqrt(%v)
    %n = mul(%f, %r)
    %b = cast(%n) {dtype = any} : T
    %y = mul(%w, %b)
  }
  rewrite {
    %o = rms_norm(%x, %w) {eps = $eps, round_before_weight = true}
    %y = %o } })";
  const std::string graph = R"(graph @g(%x: bf16[T, 64], %w: bf16[64]) {
    %two = full {shape = [], value = 2.0, dtype = f32}
    %e = full {shape = [], value = 1e-06, dtype = f32}
    %f = cast %x {dtype = f32}
    %sq = pow %f, %two
    %m = mean %sq {axes = [-1], keepdims = true}
    %v = add %e, %m
    %r = rsqrt %v
    %n = mul %f, %r
    %b = cast %n {dtype = bf16}
    %y = mul %w, %b
    return %y
  })";
  CHECK(matches(fusion, graph) == 1);
  CHECK(matches(fusion, with(graph, "pow %f, %two", "mul %f, %f")) == 1);
  CHECK(matches(fusion, with(graph, "value = 2.0", "value = 3.0")) == 0);
  CHECK(matches(fusion, with(graph, "axes = [-1]", "axes = [0]")) == 0);
}

TEST_CASE("rope, spelt out", "[expressiveness]") {
  const std::string fusion = R"(fusion raise_rope {
  types T in {bf16, f16, f32}  dims D
  match {
    in %x: T[.., 2 * D], %cos: T[.., D], %sin: T[.., D]
    keep %cc = concat(%cos, %cos) {axis = -1}
    keep %ss = concat(%sin, %sin) {axis = -1}
    %a = slice(%x) {axis = -1, start = 0, end = D}
    %b = slice(%x) {axis = -1, start = D, end = 2 * D}
    %nb = neg(%b)
    %turned = concat(%nb, %a) {axis = -1}
    %xc = mul(%x, %cc)
    %xs = mul(%turned, %ss)
    %y = add(%xc, %xs)
  }
  rewrite { %o = e_rope(%x, %cos, %sin)  %y = %o } })";
  const std::string graph = R"(graph @g(%x: f32[T, 64], %cos: f32[T, 32], %sin: f32[T, 32]) {
    %cc = concat %cos, %cos {axis = -1}
    %ss = concat %sin, %sin {axis = -1}
    %xc = mul %x, %cc
    %a = slice %x {axis = -1, start = 0, end = 32}
    %b = slice %x {axis = -1, start = 32, end = 64}
    %nb = neg %b
    %turned = concat %nb, %a {axis = -1}
    %xs = mul %turned, %ss
    %y = add %xc, %xs
    return %y
  })";
  CHECK(matches(fusion, graph) == 1);
  CHECK(matches(fusion, with(graph, "neg %b", "neg %a")) == 0);
  CHECK(matches(fusion, with(graph, "concat %nb, %a", "concat %a, %nb")) == 0);  // turned the other way
}

TEST_CASE("two linears of one input become one", "[expressiveness]") {
  const std::string fusion = R"(fusion merge_linears {
  types T  dims K, M, N
  match {
    in %x: T[.., K], %w: T[M, K], %v: T[N, K]
    %a = linear(%x, %w)
    %b = linear(%x, %v)
  }
  where weight(%w), weight(%v), not same_value(%w, %v)
  rewrite {
    %both = concat(%w, %v) {axis = 0}
    %y = linear(%x, %both)
    %first, %second = split(%y) {axis = -1, sizes = [M, N]}
    %a = %first  %b = %second } })";
  const std::string graph = R"(graph @g(%x: bf16[T, 64], %z: bf16[T, 64], %w: bf16[32, 64] = weight,
                                        %v: bf16[16, 64] = weight) {
    %a = linear %x, %w
    %b = linear %x, %v
    return %a, %b
  })";
  CHECK(matches(fusion, graph) == 1);
  CHECK(matches(fusion, with(graph, "linear %x, %v", "linear %z, %v")) == 0);  // of two inputs
}

TEST_CASE("norms of query and key, then rope", "[expressiveness]") {
  const std::string fusion = R"(fusion qk_norm_rope {
  types T in {bf16, f16}  dims D
  match {
    in %q: T[.., D], %k: T[.., D], %qw: T[D], %kw: T[D]
    %qn = rms_norm(%q, %qw) {eps = $eps}
    %kn = rms_norm(%k, %kw) {eps = $eps}
    %qr = rope(%qn, %cos, %sin)
    %kr = rope(%kn, %cos, %sin)
  }
  where not same_value(%q, %k)
  rewrite {
    %a, %b = e_qk_norm_rope(%q, %k, %qw, %kw, %cos, %sin) {eps = $eps}
    %qr = %a  %kr = %b } })";
  const std::string graph = R"(graph @g(%q: bf16[T, 64], %k: bf16[T, 64], %qw: bf16[64], %kw: bf16[64],
                                        %cos: bf16[T, 32], %sin: bf16[T, 32]) {
    %qn = rms_norm %q, %qw {eps = 1e-06}
    %kn = rms_norm %k, %kw {eps = 1e-06}
    %qr = rope %qn, %cos, %sin
    %kr = rope %kn, %cos, %sin
    return %qr, %kr
  })";
  CHECK(matches(fusion, graph) == 1);
  CHECK(matches(fusion, with(graph, "rope %kn, %cos, %sin", "rope %kn, %cos, %sin {interleaved = true}")) == 0);
  CHECK(matches(fusion, with(graph, "%kw {eps = 1e-06}", "%kw {eps = 1e-05}")) == 0);
}
