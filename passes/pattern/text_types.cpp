// Types, attributes and lists of names; and what of them stands by itself, in a string of the JSON form.
#include <tandem/passes/pattern/text_expr.h>

#include <utility>

#include <fmt/format.h>

#include <tandem/passes/pattern/text.h>
#include <tandem/passes/pattern/text_spelling.h>

namespace tandem::fusion_text {

TypePattern parse_type(Cursor& cursor) {
  TypePattern type;
  if (!cursor.accept_word("any") && !cursor.peek().is("[")) {
    type.dtype =
        cursor.expect_name("a type", "a type is a dtype or type variable with dims, as T[.., Q]; or 'any'").text;
  }
  if (!cursor.accept("["))
    return type;
  type.has_shape = true;
  if (cursor.peek().is("...")) {
    cursor.fail(cursor.peek(), "pattern.syntax", "leading dims are written with two dots",
                "write '..' for any leading dims");
  }
  bool more = !cursor.peek().is("]");
  if (cursor.accept("..")) {
    type.open = true;
    if (cursor.peek().kind == TokenKind::name)
      type.leading = cursor.expect_name("a name of the leading dims").text;
    more = cursor.accept(",");
  }
  while (more) {
    if (cursor.peek().is("..") || cursor.peek().is("...")) {
      cursor.fail(cursor.peek(), "pattern.syntax", "'..' must be the first of the dims");
    }
    type.dims.push_back(parse_expr(cursor));
    more = cursor.accept(",");
  }
  cursor.expect("]", "or ',' within the dims");
  return type;
}

std::vector<AttrPattern> parse_attrs(Cursor& cursor) {
  std::vector<AttrPattern> attrs;
  cursor.expect("{", "in front of the attributes");
  if (cursor.accept("}"))
    return attrs;
  do {
    AttrPattern a;
    const Token name = cursor.expect_name("an attribute");
    a.name = name.text;
    a.span = cursor.span(name);
    const Token sign = cursor.peek();
    const auto compare = sign.is_word("in") || sign.kind == TokenKind::sign ? parse_compare(sign.text) : std::nullopt;
    if (sign.is("=")) {
      cursor.take();
      if (cursor.accept_word("any")) {
        a.compare = Compare::any;
      } else {
        a.value = parse_expr(cursor);
      }
    } else if (!compare || *compare == Compare::equal) {
      cursor.fail(sign, "pattern.syntax",
                  fmt::format("expected '=', '!=', '<', '<=', '>', '>=' or 'in' behind attribute '{}', found {}",
                              a.name, describe(sign)),
                  sign.is("==") ? "an attribute is given with one '='" : "");
    } else {
      cursor.take();
      a.compare = *compare;
      a.value = *compare == Compare::one_of ? parse_set(cursor) : parse_expr(cursor);
    }
    attrs.push_back(std::move(a));
  } while (cursor.accept(","));
  cursor.expect("}", "or ',' within the attributes");
  return attrs;
}

bool at_value(Cursor& cursor, std::size_t ahead) {
  return cursor.peek(ahead).kind == TokenKind::value || cursor.peek(ahead).is_word("_");
}

std::string parse_value(Cursor& cursor, std::string_view what) {
  if (!at_value(cursor)) {
    cursor.fail_expected(what,
                         cursor.peek().kind == TokenKind::name
                             ? fmt::format("a value's name starts with '%': %{}", cursor.peek().text.substr(0, 40))
                             : std::string());
  }
  cursor.count(cursor.peek());
  return cursor.take().text;
}

std::vector<std::string> parse_values(Cursor& cursor, std::string_view what) {
  std::vector<std::string> names;
  do
    names.push_back(parse_value(cursor, what));
  while (cursor.accept(","));
  return names;
}

std::vector<std::string> parse_names(Cursor& cursor, std::string_view what) {
  std::vector<std::string> names;
  do
    names.push_back(cursor.expect_name(what).text);
  while (cursor.accept(","));
  return names;
}

std::vector<std::string> parse_name_set(Cursor& cursor, std::string_view what) {
  std::vector<std::string> names;
  cursor.expect("{", fmt::format("in front of {}", what));
  if (!cursor.peek().is("}"))
    names = parse_names(cursor, what);
  cursor.expect("}", "or ',' within the set");
  return names;
}

}  // namespace tandem::fusion_text

namespace tandem {

namespace {

template <class F>
auto parse_whole(std::string_view text, const Span& where, F&& parse) {
  fusion_text::Cursor cursor(text, where);
  try {
    auto out = parse(cursor);
    if (cursor.peek().kind != fusion_text::TokenKind::end)
      cursor.fail_expected("nothing more");
    return out;
  } catch (const fusion_text::GiveUp&) {
    cursor.throw_if_any();
    throw;
  }
}

}  // namespace

Expr parse_pattern_expr(std::string_view text, const Span& where) {
  return parse_whole(text, where, [](fusion_text::Cursor& c) {
    if (!c.accept("..."))
      return fusion_text::parse_expr(c);
    Expr rest;
    rest.kind = Expr::Kind::rest;
    return rest;
  });
}

TypePattern parse_pattern_type(std::string_view text, const Span& where) {
  return parse_whole(text, where, [](fusion_text::Cursor& c) { return fusion_text::parse_type(c); });
}

}  // namespace tandem
