// docs/graph.schema.json says what the reader does: it is made from the op table, its examples validate, and what it
// refuses the reader refuses, too. `TANDEM_BLESS=1` writes it anew after a change of the op table.
#include "tests/support/catch.h"

#include <cstdlib>
#include <regex>

#include <nlohmann/json.hpp>

#include <tandem/ir/context.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/file.h>
#include <tandem/ir/io/json.h>
#include <tandem/ir/io/text.h>

#include "tests/support/json_schema.h"
#include "tests/support/random_graph.h"

using namespace tandem;
using Json = nlohmann::ordered_json;
using tandem::test::check_json;

namespace {

const std::string docs = TANDEM_TEST_DATA "/../../docs/";

// --- the schema

/// What an attribute of that kind looks like.
Json schema_of(AttrKind kind) {
  switch (kind) {
    case AttrKind::boolean: return {{"type", "boolean"}};
    case AttrKind::integer: return {{"type", "integer"}};
    case AttrKind::real: return {{"$ref", "#/$defs/real"}};
    case AttrKind::dtype: return {{"$ref", "#/$defs/dtype"}};
    case AttrKind::string: return {{"type", "string"}};
    case AttrKind::dim: return {{"$ref", "#/$defs/dim"}};
    case AttrKind::dims: return {{"type", "array"}, {"items", {{"$ref", "#/$defs/dim"}}}};
    case AttrKind::reals: return {{"type", "array"}, {"items", {{"$ref", "#/$defs/real"}}}};
    case AttrKind::tensor: return {{"$ref", "#/$defs/constant"}};
    case AttrKind::none: break;
  }
  return false;
}

/// The rule for nodes of one op: its attributes and how many operands and results it has.
Json rule_of(const OpDef& op) {
  Json attrs = {{"type", "object"}, {"properties", Json::object()}};
  Json required = Json::array();
  for (const AttrDef& a : op.attrs) {
    attrs["properties"][a.name] = schema_of(a.kind);
    if (!a.default_value)
      required.push_back(a.name);
  }
  attrs["additionalProperties"] = false;
  if (!required.empty())
    attrs["required"] = required;
  Json node = {{"properties", {{"attrs", attrs}, {"in", {{"minItems", op.min_operands}}}}}};
  if (!op.variadic_operands)
    node["properties"]["in"]["maxItems"] = op.operands.size();
  if (!op.variadic_results)
    node["properties"]["out"] = {{"minItems", op.results.size()}, {"maxItems", op.results.size()}};
  Json needed = Json::array();
  if (!required.empty())
    needed.push_back("attrs");
  if (op.min_operands != 0)
    needed.push_back("in");
  if (!op.variadic_results && !op.results.empty())
    needed.push_back("out");
  if (!needed.empty())
    node["required"] = needed;
  return {{"if", {{"properties", {{"op", {{"const", op.name}}}}}}}, {"then", node}};
}

Json make_schema() {
  Json schema = Json::parse(R"json({
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://tandem.invalid/graph.schema.json",
    "title": "A tensor graph, format tandem.graph version 1",
    "description": "Made from the op table by tests/ir/io/schema_test.cpp. What a schema cannot say (types, order, names) is in graph-format.md.",
    "type": "object",
    "required": ["format", "version", "nodes", "outputs"],
    "additionalProperties": false,
    "properties": {
      "format": {"const": "tandem.graph"},
      "version": {"const": 1},
      "name": {"type": "string"},
      "dims": {"type": "object", "additionalProperties": {"$ref": "#/$defs/range"}},
      "inputs": {"type": "array", "items": {"$ref": "#/$defs/input"}},
      "weights": {"type": "array", "items": {"$ref": "#/$defs/weight"}},
      "nodes": {"type": "array", "items": {"$ref": "#/$defs/node"}},
      "outputs": {"$ref": "#/$defs/names"}
    },
    "$defs": {
      "name": {"type": "string", "minLength": 1},
      "names": {"type": "array", "items": {"$ref": "#/$defs/name"}},
      "type": {"type": "string", "pattern": "^[ \\t]*(@DTYPES@)[ \\t]*\\[[^\\[\\]]*\\][ \\t]*$"},
      "dtype": {"enum": []},
      "dim": {"anyOf": [{"type": "integer"}, {"type": "string", "minLength": 1}]},
      "real": {"anyOf": [{"type": "number"}, {"type": "string", "pattern": "^(nan|-?inf|nan\\(0x[0-9a-fA-F]{16}\\))$"}]},
      "range": {
        "type": "object", "additionalProperties": false,
        "properties": {"min": {"$ref": "#/$defs/bound"}, "max": {"$ref": "#/$defs/bound"}}
      },
      "bound": {"type": "integer", "minimum": 0, "maximum": 2305843009213693952},
      "input": {
        "type": "object", "required": ["name", "type"], "additionalProperties": false,
        "properties": {"name": {"$ref": "#/$defs/name"}, "type": {"$ref": "#/$defs/type"}}
      },
      "weight": {
        "type": "object", "required": ["name", "type"], "additionalProperties": false,
        "properties": {"name": {"$ref": "#/$defs/name"}, "type": {"$ref": "#/$defs/type"}, "key": {"type": "string"}}
      },
      "constant": {
        "type": "object", "required": ["type", "data"], "additionalProperties": false,
        "properties": {
          "type": {"$ref": "#/$defs/type"},
          "data": {"anyOf": [
            {"type": "string", "pattern": "^0x([0-9a-fA-F]{2})*$"},
            {"type": "array", "items": {"anyOf": [{"$ref": "#/$defs/real"}, {"type": "boolean"}]}}
          ]}
        }
      },
      "core_op": {"enum": []},
      "node": {
        "type": "object", "required": ["op"], "additionalProperties": false,
        "properties": {
          "op": {"description": "An op of core_op, or one that an engine added.", "type": "string"},
          "in": {"$ref": "#/$defs/names"},
          "out": {"$ref": "#/$defs/names"},
          "attrs": {"type": "object"},
          "types": {"type": "array", "items": {"$ref": "#/$defs/type"}},
          "scope": {"type": "string"}
        },
        "allOf": []
      }
    }
  })json");
  Json& defs = schema["$defs"];
  std::string dtypes;
  for (DType d : all_dtypes()) {
    defs["dtype"]["enum"].push_back(to_string(d));
    dtypes += (dtypes.empty() ? "" : "|") + std::string(to_string(d));
  }
  std::string pattern = defs["type"]["pattern"];
  pattern.replace(pattern.find("@DTYPES@"), 8, dtypes);
  defs["type"]["pattern"] = pattern;
  const auto context = Context::create();
  for (const OpDef& op : context->ops()) {
    if (!context->find_op(op.name))
      continue;  // `return` is no node
    defs["core_op"]["enum"].push_back(op.name);
    defs["node"]["allOf"].push_back(rule_of(op));
  }
  return schema;
}

