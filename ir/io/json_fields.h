// The pieces that a JSON graph is made of: objects with known keys, names, types; and the names defined so far.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <tandem/ir/io/assembly.h>
#include <tandem/ir/io/json_problems.h>

namespace simdjson::dom {
class object;
}  // namespace simdjson::dom

namespace tandem::io {

/// Gives a path when there is something to report. Refers to a function that must outlive it.
class PathRef {
 public:
  template <class F>
  PathRef(const F& f)  // NOLINT(google-explicit-constructor)
      : function_(&f), call_([](const void* function) -> JsonPath { return (*static_cast<const F*>(function))(); }) {}
  JsonPath operator()() const { return call_(function_); }

 private:
  const void* function_;
  JsonPath (*call_)(const void*);
};

/// A fixed set of keys and what an object has for them.
template <std::size_t N>
struct Members {
  std::array<std::string_view, N> keys;
  std::array<simdjson::dom::element, N> values{};
  std::uint32_t present = 0;

  bool has(std::size_t i) const { return (present >> i & 1U) != 0; }
  const simdjson::dom::element& operator[](std::size_t i) const { return values[i]; }
};

class JsonFields {
 public:
  JsonFields(Assembly& assembly, JsonProblems& problems) : assembly_(assembly), problems_(problems) {}

  /// Sorts the members of an object by its known keys; reports unknown and duplicate ones.
  template <std::size_t N>
  void split(const simdjson::dom::object& from, Members<N>& members, const JsonPath& path) {
    split(from, members.keys, members.values.data(), members.present, path);
  }

  // Each gives the empty value after a report.
  /// A string that may serve as a name, a key or a scope.
  std::optional<std::string_view> text(const simdjson::dom::element& e, std::string_view what, PathRef path);
  /// A string that names a value.
  std::optional<std::string_view> value_name(const simdjson::dom::element& e, PathRef path);
  const TensorType* type(const simdjson::dom::element& e, PathRef path);

  // --- names
  /// Names a value. Places count the inputs, then the weights, then the nodes.
  void define(std::string_view name, Value value, std::size_t place, std::size_t result = 0);
  Symbol symbol_of(std::string_view json_name);
  void report_undefined(std::string_view name, const JsonPath& path);

  std::size_t num_inputs = 0, num_weights = 0;

 private:
  void split(const simdjson::dom::object& from, std::span<const std::string_view> keys, simdjson::dom::element* values,
             std::uint32_t& present, const JsonPath& path);
  JsonPath place_of(std::size_t place, std::size_t result) const;

  Assembly& assembly_;
  JsonProblems& problems_;
};

}  // namespace tandem::io
