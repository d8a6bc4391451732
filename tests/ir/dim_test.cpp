// Symbolic dims: the normal form and its identities.
#include <tandem/ir/dim.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <tandem/ir/context.h>
#include <tandem/ir/diagnostic.h>

#include "tests/ir/dim_values.h"
#include "tests/support/catch.h"

using namespace tandem;
using namespace tandem::test;

namespace {

std::string code_of(const std::function<void()>& function) {
  try {
    function();
  } catch (const Error& error) {
    return error.diagnostics().front().code;
  }
  return "no error";
}

const std::int64_t huge = Dim::max_constant;

}  // namespace

TEST_CASE("equal polynomials are one pointer", "[dim]") {
  Context context;
  const Dim s = context.symbol("S"), t = context.symbol("T");
  CHECK(t == context.symbol("T"));
  CHECK(s != t);
  CHECK(2 * (t + 1) == t + t + 2);
  CHECK((s + t) * (s - t) == s * s - t * t);
  CHECK((s + t) + 3 == 3 + (t + s));
  CHECK(t - t == Dim(0));
  CHECK((t + 5) - t == Dim(5));
  CHECK(t * 0 == Dim(0));
  CHECK(t * 1 == t);
  CHECK(t + 0 == t);
  CHECK(t * s == s * t);
  CHECK(2 * t != t);
}

TEST_CASE("a dim knows whether it is a constant or a symbol", "[dim]") {
  Context context;
  const Dim t = context.symbol("T");
  CHECK(Dim(7168).is(7168));
  CHECK(Dim(-3).constant() == -3);
  CHECK(t.symbol() == context.intern("T"));
  CHECK((t + 1).symbol().empty());
  CHECK((2 * t).symbol().empty());
  CHECK(floordiv(t, 2).symbol().empty());
  CHECK(Dim(4).symbol().empty());
  CHECK_FALSE(t.is(0));
}

TEST_CASE("text is deterministic whatever was created first", "[dim]") {
  std::vector<std::string> texts;
  for (const bool is_reversed : {false, true}) {
    Context context;
    std::vector<std::string> names = {"A", "B", "C", "D"};
    if (is_reversed)
      names = {"D", "C", "B", "A"};
    for (const std::string& name : names) {
      context.symbol(name);
      floordiv(context.symbol(name), 3);
      mod(context.symbol(name), 5);
    }
    const auto s = [&](const char* name) { return context.symbol(name); };
    texts.push_back(to_string(mod(s("D"), 5) + floordiv(s("B"), 3) + floordiv(s("A"), 3) * s("C") + s("D") * s("A") +
                              floordiv(s("A"), 3) + mod(s("A"), 5)));
  }
  CHECK(texts[0] == "A*D + C*floordiv(A, 3) + floordiv(A, 3) + floordiv(B, 3) + mod(A, 5) + mod(D, 5)");
  CHECK(texts[1] == texts[0]);
}

TEST_CASE("text is what one would write", "[dim]") {
  Context context;
  const Dim q = context.symbol("Q"), t = context.symbol("T");
  CHECK(to_string(Dim(7168)) == "7168");
  CHECK(to_string(Dim(-7)) == "-7");
  CHECK(to_string(t) == "T");
  CHECK(to_string(1 + 2 * t) == "2*T + 1");
  CHECK(to_string(1 - t) == "-T + 1");
  CHECK(to_string(t - 1) == "T - 1");
  CHECK(to_string(q - 3 * t) == "Q - 3*T");
  CHECK(to_string((t + 1) * (t + 1)) == "T*T + 2*T + 1");
  CHECK(to_string(floordiv(t, 2)) == "floordiv(T, 2)");
  CHECK(to_string(mod(t, 2)) == "mod(T, 2)");
  CHECK(to_string(ceildiv(t, 16) * 16) == "16*floordiv(T + 15, 16)");
  CHECK(to_string(mod(Dim(0) - t, 16)) == "mod(-T, 16)");
}