/// The keys that the reader names when it meets an unknown one.
std::vector<std::string> keys_of_reader(const std::string& document) {
  try {
    parse_json(Context::create(), document);
  } catch (const Error& e) {
    for (const Diagnostic& d : e.diagnostics()) {
      if (d.code != "json.unknown-key")
        continue;
      std::vector<std::string> keys;
      const std::regex quoted("'([a-z]+)'");
      for (auto it = std::sregex_iterator(d.help.begin(), d.help.end(), quoted); it != std::sregex_iterator(); ++it)
        keys.push_back((*it)[1]);
      return keys;
    }
  }
  return {};
}
std::vector<std::string> keys_of(const Json& properties) {
  std::vector<std::string> keys;
  for (const auto& [key, rule] : properties.items())
    keys.push_back(key);
  return keys;
}

/// The fenced blocks of one language in a page.
std::vector<std::string> blocks(const std::string& page, const std::string& language) {
  std::vector<std::string> found;
  const std::string open = "```" + language + "\n";
  for (std::size_t at = page.find(open); at != std::string::npos; at = page.find(open, at)) {
    at += open.size();
    found.push_back(page.substr(at, page.find("```", at) - at));
  }
  return found;
}

}  // namespace

TEST_CASE("schema: the shipped schema is the op table's") {
  const std::string made = make_schema().dump(1) + "\n";
  if (std::getenv("TANDEM_BLESS") != nullptr)
    write_file(docs + "graph.schema.json", made);
  CHECK(read_file(docs + "graph.schema.json") == made);
}

