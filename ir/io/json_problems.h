// Diagnostics of a JSON document: each with its path, and the line and column that the path leads to.
#pragma once

#include <string>
#include <string_view>

#include <tandem/ir/io/findings.h>
#include <tandem/ir/io/json_path.h>

// The fast parser stays out of headers.
namespace simdjson::dom {
class element;
}  // namespace simdjson::dom

namespace tandem::io {

class JsonProblems {
 public:
  explicit JsonProblems(SourceText& source) : source_(source), locator_(source.text()) {}

  /// Throws Error when it is the last that a read may have.
  void report(const JsonPath& path, Diagnostic diagnostic);
  void report(const JsonPath& path, std::string_view code, std::string message, std::string help = {}) {
    report(path, finding(code, std::move(message), std::move(help)));
  }
  /// "expected a string, found an array"
  void report_kind(const JsonPath& path, std::string_view expected, const simdjson::dom::element& found,
                   std::string help = {});
  /// "file:line:column" of a path, for notes.
  std::string place(const JsonPath& path);

  Findings& findings() { return findings_; }

 private:
  SourceText& source_;
  JsonLocator locator_;
  Findings findings_;
};

/// "an array", "the number 1.5", "the string \"x\"".
std::string describe(const simdjson::dom::element& element);

}  // namespace tandem::io
