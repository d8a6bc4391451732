#include <tandem/passes/pattern/check.h>

#include <algorithm>

#include <fmt/format.h>

#include <tandem/ir/counted.h>
#include <tandem/passes/pattern/check_cases.h>
#include <tandem/passes/pattern/check_negatives.h>
#include <tandem/passes/pattern/check_shrink.h>
#include <tandem/passes/pattern/extract.h>
#include <tandem/passes/pattern/resolve.h>

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

std::vector<std::pair<std::string, CheckTensor>> named_inputs(const CheckCase& c) {
  std::vector<std::pair<std::string, CheckTensor>> out;
  std::size_t i = 0;
  for (Value v : c.graph.inputs())
    out.emplace_back(c.graph.name(v).view(), c.inputs[i++]);
  for (const Weight& w : c.graph.weights())
    out.emplace_back(w.key.view(), c.inputs[i++]);
  return out;
}

Counterexample counterexample(const CheckCase& c, std::optional<Graph> rewritten) {
  Counterexample out{c.graph, std::move(rewritten), named_inputs(c), {}};
  for (std::size_t i = 0; i < c.graph.num_outputs(); ++i) {
    const std::string name(c.graph.name(c.graph.output(i)).view());
    const bool twice =
        std::any_of(out.expected.begin(), out.expected.end(), [&](const auto& e) { return e.first == name; });
    out.expected.emplace_back(twice ? fmt::format("output.{}", i) : name, c.want[i]);
  }
  return out;
}

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
        is_draft_(is_draft(pattern)) {}

  CheckReport run() {
    report_.fusion = pattern_.name;
    report_.variants = set_->variants.size();
    for (const CheckExecutor& e : executors_)
      report_.executors.push_back(e.name);
    for (const Guard& g : pattern_.where)
      report_.guards.push_back({to_string(g), g.span, 0, 0});
    for (std::size_t v = 0; v < set_->variants.size() && !failed_; ++v)
      check_variant(v);
    if (is_draft_) {
      problem("check.draft", Severity::warning, pattern_.span,
              "a draft: its right side makes the same nodes again, so that only its match was tested",
              "write in 'rewrite' what is to stand in their place");
    }
    if (!failed_ && report_.graphs == 0)
      nothing_tested();
    if (!failed_)
      tell_refused();
    report_.elements = sum_.elements;
    report_.inexact = sum_.inexact;
    by_setting_.push_back(sum_);
    for (const Comparison& tally : by_setting_) {
      if (!failed_ && !relaxed())
        judge_rounding(tally);
    }
    return std::move(report_);
  }

 private:
  void problem(std::string_view code, Severity severity, const Span& span, std::string message, std::string help) {
    Diagnostic d = pattern_problem(pattern_, span, code, std::move(message), std::move(help));
    d.severity = severity;
    failed_ = failed_ || severity == Severity::error;
    report_.problems.push_back(std::move(d));
  }

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
    problem("check.contradictory", Severity::error, pattern_.span,
            "no graph could be made that it matches: its types, attributes and guards may contradict each other",
            "remove guards one by one to find those that exclude each other");
  }

  /// A fusion that says that it rounds otherwise may.
  bool relaxed() const { return pattern_.numerics == Numerics::relaxed; }
  CheckTolerance tolerance(double steps) const { return {steps, relaxed(), {}}; }

  /// What output `i` of a graph is: replaced values come first.
  std::string replaced(std::size_t i) const {
    return i < pattern_.replacements.size() ? pattern_.replacements[i].matched : "a kept value";
  }

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
    while (made < most && rewritten < options_.samples && !failed_) {
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
    if (made == 0 && !failed_ && set_->variants.size() > 1) {
      problem("check.not-tested", Severity::warning, variant.source.pattern.span,
              fmt::format("no graph could be made for a variant{}: it was not tested", variant_text(v)),
              "give values types (in %x: T[.., H]), and dims names in place of large numbers");
    }
    if (last && !relaxed() && !is_draft_ && !failed_)
      check_rounding(v, 1U << std::min(last->instance.open_booleans, most_booleans));
    if (last && options_.negatives && !failed_)
      check_negatives(v, last->instance);
  }

  /// Whether the rewrite rounds at the same places shows in 16-bit results alone, in one element of some, and not under
  /// each setting of the attributes that decide on it: there is a tally for each setting, and what the samples left
  /// short of elements is drawn here.
  void check_rounding(std::size_t v, unsigned num_settings) {
    const std::size_t most = std::max<std::size_t>(2, 12 / set_->variants.size());
    for (unsigned setting = 0; setting < num_settings && !failed_; ++setting) {
      Comparison tally;
      for (std::size_t drawn = 0; drawn < most && narrow_elements(tally) < enough_elements && !failed_; ++drawn) {
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
        if (!result.failure.empty())
          differs(*one, result);
      }
      sum_.elements += tally.elements;
      sum_.inexact += tally.inexact;
      if (!failed_)
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
    const auto output = rounds_otherwise(tally);
    if (!output)
      return;
    problem(
        "check.rounds-otherwise", Severity::error, pattern_.span,
        fmt::format("{} of the {} elements that replace %{} differ in their last place: the rewrite rounds at other "
                    "places than what it replaces",
                    tally.narrow[*output].inexact, tally.narrow[*output].elements, replaced(*output)),
        "carry over what decides on rounding (round_before_weight, casts)");
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
      report_.counterexample = counterexample(c, std::nullopt);
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
    if (!result.failure.empty()) {
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
    report_.counterexample = counterexample(c, std::nullopt);
  }

  void differs(const CheckCase& c, const Comparison& result) {
    std::string failure = result.failure;
    const CheckCase small = shrink(context_, *set_, c, executors_[0], [&](const CheckCase& candidate) {
      const Rewriting r = apply(*set_, candidate.graph);
      if (!r.graph)
        return false;
      const Comparison again = compare_with(candidate, executors_[0].run(decomposed(*r.graph), candidate.inputs),
                                            tolerance(oracle_steps), executors_[0]);
      if (!again.failure.empty())
        failure = again.failure;
      return !again.failure.empty();
    });
    problem("check.differs", Severity::error, pattern_.span,
            fmt::format("the rewrite{} computes something else: {}", variant_text(small.variant), failure),
            "compare the two graphs of the counterexample");
    report_.counterexample = counterexample(small, apply(*set_, small.graph).graph);
  }

  /// The graph with its fused ops, on one provider. The oracle has kernels of fused ops of its own, too.
  void check_kernels(const CheckCase& c, const Graph& rewritten, std::size_t executor) {
    if (executor != 0 && !is_tame(c.kind))
      return;  // f32 overflows and flushes where float64 does not
    const double steps = executor == 0 ? oracle_steps : kernel_steps;
    const Comparison result =
        compare_with(c, executors_[executor].run(rewritten, c.inputs), tolerance(steps), executors_[0]);
    if (result.failure.empty())
      return;
    problem("check.kernel-differs", Severity::error, pattern_.span,
            fmt::format("provider {} computes the rewritten graph otherwise than the oracle the matched one: {}",
                        executors_[executor].name, result.failure),
            "the decomposition of the new ops is right: look at the provider's kernels");
    report_.counterexample = counterexample(c, rewritten);
  }

  // --- what must not match -------------------------------------------------------------------------------------------

  void check_negatives(std::size_t v, const Instance& instance) {
    const CompiledVariant& variant = set_->variants[v];
    const auto alone = compile(context_, {variant.source.pattern});
    for (const Negative& n : break_conditions(*context_, variant, instance))
      expect_no_match(*alone, n.instance, n.broken, n.span);
    for (std::size_t g = 0; g < variant.source.pattern.where.size() && !failed_; ++g)
      break_guard(variant, *alone, g);
    break_types(variant, *alone);
    for (Pattern& with : with_forbidden_parts(variant)) {
      const auto forbidden = compile(context_, {std::move(with)});
      InstanceWishes wishes;
      wishes.plain = true;
      if (auto present = Instantiator(context_, forbidden->variants[0]).make(random_, wishes))
        expect_no_match(*alone, *present, "what 'unless' excludes is there", pattern_.span);
    }
  }

  /// False when the broken graph cannot be built: type inference has the condition already.
  bool expect_no_match(const CompiledSet& alone, const Instance& instance, const std::string& broken,
                       const Span& span) {
    if (failed_)
      return false;
    std::optional<Graph> graph;
    try {
      graph = instance.build(context_, pattern_.name);
    } catch (const Error&) {
      return false;
    }
    Rewriting rewriting = apply(alone, *graph);
    const bool matched = rewriting.graph || rewriting.endless;
    if (matched && !as_made(*graph, instance, rewriting))
      return false;
    if (!matched) {
      ++report_.negatives;
      return true;
    }
    problem("check.wrong-match", Severity::error, span, fmt::format("a graph is matched although {}", broken),
            "if the fusion says that condition, this is a bug in tandem");
    report_.counterexample = Counterexample{std::move(*graph), std::move(rewriting.graph), {}, {}};
    return false;
  }

  /// Whether the nodes were matched in the roles that they were made for. A symmetric pattern may match a graph with a
  /// broken condition the other way round, where the condition speaks of other nodes: that is no mistake.
  static bool as_made(const Graph& graph, const Instance& instance, const Rewriting& rewriting) {
    std::size_t i = 0;
    for (Node n = graph.first(); n && i < instance.nodes.size(); n = graph.next(n), ++i) {
      const int role = instance.nodes[i].pattern_node;
      if (role >= 0 && static_cast<std::size_t>(role) < rewriting.matched.size() &&
          rewriting.matched[static_cast<std::size_t>(role)] != n.index)
        return false;
    }
    return true;
  }

  void break_guard(const CompiledVariant& variant, const CompiledSet& alone, std::size_t g) {
    InstanceWishes wishes;
    wishes.break_guard = static_cast<int>(g);
    const Guard& guard = variant.source.pattern.where[g];
    const auto broken = Instantiator(context_, variant).make(random_, wishes);
    if (broken && expect_no_match(alone, *broken, fmt::format("'{}' does not hold", to_string(guard)), guard.span))
      ++report_.guards[g].broken;
  }

  void break_types(const CompiledVariant& variant, const CompiledSet& alone) {
    const auto& types = variant.source.pattern.types;
    if (types.empty() || types[0].dtypes.empty())
      return;
    const bool used = std::any_of(variant.values.begin(), variant.values.end(),
                                  [&](const PatternValue& v) { return v.type.dtype == types[0].name; });
    if (!used)
      return;  // declared and never asked for: a lint
    for (DType d : {DType::f64, DType::f32, DType::f16, DType::bf16}) {
      if (std::find(types[0].dtypes.begin(), types[0].dtypes.end(), to_string(d)) != types[0].dtypes.end())
        continue;
      InstanceWishes wishes;
      wishes.dtype = d;
      if (const auto other = Instantiator(context_, variant).make(random_, wishes))
        expect_no_match(alone, *other, fmt::format("{} is {}", types[0].name, to_string(d)), pattern_.span);
    }
  }

  std::shared_ptr<Context> context_;
  const Pattern& pattern_;
  std::shared_ptr<const CompiledSet> set_;
  std::span<const CheckExecutor> executors_;
  const CheckOptions& options_;
  CheckRandom random_;
  CheckReport report_;
  Comparison sum_;
  std::vector<Comparison> by_setting_ = std::vector<Comparison>(1U << most_booleans);  // of all variants
  std::size_t refused_ = 0, mistyped_ = 0;
  std::string refusal_, mistyping_;  // of the first
  bool is_draft_;
  bool made_any_ = false;
  bool failed_ = false;
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
