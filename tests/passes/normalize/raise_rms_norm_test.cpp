// Raising of RMSNorm: every spelling becomes the op, with the rounding that was written; what is nearly a norm stays.

#include "tests/passes/normalize/normalize_test_support.h"

using namespace tandem;
using namespace tandem::test;

namespace {

std::string f32_graph(const std::string& body) {
  return "graph @g(%x: f32[2, 3, 8], %w: f32[8], %z: f32[2, 3, 8], %v: f32[3]) {\n"
         "%eps = full {shape = [], value = 1e-06, dtype = f32}\n" +
         body + "\nreturn %y }";
}

std::string bf16_graph(const std::string& body) {
  return "graph @g(%x: bf16[2, 3, 8], %w: bf16[8], %w32: f32[8]) {\n"
         "%eps = full {shape = [], value = 1e-06, dtype = f32}\n" +
         body + "\nreturn %y }";
}

/// The norm proper as Hugging Face writes it, in f32 of %h.
const std::string proper = R"(
  %s = square %h
  %m = mean %s {axes = [-1], keepdims = true}
  %a = add %m, %eps
  %r = rsqrt %a
  %n = mul %h, %r
)";

std::string with(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

/// "" when the graph is raised to one node with that right side (and what it returns) and computes the same.
std::string not_raised_to(const std::string& before, std::string_view node) {
  const std::string after = raised(before);
  if (count(after, "\n  %") != 1 || count(after, "\n  %y = " + std::string(node) + " :") != 1)
    return after;
  return numeric_difference(before, after);
}

}  // namespace

TEST_CASE("every spelling of the norm proper is raised", "[raise]") {
  const std::string mean = "%s = square %x\n%m = mean %s {axes = [-1], keepdims = true}\n";
  const std::string root = "%a = add %m, %eps\n%r = rsqrt %a\n%y = mul %x, %r";
  const std::string spellings[] = {
      mean + root,
      "%s = mul %x, %x\n%m = mean %s {axes = [-1], keepdims = true}\n" + root,
      "%two = full {shape = [], value = 2.0, dtype = f32}\n%s = pow %x, %two\n"
      "%m = mean %s {axes = [-1], keepdims = true}\n" +
          root,
      "%s = square %x\n%m = mean %s {axes = [2], keepdims = true}\n" + root,
      mean + "%a = add %eps, %m\n%r = rsqrt %a\n%y = mul %r, %x",
      mean + "%a = add %m, %eps\n%q = sqrt %a\n%r = reciprocal %q\n%y = mul %x, %r",
      mean + "%a = add %m, %eps\n%q = sqrt %a\n%y = div %x, %q",
      mean +
          "%one = full {shape = [], value = 1.0, dtype = f32}\n%a = add %m, %eps\n%q = sqrt %a\n"
          "%r = div %one, %q\n%y = mul %x, %r",
      mean + "%h = full {shape = [], value = -0.5, dtype = f32}\n%a = add %m, %eps\n%r = pow %a, %h\n%y = mul %x, %r",
      mean + "%e = full {shape = [1], value = 1e-06, dtype = f32}\n%a = add %m, %e\n%r = rsqrt %a\n%y = mul %x, %r",
      mean +
          "%e = full {shape = [1, 1, 1], value = 1e-06, dtype = f32}\n%a = add %m, %e\n%r = rsqrt %a\n"
          "%y = mul %x, %r",
      "%s = square %x\n%k = mean %s {axes = [-1]}\n%m = reshape %k {shape = [2, 3, 1]}\n" + root,
      "%s = square %x\n%k = mean %s {axes = [2]}\n%b = add %k, %eps\n%a = reshape %b {shape = [2, 3, 1]}\n"
      "%r = rsqrt %a\n%y = mul %x, %r",
      "%s = square %x\n%k = mean %s {axes = [2]}\n%b = add %k, %eps\n%q = rsqrt %b\n%r = reshape %q {shape = [2, 3, "
      "1]}\n"
      "%y = mul %x, %r",
  };
  for (const std::string& body : spellings) {
    INFO(body);
    CHECK(not_raised_to(f32_graph(body), "rms_norm %x {eps = 1e-06}") == "");
  }
}

TEST_CASE("in f32 the weight's product was rounded by itself", "[raise]") {
  const std::string weighted = "rms_norm %x, %w {eps = 1e-06, round_before_weight = true}";
  CHECK(not_raised_to(f32_graph(with(proper, "%h", "%x") + "%y = mul %w, %n"), weighted) == "");
  CHECK(not_raised_to(f32_graph(with(proper, "%h", "%x") + "%y = mul %n, %w"), weighted) == "");
}

TEST_CASE("f64 is normalised in f64", "[raise]") {
  CHECK(not_raised_to(with(f32_graph(with(proper, "%h", "%x") + "%y = mul %w, %n"), "f32", "f64"),
                      "rms_norm %x, %w {eps = 1e-06, round_before_weight = true}") == "");
}

