#include <tandem/ir/io/spelling.h>

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

#include <fmt/format.h>

#include <tandem/ir/io/characters.h>

namespace tandem::io {

namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

constexpr char hex_digits[] = "0123456789abcdef";

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

/// Which bytes a JSON string holds as they are.
constexpr std::array<bool, 256> make_plain() {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 256; ++c)
    plain[c] = c != '"' && c != '\\';
  return plain;
}
constexpr std::array<bool, 256> plain_in_json = make_plain();

}  // namespace

bool is_identifier(std::string_view text) {
  if (text.empty() || !is_letter(text[0]))
    return false;
  for (char c : text) {
    if (!is_letter(c) && !is_digit(c) && c != '.')
      return false;
  }
  return true;
}

bool is_number(std::string_view text) {
  for (char c : text) {
    if (!is_digit(c))
      return false;
  }
  return !text.empty();
}

std::size_t find_invalid_utf8(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    std::uint64_t word;  // eight ASCII bytes a step
    while (i + 8 <= text.size() && (std::memcpy(&word, text.data() + i, 8), (word & 0x8080808080808080ULL) == 0))
      i += 8;
    if (i >= text.size())
      break;
    const std::size_t n = utf8_length(text.substr(i, 4));
    if (n == 0)
      return i;
    i += n;
  }
  return std::string_view::npos;
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const auto u = static_cast<unsigned char>(c);
    std::size_t n = 1;
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (u < 0x20 || u == 0x7f || (u >= 0x80 && (n = utf8_length(text.substr(i, 4))) == 0)) {
      out += "\\x";
      out += hex_digits[u >> 4];
      out += hex_digits[u & 15];
      n = 1;
    } else {
      out.append(text.substr(i, n));
    }
    i += n;
  }
  out += '"';
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto u = static_cast<unsigned char>(text[i]);
    if (plain_in_json[u]) [[likely]]
      continue;
    out.append(text, from, i - from);
    from = i + 1;
    out += '\\';
    if (u == '"' || u == '\\') {
      out += text[i];
    } else if (u == '\n') {
      out += 'n';
    } else if (u == '\t') {
      out += 't';
    } else {
      out += "u00";
      out += hex_digits[u >> 4];
      out += hex_digits[u & 15];
    }
  }
  out.append(text, from, text.size() - from);
  out += '"';
}

void append_integer(std::string& out, std::int64_t value) {
  std::array<char, 24> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  out.append(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
}

void append_real(std::string& out, double value) {
  if (std::isnan(value)) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    if (bits == std::bit_cast<std::uint64_t>(std::numeric_limits<double>::quiet_NaN())) {
      out += "nan";
    } else {
      fmt::format_to(std::back_inserter(out), "nan(0x{:016x})", bits);
    }
    return;
  }
  if (std::isinf(value)) {
    out += value < 0 ? "-inf" : "inf";
    return;
  }
  const std::size_t start = out.size();
  fmt::format_to(std::back_inserter(out), "{}", value);
  if (std::string_view(out).substr(start).find_first_of(".e") == std::string_view::npos)
    out += ".0";
}

std::optional<double> parse_special_real(std::string_view text) {
  if (text == "nan")
    return std::numeric_limits<double>::quiet_NaN();
  if (text == "inf")
    return std::numeric_limits<double>::infinity();
  if (text == "-inf")
    return -std::numeric_limits<double>::infinity();
  constexpr std::string_view prefix = "nan(0x";
  if (text.size() != prefix.size() + 17 || !text.starts_with(prefix) || text.back() != ')')
    return std::nullopt;
  std::uint64_t bits = 0;
  const char* last = text.data() + text.size() - 1;
  const auto [end, error] = std::from_chars(text.data() + prefix.size(), last, bits, 16);
  const auto value = std::bit_cast<double>(bits);
  if (error != std::errc() || end != last || !std::isnan(value))
    return std::nullopt;
  return value;
}

std::optional<double> parse_decimal(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || text.empty())
    return std::nullopt;
  if (error == std::errc::result_out_of_range) {  // says the same of too large and too small
    value = std::strtod(std::string(text).c_str(), nullptr);
    if (std::isinf(value))
      return std::nullopt;
    return value;
  }
  if (error != std::errc() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

bool is_exact_real(std::int64_t value) {
  const auto real = static_cast<double>(value);
  return real < 0x1p63 && static_cast<std::int64_t>(real) == value;
}

}  // namespace tandem::io
