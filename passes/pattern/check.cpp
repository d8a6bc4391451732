#include <tandem/passes/pattern/check.h>

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <tandem/ir/counted.h>
#include <tandem/passes/pattern/check_cases.h>
#include <tandem/passes/pattern/check_contradiction.h>
#include <tandem/passes/pattern/check_findings.h>
#include <tandem/passes/pattern/check_rejections.h>
#include <tandem/passes/pattern/check_shrink.h>
#include <tandem/passes/pattern/extract.h>

namespace tandem {

namespace {

/// Roundings of f32 arithmetic that two ways to compute the same may be apart on the oracle, and those that a kernel
/// that accumulates in f32 may be apart from it.
constexpr double oracle_steps = 16;
constexpr double kernel_steps = 64;

/// Of open boolean attributes the first so many are tried in all combinations.
constexpr unsigned most_booleans = 2;
/// A rewrite that rounds otherwise differs in a tenth of them or more.
constexpr std::size_t enough_elements = 512;

class Checker {
 public:
  Checker(std::shared_ptr<Context> context, const Pattern& pattern, std::span<const CheckExecutor> executors,
          const CheckOptions& options)
      : context_(std::move(context)),
        pattern_(pattern),
        set_(compile(context_, {pattern})),
        executors_(executors),
        options_(options),
        random_(options.seed),
        findings_(pattern),
        report_(findings_.report),
        is_draft_(is_draft(pattern)) {}

  CheckReport run() {
    report_.fusion = pattern_.name;
    report_.variants = set_->variants.size();
    for (const CheckExecutor& e : executors_)
      report_.executors.push_back(e.name);
    for (const Guard& g : pattern_.where)
      report_.guards.push_back({to_string(g), g.span, 0, 0});
    for (std::size_t v = 0; v < set_->variants.size() && !failed(); ++v)
      check_variant(v);
    if (is_draft_) {
      problem("check.draft", Severity::warning, pattern_.span,
              "a draft: its right side makes the same nodes again, so that only its match was tested",
              "write in 'rewrite' what is to stand in their place");
    }
    if (!failed() && report_.graphs == 0)
      nothing_tested();
    if (!failed())
      tell_refused();
    report_.elements = sum_.elements;
    report_.inexact = sum_.inexact;
    by_setting_.push_back(sum_);
    for (const Comparison& tally : by_setting_) {
      if (!failed() && !relaxed())
        judge_rounding(tally);
    }
    return std::move(findings_.report);
  }

 private:
  void problem(std::string_view code, Severity severity, const Span& span, std::string message, std::string help) {
    findings_.problem(code, severity, span, std::move(message), std::move(help));
  }
  bool failed() const { return findings_.failed(); }

  void tell_refused() {
    const std::size_t all = refused_ + mistyped_ + report_.graphs;
    if (mistyped_ != 0) {
      problem(
          "lint.result-type", Severity::warning, pattern_.span,
          fmt::format("{} of {} {} where a new value has another type than the one that it replaces, the "
                      "first because: {}",
                      mistyped_, counted(all, "graph"), all == 1 ? "matches" : "match", mistyping_),
          "say in the match, by types, what makes them equal: in %x: T[.., H], and T[.., H] behind what is replaced");
    }
    if (refused_ != 0) {
      problem("check.refused", Severity::note, pattern_.span,
              fmt::format("{} of {} {} and cannot be rewritten, the first because: {}", refused_, counted(all, "graph"),
                          all == 1 ? "matches" : "match", refusal_),
              "say it in the pattern (types, where), so that explain can name the condition");
    }
  }

  void nothing_tested() {
    if (refused_ + mistyped_ != 0) {
      problem("check.refused", Severity::error, pattern_.span,
              fmt::format("no graph that it matches can be rewritten: {}", refused_ != 0 ? refusal_ : mistyping_),
              "correct the new nodes, so that their results have the types of what they replace");
      return;
    }
    if (made_any_) {
      problem("check.not-tested", Severity::error, pattern_.span,
              "the graphs that it matches could not be computed: they are too large, or their data would be invalid",
              "give dims names in place of large numbers");
      return;
    }
    const std::vector<Condition> conditions = conditions_in_the_way(context_, pattern_, random_);
    if (conditions.empty()) {
      problem("check.contradictory", Severity::error, pattern_.span,
              "no graph could be made that it matches: its types, attributes and guards contradict each other",
              "leave out types and guards until there are graphs, to find those that exclude each other");
      return;
    }
    std::vector<std::string> texts;
    for (const Condition& c : conditions)
      texts.push_back(fmt::format("'{}'{}", c.text, c.span.line != 0 ? fmt::format(" (line {})", c.span.line) : ""));
    problem("check.contradictory", Severity::error, conditions[0].span,
            fmt::format("no graph could be made that it matches; without {}{} there are some",
                        texts.size() == 1 ? "" : "any one of ", fmt::join(texts, ", ")),
            texts.size() == 1 ? "correct or remove it: together with the rest it never holds"
                              : "correct one of them: together they never hold");
  }