TEST_CASE("schema: its keys are those that the reader knows") {
  const Json schema = make_schema();
  const std::string head = R"({"format": "tandem.graph", "version": 1, "outputs": [])";
  const Json& defs = schema["$defs"];
  CHECK(keys_of_reader(head + R"(, "nodes": [], "odd": 0})") == keys_of(schema["properties"]));
  CHECK(keys_of_reader(head + R"(, "nodes": [{"odd": 0}]})") == keys_of(defs["node"]["properties"]));
  CHECK(keys_of_reader(head + R"(, "nodes": [], "weights": [{"odd": 0}]})") == keys_of(defs["weight"]["properties"]));
  CHECK(keys_of_reader(head + R"(, "nodes": [], "dims": {"T": {"odd": 0}}})") == keys_of(defs["range"]["properties"]));
}

TEST_CASE("schema: what is written validates") {
  const Json schema = make_schema();
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const std::string text = to_json(test::random_graph(Context::create(), seed));
    INFO(text);
    CHECK(check_json(schema, Json::parse(text)) == "");
  }
}

TEST_CASE("schema: the examples of the documentation read and validate") {
  const Json schema = make_schema();
  const std::string page = read_file(docs + "graph-format.md");
  const auto json = blocks(page, "json"), text = blocks(page, "text");
  CHECK(json.size() >= 2);
  CHECK(text.size() >= 2);
  for (const std::string& example : json) {
    INFO(example);
    CHECK(check_json(schema, Json::parse(example)) == "");
    CHECK_NOTHROW(parse_json(Context::create(), example));
  }
  for (const std::string& example : text) {
    INFO(example);
    CHECK_NOTHROW(parse_text(Context::create(), example));
  }
}

TEST_CASE("schema: what it refuses, the reader refuses") {
  const Json schema = make_schema();
  const std::string good =
      R"({"format": "tandem.graph", "version": 1, "dims": {"T": {"min": 1}}, "inputs": [{"name": "x", "type": "f32[T, 4]"}],
    "nodes": [{"op": "softmax", "in": ["x"], "out": ["y"], "attrs": {"axis": -1}, "types": ["f32[T, 4]"]}], "outputs": ["y"]})";
  const auto changed = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  CHECK(check_json(schema, Json::parse(good)) == "");
  CHECK_NOTHROW(parse_json(Context::create(), good));
  for (const std::string& bad :
       {changed("tandem.graph", "other"), changed("\"version\": 1", "\"version\": 2"),
        changed("\"min\": 1", "\"min\": -1"), changed("\"min\": 1", "\"least\": 1"), changed("\"name\": \"x\", ", ""),
        changed("\"x\"", "\"\""), changed("f32[T, 4]", "f33[T, 4]"), changed("\"in\": [\"x\"]", "\"in\": []"),
        changed("\"in\": [\"x\"]", "\"in\": [\"x\", \"x\"]"), changed("[\"y\"]", "[\"y\", \"z\"]"),
        changed("\"axis\": -1", "\"axis\": \"-1\""), changed("\"axis\": -1", "\"dim\": -1"),
        changed("{\"axis\": -1}", "{}"), changed(", \"outputs\": [\"y\"]", ""),
        changed("\"outputs\": [\"y\"]", "\"outputs\": \"y\"")}) {
    INFO(bad);
    CHECK(check_json(schema, Json::parse(bad)) != "");
    CHECK_THROWS_AS(parse_json(Context::create(), bad), Error);
  }
}
