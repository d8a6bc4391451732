// Exported programs at the command line: run by position and by name, compared, refused.
#include <string>

#include <tandem/runtime/safetensors.h>

#include "tests/support/catch.h"
#include "tests/support/run_command.h"
#include "tests/support/temp_dir.h"

using namespace tandem::test;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string program(const std::string& name) {
  return data_file("torch_export/" + name);
}

}  // namespace

TEST_CASE("tandem run: an archive against PyTorch's outputs, by position, at every level") {
  const std::string io = program("deepseek_v3_attention_io.safetensors");
  for (const char* level : {"-O0", "-O1", "-O3"}) {
    const auto result = run_tandem({"run", program("deepseek_v3_attention.pt2"), "--inputs", io, "--compare", io,
                                    "--rtol", "1e-5", level, "--target", "rocm:gfx942"});
    INFO(level << result.err);
    CHECK(result.status == 0);
    CHECK_THAT(result.out, ContainsSubstring("softmax") && ContainsSubstring("relative"));
  }
}

TEST_CASE("tandem run: an archive's tensors by the graph's names, and a difference that is too large") {
  const TempDir dir;
  const std::string io = program("mla_down_small_io.safetensors"), named = dir.file("named.safetensors");
  REQUIRE(run_tandem({"run", program("mla_down_small.pt2"), "--inputs", io, "--outputs", named}).status == 0);
  const auto same =
      run_tandem({"run", program("mla_down_small.pt2"), "--inputs", io, "--compare", named, "--rtol", "1e-7"});
  CHECK(same.status == 0);
  const auto strict =
      run_tandem({"run", program("mla_down_small.pt2"), "--inputs", io, "--compare", io, "--rtol", "1e-12"});
  CHECK(strict.status == 1);
  CHECK_THAT(strict.out, ContainsSubstring("ABOVE TOLERANCE"));
}

TEST_CASE("tandem run: dynamic lengths against the oracle") {
  for (const char* length : {"s70=2", "s70=9", "s70=31"})
    for (const char* name : {"youtu_lm_dynamic.pt2", "deepseek_v32_lm_dynamic.pt2"}) {
      const auto result = run_tandem(
          {"run", program(name), "--random-inputs", "3", "--bind", length, "--compare-oracle", "--rtol", "1e-5"});
      INFO(name << " " << length << result.err << result.out);
      CHECK(result.status == 0);
    }
}

TEST_CASE("an archive goes through every verb, and bare JSON through those that need no weights") {
  const auto summary = run_tandem({"show", program("youtu_lm_dynamic.pt2"), "--summary"});
  CHECK(summary.status == 0);
  CHECK_THAT(summary.out, ContainsSubstring("s70 in 2..128"));
  CHECK(run_tandem({"opt", program("deepseek_v3_1layer_real_dims.json"), "--target", "rocm:gfx942"}).status == 0);
  const auto run = run_tandem({"run", program("deepseek_v3_1layer_real_dims.json"), "--random-inputs", "1"});
  CHECK(run.status == 2);
}

TEST_CASE("a damaged archive: exit status 2, and what is wrong") {
  const TempDir dir;
  std::string bytes = read_file(program("minicpm3_attention_decomposed.pt2"));
  const auto refused = [&](const std::string& content, const char* code) {
    const auto result = run_tandem({"show", dir.write("m.pt2", content)});
    INFO(result.err);
    CHECK(result.status == 2);
    CHECK(result.out.empty());
    CHECK_THAT(result.err, ContainsSubstring("m.pt2") && ContainsSubstring(code));
  };
  refused(bytes.substr(0, bytes.size() / 2), "[zip.truncated]");
  refused(bytes.substr(0, 10), "[zip.truncated]");
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  refused(bytes, "[zip.");
}
