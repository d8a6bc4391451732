// The JSON form: what a program writes, and what it is told when it writes it wrong.

#include <string>

#include <nlohmann/json.hpp>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/json.h>
#include <tandem/passes/pattern/text.h>

#include "tests/support/catch.h"

using namespace tandem;

namespace {

/// "line:column path code" of each problem, one a line.
std::string problems(const std::string& json) {
  std::string out;
  try {
    parse_fusions_json(json, "f.json");
  } catch (const Error& e) {
    for (const Diagnostic& d : e.diagnostics()) {
      out += (out.empty() ? "" : "\n") + std::to_string(d.where.line) + ":" + std::to_string(d.where.column) + " " +
             d.where.path + " " + d.code;
    }
  }
  return out;
}

std::string fusion_with(const std::string& members) {
  return "[{\"name\": \"f\", " + members + "}]";
}

}  // namespace

TEST_CASE("a fusion reads the same in JSON and in text") {
  const std::string json = R"j([{
    "name": "f", "doc": "d", "level": "O2", "pass": "raise", "flag": "g",
    "numerics": "relaxed", "benefit": 3, "requires": ["k"], "platforms": ["rocm"],
    "families": [{"name": "op", "values": ["add", "sub"]}],
    "types": [{"name": "T", "dtypes": ["bf16"]}, {"name": "S"}], "dims": ["Q"],
    "definitions": [{"name": "r", "params": ["x"], "results": ["y"], "match": [{"op": "relu", "in": ["x"], "out": ["y"]}]}],
    "inputs": [{"name": "x", "type": "T[.., Q]"}],
    "match": [
      {"use": "r", "in": ["x"], "out": ["a"]},
      {"either": [[{"op": "silu", "in": ["a"], "out": ["b"], "keep": true, "types": ["T"]}],
                  [{"op": "op", "in": ["a", "a"], "out": ["b"]}]]},
      {"unless": [[{"op": "gelu", "in": ["b"], "out": ["_"]}]]},
      {"op": "rms_norm", "in": ["b"], "out": ["c"],
       "attrs": [{"name": "eps", "value": "$eps"}, {"name": "k", "compare": "<=", "value": 8},
                 {"name": "sizes", "value": ["Q", "2 * Q", "..."]}, {"name": "mode", "compare": "in", "value": ["\"a\""]},
                 {"name": "scale", "compare": "any"}, {"name": "r", "value": 1.0}, {"name": "i", "value": "-inf"}]}],
    "where": [{"compare": "==", "args": ["Q % 8", 0]}, {"predicate": "weight", "args": ["%x"], "not": true}],
    "rewrite": [{"op": "fused", "in": ["x"], "out": ["n"], "attrs": [{"name": "flag", "value": true}]}],
    "replace": [{"matched": "c", "by": "n"}]}])j";
  const std::string text = R"(fusion f {
    doc "d" level O2 pass raise flag g numerics relaxed benefit 3 requires kernel(k) platforms rocm
    for op in {add, sub} types T in {bf16}, S dims Q
    define r(%x) -> %y { %y = relu(%x) }
    match {
      in %x: T[.., Q]
      %a = r(%x)
      either { keep %b = silu(%a) : T } or { %b = op(%a, %a) }
      unless { _ = gelu(%b) }
      %c = rms_norm(%b) {eps = $eps, k <= 8, sizes = [Q, 2 * Q, ...], mode in {"a"}, scale = any, r = 1.0, i = -inf}
    }
    where { Q % 8 == 0  not weight(%x) }
    rewrite {
      %n = fused(%x) {flag = true}
      %c = %n
    }
  })";
  const std::vector<Pattern> from_json = parse_fusions_json(json, "f.json");
  CHECK(from_json == parse_fusions(text, "f.fusion"));
  CHECK(to_string(from_json[0].match[0].span) == "f.json:9:7");
}

