// Any bytes are fusions or an Error: never a crash, a hang or "internal". What was read goes through both forms.

#include <algorithm>
#include <chrono>
#include <random>
#include <string>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/json.h>
#include <tandem/passes/pattern/text.h>

#include "tests/support/catch.h"
#include "tests/support/random_pattern.h"

using namespace tandem;

namespace {

/// A few bytes changed, removed, repeated or taken from elsewhere in the text.
std::string mutated(std::string text, std::mt19937_64& random) {
  static const std::string interesting = "{}[]()%$\"`\\.,:=<>!-+*/#\n \0in or _0e";
  for (std::size_t n = 1 + random() % 4; n != 0 && !text.empty(); --n) {
    const std::size_t at = random() % text.size();
    const std::size_t length = std::min<std::size_t>(random() % 20, text.size() - at);
    switch (random() % 5) {
      case 0: text[at] = interesting[random() % interesting.size()]; break;
      case 1: text[at] = static_cast<char>(random()); break;
      case 2: text.erase(at, length); break;
      case 3: text.insert(at, text.substr(random() % text.size(), length)); break;
      default: text.insert(at, 1, interesting[random() % interesting.size()]);
    }
  }
  return text;
}

/// Whether the text was read.
bool read(const std::string& text) {
  std::vector<Pattern> patterns;
  try {
    patterns = read_fusions(text, "f");
  } catch (const Error& e) {
    for (const Diagnostic& d : e.diagnostics()) {
      REQUIRE(d.code.starts_with("pattern."));
      REQUIRE(!d.message.empty());
      REQUIRE(d.where.line != 0);
      REQUIRE(d.where.column != 0);
    }
    return false;
  }
  const std::string canonical = format(patterns);
  if (text.find_first_not_of(" \t\r\n{[") == text.find_first_not_of(" \t\r\n")) {
    REQUIRE(parse_fusions(canonical, "f") == patterns);
    const std::string formatted = format_text(text, "f");
    REQUIRE(format_text(formatted, "f") == formatted);
    REQUIRE(parse_fusions(formatted, "f") == patterns);
  }
  return true;
}

void fuzz(std::uint64_t seed, bool json) {
  std::mt19937_64 random(seed);
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(1500);
  std::size_t tried = 0, accepted = 0;
  while (tried < 4000 && std::chrono::steady_clock::now() < end) {
    const Pattern p = test::random_pattern(random() % 500);
    const std::string text = mutated(json ? to_json(p) : format(p), random);
    INFO(text);
    accepted += read(text) ? 1 : 0;
    ++tried;
  }
  // Most mutants are broken, some are not: else this tests one half only.
  CHECK(accepted > 0);
  CHECK(accepted < tried);
}

}  // namespace

TEST_CASE("mutated text is read or refused") {
  fuzz(1, false);
}
TEST_CASE("mutated JSON is read or refused") {
  fuzz(2, true);
}
