// The command as a whole: verbs, help, version, exit statuses, and what becomes of output that cannot be written.
#include <algorithm>
#include <string>

#include <nlohmann/json.hpp>

#include "tests/support/catch.h"
#include "tests/support/run_command.h"
#include "tests/support/temp_dir.h"
#include "tests/tools/graphs.h"

using namespace tandem::test;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("without a verb the command tells how it is used, and exits with 2") {
  const auto result = run_tandem({});
  CHECK(result.status == 2);
  CHECK(result.out == "");
  CHECK_THAT(result.err, ContainsSubstring("Usage: tandem VERB"));
}

TEST_CASE("the version is printed, for people and for programs") {
  const auto text = run_tandem({"--version"});
  CHECK(text.status == 0);
  CHECK_THAT(text.out, Catch::Matchers::StartsWith("tandem "));
  const auto json = nlohmann::json::parse(run_tandem({"--version", "--json"}).out);
  CHECK(text.out == "tandem " + json.at("version").get<std::string>() + "\n");
}

TEST_CASE("every verb has help with an example, on at most 40 lines") {
  for (const char* verb : {"opt", "run", "show", "generate", "list"}) {
    INFO(verb);
    const auto result = run_tandem({verb, "--help"});
    CHECK(result.status == 0);
    CHECK(result.err == "");
    CHECK_THAT(result.out, ContainsSubstring("Example:\n  tandem "));
    CHECK(std::count(result.out.begin(), result.out.end(), '\n') <= 40);
    CHECK(run_tandem({"help", verb}).out == result.out);
    CHECK_THAT(run_tandem({"--help"}).out, ContainsSubstring(verb));
  }
}

TEST_CASE("a misspelt verb or option is answered with the right one") {
  const auto verb = run_tandem({"generat"});
  CHECK(verb.status == 2);
  CHECK_THAT(verb.err, ContainsSubstring("unknown verb 'generat'") && ContainsSubstring("did you mean 'generate'"));
  const auto option = run_tandem({"opt", "-", "--tagret=cpu"}, {.input = add_text});
  CHECK(option.status == 2);
  CHECK_THAT(option.err, ContainsSubstring("--tagret=cpu") && ContainsSubstring("did you mean '--target'"));
  const auto short_option = run_tandem({"-x"});
  CHECK(short_option.status == 2);
  CHECK_THAT(short_option.err, ContainsSubstring("unknown option '-x'"));
}

TEST_CASE("a missing argument and a missing value are bad usage") {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"opt"},
                                                    {"run"},
                                                    {"show"},
                                                    {"generate"},
                                                    {"list"},
                                                    {"opt", "-", "-o"},
                                                    {"show", "-", "a"}}) {
    const auto result = run_tandem(arguments, {.input = add_text});
    INFO(arguments[0]);
    CHECK(result.status == 2);
    CHECK(result.out == "");
    CHECK_THAT(result.err,
               ContainsSubstring("[usage.arguments]") && ContainsSubstring("see 'tandem " + arguments[0] + " --help'"));
  }
}

TEST_CASE("output that cannot be written is reported, and the status says so") {
  const std::string command = TANDEM_COMMAND;
  SECTION("a full disk") {
    const auto result = run_command({"sh", "-c", "'" + command + "' list ops > /dev/full"});
    CHECK(result.status == 2);
    CHECK_THAT(result.err, ContainsSubstring("No space left on device"));
  }
  SECTION("a closed standard output") {
    const auto result = run_command({"sh", "-c", "'" + command + "' list ops >&-"});
    CHECK(result.status == 2);
    CHECK_THAT(result.err, ContainsSubstring("file.write"));
  }
  SECTION("a reader that went away") {
    const auto result =
        run_command({"bash", "-c", "'" + command + "' generate deepseek-v3 --layers 4 | true; exit ${PIPESTATUS[0]}"});
    CHECK(result.status == 2);
    CHECK_THAT(result.err, ContainsSubstring("Broken pipe"));
  }
  SECTION("a closed standard output does not swallow a file that is written") {
    const TempDir dir;
    const auto result =
        run_command({"sh", "-c", "'" + command + "' show - -o '" + dir.file("out") + "' >&-"}, {.input = add_text});
    CHECK(result.status == 0);
    CHECK(read_file(dir.file("out")) == run_tandem({"show", "-"}, {.input = add_text}).out);
  }
  SECTION("a closed standard error") {
    CHECK(run_command({"sh", "-c", "'" + command + "' list nothing 2>&-"}).status == 2);
  }
}

TEST_CASE("standard error that is no terminal has no colours and no progress") {
  const auto result = run_tandem({"opt", "/nonexistent/graph.json"});
  CHECK(result.err.find('\033') == std::string::npos);
  const auto run = run_tandem({"run", "-", "--random-inputs", "1", "--bind", "T=2"}, {.input = add_text});
  CHECK(run.status == 0);
  CHECK(run.err == "");
}
