// A JSON document as a tree that knows where each part stands in the text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/passes/pattern/pattern.h>

namespace tandem::fusion_json {

struct JsonValue {
  enum class Kind : std::uint8_t { null, boolean, integer, real, string, array, object };
  Kind kind = Kind::null;
  bool boolean = false;
  std::int64_t integer = 0;
  double real = 0;
  std::string text;               ///< Of a string.
  std::vector<JsonValue> items;   ///< Of an array or object.
  std::vector<std::string> keys;  ///< Of an object: one an item.
  std::vector<Span> key_spans;
  Span span;

  /// Null when there is none.
  const JsonValue* find(std::string_view key) const;
};

/// "an array", "the number 1.5"
std::string describe(const JsonValue& value);

/// Throws Error "pattern.json-syntax", "pattern.encoding", "pattern.number", "pattern.nesting" or "pattern.too-large".
JsonValue parse_document(std::string_view text, std::string_view file);

}  // namespace tandem::fusion_json
