#include <tandem/passes/pattern/text_clauses.h>

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include <tandem/ir/counted.h>
#include <tandem/passes/pattern/text_expr.h>
#include <tandem/passes/pattern/text_spelling.h>

namespace tandem::fusion_text {

namespace {

const std::vector<std::string_view> statement_words = {"in",     "keep",   "recompute", "optional",
                                                       "either", "unless", "use",       "node"};

bool is_statement_word(const Token& token) {
  return token.kind == TokenKind::name && !token.quoted &&
         std::find(statement_words.begin(), statement_words.end(), token.text) != statement_words.end();
}

Position position_of(const Token& token) {
  return {token.line, token.column};
}

}  // namespace

// --- blocks
// ------------------------------------------------------------------------------------------------------------

void ClauseParser::begin(const Token& token) {
  if (cursor_.comments() != nullptr)
    cursor_.comments()->begin(position_of(token));
}

/// "match {" and its like, where a statement is expected: a '}' is missing in front of it.
bool ClauseParser::at_outer_section() {
  const Token& word = cursor_.peek();
  if (word.kind != TokenKind::name || word.quoted || !word.starts_line)
    return false;
  if (word.text == "fusion")
    return cursor_.peek(1).kind == TokenKind::name;
  if (word.text == "define")
    return cursor_.peek(1).kind == TokenKind::name;
  return (word.text == "match" || word.text == "where" || word.text == "rewrite") && cursor_.peek(1).is("{");
}

template <class F>
void ClauseParser::block(const Token& owner, std::string_view what, F&& statement) {
  const Cursor::Level level(cursor_);
  const Token open = cursor_.expect("{", fmt::format("in front of {}", what));
  const std::size_t braces = cursor_.open_braces();
  Position last = position_of(owner);
  for (;;) {
    const Token first = cursor_.peek();
    if (first.is("}"))
      break;
    if (first.kind == TokenKind::end || at_outer_section()) {
      cursor_.report(first, "pattern.unclosed",
                     fmt::format("expected '}}' at the end of {}, found {}", what, describe(first)), "close the block",
                     {fmt::format("the block starts at line {}, column {}", open.line, open.column)});
      cursor_.set_open_braces(braces - 1);
      return;
    }
    try {
      begin(first);
      last = position_of(first);
      statement();
    } catch (const GiveUp&) {
      if (cursor_.peek().offset == first.offset)
        cursor_.take();  // its first token is what is wrong
      recover(braces);
    }
  }
  if (cursor_.comments() != nullptr)
    cursor_.comments()->close(last, position_of(owner));
  cursor_.take();
}

/// Skips to what looks like the next statement of the block, or to its end.
void ClauseParser::recover(std::size_t open_braces) {
  for (;;) {
    const Token& next = cursor_.peek();
    if (next.kind == TokenKind::end)
      break;
    const bool outermost = cursor_.open_braces() <= open_braces;
    if (outermost && next.is("}"))
      break;
    if (next.starts_line && (at_value(cursor_) || is_statement_word(next) || at_outer_section() ||
                             (outermost && next.kind == TokenKind::name))) {
      break;
    }
    cursor_.take();
  }
  cursor_.set_open_braces(open_braces);
}

MatchBlock ClauseParser::match_block(const Token& owner) {
  MatchBlock out;
  block(owner, "what is matched", [&] { match_statement(out, true); });
  return out;
}

std::vector<Clause> ClauseParser::definition_block(const Token& owner) {
  MatchBlock out;
  block(owner, "the definition", [&] { match_statement(out, false); });
  return std::move(out.clauses);
}

std::vector<Clause> ClauseParser::branch(const Token& owner) {
  const Token brace = cursor_.peek();
  if (cursor_.comments() != nullptr) {
    cursor_.comments()->add_branch(position_of(owner), position_of(brace));
    if (brace.is("{"))
      begin(brace);
  }
  MatchBlock out;
  block(brace, fmt::format("the part of '{}'", owner.text), [&] { match_statement(out, false); });
  return std::move(out.clauses);
}

// --- match
// ---------------------------------------------------------------------------------------------------------------

void ClauseParser::match_statement(MatchBlock& out, bool inputs_allowed) {
  const Token first = cursor_.peek();
  cursor_.count(first);
  if (first.is_word("in"))
    return inputs(out, inputs_allowed);
  if (first.is_word("either") || first.is_word("unless")) {
    out.clauses.push_back(alternatives(first.text == "unless"));
    return;
  }
  if (!at_value(cursor_) && first.kind != TokenKind::name) {
    cursor_.fail_expected("a statement, as %y = relu(%x)");
  }
  const bool word = first.kind == TokenKind::name && !first.quoted && !is_statement_word(first) && !at_value(cursor_);
  if (word && !cursor_.peek(1).is("(")) {
    cursor_.fail(
        first, "pattern.unknown-keyword",
        fmt::format("unknown keyword '{}'{}", first.text.substr(0, 40), did_you_mean(first.text, statement_words)),
        "a statement is '%result = op(%operand) {attribute = value}', with 'keep', 'recompute' or 'optional' in "
        "front; or 'in', 'either', 'unless'");
  }
  out.clauses.push_back(node());
}

void ClauseParser::inputs(MatchBlock& out, bool allowed) {
  const Token word = cursor_.take();
  if (!allowed) {
    cursor_.fail(word, "pattern.syntax", "inputs are declared at the top of 'match' only",
                 "move 'in' out of this block");
  }
  bool first = true;
  do {
    InputPattern in;
    const Token name = cursor_.peek();
    in.span = cursor_.span(name);
    if (name.starts_line) {
      begin(name);
    } else if (first && cursor_.comments() != nullptr) {
      cursor_.comments()->alias(position_of(name), position_of(word));
    }
    first = false;
    in.name = parse_value(cursor_, "an input, as %x: T[.., Q]");
    if (cursor_.accept(":"))
      in.type = parse_type(cursor_);
    out.inputs.push_back(std::move(in));
  } while (cursor_.accept(","));
}

Clause ClauseParser::alternatives(bool negative) {
  const Token word = cursor_.take();
  Clause c;
  c.kind = negative ? Clause::Kind::unless : Clause::Kind::either;
  c.span = cursor_.span(word);
  c.branches.push_back(branch(word));
  while (cursor_.peek().is_word("or")) {
    const Token again = cursor_.take();
    if (negative) {
      cursor_.report(again, "pattern.syntax", "'unless' has one part", "write a second 'unless { ... }'");
    }
    c.branches.push_back(branch(word));
  }
  if (negative)
    c.branches.resize(1);
  return c;
}

void ClauseParser::modifiers(NodePattern& n, Position at) {
  for (;;) {
    const Token word = cursor_.peek();
    bool again = false;
    if (word.is_word("keep")) {
      again = std::exchange(n.keep, true);
    } else if (word.is_word("recompute")) {
      again = std::exchange(n.recompute, true);
    } else if (word.is_word("optional")) {
      again = std::exchange(n.optional, true);
    } else if (word.is_word("node")) {
      again = !said_node_.insert(at).second || said_use_.contains(at);
    } else if (word.is_word("use")) {
      again = !said_use_.insert(at).second || said_node_.contains(at);
    } else {
      return;
    }
    if (again)
      cursor_.fail(word, "pattern.syntax", fmt::format("'{}' where it or its opposite was said already", word.text));
    cursor_.take();
  }
}

std::vector<std::string> ClauseParser::results() {
  if (!at_value(cursor_))
    return {};
  std::vector<std::string> names = parse_values(cursor_, "a result");
  cursor_.expect("=", "behind the results");
  return names;
}

std::vector<std::string> ClauseParser::operands() {
  NodePattern n;
  operands(n);
  if (!n.through.empty()) {
    cursor_.report(n.through[0].span, "pattern.syntax", "'through' belongs into 'match'",
                   "a new node reads the value itself, or the result of another new node");
  }
  return std::move(n.operands);
}

/// %a, %b through cast? through reshape {shape = [Q]}
void ClauseParser::operands(NodePattern& n) {
  cursor_.expect("(", "in front of the operands", "operands stand in parentheses: relu(%x)");
  if (!cursor_.peek().is(")")) {
    do {
      const Token value = cursor_.peek();
      n.operands.push_back(parse_value(cursor_, "an operand"));
      while (cursor_.peek().is_word("through")) {
        if (n.operands.back() == "_" || n.operands.back().ends_with("...")) {
          cursor_.fail(cursor_.peek(), "pattern.syntax",
                       fmt::format("'through' behind {}, which is not one value", describe(value)),
                       "it stands behind the name of one operand: %x through cast?");
        }
        n.through.push_back(through(n.operands.size() - 1));
      }
    } while (cursor_.accept(","));
  }
  cursor_.expect(")", "or ',' within the operands");
}

ThroughPattern ClauseParser::through(std::size_t operand) {
  cursor_.take();
  ThroughPattern t;
  t.operand = operand;
  const Token op = cursor_.expect_name("an op behind 'through'", "write: %x through cast?");
  cursor_.count(op);
  t.span = cursor_.span(op);
  t.op = op.text;
  if (cursor_.peek().is("{"))
    t.attrs = parse_attrs(cursor_);
  t.optional = cursor_.accept("?");
  return t;
}

Clause ClauseParser::node() {
  const Token first = cursor_.peek();
  Clause c;
  c.span = c.node.span = cursor_.span(first);
  modifiers(c.node, position_of(first));
  c.node.results = results();
  if (at_value(cursor_)) {
    cursor_.fail(cursor_.peek(), "pattern.syntax", fmt::format("expected an op, found {}", describe(cursor_.peek())),
                 "what a value is replaced by is said in 'rewrite'");
  }
  c.node.op = cursor_.expect_name("an op").text;
  operands(c.node);
  if (cursor_.peek().is("{"))
    c.node.attrs = parse_attrs(cursor_);
  const Token colon = cursor_.peek();
  if (cursor_.accept(":")) {
    do
      c.node.types.push_back(parse_type(cursor_));
    while (cursor_.accept(","));
    if (c.node.types.size() != c.node.results.size()) {
      cursor_.report(
          colon, "pattern.arity",
          fmt::format("{} for {}", counted(c.node.types.size(), "type"), counted(c.node.results.size(), "result")),
          "give each result its type; 'any' is one, too");
    }
  }
  return c;
}

// --- uses of definitions
// ---------------------------------------------------------------------------------------------------

void ClauseParser::resolve_uses(Pattern& pattern) {
  std::set<std::string_view> defined;
  for (const Definition& d : pattern.definitions)
    defined.insert(d.name);
  resolve_uses(defined, pattern.match);
  for (Definition& d : pattern.definitions)
    resolve_uses(defined, d.body);
}

void ClauseParser::resolve_uses(const std::set<std::string_view>& defined, std::vector<Clause>& clauses) {
  for (Clause& c : clauses) {
    for (auto& b : c.branches)
      resolve_uses(defined, b);
    if (c.kind != Clause::Kind::node)
      continue;
    const Position at = fusion_text::position_of(c.span);
    const bool use_meant = said_use_.contains(at) || (defined.contains(c.node.op) && !said_node_.contains(at));
    if (!use_meant)
      continue;
    const NodePattern& n = c.node;
    if (n.keep || n.recompute || n.optional || !n.attrs.empty() || !n.types.empty() || !n.through.empty()) {
      cursor_.report(
          c.span, "pattern.use", fmt::format("'{}' is a definition: its use has operands and results only", n.op),
          fmt::format("say it within the definition; or write 'node' in front where the op '{}' is meant", n.op));
      continue;
    }
    Clause use;
    use.kind = Clause::Kind::use;
    use.span = c.span;
    use.name = n.op;
    use.args = n.operands;
    use.results = n.results;
    c = std::move(use);
  }
}

// --- where
// -----------------------------------------------------------------------------------------------------------------

std::vector<Guard> ClauseParser::where_block(const Token& owner) {
  std::vector<Guard> guards;
  block(owner, "the conditions", [&] {
    guards.push_back(guard());
    cursor_.accept(",");
  });
  return guards;
}

std::vector<Guard> ClauseParser::guard_list() {
  std::vector<Guard> guards;
  do {
    begin(cursor_.peek());
    guards.push_back(guard());
  } while (cursor_.accept(","));
  return guards;
}

Guard ClauseParser::guard() {
  const Token first = cursor_.peek();
  cursor_.count(first);
  Guard g;
  g.span = cursor_.span(first);
  g.negated = cursor_.accept_word("not");
  const Token name = cursor_.peek();
  if (name.kind == TokenKind::name && (name.quoted || !is_reserved(name.text)) && cursor_.peek(1).is("(")) {
    g.predicate = cursor_.take().text;
    cursor_.take();
    if (!cursor_.peek().is(")")) {
      do
        g.args.push_back(parse_expr(cursor_));
      while (cursor_.accept(","));
    }
    cursor_.expect(")", "or ',' within the arguments");
    return g;
  }
  g.args.push_back(parse_expr(cursor_, true));
  const Token sign = cursor_.peek();
  const bool comparison = sign.kind == TokenKind::sign || sign.is_word("in");
  const auto compare = comparison && !sign.starts_line ? parse_compare(sign.text) : std::nullopt;
  if (!compare) {
    cursor_.fail(sign, "pattern.syntax",
                 fmt::format("expected a comparison behind the expression, found {}", describe(sign)),
                 sign.is("=") ? "equality is written '=='"
                              : "conditions are 'Q % 8 == 0', '$t in {bf16, f16}' or 'constant(%w)'");
  }
  cursor_.take();
  g.compare = *compare;
  g.args.push_back(*compare == Compare::one_of ? parse_set(cursor_) : parse_expr(cursor_, true));
  return g;
}

// --- rewrite
// ---------------------------------------------------------------------------------------------------------------

void ClauseParser::rewrite_block(const Token& owner, Pattern& pattern) {
  block(owner, "the rewrite", [&] { rewrite_statement(pattern); });
}

void ClauseParser::rewrite_statement(Pattern& pattern) {
  const Token first = cursor_.peek();
  cursor_.count(first);
  if (is_statement_word(first)) {
    cursor_.fail(first, "pattern.syntax", fmt::format("'{}' belongs into 'match'", first.text),
                 "'rewrite' holds new nodes, '%a = op(%x)', and replacements, '%matched = %a'");
  }
  if (!at_value(cursor_) && !(first.kind == TokenKind::name && cursor_.peek(1).is("("))) {
    cursor_.fail_expected("a new node, '%a = op(%x)', or a replacement, '%matched = %a'");
  }
  RewriteNode n;
  n.span = cursor_.span(first);
  n.results = results();
  if (at_value(cursor_)) {
    if (n.results.size() != 1) {
      cursor_.fail(cursor_.peek(), "pattern.syntax", "a replacement names one matched value",
                   "write one statement a value: %qn = %a");
    }
    pattern.replacements.push_back({n.results[0], parse_value(cursor_, "a value"), n.span});
    return;
  }
  n.op = cursor_.expect_name("an op or a value").text;
  n.operands = operands();
  if (cursor_.peek().is("{"))
    n.attrs = parse_attrs(cursor_);
  if (cursor_.peek().is(":")) {
    cursor_.fail(cursor_.peek(), "pattern.syntax", "the types of new values are inferred", "remove them");
  }
  pattern.rewrite.push_back(std::move(n));
}

}  // namespace tandem::fusion_text
