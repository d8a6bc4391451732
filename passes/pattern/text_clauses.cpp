// The statements of `match`: inputs, nodes, alternatives, uses of definitions.
#include <tandem/passes/pattern/text_clauses.h>

#include <utility>

#include <fmt/format.h>

#include <tandem/ir/counted.h>
#include <tandem/passes/pattern/text_expr.h>

namespace tandem::fusion_text {

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
        fmt::format("unknown keyword '{}'{}", first.text.substr(0, 40),
                    did_you_mean(first.text, {statement_words.begin(), statement_words.end()})),
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

}  // namespace tandem::fusion_text
