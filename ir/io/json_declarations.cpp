#include <algorithm>

#include <fmt/format.h>
#include <simdjson.h>

#include <tandem/ir/io/json_attributes.h>
#include <tandem/ir/io/json_declarations.h>
#include <tandem/ir/io/limits.h>
#include <tandem/ir/io/spelling.h>
#include <tandem/ir/weight_keys.h>

namespace tandem::io {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

void JsonDeclarations::read() {
  format_and_version();
  if (root_.has(name_)) {
    const auto name = fields_.text(root_[name_], "the graph's name", [] { return JsonPath{"name"}; });
    if (name)
      assembly_.graph().set_name(*name);
  }
  for (const RootKey required : {nodes_, outputs_}) {
    if (root_.has(required))
      continue;
    problems_.report(JsonPath(), "json.missing-key", fmt::format("a graph needs the key '{}'", root_.keys[required]),
                     "an empty list is written []");
  }
  symbols();
  std::size_t values = 0;
  for (const RootKey section : {inputs_, weights_, nodes_}) {
    array list;
    if (root_.has(section) && root_[section].get(list) == simdjson::SUCCESS)
      values += list.size() + list.size() / 4;
  }
  assembly_.values().reserve(values);
  declarations(inputs_, fields_.num_inputs);
  declarations(weights_, fields_.num_weights);
}

void JsonDeclarations::format_and_version() {
  std::string_view format;
  if (!root_.has(format_)) {
    problems_.report(JsonPath(), "json.missing-key", "a graph needs the key 'format'",
                     R"(it starts with {"format": "tandem.graph", "version": 1,)");
  } else if (root_[format_].get(format) != simdjson::SUCCESS || format != "tandem.graph") {
    problems_.report({"format"}, "json.format",
                     fmt::format("expected \"tandem.graph\", found {}", describe(root_[format_])),
                     "this document is of another format");
    problems_.findings().throw_if_any();
  }
  std::int64_t version = 0;
  if (!root_.has(version_)) {
    problems_.report(JsonPath(), "json.missing-key", "a graph needs the key 'version'",
                     "this tandem reads \"version\": 1");
  } else if (root_[version_].get(version) != simdjson::SUCCESS || version != 1) {
    problems_.report({"version"}, "json.version",
                     fmt::format("expected version 1, found {}", describe(root_[version_])),
                     version > 1 ? "the file is from a newer tandem: write version 1 there, or update this one"
                                 : "this tandem reads \"version\": 1");
    problems_.findings().throw_if_any();
  }
}

void JsonDeclarations::symbols() {
  object dims;
  if (!root_.has(dims_))
    return;
  if (root_[dims_].get(dims) != simdjson::SUCCESS) {
    return problems_.report_kind({"dims"}, "an object", root_[dims_],
                                 R"(for example {"T": {"min": 1, "max": 131072}})");
  }
  for (const auto field : dims) {
    const JsonPath path{"dims", field.key};
    Dim dim;
    std::string error;
    if (!parse_dim_text(assembly_.context(), field.key, dim, error) || dim.is_constant() || dim.symbol().empty() ||
        dim.symbol().view() != field.key) {
      std::string shown;
      append_quoted(shown, field.key.substr(0, 60));
      problems_.report(path.at_key(), "json.dim-name", fmt::format("{} cannot be the name of a dim", shown),
                       "a name starts with a letter or '_' and goes on with letters, digits, '_' and '.'");
      continue;
    }
    const auto declared = assembly_.graph().symbols();
    if (std::any_of(declared.begin(), declared.end(), [&](const SymbolRange& s) { return s.symbol == dim.symbol(); })) {
      problems_.report(path.at_key(), "json.duplicate-key", fmt::format("dim '{}' stands twice", field.key));
      continue;
    }
    if (declared.size() >= max_symbols) {
      return problems_.report(path.at_key(), "graph.too-many-dims",
                              fmt::format("more than {} dims are declared", max_symbols));
    }
    if (const auto range = symbol_range(field.value, path))
      assembly_.graph().set_range(dim.symbol(), *range);
  }
}

std::optional<DimRange> JsonDeclarations::symbol_range(const element& e, const JsonPath& path) {
  object bounds;
  if (e.get(bounds) != simdjson::SUCCESS) {
    problems_.report_kind(path, "an object", e, R"(for example {"min": 1, "max": 131072})");
    return std::nullopt;
  }
  Members<2> members{{"min", "max"}};
  fields_.split(bounds, members, path);
  DimRange range;
  for (const std::size_t i : {0U, 1U}) {
    if (!members.has(i))
      continue;
    std::int64_t bound = -1;
    if (members[i].get(bound) != simdjson::SUCCESS || bound < 0 || bound > Dim::max_constant) {
      problems_.report(
          path / members.keys[i], "graph.dim-range",
          fmt::format("expected a whole number in 0..{}, found {}", Dim::max_constant, describe(members[i])));
      return std::nullopt;
    }
    (i == 0 ? range.min : range.max) = bound;
  }
  if (range.min <= range.max)
    return range;
  problems_.report(path, "graph.dim-range", fmt::format("the range {}..{} is empty", range.min, range.max),
                   "give a minimum that is not above the maximum");
  return std::nullopt;
}

// [{"name": "x", "type": "bf16[T, 7168]"}], weights with "key"
void JsonDeclarations::declarations(RootKey section, std::size_t& count) {
  const bool weights = section == weights_;
  const std::string_view key = root_.keys[section];
  count = 0;
  if (!root_.has(section))
    return;
  array list;
  if (root_[section].get(list) != simdjson::SUCCESS)
    return problems_.report_kind({key}, "a list", root_[section]);
  const std::size_t base = weights ? fields_.num_inputs : 0;
  for (const element e : list) {
    const std::size_t i = count++;
    declaration(e, weights, JsonPath{key, i}, base + i);
  }
}

void JsonDeclarations::declaration(const element& e, bool weight, const JsonPath& path, std::size_t place) {
  object fields;
  if (e.get(fields) != simdjson::SUCCESS) {
    return problems_.report_kind(path, "an object", e, R"(for example {"name": "x", "type": "bf16[T, 7168]"})");
  }
  Members<3> members{{"name", "type", "key"}};
  fields_.split(fields, members, path);
  if (members.has(2) && !weight) {
    problems_.report((path / "key").at_key(), "json.unknown-key", "an input has no 'key'", "list it under 'weights'");
  }
  for (const std::size_t required : {0U, 1U}) {
    if (members.has(required))
      continue;
    return problems_.report(path, "json.missing-key",
                            fmt::format("{} needs '{}'", weight ? "a weight" : "an input", members.keys[required]));
  }
  const auto name = fields_.value_name(members[0], [&] { return path / "name"; });
  if (!name)
    return;
  const TensorType* declared = fields_.type(members[1], [&] { return path / "type"; });
  if (declared == nullptr)
    return fields_.define(*name, {}, place);
  const TensorType of_value = *declared;
  if (const std::string wrong = check_declared_type(of_value); !wrong.empty()) {
    problems_.report(path / "type", "graph.type", wrong);
    return fields_.define(*name, {}, place);
  }
  const Symbol symbol = fields_.symbol_of(*name);
  if (!weight)
    return fields_.define(*name, assembly_.graph().add_input(of_value, symbol), place);
  Symbol key = symbol;
  if (members.has(2)) {
    const auto given = fields_.text(members[2], "the key of a weight", [&] { return path / "key"; });
    if (given)
      key = assembly_.context().intern(*given);
  } else if (symbol.empty()) {
    problems_.report(path, "json.missing-key", "a weight without a name needs 'key'");
  }
  if (const std::string wrong = assembly_.add_weight_key(key, of_value); !wrong.empty())
    problems_.report(path, "graph.weight-key", wrong, std::string(weight_key_help));
  fields_.define(*name, assembly_.graph().add_weight(of_value, symbol, key), place);
}

}  // namespace tandem::io
