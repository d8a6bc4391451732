// Fusions that take each other's sites, and pairs that undo each other: found by applying all of them to graphs made
// from each.
#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

#include <tandem/passes/pattern/check_instance.h>
#include <tandem/passes/pattern/engine.h>
#include <tandem/passes/pattern/extract.h>
#include <tandem/passes/pattern/lint.h>
#include <tandem/passes/pattern/resolve.h>

namespace tandem {

namespace {

constexpr std::size_t graphs_a_variant = 3;

struct Contest {
  std::size_t graphs = 0;
  std::size_t won = 0;
  std::map<std::string, std::size_t> lost_to;
};

class TogetherLinter {
 public:
  TogetherLinter(std::shared_ptr<Context> context, std::span<const Pattern> patterns, std::span<const Pattern> beside)
      : context_(std::move(context)),
        num_judged_(patterns.size()),
        patterns_(all_of(patterns, beside)),
        set_(compile(context_, patterns_)),
        contests_(set_->variants.size()) {}

  std::vector<Diagnostic> run() {
    CheckRandom random(11);
    for (std::size_t v = 0; v < set_->variants.size(); ++v) {
      const std::size_t fusion = set_->variants[v].fusion;
      if (fusion >= num_judged_ || is_draft(patterns_[fusion]))
        continue;
      const Instantiator instantiator(context_, set_->variants[v]);
      for (std::size_t i = 0; i < graphs_a_variant; ++i) {
        InstanceWishes wishes;
        wishes.plain = true;
        const auto instance = instantiator.make(random, wishes);
        if (!instance)
          break;
        contest(v, *instance);
      }
    }
    for (std::size_t f = 0; f < num_judged_; ++f)
      judge(f);
    return std::move(out_);
  }

 private:
  /// One of each name: a user's fusion stands for the shipped one of its name.
  static std::vector<Pattern> all_of(std::span<const Pattern> patterns, std::span<const Pattern> beside) {
    std::vector<Pattern> all(patterns.begin(), patterns.end());
    for (const Pattern& p : beside) {
      if (std::none_of(patterns.begin(), patterns.end(), [&](const Pattern& q) { return q.name == p.name; }))
        all.push_back(p);
    }
    return all;
  }

  void add(const Pattern& pattern, std::string_view code, Severity severity, std::string message, std::string help) {
    Diagnostic d = pattern_problem(pattern, pattern.span, code, std::move(message), std::move(help));
    d.severity = severity;
    out_.push_back(std::move(d));
  }

  /// The fusions that the same pass applies.
  std::vector<ActivePattern> rivals(const Pattern& pattern) const {
    const auto pass = [](const Pattern& p) { return p.pass.empty() ? std::string("fuse") : p.pass; };
    std::vector<ActivePattern> out;
    for (std::uint32_t f = 0; f < patterns_.size(); ++f) {
      if (pass(patterns_[f]) == pass(pattern) && !is_draft(patterns_[f]))
        out.push_back({f});
    }
    return out;
  }

  void contest(std::size_t v, const Instance& instance) {
    const std::size_t fusion = set_->variants[v].fusion;
    const Pattern& pattern = patterns_[fusion];
    try {
      Graph graph = instance.build(context_, "lint");
      Graph alone = graph;
      const ActivePattern only[] = {{static_cast<std::uint32_t>(fusion)}};
      if (!run_patterns(*set_, alone, only).changed)
        return;
      const EngineResult all = run_patterns(*set_, graph, rivals(pattern));
      Contest& c = contests_[v];
      ++c.graphs;
      c.won += all.fusions[fusion].matches != 0 ? 1 : 0;
      for (std::size_t f = 0; f < patterns_.size(); ++f) {
        if (f != fusion && all.fusions[f].matches != 0)
          ++c.lost_to[patterns_[f].name];
      }
    } catch (const Error& e) {
      if (e.diagnostics().front().code == "pattern.non-terminating" && !endless_[pattern.name]) {
        endless_[pattern.name] = true;
        add(pattern, "lint.non-terminating", Severity::error,
            fmt::format("together with the others it is rewritten without an end: {}", e.diagnostics().front().message),
            e.diagnostics().front().help);
        out_.back().notes = e.diagnostics().front().notes;
      }
    }
  }

  void judge(std::size_t fusion) {
    std::size_t graphs = 0, won = 0;
    std::map<std::string, std::size_t> lost_to;
    std::vector<std::string> lost_variants;
    for (std::size_t v = 0; v < contests_.size(); ++v) {
      const Contest& c = contests_[v];
      if (set_->variants[v].fusion != fusion || c.graphs == 0)
        continue;
      graphs += c.graphs;
      won += c.won;
      for (const auto& [name, count] : c.lost_to)
        lost_to[name] += count;
      if (c.won == 0 && !set_->variants[v].source.choice.empty())
        lost_variants.push_back(set_->variants[v].source.choice);
    }
    if (graphs == 0 || lost_to.empty())
      return;
    const auto winner = std::max_element(lost_to.begin(), lost_to.end(),
                                         [](const auto& a, const auto& b) { return a.second < b.second; });
    if (won == 0) {
      add(patterns_[fusion], "lint.starved", Severity::warning,
          fmt::format("'{}' takes every site of it first", winner->first),
          "give it the larger 'benefit', or remove it");
    } else if (!lost_variants.empty()) {
      add(patterns_[fusion], "lint.shadowed", Severity::note,
          fmt::format("'{}' takes every site of {} of its variants first", winner->first, lost_variants.size()),
          "give it the larger 'benefit' if that is not wanted");
      out_.back().notes = lost_variants;
    }
  }

  std::shared_ptr<Context> context_;
  std::size_t num_judged_;  // the first of `patterns_`
  std::vector<Pattern> patterns_;
  std::shared_ptr<const CompiledSet> set_;
  std::vector<Contest> contests_;
  std::map<std::string, bool> endless_;
  std::vector<Diagnostic> out_;
};

}  // namespace

std::vector<Diagnostic> lint_together(const std::shared_ptr<Context>& context, std::span<const Pattern> patterns,
                                      std::span<const Pattern> beside) {
  return TogetherLinter(context, patterns, beside).run();
}

}  // namespace tandem
