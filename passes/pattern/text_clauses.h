// The statements within the blocks of a fusion: text_blocks.cpp has the blocks themselves and how reading goes on after
// a mistake, text_clauses.cpp what stands in 'match', text_guards.cpp 'where', text_rewrite.cpp 'rewrite'.
#pragma once

#include <array>
#include <functional>
#include <set>
#include <string_view>
#include <vector>

#include <tandem/passes/pattern/pattern.h>
#include <tandem/passes/pattern/text_cursor.h>

namespace tandem::fusion_text {

/// What stands in a `match` block.
struct MatchBlock {
  std::vector<InputPattern> inputs;
  std::vector<Clause> clauses;
};

/// The words that a statement of `match` may begin with.
inline constexpr std::array<std::string_view, 8> statement_words = {"in",     "keep",   "recompute", "optional",
                                                                    "either", "unless", "use",       "node"};
bool is_statement_word(const Token& token);

/// Where a token stands, as comments are remembered.
inline Position position_of(const Token& token) {
  return {token.line, token.column};
}

class ClauseParser {
 public:
  explicit ClauseParser(Cursor& cursor) : cursor_(cursor) {}

  /// Each parses "{ ... }" that belongs to the part at `owner`, and gives up on no mistake within.
  MatchBlock match_block(const Token& owner);
  std::vector<Clause> definition_block(const Token& owner);
  std::vector<Guard> where_block(const Token& owner);
  void rewrite_block(const Token& owner, Pattern& pattern);

  /// a, b: without braces
  std::vector<Guard> guard_list();

  /// Statements that name one of the pattern's definitions become uses of it.
  void resolve_uses(Pattern& pattern);

 private:
  void block(const Token& owner, std::string_view what, const std::function<void()>& statement);
  void recover(std::size_t open_braces);
  bool at_outer_section();
  void begin(const Token& token);

  std::vector<Clause> branch(const Token& owner);
  void match_statement(MatchBlock& out, bool inputs_allowed);
  void inputs(MatchBlock& out, bool allowed);
  Clause alternatives(bool negative);
  Clause node();
  void modifiers(NodePattern& n, Position at);
  std::vector<std::string> results();
  std::vector<std::string> operands();
  void operands(NodePattern& n);
  ThroughPattern through(std::size_t operand);
  Guard guard();
  void rewrite_statement(Pattern& pattern);
  void resolve_uses(const std::set<std::string_view>& defined, std::vector<Clause>& clauses);

  Cursor& cursor_;
  std::set<Position> said_node_, said_use_;  // statements that say what they are
};

/// Reports what a fusion's right side names that nothing defines.
void check_names(Cursor& cursor, const Pattern& pattern);

}  // namespace tandem::fusion_text
