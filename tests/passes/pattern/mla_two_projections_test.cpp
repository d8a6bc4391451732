// The shipped fusion where the latents are computed by two projections of one input.
#include "tests/passes/pattern/mla_fusion.h"

using namespace tandem;
using namespace tandem::test;

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
