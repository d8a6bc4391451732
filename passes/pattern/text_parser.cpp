// Fusions and their sections. Statements are in text_clauses.cpp, expressions in text_expr.cpp.

#include <tandem/passes/pattern/text_parser.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <set>
#include <string>

#include <fmt/format.h>

#include <tandem/passes/pattern/text.h>
#include <tandem/passes/pattern/text_clauses.h>
#include <tandem/passes/pattern/text_expr.h>

namespace tandem::fusion_text {

namespace {

const std::vector<std::string_view> section_words = {"doc",     "level",    "pass",      "flag",  "numerics",
                                                     "benefit", "requires", "platforms", "for",   "types",
                                                     "dims",    "define",   "match",     "where", "rewrite"};

class FusionParser {
 public:
  explicit FusionParser(Cursor& cursor) : cursor_(cursor) {}

  std::vector<Pattern> file() {
    std::vector<Pattern> out;
    while (cursor_.peek().kind != TokenKind::end) {
      try {
        if (!cursor_.peek().is_word("fusion"))
          fail_at_file();
        begin(cursor_.peek());
        out.push_back(fusion());
      } catch (const GiveUp&) {
        while (cursor_.peek().kind != TokenKind::end &&
               !(cursor_.peek().is_word("fusion") && cursor_.peek().starts_line)) {
          cursor_.take();
        }
      }
    }
    if (out.empty() && cursor_.num_errors() == 0) {
      cursor_.report(cursor_.peek(), "pattern.no-fusion", "the text holds no fusion",
                     "a fusion is: fusion NAME { match { ... } rewrite { ... } }");
    }
    cursor_.throw_if_any();
    if (cursor_.comments() != nullptr) {
      const Position last = position_of(out.back().span);
      cursor_.comments()->close(last, last);
    }
    return out;
  }

 private:
  [[noreturn]] void fail_at_file() {
    const Token& t = cursor_.peek();
    if (t.is("}"))
      cursor_.fail(t, "pattern.syntax", "this '}' closes nothing");
    if (t.kind == TokenKind::name) {
      cursor_.fail(
          t, "pattern.unknown-keyword",
          fmt::format("expected 'fusion', found '{}'{}", t.text.substr(0, 40), did_you_mean(t.text, {"fusion"})),
          "a fusion is: fusion NAME { match { ... } rewrite { ... } }");
    }
    cursor_.fail_expected("'fusion'");
  }

  void begin(const Token& token) {
    if (cursor_.comments() != nullptr)
      cursor_.comments()->begin({token.line, token.column});
  }

  Pattern fusion() {
    const Token word = cursor_.take();
    cursor_.count(word);
    const std::size_t errors = cursor_.num_errors();
    defined_.clear();
    Pattern p;
    p.span = cursor_.span(word);
    p.name = cursor_.expect_name("the fusion's name").text;
    const Token open = cursor_.expect("{", "behind the fusion's name");
    const std::size_t braces = cursor_.open_braces();
    Position last = position_of(p.span);
    ClauseParser clauses(cursor_);
    std::map<std::string, Token, std::less<>> seen;
    for (;;) {
      const Token next = cursor_.peek();
      if (next.is("}"))
        break;
      if (next.kind == TokenKind::end || (next.is_word("fusion") && next.starts_line)) {
        cursor_.report(next, "pattern.unclosed",
                       fmt::format("expected '}}' at the end of fusion '{}', found {}", p.name, describe(next)),
                       "close the block", {fmt::format("the fusion starts at line {}", word.line)});
        cursor_.set_open_braces(0);
        return p;
      }
      try {
        last = section(p, next, seen, clauses);
      } catch (const GiveUp&) {
        recover(braces);
      }
    }
    if (cursor_.comments() != nullptr)
      cursor_.comments()->close(last, position_of(p.span));
    cursor_.take();
    clauses.resolve_uses(p);
    if (cursor_.num_errors() == errors)
      check_names(cursor_, p);
    return p;
  }