TEST_CASE("mistakes have a path, a place and a code") {
  struct Case {
    std::string json;
    const char* expected;
  };
  const Case cases[] = {
      {"{", "1:2  pattern.json-syntax"},
      {"[1,]", "1:4  pattern.json-syntax"},
      {"[]", "1:1  pattern.no-fusion"},
      {"{\"format\": \"x\", \"version\": 1, \"fusions\": [{\"name\": \"f\"}]}", "1:12 format pattern.json-format"},
      {"{\"format\": \"tandem.fusion\", \"version\": 2, \"fusions\": [{\"name\": \"f\"}]}",
       "1:40 version pattern.json-format"},
      {"[{\"nam\": \"f\"}]", "1:3 [0].nam pattern.json-unknown-key\n1:2 [0] pattern.json-missing"},
      {"[{\"name\": \"f\", \"name\": \"g\"}]", "1:16  pattern.json-duplicate-key"},
      {"[7]", "1:2 [0] pattern.json-kind"},
      {fusion_with("\"dims\": \"Q\""), "1:24 [0].dims pattern.json-kind"},
      {fusion_with("\"dims\": [1]"), "1:25 [0].dims[0] pattern.json-kind"},
      {fusion_with("\"level\": 1"), "1:25 [0].level pattern.level"},
      {fusion_with("\"numerics\": \"loose\""), "1:28 [0].numerics pattern.numerics"},
      {fusion_with("\"benefit\": 1.5"), "1:27 [0].benefit pattern.number"},
      {fusion_with("\"benefit\": 99999999999999999999"), "1:27  pattern.number"},
      {fusion_with("\"inputs\": [{\"name\": \"x\", \"type\": \"T[\"}]"), "1:49 [0].inputs[0].type pattern.syntax"},
      {fusion_with("\"match\": [{\"op\": \"f\", \"kep\": true}]"), "1:38 [0].match[0].kep pattern.json-unknown-key"},
      {fusion_with("\"match\": [{\"op\": \"f\", \"keep\": 1}]"), "1:46 [0].match[0].keep pattern.json-kind"},
      {fusion_with("\"match\": [{\"op\": \"f\", \"types\": [\"T\"]}]"), "1:26 [0].match[0].types pattern.arity"},
      {fusion_with("\"match\": [{\"op\": \"f\", \"in\": [\"x\"], \"through\": [{\"operand\": 1, \"op\": \"g\"}]}]"),
       "1:75 [0].match[0].through[0].operand pattern.json-kind"},
      {fusion_with("\"match\": [{\"op\": \"f\", \"in\": [\"x...\"], \"through\": [{\"operand\": 0, \"op\": \"g\"}]}]"),
       "1:78 [0].match[0].through[0].operand pattern.json-kind"},
      {fusion_with("\"match\": [{\"op\": \"f\", \"in\": [\"x\"], \"through\": [{\"op\": \"g\", \"max\": 1}]}]"),
       "1:75 [0].match[0].through[0].max pattern.json-unknown-key\n1:63 [0].match[0].through[0] pattern.json-missing"},
      {fusion_with("\"match\": [{\"either\": []}]"), "1:26 [0].match[0].either pattern.json-kind"},
      {fusion_with("\"match\": [{\"op\": \"f\", \"attrs\": [{\"name\": \"a\", \"compare\": \"~\", \"value\": 1}]}]"),
       "1:73 [0].match[0].attrs[0].compare pattern.json-kind"},
      {fusion_with("\"match\": [{\"op\": \"f\", \"attrs\": [{\"name\": \"a\", \"value\": null}]}]"),
       "1:71 [0].match[0].attrs[0].value pattern.json-kind"},
      {fusion_with("\"where\": [{\"compare\": \"==\", \"args\": [1]}]"), "1:26 [0].where[0].args pattern.json-kind"},
      {fusion_with("\"where\": [{\"args\": [1, 2]}]"), "1:26 [0].where[0] pattern.json-missing"},
      {fusion_with("\"replace\": [{\"matched\": \"y\"}]"), "1:28 [0].replace[0] pattern.json-missing"},
      {"[\"\xff\"]", "1:3  pattern.encoding"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.json);
    CHECK(problems(c.json) == c.expected);
  }
}

TEST_CASE("JSON nests no deeper than text") {
  CHECK(problems(std::string(100000, '[')).find("pattern.nesting") != std::string::npos);
  const std::string list = fusion_with("\"where\": [{\"compare\": \"==\", \"args\": [" + std::string(70, '[') +
                                       std::string(70, ']') + ", 1]}]");
  CHECK(problems(list).find("pattern.nesting") != std::string::npos);
}
