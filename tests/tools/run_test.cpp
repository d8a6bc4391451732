// `tandem run`
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <tandem/runtime/safetensors.h>

#include "tests/support/catch.h"
#include "tests/support/run_command.h"
#include "tests/support/temp_dir.h"
#include "tests/tools/graphs.h"

using namespace tandem::test;
using Catch::Matchers::ContainsSubstring;
using nlohmann::json;
using tandem::DType;
using tandem::NamedTensor;
using tandem::Tensor;

namespace {

Tensor tensor(std::vector<std::int64_t> shape, const std::vector<double>& values, DType dtype = DType::f32) {
  Tensor t = Tensor::zeros(dtype, shape);
  for (std::size_t i = 0; i < values.size(); ++i)
    tandem::store_element(t.view, static_cast<std::int64_t>(i), values[i]);
  return t;
}

std::string write_tensors(const TempDir& dir, const std::string& name, const std::vector<NamedTensor>& tensors) {
  tandem::write_safetensors(dir.file(name), tensors);
  return dir.file(name);
}

json run_json(std::vector<std::string> arguments, const std::string& graph) {
  arguments.insert(arguments.begin(), {"run", "-", "--json"});
  const auto result = run_tandem(arguments, {.input = graph});
  INFO(result.err);
  REQUIRE(result.status == 0);
  return json::parse(result.out);
}

}  // namespace

TEST_CASE("inputs are found by name, and outputs written by name") {
  const TempDir dir;
  const std::string in = write_tensors(dir, "in.safetensors", {{"x", tensor({1, 4}, {1, 2, 3, -4})}});
  const auto result =
      run_tandem({"run", "-", "--inputs", in, "--outputs", dir.file("out.safetensors")}, {.input = add_text});
  CHECK(result.status == 0);
  CHECK_THAT(result.out, ContainsSubstring("y: f32[1, 4]  min -8  max 6  mean 1"));
  const auto out = tandem::SafetensorsFile::open(dir.file("out.safetensors"));
  CHECK(tandem::load_element(out.require("y").view, 3) == -8.0);
}

TEST_CASE("inputs and references are found by position, in one file as well") {
  const TempDir dir;
  const std::string io = write_tensors(
      dir, "io.safetensors", {{"input.0", tensor({1, 4}, {1, 2, 3, 4})}, {"output.0", tensor({1, 4}, {2, 4, 6, 8})}});
  const auto result = run_tandem({"run", "-", "--inputs", io, "--compare", io, "--rtol", "0"}, {.input = add_text});
  CHECK(result.status == 0);
  CHECK_THAT(result.out, ContainsSubstring("ok"));
}

TEST_CASE("standard input can be the tensors") {
  const TempDir dir;
  const std::string graph = dir.write("twice.graph", add_text);
  const std::string in = write_tensors(dir, "in.safetensors", {{"x", tensor({1, 4}, {1, 2, 3, 4})}});
  const auto result = run_tandem({"run", graph, "--inputs", "-"}, {.input = read_file(in)});
  CHECK(result.status == 0);
  CHECK_THAT(result.out, ContainsSubstring("max 8"));
}

TEST_CASE("an output above the tolerance exits with 1 and is named with its difference") {
  const TempDir dir;
  const std::string in = write_tensors(dir, "in.safetensors", {{"x", tensor({1, 4}, {1, 2, 3, 4})}});
  const std::string near = write_tensors(dir, "ref.safetensors", {{"y", tensor({1, 4}, {2, 4, 6.5, 8})}});
  const auto far = run_tandem({"run", "-", "--inputs", in, "--compare", near}, {.input = add_text});
  CHECK(far.status == 1);
  CHECK_THAT(far.out, ContainsSubstring("0.5") && ContainsSubstring("ABOVE TOLERANCE, largest at element 2"));

  // Relative to the largest element: 0.5 / 8 = 0.0625.
  CHECK(run_tandem({"run", "-", "--inputs", in, "--compare", near, "--rtol", "0.0625"}, {.input = add_text}).status ==
        0);
  CHECK(run_tandem({"run", "-", "--inputs", in, "--compare", near, "--rtol", "0.062"}, {.input = add_text}).status ==
        1);
  CHECK(run_tandem({"run", "-", "--inputs", in, "--compare", near, "--rtol", "0", "--atol", "0.5"}, {.input = add_text})
            .status == 0);
  const auto report =
      json::parse(run_tandem({"run", "-", "--inputs", in, "--compare", near, "--json"}, {.input = add_text}).out);
  const json& output = report.at("comparisons").at(0).at("outputs").at(0);
  CHECK(output.at("max_absolute") == 0.5);
  CHECK(output.at("max_relative") == 0.0625);
  CHECK(output.at("within") == false);
}

