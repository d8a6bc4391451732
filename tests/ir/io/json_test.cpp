// The JSON form: what it accepts, and what it says to mistakes.
#include "tests/support/catch.h"

#include <string>
#include <vector>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/json.h>
#include <tandem/ir/io/text.h>
#include <tandem/ir/verifier.h>

using namespace tandem;

namespace {

/// The diagnostics of a faulty document, as "line:column path code".
std::vector<std::string> faults(std::string_view text) {
  try {
    parse_json(Context::create(), text);
  } catch (const Error& e) {
    std::vector<std::string> found;
    for (const Diagnostic& d : e.diagnostics()) {
      found.push_back(std::to_string(d.where.line) + ":" + std::to_string(d.where.column) + " " + d.where.path +
                      (d.where.path.empty() ? "" : " ") + d.code);
    }
    return found;
  }
  return {"no error"};
}
std::string message(std::string_view text) {
  try {
    parse_json(Context::create(), text, "g.json");
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}
using Faults = std::vector<std::string>;

/// A document with f32[4] inputs x, y; the nodes start in line 2, the outputs in the line after them.
std::string with_nodes(std::string_view nodes, std::string_view outputs = "[]") {
  return R"({"format": "tandem.graph", "version": 1, "inputs": [{"name": "x", "type": "f32[4]"}, {"name": "y", "type": "f32[4]"}],
"nodes": [)" +
         std::string(nodes) + "],\n\"outputs\": " + std::string(outputs) + "}";
}

}  // namespace

TEST_CASE("JSON: the example of the documentation reads") {
  const Graph g = parse_json(Context::create(), R"(
    {"format": "tandem.graph", "version": 1, "name": "mla_down",
     "dims": {"T": {"min": 1, "max": 131072}},
     "inputs":  [{"name": "x", "type": "bf16[T, 2112]"}],
     "weights": [{"name": "q_w", "type": "bf16[1536]", "key": "model.layers.0.self_attn.q_a_layernorm.weight"}],
     "nodes":   [{"op": "split", "in": ["x"], "out": ["q", "kv"], "attrs": {"axis": -1, "sizes": [1536, 576]},
                  "types": ["bf16[T, 1536]", "bf16[T, 576]"]},
                 {"op": "rms_norm", "in": ["q", "q_w"], "out": ["0"], "attrs": {"eps": 1e-06}, "scope": "model"}],
     "outputs": ["0", "kv"]})");
  CHECK(g.name() == "mla_down");
  CHECK(to_string(g.type(g.output(0))) == "bf16[T, 1536]");
  CHECK(g.name(g.output(0)).empty());
  CHECK(g.weights()[0].key.view() == "model.layers.0.self_attn.q_a_layernorm.weight");
  CHECK(g.range(g.context().symbol("T").symbol()) == DimRange{1, 131072});
  CHECK(verify(g).empty());
}

TEST_CASE("JSON: nodes in any order are sorted, stably") {
  const Graph g = parse_json(Context::create(), with_nodes(R"({"op": "neg", "in": ["b"], "out": ["c"]},
    {"op": "abs", "in": ["x"], "out": ["a"]}, {"op": "add", "in": ["a", "y"], "out": ["b"]}, {"op": "exp", "in": ["x"], "out": ["d"]})",
                                                           R"(["c", "d"])"));
  std::string ops;
  for (Node n : g.nodes())
    ops += g.def(n).name + " ";
  CHECK(ops == "abs add neg exp ");
  CHECK(verify(g).empty());
}

TEST_CASE("JSON: a cycle is refused by name") {
  const std::string text =
      with_nodes(R"({"op": "neg", "in": ["c"], "out": ["a"]}, {"op": "abs", "in": ["a"], "out": ["b"]},
    {"op": "add", "in": ["b", "x"], "out": ["c"]}, {"op": "exp", "in": ["c"], "out": ["d"]})",
                 R"(["d"])");
  CHECK(faults(text) == Faults{"2:31 nodes[0].in graph.cycle"});
  CHECK(message(text).find(R"("a" -> "b" -> "c" -> "a")") != std::string::npos);
  CHECK(faults(with_nodes(R"({"op": "neg", "in": ["a"], "out": ["a"]})")) == Faults{"2:31 nodes[0].in graph.cycle"});
}

TEST_CASE("JSON: two weights of one key are of one type") {
  const auto graph = [](const std::string& type) {
    return R"({"format": "tandem.graph", "version": 1, "name": "g", "inputs": [], "weights": [
{"name": "a", "type": "f32[4]", "key": "k"}, {"name": "b", "type": ")" +
           type + R"(", "key": "k"}],
"nodes": [], "outputs": ["a", "b"]})";
  };
  CHECK_NOTHROW(parse_json(Context::create(), graph("f32[4]")));
  CHECK(faults(graph("f32[5]")) == Faults{"2:46 weights[1] graph.weight-key"});
}

