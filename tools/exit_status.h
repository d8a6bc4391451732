// What the command's exit status means. docs/command.md tells the user.
#pragma once

namespace tandem::cli {

enum ExitStatus : int {
  exit_done = 0,
  exit_check_failed = 1,  ///< What was asked for does not hold: --expect, --compare.
  exit_bad_input = 2,     ///< Bad usage, bad input, or a result that could not be written.
  exit_internal = 70,     ///< A bug in tandem (EX_SOFTWARE of sysexits.h).
};

}  // namespace tandem::cli
