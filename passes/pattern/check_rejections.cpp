#include <tandem/passes/pattern/check_rejections.h>

#include <algorithm>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/check_negatives.h>

namespace tandem {

namespace {

class Rejections {
 public:
  Rejections(std::shared_ptr<Context> context, const Pattern& pattern, const CompiledVariant& variant,
             CheckRandom& random, CheckFindings& findings)
      : context_(std::move(context)),
        pattern_(pattern),
        variant_(variant),
        alone_(compile(context_, {variant.source.pattern})),
        random_(random),
        findings_(findings) {}

  void run(const Instance& instance) {
    for (const Negative& n : break_conditions(*context_, variant_, instance))
      expect_no_match(n.instance, n.broken, n.span);
    for (std::size_t g = 0; g < variant_.source.pattern.where.size() && !findings_.failed(); ++g)
      break_guard(g);
    break_types();
    for (Pattern& with : with_forbidden_parts(variant_)) {
      const auto forbidden = compile(context_, {std::move(with)});
      InstanceWishes wishes;
      wishes.plain = true;
      if (auto present = Instantiator(context_, forbidden->variants[0]).make(random_, wishes))
        expect_no_match(*present, "what 'unless' excludes is there", pattern_.span);
    }
  }

 private:
  /// False when the broken graph cannot be built: type inference has the condition already.
  bool expect_no_match(const Instance& instance, const std::string& broken, const Span& span) {
    if (findings_.failed())
      return false;
    std::optional<Graph> graph;
    try {
      graph = instance.build(context_, pattern_.name);
    } catch (const Error&) {
      return false;
    }
    Rewriting rewriting = apply(*alone_, *graph);
    const bool matched = rewriting.graph || rewriting.endless;
    if (matched && !as_made(*graph, instance, rewriting))
      return false;
    if (!matched) {
      ++findings_.report.negatives;
      return true;
    }
    findings_.problem("check.wrong-match", Severity::error, span, fmt::format("a graph is matched although {}", broken),
                      "if the fusion says that condition, this is a bug in tandem");
    findings_.report.counterexample = Counterexample{std::move(*graph), std::move(rewriting.graph), {}, {}};
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

  void break_guard(std::size_t g) {
    InstanceWishes wishes;
    wishes.break_guard = static_cast<int>(g);
    const Guard& guard = variant_.source.pattern.where[g];
    const auto broken = Instantiator(context_, variant_).make(random_, wishes);
    if (broken && expect_no_match(*broken, fmt::format("'{}' does not hold", to_string(guard)), guard.span))
      ++findings_.report.guards[g].broken;
  }

  void break_types() {
    const auto& types = variant_.source.pattern.types;
    if (types.empty() || types[0].dtypes.empty())
      return;
    const bool used = std::any_of(variant_.values.begin(), variant_.values.end(),
                                  [&](const PatternValue& v) { return v.type.dtype == types[0].name; });
    if (!used)
      return;  // declared and never asked for: a lint
    for (DType d : {DType::f64, DType::f32, DType::f16, DType::bf16}) {
      if (std::find(types[0].dtypes.begin(), types[0].dtypes.end(), to_string(d)) != types[0].dtypes.end())
        continue;
      InstanceWishes wishes;
      wishes.dtype = d;
      if (const auto other = Instantiator(context_, variant_).make(random_, wishes))
        expect_no_match(*other, fmt::format("{} is {}", types[0].name, to_string(d)), pattern_.span);
    }
  }

  std::shared_ptr<Context> context_;
  const Pattern& pattern_;
  const CompiledVariant& variant_;
  std::shared_ptr<const CompiledSet> alone_;  // a variant by itself
  CheckRandom& random_;
  CheckFindings& findings_;
};

}  // namespace

void check_rejections(const std::shared_ptr<Context>& context, const Pattern& pattern, const CompiledVariant& variant,
                      const Instance& instance, CheckRandom& random, CheckFindings& findings) {
  Rejections(context, pattern, variant, random, findings).run(instance);
}

}  // namespace tandem
