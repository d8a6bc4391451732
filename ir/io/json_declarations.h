// What a JSON graph declares before its nodes: format, name, dims, inputs, weights.
#pragma once

#include <optional>

#include <tandem/ir/io/json_fields.h>

namespace tandem::io {

/// The keys of a graph, in the order of `root_keys`.
enum RootKey : std::size_t { format_, version_, name_, dims_, inputs_, weights_, nodes_, outputs_ };
inline constexpr std::array<std::string_view, 8> root_keys = {"format", "version", "name",  "dims",
                                                              "inputs", "weights", "nodes", "outputs"};

class JsonDeclarations {
 public:
  JsonDeclarations(const Members<8>& root, Assembly& assembly, JsonFields& fields, JsonProblems& problems)
      : root_(root), assembly_(assembly), fields_(fields), problems_(problems) {}

  /// Throws at once when the document is of another format or version.
  void read();

 private:
  void format_and_version();
  void symbols();
  std::optional<DimRange> symbol_range(const simdjson::dom::element& e, const JsonPath& path);
  void declarations(RootKey section, std::size_t& count);
  void declaration(const simdjson::dom::element& e, bool weight, const JsonPath& path, std::size_t place);

  const Members<8>& root_;
  Assembly& assembly_;
  JsonFields& fields_;
  JsonProblems& problems_;
};

}  // namespace tandem::io
