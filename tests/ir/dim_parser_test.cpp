// Dims, shapes and types as text.
#include <tandem/ir/dim_parser.h>

#include <functional>
#include <random>
#include <string>

#include <tandem/ir/diagnostic.h>

#include "tests/support/catch.h"

using namespace tandem;

namespace {

/// The error and its offset: "8: expected ...".
std::string dim_error(Context& context, std::string_view text) {
  std::size_t position = 0;
  std::string error;
  if (parse_dim_prefix(context, text, position, error))
    return "no error";
  return std::to_string(position) + ": " + error;
}

std::string type_error(Context& context, std::string_view text) {
  std::size_t position = 0;
  std::string error;
  if (parse_type_prefix(context, text, position, error))
    return "no error";
  return std::to_string(position) + ": " + error;
}

std::string repeat(std::string_view text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i)
    out += text;
  return out;
}

}  // namespace

TEST_CASE("precedence of dim text", "[dim_parser]") {
  Context context;
  const Dim s = context.symbol("S"), t = context.symbol("T");
  CHECK(parse_dim(context, "7168") == Dim(7168));
  CHECK(parse_dim(context, "-7") == Dim(-7));
  CHECK(parse_dim(context, "T") == t);
  CHECK(parse_dim(context, " 1 +\t2 * T\n") == 2 * t + 1);
  CHECK(parse_dim(context, "2*(T + 1)*S") == 2 * t * s + 2 * s);
  CHECK(parse_dim(context, "S - T - 1") == s - t - 1);
  CHECK(parse_dim(context, "S - (T - 1)") == s - t + 1);
  CHECK(parse_dim(context, "-T*S") == 0 - t * s);
  CHECK(parse_dim(context, "--T") == t);
  CHECK(parse_dim(context, "S*-2") == -2 * s);
  CHECK(parse_dim(context, "floordiv(T + 1, 2) + mod(T, S)") == floordiv(t + 1, 2) + mod(t, s));
  CHECK(parse_dim(context, "ceildiv(T, 16)") == ceildiv(t, 16));
  CHECK(parse_dim(context, "_a.b1") == context.symbol("_a.b1"));
  CHECK(parse_dim(context, "floordivide") == context.symbol("floordivide"));
  CHECK(parse_dim(context, "2305843009213693952").is(Dim::max_constant));
  CHECK(parse_dim(context, "-2305843009213693952").is(-Dim::max_constant));
}

TEST_CASE("a prefix ends behind its last character", "[dim_parser]") {
  Context context;
  const auto end_of = [&](std::string_view text, std::size_t position = 0) {
    std::string error;
    REQUIRE(parse_dim_prefix(context, text, position, error));
    return position;
  };
  CHECK(end_of("T, 7168]") == 1);
  CHECK(end_of("T  ]") == 1);
  CHECK(end_of("2 * T  }") == 5);
  CHECK(end_of("T -> U") == 1);
  CHECK(end_of("T->U") == 1);
  CHECK(end_of("T - 1 -> U") == 5);
  CHECK(end_of("sizes = T + 1,", 8) == 13);
  CHECK(end_of("T U") == 1);
  CHECK(end_of("mod(T, 2))") == 9);
}

TEST_CASE("what is wrong with a dim, and where", "[dim_parser]") {
  Context context;
  CHECK(dim_error(context, "") == "0: expected a dim such as 2*T + 1, found the end");
  CHECK(dim_error(context, "  *") == "2: expected a dim such as 2*T + 1, found '*'");
  CHECK(dim_error(context, "2*") == "2: expected a dim such as 2*T + 1, found the end");
  CHECK(dim_error(context, "T + ]") == "4: expected a dim such as 2*T + 1, found ']'");
  CHECK(dim_error(context, "(T + 1") == "6: expected ')', found the end");
  CHECK(dim_error(context, "mod(T)") == "5: expected ',' and a second argument, found ')'");
  CHECK(dim_error(context, "mod + 1") == "4: expected '(' behind the function's name, found '+'");
  CHECK(dim_error(context, "floordiv(T, 2, 3)") == "13: expected ')' behind the second argument, found ','");
  CHECK(dim_error(context, "1 + 2T") == "5: expected an integer, found 'T' behind its digits");
  CHECK(dim_error(context, "1.5") == "1: expected an integer, found '.' behind its digits");
  CHECK(dim_error(context, "1 + 99999999999999999999") == "4: a number in a dim is larger than 2^61");
  CHECK(dim_error(context, "2305843009213693953") == "0: a number in a dim is larger than 2^61");
  CHECK(dim_error(context, "T + mod(T, 0)") == "4: a dim is divided by zero");
  CHECK(dim_error(context, "\xff") == "0: expected a dim such as 2*T + 1, found the byte 0xff");
  CHECK(dim_error(context, std::string_view("\0", 1)) == "0: expected a dim such as 2*T + 1, found the byte 0x00");
  CHECK(dim_error(context, "2305843009213693952*T*T*2").starts_with("23: a dim or one of its coefficients"));
}