TEST_CASE("Hugging Face: the cast comes before the weight", "[raise]") {
  const std::string body = "%h = cast %x {dtype = f32}\n" + proper + "%c = cast %n {dtype = bf16}\n%y = mul %w, %c";
  CHECK(not_raised_to(bf16_graph(body), "rms_norm %x, %w {eps = 1e-06, round_before_weight = true}") == "");
  CHECK(not_raised_to(with(bf16_graph(body), "bf16", "f16"),
                      "rms_norm %x, %w {eps = 1e-06, round_before_weight = true}") == "");
}

TEST_CASE("torch.nn.RMSNorm, Inductor, vLLM: the weight comes before the cast", "[raise]") {
  const std::string head = "%h = cast %x {dtype = f32}\n" + proper;
  CHECK(not_raised_to(bf16_graph(head + "%u = cast %w {dtype = f32}\n%p = mul %n, %u\n%y = cast %p {dtype = bf16}"),
                      "rms_norm %x, %w {eps = 1e-06}") == "");
  CHECK(not_raised_to(bf16_graph(head + "%p = mul %w32, %n\n%y = cast %p {dtype = bf16}"),
                      "rms_norm %x, %w32 {eps = 1e-06}") == "");
}

TEST_CASE("a norm without a weight", "[raise]") {
  CHECK(not_raised_to(bf16_graph("%h = cast %x {dtype = f32}\n" + proper + "%y = cast %n {dtype = bf16}"),
                      "rms_norm %x {eps = 1e-06}") == "");
}

TEST_CASE("the cast and the constants may have other users", "[raise]") {
  const std::string text = raised(R"(graph @g(%x: bf16[4, 8], %w: bf16[8]) {
    %eps = full {shape = [], value = 1e-06, dtype = f32}
    %h = cast %x {dtype = f32}
    %s = square %h
    %m = mean %s {axes = [-1], keepdims = true}
    %a = add %m, %eps
    %r = rsqrt %a
    %n = mul %h, %r
    %c = cast %n {dtype = bf16}
    %y = mul %w, %c
    %more = add %h, %eps
    return %y, %more })");
  CHECK(count(text, "rms_norm %x, %w {eps = 1e-06, round_before_weight = true}") == 1);
  CHECK(count(text, "%more = add %h, %eps") == 1);
}

TEST_CASE("symbolic sizes and any rank", "[raise]") {
  CHECK(count(raised(R"(graph @g(%h: f32[T, 2 * H]) {
    %eps = full {shape = [], value = 0.001, dtype = f32}
  )" + proper + "return %n }"),
              "%n = rms_norm %h {eps = 0.001}") == 1);
  CHECK(count(raised(R"(graph @g(%h: f32[8]) {
    %eps = full {shape = [], value = 0.001, dtype = f32}
  )" + proper + "return %n }"),
              "%n = rms_norm %h {eps = 0.001}") == 1);
}

TEST_CASE("what is nearly a norm is not raised", "[raise]") {
  const std::string mean = "%s = square %x\n%m = mean %s {axes = [-1], keepdims = true}\n";
  const std::string root = "%a = add %m, %eps\n%r = rsqrt %a\n";
  const std::pair<const char*, std::string> cases[] = {
      {"the mean of another tensor",
       "%s = square %z\n%m = mean %s {axes = [-1], keepdims = true}\n" + root + "%y = mul %x, %r"},
      {"another tensor is scaled", mean + root + "%y = mul %z, %r"},
      {"along another axis", "%s = square %x\n%m = mean %s {axes = [1], keepdims = true}\n" + root + "%y = mul %x, %r"},
      {"along two axes", "%s = square %x\n%m = mean %s {axes = [1, 2], keepdims = true}\n" + root + "%y = mul %x, %r"},
      {"a sum", "%s = square %x\n%m = sum %s {axes = [-1], keepdims = true}\n" + root + "%y = mul %x, %r"},
      {"no square", "%m = mean %x {axes = [-1], keepdims = true}\n" + root + "%y = mul %x, %r"},
      {"a product of two", "%s = mul %x, %z\n%m = mean %s {axes = [-1], keepdims = true}\n" + root + "%y = mul %x, %r"},
      {"a cube",
       "%three = full {shape = [], value = 3.0, dtype = f32}\n%s = pow %x, %three\n"
       "%m = mean %s {axes = [-1], keepdims = true}\n" +
           root + "%y = mul %x, %r"},
      {"eps outside the root", mean + "%q = rsqrt %m\n%r = add %q, %eps\n%y = mul %x, %r"},
      {"no eps", mean + "%r = rsqrt %m\n%y = mul %x, %r"},
      {"eps that is computed", mean + "%e = mean %z {axes = [-1], keepdims = true}\n%a = add %m, %e\n%r = rsqrt %a\n"
                                      "%y = mul %x, %r"},
      {"a negative eps", mean + "%e = full {shape = [], value = -1.0, dtype = f32}\n%a = add %m, %e\n%r = rsqrt %a\n"
                                "%y = mul %x, %r"},
      {"the mean is an output, too", mean + root + "%n = mul %x, %r\n%y = add %n, %m"},
      {"one plus the weight", mean + root +
                                  "%one = full {shape = [], value = 1.0, dtype = f32}\n%w1 = add %one, %w\n"
                                  "%n = mul %x, %r\n%y = mul %n, %w1"},
      {"one plus the weight, the other way round",
       mean + root +
           "%one = full {shape = [], value = 1.0, dtype = f32}\n%w1 = add %w, %one\n%n = mul %x, %r\n"
           "%y = mul %w1, %n"},
  };
  for (const auto& [what, body] : cases) {
    INFO(what);
    CHECK(count(raised(f32_graph(body)), "rms_norm") == 0);
  }
}

