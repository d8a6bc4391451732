// What went wrong, where, and what to do about it.
//
// A user's mistake is a `Diagnostic`; functions that meet one throw a `tandem::Error` that carries all that they found,
// or return the list where finding is their purpose (the verifier, the lints). A broken promise inside tandem is a
// different thing: `internal_error` says so. Libraries never print and never exit.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/code_location.h>
#include <tandem/ir/export.h>

namespace tandem {

enum class Severity : std::uint8_t { note, warning, error };

/// A place in an input. Fields that do not apply are empty or zero.
struct SourceLocation {
  std::string file;          ///< As the user named it; "-" for standard input.
  std::uint32_t line = 0;    ///< 1-based.
  std::uint32_t column = 0;  ///< 1-based, in bytes.
  std::string path;          ///< JSON path, such as "nodes[3].attrs.axis"; or a node or value, such as "%qn".
};

/// One finding. `message` says what is wrong and what was expected, `help` what to do about it.
struct Diagnostic {
  std::string code;  ///< Stable and listed in docs/diagnostics.md: "graph.unknown-op".
  Severity severity = Severity::error;
  SourceLocation where;
  std::string message;
  std::string help;                ///< What the user can do; may be empty.
  std::vector<std::string> notes;  ///< Further facts, such as the other definition of a duplicate name.
  std::string source_line;         ///< The offending line of a text input, drawn with a caret; may be empty.
};

/// "file:line:column: error: message [code]", the source line with a caret, then help and notes, one a line.
TANDEM_IR_API std::string to_string(const Diagnostic& diagnostic);

/// All diagnostics, one after another.
TANDEM_IR_API std::string to_string(const std::vector<Diagnostic>& diagnostics);

/// The one exception type of tandem. Carries at least one diagnostic; `what()` is their text.
class TANDEM_EXPORT Error : public std::exception {
 public:
  explicit Error(std::vector<Diagnostic> diagnostics);
  explicit Error(Diagnostic diagnostic);
  /// A diagnostic without a location.
  Error(std::string_view code, std::string message, std::string help = {});

  const char* what() const noexcept override { return text_.c_str(); }
  const std::vector<Diagnostic>& diagnostics() const noexcept { return diagnostics_; }

 private:
  std::vector<Diagnostic> diagnostics_;
  std::string text_;
};

/// Reports a broken invariant of tandem itself: throws an `Error` with code "internal" that says "this is a bug in
/// tandem" and names the source line.
[[noreturn]] TANDEM_IR_API void internal_error(std::string_view message, CodeLocation where = CodeLocation::current());

/// "; did you mean 'split'?" for the candidate nearest to `wrong` in edit distance, or "" when none is near.
TANDEM_IR_API std::string did_you_mean(std::string_view wrong, const std::vector<std::string_view>& candidates);

}  // namespace tandem
