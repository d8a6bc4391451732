// What a user of the command can get wrong, and the code that answers it.
#include <string>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/run_command.h"
#include "tests/support/temp_dir.h"
#include "tests/tools/graphs.h"

using namespace tandem::test;
using Catch::Matchers::ContainsSubstring;

namespace {

struct Mistake {
  std::vector<std::string> arguments;
  std::string code;
};

void check(const std::vector<Mistake>& mistakes, const std::string& input) {
  for (const Mistake& m : mistakes) {
    INFO(m.arguments[0] << ": " << m.code);
    const auto result = run_tandem(m.arguments, {.input = input});
    CHECK(result.status == 2);
    CHECK(result.out == "");
    CHECK_THAT(result.err, ContainsSubstring("[" + m.code + "]"));
  }
}

}  // namespace

TEST_CASE("each wrong option has its code") {
  check({{{"run", "-", "--random-inputs", "1", "--device", "gpu"}, "usage.device"},
         {{"show", "-", "--format", "xml"}, "usage.format"},
         {{"list", "nothing"}, "usage.list"},
         {{"opt", "-", "-o", "-", "--report-json", "-"}, "usage.output"},
         {{"run", "-", "--outputs", "-"}, "usage.output"},
         {{"run", "-", "--inputs", "-"}, "usage.input"},
         {{"opt", "-", "--fusions", "-"}, "usage.input"},
         {{"explain", "-", "--fusion", "f", "--fusions", "f.fusion", "-o", "f.fusion"}, "usage.output"},
         {{"opt", "-", "--target", "cpu", "--target", "cpu"}, "usage.arguments"},
         {{"run", "-", "--rtol=-1", "--compare", "x"}, "usage.tolerance"},
         {{"run", "-", "--rtol", "0.1"}, "usage.tolerance"},
         {{"run", "-"}, "run.missing-input"},
         {{"opt", "-", "--expect", "a="}, "expect.syntax"},
         {{"generate", "nope"}, "generate.unknown-model"},
         {{"generate", "deepseek-v3", "--set", "foo"}, "usage.set"}},
        add_text);
  const TempDir dir;
  check({{{"opt", dir.path().string()}, "file.read"}}, "");
}

TEST_CASE("each wrong field of a config has its code") {
  check({{{"generate", "deepseek-v3-tiny", "--set", "nope=1"}, "config.unknown-key"},
         {{"generate", "deepseek-v3-tiny", "--set", "qk_rope_head_dim=3"}, "config.inconsistent"},
         {{"generate", "deepseek-v3-tiny", "--set", "n_group=3"}, "config.inconsistent"},
         {{"generate", "deepseek-v3-tiny", "--set", "scoring_func=relu"}, "config.unsupported"},
         {{"generate", "deepseek-v3-tiny", "--set", "num_hidden_layers=true"}, "config.type"}},
        "");
}