TEST_CASE("JSON: each mistake has its line, column, path and code") {
  const auto node = [](std::string_view rest) { return faults(with_nodes("{" + std::string(rest) + "}")); };
  CHECK(node(R"("op": "negg", "in": ["x"], "out": ["a"])") == Faults{"2:18 nodes[0].op graph.unknown-op"});
  CHECK(node(R"("op": "return", "in": ["x"], "out": [])") == Faults{"2:18 nodes[0].op graph.unknown-op"});
  CHECK(node(R"("op": 3)") == Faults{"2:18 nodes[0].op json.kind"});
  CHECK(node(R"("in": ["x"], "out": ["a"])") == Faults{"2:11 nodes[0] json.missing-key"});
  CHECK(node(R"("op": "neg", "in": ["z"], "out": ["a"])") == Faults{"2:32 nodes[0].in[0] graph.undefined-value"});
  CHECK(node(R"("op": "neg", "in": ["x", "y"], "out": ["a"])") == Faults{"2:31 nodes[0].in graph.arity"});
  CHECK(node(R"("op": "neg", "in": "x", "out": ["a"])") == Faults{"2:31 nodes[0].in json.kind"});
  CHECK(node(R"("op": "neg", "in": [7], "out": ["a"])") == Faults{"2:32 nodes[0].in[0] json.kind"});
  CHECK(node(R"("op": "neg", "in": ["x"], "out": ["a", "b"])") == Faults{"2:45 nodes[0].out graph.arity"});
  CHECK(node(R"("op": "neg", "in": ["x"], "out": [])") == Faults{"2:45 nodes[0].out graph.arity"});
  CHECK(node(R"("op": "neg", "in": ["x"], "out": [""])") == Faults{"2:46 nodes[0].out[0] json.name"});
  CHECK(node(R"("op": "neg", "in": ["x"], "out": ["a\u0000"])") == Faults{"2:46 nodes[0].out[0] json.name"});
  CHECK(node(R"("op": "neg", "in": ["x"], "out": ["y"])") == Faults{"2:46 nodes[0].out[0] graph.duplicate-name"});
  CHECK(node(R"("op": "neg", "in": ["x"], "out": ["a"], "extra": 1)") ==
        Faults{"2:52 nodes[0].extra json.unknown-key"});
  CHECK(node(R"("op": "neg", "op": "abs", "in": ["x"], "out": ["a"])") ==
        Faults{"2:25 nodes[0].op json.duplicate-key"});
  CHECK(node(R"("op": "neg", "in": ["x"], "out": ["a"], "types": ["f32[5]"])") ==
        Faults{"2:62 nodes[0].types[0] graph.type"});
  CHECK(node(R"("op": "neg", "in": ["x"], "out": ["a"], "types": ["f33[4]"])") ==
        Faults{"2:62 nodes[0].types[0] type.syntax"});
  CHECK(node(R"("op": "neg", "in": ["x"], "out": ["a"], "types": [])") == Faults{"2:61 nodes[0].types graph.type"});
  CHECK(node(R"("op": "neg", "in": ["x"], "out": ["a"], "attrs": {"axis": 0})") ==
        Faults{"2:62 nodes[0].attrs.axis graph.unknown-attribute"});
  CHECK(node(R"("op": "softmax", "in": ["x"], "out": ["a"])") == Faults{"2:11 nodes[0] graph.missing-attribute"});
  CHECK(node(R"("op": "softmax", "in": ["x"], "out": ["a"], "attrs": {"axis": 0, "axis": 0})") ==
        Faults{"2:77 nodes[0].attrs.axis json.duplicate-key"});
  CHECK(node(R"("op": "softmax", "in": ["x"], "out": ["a"], "attrs": {"axis": 0.0})") ==
        Faults{"2:74 nodes[0].attrs.axis graph.attribute-kind"});
  CHECK(node(R"("op": "softmax", "in": ["x"], "out": ["a"], "attrs": {"axis": 5})")
            .at(0)
            .ends_with("nodes[0] graph.type"));
  CHECK(node(R"("op": "rms_norm", "in": ["x"], "out": ["a"], "attrs": {"eps": 9007199254740993})") ==
        Faults{"2:74 nodes[0].attrs.eps json.number"});
  CHECK(node(R"("op": "rms_norm", "in": ["x"], "out": ["a"], "attrs": {"eps": "tiny"})") ==
        Faults{"2:74 nodes[0].attrs.eps json.kind"});
  CHECK(node(R"("op": "split", "in": ["x"], "out": ["a"], "attrs": {"axis": 0, "sizes": [2, "T +"]})") ==
        Faults{"2:88 nodes[0].attrs.sizes[1] dim.syntax"});
  CHECK(node(R"("op": "constant", "out": ["a"], "attrs": {"value": {"type": "u8[2]", "data": [1, 300]}})") ==
        Faults{"2:93 nodes[0].attrs.value.data[1] graph.literal"});
  CHECK(node(R"("op": "constant", "out": ["a"], "attrs": {"value": {"type": "u8[99999999999]", "data": []}})") ==
        Faults{"2:72 nodes[0].attrs.value.type graph.literal"});
  CHECK(faults(with_nodes("", R"(["z"])")) == Faults{"3:13 outputs[0] graph.undefined-value"});
  CHECK(faults(R"({"format": "tandem.graph", "version": 1})") ==
        Faults{"1:1 json.missing-key", "1:1 json.missing-key"});
  CHECK(faults(R"({"format": "tandem.graph", "version": 2, "nodes": [], "outputs": []})") ==
        Faults{"1:39 version json.version"});
  CHECK(faults(R"({"format": "onnx", "version": 1, "nodes": [], "outputs": []})") == Faults{"1:12 format json.format"});
  CHECK(faults(R"({"format": "tandem.graph", "version": 1, "nodes": [], "outputs": [], "node": []})") ==
        Faults{"1:70 node json.unknown-key"});
  CHECK(faults(R"({"format": "tandem.graph", "version": 1, "nodes": [], "outputs": [], "nodes": []})") ==
        Faults{"1:70 nodes json.duplicate-key"});
  CHECK(
      faults(
          R"({"format": "tandem.graph", "version": 1, "nodes": [], "outputs": [], "dims": {"T": {"min": 5, "max": 1}}})") ==
      Faults{"1:84 dims.T graph.dim-range"});
  CHECK(faults(R"({"format": "tandem.graph", "version": 1, "nodes": [], "outputs": [], "dims": {"T x": {}}})") ==
        Faults{"1:79 dims[\"T x\"] json.dim-name"});
  CHECK(
      faults(
          R"({"format": "tandem.graph", "version": 1, "nodes": [], "outputs": [], "inputs": [{"name": "x", "type": "f32[-1]"}]})") ==
      Faults{"1:103 inputs[0].type graph.type"});
  CHECK(
      faults(
          R"({"format": "tandem.graph", "version": 1, "nodes": [], "outputs": [], "inputs": [{"name": "x", "type": "f32[]", "key": "k"}]})") ==
      Faults{"1:112 inputs[0].key json.unknown-key"});
}