TEST_CASE("what divides exactly is divided", "[dim]") {
  Context context;
  const Dim s = context.symbol("S"), t = context.symbol("T");
  CHECK(floordiv(4 * t, 2) == 2 * t);
  CHECK(mod(4 * t, 2) == Dim(0));
  CHECK(floordiv(t, 1) == t);
  CHECK(mod(t, 1) == Dim(0));
  CHECK(floordiv(s * t, t) == s);
  CHECK(floordiv(6 * s * t, 2 * s) == 3 * t);
  CHECK(floordiv(s * s - t * t, s + t) == s - t);
  CHECK(mod(s * s - t * t, s + t) == Dim(0));
  CHECK(floordiv(t, t) == Dim(1));
  CHECK(floordiv(Dim(7), Dim(2)) == Dim(3));
  CHECK(floordiv(Dim(-7), Dim(2)) == Dim(-4));
  CHECK(mod(Dim(-7), Dim(2)) == Dim(1));
  CHECK(mod(Dim(7), Dim(-2)) == Dim(-1));
  CHECK(ceildiv(Dim(7), Dim(2)) == Dim(4));
  CHECK(ceildiv(Dim(7), Dim(-2)) == Dim(-3));
}

TEST_CASE("the smaller of two dims has one form", "[dim]") {
  Context context;
  const Dim t = context.symbol("T"), s = context.symbol("S");
  CHECK(minimum(4, 7) == Dim(4));
  CHECK(minimum(t, t + 3) == t);
  CHECK(minimum(t, 4) == minimum(4, t));
  CHECK(to_string(minimum(t, 2048)) == "min(2048, T)");
  CHECK(minimum(t + 1, 5) == minimum(t, 4) + 1);
  CHECK(minimum(minimum(s, t), t) == minimum(s, t));
  CHECK(maximum(s, t) + minimum(t, s) == s + t);
  CHECK(maximum(t, t - 2) == t);
  CHECK(to_string(maximum(t, 4)) == "T - min(4, T) + 4");
  CHECK(bounds(minimum(t, 4), [](Symbol) { return DimRange{2, 100}; }) == DimRange{2, 4});
  CHECK(bounds(minimum(t, 4), [](Symbol) { return DimRange{}; }) == DimRange{0, 4});
  CHECK(evaluate(maximum(t, 4), [](Symbol) { return std::optional<std::int64_t>(9); }) == 9);
  CHECK(substitute(minimum(t, 4), [](Symbol) { return std::optional<Dim>(3); }) == Dim(3));
}

TEST_CASE("multiples of the divisor are split off", "[dim]") {
  Context context;
  const Dim s = context.symbol("S"), t = context.symbol("T");
  CHECK(floordiv(4 * t + 6, 4) == t + 1);
  CHECK(mod(4 * t + 6, 4) == Dim(2));
  CHECK(floordiv(4 * s + t, 4) == s + floordiv(t, 4));
  CHECK(floordiv(t + 6, 4) == floordiv(t + 2, 4) + 1);
  CHECK(floordiv(t - 1, 2) == floordiv(t + 1, 2) - 1);
  CHECK(floordiv(s * t + 1, t) == s + floordiv(1, t));
  CHECK(mod(t + 17, 16) == mod(t + 1, 16));
  CHECK(floordiv(2 * t, 4) == floordiv(t, 2));
  CHECK(mod(2 * t, 4) == 2 * mod(t, 2));
  CHECK(floordiv(2 * t, 2 * s) == floordiv(t, s));
  CHECK(floordiv(0 - t, -2) == floordiv(t, 2));
  CHECK(mod(t, -2) == 0 - mod(0 - t, 2));
  CHECK(floordiv(t, 2) != t);
}

TEST_CASE("nested divisions by constants are one", "[dim]") {
  Context context;
  const Dim s = context.symbol("S"), t = context.symbol("T");
  CHECK(floordiv(floordiv(t, 3), 4) == floordiv(t, 12));
  CHECK(floordiv(floordiv(t, 2) + 1, 2) == floordiv(t + 2, 4));
  CHECK(floordiv(4 * s + floordiv(t, 3), 4) == s + floordiv(t, 12));
  CHECK(mod(mod(t, 8), 4) == mod(t, 4));
  CHECK(mod(mod(t, 4), 8) == mod(t, 4));
  CHECK(floordiv(mod(t, 4), 4) == Dim(0));
  CHECK(floordiv(floordiv(t, s), 2) != floordiv(t, 2 * s));
}

