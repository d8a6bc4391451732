// The manual's whole example is a fusion in canonical form, and the manual lists every diagnostic that reading has.

#include <fstream>
#include <sstream>
#include <string>

#include <tandem/passes/pattern/text.h>

#include "tests/support/catch.h"

using namespace tandem;

namespace {

std::string manual() {
  std::ifstream file(TANDEM_TEST_DATA "/../../docs/fusion-language.md");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("the manual's example is canonical") {
  const std::string text = manual();
  const std::size_t start = text.find("```\nfusion ");
  REQUIRE(start != std::string::npos);
  const std::string example = text.substr(start + 4, text.find("\n```", start + 4) - start - 3);
  CHECK(format(parse_fusions(example, "manual")) == example);
}

TEST_CASE("the manual lists the diagnostics of reading") {
  const std::string text = manual();
  for (const char* code : {"syntax",
                           "unknown-keyword",
                           "unclosed",
                           "duplicate-section",
                           "duplicate-name",
                           "character",
                           "encoding",
                           "number",
                           "level",
                           "nesting",
                           "too-large",
                           "no-fusion",
                           "use",
                           "arity",
                           "unbound-value",
                           "json-syntax",
                           "json-format",
                           "json-kind",
                           "json-missing",
                           "json-unknown-key",
                           "json-duplicate-key"}) {
    CAPTURE(code);
    CHECK(text.find("`pattern." + std::string(code) + "`") != std::string::npos);
  }
}
