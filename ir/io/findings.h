// What a reader finds wrong, and where in its input that is.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/diagnostic.h>

namespace tandem::io {

/// Turns offsets into lines and columns. Asking in ascending order costs one pass over the text in all.
class SourceText {
 public:
  SourceText(std::string_view text, std::string_view file) : text_(text), file_(file) {}

  std::string_view text() const { return text_; }
  const std::string& file() const { return file_; }
  SourceLocation location(std::size_t offset, std::string path = {});
  /// The line around `offset`, without its end; empty when it is longer than a person would read.
  std::string line_around(std::size_t offset) const;

 private:
  std::string_view text_;
  std::string file_;
  std::size_t seen_ = 0;        // lines are counted up to here
  std::size_t line_start_ = 0;  // of the line that holds seen_
  std::uint32_t line_ = 1;
};

/// Collects diagnostics; the last that a read may have (`max_errors`) throws them all.
class Findings {
 public:
  void add(Diagnostic diagnostic);
  bool empty() const { return diagnostics_.empty(); }
  std::size_t size() const { return diagnostics_.size(); }
  void clear() { diagnostics_.clear(); }
  /// Throws Error when there are any.
  void throw_if_any();

 private:
  std::vector<Diagnostic> diagnostics_;
};

/// A diagnostic of severity error, without notes.
Diagnostic finding(std::string_view code, std::string message, std::string help = {});

/// Checks that `text` is UTF-8 without a byte order mark and not too long. Throws Error "<form>.too-large",
/// "<form>.bom" or "<form>.utf8".
void require_readable(SourceText& source, std::string_view form);
/// Throws Error "text.syntax" at a NUL, which no part of the text form may hold.
void require_no_nul(SourceText& source);

/// "; did you mean 'x'?" among many names: those of a length far from that of `wrong` are not looked at.
class NearestName {
 public:
  explicit NearestName(std::string_view wrong) : wrong_(wrong) {}
  void consider(std::string_view candidate);
  std::string text() const;

 private:
  std::string_view wrong_;
  std::vector<std::string_view> candidates_;
};

}  // namespace tandem::io
