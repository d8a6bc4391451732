// Recursive descent over the characters; numbers, names and dims are read without allocating.
#include <tandem/ir/dim_parser.h>

#include <array>
#include <utility>
#include <vector>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/dim_polynomial.h>

namespace tandem {

namespace {

/// The text is wrong at `position`. Stays inside this file.
struct SyntaxError {
  std::size_t position;
  std::string message;
};

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_name_part(char c) {
  return is_name_start(c) || is_digit(c) || c == '.';
}

class Parser {
 public:
  Parser(Context& context, std::string_view text, std::size_t position)
      : context_(context), text_(text), position_(position) {}

  std::size_t position() const { return position_; }

  Dim dim() {
    Dim first = product();
    if (!at_sum())
      return first;
    // Summands are added up once, since each partial sum would be interned.
    std::vector<Dim> summands{first};
    std::vector<std::int64_t> signs{1};
    const std::size_t start = position_;
    while (at_sum()) {
      skip_space();
      signs.push_back(text_[position_++] == '-' ? -1 : 1);
      summands.push_back(product());
    }
    return checked(start, [&] { return signed_sum(summands, signs); });
  }

  Shape shape() {
    expect('[', "the '[' of a shape");
    std::array<Dim, max_shape_rank> dims;
    std::size_t rank = 0;
    if (accept(']'))
      return context_.shape(std::span<const Dim>());
    do {
      if (rank == dims.size())
        fail("a shape has more than " + std::to_string(max_shape_rank) + " dims");
      dims[rank++] = dim();
    } while (accept(','));
    expect(']', "',' or ']' in a shape");
    return context_.shape(std::span<const Dim>(dims).first(rank));
  }

  TensorType type() {
    skip_space();
    const std::size_t start = position_;
    const std::string_view name = take_name();
    const auto dtype = parse_dtype(name);
    if (!dtype) {
      position_ = start;
      if (name.empty())
        fail("expected a type such as bf16[T, 7168], found " + found());
      std::vector<std::string_view> names;
      for (DType known : all_dtypes())
        names.push_back(to_string(known));
      fail("unknown dtype '" + std::string(name.substr(0, 40)) + "'" + did_you_mean(name.substr(0, 40), names));
    }
    return {*dtype, shape()};
  }

  void expect_end() {
    skip_space();
    if (position_ != text_.size())
      fail("expected the end, found " + found());
  }

 private:
  Dim product() {
    Dim value = factor();
    while (at_product()) {
      skip_space();
      const std::size_t start = position_++;
      const Dim next = factor();
      value = checked(start, [&] { return value * next; });
    }
    return value;
  }

  Dim factor() {
    bool is_negative = false;
    while (peek() == '-') {
      is_negative = !is_negative;
      ++position_;
    }
    const std::size_t start = position_;
    const Dim value = positive_factor();
    return is_negative ? checked(start, [&] { return Dim(0) - value; }) : value;
  }

  Dim positive_factor() {
    const char c = peek();
    if (is_digit(c))
      return integer();
    if (c == '(') {
      const std::size_t open = position_++;
      enter(open);
      const Dim value = dim();
      expect(')', "')'");
      --depth_;
      return value;
    }
    if (!is_name_start(c))
      fail("expected a dim such as 2*T + 1, found " + found());
    const std::size_t start = position_;
    const std::string_view name = take_name();
    if (name == "floordiv")
      return call(start, floordiv);
    if (name == "mod")
      return call(start, mod);
    if (name == "ceildiv")
      return call(start, ceildiv);
    if (name == "min")
      return call(start, minimum);
    if (name == "max")
      return call(start, maximum);
    return checked(start, [&] { return context_.symbol(name); });
  }

  Dim call(std::size_t start, Dim (*function)(Dim, Dim)) {
    enter(start);
    expect('(', "'(' behind the function's name");
    const Dim a = dim();
    expect(',', "',' and a second argument");
    const Dim b = dim();
    expect(')', "')' behind the second argument");
    --depth_;
    return checked(start, [&] { return function(a, b); });
  }

  Dim integer() {
    const std::size_t start = position_;
    std::int64_t value = 0;
    for (; position_ < text_.size() && is_digit(text_[position_]); ++position_) {
      const std::int64_t digit = text_[position_] - '0';
      if (value > (Dim::max_constant - digit) / 10) {
        position_ = start;
        fail("a number in a dim is larger than 2^61");
      }
      value = 10 * value + digit;
    }
    if (position_ < text_.size() && is_name_part(text_[position_]))
      fail("expected an integer, found " + found() + " behind its digits");
    return Dim(value);
  }