TEST_CASE("outputs do not replace what is read, the reference above all") {
  const TempDir dir;
  const std::string graph = dir.write("twice.graph", add_text);
  const std::string in = write_tensors(dir, "in.safetensors", {{"x", tensor({1, 4}, {1, 2, 3, 4})}});
  const std::string reference = write_tensors(dir, "ref.safetensors", {{"y", tensor({1, 4}, {0, 0, 0, 0})}});
  const std::string before = read_file(reference);
  for (const std::string& outputs : {graph, in, reference}) {
    const auto result = run_tandem({"run", graph, "--inputs", in, "--compare", reference, "--outputs", outputs});
    CHECK(result.status == 2);
    CHECK_THAT(result.err, ContainsSubstring("usage.output"));
  }
  CHECK(read_file(reference) == before);
}

TEST_CASE("a NaN or an infinity is near itself only") {
  const TempDir dir;
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  const std::string in = write_tensors(dir, "in.safetensors", {{"x", tensor({1, 4}, {nan, inf, 1, 1})}});
  const std::string same = write_tensors(dir, "same.safetensors", {{"y", tensor({1, 4}, {nan, inf, 2, 2})}});
  const std::string other = write_tensors(dir, "other.safetensors", {{"y", tensor({1, 4}, {0, inf, 2, 2})}});
  const std::string negative = write_tensors(dir, "neg.safetensors", {{"y", tensor({1, 4}, {nan, -inf, 2, 2})}});
  CHECK(run_tandem({"run", "-", "--inputs", in, "--compare", same}, {.input = add_text}).status == 0);
  CHECK(run_tandem({"run", "-", "--inputs", in, "--compare", other, "--rtol", "9"}, {.input = add_text}).status == 1);
  CHECK(run_tandem({"run", "-", "--inputs", in, "--compare", negative}, {.input = add_text}).status == 1);
}

TEST_CASE("a reference that does not fit is bad input") {
  const TempDir dir;
  const std::string in = write_tensors(dir, "in.safetensors", {{"x", tensor({1, 4}, {1, 2, 3, 4})}});
  const std::string shape = write_tensors(dir, "shape.safetensors", {{"y", tensor({4}, {2, 4, 6, 8})}});
  const auto result = run_tandem({"run", "-", "--inputs", in, "--compare", shape}, {.input = add_text});
  CHECK(result.status == 2);
  CHECK_THAT(result.err,
             ContainsSubstring("compare.shape") && ContainsSubstring("f32[1, 4]") && ContainsSubstring("f32[4]"));
  const auto missing = run_tandem({"run", "-", "--inputs", in, "--compare", in}, {.input = add_text});
  CHECK(missing.status == 2);
  CHECK_THAT(missing.err, ContainsSubstring("compare.missing") && ContainsSubstring("in.safetensors"));
}

TEST_CASE("what is missing is asked for") {
  const auto input = run_tandem({"run", "-"}, {.input = add_text});
  CHECK(input.status == 2);
  CHECK_THAT(input.err, ContainsSubstring("x: f32[T, 4]") && ContainsSubstring("--random-inputs"));
  const auto symbol = run_tandem({"run", "-", "--random-inputs", "1"}, {.input = add_text});
  CHECK(symbol.status == 2);
  CHECK_THAT(symbol.err, ContainsSubstring("--bind T=7"));
  const std::string weighted = R"(graph @w(%x: f32[2, 4], %w: f32[4] = weight "norm") {
  %y = rms_norm %x, %w {eps = 1e-06} : f32[2, 4]
  return %y
}
)";
  const auto weight = run_tandem({"run", "-", "--random-inputs", "1"}, {.input = weighted});
  CHECK(weight.status == 2);
  CHECK_THAT(weight.err, ContainsSubstring("norm"));
  CHECK(run_tandem({"run", "-", "--random-inputs", "1", "--random-weights", "1"}, {.input = weighted}).status == 0);
}

TEST_CASE("a symbol that only a type mentions can be bound; a size below zero is refused") {
  const char* text = R"(graph @tail(%x: f32[T]) {
  %y = slice %x {axis = 0, start = 5, end = T}
  %z = neg %y
  return %z
})";
  CHECK(run_tandem({"run", "-", "--random-inputs", "1", "--bind", "T=7"}, {.input = text}).status == 0);
  CHECK(run_tandem({"run", "-", "--random-inputs", "1", "--bind", "T=5"}, {.input = text}).status == 0);
  const auto result = run_tandem({"run", "-", "--random-inputs", "1", "--bind", "T=3"}, {.input = text});
  CHECK(result.status == 2);
  CHECK_THAT(result.err, ContainsSubstring("T - 5 is -2"));
}

TEST_CASE("a symbol is bound once") {
  const auto result =
      run_tandem({"run", "-", "--random-inputs", "1", "--bind", "T=2", "--bind", "T=3"}, {.input = add_text});
  CHECK(result.status == 2);
  CHECK_THAT(result.err, ContainsSubstring("usage.bind") && ContainsSubstring("T has a value already"));
}