TEST_CASE("division by zero is an error", "[dim]") {
  Context context;
  const Dim t = context.symbol("T");
  CHECK(code_of([&] { floordiv(t, 0); }) == "dim.zero-division");
  CHECK(code_of([&] { mod(t, 0); }) == "dim.zero-division");
  CHECK(code_of([&] { ceildiv(1, 0); }) == "dim.zero-division");
  CHECK_FALSE(value(floordiv(1, t), {{"T", 0}}));
  CHECK_FALSE(value(mod(1, t), {{"T", 0}}));
}

TEST_CASE("overflow is an error, never a wrong number", "[dim]") {
  Context context;
  const Dim t = context.symbol("T");
  CHECK(Dim(huge).constant() == huge);
  CHECK(Dim(-huge).constant() == -huge);
  CHECK(code_of([&] { Dim(huge + 1); }) == "dim.overflow");
  CHECK(code_of([&] { Dim(INT64_MIN); }) == "dim.overflow");
  CHECK(code_of([&] { Dim(huge) + 1; }) == "dim.overflow");
  CHECK(code_of([&] { Dim(-huge) - 1; }) == "dim.overflow");
  CHECK(code_of([&] { Dim(huge) * 2; }) == "dim.overflow");
  CHECK(code_of([&] { Dim(huge) * huge; }) == "dim.overflow");
  CHECK(code_of([&] { t + huge + 1; }) == "dim.overflow");
  CHECK(code_of([&] { huge* t + t; }) == "dim.overflow");
  CHECK(code_of([&] { (huge * t) * (2 * t); }) == "dim.overflow");
  CHECK_FALSE(value(t * t, {{"T", huge}}));
  CHECK_FALSE(value(t + 1, {{"T", INT64_MAX}}));
  CHECK_FALSE(value(floordiv(t, 0 - context.symbol("S")), {{"T", INT64_MIN}, {"S", 1}}));
}

TEST_CASE("expressions have a largest size", "[dim]") {
  Context context;
  SECTION("in terms") {
    Dim sum;
    for (std::size_t i = 0; i < max_dim_terms; ++i)
      sum = sum + context.symbol("s" + std::to_string(i));
    CHECK(sum.expr()->terms.size() == max_dim_terms);
    CHECK(code_of([&] { sum + context.symbol("more"); }) == "dim.too-large");
    CHECK(code_of([&] { sum* sum; }) == "dim.too-large");
  }
  SECTION("in factors") {
    Dim power(1);
    for (std::size_t i = 0; i < max_dim_factors; ++i)
      power = power * context.symbol("T");
    CHECK(code_of([&] { power* context.symbol("T"); }) == "dim.too-large");
  }
  SECTION("in nesting") {
    Dim nest = context.symbol("T");
    for (std::size_t i = 0; i < max_dim_nesting; ++i)
      nest = floordiv(nest, context.symbol("S"));
    CHECK(code_of([&] { floordiv(nest, context.symbol("S")); }) == "dim.too-large");
  }
  SECTION("in all, however much of it is shared") {
    Dim doubling = context.symbol("T");
    CHECK(code_of([&] {
            for (int i = 0; i < 30; ++i)
              doubling = floordiv(doubling, context.symbol("S")) + floordiv(1 - doubling, context.symbol("S"));
          }) == "dim.too-large");
  }
}

TEST_CASE("names that text cannot spell are refused", "[dim]") {
  Context context;
  for (const char* name : {"", "2T", "a b", "floordiv", "mod", "ceildiv", "T+1", "\xc3\xa9"})
    CHECK(code_of([&] { context.symbol(name); }) == "dim.name");
  CHECK_NOTHROW(context.symbol("_layer.0.T"));
}

TEST_CASE("dims of two contexts do not mix", "[dim]") {
  Context one, other;
  CHECK(code_of([&] { one.symbol("T") + other.symbol("T"); }) == "internal");
  CHECK(code_of([&] { floordiv(one.symbol("T"), other.symbol("S")); }) == "internal");
}