TEST_CASE("JSON: what is not JSON is explained with its place") {
  CHECK(faults("") == Faults{"1:1 json.syntax"});
  CHECK(faults("  \n ") == Faults{"2:2 json.syntax"});
  CHECK(faults("[]") == Faults{"1:1 json.kind"});
  CHECK(faults("{\"a\": 1,\n \"b\" 2}") == Faults{"2:6 json.syntax"});
  CHECK(faults("{\"a\" \"b \\\" c\"}") == Faults{"1:6 json.syntax"});
  CHECK(faults("{\"a\" -12.5}") == Faults{"1:6 json.syntax"});
  CHECK(faults("{\"format\": \"tandem.graph\",\n \"nodes\": [{\"op\": ") == Faults{"2:19 json.syntax"});
  CHECK(message("{\"format\": ").find("cut off") != std::string::npos);
  CHECK(faults(with_nodes("") + " x") == Faults{"3:16 json.syntax"});
  CHECK(faults("\xef\xbb\xbf{}") == Faults{"1:1 json.bom"});
  CHECK(faults("{\n\"\xc3\x28\": 1}") == Faults{"2:2 json.utf8"});
  CHECK(faults(std::string_view("{\n\0}", 4)) == Faults{"2:1 json.syntax"});
  CHECK(faults(std::string(100000, '[')) == Faults{"1:65 json.depth"});
  CHECK(faults("{\"a\": 1e999}") == Faults{"1:7 json.number"});
  CHECK(faults("{\"a\": 123456789012345678901234567890}") == Faults{"1:7 json.number"});
  CHECK(faults("{\"a\": 01}") == Faults{"1:7 json.syntax"});
  CHECK(faults("{\"a\": NaN}") == Faults{"1:7 json.syntax"});
}

TEST_CASE("JSON: several mistakes are reported at once, and what depends on them is not") {
  CHECK(faults(with_nodes(R"({"op": "negg", "in": ["x"], "out": ["a"]},
{"op": "neg", "in": ["a"], "out": ["b"]},
{"op": "neg", "in": ["b", "x"], "out": ["c"]},
{"op": "softmax", "in": ["x"], "out": ["d"]})",
                          R"(["d"])")) ==
        Faults{"2:18 nodes[0].op graph.unknown-op", "5:1 nodes[3] graph.missing-attribute"});
}

TEST_CASE("JSON: reading stops after 20 errors") {
  std::string nodes;
  for (int i = 0; i < 100; ++i)
    nodes += (i == 0 ? "" : ",") + std::string(R"({"op": "nope", "in": [], "out": []})");
  CHECK(faults(with_nodes(nodes)).size() == 20);
}

TEST_CASE("JSON: a diagnostic says what to do") {
  const std::string text =
      message(with_nodes(R"({"op": "softmax", "in": ["x"], "out": ["y2"], "attrs": {"axes": -1}})"));
  CHECK(text.find(
            "g.json:2:67: nodes[0].attrs.axes: error: op 'softmax' has no attribute 'axes'; did you mean 'axis'?") !=
        std::string::npos);
  CHECK(text.find("help: softmax(x) -> y {axis: int}") != std::string::npos);
}
