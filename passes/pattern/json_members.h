// Reading the JSON form, from below: members of objects, of the kind that is expected.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/json_document.h>

namespace tandem::fusion_json {

/// Reads what is expected of a value at a path, and reports the rest: all of it at once, up to a limit.
class JsonMembers {
 protected:
  using Kind = JsonValue::Kind;
  using Keys = std::vector<std::string_view>;

  void report(const JsonValue& at, const std::string& path, std::string_view code, std::string message,
              std::string help = {});
  void report(const Span& at, const std::string& path, std::string_view code, std::string message, std::string help);
  bool require(const JsonValue& v, const std::string& path, Kind kind, std::string_view expected);
  void check_keys(const JsonValue& object, const std::string& path, const Keys& known);
  static std::string below(const std::string& path, std::string_view key);

  const JsonValue* needed(const JsonValue& object, const std::string& path, std::string_view key);
  std::string string(const JsonValue& v, const std::string& path);
  std::string needed_string(const JsonValue& object, const std::string& path, std::string_view key);
  std::string string(const JsonValue& object, const std::string& path, std::string_view key);
  bool flag(const JsonValue& object, const std::string& path, std::string_view key);
  template <class T, class F>
  std::vector<T> list(const JsonValue& v, const std::string& path, F&& read) {
    std::vector<T> out;
    if (!require(v, path, Kind::array, "an array"))
      return out;
    for (std::size_t i = 0; i < v.items.size(); ++i)
      out.push_back(read(v.items[i], fmt::format("{}[{}]", path, i)));
    return out;
  }
  template <class T, class F>
  std::vector<T> list(const JsonValue& object, const std::string& path, std::string_view key, F&& read) {
    const JsonValue* v = object.find(key);
    return v != nullptr ? list<T>(*v, below(path, key), read) : std::vector<T>();
  }
  std::vector<std::string> strings(const JsonValue& object, const std::string& path, std::string_view key);

  std::vector<Diagnostic> problems_;
};

}  // namespace tandem::fusion_json
