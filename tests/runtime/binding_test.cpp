// Symbols solved from shapes.
#include <tandem/runtime/binding.h>

#include <tandem/ir/context.h>
#include <tandem/ir/diagnostic.h>
#include <tests/support/catch.h>

using namespace tandem;

namespace {

struct World {
  std::shared_ptr<Context> context = Context::create();
  Graph graph{context};
  Dim T = context->symbol("T"), S = context->symbol("S");
  std::vector<Symbol> symbols{T.symbol(), S.symbol()};

  /// Solves for T and S from one tensor of that shape and those sizes.
  DimBindings solve(std::initializer_list<Dim> shape, std::vector<std::int64_t> sizes, DimBindings given = {}) {
    const ObservedShape x{"x", context->type(DType::f32, shape), sizes};
    return solve_bindings(graph, symbols, {&x, 1}, given);
  }
  std::string code(std::initializer_list<Dim> shape, std::vector<std::int64_t> sizes, DimBindings given = {}) {
    try {
      solve(shape, std::move(sizes), given);
    } catch (const Error& e) {
      return e.diagnostics().front().code;
    }
    return "";
  }
};

}  // namespace

TEST_CASE("binding: a symbol is its axis") {
  World w;
  CHECK(w.solve({w.T, w.S}, {3, 5}).find(w.T.symbol()) == 3);
}

TEST_CASE("binding: an expression with one unknown is solved") {
  World w;
  CHECK(w.solve({2 * w.T + 1, w.S}, {7, 5}).find(w.T.symbol()) == 3);
  CHECK(w.solve({w.T * w.T, w.S}, {49, 5}).find(w.T.symbol()) == 7);
}

TEST_CASE("binding: an expression waits for what a later axis tells") {
  World w;
  CHECK(w.solve({w.T + w.S, w.S}, {8, 5}).find(w.T.symbol()) == 3);
  CHECK(w.solve({floordiv(w.T, 2), w.T, w.S}, {3, 7, 1}).find(w.T.symbol()) == 7);
}

TEST_CASE("binding: sizes that no value gives are refused") {
  World w;
  CHECK(w.code({2 * w.T + 1, w.S}, {8, 5}) == "run.shape");
  CHECK(w.code({w.T * w.T, w.S}, {50, 5}) == "run.shape");
  CHECK(w.code({w.T + 4, w.S}, {3, 5}) == "run.shape");
  CHECK(w.code({w.T, w.S, 7}, {3, 5, 6}) == "run.shape");
  CHECK(w.code({w.T, w.S}, {3}) == "run.shape");
}

TEST_CASE("binding: one symbol, one value") {
  World w;
  CHECK(w.code({w.T, w.T, w.S}, {3, 4, 5}) == "run.dim-conflict");
  CHECK(w.code({w.T, w.T * 2, w.S}, {3, 6, 5}) == "");
}

TEST_CASE("binding: values outside the declared range are refused") {
  World w;
  w.graph.set_range(w.T.symbol(), {1, 16});
  CHECK(w.code({w.T, w.S}, {0, 1}) == "run.dim-range");
  CHECK(w.code({w.T, w.S}, {17, 1}) == "run.dim-range");
  CHECK(w.code({w.T, w.S}, {16, 1}) == "");
}

TEST_CASE("binding: what no axis tells must be given") {
  World w;
  CHECK(w.code({w.S}, {4}) == "run.unbound-dim");
  CHECK(w.code({floordiv(w.T, 2), w.S}, {4, 4}) == "run.unbound-dim");
  DimBindings given;
  given.set(w.T.symbol(), 9);
  CHECK(w.solve({floordiv(w.T, 2), w.S}, {4, 4}, given).find(w.T.symbol()) == 9);
}
