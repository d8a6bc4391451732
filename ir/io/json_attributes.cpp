#include <tandem/ir/io/json_attributes.h>

#include <fmt/format.h>
#include <simdjson.h>

#include <tandem/ir/counted.h>
#include <tandem/ir/dim_parser.h>
#include <tandem/ir/io/limits.h>
#include <tandem/ir/io/literal.h>
#include <tandem/ir/io/spelling.h>

namespace tandem::io {

using simdjson::dom::element;
using simdjson::dom::element_type;

bool parse_dim_text(Context& context, std::string_view text, Dim& out, std::string& error) {
  if (text.size() > max_type_bytes) {
    error = fmt::format("a dim of {} bytes is above the limit of {}", text.size(), max_type_bytes);
    return false;
  }
  std::size_t position = 0;
  const auto dim = parse_dim_prefix(context, text, position, error);
  if (!dim)
    return false;
  if (text.find_first_not_of(" \t\r\n", position) != std::string_view::npos) {
    error = fmt::format("unexpected text after the dim in '{}'", text.substr(0, 60));
    return false;
  }
  out = *dim;
  return true;
}

// `path` is called for the path only when there is something to report.
template <class Path>
bool JsonAttributes::dim(const element& value, Dim& out, const Path& path) {
  std::int64_t number;
  if (value.get(number) == simdjson::SUCCESS) {
    if (number > Dim::max_constant || number < -Dim::max_constant) {
      problems_.report(path(), "json.number",
                       fmt::format("{} is outside the range of dims, +-{}", number, Dim::max_constant));
      return false;
    }
    out = Dim(number);
    return true;
  }
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) {
    problems_.report_kind(path(), "a dim", value, "a dim is a whole number or a string such as \"T + 1\"");
    return false;
  }
  if (const Dim* known = dims_of_text_.find(text)) {
    out = *known;
    return true;
  }
  std::string error;
  if (!parse_dim_text(assembly_.context(), text, out, error)) {
    problems_.report(path(), "dim.syntax", std::move(error), "a dim is a whole number or a string such as \"T + 1\"");
    return false;
  }
  *dims_of_text_.insert(text).first = out;
  return true;
}

template <class Path>
bool JsonAttributes::real(const element& value, double& out, const Path& path) {
  switch (value.type()) {
    case element_type::DOUBLE: out = double(value); return true;
    case element_type::INT64: {
      const std::int64_t number(value);
      out = static_cast<double>(number);
      if (is_exact_real(number))
        return true;
      break;
    }
    case element_type::UINT64: break;
    case element_type::STRING:
      if (const auto special = parse_special_real(std::string_view(value))) {
        out = *special;
        return true;
      }
      [[fallthrough]];
    default:
      problems_.report_kind(path(), "a number", value,
                            "a NaN or infinity is written as a string: \"nan\", \"inf\", \"-inf\"");
      return false;
  }
  problems_.report(path(), "json.number", fmt::format("{} is not exactly a double", describe(value)),
                   "write it with a '.' or an exponent to have it rounded");
  return false;
}

Attribute JsonAttributes::dims(const element& value, const AttributePlace& place) {
  simdjson::dom::array list;
  if (value.get(list) != simdjson::SUCCESS) {
    problems_.report_kind(place.path(), "a list of dims", value, "for example [1536, \"C + P\"]");
    return {};
  }
  dims_.clear();
  bool good = true;
  for (const element e : list) {
    Dim d;
    good = dim(e, d, [&] { return place.path() / dims_.size(); }) && good;
    dims_.push_back(d);
  }
  return good ? Attribute::of(assembly_.context().shape(dims_)) : Attribute();
}

Attribute JsonAttributes::reals(const element& value, const AttributePlace& place) {
  simdjson::dom::array list;
  if (value.get(list) != simdjson::SUCCESS) {
    problems_.report_kind(place.path(), "a list of numbers", value, "for example [1.0, 0.5]");
    return {};
  }
  std::vector<double> numbers;
  bool good = true;
  for (const element e : list) {
    double number = 0;
    good = real(e, number, [&] { return place.path() / numbers.size(); }) && good;
    numbers.push_back(number);
  }
  return good ? Attribute::of(assembly_.context().reals(numbers)) : Attribute();
}

