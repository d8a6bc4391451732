// Unmodified models, as PyTorch exported them: every pair of MLA norms is fused, and the numbers are PyTorch's, fused
// and unfused. tests/data/torch_export/ has the archives; NAME_io.safetensors what went in and came out.
#include <random>
#include <string>
#include <vector>

#include <tandem/ir/context.h>
#include <tandem/ir/io/torch_export.h>
#include <tandem/passes/pattern/fusion_set.h>
#include <tandem/passes/pipeline.h>
#include <tandem/runtime/executor.h>
#include <tandem/runtime/torch_weights.h>

#include "tests/support/catch.h"
#include "tests/support/run_command.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tolerance.h"

using namespace tandem;
using namespace tandem::test;

namespace {

struct Archive {
  const char* file;
  int pairs;
  const char* tolerance;  // null: there is no reference
};

constexpr Archive archives[] = {
    {"mla_down_small.pt2", 1, "1e-5"},         {"mla_down_bf16.pt2", 1, "2e-2"},
    {"deepseek_v3_attention.pt2", 1, "1e-5"},  {"deepseek_v3_attention_bf16.pt2", 1, "2e-2"},
    {"deepseek_v3_lm_dynamic.pt2", 3, "1e-5"}, {"deepseek_v3_lm_bf16.pt2", 3, "2e-2"},
    {"youtu_lm_dynamic.pt2", 3, "1e-5"},       {"deepseek_v3_1layer_real_dims.json", 1, nullptr},
};

std::string path_of(std::string_view file) {
  return data_file("torch_export/" + std::string(file));
}

std::string io_of(std::string_view file) {
  return path_of(file.substr(0, file.rfind('.'))) + "_io.safetensors";
}

DecisionReport optimise(Graph& graph, const char* target) {
  const FusionSet fusions = FusionSet::shipped(graph.shared_context());
  PipelineOptions options;
  options.fusions = &fusions;
  return run_pipeline(graph, PassConfig{}, parse_target(target), options);
}

Executor executor_of(const ImportedProgram& program) {
  TensorStore store;
  add_program_weights(store, program.weights);
  return Executor(Plan::compile(program.graph, store));
}

Tensor token_ids(std::int64_t length) {
  const std::int64_t shape[] = {1, length};
  Tensor ids = Tensor::zeros(DType::i64, shape);
  std::mt19937 random(static_cast<std::uint32_t>(length));
  for (std::int64_t i = 0; i < length; ++i)
    store_element(ids.view, i, static_cast<double>(random() % 90));
  return ids;
}

}  // namespace

TEST_CASE("every pair of MLA norms of an unmodified model is fused", "[models]") {
  for (const Archive& a : archives) {
    const auto result = run_tandem({"opt", path_of(a.file), "--target", "rocm:gfx942", "--verify-each", "--expect",
                                    "mla_dual_rms_norm=" + std::to_string(a.pairs)});
    INFO(a.file << "\n" << result.err);
    CHECK(result.status == 0);
  }
}

TEST_CASE("fused and unfused, at every level, the numbers are PyTorch's", "[models]") {
  for (const Archive& a : archives) {
    if (a.tolerance == nullptr)
      continue;
    for (const char* level : {"-O0", "-O1", "-O2", "-O3"}) {
      const auto result = run_tandem({"run", path_of(a.file), "--target", "rocm:gfx942", level, "--inputs",
                                      io_of(a.file), "--compare", io_of(a.file), "--rtol", a.tolerance});
      INFO(a.file << " " << level << "\n" << result.out << result.err);
      CHECK(result.status == 0);
    }
  }
}

TEST_CASE("a dynamic model gives the same fused and unfused, at any length", "[models]") {
  for (const char* file : {"deepseek_v3_lm_dynamic.pt2", "youtu_lm_dynamic.pt2"}) {
    INFO(file);
    ImportedProgram program = import_torch_export(Context::create(), path_of(file));
    Executor unfused = executor_of(program);
    CHECK(optimise(program.graph, "rocm:gfx942").matches("mla_dual_rms_norm") == 3);
    Executor fused = executor_of(program);
    for (const std::int64_t length : {2, 5, 12, 33}) {
      INFO(length << " tokens");
      const std::vector<Tensor> ids{token_ids(length)};
      const auto want = unfused.run(ids), got = fused.run(ids);
      REQUIRE(got.size() == want.size());
      for (std::size_t i = 0; i < want.size(); ++i)
        CHECK(difference(got[i].view, want[i].view, {1e-4, 1e-4}) == "");
    }
  }
}

TEST_CASE("a second run of O1 changes nothing", "[models]") {
  for (const Archive& a : archives) {
    INFO(a.file);
    ImportedProgram program = import_torch_export(Context::create(), path_of(a.file));
    for (const char* target : {"rocm:gfx942", "cpu"}) {
      Graph graph = program.graph;
      optimise(graph, target);
      const Graph once = graph;
      const DecisionReport again = optimise(graph, target);
      for (const PassReport& pass : again.passes) {
        INFO(pass.name);
        CHECK_FALSE(pass.changed);
      }
      CHECK(structurally_equal(once, graph));
    }
  }
}

TEST_CASE("merging everything that can be merged changes no number beyond rounding", "[models]") {
  for (const char* file : {"deepseek_v3_attention.pt2", "youtu_lm_dynamic.pt2"}) {
    const auto result = run_tandem({"run", path_of(file), "--target", "rocm:gfx942", "--flag", "merge_linears=on",
                                    "--inputs", io_of(file), "--compare", io_of(file), "--rtol", "1e-5"});
    INFO(file << "\n" << result.out << result.err);
    CHECK(result.status == 0);
  }
}
