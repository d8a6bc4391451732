// The shipped fusion: what it takes, in every spelling.
#include "tests/passes/pattern/mla_fusion.h"

using namespace tandem;
using namespace tandem::test;

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
