// Expressions: operators by precedence, numbers, lists, calls.
#include <tandem/passes/pattern/text_expr.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include <tandem/passes/pattern/text.h>
#include <tandem/passes/pattern/text_spelling.h>

namespace tandem::fusion_text {

namespace {

using Kind = Expr::Kind;

/// An expression and how deep its tree is: what is written flat, as a + b + c, nests all the same.
struct Parsed {
  Expr expr;
  std::size_t depth = 1;
};

class ExprParser {
 public:
  ExprParser(Cursor& cursor, bool one_line) : cursor_(cursor), one_line_(one_line) {}

  Parsed sum() {
    Parsed left = product();
    for (;;) {
      if (at_operator("+"))
        left = binary(Kind::add, std::move(left), &ExprParser::product);
      else if (at_operator("-"))
        left = binary(Kind::sub, std::move(left), &ExprParser::product);
      else
        return left;
    }
  }

 private:
  bool continues() { return !(one_line_ && cursor_.peek().starts_line); }
  bool at_operator(std::string_view sign) { return cursor_.peek().is(sign) && continues(); }

  Parsed product() {
    Parsed left = unary();
    for (;;) {
      // "Q%8": behind an operand this is no value.
      if (cursor_.peek().kind == TokenKind::value && !cursor_.peek().quoted && cursor_.adjacent())
        cursor_.split_percent();
      if (at_operator("*"))
        left = binary(Kind::mul, std::move(left), &ExprParser::unary);
      else if (at_operator("/"))
        left = binary(Kind::div, std::move(left), &ExprParser::unary);
      else if (at_operator("%"))
        left = binary(Kind::mod, std::move(left), &ExprParser::unary);
      else
        return left;
    }
  }

  Parsed binary(Kind kind, Parsed left, Parsed (ExprParser::*operand)()) {
    const Token sign = cursor_.take();
    Parsed right = (this->*operand)();
    Parsed out = made(kind, sign);
    out.depth = 1 + std::max(left.depth, right.depth);
    if (out.depth > max_fusion_nesting) {
      cursor_.fail(sign, "pattern.nesting",
                   fmt::format("more than {} operators, one within the other", max_fusion_nesting));
    }
    out.expr.args.push_back(std::move(left.expr));
    out.expr.args.push_back(std::move(right.expr));
    return out;
  }

  Parsed made(Kind kind, const Token& at) {
    cursor_.count(at);
    Parsed out;
    out.expr.kind = kind;
    return out;
  }

  Parsed unary() {
    const Cursor::Level level(cursor_);
    if (!cursor_.peek().is("-"))
      return primary();
    const Token minus = cursor_.take();
    if (cursor_.peek().kind == TokenKind::number)
      return number(true);
    if (cursor_.accept_word("inf"))
      return real(-std::numeric_limits<double>::infinity(), minus);
    Parsed operand = unary();
    Parsed out = made(Kind::neg, minus);
    out.depth = operand.depth + 1;
    out.expr.args.push_back(std::move(operand.expr));
    return out;
  }

  Parsed real(double value, const Token& at) {
    Parsed out = made(Kind::real, at);
    out.expr.real = value;
    return out;
  }

  Parsed number(bool negative) {
    const Token token = cursor_.take();
    const std::string text = (negative ? "-" : "") + token.text;
    const char* last = text.data() + text.size();
    if (text.find("0x") != std::string::npos) {
      cursor_.fail(token, "pattern.number", fmt::format("'{}' is not written in decimal", text));
    }
    if (text.find_first_of(".eE") == std::string::npos) {
      Parsed out = made(Kind::integer, token);
      const auto [end, error] = std::from_chars(text.data(), last, out.expr.integer);
      if (error == std::errc() && end == last)
        return out;
      cursor_.fail(token, "pattern.number", fmt::format("{} does not fit into 64 bits", text.substr(0, 40)),
                   "a large real number is written with a '.' or an exponent");
    }
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), last, value);
    if (error == std::errc::result_out_of_range && end == last) {
      value = std::strtod(text.c_str(), nullptr);  // tells too large from too small
      if (std::isinf(value)) {
        cursor_.fail(token, "pattern.number", fmt::format("{} is too large for a real number", text.substr(0, 40)),
                     "infinity is written 'inf'");
      }
    } else if (error != std::errc() || end != last) {
      cursor_.fail(token, "pattern.number", fmt::format("'{}' is no number", text.substr(0, 40)));
    }
    return real(value, token);
  }

