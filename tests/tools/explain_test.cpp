// `tandem explain`
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include <nlohmann/json.hpp>

#include "tests/support/catch.h"
#include "tests/support/json_schema.h"
#include "tests/support/run_command.h"
#include "tests/support/temp_dir.h"
#include "tests/tools/graphs.h"

using namespace tandem::test;
using Catch::Matchers::ContainsSubstring;
using nlohmann::json;

namespace {

CommandResult explain(std::vector<std::string> options, const std::string& graph = mla_text) {
  options.insert(options.begin(), {"explain", "-", "--target", "rocm:gfx942"});
  return run_tandem(options, {.input = graph});
}

std::string with(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

void collect_keys(const json& j, std::set<std::string>& keys) {
  for (const auto& [key, value] : j.items()) {
    if (j.is_object())
      keys.insert(key);
    if (value.is_structured())
      collect_keys(value, keys);
  }
}

/// The words in backquotes of the tables of docs/explain.md.
std::set<std::string> documented() {
  std::set<std::string> words;
  std::istringstream lines(read_file(TANDEM_TEST_DATA "/../../docs/explain.md"));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("|") && !line.starts_with("A site is"))
      continue;
    std::string word;
    for (const char c : line) {
      if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-') {
        word += c;
        continue;
      }
      words.insert(word);
      word.clear();
    }
  }
  return words;
}

}  // namespace

TEST_CASE("what fired, in text and JSON") {
  const auto text = explain({"--fusion", "mla_dual_rms_norm"});
  CHECK(text.status == 0);
  CHECK(text.err == "");
  CHECK_THAT(text.out, ContainsSubstring("mla_dual_rms_norm (mla_dual_rms_norm.fusion:") &&
                           ContainsSubstring("fired at 1 site") && ContainsSubstring("as run 2 of 'fuse' met it") &&
                           ContainsSubstring("->"));
  const json j = json::parse(explain({"--fusion", "mla_dual_rms_norm", "--json"}).out);
  CHECK(j["verdict"] == "fired");
  CHECK(j["fired"][0]["after"].size() == 1);
  CHECK(j["where"]["line"] > 0);
  CHECK(j["at"].is_null());
}

TEST_CASE("what missed, with the node drawn and the place in the fusion's file") {
  const TempDir dir;
  const std::string mine = dir.write("mine.fusion", R"(fusion exact_norm {
  match {
    %y = rms_norm(%x, %w) {eps = 1e-05}
  }
  rewrite { %o = relu(%x)  %y = %o }
})");
  const auto result = explain({"--fusion", "exact_norm", "--fusions", mine, "--passes", "fuse"});
  CHECK(result.status == 0);
  CHECK_THAT(result.out,
             ContainsSubstring("2 sites miss by one predicate") && ContainsSubstring("eps of rms_norm (%y) is 1e-05") &&
                 ContainsSubstring("mine.fusion:3:") && ContainsSubstring("eps = $eps captures any value (line 3)") &&
                 ContainsSubstring("{eps = 1e-06}") && ContainsSubstring("^~~~~~~~~~~"));
  CHECK_THAT(explain({"--fusion", "exact_norm", "--fusions", mine, "--passes", "fuse", "--at", "%cn"}).out,
             ContainsSubstring("%cn = rms_norm %c, %kv_w") && ContainsSubstring("1 site misses by one predicate"));
}

