#include <tandem/ir/io/text_constants.h>

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include <tandem/ir/counted.h>
#include <tandem/ir/dim_parser.h>
#include <tandem/ir/io/limits.h>
#include <tandem/ir/io/literal.h>
#include <tandem/ir/io/spelling.h>

namespace tandem::io {

TensorType TextConstants::type() {
  if (cursor_.token().kind != TokenKind::identifier)
    cursor_.fail_expected("a type such as bf16[T, 512]");
  const std::size_t start = cursor_.token().offset;
  std::size_t end = std::min(cursor_.text().find_first_of("]\n", start), cursor_.text().size());
  if (end < cursor_.text().size() && cursor_.text()[end] == ']')
    ++end;
  std::size_t position = 0;
  std::string error;
  const TensorType* type = assembly_.find_type(cursor_.text().substr(start, end - start), position, error);
  if (type == nullptr)
    cursor_.fail(start + position, "type.syntax", std::move(error), "a type is written bf16[T, 512]; a scalar f32[]");
  const TensorType result = *type;
  cursor_.go_on_at(end);
  return result;
}

void TextConstants::fail_kind(const AttrDef& def, std::string_view example) {
  if (cursor_.token().kind == TokenKind::bad)
    cursor_.fail(cursor_.token().offset, "text.syntax", std::string(cursor_.token().text));
  cursor_.fail(cursor_.token().offset, "graph.attribute-kind",
               fmt::format("attribute '{}' must be of kind {}, found {}", def.name, to_string(def.kind),
                           describe(cursor_.token())),
               fmt::format("for example {} = {}", def.name, example));
}

Attribute TextConstants::read(const AttrDef& def) {
  Context& context = assembly_.context();
  switch (def.kind) {
    case AttrKind::boolean:
      if (!cursor_.token().is_word("true") && !cursor_.token().is_word("false"))
        fail_kind(def, "true");
      return Attribute::of(cursor_.advance().text == "true");
    case AttrKind::integer:
      if (cursor_.token().kind != TokenKind::number)
        fail_kind(def, "-1");
      return Attribute::of(integer());
    case AttrKind::real:
      if (!starts_real())
        fail_kind(def, "1e-06");
      return Attribute::of(real());
    case AttrKind::dtype: {
      const auto dtype =
          cursor_.token().kind == TokenKind::identifier ? parse_dtype(cursor_.token().text) : std::nullopt;
      if (!dtype)
        fail_kind(def, "bf16");
      cursor_.advance();
      return Attribute::of(*dtype);
    }
    case AttrKind::string:
      if (cursor_.token().kind != TokenKind::string)
        fail_kind(def, "\"text\"");
      return Attribute::of(context.intern(cursor_.advance().text));
    case AttrKind::dim: return Attribute::of(dim());
    case AttrKind::dims: {
      if (!cursor_.token().is("["))
        fail_kind(def, "[1536, C + P]");
      std::vector<Dim> dims;
      cursor_.list([&] { dims.push_back(dim()); });
      return Attribute::of(context.shape(dims));
    }
    case AttrKind::reals: {
      if (!cursor_.token().is("["))
        fail_kind(def, "[1.0, 0.5]");
      std::vector<double> reals;
      cursor_.list([&] { reals.push_back(real()); });
      return Attribute::of(context.reals(reals));
    }
    case AttrKind::tensor:
      if (!cursor_.token().is_word("dense"))
        fail_kind(def, "dense f32[2] [1.0, 2.0]");
      return literal();
    case AttrKind::none: break;
  }
  internal_error("an attribute of no kind");
}

std::int64_t TextConstants::integer() {
  return integer_of(cursor_.expect(TokenKind::number, "a whole number"));
}

std::int64_t TextConstants::integer_of(const Token& t) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(t.text.data(), t.text.data() + t.text.size(), value);
  if (error == std::errc::result_out_of_range) {
    cursor_.fail(t.offset, "text.number", fmt::format("{} does not fit into 64 bits", t.text.substr(0, 60)));
  }
  if (error != std::errc() || end != t.text.data() + t.text.size()) {
    cursor_.fail(t.offset, "text.number", fmt::format("expected a whole number, found {}", t.text.substr(0, 60)));
  }
  return value;
}