TEST_CASE("hostile dims are refused, not run", "[dim_parser]") {
  Context context;
  CHECK(dim_error(context, repeat("(", 100000)).find("nest more than 64 deep") != std::string::npos);
  CHECK(dim_error(context, repeat("mod(", 100000)).find("nest more than 64 deep") != std::string::npos);
  CHECK(dim_error(context, "T" + repeat("*T", 100000)).find("factors; at most 32") != std::string::npos);
  CHECK(dim_error(context, "(A+B+C+D+E)" + repeat("*(A+B+C+D+E)", 100)).find("at most") != std::string::npos);
  CHECK(parse_dim(context, repeat("-", 100000) + "T") == context.symbol("T"));
  CHECK(parse_dim(context, repeat("(", max_dim_nesting) + "T" + repeat(")", max_dim_nesting)) == context.symbol("T"));
  CHECK(parse_dim(context, "T" + repeat(" + T", 100000)) == 100001 * context.symbol("T"));
}

TEST_CASE("types and shapes", "[dim_parser]") {
  Context context;
  const Dim t = context.symbol("T");
  CHECK(parse_type(context, "bf16[T, 7168]") == context.type(DType::bf16, {t, 7168}));
  CHECK(parse_type(context, "f32[]") == context.type(DType::f32, {}));
  CHECK(parse_type(context, " i64 [ 2*T + 1 ,3 ] ") == context.type(DType::i64, {2 * t + 1, 3}));
  CHECK(parse_shape(context, "[T, 7168]") == context.shape({t, 7168}));
  CHECK(parse_shape(context, "[]").rank() == 0);
  CHECK(to_string(parse_type(context, "f8e4m3fnuz[T,1+T]")) == "f8e4m3fnuz[T, T + 1]");
  CHECK(to_string(context.type(DType::boolean, {})) == "bool[]");
}

TEST_CASE("what is wrong with a type, and where", "[dim_parser]") {
  Context context;
  CHECK(type_error(context, "bf17[T]") == "0: unknown dtype 'bf17'; did you mean 'bf16'?");
  CHECK(type_error(context, "") == "0: expected a type such as bf16[T, 7168], found the end");
  CHECK(type_error(context, "[T]") == "0: expected a type such as bf16[T, 7168], found '['");
  CHECK(type_error(context, "f32") == "3: expected the '[' of a shape, found the end");
  CHECK(type_error(context, "f32[T") == "5: expected ',' or ']' in a shape, found the end");
  CHECK(type_error(context, "f32[T,]") == "6: expected a dim such as 2*T + 1, found ']'");
  CHECK(type_error(context, "f32[,]") == "4: expected a dim such as 2*T + 1, found ','");
  CHECK(type_error(context, "f32[1" + repeat(",1", 100) + "]").find("more than 64 dims") != std::string::npos);
}

TEST_CASE("the whole text must be a dim", "[dim_parser]") {
  Context context;
  try {
    parse_dim(context, "T + 1 U");
    FAIL("no error");
  } catch (const Error& error) {
    const Diagnostic& found = error.diagnostics().front();
    CHECK(found.code == "dim.syntax");
    CHECK(found.message == "expected the end, found 'U'");
    CHECK(found.where.column == 7);
    CHECK(found.source_line == "T + 1 U");
  }
  CHECK_THROWS_AS(parse_type(context, "f32[T] x"), Error);
  CHECK_THROWS_AS(parse_shape(context, "[T]]"), Error);
}

TEST_CASE("what is printed parses back to the same dim", "[dim_parser][property]") {
  Context context;
  std::mt19937 random(11);
  const auto pick = [&](int n) { return std::uniform_int_distribution<int>(0, n - 1)(random); };
  const std::function<Dim(int)> make = [&](int depth) -> Dim {
    if (depth == 0)
      return pick(3) == 0 ? Dim(pick(40) - 20) : context.symbol(std::string(1, "STU"[pick(3)]));
    const Dim a = make(depth - 1), b = make(depth - 1);
    switch (pick(7)) {
      case 5: return minimum(a, b);
      case 6: return maximum(a, b);
      case 0: return a + b;
      case 1: return a - b;
      case 2: return a * b;
      case 3: return b.is(0) ? a : floordiv(a, b);
      default: return b.is(0) ? a : mod(a, b);
    }
  };
  for (int round = 0; round < 3000; ++round) {
    const Dim dim = make(4);
    const std::string text = to_string(dim);
    INFO(text);
    REQUIRE(parse_dim(context, text) == dim);
    Context other;
    REQUIRE(to_string(parse_dim(other, text)) == text);
  }
}

TEST_CASE("the deepest dim that can be built parses back", "[dim_parser]") {
  Context context;
  Dim nest = context.symbol("T");
  for (std::size_t i = 0; i < max_dim_nesting; ++i)
    nest = 0 - floordiv(nest, context.symbol("S"));
  CHECK(parse_dim(context, to_string(nest)) == nest);
}

TEST_CASE("no bytes crash the parser", "[dim_parser][property]") {
  Context context;
  std::mt19937 random(3);
  const std::string_view alphabet = "T12 (),*+-[]fmod loordiv(.\n\xff->";
  for (int round = 0; round < 20000; ++round) {
    std::string text = round % 2 == 0 ? "" : "bf16[";
    for (int i = 0; i < 24; ++i)
      text += alphabet[std::uniform_int_distribution<std::size_t>(0, alphabet.size() - 1)(random)];
    std::size_t position = 0;
    std::string error;
    if (!parse_type_prefix(context, text, position, error))
      REQUIRE_FALSE(error.empty());
    REQUIRE(position <= text.size());
    position = 0;
    parse_dim_prefix(context, text, position, error);
    REQUIRE(position <= text.size());
  }
}
