#include "tests/support/json_schema.h"

#include <algorithm>
#include <regex>

#include <tandem/ir/io/file.h>

namespace tandem::test {

namespace {

using Json = nlohmann::ordered_json;

/// Validates by the keywords that the schema uses; any other is an error of the schema.
class Validator {
 public:
  explicit Validator(const Json& root) : root_(root) {}

  /// "" or the first thing that is wrong.
  std::string check(const Json& v) const { return check(v, root_, "$"); }

 private:
  std::string check(const Json& v, const Json& schema, const std::string& path) const {
    if (schema.is_boolean())
      return schema ? "" : path + " is not allowed";
    for (const auto& [key, rule] : schema.items()) {
      if (std::string wrong = check_keyword(v, schema, key, rule, path); !wrong.empty())
        return wrong;
    }
    return "";
  }

  std::string check_keyword(const Json& v, const Json& schema, const std::string& key, const Json& rule,
                            const std::string& path) const {
    if (key == "$schema" || key == "$id" || key == "title" || key == "description" || key == "default" ||
        key == "$defs" || key == "then")
      return "";
    if (key == "$ref")
      return check(v, root_.at(Json::json_pointer(rule.get<std::string>().substr(1))), path);
    if (key == "type")
      return has_type(v, rule) ? "" : path + " is not of type " + rule.get<std::string>();
    if (key == "const")
      return v == rule ? "" : path + " is not " + rule.dump();
    if (key == "enum")
      return std::find(rule.begin(), rule.end(), v) != rule.end() ? "" : path + " is none of the values";
    if (key == "required") {
      for (const auto& name : rule) {
        if (v.is_object() && !v.contains(name.get<std::string>()))
          return path + " lacks " + name.dump();
      }
      return "";
    }
    if (key == "properties") {
      for (const auto& [name, sub] : rule.items()) {
        if (!v.is_object() || !v.contains(name))
          continue;
        if (std::string wrong = check(v[name], sub, path + "." + name); !wrong.empty())
          return wrong;
      }
      return "";
    }
    if (key == "additionalProperties") {
      if (!v.is_object())
        return "";
      for (const auto& [name, member] : v.items()) {
        if (schema.contains("properties") && schema["properties"].contains(name))
          continue;
        if (std::string wrong = check(member, rule, path + "." + name); !wrong.empty())
          return wrong;
      }
      return "";
    }
    if (key == "items") {
      for (std::size_t i = 0; v.is_array() && i < v.size(); ++i) {
        if (std::string wrong = check(v[i], rule, path + "[" + std::to_string(i) + "]"); !wrong.empty())
          return wrong;
      }
      return "";
    }
    if (key == "minItems")
      return !v.is_array() || v.size() >= rule.get<std::size_t>() ? "" : path + " is too short";
    if (key == "maxItems")
      return !v.is_array() || v.size() <= rule.get<std::size_t>() ? "" : path + " is too long";
    if (key == "minLength")
      return !v.is_string() || v.get<std::string>().size() >= rule.get<std::size_t>() ? "" : path + " is too short";
    if (key == "minimum")
      return !v.is_number() || v >= rule ? "" : path + " is too small";
    if (key == "maximum")
      return !v.is_number() || v <= rule ? "" : path + " is too large";
    if (key == "pattern") {
      return !v.is_string() || std::regex_search(v.get<std::string>(), std::regex(rule.get<std::string>()))
                 ? ""
                 : path + " does not fit its pattern";
    }
    if (key == "anyOf") {
      for (const auto& sub : rule) {
        if (check(v, sub, path).empty())
          return "";
      }
      return path + " fits no alternative";
    }
    if (key == "oneOf") {
      const auto fitting =
          std::count_if(rule.begin(), rule.end(), [&](const Json& sub) { return check(v, sub, path).empty(); });
      return fitting == 1 ? "" : path + " fits " + std::to_string(fitting) + " alternatives";
    }
    if (key == "allOf") {
      for (const auto& sub : rule) {
        if (std::string wrong = check(v, sub, path); !wrong.empty())
          return wrong;
      }
      return "";
    }
    if (key == "if")
      return check(v, rule, path).empty() ? check(v, schema.at("then"), path) : "";
    return "the schema has the unknown keyword " + key;
  }

  static bool has_type(const Json& v, const std::string& type) {
    return type == "object"    ? v.is_object()
           : type == "array"   ? v.is_array()
           : type == "string"  ? v.is_string()
           : type == "integer" ? v.is_number_integer()
           : type == "number"  ? v.is_number()
           : type == "null"    ? v.is_null()
                               : type == "boolean" && v.is_boolean();
  }

  const Json& root_;
};

}  // namespace

std::string check_json(const Json& schema, const Json& document) {
  return Validator(schema).check(document);
}

Json read_schema(const std::string& name) {
  return Json::parse(read_file(TANDEM_TEST_DATA "/../../docs/" + name));
}

}  // namespace tandem::test
