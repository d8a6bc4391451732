// Every mistake in a `.fusion` text has a code, a place and a way out; all of them are reported at once.

#include <string>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/text.h>

#include "tests/support/catch.h"

using namespace tandem;

namespace {

std::vector<Diagnostic> problems(const std::string& text) {
  try {
    parse_fusions(text, "f.fusion");
  } catch (const Error& e) {
    return e.diagnostics();
  }
  return {};
}

/// "line:column code" of each problem, one a line.
std::string places(const std::string& text) {
  std::string out;
  for (const Diagnostic& d : problems(text)) {
    out +=
        (out.empty() ? "" : "\n") + std::to_string(d.where.line) + ":" + std::to_string(d.where.column) + " " + d.code;
  }
  return out;
}

std::string in_match(const std::string& statement) {
  return "fusion f { match {\n" + statement + "\n} }";
}
std::string in_rewrite(const std::string& statement) {
  return "fusion f { match { %y = relu(%x) } rewrite {\n" + statement + "\n} }";
}
std::string in_where(const std::string& condition) {
  return "fusion f { where {\n" + condition + "\n} }";
}
std::string repeated(const std::string& text, std::size_t n) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i)
    out += text;
  return out;
}

}  // namespace

TEST_CASE("mistakes have a place and a code") {
  struct Case {
    std::string text;
    const char* expected;
  };
  const Case cases[] = {
      {"", "1:1 pattern.no-fusion"},
      {"# nothing\n", "2:1 pattern.no-fusion"},
      {"fusoin f { }", "1:1 pattern.unknown-keyword"},
      {"fusion { }", "1:8 pattern.syntax"},
      {"fusion in { }", "1:8 pattern.syntax"},
      {"fusion f match { }", "1:10 pattern.syntax"},
      {"fusion f { } }", "1:14 pattern.syntax"},
      {"fusion f {\n", "2:1 pattern.unclosed"},
      {"fusion f {\nfusion g { }", "2:1 pattern.unclosed"},
      {"fusion f { levle O1 }", "1:12 pattern.unknown-keyword"},
      {"fusion f { level O4 }", "1:18 pattern.level"},
      {"fusion f { numerics loose }", "1:21 pattern.numerics"},
      {"fusion f { pass 3 }", "1:17 pattern.syntax"},
      {"fusion f { pass raise pass raise }", "1:23 pattern.duplicate-section"},
      {"fusion f { doc words }", "1:16 pattern.syntax"},
      {"fusion f { doc \"words\n}", "1:16 pattern.character"},
      {"fusion f { doc \"a\\q\" }", "1:18 pattern.character"},
      {"fusion f { doc \"a\" doc \"b\" }", "1:20 pattern.duplicate-section"},
      {"fusion f { match { } match { } }", "1:22 pattern.duplicate-section"},
      {"fusion f { benefit 4294967296 }", "1:20 pattern.number"},
      {"fusion f { benefit high }", "1:20 pattern.number"},
      {"fusion f { requires fused }", "1:21 pattern.syntax"},
      {"fusion f { types T in {} }", "1:20 pattern.syntax"},
      {"fusion f { for op {add} }", "1:19 pattern.syntax"},
      {"fusion f { define g(%x) -> %y { } define g() { } }", "1:42 pattern.duplicate-name"},
      {"fusion f { ; }", "1:12 pattern.character"},
      {std::string("fusion f { \0 }", 14), "1:12 pattern.encoding"},
      {"fusion f {\n # \xff }", "2:4 pattern.encoding"},
      {"\xef\xbb\xbf fusion f { }", "1:1 pattern.encoding"},
      {in_match("kep %y = relu(%x)"), "2:1 pattern.unknown-keyword"},
      {in_match("%y = relu %x"), "2:11 pattern.syntax"},
      {in_match("%y = relu(x)"), "2:11 pattern.syntax"},
      {in_match("%y = %x"), "2:6 pattern.syntax"},
      {in_match("%y relu(%x)"), "2:4 pattern.syntax"},
      {in_match("keep keep %y = relu(%x)"), "2:6 pattern.syntax"},
      {in_match("%y = relu(%x) {eps == 1}"), "2:20 pattern.syntax"},
      {in_match("%y = relu(%x) {eps = any + 1}"), "2:26 pattern.syntax"},
      {in_match("%y = relu(%x) {sizes = [..., 1]}"), "2:25 pattern.syntax"},
      {in_match("%y = relu(%x) {axis = 9223372036854775808}"), "2:23 pattern.number"},
      {in_match("%y = relu(%x) {eps = 1e999}"), "2:22 pattern.number"},
      {in_match("%y = relu(%x) {eps = nan(0x0000000000000000)}"), "2:26 pattern.number"},
      {in_match("%y = relu(%x) {axis = 0x10}"), "2:23 pattern.number"},
      {in_match("%y = relu(%x) {axis = 10x}"), "2:23 pattern.character"},
      {in_match("%y = relu(%x) {axis = mod(1)}"), "2:23 pattern.syntax"},
      {in_match("%y = relu(%x) : T, T"), "2:15 pattern.arity"},
      {in_match("in %x: T[..., Q]"), "2:10 pattern.syntax"},
      {in_match("in %x: T[Q, ..]"), "2:13 pattern.syntax"},
      {in_match("either { in %x }"), "2:10 pattern.syntax"},
      {in_match("unless { %z = relu(%x) } or { %z = silu(%x) }"), "2:26 pattern.syntax"},
      {in_match("%y = rms_norm(through cast? %x)"), "2:15 pattern.syntax"},
      {"fusion f { define g(%x) -> %y { } match { keep %y = g(%x) } }", "1:43 pattern.use"},
      {in_rewrite("keep %a = relu(%x)"), "2:1 pattern.syntax"},
      {in_rewrite("%a = relu(%x) : T"), "2:15 pattern.syntax"},
      {in_rewrite("%y, %z = %a"), "2:10 pattern.syntax"},
      {in_rewrite("%a = silu(%x)\n%q = %a"), "3:1 pattern.unbound-value"},
      {in_rewrite("%a = silu(%z)\n%y = %a"), "2:1 pattern.unbound-value"},
      {in_rewrite("%y = %a"), "2:1 pattern.unbound-value"},
      {in_where("Q = 1"), "2:3 pattern.syntax"},
      {in_where("Q"), "3:1 pattern.syntax"},
      {in_where("$ == 1"), "2:1 pattern.character"},
      {in_where("Q == 1 && P == 2"), "2:8 pattern.character"},
      {in_where("Q in 8"), "2:6 pattern.syntax"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    CHECK(places(c.text) == c.expected);
  }
}

TEST_CASE("a diagnostic draws the line and suggests the nearest keyword") {
  const std::vector<Diagnostic> found = problems("fusion f {\n  match {\n    kep %y = relu(%x)\n  }\n}\n");
  REQUIRE(found.size() == 1);
  CHECK(
      to_string(found[0]) ==
      "f.fusion:3:5: error: unknown keyword 'kep'; did you mean 'keep'? [pattern.unknown-keyword]\n"
      "      kep %y = relu(%x)\n"
      "      ^\n"
      "  help: a statement is '%result = op(%operand) {attribute = value}', with 'keep', 'recompute' or 'optional' in "
      "front; or 'in', 'either', 'unless'\n");
}

TEST_CASE("an unknown value of the rewrite names the nearest one") {
  const std::vector<Diagnostic> found = problems(in_rewrite("%new = silu(%x)\n%yy = %new"));
  REQUIRE(found.size() == 1);
  CHECK(found[0].message.find("did you mean 'y'") != std::string::npos);
}

TEST_CASE("all mistakes of a file are reported at once") {
  CHECK(places(R"(fusion a {
  levl O1
  match {
    %y = relu %x
    %z = silu(%x) {eps = }
    keep %w = gelu(%x)
    %v == tanh(%x)
  }
  where {
    Q = 1
    constant(%w
    P == 2
  }
  rewrite {
    %n = op(%x
    %y = %n
  }
}
fusion b { match { = } }
)") == "2:3 pattern.unknown-keyword\n"
       "4:15 pattern.syntax\n"
       "5:26 pattern.syntax\n"
       "7:8 pattern.syntax\n"
       "10:7 pattern.syntax\n"
       "12:5 pattern.syntax\n"
       "16:5 pattern.syntax\n"
       "19:20 pattern.syntax");
}

TEST_CASE("a missing brace is reported where the next section starts, once") {
  CHECK(places("fusion f {\n  match {\n    %y = relu(%x)\n  rewrite {\n    %a = silu(%x)\n    %y = %a\n  }\n}\n") ==
        "4:3 pattern.unclosed");
}

TEST_CASE("reading stops after twenty mistakes") {
  const std::vector<Diagnostic> found = problems(in_match(repeated("%y = relu %x\n", 100)));
  CHECK(found.size() == max_fusion_errors);
  CHECK(found.back().notes.size() == 1);
}

TEST_CASE("nesting has a limit, and no depth exhausts the stack") {
  const std::size_t deep = 200000;
  CHECK(places(in_where(repeated("(", deep) + "1")) == "2:64 pattern.nesting");
  CHECK(places(in_where(repeated("-", deep) + "Q == 1")) == "2:64 pattern.nesting");
  CHECK(places(in_where("1" + repeated(" + 1", deep) + " == 2")) == "2:255 pattern.nesting");
  CHECK(places(in_match(repeated("either {", deep))).find("pattern.nesting") != std::string::npos);
}

TEST_CASE("size has limits") {
  CHECK(places(std::string(max_fusion_bytes + 1, ' ')) == "1:1 pattern.too-large");
  CHECK(places(in_match(repeated("f()\n", max_fusion_parts))).find("pattern.too-large") != std::string::npos);
}
