// Plans that cannot be made, and files of tensors that cannot be read or written.
#include <string>
#include <vector>

#include <tandem/ir/builder.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/text.h>
#include <tandem/runtime/plan.h>
#include <tandem/runtime/safetensors.h>
#include <tandem/runtime/tensor_store.h>

#include "tests/support/catch.h"
#include "tests/support/temp_dir.h"

using namespace tandem;
using namespace tandem::test;

namespace {

template <class Call>
std::string code_of(const Call& call) {
  try {
    call();
  } catch (const Error& e) {
    return e.diagnostics().front().code;
  }
  return "";
}

void same_type(Inference& in) {
  in.results.push_back(in.operands[0]);
}
std::vector<Value> nothing(GraphBuilder&, std::span<const Value>, std::span<const Attribute>) {
  return {};
}
std::vector<Value> itself(GraphBuilder& b, std::span<const Value> operands, std::span<const Attribute>) {
  return {b.op("mine", {operands[0]})};
}

/// What planning y = mine(x) gives, where `mine` is an op of that decomposition and nobody's kernel.
std::string code_with(DecomposeFn decompose) {
  const auto context = Context::create();
  context->register_op({.name = "mine", .signature = "(x) -> y", .infer = same_type, .decompose = decompose});
  GraphBuilder b(context, "g");
  b.output(b.op("mine", {b.input("x", DType::f32, {4})}));
  const Graph graph = std::move(b).finish();
  return code_of([&] { Plan::compile(graph); });
}

}  // namespace

TEST_CASE("an op that nobody computes", "[diagnostics]") {
  CHECK(code_with(nullptr) == "plan.no-kernel");
}

TEST_CASE("a decomposition that gives too little or never ends", "[diagnostics]") {
  CHECK(code_with(nothing) == "plan.decomposition");
  CHECK(code_with(itself) == "plan.decomposition");
}

TEST_CASE("two providers of one name, and a rank that no kernel takes", "[diagnostics]") {
  const auto graph = [](const std::string& type) {
    return parse_text(Context::create(),
                      "graph @g(%x: " + type + ") {\n  %y = neg %x : " + type + "\n  return %y\n}\n");
  };
  PlanOptions options;
  options.providers.push_back(reference_kernels());
  options.providers.push_back(reference_kernels());
  CHECK(code_of([&] { Plan::compile(graph("f32[4]"), {}, options); }) == "plan.duplicate-provider");
  CHECK(code_of([&] { Plan::compile(graph("f32[1, 1, 1, 1, 1, 1, 1, 1]")); }) == "");
  CHECK(code_of([&] { Plan::compile(graph("f32[1, 1, 1, 1, 1, 1, 1, 1, 1]")); }) == "plan.rank");
}

TEST_CASE("safetensors files: short ones, names, and what is not in them", "[diagnostics]") {
  const TempDir dir;
  CHECK(code_of([&] { SafetensorsFile::open(dir.write("short.safetensors", "1234567")); }) == "safetensors.truncated");
  CHECK(code_of([&] {
          SafetensorsFile::open(dir.write("cut.safetensors", std::string("\x40\0\0\0\0\0\0\0{}", 10)));
        }) == "safetensors.truncated");
  const std::string path = dir.file("x.safetensors");
  for (const std::string name : {"", "__metadata__", "\xff"}) {
    const std::vector<NamedTensor> tensors = {{name, Tensor::zeros(DType::f32, {})}};
    CHECK(code_of([&] { write_safetensors(path, tensors); }) == "safetensors.name");
  }
  const std::vector<NamedTensor> tensors = {{"weight", Tensor::zeros(DType::f32, {})}};
  write_safetensors(path, tensors);
  CHECK(code_of([&] { SafetensorsFile::open(path).require("wieght"); }) == "safetensors.missing");
  TensorStore store;
  store.add_file(path);
  CHECK(code_of([&] { store.add_file(path); }) == "weights.duplicate");
}
