// The comments of a `.fusion` text, by the part that they belong to: what the formatter keeps beside the patterns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <tandem/passes/pattern/lexer.h>
#include <tandem/passes/pattern/pattern.h>

namespace tandem::fusion_text {

/// Line and column of a part's first token.
using Position = std::pair<std::uint32_t, std::uint32_t>;

inline Position position_of(const Span& span) {
  return {span.line, span.column};
}

/// Comments are lines; an empty one is an empty line.
struct CommentsOf {
  std::vector<std::string> before;  ///< On lines of their own, in front.
  std::string behind;               ///< At the end of its first line.
  std::vector<std::string> after;   ///< On lines of their own, at the end of the block that it closes.
};

class CommentTable {
 public:
  // --- filled by the parser

  void add_pending(const Comment& comment) {
    pending_.push_back(comment.text);
    if (comment.blank_after)
      pending_.emplace_back();
  }
  /// What is pending stands in front of the part at `position`, to which the comments behind it belong from now on.
  void begin(Position position) {
    CommentsOf& of = of_[position];
    of.before.insert(of.before.end(), pending_.begin(), pending_.end());
    pending_.clear();
    current_ = position;
    closed_ = false;
  }
  void add_behind(const Comment& comment) {
    CommentsOf& of = of_[current_];
    if (closed_) {
      of.after.push_back(comment.text);
    } else if (of.behind.empty()) {
      of.behind = comment.text;
    } else {
      of.before.push_back(comment.text);
    }
  }
  /// A block ends whose last part is at `last` and which belongs to `owner`.
  void close(Position last, Position owner) {
    CommentsOf& of = of_[last];
    while (!pending_.empty() && pending_.back().empty())
      pending_.pop_back();
    of.after.insert(of.after.end(), pending_.begin(), pending_.end());
    pending_.clear();
    current_ = owner;
    closed_ = true;
  }
  /// The part at `position` has its comments at `statement`, where its statement starts.
  void alias(Position position, Position statement) { aliases_[position] = statement; }
  /// Where the opening brace of a branch of the clause at `owner` stands.
  void add_branch(Position owner, Position brace) { branches_[owner].push_back(brace); }
  /// Where a section of the fusion at `fusion` starts. The first one counts.
  Position section(Position fusion, const std::string& name, Position position) {
    return sections_.emplace(std::pair(fusion, name), position).first->second;
  }

  // --- read by the formatter

  const CommentsOf& at(Position position) const {
    static const CommentsOf none;
    const auto alias = aliases_.find(position);
    const auto it = of_.find(alias == aliases_.end() ? position : alias->second);
    return it == of_.end() ? none : it->second;
  }
  Position branch(Position owner, std::size_t index) const {
    const auto it = branches_.find(owner);
    return it == branches_.end() || index >= it->second.size() ? Position{} : it->second[index];
  }
  Position section(Position fusion, const std::string& name) const {
    const auto it = sections_.find({fusion, name});
    return it == sections_.end() ? Position{} : it->second;
  }

 private:
  std::map<Position, CommentsOf> of_;
  std::map<Position, Position> aliases_;
  std::map<Position, std::vector<Position>> branches_;
  std::map<std::pair<Position, std::string>, Position> sections_;
  std::vector<std::string> pending_;
  Position current_{};
  bool closed_ = false;
};

}  // namespace tandem::fusion_text
