// Runs a program and takes what it says, for tests of the command line.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::test {

struct CommandOptions {
  std::string input{};                ///< What the program reads on standard input.
  std::string directory{};            ///< Where it runs; empty: where the test runs.
  std::chrono::seconds timeout{120};  ///< After which it is killed.
};

struct CommandResult {
  int status = 0;          ///< Exit status; 128 + n when signal n ended the program.
  bool timed_out = false;  ///< Killed after the timeout (status is then 128 + 9).
  std::string out;
  std::string err;
};

/// Runs a program, found by path or in PATH, without a shell. Throws std::system_error when it cannot be started.
CommandResult run_command(const std::vector<std::string>& arguments, const CommandOptions& options = {});

/// Runs the `tandem` command of this build: `run_tandem({"show", "-"}, {.input = graph})`.
CommandResult run_tandem(const std::vector<std::string>& arguments, const CommandOptions& options = {});

}  // namespace tandem::test
