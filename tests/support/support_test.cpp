// The helpers of the tests are tested, too: a helper that passes everything would hide every other failure.
#include <stdlib.h>

#include "tests/support/catch.h"
#include "tests/support/golden.h"
#include "tests/support/run_command.h"
#include "tests/support/temp_dir.h"

using namespace tandem::test;

TEST_CASE("run_command takes both streams and the exit status", "[support]") {
  const CommandResult result = run_command({"sh", "-c", "echo out; echo err >&2; exit 3"});
  CHECK(result.out == "out\n");
  CHECK(result.err == "err\n");
  CHECK(result.status == 3);
}

TEST_CASE("run_command feeds standard input of any size", "[support]") {
  const std::string input(1 << 20, 'x');
  CHECK(run_command({"cat"}, {.input = input}).out == input);
}

TEST_CASE("run_command outlives a program that does not read its input", "[support]") {
  CHECK(run_command({"true"}, {.input = std::string(1 << 20, 'x')}).status == 0);
}

TEST_CASE("run_command reports the signal that ended a program", "[support]") {
  CHECK(run_command({"sh", "-c", "kill -SEGV $$"}).status == 128 + 11);
}

TEST_CASE("run_command kills a program that hangs", "[support]") {
  const CommandResult result = run_command({"sleep", "60"}, {.timeout = std::chrono::seconds(1)});
  CHECK(result.timed_out);
  CHECK(result.status == 128 + 9);
}

TEST_CASE("run_command throws when the program does not exist", "[support]") {
  CHECK_THROWS_AS(run_command({"/nonexistent/program"}), std::system_error);
}

TEST_CASE("A temporary directory goes with its object", "[support]") {
  std::filesystem::path path;
  {
    const TempDir dir;
    path = dir.path();
    CHECK(read_file(dir.write("a/b.txt", "content")) == "content");
  }
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("first_difference names the line", "[support]") {
  CHECK(first_difference("a\nb\n", "a\nb\n") == "");
  CHECK(first_difference("a\nb\n", "a\nc\n") == "line 2: expected 'b', got 'c'");
  CHECK(first_difference("a\n", "a\nb\n") == "line 2: expected (end of text), got 'b'");
  CHECK(first_difference("a", "a\n") == "one of the texts does not end with a newline");
}

TEST_CASE("A golden file that does not exist is a difference", "[support]") {
  unsetenv("TANDEM_BLESS");  // blessing would create it
  CHECK(golden_difference("no/such/file.txt", "text").find("TANDEM_BLESS=1") != std::string::npos);
}
