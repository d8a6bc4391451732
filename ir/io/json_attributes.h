// Attribute values of JSON nodes.
#pragma once

#include <string_view>
#include <vector>

#include <tandem/ir/io/assembly.h>
#include <tandem/ir/io/json_problems.h>

namespace tandem::io {

/// Where an attribute stands.
struct AttributePlace {
  std::size_t node;
  std::string_view name;
  JsonPath path() const { return {"nodes", node, "attrs", name}; }
};

class JsonAttributes {
 public:
  JsonAttributes(Assembly& assembly, JsonProblems& problems) : assembly_(assembly), problems_(problems) {}

  /// The value as its row's kind wants it; absent, after a report, when it is not of that kind.
  Attribute read(const simdjson::dom::element& value, const AttrDef& def, const AttributePlace& place);

 private:
  Attribute dims(const simdjson::dom::element& value, const AttributePlace& place);
  Attribute reals(const simdjson::dom::element& value, const AttributePlace& place);
  Attribute literal(const simdjson::dom::element& value, const AttributePlace& place);
  bool elements(const simdjson::dom::element& list, TensorLiteral& literal, std::size_t bytes, const JsonPath& path);
  template <class Path>
  bool dim(const simdjson::dom::element& value, Dim& out, const Path& path);
  template <class Path>
  bool real(const simdjson::dom::element& value, double& out, const Path& path);

  Assembly& assembly_;
  JsonProblems& problems_;
  TextMap<Dim> dims_of_text_;
  std::vector<Dim> dims_;  // reused
};

/// Parses the text of a dim; false with the reason in `error`.
bool parse_dim_text(Context& context, std::string_view text, Dim& out, std::string& error);

}  // namespace tandem::io
