// Raising of rope and attention, which round otherwise than what they replace: under relaxed numerics alone.

#include "tests/passes/normalize/normalize_test_support.h"

using namespace tandem;
using namespace tandem::test;

namespace {

PassConfig relaxed() {
  PassConfig config;
  config.numerics = Numerics::relaxed;
  return config;
}

/// As transformers writes the rotation of DeepSeek-V3: even and odd elements, joined as halves.
const std::string interleaved = R"(graph @g(%x: f32[1, 2, 5, 8], %cos: f32[1, 1, 5, 4], %sin: f32[1, 1, 5, 4]) {
  %x1 = slice %x {axis = 3, start = 0, end = 8, step = 2}
  %x2 = slice %x {axis = 3, start = 1, end = 8, step = 2}
  %a = mul %x1, %cos
  %b = mul %x2, %sin
  %y1 = sub %a, %b
  %c = mul %x2, %cos
  %d = mul %x1, %sin
  %y2 = add %c, %d
  %y = concat %y1, %y2 {axis = 3}
  return %y
})";

/// rotate_half, with angles computed in the graph. `%cos` and `%sin` are what is made of them.
std::string rotate_half(const std::string& angles, const std::string& dtype = "f32") {
  return "graph @g(%x: " + dtype + "[1, 2, 5, 8], %f: f32[1, 5, 4], %g: f32[1, 5, 4]) {\n" + angles + R"(
  %x1, %x2 = split %x {axis = -1, sizes = [4, 4]}
  %m = neg %x2
  %h = concat %m, %x1 {axis = -1}
  %a = mul %x, %cos
  %b = mul %h, %sin
  %y = add %a, %b
  return %y
})";
}

const std::string plain_angles = R"(
  %both = concat %f, %f {axis = 2}
  %c0 = cos %both
  %s0 = sin %both
  %cos = reshape %c0 {shape = [1, 1, 5, 8]}
  %sin = reshape %s0 {shape = [1, 1, 5, 8]}
)";

std::string attention(const std::string& mask, const std::string& softmax, const std::string& result = "%y") {
  return R"(graph @g(%q: f32[1, 2, 3, 4], %k: f32[1, 2, 5, 4], %v: f32[1, 2, 5, 6], %mask: f32[1, 1, 3, 5]) {
  %kt = transpose %k {perm = [0, 1, 3, 2]}
  %p = matmul %q, %kt
  %f = full {shape = [], value = 0.5, dtype = f32}
  %s = mul %p, %f
)" + mask +
         softmax + "%y = matmul %w, %v\nreturn " + result + " }";
}

}  // namespace

TEST_CASE("exact numerics raise neither rope nor attention", "[raise]") {
  for (const std::string& text :
       {interleaved, rotate_half(plain_angles), attention("%t = add %s, %mask\n", "%w = softmax %t {axis = -1}\n")}) {
    const std::string after = raised(text);
    CHECK(count(after, " = rope") + count(after, " = attention") == 0);
  }
}

TEST_CASE("two halves, rotated and joined, are rope", "[raise]") {
  const std::string after = raised(interleaved, relaxed());
  CHECK(count(after, " = rope") == 1);
  CHECK(count(after, " = mul") == 0);
  CHECK(numeric_difference(interleaved, after) == "");
}

TEST_CASE("rotate_half is rope where both halves of the angles are one tensor", "[raise]") {
  const std::string scaled = R"(
    %both = concat %f, %f {axis = 2}
    %c0 = cos %both
    %s0 = sin %both
    %k = full {shape = [], value = 0.75, dtype = f32}
    %c1 = mul %c0, %k
    %s1 = mul %s0, %k
    %cos = reshape %c1 {shape = [1, 1, 5, 8]}
    %sin = reshape %s1 {shape = [1, 1, 5, 8]}
  )";
  for (const std::string& angles : {plain_angles, scaled}) {
    const std::string before = rotate_half(angles), after = raised(before, relaxed());
    INFO(after);
    CHECK(count(after, " = rope") == 1);
    CHECK(numeric_difference(before, after) == "");
  }
  const std::string cast = R"(
    %both = concat %f, %f {axis = 2}
    %c0 = cos %both
    %s0 = sin %both
    %c1 = cast %c0 {dtype = bf16}
    %s1 = cast %s0 {dtype = bf16}
    %cos = reshape %c1 {shape = [1, 1, 5, 8]}
    %sin = reshape %s1 {shape = [1, 1, 5, 8]}
  )";
  CHECK(count(raised(rotate_half(cast, "bf16"), relaxed()), " = rope") == 1);
}

TEST_CASE("what is nearly a rotation is not raised", "[raise]") {
  const auto with = [](std::string text, std::string_view what, std::string_view by) {
    const std::size_t at = text.find(what);
    REQUIRE(at != std::string::npos);
    return text.replace(at, what.size(), by);
  };
  const std::string cases[] = {
      // The halves of the angles are different tensors.
      with(rotate_half(plain_angles), "concat %f, %f", "concat %f, %g"),
      // The other half is turned.
      with(with(rotate_half(plain_angles), "neg %x2", "neg %x1"), "concat %m, %x1", "concat %m, %x2"),
      // cos and sin are of different angles.
      with(rotate_half("%other = concat %g, %g {axis = 2}" + plain_angles), "sin %both", "sin %other"),
      // Plus where a minus belongs.
      with(interleaved, "sub %a, %b", "add %a, %b"),
      // One product of the wrong half.
      with(interleaved, "mul %x2, %cos", "mul %x1, %cos"),
      // Joined the other way round.
      with(interleaved, "concat %y1, %y2", "concat %y2, %y1"),
      // Joined along another axis.
      with(interleaved, "concat %y1, %y2 {axis = 3}", "concat %y1, %y2 {axis = 2}"),
  };
  for (const std::string& text : cases) {
    INFO(text);
    CHECK(count(raised(text, relaxed()), " = rope") == 0);
  }
}

TEST_CASE("softmax between two products is attention", "[raise]") {
  const std::string wide =
      "%t32 = cast %t {dtype = f32}\n%w32 = softmax %t32 {axis = 3}\n%w = cast %w32 {dtype = f32}\n";
  const std::string spellings[] = {
      attention("%t = add %s, %mask\n", "%w = softmax %t {axis = -1}\n"),
      attention("%t = add %mask, %s\n", "%w = softmax %t {axis = 3}\n"),
      attention("%t = add %s, %mask\n", wide),
  };
  for (const std::string& text : spellings) {
    const std::string after = raised(text, relaxed());
    INFO(after);
    CHECK(count(after, "%y = attention %q, %k, %v, %mask {scale = 0.5}") == 1);
    CHECK(numeric_difference(text, after, 32) == "");
  }
  const std::string unmasked = attention("", "%w = softmax %s {axis = -1}\n");
  CHECK(count(raised(unmasked, relaxed()), "%y = attention %q, %k, %v {scale = 0.5}") == 1);
}

TEST_CASE("what is nearly attention is not raised", "[raise]") {
  // The probabilities are returned, too.
  CHECK(count(raised(attention("%t = add %s, %mask\n", "%w = softmax %t {axis = -1}\n", "%y, %w"), relaxed()),
              " = attention") == 0);
  // A softmax along the queries.
  CHECK(count(raised(attention("%t = add %s, %mask\n", "%w = softmax %t {axis = 2}\n"), relaxed()), " = attention") ==
        0);
  // A product in place of a mask.
  CHECK(count(raised(attention("%t = mul %s, %mask\n", "%w = softmax %t {axis = -1}\n"), relaxed()), " = attention") ==
        0);
}
