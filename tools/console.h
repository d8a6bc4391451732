// Where the command's words go: results to standard output or a file, everything else to standard error.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/diagnostic.h>

namespace tandem::cli {

/// Prepares the standard streams: a closed one is occupied, so that no file that is opened later is taken for it; a
/// reader that goes away is an error on writing rather than a signal; log lines go to standard error, in colour on a
/// terminal unless NO_COLOR is set. To be called once, first.
void set_up_console();

/// A line for people, on standard error.
void log_note(std::string_view text);
void log_error(std::string_view text);
void log_diagnostics(const std::vector<Diagnostic>& diagnostics);

/// As a note, where the words are what was asked for. Throws Error "file.write" where they cannot be written.
void log_report(std::string_view text);

/// Writes a result to a file (as a whole or not at all) or, for "-", to standard output. Throws Error "file.write".
void write_result(const std::string& path, std::string_view bytes);

/// "3 of 61" on one line of standard error that is overwritten; silent where that is no terminal.
class Progress {
 public:
  explicit Progress(std::string what);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void step(std::size_t done, std::size_t total);

 private:
  std::string what_;
  bool shown_;
  bool drawn_ = false;
  int last_percent_ = -1;
};

}  // namespace tandem::cli
