#include <tandem/ir/op_table.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include <fmt/format.h>

#include <tandem/ir/context.h>
#include <tandem/ir/diagnostic.h>

namespace tandem {

namespace {

bool is_name(std::string_view s) {
  if (s.empty() || (std::isalpha(static_cast<unsigned char>(s[0])) == 0 && s[0] != '_'))
    return false;
  return std::all_of(s.begin(), s.end(),
                     [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; });
}

/// Reads "(x, weight?) -> y {eps: real, flag: bool = false}".
class SignatureParser {
 public:
  SignatureParser(Context& context, OpDef& def) : context_(context), def_(def), text_(def.signature) {}

  void parse() {
    expect("(");
    parse_operands();
    expect("->");
    if (accept("(")) {
      expect(")");
    } else {
      parse_results();
    }
    if (accept("{"))
      parse_attrs();
    skip_space();
    if (at_ != text_.size())
      fail("trailing text");
  }

 private:
  void parse_operands() {
    bool optional_seen = false;
    if (accept(")"))
      return;
    do {
      if (def_.variadic_operands)
        fail("an operand after a variadic one");
      def_.operands.push_back(word());
      if (accept("...")) {
        def_.variadic_operands = true;
      } else if (accept("?")) {
        optional_seen = true;
      } else if (optional_seen) {
        fail("a required operand after an optional one");
      } else {
        def_.min_operands = static_cast<std::uint32_t>(def_.operands.size());
      }
    } while (accept(","));
    expect(")");
  }

  void parse_results() {
    do {
      if (def_.variadic_results)
        fail("a result after a variadic one");
      def_.results.push_back(word());
      def_.variadic_results = accept("...");
    } while (accept(","));
  }

  void parse_attrs() {
    do {
      AttrDef attr;
      attr.name = word();
      if (def_.find_attr(attr.name) >= 0)
        fail(fmt::format("attribute '{}' twice", attr.name));
      expect(":");
      attr.kind = parse_kind(word());
      if (accept("="))
        attr.default_value = parse_default(attr.kind);
      def_.attrs.push_back(std::move(attr));
    } while (accept(","));
    expect("}");
  }

  AttrKind parse_kind(std::string_view name) {
    for (AttrKind kind : {AttrKind::boolean, AttrKind::integer, AttrKind::real, AttrKind::dtype, AttrKind::string,
                          AttrKind::dim, AttrKind::dims, AttrKind::reals, AttrKind::tensor}) {
      if (name == to_string(kind))
        return kind;
    }
    fail(fmt::format("unknown attribute kind '{}'", name));
  }

  Attribute parse_default(AttrKind kind) {
    skip_space();
    if (kind == AttrKind::string) {
      expect("\"");
      const std::size_t end = text_.find('"', at_);
      if (end == std::string_view::npos)
        fail("an unterminated string");
      const std::string_view value = text_.substr(at_, end - at_);
      at_ = end + 1;
      return Attribute::of(context_.intern(value));
    }
    const std::size_t end = std::min(text_.find_first_of(",}", at_), text_.size());
    std::string_view token = text_.substr(at_, end - at_);
    while (!token.empty() && token.back() == ' ')
      token.remove_suffix(1);
    at_ = end;
    if (kind == AttrKind::boolean && (token == "true" || token == "false"))
      return Attribute::of(token == "true");
    if (kind == AttrKind::dtype) {
      if (const auto dtype = parse_dtype(token))
        return Attribute::of(*dtype);
    }
    if (kind == AttrKind::integer || kind == AttrKind::dim) {
      std::int64_t value = 0;
      const auto [ptr, ec] = std::from_chars(token.data(), token.data() + token.size(), value);
      if (ec == std::errc() && ptr == token.data() + token.size()) {
        return kind == AttrKind::integer ? Attribute::of(value) : Attribute::of(Dim(value));
      }
    }
    if (kind == AttrKind::real) {
      double value = 0;
      const auto [ptr, ec] = std::from_chars(token.data(), token.data() + token.size(), value);
      if (ec == std::errc() && ptr == token.data() + token.size())
        return Attribute::of(value);
    }
    if (kind == AttrKind::dims && token == "[]")
      return Attribute::of(Shape());
    fail(fmt::format("'{}' is no default of kind {}", token, to_string(kind)));
  }

