#include <tandem/ir/io/json_fields.h>

#include <fmt/format.h>
#include <simdjson.h>

#include <tandem/ir/io/json_names.h>
#include <tandem/ir/io/limits.h>
#include <tandem/ir/io/spelling.h>

namespace tandem::io {

using simdjson::dom::element;
using simdjson::dom::object;

void JsonFields::split(const object& from, std::span<const std::string_view> keys, element* values,
                       std::uint32_t& present, const JsonPath& path) {
  present = 0;
  for (const auto field : from) {
    std::size_t i = 0;
    while (i < keys.size() && keys[i] != field.key)
      ++i;
    if (i < keys.size() && (present >> i & 1U) == 0) {
      values[i] = field.value;
      present |= 1U << i;
    } else if (i < keys.size()) {
      problems_.report((path / field.key).at_key(), "json.duplicate-key",
                       fmt::format("key '{}' stands twice in this object", field.key), "remove one of the two");
    } else {
      NearestName nearest(field.key);
      std::string known, shown;
      for (std::string_view k : keys) {
        nearest.consider(k);
        known += fmt::format("{}'{}'", known.empty() ? "" : ", ", k);
      }
      append_quoted(shown, field.key.substr(0, 60));
      problems_.report((path / field.key).at_key(), "json.unknown-key",
                       fmt::format("unknown key {}{}", shown, nearest.text()),
                       fmt::format("the keys here are {}", known));
    }
  }
}

std::optional<std::string_view> JsonFields::text(const element& e, std::string_view what, PathRef path) {
  std::string_view value;
  if (e.get(value) != simdjson::SUCCESS) {
    problems_.report_kind(path(), fmt::format("{} as a string", what), e);
    return std::nullopt;
  }
  if (value.size() > max_name_bytes) {
    problems_.report(path(), "json.name",
                     fmt::format("{} of {} bytes is above the limit of {}", what, value.size(), max_name_bytes));
    return std::nullopt;
  }
  if (value.find('\0') != std::string_view::npos) {
    problems_.report(path(), "json.name", fmt::format("{} cannot hold a NUL", what));
    return std::nullopt;
  }
  return value;
}

std::optional<std::string_view> JsonFields::value_name(const element& e, PathRef path) {
  const auto name = text(e, "the name of a value", path);
  if (name && name->empty()) {
    problems_.report(path(), "json.name", "the name of a value cannot be empty");
    return std::nullopt;
  }
  return name;
}

const TensorType* JsonFields::type(const element& e, PathRef path) {
  std::string_view text;
  if (e.get(text) != simdjson::SUCCESS) {
    problems_.report_kind(path(), "a type as a string", e, "for example \"bf16[T, 7168]\"");
    return nullptr;
  }
  std::size_t position = 0;
  std::string error;
  const TensorType* type = assembly_.find_type(text, position, error);
  if (type == nullptr) {
    problems_.report(path(), "type.syntax",
                     fmt::format("{} at column {} of \"{}\"", error, position + 1, text.substr(0, 80)),
                     "for example \"bf16[T, 7168]\"; a scalar is \"f32[]\"");
  }
  return type;
}

void JsonFields::define(std::string_view name, Value value, std::size_t place, std::size_t result) {
  const auto [definition, fresh] = assembly_.values().insert(name);
  if (fresh) {
    *definition = {value, static_cast<std::uint32_t>(place), static_cast<std::uint32_t>(result)};
    return;
  }
  std::string shown;
  append_quoted(shown, name.substr(0, 80));
  Diagnostic d = finding("graph.duplicate-name", fmt::format("two values are named {}", shown), "rename one of them");
  d.notes.push_back(
      fmt::format("the other is at {}", problems_.place(place_of(definition->place, definition->result))));
  problems_.report(place_of(place, result), std::move(d));
}

JsonPath JsonFields::place_of(std::size_t place, std::size_t result) const {
  if (place < num_inputs)
    return {"inputs", place, "name"};
  place -= num_inputs;
  if (place < num_weights)
    return {"weights", place, "name"};
  return {"nodes", place - num_weights, "out", result};
}

Symbol JsonFields::symbol_of(std::string_view json_name) {
  return assembly_.context().intern(name_of_json(json_name));
}

void JsonFields::report_undefined(std::string_view name, const JsonPath& path) {
  NearestName nearest(name);
  assembly_.values().for_each([&](std::string_view known, const Definition&) { nearest.consider(known); });
  std::string shown;
  append_quoted(shown, name.substr(0, 80));
  problems_.report(path, "graph.undefined-value",
                   fmt::format("no input, weight or node defines {}{}", shown, nearest.text()));
}
}  // namespace tandem::io