  bool at_section() {
    const Token& t = cursor_.peek();
    return t.kind == TokenKind::name && !t.quoted &&
           (t.text == "fusion" || std::find(section_words.begin(), section_words.end(), t.text) != section_words.end());
  }

  void recover(std::size_t braces) {
    for (;;) {
      const Token& next = cursor_.peek();
      if (next.kind == TokenKind::end || (next.starts_line && at_section()))
        break;
      if (next.is("}") && cursor_.open_braces() <= braces)
        break;
      cursor_.take();
    }
    cursor_.set_open_braces(braces);
  }

  Position section(Pattern& p, const Token& word, std::map<std::string, Token, std::less<>>& seen,
                   ClauseParser& clauses) {
    if (!at_section()) {
      if (word.kind != TokenKind::name)
        cursor_.fail_expected("a section of the fusion or '}'");
      cursor_.fail(
          word, "pattern.unknown-keyword",
          fmt::format("unknown section '{}'{}", word.text.substr(0, 40), did_you_mean(word.text, section_words)),
          fmt::format("the sections are {}", fmt::join(section_words, ", ")));
    }
    Position at{word.line, word.column};
    const std::string& name = word.text;
    if (CommentTable* comments = cursor_.comments(); comments != nullptr) {
      if (name != "define")
        at = comments->section(position_of(p.span), name, at);
      comments->begin(at);
    }
    cursor_.take();
    static constexpr std::array<std::string_view, 9> once = {"doc",     "level", "pass",  "flag",   "numerics",
                                                             "benefit", "match", "where", "rewrite"};
    if (std::find(once.begin(), once.end(), name) != once.end()) {
      const auto [first, added] = seen.emplace(name, word);
      if (!added) {
        cursor_.report(word, "pattern.duplicate-section", fmt::format("a second '{}' in fusion '{}'", name, p.name),
                       "a fusion has one of it", {fmt::format("the first stands at line {}", first->second.line)});
      }
    }
    if (name == "doc")
      doc(p);
    else if (name == "level")
      level(p);
    else if (name == "pass")
      p.pass = cursor_.expect_name("the name of the pass").text;
    else if (name == "numerics")
      numerics(p);
    else if (name == "flag")
      p.flag = cursor_.expect_name("the name of the flag").text;
    else if (name == "benefit")
      benefit(p);
    else if (name == "requires")
      kernels(p);
    else if (name == "platforms")
      append(p.platforms, parse_names(cursor_, "a platform, as rocm"));
    else if (name == "for")
      family(p);
    else if (name == "types")
      types(p);
    else if (name == "dims")
      append(p.dims, parse_names(cursor_, "the name of a dim"));
    else if (name == "define")
      definition(p, word, clauses);
    else if (name == "match")
      match(p, word, clauses);
    else if (name == "where")
      where(p, word, clauses);
    else
      clauses.rewrite_block(word, p);
    return at;
  }

  static void append(std::vector<std::string>& to, std::vector<std::string> more) {
    std::move(more.begin(), more.end(), std::back_inserter(to));
  }

  void doc(Pattern& p) {
    if (cursor_.peek().kind != TokenKind::string)
      cursor_.fail_expected("a string behind 'doc'", "write: doc \"What it does.\"");
    p.doc = cursor_.take().text;
  }

  void level(Pattern& p) {
    const Token t = cursor_.peek();
    static constexpr std::array<OptLevel, 4> levels = {OptLevel::O0, OptLevel::O1, OptLevel::O2, OptLevel::O3};
    const auto it = std::find_if(levels.begin(), levels.end(), [&](OptLevel l) { return t.is_word(to_string(l)); });
    if (it == levels.end()) {
      cursor_.fail(t, "pattern.level", fmt::format("expected O0, O1, O2 or O3 behind 'level', found {}", describe(t)));
    }
    p.level = *it;
    cursor_.take();
  }

