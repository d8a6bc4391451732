// Printing and parsing are inverse: for graphs made at random, and for bits that are easily lost.
#include "tests/support/catch.h"

#include <bit>
#include <limits>

#include <tandem/ir/builder.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/json.h>
#include <tandem/ir/io/text.h>
#include <tandem/ir/verifier.h>

#include "tests/support/random_graph.h"

using namespace tandem;

namespace {

/// Whether `f` throws an Error whose text holds `part`.
template <class F>
bool says(F&& f, std::string_view part) {
  try {
    f();
  } catch (const Error& e) {
    return std::string_view(e.what()).find(part) != std::string_view::npos;
  }
  return false;
}

}  // namespace

TEST_CASE("text: parse(print(g)) is g, print(parse(text)) is text") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    auto context = Context::create();
    const Graph graph = test::random_graph(context, seed);
    const std::string text = to_text(graph);
    INFO("seed " << seed << "\n" << text);
    const Graph again = parse_text(context, text);
    CHECK(structurally_equal(graph, again));
    CHECK(to_text(again) == text);
    CHECK(verify(again).empty());
  }
}

TEST_CASE("JSON: parse(print(g)) is g, print(parse(text)) is text") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    auto context = Context::create();
    const Graph graph = test::random_graph(context, seed);
    const std::string text = to_json(graph);
    INFO("seed " << seed << "\n" << text);
    const Graph again = parse_json(context, text);
    CHECK(structurally_equal(graph, again));
    CHECK(to_json(again) == text);
    CHECK(verify(again).empty());
  }
}

TEST_CASE("what one form gives, another context reads through the other form") {
  for (std::uint64_t seed = 1000; seed < 1050; ++seed) {
    const Graph graph = test::random_graph(Context::create(), seed);
    const Graph by_json = parse_json(Context::create(), to_json(graph));
    const Graph by_text = parse_text(Context::create(), to_text(by_json));
    INFO("seed " << seed);
    CHECK(to_text(by_text) == to_text(graph));
    CHECK(structurally_equal(by_text, graph));
  }
}

TEST_CASE("a real attribute keeps its bits") {
  for (const double value :
       {1e-6, 0.1, -0.0, 5e-324, 1.7976931348623157e308, 1e22, 3.0, std::numeric_limits<double>::infinity(),
        -std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN(),
        -std::numeric_limits<double>::quiet_NaN(), std::bit_cast<double>(0x7ff0000000000001ULL)}) {
    auto context = Context::create();
    GraphBuilder b(context, "g");
    b.output(b.scalar(DType::f64, value));
    const Graph graph = std::move(b).finish();
    for (const Graph& again : {parse_text(context, to_text(graph)), parse_json(context, to_json(graph))}) {
      CHECK(std::bit_cast<std::uint64_t>(again.attr(again.first(), "value").real()) ==
            std::bit_cast<std::uint64_t>(value));
    }
  }
}

TEST_CASE("a constant keeps every byte, in every dtype") {
  for (DType dtype : all_dtypes()) {
    auto context = Context::create();
    GraphBuilder b(context, "g");
    // Every pattern of the last byte: infinities, NaNs and their payloads among them.
    for (unsigned first = 0; first < 256; ++first) {
      if (dtype == DType::boolean && first > 1)
        break;
      TensorLiteral literal{context->type(dtype, {1}),
                            std::vector<std::byte>(byte_size(dtype), static_cast<std::byte>(first))};
      b.op("constant", {}, {{"value", literal}});
    }
    const Graph graph = std::move(b).finish();
    CHECK(structurally_equal(graph, parse_text(context, to_text(graph))));
    CHECK(structurally_equal(graph, parse_json(context, to_json(graph))));
  }
}

TEST_CASE("values without names stay without, names that are numbers stay names") {
  auto context = Context::create();
  GraphBuilder b(context, "g");
  const Value x = b.input("7", DType::f32, {2});
  b.op("neg", {x});
  b.named("'8", b.op("neg", {x}));
  b.named("0", b.op("neg", {x}));
  const Graph graph = std::move(b).finish();
  CHECK(to_text(graph).find("%0 = neg %\"7\"") != std::string::npos);
  CHECK(to_text(graph).find("%\"0\" = neg %\"7\"") != std::string::npos);
  CHECK(structurally_equal(graph, parse_text(context, to_text(graph))));
  CHECK(structurally_equal(graph, parse_json(context, to_json(graph))));
}

TEST_CASE("a name that is not UTF-8 is written in text and refused in JSON") {
  auto context = Context::create();
  GraphBuilder b(context, "g");
  b.named("bad\xff", b.op("neg", {b.input("x", DType::f32, {2})}));
  const Graph graph = std::move(b).finish();
  CHECK(structurally_equal(graph, parse_text(context, to_text(graph))));
  CHECK(says([&] { to_json(graph); }, "json.write-utf8"));
}