  Parsed primary() {
    const Token& next = cursor_.peek();
    switch (next.kind) {
      case TokenKind::number: return number(false);
      case TokenKind::string: return text(Kind::string);
      case TokenKind::capture: return text(Kind::capture);
      case TokenKind::value: return text(Kind::value);
      case TokenKind::name: return name();
      default: break;
    }
    if (next.is("(")) {
      const Token open = cursor_.take();
      Parsed out;
      freely([&] { out = sum(); });
      close(")", open);
      return out;
    }
    if (next.is("[")) {
      const Token open = cursor_.take();
      Parsed out = made(Kind::list, open);
      freely([&] { elements(out, "]", true); });
      close("]", open);
      return out;
    }
    cursor_.fail_expected("an expression");
  }

  Parsed text(Kind kind) {
    const Token token = cursor_.take();
    Parsed out = made(kind, token);
    out.expr.text = token.text;
    return out;
  }

  Parsed name() {
    const Token token = cursor_.peek();
    if (token.quoted || !is_reserved(token.text))
      return text(Kind::name);
    cursor_.take();
    if (token.text == "true" || token.text == "false") {
      Parsed out = made(Kind::boolean, token);
      out.expr.boolean = token.text == "true";
      return out;
    }
    if (token.text == "inf")
      return real(std::numeric_limits<double>::infinity(), token);
    if (token.text == "nan")
      return nan(token);
    if (token.text == "floordiv" || token.text == "mod")
      return call(token);
    if (token.text == "uses")
      return uses(token);
    cursor_.fail(token, "pattern.syntax", fmt::format("expected an expression, found the keyword '{}'", token.text),
                 token.text == "any" ? "'any' stands alone, behind the '=' of an attribute" : "");
  }

  Parsed nan(const Token& token) {
    if (!cursor_.peek().is("(") || !cursor_.adjacent())
      return real(std::numeric_limits<double>::quiet_NaN(), token);
    const Token open = cursor_.take();
    const Token digits = cursor_.peek();
    std::uint64_t bits = 0;
    const char* last = digits.text.data() + digits.text.size();
    const bool hex = digits.kind == TokenKind::number && digits.text.starts_with("0x") && digits.text.size() == 18 &&
                     std::from_chars(digits.text.data() + 2, last, bits, 16).ptr == last;
    if (!hex || !std::isnan(std::bit_cast<double>(bits))) {
      cursor_.fail(digits, "pattern.number",
                   "expected the 16 hex digits of a NaN's bits, as in nan(0x7ff8000000000001)");
    }
    cursor_.take();
    close(")", open);
    return real(std::bit_cast<double>(bits), token);
  }

  Parsed call(const Token& function) {
    Parsed out = made(function.text == "mod" ? Kind::mod : Kind::floordiv, function);
    const Token open = cursor_.expect("(", fmt::format("behind '{}'", function.text));
    freely([&] { elements(out, ")", false); });
    close(")", open);
    if (out.expr.args.size() != 2) {
      cursor_.fail(function, "pattern.syntax",
                   fmt::format("'{}' takes two arguments, not {}", function.text, out.expr.args.size()));
    }
    return out;
  }

  Parsed uses(const Token& function) {
    Parsed out = made(Kind::uses, function);
    const Token open = cursor_.expect("(", "behind 'uses'", "uses(%x) is how often %x is read");
    if (cursor_.peek().kind != TokenKind::value)
      cursor_.fail_expected("a value, as in uses(%x)");
    out.expr.text = cursor_.take().text;
    close(")", open);
    return out;
  }

  void elements(Parsed& out, std::string_view closing, bool with_rest) {
    if (cursor_.peek().is(closing))
      return;
    do {
      if (cursor_.peek().is("...") && with_rest) {
        const Token rest = cursor_.take();
        out.expr.args.push_back(made(Kind::rest, rest).expr);
        if (cursor_.peek().is(closing))
          return;
        cursor_.fail(rest, "pattern.syntax", "'...' must be the last of its list");
      }
      Parsed element = sum();
      out.depth = std::max(out.depth, element.depth + 1);
      out.expr.args.push_back(std::move(element.expr));
    } while (cursor_.accept(","));
  }

  void close(std::string_view sign, const Token& open) {
    if (cursor_.accept(sign))
      return;
    cursor_.fail_expected(fmt::format("',' or '{}' for the '{}' of line {}", sign, open.text, open.line));
  }

  /// Within brackets, lines do not matter.
  template <class F>
  void freely(F&& f) {
    const bool before = one_line_;
    one_line_ = false;
    f();
    one_line_ = before;
  }

  Cursor& cursor_;
  bool one_line_;
};

}  // namespace

Expr parse_expr(Cursor& cursor, bool one_line) {
  return ExprParser(cursor, one_line).sum().expr;
}

Expr parse_set(Cursor& cursor) {
  Expr list;
  list.kind = Kind::list;
  cursor.expect("{", "behind 'in'", "write: in {bf16, f16}");
  if (cursor.accept("}"))
    return list;
  do
    list.args.push_back(parse_expr(cursor));
  while (cursor.accept(","));
  cursor.expect("}", "or ',' within the set");
  return list;
}

}  // namespace tandem::fusion_text