  // Arithmetic reports overflow and size limits; here they get a place.
  template <class Function>
  Dim checked(std::size_t position, const Function& function) {
    try {
      return function();
    } catch (const Error& error) {
      if (error.diagnostics().front().code.substr(0, 4) != "dim.")
        throw;
      throw SyntaxError{position, error.diagnostics().front().message};
    }
  }

  void enter(std::size_t position) {
    if (++depth_ <= max_dim_nesting)
      return;
    position_ = position;
    fail("parentheses and calls nest more than " + std::to_string(max_dim_nesting) + " deep");
  }

  void skip_space() {
    while (position_ < text_.size() && is_space(text_[position_]))
      ++position_;
  }

  /// The next character behind white space, which is skipped; 0 at the end.
  char peek() {
    skip_space();
    return position_ < text_.size() ? text_[position_] : '\0';
  }

  // What follows behind white space, none of which is consumed.

  bool at_sum() const {
    const std::string_view rest = ahead();
    return rest.starts_with('+') || (rest.starts_with('-') && !rest.starts_with("->"));
  }

  bool at_product() const { return ahead().starts_with('*'); }

  std::string_view ahead() const {
    std::size_t i = position_;
    while (i < text_.size() && is_space(text_[i]))
      ++i;
    return text_.substr(i);
  }

  bool accept(char c) {
    if (peek() != c || position_ == text_.size())
      return false;
    ++position_;
    return true;
  }

  void expect(char c, std::string_view what) {
    if (!accept(c))
      fail("expected " + std::string(what) + ", found " + found());
  }

  std::string_view take_name() {
    const std::size_t start = position_;
    if (position_ < text_.size() && is_name_start(text_[position_]))
      while (position_ < text_.size() && is_name_part(text_[position_]))
        ++position_;
    return text_.substr(start, position_ - start);
  }

  std::string found() const {
    if (position_ >= text_.size())
      return "the end";
    const auto c = static_cast<unsigned char>(text_[position_]);
    if (c >= 0x20 && c < 0x7f)
      return "'" + std::string(1, text_[position_]) + "'";
    constexpr std::string_view hex = "0123456789abcdef";
    return std::string("the byte 0x") + hex[c >> 4U] + hex[c & 15U];
  }

  [[noreturn]] void fail(std::string message) const { throw SyntaxError{position_, std::move(message)}; }

  Context& context_;
  std::string_view text_;
  std::size_t position_;
  std::size_t depth_ = 0;
};

template <class Result>
std::optional<Result> parse_prefix(Context& context, std::string_view text, std::size_t& position, std::string& error,
                                   Result (Parser::*rule)()) {
  Parser parser(context, text, position);
  try {
    const Result result = (parser.*rule)();
    position = parser.position();
    return result;
  } catch (SyntaxError& wrong) {
    position = wrong.position;
    error = std::move(wrong.message);
    return std::nullopt;
  }
}

template <class Result>
Result parse_whole(Context& context, std::string_view text, std::string_view code, Result (Parser::*rule)()) {
  Parser parser(context, text, 0);
  try {
    const Result result = (parser.*rule)();
    parser.expect_end();
    return result;
  } catch (const SyntaxError& wrong) {
    Diagnostic diagnostic;
    diagnostic.code = std::string(code);
    diagnostic.message = wrong.message;
    diagnostic.where.line = 1;
    diagnostic.where.column = static_cast<std::uint32_t>(wrong.position + 1);
    if (text.size() <= 200)
      diagnostic.source_line = std::string(text);
    throw Error(std::move(diagnostic));
  }
}

}  // namespace

Dim parse_dim(Context& context, std::string_view text) {
  return parse_whole(context, text, "dim.syntax", &Parser::dim);
}

Shape parse_shape(Context& context, std::string_view text) {
  return parse_whole(context, text, "shape.syntax", &Parser::shape);
}

TensorType parse_type(Context& context, std::string_view text) {
  return parse_whole(context, text, "type.syntax", &Parser::type);
}

std::optional<Dim> parse_dim_prefix(Context& context, std::string_view text, std::size_t& position,
                                    std::string& error) {
  return parse_prefix(context, text, position, error, &Parser::dim);
}

std::optional<Shape> parse_shape_prefix(Context& context, std::string_view text, std::size_t& position,
                                        std::string& error) {
  return parse_prefix(context, text, position, error, &Parser::shape);
}

std::optional<TensorType> parse_type_prefix(Context& context, std::string_view text, std::size_t& position,
                                            std::string& error) {
  return parse_prefix(context, text, position, error, &Parser::type);
}

}  // namespace tandem
