// DOT and HTML: complete, and safe whatever the names are.
#include "tests/support/catch.h"

#include <nlohmann/json.hpp>

#include <tandem/ir/builder.h>
#include <tandem/ir/io/dot.h>
#include <tandem/ir/io/html.h>
#include <tandem/ir/io/text.h>

using namespace tandem;

namespace {

std::size_t count(std::string_view text, std::string_view what) {
  std::size_t n = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + what.size()))
    ++n;
  return n;
}

Graph two_layers(std::string_view name) {
  GraphBuilder b(Context::create(), name);
  Value x = b.input("x", DType::f32, {4});
  const Value w = b.weight("w", DType::f32, {4}, "the.key");
  for (const char* scope : {"model.layers.0", "model.layers.1"}) {
    b.set_scope(scope);
    x = b.op("mul", {b.op("silu", {x}), w});
  }
  b.set_scope("");
  b.output(b.named(name, b.op("neg", {x})));
  return std::move(b).finish();
}

/// The data that a page holds.
nlohmann::json data_of(std::string_view page) {
  const std::string_view open = "id=\"data\">";
  const std::size_t start = page.find(open) + open.size();
  return nlohmann::json::parse(page.substr(start, page.find("</script>", start) - start));
}

}  // namespace

TEST_CASE("DOT: each scope is a cluster, each operand an edge") {
  const std::string dot = to_dot(two_layers("g"));
  CHECK(count(dot, "subgraph cluster_") == 4);  // model, layers, 0, 1
  CHECK(count(dot, " -> ") == 8);
  CHECK(count(dot, "[label=\"mul\\n%") == 2);
  CHECK(count(dot, "{") == count(dot, "}"));
}

TEST_CASE("DOT: names cannot leave their quotes") {
  const std::string dot = to_dot(two_layers("a\"]; evil [\\"));
  CHECK(dot.find("digraph \"a\\\"]; evil [\\\\\" {") != std::string::npos);
}

TEST_CASE("HTML: the page holds all nodes, values and scopes, and asks the network for nothing") {
  const std::string page = to_html(two_layers("g"));
  const auto data = data_of(page);
  CHECK(data["nodes"].size() == 5);
  CHECK(data["values"].size() == 7);
  CHECK(data["values"][1]["key"] == "the.key");
  CHECK(data["scopes"].size() == 5);  // the root, too
  CHECK(data["scopes"][data["nodes"][0]["scope"].get<std::size_t>()]["path"] == "model.layers.0");
  CHECK(data["outputs"] == nlohmann::json::array({6}));
  CHECK(count(page, "http") == count(page, "http://www.w3.org/2000/svg"));
  CHECK(count(page, "src=") == 0);
  CHECK(count(page, "@import") == 0);
}

TEST_CASE("HTML: names cannot leave the page's script") {
  const std::string name = "</script><script>alert(1)</script><!--\xff&";
  const std::string page = to_html(two_layers(name));
  CHECK(count(page, "</script>") == count(to_html(two_layers("g")), "</script>"));
  CHECK(count(page, "<!--") == 0);
  CHECK(data_of(page)["values"][6]["name"].get<std::string>().find("</script><script>alert(1)") != std::string::npos);
}