bool TextConstants::starts_real() const {
  return cursor_.token().kind == TokenKind::number || cursor_.token().is("-") || cursor_.token().is_word("nan") ||
         cursor_.token().is_word("inf");
}
// 1e-06, 3, nan, nan(0x7ff8000000000001), inf, -inf
double TextConstants::real() {
  if (!starts_real())
    cursor_.fail_expected("a number such as 1e-06, inf or nan");
  const Token t = cursor_.advance();
  if (t.kind == TokenKind::number) {
    if (t.text.find_first_of(".eE") == std::string_view::npos && t.text != "-0") {
      const std::int64_t value = integer_of(t);
      if (!is_exact_real(value)) {
        cursor_.fail(t.offset, "text.number", fmt::format("{} is not exactly a double", value),
                     "write it with a '.' to have it rounded");
      }
      return static_cast<double>(value);
    }
    const auto value = parse_decimal(t.text);
    if (!value)
      cursor_.fail(t.offset, "text.number", fmt::format("{} is not a finite double", t.text.substr(0, 60)));
    return *value;
  }
  std::string text(t.text);
  if (t.is("-")) {
    if (!cursor_.token().is_word("inf"))
      cursor_.fail_expected("'inf' or digits after '-'");
    cursor_.advance();
    return *parse_special_real("-inf");
  }
  if (t.text == "nan" && cursor_.accept("(")) {
    text +=
        fmt::format("({})", cursor_.expect(TokenKind::number, "the bits of a NaN, such as 0x7ff8000000000001").text);
    cursor_.expect(")");
  }
  const auto value = parse_special_real(text);
  if (!value)
    cursor_.fail(t.offset, "text.number", fmt::format("'{}' is not the 16 digits of a double NaN", text));
  return *value;
}

Dim TextConstants::dim() {
  std::size_t position = cursor_.token().offset;
  const std::size_t start = position;
  std::string error;
  const auto dim = parse_dim_prefix(assembly_.context(), cursor_.text(), position, error);
  if (!dim)
    cursor_.fail(std::max(position, start), "dim.syntax", std::move(error));
  cursor_.go_on_at(position);
  return *dim;
}

// dense f32[2, 2] [1.0, 2.0, nan, -inf]     dense f32[1] 0x0000803f
Attribute TextConstants::literal() {
  cursor_.advance();
  const std::size_t offset = cursor_.token().offset;
  TensorLiteral result{type(), {}};
  const auto bytes = literal_bytes(result.type);
  if (!bytes) {
    cursor_.fail(offset, "graph.literal", fmt::format("a constant cannot be {}", to_string(result.type)),
                 fmt::format("its dims are numbers and its data at most {} bytes; larger data belongs into a weight",
                             max_literal_bytes));
  }
  if (cursor_.token().kind == TokenKind::number) {
    const Token t = cursor_.advance();
    auto data = parse_hex(t.text);
    if (!data)
      cursor_.fail(t.offset, "graph.literal", "expected the bytes as 0x and two hex digits each");
    result.data = std::move(*data);
  } else {
    cursor_.list([&] {
      const std::size_t at = cursor_.token().offset;
      if (result.data.size() >= *bytes)
        cursor_.fail(at, "graph.literal", fmt::format("too many elements for {}", to_string(result.type)));
      const std::string wrong = element(result);
      if (!wrong.empty())
        cursor_.fail(at, "graph.literal", wrong);
    });
  }
  if (result.data.size() != *bytes) {
    cursor_.fail(offset, "graph.literal",
                 fmt::format("{} needs {} of data, not {}", to_string(result.type), counted(*bytes, "byte"),
                             result.data.size()));
  }
  return Attribute::of(assembly_.context().literal(std::move(result)));
}

std::string TextConstants::element(TensorLiteral& literal) {
  if (cursor_.token().is_word("true") || cursor_.token().is_word("false")) {
    return append_element(literal.data, literal.type.dtype, cursor_.advance().text == "true");
  }
  if (!is_float(literal.type.dtype))
    return append_element(literal.data, literal.type.dtype, integer());
  return append_element(literal.data, literal.type.dtype, real());
}

}  // namespace tandem::io
