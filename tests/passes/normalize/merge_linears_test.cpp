// Merging of linears: what is merged, when it pays, and that nothing else changes.

#include "tests/passes/normalize/normalize_test_support.h"

using namespace tandem;
using namespace tandem::test;

namespace {

struct Merged {
  std::string text;
  PassResult result;
};

Merged merge(std::string_view text, const char* target = "rocm:gfx942", Toggle toggle = Toggle::automatic) {
  Graph graph = parse(text);
  PassConfig config;
  config.flags["merge_linears"] = toggle;
  const Capabilities capabilities = parse_target(target);
  PassContext context{config, capabilities};
  Merged merged;
  merged.result = pass::merge_linears(graph, context);
  merged.text = to_text(graph);
  CHECK(to_string(verify(graph)) == "");
  CHECK_FALSE(pass::merge_linears(graph, context).changed);
  return merged;
}

std::string mla(std::string_view body) {
  return "graph @g(%x: bf16[T, 7168], %w_q: bf16[1536, 7168] = weight, %w_kv: bf16[576, 7168] = weight, "
         "%b_q: bf16[1536] = weight, %b_kv: bf16[576] = weight, %up: bf16[16384, 7168] = weight) {\n" +
         std::string(body) + "}";
}

const std::string two = mla("%q = linear %x, %w_q\n%kv = linear %x, %w_kv\nreturn %q, %kv");

}  // namespace

TEST_CASE("two projections of one input become one, and a split", "[merge]") {
  CHECK(first_difference(merge(two).text, to_text(parse(mla(R"(
      %0 = concat %w_q, %w_kv {axis = 0}
      %1 = linear %x, %0
      %q, %kv = split %1 {axis = -1, sizes = [1536, 576]}
      return %q, %kv)")))) == "");
}

TEST_CASE("biases are joined, too; linears with and without one are merged apart", "[merge]") {
  CHECK(first_difference(merge(mla("%q = linear %x, %w_q, %b_q\n%kv = linear %x, %w_kv, %b_kv\nreturn %q, %kv")).text,
                         to_text(parse(mla(R"(
      %0 = concat %w_q, %w_kv {axis = 0}
      %1 = concat %b_q, %b_kv {axis = 0}
      %2 = linear %x, %0, %1
      %q, %kv = split %2 {axis = -1, sizes = [1536, 576]}
      return %q, %kv)")))) == "");
  CHECK_FALSE(merge(mla("%q = linear %x, %w_q, %b_q\n%kv = linear %x, %w_kv\nreturn %q, %kv")).result.changed);
}

TEST_CASE("on a CPU it does not pay, and the report says so; the flag merges all the same", "[merge]") {
  const Merged cpu = merge(two, "cpu");
  CHECK_FALSE(cpu.result.changed);
  REQUIRE(cpu.result.near_misses.size() == 1);
  CHECK(cpu.result.near_misses[0].predicate.find("GPU") != std::string::npos);
  CHECK(merge(two, "cpu", Toggle::on).result.matches == 2);
}

TEST_CASE("only projections that reduce are merged under auto", "[merge]") {
  CHECK_FALSE(merge(mla("%q = linear %x, %w_q\n%u = linear %x, %up\nreturn %q, %u")).result.changed);
  CHECK(merge(mla("%q = linear %x, %w_q\n%u = linear %x, %up\nreturn %q, %u"), "rocm:gfx942", Toggle::on)
            .result.matches == 2);
  // Each is narrower than the input, together they are wider.
  const std::string wide =
      "graph @g(%x: f32[T, 64], %a: f32[40, 64] = weight, %b: f32[40, 64] = weight) {\n"
      "%p = linear %x, %a\n%q = linear %x, %b\nreturn %p, %q }";
  const Merged merged = merge(wide);
  CHECK_FALSE(merged.result.changed);
  REQUIRE(merged.result.near_misses.size() == 1);
  CHECK(merged.result.near_misses[0].predicate == "together they are no wider than their input");
}

TEST_CASE("weights that are computed, or that something else reads, keep their linears", "[merge]") {
  const char* const cases[] = {
      // an input in place of a weight
      "graph @g(%x: f32[T, 64], %a: f32[4, 64], %b: f32[4, 64] = weight) {\n"
      "%p = linear %x, %a\n%q = linear %x, %b\nreturn %p, %q }",
      // a weight with two readers
      "graph @g(%x: f32[T, 64], %a: f32[4, 64] = weight, %b: f32[4, 64] = weight) {\n"
      "%p = linear %x, %a\n%q = linear %x, %b\nreturn %p, %q, %a }",
      // one weight twice
      "graph @g(%x: f32[T, 64], %y: f32[T, 64], %a: f32[4, 64] = weight) {\n"
      "%p = linear %x, %a\n%q = linear %y, %a\nreturn %p, %q }",
      // a symbolic width
      "graph @g(%x: f32[T, 64], %a: f32[N, 64] = weight, %b: f32[4, 64] = weight) {\n"
      "%p = linear %x, %a\n%q = linear %x, %b\nreturn %p, %q }",
  };
  for (const char* text : cases) {
    INFO(text);
    CHECK_FALSE(merge(text).result.changed);
    CHECK_FALSE(merge(text, "rocm:gfx942", Toggle::on).result.changed);
  }
}

TEST_CASE("merging keeps the values and the names of outputs", "[merge]") {
  const std::string text =
      "graph @g(%x: f32[3, 64], %wa: f32[5, 64], %wb: f32[7, 64], %wc: f32[1, 64]) {\n"
      "%a = linear %x, %wa\n%b = linear %x, %wb\n%d = add %b, %b\n%c = linear %x, %wc\nreturn %a, %d, %c }";
  std::string weights = text;
  for (const char* w : {"[5, 64]", "[7, 64]", "[1, 64]"})
    weights.insert(weights.find(w) + std::string_view(w).size(), " = weight");
  std::string merged = merge(weights).text;
  CHECK(count(merged, " = linear") == 1);
  CHECK(count(merged, "return %a, %d, %c") == 1);
  for (std::size_t at = merged.find(" = weight"); at != std::string::npos; at = merged.find(" = weight"))
    merged.erase(at, merged.find_first_of(",)", at) - at);
  CHECK(numeric_difference(text, merged, 64) == "");  // sums of 64 products, in any order
}

TEST_CASE("scopes: the merged projection has what its parts have in common", "[merge]") {
  CHECK(
      count(merge(mla("%q = linear %x, %w_q @ \"layers.0.attn.q_a\"\n%kv = linear %x, %w_kv @ \"layers.0.attn.kv_a\"\n"
                      "return %q, %kv"))
                .text,
            "@ \"layers.0.attn\"") == 3);
}
