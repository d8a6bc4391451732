// Reading the JSON form: expressions, types and attributes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <tandem/passes/pattern/json_members.h>
#include <tandem/passes/pattern/pattern.h>

namespace tandem::fusion_json {

class JsonExpressions : protected JsonMembers {
 protected:
  template <class F>
  void parse_text(const JsonValue& v, const std::string& path, F&& parse);
  Expr expr(const JsonValue& v, const std::string& path);
  TypePattern type(const JsonValue& v, const std::string& path);
  std::optional<Compare> compare(const JsonValue& v, const std::string& path, bool any);
  AttrPattern attr(const JsonValue& v, const std::string& path);
  std::vector<AttrPattern> attrs(const JsonValue& v, const std::string& path);
  ThroughPattern through(const JsonValue& v, const std::string& path, const std::vector<std::string>& operands);
};

}  // namespace tandem::fusion_json
