#include <tandem/passes/pattern/text_spelling.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include <tandem/ir/attribute.h>
#include <tandem/passes/pattern/text.h>
#include <tandem/passes/pattern/text_chars.h>

namespace tandem {

namespace fusion_text {

namespace {

constexpr std::array<std::string_view, 20> reserved = {
    "_",    "any", "either",   "false", "floordiv",  "in",      "inf",  "keep",   "mod", "nan",
    "node", "not", "optional", "or",    "recompute", "through", "true", "unless", "use", "uses"};

constexpr std::array<std::string_view, 8> comparison_signs = {"==", "!=", "<", "<=", ">", ">=", "in", "any"};

/// Length of the well-formed UTF-8 sequence at the start of `s` (Unicode 15, table 3-7); 0 when there is none.
std::size_t utf8_length(std::string_view s) {
  const auto at = [&](std::size_t i) { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0U; };
  const auto tail = [&](std::size_t i) { return at(i) >= 0x80 && at(i) <= 0xbf; };
  const unsigned a = at(0), b = at(1);
  if (a < 0x80)
    return 1;
  if (a < 0xc2 || a > 0xf4)
    return 0;
  if (a < 0xe0)
    return tail(1) ? 2 : 0;
  if (!tail(1))
    return 0;
  if (a < 0xf0)
    return (a != 0xe0 || b >= 0xa0) && (a != 0xed || b < 0xa0) && tail(2) ? 3 : 0;
  return (a != 0xf0 || b >= 0x90) && (a != 0xf4 || b < 0x90) && tail(2) && tail(3) ? 4 : 0;
}

}  // namespace

bool is_word(std::string_view text) {
  if (text.empty() || text.front() == '.' || text.back() == '.')
    return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is_word_char(text[i]) && !(text[i] == '.' && text[i + 1] != '.'))
      return false;
  }
  return true;
}

bool is_identifier(std::string_view text) {
  return is_word(text) && !is_digit(text[0]);
}

bool is_reserved(std::string_view text) {
  return std::find(reserved.begin(), reserved.end(), text) != reserved.end();
}

std::string spell_name(std::string_view name) {
  return is_identifier(name) && !is_reserved(name) ? std::string(name) : spell_quoted(name, '`');
}

std::string spell_value(std::string_view name) {
  const bool rest = name.ends_with("...");
  const std::string_view base = rest ? name.substr(0, name.size() - 3) : name;
  return "%" + (is_word(base) ? std::string(base) : spell_quoted(base)) + (rest ? "..." : "");
}

std::string spell_operand(std::string_view name) {
  return name == "_" ? "_" : spell_value(name);
}

std::string spell_quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const auto u = static_cast<unsigned char>(c);
    const std::size_t n = utf8_length(text.substr(i, 4));
    if (c == quote || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (u < 0x20 || u == 0x7f || n == 0) {
      out += fmt::format("\\x{:02x}", u);
    } else {
      out.append(text.substr(i, n));
      i += n;
      continue;
    }
    ++i;
  }
  return out + quote;
}

std::string spell_real(double value) {
  return to_string(Attribute::of(value));
}

std::string_view spell_compare(Compare compare) {
  return comparison_signs[static_cast<std::size_t>(compare)];
}

std::optional<Compare> parse_compare(std::string_view sign) {
  const auto it = std::find(comparison_signs.begin(), comparison_signs.end(), sign);
  if (it == comparison_signs.end())
    return std::nullopt;
  return static_cast<Compare>(it - comparison_signs.begin());
}

std::size_t find_invalid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t n = utf8_length(text.substr(i, 4));
    if (n == 0)
      return i;
    i += n;
  }
  return std::string_view::npos;
}

}  // namespace fusion_text

// --- expressions and types
// ---------------------------------------------------------------------------------------------

namespace {

/// Binding strength of an operator: sums 1, products 2, all else 3.
int strength(const Expr& e) {
  switch (e.kind) {
    case Expr::Kind::add:
    case Expr::Kind::sub: return 1;
    case Expr::Kind::mul:
    case Expr::Kind::div:
    case Expr::Kind::mod: return 2;
    default: return 3;
  }
}

std::string inner(const Expr& e, int at_least) {
  std::string text = to_string(e);
  return strength(e) < at_least ? "(" + text + ")" : text;
}

/// What may stand behind a unary minus as it is: "-1" and "-inf" are literals, not a negated 1.
std::string negated(const Expr& e) {
  const bool bare = e.kind == Expr::Kind::name || e.kind == Expr::Kind::capture || e.kind == Expr::Kind::value;
  return bare ? "-" + to_string(e) : "-(" + to_string(e) + ")";
}

std::string list(const std::vector<Expr>& args) {
  std::string out;
  for (const Expr& a : args)
    out += (&a == args.data() ? "" : ", ") + to_string(a);
  return out;
}

}  // namespace

std::string to_string(const Expr& e) {
  switch (e.kind) {
    case Expr::Kind::boolean: return e.boolean ? "true" : "false";
    case Expr::Kind::integer: return std::to_string(e.integer);
    case Expr::Kind::real: return fusion_text::spell_real(e.real);
    case Expr::Kind::string: return fusion_text::spell_quoted(e.text);
    case Expr::Kind::name: return fusion_text::spell_name(e.text);
    case Expr::Kind::capture: return "$" + (fusion_text::is_word(e.text) ? e.text : fusion_text::spell_quoted(e.text));
    case Expr::Kind::value: return fusion_text::spell_value(e.text);
    case Expr::Kind::uses: return "uses(" + fusion_text::spell_value(e.text) + ")";
    case Expr::Kind::list: return "[" + list(e.args) + "]";
    case Expr::Kind::rest: return "...";
    case Expr::Kind::add: return inner(e.args[0], 1) + " + " + inner(e.args[1], 2);
    case Expr::Kind::sub: return inner(e.args[0], 1) + " - " + inner(e.args[1], 2);
    case Expr::Kind::mul: return inner(e.args[0], 2) + " * " + inner(e.args[1], 3);
    case Expr::Kind::div: return inner(e.args[0], 2) + " / " + inner(e.args[1], 3);
    case Expr::Kind::mod: return inner(e.args[0], 2) + " % " + inner(e.args[1], 3);
    case Expr::Kind::floordiv: return "floordiv(" + list(e.args) + ")";
    case Expr::Kind::neg: return negated(e.args[0]);
  }
  return "";
}

std::string to_string(const Guard& g) {
  const std::string prefix = g.negated ? "not " : "";
  if (!g.predicate.empty())
    return prefix + fusion_text::spell_name(g.predicate) + "(" + list(g.args) + ")";
  const std::string right = g.compare == Compare::one_of ? "{" + list(g.args[1].args) + "}" : to_string(g.args[1]);
  return fmt::format("{}{} {} {}", prefix, to_string(g.args[0]), fusion_text::spell_compare(g.compare), right);
}

std::string to_string(const TypePattern& t) {
  std::string out = t.dtype.empty() ? "" : fusion_text::spell_name(t.dtype);
  if (!t.has_shape)
    return out.empty() ? "any" : out;
  out += '[';
  if (t.open)
    out += ".." + (t.leading.empty() ? "" : fusion_text::spell_name(t.leading));
  for (const Expr& d : t.dims)
    out += (out.back() == '[' ? "" : ", ") + to_string(d);
  return out + ']';
}

}  // namespace tandem
