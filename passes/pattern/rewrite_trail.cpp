#include <tandem/passes/pattern/rewrite_trail.h>

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include <tandem/passes/pattern/resolve.h>

namespace tandem {

namespace {

/// "'a'", "'a' and 'b'", "'a', 'b' and 'c'"
std::string listed(const CompiledSet& set, const std::vector<std::size_t>& fusions) {
  std::string out;
  for (std::size_t i = 0; i < fusions.size(); ++i) {
    if (i != 0)
      out += i + 1 == fusions.size() ? " and " : ", ";
    out += fmt::format("'{}'", set.patterns[fusions[i]].name);
  }
  return out;
}

std::string with_place(const Pattern& pattern) {
  const std::string place = to_string(pattern.span);
  return place.empty() ? fmt::format("'{}'", pattern.name) : fmt::format("'{}' [{}]", pattern.name, place);
}

}  // namespace

void RewriteTrail::matched(std::span<const std::uint32_t> nodes) {
  pending_.clear();
  const GraphView view(graph_);
  for (const std::uint32_t n : nodes) {
    if (const auto it = made_by_.find(n); it != made_by_.end())
      pending_.emplace_back(it->second, graph_.def(view.node(n)).name);
  }
}

void RewriteTrail::rewritten(std::size_t fusion, std::span<const Node> created) {
  for (auto& [maker, op] : pending_)
    steps_.try_emplace({maker, fusion}, std::move(op));
  pending_.clear();
  for (const Node n : created)
    made_by_[n.index] = fusion;
  last_ = fusion;
}

bool RewriteTrail::leads_to(std::size_t from, std::size_t to) const {
  std::vector<std::size_t> open = {from};
  std::set<std::size_t> seen;
  while (!open.empty()) {
    const std::size_t at = open.back();
    open.pop_back();
    for (auto it = steps_.lower_bound({at, 0}); it != steps_.end() && it->first.first == at; ++it) {
      const std::size_t next = it->first.second;
      if (next == to)
        return true;
      if (seen.insert(next).second)
        open.push_back(next);
    }
  }
  return false;
}

std::vector<std::size_t> RewriteTrail::in_a_circle() const {
  std::vector<std::size_t> out;
  for (std::size_t f = 0; f < set_.patterns.size(); ++f) {
    if (leads_to(f, f))
      out.push_back(f);
  }
  return out.empty() ? std::vector<std::size_t>{last_} : out;
}

Diagnostic RewriteTrail::endless(std::size_t num_rewrites) const {
  const std::vector<std::size_t> fusions = in_a_circle();
  const Pattern& first = set_.patterns[fusions.front()];
  const bool alone = fusions.size() == 1;
  Diagnostic d{.code = "pattern.non-terminating",
               .where = {.file = first.span.file, .line = first.span.line, .column = first.span.column, .path = {}},
               .message = fmt::format(
                   "{} {} without an end: stopped after {} rewrites", alone ? "fusion" : "fusions",
                   listed(set_, fusions) + (alone ? " matches what it makes itself" : " match what they make in turn"),
                   num_rewrites),
               .help = {},
               .notes = {},
               .source_line = {}};
  for (const auto& [step, op] : steps_) {
    const auto has = [&](std::size_t f) { return std::find(fusions.begin(), fusions.end(), f) != fusions.end(); };
    if (has(step.first) && has(step.second) && leads_to(step.second, step.first))
      d.notes.push_back(fmt::format("{} makes a node '{}' that {} matches", with_place(set_.patterns[step.first]), op,
                                    with_place(set_.patterns[step.second])));
  }
  const std::string exclude = "exclude what the other makes (by an attribute, 'where' or 'unless')";
  d.help = alone ? "make its match exclude what it makes (by an attribute, 'where' or 'unless'), or switch it off"
                 : "make the match of one " + exclude + ", or switch one off";
  for (const std::size_t f : fusions) {
    if (!set_.patterns[f].flag.empty())
      d.help += fmt::format("{}'--flag {}=off'", d.help.ends_with("off") ? ": " : " or ", set_.patterns[f].flag);
  }
  return d;
}

}  // namespace tandem
