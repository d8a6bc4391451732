// What becomes of an exported program: names, scopes, weights, sizes, in-place writes, and what is refused.
#include <tandem/ir/io/torch_export.h>

#include <string>
#include <string_view>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/text.h>
#include <tests/support/catch.h>
#include <tests/support/torch_program.h>

using namespace tandem;
using namespace tandem::test;
using Catch::Matchers::ContainsSubstring;

namespace {

ImportedProgram import_json(const std::string& json) {
  return import_torch_export_bytes(Context::create(), json, "p.json");
}

std::string text_of(std::string_view program) {
  return to_text(import_json(torch_program(program)).graph);
}

Diagnostic fault(const std::string& json) {
  try {
    import_json(json);
  } catch (const Error& e) {
    REQUIRE(e.diagnostics().size() > 0);
    return e.diagnostics().front();
  }
  return {};
}

std::string code(std::string_view program) {
  return fault(torch_program(program)).code;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("torch importer: names, ranges, weights and scopes are kept") {
  const auto program = import_json(torch_program(R"(
    range s0 = 2..64
    x: f32[s0, 4]
    p_w: f32[3, 4] = weight layers.0.inner.weight
    y: f32[s0, 3] = aten.linear.default(input=x, weight=p_w)
    return y)"));
  const Graph& g = program.graph;
  CHECK(to_text(g) ==
        R"(graph @main(%x: f32[s0, 4], %p_w: f32[3, 4] = weight "layers.0.inner.weight") where s0 in 2..64 {
  %y = linear %x, %p_w : f32[s0, 3] @ "layers.0.inner"
  return %y
}
)");
  CHECK(program.torch_version == "2.11.0");
}

TEST_CASE("torch importer: a dtype or size that inference cannot give is checked against the program") {
  CHECK(code("x: f32[2]\n y: f32[3] = aten.neg.default(self=x)\n return y") == "torch.type");
  CHECK(code("x: f32[8]\n y: f32[4] = aten.slice.Tensor(self=x, dim=0, start=1, end=9223372036854775807)\n return y") ==
        "torch.type");
  CHECK(code("x: f32[2]\n y: f64[2] = aten.neg.default(self=x)\n return y") == "torch.type");
}

TEST_CASE("torch importer: writes through views become values") {
  CHECK(text_of(R"(
    x: f32[2, 3]
    z: f32[2, 6] = aten.new_empty.default(self=x, size=[2, 6])
    a: f32[2, 3] = aten.slice.Tensor(self=z, dim=1, start=0, end=3)
    c: f32[2, 3] = aten.copy_.default(self=a, src=x)
    b: f32[2, 3] = aten.slice.Tensor(self=z, dim=1, start=3, end=6)
    d: f32[2, 3] = aten.copy_.default(self=b, src=x)
    return z)") == R"(graph @main(%x: f32[2, 3]) {
  %0 = concat %x, %x {axis = 1} : f32[2, 6] @ "layers.0.inner"
  return %0
}
)");
  // What was read before the write keeps its value; what is read after it sees it, through any alias.
  CHECK(text_of(R"(
    x: f32[4]
    y: f32[4] = aten.clone.default(self=x)
    v: f32[4] = aten.detach.default(self=y)
    before: f32[4] = aten.neg.default(self=v)
    w: f32[4] = aten.add_.Tensor(self=y, other=1.0)
    after: f32[4] = aten.neg.default(self=v)
    return before, after)") == R"(graph @main(%x: f32[4]) {
  %before = neg %x : f32[4] @ "layers.0.inner"
  %0 = full {shape = [], value = 1.0, dtype = f32} : f32[] @ "layers.0.inner"
  %w = add %x, %0 : f32[4] @ "layers.0.inner"
  %after = neg %w : f32[4] @ "layers.0.inner"
  return %before, %after
}
)");
  CHECK(fault(torch_program(R"(
    x: f32[4]
    e: f32[2, 4] = aten.expand.default(self=x, size=[2, 4])
    w: f32[2, 4] = aten.add_.Tensor(self=e, other=1.0)
    return w)"))
            .message.find("share memory") != std::string::npos);
}

TEST_CASE("torch importer: changed buffers and inputs are outputs, with their targets") {
  const auto buffer = import_json(torch_program(R"(
    x: f32[2]
    b: f32[2] = buffer model.count
    y: f32[2] = aten.add.Tensor(self=b, other=x)
    z: f32[2] = aten.neg.default(self=x)
    return y -> model.count, z)"));
  REQUIRE(buffer.mutations.size() == 1);
  CHECK(buffer.mutations[0].output == 1);
  CHECK(buffer.mutations[0].target == "model.count");
  CHECK(buffer.graph.num_outputs() == 2);
  const auto input =
      import_json(torch_program("x: f32[2]\n y: f32[2] = aten.mul_.Tensor(self=x, other=2.0)\n return y"));
  REQUIRE(input.mutations.size() == 1);
  CHECK(input.mutations[0].target == "x");
  CHECK(input.graph.output(0) == input.graph.output(1));
}

TEST_CASE("torch importer: arguments that were left out have PyTorch's defaults") {
  CHECK_THAT(text_of("x: f32[2, 3]\n v: f32[2, 2], i: i64[2, 2] = aten.topk.default(self=x, k=2)\n return v, i"),
             ContainsSubstring("{k = 2, axis = 1, order = \"torch\"}"));
  CHECK(code("x: f32[2, 3]\n y: f32[2, 3] = aten.softmax.int(self=x)\n return y") == "torch.argument");
  CHECK(code("x: f32[2]\n y: f32[2] = aten.neg.default(self=x, no_such=1)\n return y") == "torch.argument");
  CHECK(code("x: f32[2]\n y: f32[2] = aten.neg.default(self=3)\n return y") == "torch.argument");
}

TEST_CASE("torch importer: everything unknown is listed at once, with counts") {
  const Diagnostic d = fault(torch_program(R"(
    x: f32[2]
    a: f32[2] = aten.no_such_op.default(self=x)
    b: f32[2] = aten.no_such_op.default(self=a)
    c: u16[2] = mylib.thing.default(self=b)
    d: f32[2] = higher_order.cond(pred=x)
    return d)"));
  CHECK(d.code == "torch.unknown");
  CHECK(d.notes == std::vector<std::string>{"dtype uint16: 1", "higher-order operator higher_order.cond: 1",
                                            "operator aten.no_such_op.default: 2", "operator mylib.thing.default: 1"});
}

TEST_CASE("torch importer: faults of several nodes are all reported, once each") {
  try {
    import_json(torch_program(R"(
      x: f32[4]
      a: f32[4] = aten.dropout.default(input=x, p=0.5, train=True)
      b: f32[4] = aten.dropout.default(input=x, p=0.5, train=True)
      c: f32[4] = aten.neg.default(self=a)
      d: f32[4] = aten.div.Tensor_mode(self=c, other=2.0, rounding_mode='up')
      e: f32[4] = aten.div.Tensor_mode(self=x, other=2.0, rounding_mode='up')
      return d, e)"));
    FAIL("no error");
  } catch (const Error& e) {
    REQUIRE(e.diagnostics().size() == 2);
    for (const Diagnostic& d : e.diagnostics())
      CHECK(d.code == "torch.unsupported");
    CHECK(e.diagnostics()[1].notes == std::vector<std::string>{"this happens 2 times"});
  }
}

TEST_CASE("torch importer: sizes are sympy expressions") {
  const std::string json = torch_program(R"(
    range s0 = 2..100
    x: f32[s0, 8]
    v: f32[s0, n], i: i64[s0, n] = aten.topk.default(self=x, k=$n)
    return v)");
  const auto with = [&](const std::string& expression) {
    std::string out = json;
    for (std::size_t at = 0; (at = out.find("Symbol('n', positive=True, integer=True)", at)) != std::string::npos;)
      out.replace(at, 40, expression);
    return out;
  };
  const std::string s = "Symbol('s0', positive=True, integer=True)";
  const auto size = [&](const std::string& expression) {
    const Graph g = import_json(with(expression)).graph;
    return to_string(g.type(g.output(0)).shape[1]);
  };
  CHECK(size("Integer(3)") == "3");
  CHECK(size("Add(Mul(Integer(2), " + s + "), Integer(-1))") == "2*s0 - 1");
  CHECK(size("Min(Integer(4), " + s + ")") == "min(4, s0)");
  CHECK(size("Min(Integer(2), " + s + ")") == "2");
  CHECK(size("Max(Integer(1), " + s + ")") == "s0");
  CHECK(size("FloorDiv(Add(" + s + ", Integer(1)), Integer(2))") == "floordiv(s0 + 1, 2)");
  CHECK(size("Mod(" + s + ", Integer(4))") == "s0 - 4*floordiv(s0, 4)");
  CHECK(size("Pow(" + s + ", Integer(2))") == "s0*s0");
  CHECK(size("2*s0 + 1") == "2*s0 + 1");
  for (const char* wrong : {"Symbol('s0'", "Foo(s0)", "Pow(s0, s0)", "FloorDiv(s0, Integer(0))", "s0 +", "Mul(", ")",
                            "Integer(99999999999999999999)", "IntTrueDiv(s0, Integer(2))"})
    CHECK(fault(with(wrong)).code == "torch.expression");
  CHECK(fault(with(std::string(10'000, '('))).code == "torch.expression");
}

TEST_CASE("torch importer: padding to a multiple can be split") {
  // s0 + (-s0) % 64 is 64 * ceil(s0 / 64), however PyTorch spells it.
  const std::string s = "Symbol('s0', positive=True, integer=True)";
  std::string json = torch_program(R"(
    x: f32[s0, 2]
    y: f32[padded, 2] = aten.constant_pad_nd.default(self=x, pad=[0, 0, 0, $gap], value=0.0)
    z: f32[chunks, 64, 2] = aten.view.default(self=y, size=[$chunks, 64, 2])
    g: f32[gap] = aten.arange.default(end=$gap, dtype=f32)
    return z)");
  const auto define = [&](const std::string& name, const std::string& expression) {
    const std::string symbol = "Symbol('" + name + "', positive=True, integer=True)";
    for (std::size_t at = 0; (at = json.find(symbol, at)) != std::string::npos;)
      json.replace(at, symbol.size(), expression);
  };
  const std::string rest = "Mod(Add(Integer(64), Mul(Integer(-1), Mod(" + s + ", Integer(64)))), Integer(64))";
  define("gap", rest);
  define("padded", "Add(" + s + ", " + rest + ")");
  define("chunks", "FloorDiv(Add(" + s + ", " + rest + "), Integer(64))");
  const Graph g = import_json(json).graph;
  CHECK(to_string(g.type(g.output(0)).shape[0]) == "-floordiv(-s0, 64)");
}

TEST_CASE("torch importer: a size that only running tells is refused") {
  CHECK(code("x: i64[4]\n y: i64[u0] = aten.arange.default(end=$u0)\n return y") == "torch.unsupported");
}

TEST_CASE("torch importer: schema versions") {
  const std::string json = torch_program("x: f32[2]\n y: f32[2] = aten.neg.default(self=x)\n return y");
  CHECK(import_json(replaced(json, "\"minor\":15", "\"minor\":9999")).graph.num_outputs() == 1);
  CHECK(import_json(replaced(json, "\"minor\":15", "\"minor\":15,\"new\":[{}]")).graph.num_outputs() == 1);
  CHECK(fault(replaced(json, "\"major\":8", "\"major\":9")).code == "torch.version");
}

TEST_CASE("torch importer: JSON that is not of the schema names its place") {
  const std::string json = torch_program("x: f32[2]\n y: f32[2] = aten.add.Tensor(self=x, other=1.5)\n return y");
  const Diagnostic d = fault(replaced(json, "\"as_float\":1.5", "\"as_float\":\"x\""));
  CHECK(d.code == "torch.json");
  CHECK(d.where.path == "graph_module.graph.nodes[0].inputs[1].arg.as_float");
  CHECK(fault(replaced(json, "\"as_tensor\":{\"name\":\"x\"}", "\"as_tensor\":{\"name\":3}")).code == "torch.json");
  CHECK(fault(replaced(json, "\"nodes\"", "\"n\"")).code == "torch.json");
  CHECK(fault(replaced(json, "\"other\"", "\"self\"")).code == "torch.argument");
}

TEST_CASE("torch importer: names") {
  const std::string json = torch_program("x: f32[2]\n y: f32[2] = aten.neg.default(self=x)\n return y");
  CHECK(fault(replaced(json, "\"arg\":{\"as_tensor\":{\"name\":\"x\"}},\"kind\"",
                       "\"arg\":{\"as_tensor\":{\"name\":\"q\"}},\"kind\""))
            .code == "torch.name");
}