TEST_CASE("a mean without its axis broadcasts along another one", "[raise]") {
  // x[3, 3] times r[3]: of the right type, and wrong.
  CHECK(count(raised(R"(graph @g(%x: f32[3, 3]) {
    %eps = full {shape = [], value = 1e-06, dtype = f32}
    %s = square %x
    %m = mean %s {axes = [-1]}
    %a = add %m, %eps
    %r = rsqrt %a
    %y = mul %x, %r
    return %y })"),
              "rms_norm") == 0);
  CHECK(count(raised(R"(graph @g(%x: f32[3, 3]) {
    %eps = full {shape = [], value = 1e-06, dtype = f32}
    %s = square %x
    %m = mean %s {axes = [-1]}
    %k = reshape %m {shape = [1, 3]}
    %a = add %k, %eps
    %r = rsqrt %a
    %y = mul %x, %r
    return %y })"),
              "rms_norm") == 0);
}

TEST_CASE("other roundings are not raised", "[raise]") {
  // In 16 bits throughout: the mean and the root are rounded, too.
  CHECK(count(raised(with(f32_graph(with(proper, "%h", "%x") + "%y = mul %w, %n"), "f32", "bf16")), "rms_norm") == 0);
  // f64 in f32: the op would work in f64.
  const std::string narrow = raised(R"(graph @g(%x: f64[4, 8]) {
    %eps = full {shape = [], value = 1e-06, dtype = f32}
    %h = cast %x {dtype = f32}
  )" + proper + "%y = cast %n {dtype = f64}\nreturn %y }");
  CHECK(count(narrow, "rms_norm %h") == 1);  // the f32 part alone
  CHECK(count(narrow, "cast") == 2);
}

TEST_CASE("the product with something that is no weight stays a product", "[raise]") {
  const std::string text = raised(f32_graph(with(proper, "%h", "%x") + "%y = mul %n, %z"));
  CHECK(count(text, "%n = rms_norm %x {eps = 1e-06}") == 1);
  CHECK(count(text, "%y = mul %n, %z") == 1);
}

TEST_CASE("the flag turns it off, and O0 does", "[raise]") {
  const std::string text = f32_graph(with(proper, "%h", "%x") + "%y = mul %w, %n");
  PassConfig off;
  off.flags["raise_rms_norm"] = Toggle::off;
  CHECK(count(raised(text, off), "rms_norm") == 0);
  PassConfig none;
  none.level = OptLevel::O0;
  CHECK(count(raised(text, none), "rms_norm") == 0);
}

TEST_CASE("a decomposed linear is a linear of the whole tensor", "[raise]") {
  CHECK(count(raised(R"(graph @g(%x: f32[B, T, 8], %w: f32[6, 8], %b: f32[6], %w2: f32[4, 8]) {
    %rows = reshape %x {shape = [B * T, 8]}
    %p = linear %rows, %w, %b
    %y = reshape %p {shape = [B, T, 6]}
    %p2 = linear %rows, %w2
    %y2 = reshape %p2 {shape = [B, T, 4]}
    return %y, %y2 })"),
              "= linear %x") == 2);
  const char* const others[] = {
      // The rows come back in another shape.
      R"(graph @g(%x: f32[2, 3, 8], %w: f32[6, 8]) {
        %rows = reshape %x {shape = [6, 8]}
        %p = linear %rows, %w
        %y = reshape %p {shape = [3, 2, 6]}
        return %y })",
      // They are cut.
      R"(graph @g(%x: f32[2, 3, 8], %w: f32[6, 4]) {
        %rows = reshape %x {shape = [12, 4]}
        %p = linear %rows, %w
        %y = reshape %p {shape = [2, 3, 12]}
        return %y })",
  };
  for (const char* text : others) {
    INFO(text);
    CHECK(count(raised(text), "= linear %x") == 0);
  }
}
