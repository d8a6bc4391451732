#include <tandem/passes/pattern/text_cursor.h>

#include <algorithm>

#include <fmt/format.h>

#include <tandem/passes/pattern/text.h>
#include <tandem/passes/pattern/text_spelling.h>

namespace tandem::fusion_text {

Cursor::Cursor(std::string_view text, const Span& where, CommentTable* comments)
    : text_(text),
      file_(where.file),
      first_line_(std::max(where.line, 1U)),
      lexer_(text, first_line_, std::max(where.column, 1U)),
      comments_(comments) {
  require_readable();
  if (comments_ == nullptr)
    return;
  for (const Comment& c : peek().comments)
    comments_->add_pending(c);
}

void Cursor::require_readable() {
  Token at;
  const auto place = [&](std::size_t offset) {
    const std::string_view before = text_.substr(0, offset);
    at.line = first_line_ + static_cast<std::uint32_t>(std::count(before.begin(), before.end(), '\n'));
    const std::size_t start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    at.column = static_cast<std::uint32_t>(offset - start + 1);
  };
  if (text_.size() > max_fusion_bytes) {
    report(at, "pattern.too-large",
           fmt::format("the text has {} bytes, at most {} are read", text_.size(), max_fusion_bytes));
  } else if (text_.starts_with("\xef\xbb\xbf") || text_.starts_with("\xff\xfe") || text_.starts_with("\xfe\xff")) {
    report(at, "pattern.encoding", "the text starts with a byte order mark",
           "save it as UTF-8 without a byte order mark");
  } else if (const std::size_t bad = find_invalid_utf8(text_); bad != std::string_view::npos) {
    place(bad);
    report(at, "pattern.encoding", fmt::format("byte 0x{:02x} is not UTF-8", static_cast<unsigned char>(text_[bad])),
           "save the file as UTF-8; a string spells any byte as \\xHH");
  } else if (const std::size_t nul = text_.find('\0'); nul != std::string_view::npos) {
    place(nul);
    report(at, "pattern.encoding", "the text holds a NUL byte", "a string spells it as \\x00");
  }
  throw_if_any();
}

const Token& Cursor::peek(std::size_t ahead) {
  while (ahead_.size() <= ahead)
    ahead_.push_back(lexer_.next());
  return ahead_[ahead];
}

Token Cursor::take() {
  peek();
  Token token = std::move(ahead_.front());
  ahead_.pop_front();
  last_end_ = token.end;
  if (token.is("{"))
    ++open_braces_;
  if (token.is("}") && open_braces_ != 0)
    --open_braces_;
  if (comments_ != nullptr) {
    for (const Comment& c : peek().comments)
      c.own_line ? comments_->add_pending(c) : comments_->add_behind(c);
  }
  return token;
}

bool Cursor::accept(std::string_view sign) {
  if (!peek().is(sign))
    return false;
  take();
  return true;
}

bool Cursor::accept_word(std::string_view word) {
  if (!peek().is_word(word))
    return false;
  take();
  return true;
}

Token Cursor::expect(std::string_view sign, std::string_view where, std::string_view help) {
  if (!peek().is(sign))
    fail_expected(fmt::format("'{}' {}", sign, where), help);
  return take();
}

Token Cursor::expect_name(std::string_view what, std::string_view help) {
  if (peek().kind != TokenKind::name)
    fail_expected(what, help);
  if (!peek().quoted && is_reserved(peek().text)) {
    fail(peek(), "pattern.syntax", fmt::format("expected {}, found the keyword '{}'", what, peek().text),
         fmt::format("a name that is a keyword is written in backquotes: `{}`", peek().text));
  }
  count(peek());
  return take();
}

void Cursor::split_percent() {
  Token percent = peek();
  ahead_.clear();
  ahead_.push_back(lexer_.after_percent(percent));
  percent.kind = TokenKind::sign;
  percent.text = "%";
  percent.end = percent.offset + 1;
  ahead_.push_front(std::move(percent));
}

std::string Cursor::source_line(std::uint32_t line) const {
  constexpr std::size_t longest = 4096;
  std::size_t start = 0;
  for (std::uint32_t i = first_line_; i < line; ++i) {
    const std::size_t end = text_.find('\n', start);
    if (end == std::string_view::npos)
      return {};
    start = end + 1;
  }
  std::string_view out = text_.substr(start, std::min(text_.find('\n', start), text_.size()) - start);
  if (out.ends_with('\r'))
    out.remove_suffix(1);
  return out.size() > longest ? std::string() : std::string(out);
}

void Cursor::report(const Token& at, std::string_view code, std::string message, std::string help,
                    std::vector<std::string> notes) {
  add({.code = std::string(code),
       .where = {.file = file_, .line = at.line, .column = at.column, .path = {}},
       .message = std::move(message),
       .help = std::move(help),
       .notes = std::move(notes),
       .source_line = source_line(at.line)});
}

void Cursor::report(const Span& at, std::string_view code, std::string message, std::string help) {
  Token token;
  token.line = at.line;
  token.column = at.column;
  report(token, code, std::move(message), std::move(help));
}

void Cursor::add(Diagnostic d) {
  diagnostics_.push_back(std::move(d));
  if (diagnostics_.size() < max_fusion_errors)
    return;
  diagnostics_.back().notes.push_back(fmt::format("reading stopped after {} errors", max_fusion_errors));
  throw_if_any();
}

void Cursor::fail(const Token& at, std::string_view code, std::string message, std::string help) {
  if (at.kind == TokenKind::bad) {
    report(at, "pattern.character", at.text);
  } else {
    report(at, code, std::move(message), std::move(help));
  }
  throw GiveUp{};
}

void Cursor::fail_expected(std::string_view what, std::string_view help) {
  fail(peek(), "pattern.syntax", fmt::format("expected {}, found {}", what, describe(peek())), std::string(help));
}

void Cursor::throw_if_any() {
  if (diagnostics_.empty())
    return;
  // In the order of the text, whatever was checked when.
  std::stable_sort(diagnostics_.begin(), diagnostics_.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::pair(a.where.line, a.where.column) < std::pair(b.where.line, b.where.column);
  });
  throw Error(std::move(diagnostics_));
}

void Cursor::count(const Token& token) {
  if (++parts_ <= max_fusion_parts)
    return;
  report(token, "pattern.too-large", fmt::format("more than {} statements, names and expressions", max_fusion_parts),
         "split the file");
  throw_if_any();
}

Cursor::Level::Level(Cursor& cursor) : cursor_(cursor) {
  if (cursor_.level_ >= max_fusion_nesting) {
    cursor_.fail(cursor_.peek(), "pattern.nesting", fmt::format("nested more than {} deep", max_fusion_nesting));
  }
  ++cursor_.level_;
}

}  // namespace tandem::fusion_text