  std::string word() {
    skip_space();
    const std::size_t start = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '_'))
      ++at_;
    const std::string_view w = text_.substr(start, at_ - start);
    if (!is_name(w))
      fail("expected a name");
    return std::string(w);
  }
  bool accept(std::string_view token) {
    skip_space();
    if (text_.substr(at_, token.size()) != token)
      return false;
    at_ += token.size();
    return true;
  }
  void expect(std::string_view token) {
    if (!accept(token))
      fail(fmt::format("expected '{}'", token));
  }
  void skip_space() {
    while (at_ < text_.size() && text_[at_] == ' ')
      ++at_;
  }
  [[noreturn]] void fail(std::string_view what) {
    throw Error(Diagnostic{.code = "op.signature",
                           .where = {.file = {}, .line = 1, .column = static_cast<std::uint32_t>(at_ + 1), .path = {}},
                           .message = fmt::format("bad signature of op '{}': {}", def_.name, what),
                           .help = "write it like \"(x, weight?) -> y {eps: real, flag: bool = false}\"",
                           .notes = {},
                           .source_line = std::string(text_)});
  }

  Context& context_;
  OpDef& def_;
  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

OpDef parse_op_row(Context& context, const OpRow& row) {
  OpDef def;
  def.name = row.name;
  if (def.name.size() > 1 && def.name.back() == '_')
    def.name.pop_back();  // `return_` in ops.def
  if (!is_name(def.name)) {
    throw Error("op.name", fmt::format("'{}' is no op name", row.name), "use letters, digits and '_'");
  }
  if (row.infer == nullptr) {
    throw Error("op.no-inference", fmt::format("op '{}' has no type inference", def.name),
                "set OpRow::infer to a function that fills Inference::results");
  }
  def.signature = row.signature;
  def.traits = row.traits;
  def.infer = row.infer;
  def.doc = row.doc;
  def.decompose = row.decompose;
  SignatureParser(context, def).parse();
  return def;
}

int OpDef::find_attr(std::string_view attr) const {
  for (std::size_t i = 0; i < attrs.size(); ++i) {
    if (attrs[i].name == attr)
      return static_cast<int>(i);
  }
  return -1;
}

std::string OpDef::operand_name(std::size_t i) const {
  if (variadic_operands && i + 1 >= operands.size()) {
    return fmt::format("{}[{}]", operands.back(), i + 1 - operands.size());
  }
  return i < operands.size() ? operands[i] : fmt::format("operand {}", i);
}

Attribute Inference::attr(std::string_view name) const {
  const int i = op.find_attr(name);
  if (i < 0)
    internal_error(fmt::format("op '{}' has no attribute '{}'", op.name, name));
  return attrs[static_cast<std::size_t>(i)];
}

void Inference::result(DType dtype, std::span<const Dim> shape) {
  results.push_back({dtype, context.shape(shape)});
}

std::size_t Inference::axis(std::string_view name, std::size_t rank) const {
  const std::int64_t given = attr(name).integer();
  const auto r = static_cast<std::int64_t>(rank);
  if (given < -r || given >= r) {
    fail(fmt::format("{} = {} is out of range for rank {}: expected {} to {}", name, given, rank, -r, r - 1));
  }
  return static_cast<std::size_t>(given < 0 ? given + r : given);
}

void Inference::fail(std::string message) const {
  throw Error("graph.type", fmt::format("{}: {}", op.name, message), fmt::format("{}{}", op.name, op.signature));
}

}  // namespace tandem
