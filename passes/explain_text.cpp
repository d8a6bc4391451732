// An explanation for people.

#include <fmt/format.h>

#include <tandem/ir/counted.h>
#include <tandem/passes/explain.h>

namespace tandem {

namespace {

constexpr std::size_t shown_sites = 3;   // drawn in full
constexpr std::size_t named_sites = 8;   // by name
constexpr std::size_t shown_groups = 6;  // kinds of misses

class Writer {
 public:
  explicit Writer(const FusionExplanation& e) : e_(e) {}

  std::string write() {
    head();
    if (!e_.at.empty())
      asked();
    fired();
    lost();
    off();
    missed();
    nothing();
    return std::move(out_);
  }

 private:
  template <class... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    out_ += fmt::format(format, std::forward<Args>(args)...);
    out_ += '\n';
  }

  void lines(std::string_view indent, const std::vector<std::string>& lines) {
    for (const std::string& l : lines)
      line("{}{}", indent, l);
  }

  static std::string place(const DrawnSite& s) {
    return s.scope.empty() ? s.name : fmt::format("{} in {}", s.name, s.scope);
  }

  std::string verdict() const {
    using V = FusionExplanation::Verdict;
    std::size_t missed = 0;
    for (const auto& m : e_.missed)
      missed += m.sites.size();
    const std::string near = missed == 0 ? "" : fmt::format(", {} missed", counted(missed, "site"));
    switch (e_.verdict) {
      case V::fired: return fmt::format("fired at {}{}", counted(e_.num_fired, "site"), near);
      case V::off:
        return e_.num_would_fire == 0
                   ? fmt::format("off; on, it would fire nowhere{}", near)
                   : fmt::format("off; on, it would fire at {}{}", counted(e_.num_would_fire, "site"), near);
      case V::lost: return fmt::format("starved: other fusions took {}{}", counted(e_.num_lost, "site"), near);
      case V::near_misses: return fmt::format("did not fire{}", near);
      case V::no_candidates: return "did not fire: the graph has nothing that comes near";
    }
    return {};
  }

  void head() {
    const std::string at = to_string(e_.span);
    line("{}{}: {}", e_.fusion, at.empty() ? "" : " (" + at + ")", verdict());
    line("  gate: {}, {}", e_.on ? "on" : "off", e_.rule);
    for (const std::string& n : e_.notes)
      line("    {}", n);
    line("  graph: @{} as run {} of '{}' met it, after {}: {}, for {}", e_.graph, e_.runs, e_.pass,
         e_.pipeline.empty() ? "nothing" : e_.pipeline, counted(e_.nodes, "node"), e_.target);
  }

  void asked() {
    line("");
    line("{}", e_.at);
    if (!e_.at_answer.empty())
      line("  {}", e_.at_answer);
  }

  void fired() {
    if (e_.fired.empty())
      return;
    line("");
    line("fired");
    for (std::size_t i = 0; i < e_.fired.size() && i < shown_sites; ++i) {
      const auto& f = e_.fired[i];
      line("  {}, run {} of '{}':", place(f.before), f.run, e_.pass);
      lines("    ", f.before.lines);
      line("    ->");
      lines("    ", f.after);
    }
    if (e_.fired.size() > shown_sites)
      line("  and {} more", e_.fired.size() - shown_sites);
  }

  void lost() {
    if (e_.lost.empty())
      return;
    line("");
    line("lost {} to another fusion", counted(e_.lost.size(), "site"));
    for (std::size_t i = 0; i < e_.lost.size() && i < shown_sites; ++i) {
      line("  {}: '{}' took it, run {} of '{}'", place(e_.lost[i].site), e_.lost[i].winner, e_.lost[i].run, e_.pass);
      lines("    ", e_.lost[i].site.lines);
    }
    if (e_.lost.size() > shown_sites)
      line("  and {} more", e_.lost.size() - shown_sites);
    line("  the larger benefit goes first, then the larger pattern, then file order");
  }

  void off() {
    if (e_.on || e_.would_fire.empty())
      return;
    line("");
    line("would fire at {}", counted(e_.would_fire.size(), "site"));
    for (std::size_t i = 0; i < e_.would_fire.size() && i < shown_sites; ++i) {
      line("  {}:", place(e_.would_fire[i]));
      lines("    ", e_.would_fire[i].lines);
    }
    if (e_.would_fire.size() > shown_sites)
      line("  and {} more", e_.would_fire.size() - shown_sites);
  }

  void missed() {
    for (std::size_t i = 0; i < e_.missed.size() && i < shown_groups; ++i)
      missed(e_.missed[i]);
    if (e_.missed.size() > shown_groups) {
      line("");
      line("and {} of other kinds, farther from matching; --json has them all",
           counted(e_.missed.size() - shown_groups, "group"));
    }
  }

  void missed(const FusionExplanation::Missed& m) {
    line("");
    const std::string by = m.failures.size() == 1 ? "one predicate" : counted(m.failures.size(), "predicate");
    line("{} {} by {}{}", counted(m.sites.size(), "site"), m.sites.size() == 1 ? "misses" : "miss", by,
         m.run == e_.runs ? "" : fmt::format(", in run {} of '{}'", m.run, e_.pass));
    if (m.unreached != 0)
      line("  and {} of the match could not be looked for", counted(m.unreached, "node"));
    for (const FailedPredicate& f : m.failures) {
      line("  {}: {}", to_string(f.cause), f.predicate);
      const std::string at = to_string(f.span);
      line("    but {}{}", f.found, at.empty() ? "" : "  [" + at + "]");
      if (!f.in_graph.empty())
        line("    in the graph:   {}", f.in_graph);
      if (!f.in_pattern.empty())
        line("    in the pattern: {}", f.in_pattern);
    }
    line("  {}{}:", m.sites.size() > 1 ? "the first, " : "", place(m.example));
    lines("    ", m.example.lines);
    if (m.sites.size() < 2)
      return;
    std::string others;
    for (std::size_t i = 1; i < m.sites.size() && i <= named_sites; ++i)
      others += (others.empty() ? "" : "; ") + place(m.sites[i]);
    if (m.sites.size() > named_sites + 1)
      others += fmt::format("; and {} more", m.sites.size() - named_sites - 1);
    line("  likewise {}", others);
  }

  void nothing() {
    if (!e_.fired.empty() || !e_.lost.empty() || !e_.would_fire.empty() || !e_.at.empty())
      return;
    for (const auto& a : e_.absent) {
      line("");
      const std::string at = to_string(a.span);
      line("the graph has no {}, which every form of the match needs{}", a.op, at.empty() ? "" : "  [" + at + "]");
      if (!a.similar.empty())
        line("  it has:");
      for (const std::string& s : a.similar)
        line("    {}", s);
    }
    if (e_.missed.empty() && e_.absent.empty()) {
      line("");
      line("all ops of the match are there, but nowhere half of them together");
    }
  }

  const FusionExplanation& e_;
  std::string out_;
};

}  // namespace

std::string to_text(const FusionExplanation& explanation) {
  return Writer(explanation).write();
}

}  // namespace tandem
