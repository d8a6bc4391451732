// What the shipped fusion must refuse, or must not lose: each of the mistakes that other systems shipped is a test
// here, with the report that it comes from.
#include "tests/passes/pattern/mla_fusion.h"

using namespace tandem;
using namespace tandem::test;

TEST_CASE("round_before_weight is carried over, never dropped (vLLM #51477)", "[mla]") {
  const Outcome o = fuse(graph_of(R"(
    %q, %c, %pe = split %p {axis = -1, sizes = [1536, 512, 64]}
    %qn = rms_norm %q, %q_w {eps = 1e-06, round_before_weight = true}
    %cn = rms_norm %c, %kv_w {eps = 1e-06, round_before_weight = true}
    return %qn, %cn
  )"));
  CHECK(o.matches == 1);
  CHECK(has(o.text, "round_before_weight = true"));
}

TEST_CASE("norms that round differently stay apart (pytorch #195320, #174049: an unmentioned attribute is not wild)",
          "[mla]") {
  CHECK(fuse(graph_of(R"(
    %q, %c, %pe = split %p {axis = -1, sizes = [1536, 512, 64]}
    %qn = rms_norm %q, %q_w {eps = 1e-06, round_before_weight = true}
    %cn = rms_norm %c, %kv_w {eps = 1e-06}
    return %qn, %cn
  )"))
            .matches == 0);
}

TEST_CASE("the fused node stands after its operands and before its users (pytorch #162019, #184124)", "[mla]") {
  // As model code has it: the q projection between the two norms, before the second split.
  const Outcome o = fuse(R"(graph @g(%p: bf16[T, 2112], %q_w: bf16[1536], %kv_w: bf16[512], %q_b: bf16[64, 1536]) {
      %q, %kv = split %p {axis = -1, sizes = [1536, 576]}
      %qn = rms_norm %q, %q_w {eps = 1e-06}
      %y = linear %qn, %q_b
      %c, %pe = split %kv {axis = -1, sizes = [512, 64]}
      %cn = rms_norm %c, %kv_w {eps = 1e-06}
      return %y, %cn, %pe
    })");
  CHECK(o.matches == 1);  // `verify_or_throw` in `fuse` has checked the order
  CHECK(o.text.find("fused_mla_dual_rms_norm") < o.text.find("linear"));
}

TEST_CASE("a value that would be used before it is defined: refused with the reason", "[mla]") {
  const Outcome o = fuse(R"(graph @g(%p: bf16[T, 2112], %q_w: bf16[1536], %m: bf16[512, 1536]) {
      %q, %c, %pe = split %p {axis = -1, sizes = [1536, 512, 64]}
      %qn = rms_norm %q, %q_w {eps = 1e-06}
      %z = linear %qn, %m
      %kv_w = sum %z {axes = [0]}
      %cn = rms_norm %c, %kv_w {eps = 1e-06}
      return %qn, %cn
    })");
  CHECK(o.matches == 0);
  CHECK(has(o.refusal, "not convex"));
  CHECK(has(o.refusal, "%z"));
}

TEST_CASE("no q_lora_rank, no fusion: one norm alone stays", "[mla]") {
  CHECK(fuse(R"(graph @g(%kv: bf16[T, 576], %kv_w: bf16[512]) {
      %c, %pe = split %kv {axis = -1, sizes = [512, 64]}
      %cn = rms_norm %c, %kv_w {eps = 1e-06}
      return %cn, %pe
    })")
            .matches == 0);
}

TEST_CASE("a split on another axis is another thing (vLLM #57299)", "[mla]") {
  const std::string other_axis = R"(graph @g(%p: bf16[24, 16], %w: bf16[16]) {
      %q, %c, %pe = split %p {axis = 0, sizes = [8, 8, 8]}
      %qn = rms_norm %q, %w {eps = 1e-06}
      %cn = rms_norm %c, %w {eps = 1e-06}
      return %qn, %cn
    })";
  CHECK(fuse(other_axis).matches == 0);
  CHECK(fused_at_o1(other_axis) == 0);
}

TEST_CASE("mixed dtypes are refused: f32 weights with bf16 activations (vLLM #48324)", "[mla]") {
  CHECK(fuse(R"(graph @g(%p: bf16[T, 2112], %q_w: f32[1536], %kv_w: f32[512]) {
      %q, %c, %pe = split %p {axis = -1, sizes = [1536, 512, 64]}
      %qn = rms_norm %q, %q_w {eps = 1e-06}
      %cn = rms_norm %c, %kv_w {eps = 1e-06}
      return %qn, %cn
    })")
            .matches == 0);
  CHECK(fuse(R"(graph @g(%p: bf16[T, 2112], %q_w: bf16[1536], %kv_w: f32[512]) {
      %q, %c, %pe = split %p {axis = -1, sizes = [1536, 512, 64]}
      %qn = rms_norm %q, %q_w {eps = 1e-06}
      %cn = rms_norm %c, %kv_w {eps = 1e-06}
      return %qn, %cn
    })")
            .matches == 0);
}