  void numerics(Pattern& p) {
    const Token t = cursor_.peek();
    if (!t.is_word("exact") && !t.is_word("relaxed")) {
      cursor_.fail(t, "pattern.numerics",
                   fmt::format("expected exact or relaxed behind 'numerics', found {}", describe(t)));
    }
    p.numerics = t.is_word("exact") ? Numerics::exact : Numerics::relaxed;
    cursor_.take();
  }

  void benefit(Pattern& p) {
    const Token t = cursor_.peek();
    const Expr e = parse_expr(cursor_, true);
    if (e.kind != Expr::Kind::integer || e.integer > std::numeric_limits<int>::max() ||
        e.integer < std::numeric_limits<int>::min()) {
      cursor_.fail(
          t, "pattern.number",
          fmt::format("expected a whole number of 32 bits behind 'benefit', found {}", to_string(e).substr(0, 40)));
    }
    p.benefit = static_cast<int>(e.integer);
  }

  void kernels(Pattern& p) {
    do {
      if (!cursor_.accept_word("kernel"))
        cursor_.fail_expected("'kernel' behind 'requires'", "write: requires kernel(OP)");
      cursor_.expect("(", "behind 'kernel'");
      p.kernels.push_back(cursor_.expect_name("the op that needs a kernel").text);
      cursor_.expect(")", "behind the op");
    } while (cursor_.accept(","));
  }

  void family(Pattern& p) {
    Family f;
    f.variable = cursor_.expect_name("the family's variable", "write: for op in {add, sub}").text;
    if (!cursor_.accept_word("in"))
      cursor_.fail_expected("'in' behind the variable", "write: for op in {add, sub}");
    f.values = parse_name_set(cursor_, "the values");
    p.families.push_back(std::move(f));
  }

  void types(Pattern& p) {
    do {
      TypeVariable t;
      t.name = cursor_.expect_name("a type variable", "write: types T in {bf16, f16}").text;
      const Token in = cursor_.peek();
      if (cursor_.accept_word("in")) {
        t.dtypes = parse_name_set(cursor_, "the dtypes");
        if (t.dtypes.empty())
          cursor_.fail(in, "pattern.syntax", "no dtype is in the set", "leave 'in {}' out for any dtype");
      }
      p.types.push_back(std::move(t));
    } while (cursor_.accept(","));
  }

  void definition(Pattern& p, const Token& word, ClauseParser& clauses) {
    Definition d;
    d.span = cursor_.span(word);
    const Token name = cursor_.expect_name("the name of the definition");
    d.name = name.text;
    cursor_.expect("(", "behind the definition's name", "write: define NAME(%x) -> %y { ... }");
    if (!cursor_.peek().is(")"))
      d.params = parse_values(cursor_, "a parameter");
    cursor_.expect(")", "or ',' within the parameters");
    if (cursor_.accept("->"))
      d.results = parse_values(cursor_, "a result");
    d.body = clauses.definition_block(word);
    if (!defined_.insert(d.name).second) {
      cursor_.report(name, "pattern.duplicate-name", fmt::format("'{}' is defined twice", d.name));
    }
    p.definitions.push_back(std::move(d));
  }

  void match(Pattern& p, const Token& word, ClauseParser& clauses) {
    MatchBlock block = clauses.match_block(word);
    p.inputs = std::move(block.inputs);
    p.match = std::move(block.clauses);
  }

  void where(Pattern& p, const Token& word, ClauseParser& clauses) {
    p.where = cursor_.peek().is("{") ? clauses.where_block(word) : clauses.guard_list();
  }

  Cursor& cursor_;
  std::set<std::string> defined_;  // names of the definitions of the fusion
};

}  // namespace

std::vector<Pattern> parse(std::string_view text, std::string_view file, CommentTable* comments) {
  Cursor cursor(text, {std::string(file), 1, 1}, comments);
  return FusionParser(cursor).file();
}

}  // namespace tandem::fusion_text

namespace tandem {

std::vector<Pattern> parse_fusions(std::string_view text, std::string_view file) {
  return fusion_text::parse(text, file, nullptr);
}

}  // namespace tandem
