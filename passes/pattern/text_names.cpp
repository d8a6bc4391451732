// Values that the right side of a fusion names and nothing defines.
#include <tandem/passes/pattern/text_clauses.h>

#include <algorithm>
#include <set>
#include <string>

#include <fmt/format.h>

#include <tandem/passes/pattern/text_spelling.h>

namespace tandem::fusion_text {

namespace {

void collect_values(const std::vector<Clause>& clauses, std::set<std::string_view>& computed,
                    std::set<std::string_view>& mentioned) {
  for (const Clause& c : clauses) {
    computed.insert(c.node.results.begin(), c.node.results.end());
    computed.insert(c.results.begin(), c.results.end());
    mentioned.insert(c.node.operands.begin(), c.node.operands.end());
    mentioned.insert(c.args.begin(), c.args.end());
    if (c.kind != Clause::Kind::unless) {
      for (const auto& b : c.branches)
        collect_values(b, computed, mentioned);
    }
  }
}

/// Among many names: those of a length far from that of `wrong` are not looked at.
std::string nearest(std::string_view wrong, const std::set<std::string_view>& known) {
  constexpr std::size_t enough = 2000;
  std::vector<std::string_view> candidates;
  for (std::string_view k : known) {
    const std::size_t difference = std::max(k.size(), wrong.size()) - std::min(k.size(), wrong.size());
    if (difference <= 2 && candidates.size() < enough)
      candidates.push_back(k);
  }
  return did_you_mean(wrong, candidates);
}

}  // namespace

void check_names(Cursor& cursor, const Pattern& p) {
  std::set<std::string_view> computed, mentioned;
  collect_values(p.match, computed, mentioned);
  for (const InputPattern& in : p.inputs)
    mentioned.insert(in.name);
  mentioned.insert(computed.begin(), computed.end());
  for (const RewriteNode& n : p.rewrite)
    mentioned.insert(n.results.begin(), n.results.end());
  const auto check = [&](const std::set<std::string_view>& known, const std::string& name, const Span& span,
                         std::string_view what, std::string help) {
    if (known.contains(name))
      return;
    cursor.report(span, "pattern.unbound-value",
                  fmt::format("{} {}{}", spell_operand(name.substr(0, 40)), what, nearest(name, known)),
                  std::move(help));
  };
  for (const RewriteNode& n : p.rewrite) {
    for (const std::string& o : n.operands) {
      check(mentioned, o, n.span, "is bound neither by the match nor by a new node", {});
    }
  }
  for (const Replacement& r : p.replacements) {
    check(computed, r.matched, r.span, "is not a value that the match computes, so it cannot be replaced",
          "a replacement is '%matched = %new'");
    check(mentioned, r.replacement, r.span, "is bound neither by the match nor by a new node", {});
  }
}

}  // namespace tandem::fusion_text
