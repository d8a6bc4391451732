#include <tandem/passes/pattern/check_contradiction.h>

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/check_instance.h>
#include <tandem/passes/pattern/text.h>

namespace tandem {

namespace {

class Contradiction {
 public:
  Contradiction(std::shared_ptr<Context> context, const Pattern& pattern, CheckRandom& random)
      : context_(std::move(context)), pattern_(pattern), random_(random) {}

  std::vector<Condition> run() {
    for (std::size_t i = 0; i < pattern_.where.size(); ++i) {
      Pattern without = pattern_;
      without.where.erase(without.where.begin() + static_cast<std::ptrdiff_t>(i));
      try_without(without, {"where " + to_string(pattern_.where[i]), pattern_.where[i].span});
    }
    for (std::size_t i = 0; i < pattern_.inputs.size(); ++i) {
      const InputPattern& in = pattern_.inputs[i];
      Pattern without = pattern_;
      without.inputs[i].type = {};
      if (is_said(in.type))
        try_without(without, {fmt::format("in %{}: {}", in.name, to_string(in.type)), in.span});
    }
    for (std::size_t i = 0; i < pattern_.types.size(); ++i) {
      const TypeVariable& t = pattern_.types[i];
      Pattern without = pattern_;
      without.types[i].dtypes.clear();
      if (!t.dtypes.empty())
        try_without(without, {fmt::format("types {} in {{{}}}", t.name, fmt::join(t.dtypes, ", ")), {}});
    }
    for (std::size_t i = 0; i < pattern_.match.size(); ++i) {
      const NodePattern& node = pattern_.match[i].node;
      if (pattern_.match[i].kind != Clause::Kind::node || std::none_of(node.types.begin(), node.types.end(), is_said))
        continue;
      Pattern without = pattern_;
      without.match[i].node.types.clear();
      std::vector<std::string> types;
      for (const TypePattern& t : node.types)
        types.push_back(to_string(t));
      try_without(without, {fmt::format("{}(..) : {}", node.op, fmt::join(types, ", ")), node.span});
    }
    return std::move(found_);
  }

 private:
  static bool is_said(const TypePattern& type) { return !type.dtype.empty() || type.has_shape; }

  void try_without(const Pattern& without, Condition condition) {
    InstanceWishes wishes;
    wishes.plain = true;
    wishes.attempts = 60;
    try {
      const auto set = compile(context_, {without});
      const bool any = std::any_of(set->variants.begin(), set->variants.end(), [&](const CompiledVariant& v) {
        return Instantiator(context_, v).make(random_, wishes).has_value();
      });
      if (any)
        found_.push_back(std::move(condition));
    } catch (const Error&) {
      // Something else needs it: a dim that only this type determines.
    }
  }

  std::shared_ptr<Context> context_;
  const Pattern& pattern_;
  CheckRandom& random_;
  std::vector<Condition> found_;
};

}  // namespace

std::vector<Condition> conditions_in_the_way(const std::shared_ptr<Context>& context, const Pattern& pattern,
                                             CheckRandom& random) {
  return Contradiction(context, pattern, random).run();
}

}  // namespace tandem
