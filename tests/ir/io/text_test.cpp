// The text form: what it accepts, and what it says to mistakes.
#include "tests/support/catch.h"

#include <string>
#include <vector>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/text.h>

using namespace tandem;

namespace {

/// The diagnostics of a faulty text, as "line:column code".
std::vector<std::string> faults(std::string_view text) {
  try {
    parse_text(Context::create(), text);
  } catch (const Error& e) {
    std::vector<std::string> found;
    for (const Diagnostic& d : e.diagnostics()) {
      found.push_back(std::to_string(d.where.line) + ":" + std::to_string(d.where.column) + " " + d.code);
    }
    return found;
  }
  return {"no error"};
}
std::string message(std::string_view text) {
  try {
    parse_text(Context::create(), text, "g.graph");
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}
using Faults = std::vector<std::string>;

/// A graph of f32[4] inputs %x, %y with that body.
std::string with_body(std::string_view body) {
  return "graph @g(%x: f32[4], %y: f32[4]) {\n" + std::string(body) + "\n}\n";
}

}  // namespace

TEST_CASE("text: the example of the documentation reads") {
  const Graph g = parse_text(Context::create(), R"(
    # comments start with a hash
    // or with two slashes
    graph @mla_down(%x: bf16[T, 7168], %q_w: bf16[1536] = weight "q.weight", %kv_w: bf16[512] = weight,
                    %w: bf16[2112, 7168]) where T in 1..131072 {
      %p = linear %x, %w
      %q, %kv = split %p {axis = -1, sizes = [1536, 576]} : bf16[T, 1536], bf16[T, 576] @ "model.layers.0.self_attn"
      %c, %pe = split %kv {axis = -1,
                           sizes = [512, 64]}  # attributes may go over lines
      %qn = rms_norm %q, %q_w {eps = 1e-06}
      %0 = rms_norm %c, %kv_w {eps = 1e-06}
      return %qn, %0, %pe
    })");
  CHECK(g.num_nodes() == 5);
  CHECK(g.weights()[0].key.view() == "q.weight");
  CHECK(g.weights()[1].key.view() == "kv_w");
  CHECK(g.range(g.context().symbol("T").symbol()) == DimRange{1, 131072});
  CHECK(to_string(g.type(g.output(1))) == "bf16[T, 512]");
  CHECK(g.name(g.output(1)).empty());
  CHECK(g.scope(g.next(g.first())).view() == "model.layers.0.self_attn");
}

TEST_CASE("text: attributes equal to their default are left out") {
  auto context = Context::create();
  const Graph g =
      parse_text(context, with_body("%z = rms_norm %x {eps = 1.0, round_before_weight = false}\nreturn %z"));
  CHECK(to_text(g).find("{eps = 1.0} : f32[4]") != std::string::npos);
}

TEST_CASE("text: a value used before its definition is named with the line that defines it") {
  const std::string text = message(with_body("  %a = neg %b\n  %b = neg %x\n  return %b"));
  CHECK(text.find("g.graph:2:12: error: '%b' is used before it is defined [graph.order]") != std::string::npos);
  CHECK(text.find("it is defined in line 3") != std::string::npos);
  CHECK(text.find("    %a = neg %b\n             ^") != std::string::npos);
}

TEST_CASE("text: a NUL is shown where it stands, escaped") {
  const std::string text = message(with_body(std::string("  %a = ne\0g %x\n  return %a", 26)));
  CHECK(text.find("g.graph:2:10: error: a NUL byte (\\x00) stands here [text.syntax]") != std::string::npos);
  CHECK(text.find("    %a = ne\\x00g %x\n             ^") == std::string::npos);
  CHECK(text.find("    %a = ne\\x00g %x\n           ^\n") != std::string::npos);
  CHECK(message("graph @g() {\n  # a\x1b[31m" + std::string(1, '\0') + "\n}").find("# a\\x1b[31m\\x00\n") !=
        std::string::npos);
}

TEST_CASE("text: two weights of one key are of one type") {
  const auto graph = [](const std::string& a, const std::string& b) {
    return "graph @g(%a: " + a + " = weight \"k\",\n%b: " + b + " = weight \"k\") {\nreturn %a, %b\n}";
  };
  CHECK_NOTHROW(parse_text(Context::create(), graph("f32[4]", "f32[4]")));
  CHECK(faults(graph("f32[4]", "f32[5]")) == Faults{"2:21 graph.weight-key"});
  CHECK(faults(graph("f32[4]", "bf16[4]")) == Faults{"2:22 graph.weight-key"});
  CHECK(message(graph("f32[4]", "f32[5]")).find("the weight 'k' is f32[4] in one place and f32[5] here") !=
        std::string::npos);
}

TEST_CASE("text: each mistake has its place and code") {
  CHECK(faults("") == Faults{"1:1 text.syntax"});
  CHECK(faults("graph") == Faults{"1:6 text.syntax"});
  CHECK(faults("module @g() {}") == Faults{"1:1 text.syntax"});
  CHECK(faults(with_body("return %z")) == Faults{"2:8 graph.undefined-value"});
  CHECK(faults(with_body("%a = negg %x\nreturn")) == Faults{"2:6 graph.unknown-op"});
  CHECK(faults(with_body("%a = return %x\nreturn")) == Faults{"2:6 graph.unknown-op"});
  CHECK(faults(with_body("%a = neg %x, %y\nreturn")) == Faults{"2:6 graph.arity"});
  CHECK(faults(with_body("%a, %b = neg %x\nreturn")) == Faults{"2:10 graph.arity"});
  CHECK(faults(with_body("%x = neg %y\nreturn")) == Faults{"2:1 graph.duplicate-name"});
  CHECK(faults(with_body("%a = neg %a\nreturn")) == Faults{"2:10 graph.cycle"});
  CHECK(faults(with_body("%a = neg %x : f32[5]\nreturn")) == Faults{"2:15 graph.type"});
  CHECK(faults(with_body("%a = neg %x : f32[4], f32[4]\nreturn")) == Faults{"2:15 graph.type"});
  CHECK(faults(with_body("%a = neg %x {axis = 1}\nreturn")) == Faults{"2:14 graph.unknown-attribute"});
  CHECK(faults(with_body("%a = softmax %x\nreturn")) == Faults{"2:6 graph.missing-attribute"});
  CHECK(faults(with_body("%a = softmax %x {axis = 0, axis = 0}\nreturn")) == Faults{"2:28 graph.duplicate-attribute"});
  CHECK(faults(with_body("%a = softmax %x {axis = \"0\"}\nreturn")) == Faults{"2:25 graph.attribute-kind"});
  CHECK(faults(with_body("%a = softmax %x {axis = 1.5}\nreturn")) == Faults{"2:25 text.number"});
  CHECK(faults(with_body("%a = softmax %x {axis = 99999999999999999999}\nreturn")) == Faults{"2:25 text.number"});
  CHECK(faults(with_body("%a = rms_norm %x {eps = 9007199254740993}\nreturn")) == Faults{"2:25 text.number"});
  CHECK(faults(with_body("%a = rms_norm %x {eps = 1e400}\nreturn")) == Faults{"2:25 text.number"});
  CHECK(faults(with_body("%a = neg %x\n")) == Faults{"4:1 text.syntax"});
  CHECK(faults(with_body("%a = neg %x %b = neg %x\nreturn")) == Faults{"2:13 text.syntax"});
  CHECK(faults(with_body("return %x") + "graph @h() { return }") == Faults{"4:1 text.syntax"});
  CHECK(faults("graph @g(%x: f32[4]) where T in 5..1 { return }") == Faults{"1:28 graph.dim-range"});
  CHECK(faults("graph @g(%x: f32[4]) where T in 1..2, T in 1..2 { return }") == Faults{"1:39 graph.duplicate-dim"});
  CHECK(faults("graph @g(%x: f33[4]) { return }").at(0).ends_with("type.syntax"));
  CHECK(faults("graph @g(%x: f32[-4]) { return }") == Faults{"1:14 graph.type"});
  CHECK(faults("graph @g(%x: f32[4]) { %a = neg %\"x\n }") == Faults{"1:33 text.syntax"});
  CHECK(faults("\xef\xbb\xbfgraph @g() { return }") == Faults{"1:1 text.bom"});
  CHECK(faults("graph @g() {\n return \xff }") == Faults{"2:9 text.utf8"});
  CHECK(faults(std::string_view("graph @g() {\n \0 return }", 24)) == Faults{"2:2 text.syntax"});
}

TEST_CASE("text: several mistakes are reported at once, and none twice") {
  CHECK(faults(with_body("%a = neg %nowhere\n"      // undefined
                         "%b = neg %a\n"            // fine but for %a
                         "%c = softmax %x {axis\n"  // cut off
                         "%d = add %c, %y\n"        // fine but for %c
                         "%e = negg %x\n"           // unknown op
                         "return %e")) ==
        Faults{"2:10 graph.undefined-value", "5:1 text.syntax", "6:6 graph.unknown-op"});
}

TEST_CASE("text: reading stops after 20 errors") {
  std::string body;
  for (int i = 0; i < 100; ++i)
    body += "%a" + std::to_string(i) + " = neg %nowhere\n";
  CHECK(faults(with_body(body + "return")).size() == 20);
}

TEST_CASE("text: deep nesting ends in a diagnostic") {
  const std::string deep = "graph @g(%x: f32[" + std::string(100000, '(') + "1";
  CHECK(faults(deep).at(0).ends_with("type.syntax"));
  CHECK(faults(with_body("%a = softmax %x {axis = " + std::string(100000, '['))).size() == 1);
}

TEST_CASE("text: elements are rounded to nearest even, and refused beyond the dtype's range") {
  const auto written = [](std::string_view type, std::string_view number) {
    const std::string body =
        "%a = constant {value = dense " + std::string(type) + "[1] [" + std::string(number) + "]}\nreturn %a";
    if (const auto wrong = faults(with_body(body)); wrong != Faults{"no error"})
      return wrong.front().substr(wrong.front().find(' ') + 1);
    const std::string text = to_text(parse_text(Context::create(), with_body(body)));
    const std::size_t start = text.find("[1] [") + 5;
    return text.substr(start, text.find(']', start) - start);
  };
  CHECK(written("bf16", "1.00390625") == "1.0");  // half a step: to the even
  CHECK(written("bf16", "1.01171875") == "1.015625");
  CHECK(written("f16", "65519.0") == "65504.0");
  CHECK(written("f16", "65520.0") == "graph.literal");
  CHECK(written("f16", "5.960464477539063e-08") == "5.960464477539063e-08");  // the smallest subnormal
  CHECK(written("f8e4m3", "448") == "448.0");
  CHECK(written("f8e4m3", "465.0") == "graph.literal");
  CHECK(written("f8e4m3", "inf") == "graph.literal");
  CHECK(written("f8e4m3fnuz", "240.0") == "240.0");
  CHECK(written("f8e4m3fnuz", "249.0") == "graph.literal");
  CHECK(written("f8e4m3fnuz", "-0.0") == "0.0");
  CHECK(written("f8e5m2", "57344.0") == "57344.0");
  CHECK(written("f8e5m2", "61440.0") == "graph.literal");
  CHECK(written("f32", "1e39") == "graph.literal");
  CHECK(written("i8", "-128") == "-128");
  CHECK(written("i8", "128") == "graph.literal");
}
