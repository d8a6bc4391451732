// Damaged files: whatever the bytes, a reader gives a graph or an Error, quickly.
#include "tests/support/catch.h"

#include <chrono>
#include <random>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/json.h>
#include <tandem/ir/io/read.h>
#include <tandem/ir/io/text.h>
#include <tandem/ir/verifier.h>

#include "tests/support/random_graph.h"

using namespace tandem;

namespace {

/// Changes, removes, doubles or moves some bytes.
std::string damage(std::string text, std::mt19937_64& random) {
  constexpr std::string_view lively = "{}[](),:\"\\%=-+0123456789.eE#@ \n\tT\0\xff\xc3";
  const std::size_t changes = 1 + random() % 4;
  for (std::size_t i = 0; i < changes && !text.empty(); ++i) {
    const std::size_t at = random() % text.size(), length = 1 + random() % 12;
    switch (random() % 6) {
      case 0: text[at] = lively[random() % lively.size()]; break;
      case 1: text[at] = static_cast<char>(random()); break;
      case 2: text.erase(at, length); break;
      case 3: text.insert(at, 1, lively[random() % lively.size()]); break;
      case 4: text.insert(random() % text.size(), text.substr(at, length * 4)); break;
      default: text.resize(random() % 8 == 0 ? at : text.size()); break;
    }
  }
  return text;
}

/// Reads damaged forms of small graphs. Returns how many were still good.
template <class Write>
std::size_t read_damaged(std::size_t count, Write&& write) {
  std::mt19937_64 random(7);
  std::size_t good = 0;
  auto context = Context::create();
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    if (i % 200 == 0) {
      context = Context::create();
      text = write(test::random_graph(context, i, {.nodes = 12}));
    }
    const std::string damaged = damage(text, random);
    try {
      const Graph graph = read_graph_bytes(context, damaged, "damaged");
      ++good;
      if (!verify(graph).empty())
        FAIL("the reader accepted what the verifier refuses:\n" << damaged);
    } catch (const Error& e) {
      if (e.diagnostics().empty() || e.diagnostics().size() > 20)
        FAIL("no diagnostics, or too many:\n" << damaged);
      if (e.diagnostics().front().code == "internal")
        FAIL(e.what() << damaged);
    }
  }
  return good;
}

}  // namespace

TEST_CASE("20,000 damaged files are read or refused") {
  const std::size_t good_json = read_damaged(10000, to_json);
  const std::size_t good_text = read_damaged(10000, to_text);
  // Some damage is harmless and most is not: else this would test nothing.
  CHECK(good_json > 100);
  CHECK(good_json < 9000);
  CHECK(good_text > 100);
  CHECK(good_text < 9000);
}

TEST_CASE("a file cut off anywhere is refused") {
  auto context = Context::create();
  const Graph graph = test::random_graph(context, 3, {.nodes = 12});
  for (const std::string& text : {to_json(graph), to_text(graph)}) {
    const std::size_t end = text.find_last_not_of(" \n") + 1;
    for (std::size_t n = 0; n < end; ++n) {
      INFO("cut at " << n);
      CHECK_THROWS_AS(read_graph_bytes(context, std::string_view(text).substr(0, n), "cut"), Error);
    }
  }
}
