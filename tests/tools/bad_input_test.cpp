// Whatever a verb is given to read or write: a diagnostic that names it, and exit status 2.
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/run_command.h"
#include "tests/support/temp_dir.h"
#include "tests/tools/graphs.h"

using namespace tandem::test;
using Catch::Matchers::ContainsSubstring;

namespace {

/// Every verb that reads a graph or a config, with what it reads left out.
const std::vector<std::vector<std::string>> reading_verbs = {
    {"opt"}, {"show"}, {"show", "--summary"}, {"run", "--random-inputs", "1", "--bind", "T=3"}, {"generate"}};

CommandResult with_input(std::vector<std::string> arguments, const std::string& path) {
  arguments.insert(arguments.begin() + 1, path);
  return run_tandem(arguments);
}

void check_refused(const CommandResult& result, const std::string& names) {
  CHECK(result.status == 2);
  CHECK(result.out == "");
  CHECK_THAT(result.err, ContainsSubstring(names) && ContainsSubstring("error: "));
}

}  // namespace

TEST_CASE("input that cannot be read") {
  const TempDir dir;
  for (const auto& verb : reading_verbs) {
    INFO(verb[0]);
    const auto missing = with_input(verb, dir.file("missing.json"));
    check_refused(missing, "missing.json");
    CHECK_THAT(missing.err, ContainsSubstring("No such file or directory"));
    check_refused(with_input(verb, dir.path().string() + "/."), dir.path().string());
    check_refused(with_input(verb, dir.file("not/there.json")), "there.json");
  }
}

TEST_CASE("input that is no graph and no config") {
  const TempDir dir;
  const std::vector<std::pair<std::string, std::string>> contents = {
      {"empty.json", ""},
      {"blank.json", " \n\t\n"},
      {"garbage.json", std::string("\x00\x01\xff\xfe\x80 garbage", 13)},
      {"prose.json", "This is not a graph.\n"},
      {"truncated.json", R"({"format": "tandem.graph", "version": 1, "inputs": [)"},
      {"array.json", "[1, 2, 3]"},
      {"number.json", "7"},
      {"deep.json", std::string(200'000, '[')},
      {"deep_object.json",
       [] {
         std::string text;
         for (int i = 0; i < 100'000; ++i)
           text += R"({"a":)";
         return text;
       }()},
      {"not_utf8.json", "{\"name\": \"\xc3\x28\"}"},
      {"archive.pt2", "PK\x03\x04 but then nothing"},
  };
  for (const auto& [name, content] : contents) {
    const std::string path = dir.write(name, content);
    for (const auto& verb : reading_verbs) {
      INFO(verb[0] << " " << name);
      check_refused(with_input(verb, path), name);
    }
  }
}

TEST_CASE("output that cannot be written") {
  const TempDir dir;
  const std::string graph = dir.write("twice.graph", add_text);
  const std::vector<std::vector<std::string>> writing_verbs = {
      {"opt", graph, "-o"},
      {"opt", graph, "-o", dir.file("out.graph"), "--report-json"},
      {"show", graph, "-o"},
      {"generate", "deepseek-v3-tiny", "-o"},
      {"run", graph, "--random-inputs", "1", "--bind", "T=3", "--outputs"}};
  for (std::vector<std::string> arguments : writing_verbs) {
    INFO(arguments[0]);
    arguments.push_back(dir.file("no/such/folder/out"));
    check_refused(run_tandem(arguments), "no/such/folder");
    arguments.back() = dir.path().string();
    check_refused(run_tandem(arguments), dir.path().string());
  }
}

TEST_CASE("a file that cannot be written leaves the old one as it was") {
  const TempDir dir;
  const std::string out = dir.write("out.graph", "old");
  const auto result = run_tandem({"opt", dir.file("missing"), "-o", out});
  CHECK(result.status == 2);
  CHECK(read_file(out) == "old");
}

TEST_CASE("seeds are whole numbers, and what is asked for is not empty") {
  const TempDir dir;
  const std::string graph = dir.write("twice.graph", add_text);
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"check", "silu_and_mul", "--seed", "-1"},
           {"check", "silu_and_mul", "--seed", "0x10"},
           {"run", graph, "--bind", "T=3", "--random-inputs", "-1"},
           {"run", graph, "--bind", "T=3", "--random-inputs", "1", "--random-weights", "-1"},
           {"bench", graph, "--bind", "T=3", "--random-inputs", "-1"},
           {"opt", graph, "--passes", ""}}) {
    INFO(arguments[0] << " " << arguments[arguments.size() - 2]);
    const auto result = run_tandem(arguments);
    check_refused(result, arguments[arguments.size() - 2]);
    CHECK_THAT(result.err, ContainsSubstring("usage.arguments"));
  }
}

TEST_CASE("no verb writes over what it reads") {
  const TempDir dir;
  const std::string graph = dir.write("g.json", add_text);
  const std::string config = dir.write("config.json", "{}");
  const std::string wrong =
      R"([{"name": "wrong", "match": [{"op": "neg", "in": ["x"], "out": ["y"]}],
           "rewrite": [{"op": "relu", "in": ["x"], "out": ["z"]}], "replace": [{"matched": "y", "by": "z"}]}])";
  const std::string fusion = dir.write("wrong.json", wrong);
  std::filesystem::create_symlink("made", dir.path() / "link");
  const auto refused = [](const std::vector<std::string>& arguments) {
    const auto result = run_tandem(arguments);
    CHECK(result.status == 2);
    CHECK_THAT(result.err, ContainsSubstring("usage.output"));
  };
  refused({"show", graph, "--format", "dot", "-o", graph});
  refused({"generate", config, "-o", config});
  refused({"opt", graph, "-o", dir.file("link"), "--report-json", dir.file("made")});
  CHECK(read_file(graph) == add_text);
  CHECK(read_file(config) == "{}");

  // A counterexample of a fusion 'wrong' would be wrong.json.
  refused({"check", fusion, "-o", dir.path().string()});
  CHECK(read_file(fusion) == wrong);
  CHECK(run_tandem({"check", fusion, "-o", dir.file("elsewhere")}).status == 1);
}

TEST_CASE("a report that cannot be written is an error") {
  const TempDir dir;
  const std::string graph = dir.write("twice.graph", add_text);
  for (const std::string option : {"--report", "--timing"}) {
    const auto result = run_command(
        {"sh", "-c",
         std::string("'") + TANDEM_COMMAND + "' opt '" + graph + "' " + option + " 2> /dev/full > /dev/null"});
    CHECK(result.status == 2);
  }
}