  /// A fusion that says that it rounds otherwise may.
  bool relaxed() const { return pattern_.numerics == Numerics::relaxed; }
  CheckTolerance tolerance(double steps) const { return {steps, relaxed(), {}}; }

  std::string variant_text(std::size_t v) const {
    const std::string& choice = set_->variants[v].source.choice;
    return choice.empty() ? "" : fmt::format(" ({})", choice);
  }

  void check_variant(std::size_t v) {
    const CompiledVariant& variant = set_->variants[v];
    // Graphs that match and are refused are no samples: more are drawn for them.
    const std::size_t most = 4 * options_.samples;
    std::size_t made = 0, rewritten = 0;
    std::optional<CheckCase> last;
    while (made < most && rewritten < options_.samples && !failed()) {
      InstanceWishes wishes;
      wishes.plain = made == 0;
      wishes.ample = made % 3 == 1;
      wishes.booleans = static_cast<unsigned>(rewritten);
      const auto kind = static_cast<DataKind>(rewritten % num_data_kinds);
      auto one = make_case(context_, *set_, v, wishes, kind, executors_[0], random_, &made_any_);
      if (!one)
        break;
      ++made;
      for (std::size_t g = 0; g < one->instance.guards.size(); ++g)
        ++report_.guards[g].held;
      if (!check_case(*one))
        continue;
      ++rewritten;
      last = std::move(one);
    }
    if (made == 0 && !failed() && set_->variants.size() > 1) {
      problem("check.not-tested", Severity::warning, variant.source.pattern.span,
              fmt::format("no graph could be made for a variant{}: it was not tested", variant_text(v)),
              "give values types (in %x: T[.., H]), and dims names in place of large numbers");
    }
    if (last && !relaxed() && !is_draft_ && !failed())
      check_rounding(v, 1U << std::min(last->instance.open_booleans, most_booleans));
    if (last && options_.negatives && !failed())
      check_rejections(context_, pattern_, variant, last->instance, random_, findings_);
  }

  /// Whether the rewrite rounds at the same places shows in 16-bit results alone, in one element of some, and not under
  /// each setting of the attributes that decide on it: there is a tally for each setting, and what the samples left
  /// short of elements is drawn here.
  void check_rounding(std::size_t v, unsigned num_settings) {
    const std::size_t most = std::max<std::size_t>(2, 12 / set_->variants.size());
    for (unsigned setting = 0; setting < num_settings && !failed(); ++setting) {
      Comparison tally;
      for (std::size_t drawn = 0; drawn < most && narrow_elements(tally) < enough_elements && !failed(); ++drawn) {
        InstanceWishes wishes;
        wishes.plain = wishes.ample = true;
        wishes.booleans = setting;
        wishes.dtype = narrow_dtype(drawn);
        const auto one = make_case(context_, *set_, v, wishes, DataKind::normal, executors_[0], random_);
        if (!one)
          break;
        const Rewriting rewriting = apply(*set_, one->graph);
        if (!rewriting.graph)
          break;  // told of by the samples
        ++report_.graphs;
        const Comparison result = compare_with(*one, executors_[0].run(decomposed(*rewriting.graph), one->inputs),
                                               tolerance(oracle_steps), executors_[0]);
        accumulate(tally, result, one->kind);
        if (result.failure)
          differs(*one, result);
      }
      sum_.elements += tally.elements;
      sum_.inexact += tally.inexact;
      if (!failed())
        judge_rounding(tally);
      accumulate(by_setting_[setting], tally, DataKind::normal);
    }
  }

  /// Of the dtypes that the first type variable takes, those that round most, in turn; of no variable, any.
  std::optional<DType> narrow_dtype(std::size_t i) const {
    std::vector<DType> narrow;
    if (!pattern_.types.empty()) {
      for (DType d : {DType::bf16, DType::f16}) {
        const auto& of = pattern_.types[0].dtypes;
        if (of.empty() || std::find(of.begin(), of.end(), to_string(d)) != of.end())
          narrow.push_back(d);
      }
    }
    return narrow.empty() ? std::nullopt : std::optional(narrow[i % narrow.size()]);
  }

  void judge_rounding(const Comparison& tally) {
    if (const auto output = rounds_otherwise(tally))
      findings_.rounds_otherwise(*output, tally.narrow[*output]);
  }

  // --- what must match -----------------------------------------------------------------------------------------------

