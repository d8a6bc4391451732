// The shipped fusion: what it takes, in every spelling, and what it must refuse.
//
// Each of the mistakes that other systems shipped is a test here, with the report that it comes from.

#include "tests/support/catch.h"

#include <algorithm>
#include <string>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/text.h>
#include <tandem/ir/verifier.h>
#include <tandem/passes/fusion/fusions.h>
#include <tandem/passes/pattern/engine.h>
#include <tandem/passes/pattern/fusion_set.h>
#include <tandem/passes/pipeline.h>

using namespace tandem;

namespace {

struct Outcome {
  std::size_t matches;
  std::string refusal;
  std::string text;
};

/// The engine alone, no normalisation first.
Outcome fuse(const std::string& text) {
  const auto context = Context::create();
  std::vector<Pattern> only = shipped_fusions();
  std::erase_if(only, [](const Pattern& p) { return p.name != "mla_dual_rms_norm"; });
  const FusionSet fusions(context, std::move(only));
  Graph graph = parse_text(context, text);
  const auto fusion = std::find_if(fusions.patterns().begin(), fusions.patterns().end(),
                                   [](const Pattern& p) { return p.name == "mla_dual_rms_norm"; });
  const auto index = static_cast<std::uint32_t>(fusion - fusions.patterns().begin());
  const ActivePattern active[] = {{.pattern = index}};
  const EngineResult result = run_patterns(fusions.compiled(), graph, active);
  verify_or_throw(graph);
  const FusionStatistics& s = result.fusions[index];
  CHECK(result.changed == (s.matches != 0));
  return {s.matches, s.refusals.empty() ? "" : s.refusals.begin()->first, to_text(graph)};
}

/// The whole O1 pipeline for gfx942.
std::int64_t fused_at_o1(const std::string& text) {
  const auto context = Context::create();
  const FusionSet fusions = FusionSet::shipped(context);
  Graph graph = parse_text(context, text);
  PipelineOptions options;
  options.fusions = &fusions;
  const DecisionReport report = run_pipeline(graph, PassConfig{}, parse_target("rocm:gfx942"), options);
  verify_or_throw(graph);
  return report.matches("mla_dual_rms_norm");
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

const char* const inputs = "(%p: bf16[T, 2112], %q_w: bf16[1536], %kv_w: bf16[512])";

std::string graph_of(const std::string& body) {
  return std::string("graph @g") + inputs + " {\n" + body + "}\n";
}

}  // namespace

TEST_CASE("two nested splits, as vLLM writes them", "[mla]") {
  const Outcome o = fuse(graph_of(R"(
    %q, %kv = split %p {axis = -1, sizes = [1536, 576]}
    %c, %pe = split %kv {axis = -1, sizes = [512, 64]}
    %qn = rms_norm %q, %q_w {eps = 1e-06}
    %cn = rms_norm %c, %kv_w {eps = 1e-06}
    return %qn, %cn, %pe
  )"));
  CHECK(o.matches == 1);
  CHECK(has(o.text, "%qn, %cn = fused_mla_dual_rms_norm %q, %q_w, %c, %kv_w {eps_q = 1e-06, eps_kv = 1e-06}"));
  CHECK(has(o.text, "return %qn, %cn, %pe"));
}

TEST_CASE("one three-way split", "[mla]") {
  CHECK(fuse(graph_of(R"(
    %q, %c, %pe = split %p {axis = -1, sizes = [1536, 512, 64]}
    %qn = rms_norm %q, %q_w {eps = 1e-06}
    %cn = rms_norm %c, %kv_w {eps = 1e-06}
    return %qn, %cn, %pe
  )"))
            .matches == 1);
}

TEST_CASE("slices", "[mla]") {
  CHECK(fuse(graph_of(R"(
    %q = slice %p {axis = -1, start = 0, end = 1536}
    %c = slice %p {axis = -1, start = 1536, end = 2048}
    %qn = rms_norm %q, %q_w {eps = 1e-06}
    %cn = rms_norm %c, %kv_w {eps = 1e-06}
    return %qn, %cn
  )"))
            .matches == 1);
}

TEST_CASE("the spellings agree, with a rest behind the two latents and without", "[mla]") {
  const auto graph = [](const std::string& width, const std::string& cut) {
    return "graph @g(%p: bf16[T, " + width + "], %q_w: bf16[512], %kv_w: bf16[512]) {\n" + cut +
           "%qn = rms_norm %q, %q_w {eps = 1e-06}\n%cn = rms_norm %c, %kv_w {eps = 1e-06}\nreturn %qn, %cn }\n";
  };
  struct Spelling {
    const char* name;
    const char* cut;
  };
  const Spelling with_rest[] = {
      {"flat", "%q, %c, %pe = split %p {axis = -1, sizes = [512, 512, 64]}\n"},
      {"nested",
       "%q, %kv = split %p {axis = -1, sizes = [512, 576]}\n"
       "%c, %pe = split %kv {axis = -1, sizes = [512, 64]}\n"},
      {"slices",
       "%q = slice %p {axis = -1, start = 0, end = 512}\n"
       "%c = slice %p {axis = -1, start = 512, end = 1024}\n"},
  };
  const Spelling without[] = {
      // a packed projection of two parts of one size
      {"flat", "%q, %c = split %p {axis = -1, sizes = [512, 512]}\n"},
      {"nested",
       "%q, %kv = split %p {axis = -1, sizes = [512, 512]}\n"
       "%c, %pe = split %kv {axis = -1, sizes = [512, 0]}\n"},
      {"slices",
       "%q = slice %p {axis = -1, start = 0, end = 512}\n"
       "%c = slice %p {axis = -1, start = 512, end = 1024}\n"},
  };
  for (const Spelling& s : with_rest) {
    INFO(s.name);
    CHECK(fuse(graph("1088", s.cut)).matches == 1);
    CHECK(fused_at_o1(graph("1088", s.cut)) == 1);
  }
  for (const Spelling& s : without) {
    INFO(s.name << ", no rest");
    CHECK(fuse(graph("1024", s.cut)).matches == 1);
    CHECK(fused_at_o1(graph("1024", s.cut)) == 1);
  }
  // The parts are the first two in each spelling: what stands in front of them is no part of the pair.
  CHECK(fuse(graph("1088", "%pe, %q, %c = split %p {axis = -1, sizes = [64, 512, 512]}\n")).matches == 0);
  CHECK(fuse(graph("1088",
                   "%q = slice %p {axis = -1, start = 64, end = 576}\n"
                   "%c = slice %p {axis = -1, start = 576, end = 1088}\n"))
            .matches == 0);
}

TEST_CASE("axis 1 of a matrix is axis -1", "[mla]") {
  CHECK(fuse(graph_of(R"(
    %q, %kv = split %p {axis = 1, sizes = [1536, 576]}
    %c, %pe = split %kv {axis = -1, sizes = [512, 64]}
    %qn = rms_norm %q, %q_w {eps = 1e-06}
    %cn = rms_norm %c, %kv_w {eps = 1e-06}
    return %qn, %cn, %pe
  )"))
            .matches == 1);
}

TEST_CASE("the two epsilons are captured and may differ", "[mla]") {
  const Outcome o = fuse(graph_of(R"(
    %q, %c, %pe = split %p {axis = -1, sizes = [1536, 512, 64]}
    %qn = rms_norm %q, %q_w {eps = 1e-08}
    %cn = rms_norm %c, %kv_w {eps = 0.00012345}
    return %qn, %cn
  )"));
  CHECK(o.matches == 1);
  CHECK(has(o.text, "eps_q = 1e-08, eps_kv = 0.00012345"));
}

TEST_CASE("other users of the split results are legal", "[mla]") {
  const Outcome o = fuse(graph_of(R"(
    %q, %kv = split %p {axis = -1, sizes = [1536, 576]}
    %c, %pe = split %kv {axis = -1, sizes = [512, 64]}
    %also = relu %q
    %whole = relu %kv
    %qn = rms_norm %q, %q_w {eps = 1e-06}
    %cn = rms_norm %c, %kv_w {eps = 1e-06}
    %twice = add %qn, %qn
    return %qn, %cn, %pe, %also, %whole, %c, %twice
  )"));
  CHECK(o.matches == 1);
  CHECK(has(o.text, "%also = relu %q"));
  CHECK(has(o.text, "%whole = relu %kv"));
  CHECK(has(o.text, "%twice = add %qn, %qn"));
}

TEST_CASE("every dtype of the kernel", "[mla]") {
  for (const std::string dtype : {"bf16", "f16", "f32"}) {
    const std::string t = "graph @g(%p: " + dtype + "[T, 28], %q_w: " + dtype + "[16], %kv_w: " + dtype + R"([8]) {
      %q, %c, %pe = split %p {axis = -1, sizes = [16, 8, 4]}
      %qn = rms_norm %q, %q_w {eps = 1e-06}
      %cn = rms_norm %c, %kv_w {eps = 1e-06}
      return %qn, %cn
    })";
    INFO(dtype);
    CHECK(fuse(t).matches == 1);
  }
}

TEST_CASE("odd dims, leading dims and symbolic sizes", "[mla]") {
  CHECK(fuse(R"(graph @g(%p: f16[B, S, 15], %q_w: f16[7], %kv_w: f16[5]) {
      %q, %c, %pe = split %p {axis = 2, sizes = [7, 5, 3]}
      %qn = rms_norm %q, %q_w {eps = 1e-06}
      %cn = rms_norm %c, %kv_w {eps = 1e-06}
      return %qn, %cn
    })")
            .matches == 1);
  CHECK(fuse(R"(graph @g(%p: f16[T, Q + C + 64], %q_w: f16[Q], %kv_w: f16[C]) {
      %q, %kv = split %p {axis = -1, sizes = [Q, C + 64]}
      %c, %pe = split %kv {axis = -1, sizes = [C, 64]}
      %qn = rms_norm %q, %q_w {eps = 1e-06}
      %cn = rms_norm %c, %kv_w {eps = 1e-06}
      return %qn, %cn
    })")
            .matches == 1);
}

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

TEST_CASE("scopes: the fused node keeps what its two norms have in common", "[mla]") {
  const Outcome o = fuse(graph_of(R"(
    %q, %c, %pe = split %p {axis = -1, sizes = [1536, 512, 64]}
    %qn = rms_norm %q, %q_w {eps = 1e-06} @ "layers.3.self_attn.q_a_layernorm"
    %cn = rms_norm %c, %kv_w {eps = 1e-06} @ "layers.3.self_attn.kv_a_layernorm"
    return %qn, %cn
  )"));
  CHECK(o.matches == 1);
  CHECK(has(o.text, "@ \"layers.3.self_attn\""));
}

// --- two projections of one input ------------------------------------------------------------------------------------

namespace {

/// A layer as Hugging Face has it, with what stands between the projections and the norms, and behind the q norm.
std::string projected(const std::string& body, const std::string& more_inputs = "") {
  return "graph @g(%h: bf16[T, 7168], %q_a: bf16[1536, 7168] = weight, %kv_a: bf16[576, 7168] = weight, "
         "%q_w: bf16[1536] = weight, %kv_w: bf16[512] = weight" +
         more_inputs + ") {\n" + body + "}\n";
}

const std::string two_norms = R"(
    %qn = rms_norm %q, %q_w {eps = 1e-06}
    %cn = rms_norm %c, %kv_w {eps = 1e-06}
    return %qn, %cn
)";

}  // namespace

TEST_CASE("two projections of one input, as Hugging Face has them", "[mla]") {
  const std::string cuts[] = {
      "%c, %pe = split %kv {axis = -1, sizes = [512, 64]}\n",
      "%c = slice %kv {axis = 1, start = 0, end = 512}\n",
  };
  for (const std::string& cut : cuts) {
    const Outcome o = fuse(projected("%q = linear %h, %q_a\n%kv = linear %h, %kv_a\n" + cut + two_norms));
    CHECK(o.matches == 1);
    CHECK(has(o.text, "fused_mla_dual_rms_norm %q, %q_w, %c, %kv_w"));
  }
}

TEST_CASE("two projections: biases, either order, the q projection packed with others", "[mla]") {
  CHECK(fuse(projected("%kv = linear %h, %kv_a, %kv_b\n%q = linear %h, %q_a, %q_b\n"
                       "%c, %pe = split %kv {axis = -1, sizes = [512, 64]}\n" +
                           two_norms,
                       ", %q_b: bf16[1536] = weight, %kv_b: bf16[576] = weight"))
            .matches == 1);
  CHECK(fuse(projected("%p = linear %h, %packed\n%q, %k = split %p {axis = -1, sizes = [1536, 128]}\n"
                       "%kv = linear %h, %kv_a\n%c, %pe = split %kv {axis = -1, sizes = [512, 64]}\n" +
                           two_norms,
                       ", %packed: bf16[1664, 7168] = weight"))
            .matches == 1);
}

TEST_CASE("two projections: other users of the latents, and an indexer on the same input, change nothing", "[mla]") {
  CHECK(fuse(projected("%k = linear %h, %index_k\n%q = linear %h, %q_a\n%w = linear %h, %index_w\n"
                       "%kv = linear %h, %kv_a\n%c, %pe = split %kv {axis = -1, sizes = [512, 64]}\n"
                       "%qn = rms_norm %q, %q_w {eps = 1e-06}\n%cn = rms_norm %c, %kv_w {eps = 1e-06}\n"
                       "%again = relu %q\nreturn %qn, %cn, %pe, %k, %w, %again\n",
                       ", %index_k: bf16[128, 7168] = weight, %index_w: bf16[64, 7168] = weight"))
            .matches == 1);
}

TEST_CASE("two projections of two inputs are no pair", "[mla]") {
  CHECK(fuse(projected("%g = relu %h\n%q = linear %h, %q_a\n%kv = linear %g, %kv_a\n"
                       "%c, %pe = split %kv {axis = -1, sizes = [512, 64]}\n" +
                       two_norms))
            .matches == 0);
}

TEST_CASE("no q_lora_rank: a q projection without a norm is no pair", "[mla]") {
  CHECK(fused_at_o1(projected("%q = linear %h, %q_a\n%kv = linear %h, %kv_a\n"
                              "%c, %pe = split %kv {axis = -1, sizes = [512, 64]}\n"
                              "%cn = rms_norm %c, %kv_w {eps = 1e-06}\nreturn %q, %cn, %pe\n")) == 0);
}

TEST_CASE("query and key norms are no pair", "[mla]") {
  // OLMo 2: of whole projections. With fewer key heads than query heads, so that `merge_linears` merges keys and
  // values.
  CHECK(fused_at_o1(R"(graph @g(%h: bf16[T, 2048], %wq: bf16[2048, 2048] = weight, %wk: bf16[512, 2048] = weight,
                                %wv: bf16[512, 2048] = weight, %qw: bf16[2048] = weight, %kw: bf16[512] = weight) {
      %q = linear %h, %wq
      %k = linear %h, %wk
      %v = linear %h, %wv
      %qn = rms_norm %q, %qw {eps = 1e-06}
      %kn = rms_norm %k, %kw {eps = 1e-06}
      return %qn, %kn, %v
    })") == 0);
  // Qwen 3: of heads.
  CHECK(fused_at_o1(R"(graph @g(%h: bf16[T, 2048], %wq: bf16[2048, 2048] = weight, %wk: bf16[512, 2048] = weight,
                                %qw: bf16[128] = weight, %kw: bf16[128] = weight) {
      %q = linear %h, %wq
      %k = linear %h, %wk
      %qh = reshape %q {shape = [T, 16, 128]}
      %kh = reshape %k {shape = [T, 4, 128]}
      %qn = rms_norm %qh, %qw {eps = 1e-06}
      %kn = rms_norm %kh, %kw {eps = 1e-06}
      return %qn, %kn
    })") == 0);
  // A packed projection, whose normalised queries become heads at once.
  CHECK(fused_at_o1(R"(graph @g(%p: bf16[T, 3072], %qw: bf16[2048] = weight, %kw: bf16[512] = weight) {
      %q, %k, %v = split %p {axis = -1, sizes = [2048, 512, 512]}
      %qn = rms_norm %q, %qw {eps = 1e-06}
      %kn = rms_norm %k, %kw {eps = 1e-06}
      %heads = reshape %qn {shape = [T, 16, 128]}
      %y = transpose %heads {perm = [1, 0, 2]}
      return %y, %kn, %v
    })") == 0);
}

TEST_CASE("layers are not mixed up", "[mla]") {
  std::string body;
  for (const std::string l : {"1", "2", "3"}) {
    body += "%q" + l + " = linear %h" + l + ", %q_a\n%kv" + l + " = linear %h" + l + ", %kv_a\n%c" + l + ", %pe" + l +
            " = split %kv" + l + " {axis = -1, sizes = [512, 64]}\n%qn" + l + " = rms_norm %q" + l +
            ", %q_w {eps = 1e-06}\n%cn" + l + " = rms_norm %c" + l + ", %kv_w {eps = 1e-06}\n";
  }
  const Outcome o = fuse(
      "graph @g(%h1: bf16[T, 7168], %h2: bf16[T, 7168], %h3: bf16[T, 7168], "
      "%q_a: bf16[1536, 7168] = weight, %kv_a: bf16[576, 7168] = weight, %q_w: bf16[1536] = weight, "
      "%kv_w: bf16[512] = weight) {\n" +
      body + "return %qn1, %cn1, %qn2, %cn2, %qn3, %cn3 }\n");
  CHECK(o.matches == 3);
  for (const std::string l : {"1", "2", "3"})
    CHECK(has(o.text, "%qn" + l + ", %cn" + l + " = fused_mla_dual_rms_norm %q" + l + ", %q_w, %c" + l + ", %kv_w"));
}
