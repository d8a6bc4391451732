// Whether a JSON document is what a schema of docs/ says.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace tandem::test {

/// "" or the first thing that is wrong, with its path. Knows the keywords of JSON Schema 2020-12 that docs/ uses; any
/// other is an error of the schema.
std::string check_json(const nlohmann::ordered_json& schema, const nlohmann::ordered_json& document);

/// The schema docs/NAME.
nlohmann::ordered_json read_schema(const std::string& name);

}  // namespace tandem::test