TEST_CASE("bindings are checked") {
  for (const char* binding : {"T", "T=", "T=x", "T=-1", "T=1.5", "U=3", "T=17", "T=0", "T=99999999999999999999"}) {
    INFO(binding);
    const auto result = run_tandem({"run", "-", "--random-inputs", "1", "--bind", binding}, {.input = add_text});
    CHECK(result.status == 2);
    CHECK_THAT(result.err, ContainsSubstring("usage.bind"));
  }
}

TEST_CASE("random tensors depend on the seed and on nothing else") {
  const json a = run_json({"--random-inputs", "1", "--bind", "T=5"}, add_text);
  CHECK(a == run_json({"--random-inputs", "1", "--bind", "T=5"}, add_text));
  CHECK(a != run_json({"--random-inputs", "2", "--bind", "T=5"}, add_text));
}

TEST_CASE("random tensors that would not fit into memory are refused") {
  const auto result = run_tandem({"run", "-", "--random-inputs", "1"},
                                 {.input = "graph @big(%x: f32[1000000, 1000000]) {\n  return %x\n}\n"});
  CHECK(result.status == 2);
  CHECK_THAT(result.err, ContainsSubstring("run.random-too-large"));
}

TEST_CASE("random ids stay inside the table, and other integers count up") {
  const std::string graph = R"(graph @ids(%table: f32[3, 2], %ids: i64[T], %positions: i64[T]) where T in 1..4096 {
  %row = embedding %table, %ids : f32[T, 2]
  return %row, %positions
}
)";
  const json report = run_json({"--random-inputs", "1", "--bind", "T=100"}, graph);
  CHECK(report.at("outputs").at(1).at("min") == 0);
  CHECK(report.at("outputs").at(1).at("max") == 99);
}

TEST_CASE("the dual norm gives the same on the CPU, fused and unfused, and is near the oracle") {
  const TempDir dir;
  const std::vector<std::string> common = {"run", "-", "--random-inputs", "3", "--bind", "T=9", "--compare-oracle"};
  auto unfused = common, fused = common;
  unfused.insert(unfused.end(), {"-O0", "--outputs", dir.file("unfused.safetensors")});
  fused.insert(fused.end(), {"--target", "rocm:gfx942", "--compare", dir.file("unfused.safetensors"), "--rtol", "0"});
  CHECK(run_tandem(unfused, {.input = mla_text}).status == 0);
  const auto result = run_tandem(fused, {.input = mla_text});
  INFO(result.out + result.err);
  CHECK(result.status == 0);
  CHECK_THAT(result.out, ContainsSubstring("float64 oracle") && ContainsSubstring("qn"));
}

TEST_CASE("the oracle is a device") {
  const auto result = run_tandem(
      {"run", "-", "--device", "reference", "--random-inputs", "1", "--bind", "T=2", "--compare-oracle", "--rtol", "0"},
      {.input = add_text});
  CHECK(result.status == 0);
  const auto unknown = run_tandem({"run", "-", "--device", "cpuu"}, {.input = add_text});
  CHECK(unknown.status == 2);
  CHECK_THAT(unknown.err, ContainsSubstring("did you mean 'cpu'"));
}

TEST_CASE("broken tensor files are named") {
  const TempDir dir;
  const std::string broken = dir.write("broken.safetensors", "not a tensor");
  for (const char* option : {"--inputs", "--weights", "--compare"}) {
    INFO(option);
    const auto result =
        run_tandem({"run", "-", "--random-inputs", "1", "--bind", "T=2", option, broken}, {.input = add_text});
    CHECK(result.status == 2);
    CHECK_THAT(result.err, ContainsSubstring("broken.safetensors"));
  }
}

TEST_CASE("an input of another dtype or shape is refused") {
  const TempDir dir;
  const std::string dtype = write_tensors(dir, "d.safetensors", {{"x", tensor({1, 4}, {1, 2, 3, 4}, DType::f16)}});
  const std::string shape = write_tensors(dir, "s.safetensors", {{"x", tensor({4}, {1, 2, 3, 4})}});
  for (const std::string& file : {dtype, shape}) {
    const auto result = run_tandem({"run", "-", "--inputs", file}, {.input = add_text});
    INFO(result.err);
    CHECK(result.status == 2);
    CHECK_THAT(result.err, ContainsSubstring("run."));
  }
}

TEST_CASE("tolerances are numbers, and belong to a comparison") {
  const std::vector<std::string> common = {"run", "-", "--random-inputs", "1", "--bind", "T=2"};
  for (const std::vector<std::string>& more : {std::vector<std::string>{"--rtol", "1e-3"},
                                               {"--compare-oracle", "--rtol", "-1"},
                                               {"--compare-oracle", "--atol", "nan"},
                                               {"--compare-oracle", "--rtol", "many"}}) {
    auto arguments = common;
    arguments.insert(arguments.end(), more.begin(), more.end());
    INFO(more.back());
    CHECK(run_tandem(arguments, {.input = add_text}).status == 2);
  }
}
