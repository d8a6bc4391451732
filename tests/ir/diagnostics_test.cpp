// Codes of registering ops, and of texts at the edges of what a graph can be.
#include <string>

#include <tandem/ir/context.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/ir/dim_parser.h>
#include <tandem/ir/io/text.h>

#include "tests/support/catch.h"

using namespace tandem;

namespace {

template <class Call>
std::string code_of(const Call& call) {
  try {
    call();
  } catch (const Error& e) {
    return e.diagnostics().front().code;
  }
  return "";
}

void same_type(Inference& in) {
  in.results.push_back(in.operands[0]);
}

}  // namespace

TEST_CASE("rows that cannot be registered", "[diagnostics]") {
  const auto context = Context::create();
  const auto code = [&](const OpRow& row) { return code_of([&] { context->register_op(row); }); };
  CHECK(code({.name = "mine", .signature = "(x) -> y", .infer = same_type}) == "");
  CHECK(code({.name = "mine", .signature = "(x) -> y", .infer = same_type}) == "op.duplicate");
  CHECK(code({.name = "relu", .signature = "(x) -> y", .infer = same_type}) == "op.duplicate");
  CHECK(code({.name = "no name", .signature = "(x) -> y", .infer = same_type}) == "op.name");
  CHECK(code({.name = "guess", .signature = "(x) -> y"}) == "op.no-inference");
  for (const char* signature : {"", "x -> y", "(x) -> ", "(x) -> y {eps}", "(x) -> y {eps: number}",
                                "(x) -> y {n: int = many}", "(x) -> y {a: int, a: int}", "(x) -> y... , z"}) {
    INFO(signature);
    CHECK(code({.name = "odd", .signature = signature, .infer = same_type}) == "op.signature");
  }
  CHECK_FALSE(context->find_op("odd"));
}

TEST_CASE("a text that is no shape", "[diagnostics]") {
  const auto context = Context::create();
  for (const char* text : {"", "T", "[T", "[T,,2]", "[2] x"}) {
    INFO(text);
    CHECK(code_of([&] { parse_shape(*context, text); }) == "shape.syntax");
  }
}

TEST_CASE("a value's name cannot be empty", "[diagnostics]") {
  CHECK(code_of([] { parse_text(Context::create(), "graph @g(%\"\": f32[4]) {\n  return %\"\"\n}\n"); }) ==
        "text.name");
}

TEST_CASE("a graph declares at most 4096 dims", "[diagnostics]") {
  const auto text = [](int dims) {
    std::string out = "graph @g(%x: f32[4]) where D0 in 1..2";
    for (int i = 1; i < dims; ++i)
      out += ", D" + std::to_string(i) + " in 1..2";
    return out + " {\n  return %x\n}\n";
  };
  CHECK(code_of([&] { parse_text(Context::create(), text(4096)); }) == "");
  CHECK(code_of([&] { parse_text(Context::create(), text(4097)); }) == "graph.too-many-dims");
}