TEST_CASE("only normal forms are interned", "[dim]") {
  Context context;
  const DimAtom* a = context.symbol("A").expr()->terms[0].atoms[0];
  const DimAtom* b = context.symbol("B").expr()->terms[0].atoms[0];
  CHECK(context.dims().intern(1, {{2, {a}}, {3, {b}}}) == 2 * context.symbol("A") + 3 * context.symbol("B") + 1);
  CHECK(context.dims().intern(5, std::vector<DimTerm>{}) == Dim(5));
  CHECK(code_of([&] { context.dims().intern(0, {{2, {b}}, {3, {a}}}); }) == "internal");
  CHECK(code_of([&] { context.dims().intern(0, {{2, {b, a}}}); }) == "internal");
  CHECK(code_of([&] { context.dims().intern(0, {{0, {a}}}); }) == "internal");
}

TEST_CASE("symbols are collected once each", "[dim]") {
  Context context;
  const Dim s = context.symbol("S"), t = context.symbol("T");
  std::vector<Symbol> symbols{context.intern("T")};
  collect_symbols(s * t + floordiv(t, 2) + mod(context.symbol("U"), s), symbols);
  REQUIRE(symbols.size() == 3);
  CHECK(symbols[1].view() == "S");
  CHECK(symbols[2].view() == "U");
}

TEST_CASE("substitution simplifies again", "[dim]") {
  Context context;
  const Dim s = context.symbol("S"), t = context.symbol("T");
  const auto replace = [&](Dim dim, Dim with) {
    return substitute(dim, [&](Symbol symbol) -> std::optional<Dim> {
      if (symbol.view() == "T")
        return with;
      return std::nullopt;
    });
  };
  CHECK(replace(2 * t + 1, Dim(3)) == Dim(7));
  CHECK(replace(t * s, s) == s * s);
  CHECK(replace(floordiv(t, 4), 4 * s) == s);
  CHECK(replace(mod(t, 4), Dim(6)) == Dim(2));
  CHECK(replace(s + 1, Dim(3)) == s + 1);
  CHECK(replace(t + s, t + s) == t + 2 * s);
  CHECK(code_of([&] { replace(floordiv(s, t), Dim(0)); }) == "dim.zero-division");
}

TEST_CASE("bounds of common dims", "[dim]") {
  Context context;
  const Dim t = context.symbol("T");
  const auto range = [](Dim dim) { return bounds(dim, [](Symbol) { return DimRange{1, 100}; }); };
  CHECK(range(Dim(5)) == DimRange{5, 5});
  CHECK(range(2 * t + 1) == DimRange{3, 201});
  CHECK(range(10 - t) == DimRange{-90, 9});
  CHECK(range(t * t) == DimRange{1, 10000});
  CHECK(range(floordiv(t, 16)) == DimRange{0, 6});
  CHECK(range(ceildiv(t, 16)) == DimRange{1, 7});
  CHECK(range(mod(t, 16)) == DimRange{0, 15});
  CHECK(range(mod(t, 1000)) == DimRange{1, 100});
  CHECK(bounds((t - 3) * (t - 3), [](Symbol) { return DimRange{}; }).max == huge);
  CHECK(bounds(floordiv(t, 2), [](Symbol) { return DimRange{}; }) == DimRange{0, huge});
  CHECK(bounds(t * t, [](Symbol) { return DimRange{-3, 2}; }) == DimRange{0, 9});
}

TEST_CASE("threads that intern the same dims get the same pointers", "[dim][threads]") {
  Context context;
  constexpr int count = 4;
  std::vector<std::vector<Dim>> results(count);
  std::atomic<int> waiting{count};
  std::vector<std::thread> threads;
  for (int t = 0; t < count; ++t)
    threads.emplace_back([&, t] {
      --waiting;
      while (waiting.load() != 0)
        std::this_thread::yield();
      for (int i = 0; i < 2000; ++i) {
        const Dim s = context.symbol("s" + std::to_string(i));
        results[static_cast<std::size_t>(t)].push_back(floordiv(2 * s + 1, 4 + s) * s + mod(s, 7));
      }
    });
  for (std::thread& thread : threads)
    thread.join();
  for (const auto& result : results)
    CHECK(result == results[0]);
}