  /// Whether it was rewritten.
  bool check_case(const CheckCase& c) {
    const Rewriting rewriting = apply(*set_, c.graph);
    const CompiledVariant& variant = set_->variants[c.variant];
    if (rewriting.endless && is_draft_) {  // it matched
      ++report_.graphs;
      return true;
    }
    if (rewriting.endless) {
      problem("check.non-terminating", Severity::error, pattern_.span,
              "the fusion matches what it creates, without an end", "make the match exclude what the rewrite creates");
      findings_.set_counterexample(c, std::nullopt);
      return false;
    }
    if (!rewriting.graph) {
      not_rewritten(c, rewriting, variant);
      return false;
    }
    ++report_.graphs;
    report_.commuted += c.instance.commuted ? 1 : 0;
    report_.respelled += c.instance.respelled ? 1 : 0;
    report_.outside_users += c.instance.outside_users ? 1 : 0;
    report_.symbolic += c.instance.symbolic ? 1 : 0;
    const Graph meant = decomposed(*rewriting.graph);
    const Comparison result =
        compare_with(c, executors_[0].run(meant, c.inputs), tolerance(oracle_steps), executors_[0]);
    accumulate(sum_, result, c.kind);
    if (result.failure) {
      differs(c, result);
      return true;
    }
    for (std::size_t e = 0; e < executors_.size(); ++e)
      check_kernels(c, *rewriting.graph, e);
    return true;
  }

  void not_rewritten(const CheckCase& c, const Rewriting& rewriting, const CompiledVariant& variant) {
    if (!rewriting.refusal.empty()) {
      const bool by_type = rewriting.refused == Refusal::types;
      std::string& first = by_type ? mistyping_ : refusal_;
      if ((by_type ? mistyped_ : refused_)++ == 0)
        first = rewriting.refusal;
      return;
    }
    problem("check.not-matched", Severity::error, variant.source.pattern.span,
            fmt::format("a graph made from the pattern{} is not matched by it", variant_text(c.variant)),
            "another reading of the pattern may be meant; if the pattern is right, this is a bug in tandem");
    findings_.set_counterexample(c, std::nullopt);
  }

  /// What the case's graph becomes, decomposed, beside what the oracle computes for it.
  std::optional<Comparison> compare_meaning(const CheckCase& c, const CheckTolerance& allowed) const {
    const Rewriting r = apply(*set_, c.graph);
    if (!r.graph)
      return std::nullopt;
    return compare_with(c, executors_[0].run(decomposed(*r.graph), c.inputs), allowed, executors_[0]);
  }

  void differs(const CheckCase& c, const Comparison& result) {
    Comparison::Difference difference = *result.failure;
    const CheckCase small = shrink(context_, *set_, c, executors_[0], [&](const CheckCase& candidate) {
      const auto again = compare_meaning(candidate, tolerance(oracle_steps));
      if (!again || !again->failure)
        return false;
      difference = *again->failure;
      return true;
    });
    const auto may_round = [&](const CheckCase& of) {
      const auto again = compare_meaning(of, {oracle_steps, true, {}});
      return again && !again->failure;
    };
    Comparison shown;
    shown.failure = difference;
    findings_.differs(small, shown, apply(*set_, small.graph).graph, variant_text(small.variant),
                      !relaxed() && may_round(c) && may_round(small));
  }

  /// The graph with its fused ops, on one provider. The oracle has kernels of fused ops of its own, too.
  void check_kernels(const CheckCase& c, const Graph& rewritten, std::size_t executor) {
    if (executor != 0 && !is_tame(c.kind))
      return;  // f32 overflows and flushes where float64 does not
    const double steps = executor == 0 ? oracle_steps : kernel_steps;
    const Comparison result =
        compare_with(c, executors_[executor].run(rewritten, c.inputs), tolerance(steps), executors_[0]);
    if (!result.failure)
      return;
    findings_.kernel_differs(c, result, rewritten, executors_[executor].name);
  }

  std::shared_ptr<Context> context_;
  const Pattern& pattern_;
  std::shared_ptr<const CompiledSet> set_;
  std::span<const CheckExecutor> executors_;
  const CheckOptions& options_;
  CheckRandom random_;
  CheckFindings findings_;
  CheckReport& report_;
  Comparison sum_;
  std::vector<Comparison> by_setting_ = std::vector<Comparison>(1U << most_booleans);  // of all variants
  std::size_t refused_ = 0, mistyped_ = 0;
  std::string refusal_, mistyping_;  // of the first
  bool is_draft_;
  bool made_any_ = false;
};

}  // namespace

bool CheckReport::proven() const {
  return std::none_of(problems.begin(), problems.end(),
                      [](const Diagnostic& d) { return d.severity == Severity::error; });
}

CheckReport check_fusion(const std::shared_ptr<Context>& context, const Pattern& pattern,
                         std::span<const CheckExecutor> executors, const CheckOptions& options) {
  return Checker(context, pattern, executors, options).run();
}

}  // namespace tandem
