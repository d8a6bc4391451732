#include <tandem/passes/pattern/json_document.h>

#include <algorithm>
#include <iterator>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/text.h>
#include <tandem/passes/pattern/text_spelling.h>

namespace tandem::fusion_json {

namespace {

/// The characters of the text. `furthest` follows the parser, which tells nobody where it is.
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

class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  Builder(std::string_view text, std::string_view file) : text_(text), file_(file), furthest_(text.data()) {}

  JsonValue build() {
    const CountingIterator first{text_.data(), &furthest_}, last{text_.data() + text_.size(), nullptr};
    nlohmann::json::sax_parse(first, last, this);
    return std::move(root_);
  }

  bool null() override { return add(JsonValue::Kind::null, 0) != nullptr; }
  bool boolean(bool v) override {
    add(JsonValue::Kind::boolean, 0)->boolean = v;
    return true;
  }
  bool number_integer(number_integer_t v) override {
    add(JsonValue::Kind::integer, 1)->integer = v;
    return true;
  }
  bool number_unsigned(number_unsigned_t v) override {
    JsonValue* value = add(JsonValue::Kind::integer, 1);
    if (v > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max())) {
      fail(value->span, "pattern.number", fmt::format("{} does not fit into 64 bits", v));
    }
    value->integer = static_cast<std::int64_t>(v);
    return true;
  }
  bool number_float(number_float_t v, const string_t& text) override {
    JsonValue* value = add(JsonValue::Kind::real, 1);
    if (text.find_first_of(".eE") == string_t::npos) {
      fail(value->span, "pattern.number", fmt::format("{} does not fit into 64 bits", text.substr(0, 40)),
           "a large real number is written with a '.' or an exponent");
    }
    value->real = v;
    return true;
  }
  bool string(string_t& v) override {
    add(JsonValue::Kind::string, 0)->text = v;
    return true;
  }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(JsonValue::Kind::object); }
  bool start_array(std::size_t) override { return open(JsonValue::Kind::array); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& v) override {
    JsonValue& object = *open_.back();
    const Span at = token(0);
    constexpr std::size_t most = 100;  // no object of a fusion has as many
    if (object.keys.size() >= most)
      fail(at, "pattern.too-large", fmt::format("more than {} keys in one object", most));
    if (std::find(object.keys.begin(), object.keys.end(), v) != object.keys.end()) {
      fail(at, "pattern.json-duplicate-key", fmt::format("the key '{}' stands twice in its object", v.substr(0, 40)));
    }
    object.keys.push_back(v);
    object.key_spans.push_back(at);
    return true;
  }
  bool parse_error(std::size_t position, const std::string& token, const nlohmann::json::exception& error) override {
    const std::size_t end = std::min(position, text_.size());
    const std::size_t start = end - std::min(error.id == 406 ? token.size() : std::size_t{1}, end);
    if (error.id == 406)
      fail(span_at(start), "pattern.number", "a number is too large for a double", "write \"inf\"");
    std::string_view what = error.what();
    for (std::string_view mark : {"] ", "column ", ": "}) {
      if (const auto at = what.find(mark); at != std::string_view::npos)
        what.remove_prefix(at + mark.size());
    }
    fail(span_at(position > text_.size() ? text_.size() : start), "pattern.json-syntax", std::string(what));
  }

  [[noreturn]] void fail(const Span& at, std::string_view code, std::string message, std::string help = {}) const {
    throw Error(Diagnostic{.code = std::string(code),
                           .where = {.file = at.file, .line = at.line, .column = at.column, .path = {}},
                           .message = std::move(message),
                           .help = std::move(help),
                           .notes = {},
                           .source_line = {}});
  }

  Span span_at(std::size_t offset) {
    for (; counted_ < offset; ++counted_) {
      if (text_[counted_] != '\n')
        continue;
      ++line_;
      line_start_ = counted_ + 1;
    }
    const std::size_t column = offset >= line_start_ ? offset - line_start_ + 1 : 1;
    return {file_, line_, static_cast<std::uint32_t>(column)};
  }

 private:
  /// Where the token starts that ends here. The parser has read `beyond` characters more: one behind a number.
  Span token(std::size_t beyond) {
    std::size_t start = token_end_;
    while (start < text_.size() && std::string_view(" \t\r\n,:").find(text_[start]) != std::string_view::npos)
      ++start;
    const auto here = static_cast<std::size_t>(furthest_ - text_.data());
    const bool at_end = here >= text_.size() && beyond != 0 && !open_.empty();
    token_end_ = at_end ? here : std::max(here - std::min(here, beyond), start);
    return span_at(start);
  }

  JsonValue* add(JsonValue::Kind kind, std::size_t beyond) {
    if (++count_ > max_fusion_parts) {
      fail(token(beyond), "pattern.too-large", fmt::format("more than {} values", max_fusion_parts), "split the file");
    }
    JsonValue value;
    value.kind = kind;
    value.span = token(beyond);
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    open_.back()->items.push_back(std::move(value));
    return &open_.back()->items.back();
  }

  bool open(JsonValue::Kind kind) {
    JsonValue* value = add(kind, 0);
    if (open_.size() >= max_fusion_nesting) {
      fail(value->span, "pattern.nesting", fmt::format("nested more than {} deep", max_fusion_nesting));
    }
    open_.push_back(value);  // stays: only the innermost open array or object grows
    return true;
  }

  bool close() {
    token_end_ = static_cast<std::size_t>(furthest_ - text_.data());
    open_.pop_back();
    return true;
  }

  std::string_view text_;
  std::string file_;
  const char* furthest_;
  JsonValue root_;
  std::vector<JsonValue*> open_;
  std::size_t token_end_ = 0, counted_ = 0, line_start_ = 0, count_ = 0;
  std::uint32_t line_ = 1;
};

}  // namespace

const JsonValue* JsonValue::find(std::string_view key) const {
  const auto it = std::find(keys.begin(), keys.end(), key);
  return it == keys.end() ? nullptr : &items[static_cast<std::size_t>(it - keys.begin())];
}

std::string describe(const JsonValue& v) {
  switch (v.kind) {
    case JsonValue::Kind::null: return "null";
    case JsonValue::Kind::boolean: return v.boolean ? "true" : "false";
    case JsonValue::Kind::integer: return fmt::format("the number {}", v.integer);
    case JsonValue::Kind::real: return fmt::format("the number {}", v.real);
    case JsonValue::Kind::string: return "the string " + fusion_text::spell_quoted(v.text.substr(0, 40));
    case JsonValue::Kind::array: return "an array";
    case JsonValue::Kind::object: return "an object";
  }
  return "something else";
}

JsonValue parse_document(std::string_view text, std::string_view file) {
  Builder builder(text, file);
  if (text.size() > max_fusion_bytes) {
    builder.fail({std::string(file), 1, 1}, "pattern.too-large",
                 fmt::format("the text has {} bytes, at most {} are read", text.size(), max_fusion_bytes));
  }
  if (const std::size_t bad = fusion_text::find_invalid_utf8(text); bad != std::string_view::npos) {
    builder.fail(builder.span_at(bad), "pattern.encoding",
                 fmt::format("byte 0x{:02x} is not UTF-8", static_cast<unsigned char>(text[bad])),
                 "save the file as UTF-8");
  }
  return builder.build();
}

}  // namespace tandem::fusion_json
