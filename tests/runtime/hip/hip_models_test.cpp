// Whole models of torch.export through the GPU's runtime: views, arenas, recorded graphs and sizes as real graphs have
// them. The fake GPU computes as the reference does, so results are the reference's to the last bit.
#include <tandem/ir/io/torch_export.h>
#include <tandem/runtime/safetensors.h>
#include <tandem/runtime/torch_weights.h>
#include <tests/runtime/hip/hip_test_support.h>
#include <tests/support/temp_dir.h>

using namespace tandem;
using namespace tandem::test;

TEST_CASE("gpu: models exported by PyTorch", "[hip]") {
  const std::string name = GENERATE("mla_down_bf16", "deepseek_v3_attention", "deepseek_v3_attention_bf16");
  INFO(name);
  const ImportedProgram program = import_torch_export(Context::create(), data_file("torch_export/" + name + ".pt2"));
  TensorStore weights, io;
  add_program_weights(weights, program.weights);
  io.add_file(data_file("torch_export/" + name + "_io.safetensors"));
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < program.graph.inputs().size(); ++i)
    inputs.push_back(*io.find("input." + std::to_string(i)));
  const std::vector<Tensor> want = reference_run(program.graph, weights, inputs);

  FakeGpu gpu;
  {
    HipExecutor executor(HipPlan::compile(program.graph, weights, gpu.device(), fake_options(gpu, program.graph)));
    for (int round = 0; round < 3; ++round)
      CHECK(compare(executor.run(inputs), want) == "");
    CHECK(gpu.calls_of("hipGraphLaunch") == 2);
  }
  CHECK(gpu.live() == "");
}