TEST_CASE("the fields of the JSON form are documented, every one, and are those of the schema") {
  const TempDir dir;
  const std::string fusions = dir.write("f.fusion", R"(
fusion greedy { benefit 99  match { %y = rms_norm(%x, %w) {eps = any} }  rewrite { %o = relu(%x)  %y = %o } }
fusion none { match { %y, _ = topk(%x) {k = any} }  rewrite { %y = %x } })");
  const auto schema = read_schema("explanation.schema.json");
  std::set<std::string> keys;
  const std::string cast =
      with(with(mla_text, "rms_norm %c,", "rms_norm %cf,"), "  %cn =", "  %cf = cast %c {dtype = f32}\n  %cn =");
  const std::string as_f32 = with(cast, "%cf, %kv_w {eps = 1e-06} : bf16", "%cf, %kv_w {eps = 1e-06} : f32");
  for (const auto& result : {explain({"--fusion", "mla_dual_rms_norm", "--json"}),
                             explain({"--fusion", "mla_dual_rms_norm", "--json"}, as_f32),
                             explain({"--fusion", "mla_dual_rms_norm", "--json", "--fusions", fusions}),
                             explain({"--fusion", "mla_dual_rms_norm", "--json", "--at", "%cn"}),
                             explain({"--fusion", "mla_dual_rms_norm", "--json", "-O0"}),
                             explain({"--fusion", "mla_dual_rms_norm", "--json"}, add_text)}) {
    REQUIRE(result.status == 0);
    CHECK(check_json(schema, nlohmann::ordered_json::parse(result.out)) == "");
    collect_keys(json::parse(result.out), keys);
  }
  CHECK(keys.size() > 30);
  const std::set<std::string> known = documented();
  for (const std::string& key : keys) {
    INFO(key);
    CHECK(known.contains(key));
  }
}

TEST_CASE("the schema of explanations refuses what is none") {
  const auto schema = read_schema("explanation.schema.json");
  const auto good = nlohmann::ordered_json::parse(explain({"--fusion", "mla_dual_rms_norm", "--json"}, add_text).out);
  REQUIRE(check_json(schema, good) == "");
  const auto changed = [&](const std::string& pointer, const nlohmann::ordered_json& value) {
    auto bad = good;
    bad[nlohmann::ordered_json::json_pointer(pointer)] = value;
    return check_json(schema, bad);
  };
  CHECK(changed("/verdict", "maybe") == "$.verdict is none of the values");
  CHECK(changed("/runs", -1) == "$.runs is too small");
  CHECK(changed("/more", 1) == "$.more is not allowed");
  CHECK(changed("/where/line", "2") == "$.where fits no alternative");
  CHECK(changed("/missed", {{{"count", 1}}}) == "$.missed[0] lacks \"run\"");
}

TEST_CASE("bad input exits with 2 and says what would be right") {
  const auto fails = [](const std::vector<std::string>& options, const std::string& says) {
    const auto result = explain(options);
    CHECK(result.status == 2);
    CHECK(result.out == "");
    CHECK_THAT(result.err, ContainsSubstring(says));
  };
  fails({}, "usage.explain");
  fails({"--fusion", "mla_dual_rms_nrom"}, "did you mean 'mla_dual_rms_norm'");
  fails({"--fusion", "mla_dual_rms_norm", "--at", "%qm"}, "did you mean");
  fails({"--fusion", "mla_dual_rms_norm", "--at", "99"}, "explain.unknown-node");
  fails({"--fusion", "mla_dual_rms_norm", "--at", "%p"}, "is an input");
  fails({"--fusion", "mla_dual_rms_norm", "--passes", "dce"}, "explain.no-fuse");
  fails({"--fusion", "mla_dual_rms_norm", "--extract", "%q"}, "usage.explain");
  fails({"--extract", "%zz,%p,%qn"}, "no node computes '%zz'");
}

TEST_CASE("a draft is written, explains as it should, and can be asked for by the names in the file") {
  const TempDir dir;
  const auto made = explain(
      {"--extract", "%q,%c,%qn,%cn", "--name", "drafted", "-o", dir.file("d.fusion"), "--passes", "fuse", "-O0"});
  CHECK(made.err == "");
  REQUIRE(made.status == 0);
  const auto result = explain({"--fusion", "drafted", "--fusions", dir.file("d.fusion"), "--passes", "fuse", "-O0"});
  CHECK(result.status == 0);
  CHECK_THAT(result.out, ContainsSubstring("on, it would fire at 1 site"));
}