// {"type": "f32[2]", "data": [1.0, "nan"]} or {"type": "f32[1]", "data": "0x0000803f"}
Attribute JsonAttributes::literal(const element& value, const AttributePlace& place) {
  const char* example = R"(for example {"type": "f32[2]", "data": [1.0, "nan"]}, or "data": "0x0000803f0000c07f")";
  simdjson::dom::object object;
  if (value.get(object) != simdjson::SUCCESS) {
    problems_.report_kind(place.path(), "a constant", value, example);
    return {};
  }
  element type, data;
  bool has_type = false, has_data = false;
  for (const auto field : object) {
    const bool is_type = field.key == "type", is_data = field.key == "data";
    if (!is_type && !is_data) {
      problems_.report((place.path() / field.key).at_key(), "json.unknown-key",
                       fmt::format("unknown key '{}' in a constant", field.key.substr(0, 60)), example);
      return {};
    }
    if (is_type ? has_type : has_data) {
      problems_.report((place.path() / field.key).at_key(), "json.duplicate-key",
                       fmt::format("key '{}' stands twice in this object", field.key));
      return {};
    }
    (is_type ? type : data) = field.value;
    (is_type ? has_type : has_data) = true;
  }
  if (!has_type || !has_data) {
    problems_.report(place.path(), "json.missing-key", fmt::format("a constant needs '{}'", has_type ? "data" : "type"),
                     example);
    return {};
  }
  std::string_view text;
  if (type.get(text) != simdjson::SUCCESS) {
    problems_.report_kind(place.path() / "type", "a type as a string", type, example);
    return {};
  }
  std::size_t position = 0;
  std::string error;
  const TensorType* parsed = assembly_.find_type(text, position, error);
  if (parsed == nullptr) {
    problems_.report(place.path() / "type", "type.syntax", std::move(error), example);
    return {};
  }
  TensorLiteral literal{*parsed, {}};
  const auto bytes = literal_bytes(literal.type);
  if (!bytes) {
    problems_.report(
        place.path() / "type", "graph.literal", fmt::format("a constant cannot be {}", to_string(literal.type)),
        fmt::format("its dims are numbers and its data at most {} bytes; larger data belongs into a weight",
                    max_literal_bytes));
    return {};
  }
  if (data.get(text) == simdjson::SUCCESS) {
    auto parsed_bytes = parse_hex(text);
    if (!parsed_bytes) {
      problems_.report(place.path() / "data", "graph.literal", "expected the bytes as \"0x\" and two hex digits each",
                       example);
      return {};
    }
    literal.data = std::move(*parsed_bytes);
  } else if (!elements(data, literal, *bytes, place.path() / "data")) {
    return {};
  }
  if (literal.data.size() != *bytes) {
    problems_.report(place.path() / "data", "graph.literal",
                     fmt::format("{} needs {} of data, not {}", to_string(literal.type), counted(*bytes, "byte"),
                                 literal.data.size()));
    return {};
  }
  return Attribute::of(assembly_.context().literal(std::move(literal)));
}

bool JsonAttributes::elements(const element& list, TensorLiteral& literal, std::size_t bytes, const JsonPath& path) {
  simdjson::dom::array array;
  if (list.get(array) != simdjson::SUCCESS) {
    problems_.report_kind(path, "a list of numbers, or the bytes in hex", list);
    return false;
  }
  const DType dtype = literal.type.dtype;
  std::size_t i = 0;
  for (const element e : array) {
    const auto here = [&] { return path / i; };
    if (literal.data.size() >= bytes) {
      problems_.report(here(), "graph.literal", fmt::format("too many elements for {}", to_string(literal.type)));
      return false;
    }
    std::string wrong;
    if (e.type() == element_type::BOOL) {
      wrong = append_element(literal.data, dtype, bool(e));
    } else if (is_float(dtype)) {
      double number = 0;
      if (!real(e, number, here))
        return false;
      wrong = append_element(literal.data, dtype, number);
    } else {
      std::int64_t number;
      if (e.get(number) != simdjson::SUCCESS) {
        problems_.report_kind(here(), "a whole number of 64 bits", e);
        return false;
      }
      wrong = append_element(literal.data, dtype, number);
    }
    if (!wrong.empty()) {
      problems_.report(here(), "graph.literal", std::move(wrong));
      return false;
    }
    ++i;
  }
  return true;
}

Attribute JsonAttributes::read(const element& value, const AttrDef& def, const AttributePlace& place) {
  const auto path = [&] { return place.path(); };
  const auto wrong_kind = [&](std::string_view example) {
    problems_.report(
        path(), "graph.attribute-kind",
        fmt::format("attribute '{}' must be of kind {}, found {}", def.name, to_string(def.kind), describe(value)),
        fmt::format("for example \"{}\": {}", def.name, example));
    return Attribute();
  };
  std::string_view text;
  switch (def.kind) {
    case AttrKind::boolean: {
      bool flag;
      return value.get(flag) == simdjson::SUCCESS ? Attribute::of(flag) : wrong_kind("true");
    }
    case AttrKind::integer: {
      std::int64_t number;
      return value.get(number) == simdjson::SUCCESS ? Attribute::of(number) : wrong_kind("-1");
    }
    case AttrKind::real: {
      double number = 0;
      return real(value, number, path) ? Attribute::of(number) : Attribute();
    }
    case AttrKind::dtype: {
      if (value.get(text) != simdjson::SUCCESS)
        return wrong_kind("\"bf16\"");
      const auto dtype = parse_dtype(text);
      return dtype ? Attribute::of(*dtype) : wrong_kind("\"bf16\"");
    }
    case AttrKind::string:
      if (value.get(text) != simdjson::SUCCESS)
        return wrong_kind("\"text\"");
      if (text.size() > max_name_bytes || text.find('\0') != std::string_view::npos) {
        problems_.report(path(), "json.name", fmt::format("a string has at most {} bytes and no NUL", max_name_bytes));
        return {};
      }
      return Attribute::of(assembly_.context().intern(text));
    case AttrKind::dim: {
      Dim d;
      return dim(value, d, path) ? Attribute::of(d) : Attribute();
    }
    case AttrKind::dims: return dims(value, place);
    case AttrKind::reals: return reals(value, place);
    case AttrKind::tensor: return literal(value, place);
    case AttrKind::none: break;
  }
  internal_error("an attribute of no kind");
}

}  // namespace tandem::io
