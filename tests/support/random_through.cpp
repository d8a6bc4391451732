#include "tests/support/random_through.h"

#include <algorithm>
#include <string>
#include <vector>

namespace tandem::test {

namespace {

/// By the right side, other than as what new nodes compute again, or by a condition.
bool is_spoken_of(const Pattern& p, const std::string& value) {
  const auto is_it = [&](const Expr& e) { return e.text == value; };
  return std::any_of(p.replacements.begin(), p.replacements.end(),
                     [&](const Replacement& r) { return r.matched == value; }) ||
         std::any_of(p.rewrite.begin(), p.rewrite.end(),
                     [&](const RewriteNode& n) {
                       return std::find(n.operands.begin(), n.operands.end(), value) != n.operands.end();
                     }) ||
         std::any_of(p.where.begin(), p.where.end(),
                     [&](const Guard& g) { return std::any_of(g.args.begin(), g.args.end(), is_it); });
}

}  // namespace

void fold_through(Pattern& p, Dice& dice) {
  for (std::size_t i = 0; i < p.match.size(); ++i) {
    const NodePattern x = p.match[i].node;
    const bool plain = p.match[i].kind == Clause::Kind::node && !x.keep && x.operands.size() == 1 &&
                       x.results.size() == 1 && x.types == std::vector<TypePattern>{{}};
    if (!plain || !dice.chance(50) || is_spoken_of(p, x.results[0]))
      continue;
    NodePattern* reader = nullptr;
    std::size_t operand = 0, readers = 0;
    for (Clause& c : p.match) {
      for (std::size_t k = 0; k < c.node.operands.size(); ++k) {
        if (c.node.operands[k] != x.results[0])
          continue;
        ++readers;
        reader = &c.node;
        operand = k;
      }
      readers += c.kind == Clause::Kind::unless && c.branches[0][0].node.operands[0] == x.results[0] ? 2 : 0;
    }
    if (readers != 1)
      continue;
    const auto at = std::find_if(reader->through.begin(), reader->through.end(),
                                 [&](const ThroughPattern& t) { return t.operand >= operand; });
    reader->operands[operand] = x.operands[0];
    reader->through.insert(at, {operand, x.op, x.attrs, false, {}});
    // What stood between that node and its operand stands first.
    for (std::size_t t = x.through.size(); t-- > 0;) {
      ThroughPattern step = x.through[t];
      step.operand = operand;
      const auto first = std::find_if(reader->through.begin(), reader->through.end(),
                                      [&](const ThroughPattern& s) { return s.operand >= operand; });
      reader->through.insert(first, std::move(step));
    }
    p.match.erase(p.match.begin() + static_cast<std::ptrdiff_t>(i--));
  }
}

}  // namespace tandem::test
