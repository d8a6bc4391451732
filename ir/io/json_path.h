// A place in a JSON document, and where that is in its text.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::io {

/// One step down: a key of an object or an index of an array.
struct JsonStep {
  JsonStep(const char* k) : key(k) {}                    // NOLINT
  JsonStep(std::string_view k) : key(k) {}               // NOLINT
  JsonStep(std::size_t i) : index(i), is_index(true) {}  // NOLINT
  std::string_view key;
  std::size_t index = 0;
  bool is_index = false;
};

struct JsonPath {
  JsonPath() = default;
  JsonPath(std::initializer_list<JsonStep> s) : steps(s) {}
  JsonPath operator/(JsonStep step) const {
    JsonPath longer = *this;
    longer.steps.push_back(step);
    return longer;
  }
  /// The key itself instead of what it stands for, and its last occurrence: for unknown and duplicate keys.
  JsonPath at_key() const {
    JsonPath other = *this;
    other.key = true;
    return other;
  }

  std::vector<JsonStep> steps;
  bool key = false;
};

/// "nodes[3].attrs.axis"; an odd key is quoted: dims["T x"].
std::string to_string(const JsonPath& path);

/// Finds places in the text of a well-formed document by walking it: for diagnostics only. A search within the array
/// that the last search was in goes on from there, so that a reader's findings, which come in order, cost one walk in
/// all.
class JsonLocator {
 public:
  explicit JsonLocator(std::string_view text) : text_(text) {}
  /// The offset of what `path` leads to, or as far as it leads.
  std::size_t find(const JsonPath& path);

 private:
  struct Bookmark {
    std::size_t array = 0, index = 0, offset = 0;
  };

  void skip_blanks();
  void skip_value();
  std::string_view skip_string();
  bool enter_member(const JsonStep& step, bool at_key, bool last);
  bool enter_element(std::size_t index);

  std::string_view text_;
  std::size_t at_ = 0;
  Bookmark bookmark_;
};

/// The offset of the first bracket that opens more than `depth` levels; npos when none does.
std::size_t find_nesting_above(std::string_view text, std::size_t depth);

}  // namespace tandem::io
