#include <tandem/ir/io/json_syntax.h>

#include <algorithm>
#include <limits>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <tandem/ir/io/json_path.h>
#include <tandem/ir/io/limits.h>

namespace tandem::io {

namespace {

/// The characters of the text, counted as they are read: that is where the parser is when it calls the listener.
struct CountingIterator {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  const char* at = nullptr;
  const char** furthest = nullptr;

  const char& operator*() const { return *at; }
  CountingIterator& operator++() {
    ++at;
    if (furthest != nullptr)
      *furthest = std::max(*furthest, at);
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator old = *this;
    ++*this;
    return old;
  }
  friend bool operator==(const CountingIterator& a, const CountingIterator& b) { return a.at == b.at; }
};

/// Listens for the first error, or the first number that a 64-bit integer cannot hold. Builds nothing.
class SyntaxListener : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit SyntaxListener(const char* const* position) : position_(position) {}

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t& text) override {
    if (text.find_first_of(".eE") != string_t::npos)
      return true;
    large_number = text;
    number_end = *position_;
    return false;
  }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return true; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t position, const std::string& last_token,
                   const nlohmann::json::exception& error) override {
    failed = true;
    error_end = position;
    token = last_token;
    message = error.what();
    out_of_range = error.id == 406;
    return false;
  }

  std::string large_number, token, message;
  const char* number_end = nullptr;
  std::size_t error_end = 0;
  bool failed = false, out_of_range = false;

 private:
  const char* const* position_;
};

/// "[json.exception.parse_error.101] parse error at line 1, column 5: syntax error while ..." without what we say
/// better.
std::string_view without_prefix(std::string_view message) {
  for (std::string_view mark : {"] ", "column "}) {
    if (const auto at = message.find(mark); at != std::string_view::npos)
      message.remove_prefix(at + mark.size());
  }
  if (!message.empty() && message[0] >= '0' && message[0] <= '9') {
    if (const auto at = message.find(": "); at != std::string_view::npos)
      message.remove_prefix(at + 2);
  }
  return message;
}

/// Where the token starts that ends at `end` and that the parser could not use.
std::size_t start_of_token(std::string_view text, std::size_t end, std::string_view message) {
  if (end == 0)
    return 0;
  std::size_t at = end - 1;
  if (message.find("unexpected string literal") != std::string_view::npos) {
    const auto escaped = [&](std::size_t i) {
      std::size_t backslashes = 0;
      while (backslashes < i && text[i - 1 - backslashes] == '\\')
        ++backslashes;
      return backslashes % 2 == 1;
    };
    while (at > 0 && (text[at - 1] != '"' || escaped(at - 1)))
      --at;
    return at == 0 ? 0 : at - 1;
  }
  if (message.find("unexpected") == std::string_view::npos || message.find(" literal; ") == std::string_view::npos)
    return at;
  if (message.find("invalid literal") != std::string_view::npos)
    return at;
  constexpr std::string_view delimiters = ",:{}[] \t\r\n\"";
  while (at > 0 && delimiters.find(text[at - 1]) == std::string_view::npos)
    --at;
  return at;
}

}  // namespace

Diagnostic explain_json_syntax(SourceText& source, std::string_view reason) {
  const std::string_view text = source.text();
  const auto at = [&](std::size_t offset, Diagnostic d) {
    d.where = source.location(offset);
    d.source_line = source.line_around(offset);
    return d;
  };
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return at(text.size(), finding("json.syntax", "the input is empty, a JSON object is expected"));
  }
  if (const std::size_t deep = find_nesting_above(text, max_json_depth); deep != std::string_view::npos) {
    return at(deep, finding("json.depth", fmt::format("more than {} brackets are open here", max_json_depth),
                            "a graph nests at most 6 deep"));
  }
  const char* position = text.data();
  SyntaxListener listener(&position);
  const CountingIterator first{text.data(), &position}, last{text.data() + text.size(), nullptr};
  nlohmann::json::sax_parse(first, last, &listener);
  if (listener.failed && listener.out_of_range) {
    const std::size_t end = std::min(listener.error_end, text.size());
    return at(
        end - std::min(listener.token.size(), end),
        finding("json.number", fmt::format("the number {} is too large for a double", listener.token.substr(0, 60)),
                "infinities are written as the strings \"inf\" and \"-inf\""));
  }
  if (listener.failed && listener.error_end > 0 && listener.error_end <= text.size() &&
      text[listener.error_end - 1] == '\0') {
    return at(listener.error_end - 1, finding("json.syntax", "the input holds a NUL byte here, which JSON cannot"));
  }
  if (listener.failed) {
    // The parser stands behind the character that it could not use, or behind the last of all.
    std::size_t offset = std::min(listener.error_end, text.size());
    const bool at_end =
        listener.message.find("unexpected end of input") != std::string::npos || listener.error_end > text.size();
    if (!at_end)
      offset = start_of_token(text, offset, listener.message);
    return at(offset, finding("json.syntax", std::string(without_prefix(listener.message)),
                              at_end ? "the input seems to be cut off" : ""));
  }
  if (!listener.large_number.empty()) {
    const auto end = static_cast<std::size_t>(listener.number_end - text.data());
    return at(end - std::min(listener.large_number.size() + 1, end),
              finding("json.number",
                      fmt::format("the whole number {}{} does not fit into 64 bits",
                                  listener.large_number.substr(0, 40), listener.large_number.size() > 40 ? "..." : ""),
                      "a large real number is written with a '.' or an exponent"));
  }
  return at(0, finding("json.syntax", fmt::format("not JSON: {}", reason)));
}

}  // namespace tandem::io
