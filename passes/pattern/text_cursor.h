// Walks the tokens of a `.fusion` text: what the parser stands on. Collects what is wrong, and counts limits.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/lexer.h>
#include <tandem/passes/pattern/pattern.h>
#include <tandem/passes/pattern/text_comments.h>

namespace tandem::fusion_text {

/// Thrown behind a reported mistake: the statement is given up, its block goes on at the next one.
struct GiveUp {};

class Cursor {
 public:
  /// `where` names the file and the place of the first character. Comments are kept where `comments` is given.
  Cursor(std::string_view text, const Span& where, CommentTable* comments = nullptr);

  const Token& peek(std::size_t ahead = 0);
  Token take();
  /// Takes the token when it is this sign or, unquoted, this word.
  bool accept(std::string_view sign);
  bool accept_word(std::string_view word);
  /// Takes this sign or reports what stands there: "expected ')' behind the operands, found '{'".
  Token expect(std::string_view sign, std::string_view where, std::string_view help = {});
  /// Takes a name or reports that `what` is missing.
  Token expect_name(std::string_view what, std::string_view help = {});
  /// Splits the value `%8` that stands here into "%" and what follows it: it was an operator.
  void split_percent();
  /// True when no blank stands in front of the next token.
  bool adjacent() { return peek().offset == last_end_; }

  /// Records a mistake at a token or part. The last that a read may have throws them all.
  void report(const Token& at, std::string_view code, std::string message, std::string help = {},
              std::vector<std::string> notes = {});
  void report(const Span& at, std::string_view code, std::string message, std::string help = {});
  [[noreturn]] void fail(const Token& at, std::string_view code, std::string message, std::string help = {});
  /// Fails at the next token: "expected ..., found ...".
  [[noreturn]] void fail_expected(std::string_view what, std::string_view help = {});
  std::size_t num_errors() const { return diagnostics_.size(); }
  void throw_if_any();

  Span span(const Token& token) const { return {file_, token.line, token.column}; }
  /// One more statement, name or expression.
  void count(const Token& token);
  /// One level deeper until it is destroyed.
  class Level {
   public:
    explicit Level(Cursor& cursor);
    ~Level() { --cursor_.level_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    Cursor& cursor_;
  };

  /// Braces that were opened and not yet closed.
  std::size_t open_braces() const { return open_braces_; }
  void set_open_braces(std::size_t n) { open_braces_ = n; }
  CommentTable* comments() { return comments_; }

 private:
  void add(Diagnostic diagnostic);
  std::string source_line(std::uint32_t line) const;
  void require_readable();

  std::string_view text_;
  std::string file_;
  std::uint32_t first_line_;
  Lexer lexer_;
  CommentTable* comments_;
  std::deque<Token> ahead_;
  std::vector<Diagnostic> diagnostics_;
  std::size_t last_end_ = 0;
  std::size_t open_braces_ = 0;
  std::size_t level_ = 0;
  std::size_t parts_ = 0;
};

}  // namespace tandem::fusion_text
