// Recursive descent over sympy's srepr, and over plain infix.
#include <tandem/ir/io/torch/sym_expr.h>

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include <tandem/ir/counted.h>
#include <tandem/ir/io/findings.h>

namespace tandem::torch {

class SymbolicSizes::Parser {
 public:
  Parser(SymbolicSizes& owner, std::string_view text) : owner_(owner), text_(text) {}

  Dim whole() {
    if (text_.size() > max_expression_bytes)
      fail("the expression is too long");
    const Dim d = sum();
    if (peek() != '\0')
      fail(fmt::format("unexpected '{}'", text_[at_]));
    return d;
  }

 private:
  [[noreturn]] void fail(const std::string& message) const {
    throw Error(
        "torch.expression", fmt::format("{}, in the size expression {}", message, text_.substr(0, 300)),
        "known are Symbol, Integer, Add, Mul, Pow with a small constant exponent, FloorDiv, CleanDiv, CeilDiv, Mod, "
        "PythonMod, Max, Min and Abs");
  }
  char peek() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n'))
      ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool accept(std::string_view token) {
    peek();
    if (!text_.substr(at_).starts_with(token))
      return false;
    at_ += token.size();
    return true;
  }
  void expect(std::string_view token) {
    if (!accept(token))
      fail(fmt::format("expected '{}' at {}", token, at_));
  }

  Dim sum() {
    if (++depth_ > max_expression_depth)
      fail("it nests too deep");
    Dim d = product();
    for (;;) {
      if (accept("+"))
        d = d + product();
      else if (accept("-"))
        d = d - product();
      else
        break;
    }
    --depth_;
    return d;
  }
  Dim product() {
    Dim d = power();
    for (;;) {
      if (text_.substr((peek(), at_)).starts_with("**"))
        return d;
      if (accept("*"))
        d = d * power();
      else if (accept("//"))
        d = divide(d, power());
      else if (accept("%"))
        d = remainder(d, power());
      else
        return d;
    }
  }
  Dim power() {
    const Dim base = factor();
    return accept("**") ? raise(base, factor()) : base;
  }
  Dim factor() {
    const char c = peek();
    if (c == '-') {
      ++at_;
      if (++depth_ > max_expression_depth)
        fail("it nests too deep");
      const Dim d = Dim(0) - power();
      --depth_;
      return d;
    }
    if (accept("(")) {
      const Dim d = sum();
      expect(")");
      return d;
    }
    if (c >= '0' && c <= '9')
      return integer();
    return name_or_call();
  }
  Dim integer() {
    const char sign = peek();
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (error != std::errc())
      fail(fmt::format("expected an integer at {}, not '{}'", at_, sign));
    at_ = static_cast<std::size_t>(end - text_.data());
    return Dim(value);
  }
  std::string_view word() {
    peek();
    const std::size_t start = at_;
    const auto is_word = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
    };
    while (at_ < text_.size() && is_word(text_[at_]))
      ++at_;
    if (at_ == start)
      fail(fmt::format("expected a name at {}", start));
    return text_.substr(start, at_ - start);
  }
  Dim name_or_call() {
    const std::string_view name = word();
    if (!accept("("))
      return symbol(name, false);
    if (name == "Symbol")
      return symbol_call();
    if (name == "Integer") {
      const Dim d = integer();
      expect(")");
      return d;
    }
    std::vector<Dim> arguments;
    while (!accept(")")) {
      if (!arguments.empty())
        expect(",");
      arguments.push_back(sum());
    }
    return call(name, arguments);
  }
  /// 's77', positive=True, integer=True)
  Dim symbol_call() {
    expect("'");
    const std::size_t end = std::min(text_.find('\'', at_), text_.size());
    const std::string_view name = text_.substr(at_, end - at_);
    at_ = end;
    expect("'");
    bool positive = false;
    while (!accept(")")) {
      expect(",");
      const std::string_view assumption = word();
      expect("=");
      const std::string_view value = word();
      positive = positive || (assumption == "positive" && value == "True");
    }
    return symbol(name, positive);
  }
  Dim symbol(std::string_view name, bool positive) {
    const Dim d = owner_.context_.symbol(name);
    const auto known = std::find_if(owner_.symbols_.begin(), owner_.symbols_.end(),
                                    [&](const SeenSymbol& s) { return s.name == d.symbol(); });
    if (known == owner_.symbols_.end())
      owner_.symbols_.push_back({d.symbol(), positive});
    else
      known->positive = known->positive || positive;
    return d;
  }

  Dim call(std::string_view name, const std::vector<Dim>& a) {
    const auto takes = [&](std::size_t n) {
      if (a.size() != n)
        fail(fmt::format("{} takes {}, not {}", name, counted(n, "argument"), a.size()));
    };
    if (name == "Add" || name == "Mul") {
      Dim d = name == "Add" ? 0 : 1;
      for (const Dim x : a)
        d = name == "Add" ? d + x : d * x;
      return d;
    }
    if ((name == "Max" || name == "Min") && !a.empty()) {
      Dim d = a[0];
      for (std::size_t i = 1; i < a.size(); ++i)
        d = extreme(name == "Max", d, a[i]);
      return d;
    }
    takes(name == "Abs" || name == "Identity" ? 1 : 2);
    if (name == "Identity")
      return a[0];
    if (name == "Abs")
      return extreme(true, a[0], Dim(0) - a[0]);
    if (name == "Pow" || name == "PowByNatural")
      return raise(a[0], a[1]);
    if (name == "FloorDiv" || name == "CleanDiv")
      return divide(a[0], a[1]);
    if (name == "Mod" || name == "PythonMod")
      return remainder(a[0], a[1]);
    if (name == "CeilDiv")
      return divide(a[0] + a[1] - 1, a[1]);
    if (name == "IntTrueDiv") {
      if (a[1].is(0) || !mod(a[0], a[1]).is(0))
        fail("a true division that leaves a rest");
      return divide(a[0], a[1]);
    }
    fail(fmt::format("the function '{}' is not known", name));
  }
  DimRange range(Dim d) const { return bounds(d, owner_.range_of_); }
  Dim extreme(bool largest, Dim a, Dim b) {
    const DimRange difference = range(a - b);
    if (difference.min >= 0)
      return largest ? a : b;
    if (difference.max <= 0)
      return largest ? b : a;
    return largest ? maximum(a, b) : minimum(a, b);
  }
  Dim raise(Dim base, Dim exponent) {
    if (!exponent.is_constant() || exponent.constant() < 0 || exponent.constant() > max_exponent)
      fail(fmt::format("the exponent {}; expected an integer from 0 to {}", to_string(exponent), max_exponent));
    Dim d = 1;
    for (std::int64_t i = 0; i < exponent.constant(); ++i)
      d = d * base;
    return d;
  }
  Dim divide(Dim a, Dim b) {
    if (range(b).min < 1)
      fail(fmt::format("the divisor {} may be 0 or less", to_string(b)));
    return floordiv(a, b);
  }
  /// Written with floordiv, of which dims know more: s + (-s) % 64 is then 64 * -floordiv(-s, 64), a multiple of 64
  /// that can be split.
  Dim remainder(Dim a, Dim b) {
    if (range(b).min < 1)
      fail(fmt::format("the divisor {} may be 0 or less", to_string(b)));
    const Dim rest = mod(a, b);
    return rest.is_constant() ? rest : a - b * floordiv(a, b);
  }

  SymbolicSizes& owner_;
  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
};

Dim SymbolicSizes::parse(std::string_view text) {
  return Parser(*this, text).whole();
}

}  // namespace tandem::torch
