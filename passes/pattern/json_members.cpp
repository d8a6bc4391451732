#include <tandem/passes/pattern/json_members.h>

#include <algorithm>

#include <fmt/ranges.h>

#include <tandem/passes/pattern/text.h>
#include <tandem/passes/pattern/text_spelling.h>

namespace tandem::fusion_json {

void JsonMembers::report(const JsonValue& at, const std::string& path, std::string_view code, std::string message,
                         std::string help) {
  report(at.span, path, code, std::move(message), std::move(help));
}

void JsonMembers::report(const Span& at, const std::string& path, std::string_view code, std::string message,
                         std::string help) {
  problems_.push_back({.code = std::string(code),
                       .where = {.file = at.file, .line = at.line, .column = at.column, .path = path},
                       .message = std::move(message),
                       .help = std::move(help),
                       .notes = {},
                       .source_line = {}});
  if (problems_.size() < max_fusion_errors)
    return;
  problems_.back().notes.push_back(fmt::format("reading stopped after {} errors", max_fusion_errors));
  throw Error(std::move(problems_));
}

bool JsonMembers::require(const JsonValue& v, const std::string& path, Kind kind, std::string_view expected) {
  if (v.kind == kind)
    return true;
  report(v, path, "pattern.json-kind", fmt::format("expected {}, found {}", expected, describe(v)));
  return false;
}

void JsonMembers::check_keys(const JsonValue& object, const std::string& path, const Keys& known) {
  for (std::size_t i = 0; i < object.keys.size(); ++i) {
    const std::string& key = object.keys[i];
    if (std::find(known.begin(), known.end(), key) != known.end())
      continue;
    report(object.key_spans[i], below(path, key), "pattern.json-unknown-key",
           fmt::format("unknown key '{}'{}", key.substr(0, 40), did_you_mean(key, known)),
           fmt::format("the keys are {}", fmt::join(known, ", ")));
  }
}

std::string JsonMembers::below(const std::string& path, std::string_view key) {
  const std::string name =
      fusion_text::is_identifier(key) ? std::string(key) : fusion_text::spell_quoted(key.substr(0, 80));
  return path.empty() ? name : path + "." + name;
}

const JsonValue* JsonMembers::needed(const JsonValue& object, const std::string& path, std::string_view key) {
  const JsonValue* v = object.find(key);
  if (v == nullptr)
    report(object, path, "pattern.json-missing", fmt::format("the key '{}' is missing", key));
  return v;
}

std::string JsonMembers::string(const JsonValue& v, const std::string& path) {
  return require(v, path, Kind::string, "a string") ? v.text : std::string();
}

std::string JsonMembers::needed_string(const JsonValue& object, const std::string& path, std::string_view key) {
  const JsonValue* v = needed(object, path, key);
  return v != nullptr ? string(*v, below(path, key)) : std::string();
}

std::string JsonMembers::string(const JsonValue& object, const std::string& path, std::string_view key) {
  const JsonValue* v = object.find(key);
  return v != nullptr ? string(*v, below(path, key)) : std::string();
}

bool JsonMembers::flag(const JsonValue& object, const std::string& path, std::string_view key) {
  const JsonValue* v = object.find(key);
  return v != nullptr && require(*v, below(path, key), Kind::boolean, "true or false") && v->boolean;
}

std::vector<std::string> JsonMembers::strings(const JsonValue& object, const std::string& path, std::string_view key) {
  return list<std::string>(object, path, key, [&](const JsonValue& v, const std::string& p) { return string(v, p); });
}

}  // namespace tandem::fusion_json
