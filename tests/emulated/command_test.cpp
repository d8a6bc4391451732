// `tandem run` and `tandem bench` on a GPU, from end to end: the command as it is built, with an emulated
// libamdhip64.so.
#include <string>
#include <vector>

#include <tandem/kernels/hip/code_objects.h>
#include <tests/support/catch.h>
#include <tests/support/run_command.h>
#include <tests/support/temp_dir.h>
#include <nlohmann/json.hpp>

using Catch::Matchers::ContainsSubstring;
using nlohmann::json;
using namespace tandem;
using namespace tandem::test;

namespace {

/// A build without AMD's machine code (TANDEM_GPU=off) uses no AMD GPU.
bool has_amd_code() {
  for (const CodeObject& object : code_objects())
    if (object.arch == "gfx942")
      return true;
  WARN("skipped: this build has no machine code for AMD");
  return false;
}

CommandResult run_on_emulator(const std::vector<std::string>& arguments, const CommandOptions& options = {},
                              const std::string& wave = "64") {
  std::vector<std::string> all{"env", "LD_LIBRARY_PATH=" TANDEM_EMULATED_LIB, "TANDEM_EMULATED_WAVE=" + wave,
                               "TANDEM_EMULATED_ORDERS=1", TANDEM_COMMAND};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return run_command(all, options);
}

constexpr const char* block =
    "graph @g(%x: bf16[T, 32], %w: bf16[48, 32], %qw: bf16[24], %c: bf16[T, 8], %cw: bf16[8]) {\n"
    "  %p = linear %x, %w : bf16[T, 48]\n"
    "  %q, %r = split %p {axis = -1, sizes = [24, 24]} : bf16[T, 24], bf16[T, 24]\n"
    "  %a = rms_norm %q, %qw {eps = 1e-06} : bf16[T, 24]\n"
    "  %b = rms_norm %c, %cw {eps = 1e-06} : bf16[T, 8]\n"
    "  %g = silu %r : bf16[T, 24]\n"
    "  %y = mul %a, %g : bf16[T, 24]\n"
    "  return %y, %b\n"
    "}\n";

}  // namespace

TEST_CASE("emulated: list targets names the GPU") {
  if (!has_amd_code())
    return;
  const json targets = json::parse(run_on_emulator({"list", "targets", "--json"}).out);
  CHECK(targets[0].at("is") == "rocm:gfx942");
  CHECK(json::parse(run_on_emulator({"list", "targets", "--json"}, {}, "32").out)[0].at("is") == "rocm:gfx1100");
}

TEST_CASE("emulated: run on hip agrees with the oracle and with PyTorch") {
  if (!has_amd_code())
    return;
  const std::string wave = GENERATE("32", "64");
  const auto own = run_on_emulator(
      {"run", "-", "--device", "hip", "--bind", "T=9", "--random-inputs", "3", "--compare-oracle", "--json"},
      {.input = block}, wave);
  INFO(own.err << own.out);
  CHECK(own.status == 0);
  const std::string model = data_file("torch_export/mla_down_bf16");
  const auto torch = run_on_emulator({"run", model + ".pt2", "--device", "hip", "--inputs", model + "_io.safetensors",
                                      "--compare", model + "_io.safetensors"},
                                     {}, wave);
  INFO(torch.err << torch.out);
  CHECK(torch.status == 0);
  CHECK_THAT(torch.out, ContainsSubstring("ok"));
}

TEST_CASE("emulated: bench times graphs on hip, as a whole and step by step") {
  if (!has_amd_code())
    return;
  const auto result = run_on_emulator(
      {"bench", "-", "--device", "hip", "--sweep", "T=1,5", "--rounds", "3", "--steps", "--json"}, {.input = block});
  INFO(result.err);
  REQUIRE(result.status == 0);
  const json report = json::parse(result.out);
  CHECK(report.at("device") == "hip");
  CHECK_THAT(std::string(report.at("machine")), ContainsSubstring("Emulated GPU, waves of 64, gfx942"));
  REQUIRE(report.at("sizes").size() == 2);
  for (const json& variant : report.at("sizes")[1].at("variants")) {
    CHECK(variant.at("median_us") > 0);
    CHECK(variant.at("steps").size() > 0);
    for (const json& step : variant.at("steps"))
      CHECK(step.at("us") == Approx(1));  // the emulated clock counts launches
  }
}