TEST_CASE("a (1 + w) norm fuses with the sum as its weight, or not at all", "[mla]") {
  // The weight that the norm reads is the sum: the fused node must read it too.
  const Outcome o = fuse(graph_of(R"(
    %one = full {shape = [], value = 1.0, dtype = bf16}
    %q_w1 = add %one, %q_w
    %q, %c, %pe = split %p {axis = -1, sizes = [1536, 512, 64]}
    %qn = rms_norm %q, %q_w1 {eps = 1e-06}
    %cn = rms_norm %c, %kv_w {eps = 1e-06}
    return %qn, %cn
  )"));
  CHECK((o.matches == 0 || has(o.text, "fused_mla_dual_rms_norm %q, %q_w1,")));
}

TEST_CASE("one name, one value: the parts must come from one split (MIGraphX's layernorm took a - mean(b))", "[mla]") {
  CHECK(fuse(R"(graph @g(%a: bf16[T, 2112], %b: bf16[T, 2112], %q_w: bf16[1536], %kv_w: bf16[512]) {
      %q, %c0, %pe0 = split %a {axis = -1, sizes = [1536, 512, 64]}
      %q1, %c, %pe = split %b {axis = -1, sizes = [1536, 512, 64]}
      %qn = rms_norm %q, %q_w {eps = 1e-06}
      %cn = rms_norm %c, %kv_w {eps = 1e-06}
      return %qn, %cn
    })")
            .matches == 0);
}

TEST_CASE("a norm without a weight is not the pattern", "[mla]") {
  CHECK(fuse(graph_of(R"(
    %q, %c, %pe = split %p {axis = -1, sizes = [1536, 512, 64]}
    %qn = rms_norm %q {eps = 1e-06}
    %cn = rms_norm %c, %kv_w {eps = 1e-06}
    return %qn, %cn
  )"))
            .matches == 0);
}

TEST_CASE("duplicate splits of one value do not hide the pattern (vLLM #33967)", "[mla]") {
  const std::string duplicated = graph_of(R"(
    %q, %kv0 = split %p {axis = -1, sizes = [1536, 576]}
    %q0, %kv = split %p {axis = -1, sizes = [1536, 576]}
    %c, %pe = split %kv {axis = -1, sizes = [512, 64]}
    %qn = rms_norm %q, %q_w {eps = 1e-06}
    %cn = rms_norm %c, %kv_w {eps = 1e-06}
    return %qn, %cn, %pe
  )");
  CHECK(fused_at_o1(duplicated) == 1);
}

TEST_CASE("mixed spellings reach one form at O1", "[mla]") {
  CHECK(fused_at_o1(graph_of(R"(
    %q = slice %p {axis = -1, start = 0, end = 1536}
    %kv = slice %p {axis = 1, start = 1536, end = 2112}
    %c, %pe = split %kv {axis = -1, sizes = [512, 64]}
    %qn = rms_norm %q, %q_w {eps = 1e-06}
    %cn = rms_norm %c, %kv_w {eps = 1e-06}
    return %qn, %cn, %pe
  )")) == 1);
}

TEST_CASE("two compilations in one process share nothing (vLLM #41534)", "[mla]") {
  const std::string text = graph_of(R"(
    %q, %c, %pe = split %p {axis = -1, sizes = [1536, 512, 64]}
    %qn = rms_norm %q, %q_w {eps = 1e-06}
    %cn = rms_norm %c, %kv_w {eps = 1e-06}
    return %qn, %cn
  )");
  const Outcome first = fuse(text), second = fuse(text);
  CHECK(first.matches == 1);
  CHECK(second.matches == 1);
  CHECK(first.text == second.text);
}

TEST_CASE("three norms on one split: each is fused at most once", "[mla]") {
  const Outcome o = fuse(graph_of(R"(
    %q, %c, %pe = split %p {axis = -1, sizes = [1536, 512, 64]}
    %qn = rms_norm %q, %q_w {eps = 1e-06}
    %q2 = rms_norm %q, %q_w {eps = 1e-05}
    %cn = rms_norm %c, %kv_w {eps = 1e-06}
    %c2 = rms_norm %c, %kv_w {eps = 1e-05}
    return %qn, %q2, %cn, %c2
  )"));
  CHECK(o.matches == 2);
  CHECK_FALSE(has(o.text, " = rms_norm"));
}
