#include <tandem/passes/pattern/supersets.h>

#include <algorithm>
#include <map>

namespace tandem {

namespace {

/// Finds for each node of `wide` the node of `narrow` that is bound alike, and compares what both say.
class VariantComparison {
 public:
  VariantComparison(const Context& context, const CompiledVariant& narrow, const CompiledVariant& wide)
      : context_(context), narrow_(narrow), wide_(wide), values_(wide.values.size(), -1) {}

  bool holds() {
    if (narrow_.nodes.size() != wide_.nodes.size() || narrow_.required_ops != wide_.required_ops)
      return false;
    for (const Clause& c : wide_.source.pattern.match) {
      if (c.kind == Clause::Kind::unless)
        return false;
    }
    count_captures();
    return bind(0);
  }

 private:
  void count_captures() {
    const auto count = [&](const auto& self, const Expr& e) -> void {
      if (e.kind == Expr::Kind::capture)
        ++captures_[e.text];
      for (const Expr& a : e.args)
        self(self, a);
    };
    for (const PatternNode& n : wide_.nodes) {
      for (const AttrPattern& a : n.source->attrs)
        count(count, a.value);
    }
    for (const Guard& g : wide_.source.pattern.where) {
      for (const Expr& e : g.args)
        count(count, e);
    }
  }

  bool bind(std::size_t i) {
    if (i == wide_.nodes.size())
      return types_hold() && guards_hold();
    for (std::size_t k = 0; k < narrow_.nodes.size(); ++k) {
      if (std::find(taken_.begin(), taken_.end(), k) != taken_.end() || !node_holds(wide_.nodes[i], narrow_.nodes[k]))
        continue;
      const std::vector<int> before = values_;
      taken_.push_back(k);
      if (bind_values(wide_.nodes[i].operands, narrow_.nodes[k].operands) &&
          bind_values(wide_.nodes[i].results, narrow_.nodes[k].results) && bind(i + 1))
        return true;
      taken_.pop_back();
      values_ = before;
    }
    return false;
  }

  bool bind_values(const std::vector<int>& wide, const std::vector<int>& narrow) {
    for (std::size_t i = 0; i < wide.size(); ++i) {
      if (wide[i] < 0)
        continue;
      int& known = values_[static_cast<std::size_t>(wide[i])];
      if (narrow[i] < 0 || (known >= 0 && known != narrow[i]))
        return false;
      known = narrow[i];
    }
    return true;
  }

  bool node_holds(const PatternNode& wide, const PatternNode& narrow) const {
    const bool goes = !wide.keep && !wide.recompute;
    if (wide.op != narrow.op || wide.operands.size() != narrow.operands.size() ||
        wide.results.size() != narrow.results.size() || (wide.rest_operands >= 0) != (narrow.rest_operands >= 0) ||
        wide.rest_results != narrow.rest_results || (goes && (narrow.keep || narrow.recompute)))
      return false;
    for (std::size_t i = 0; goes && i < wide.results.size(); ++i) {  // no readers outside, but of what is replaced
      const auto replaced = [](const CompiledVariant& v, int value) {
        return value >= 0 && v.values[static_cast<std::size_t>(value)].replaced;
      };
      if (!replaced(wide_, wide.results[i]) &&
          (replaced(narrow_, narrow.results[i]) || (wide.results[i] < 0) != (narrow.results[i] < 0)))
        return false;
    }
    return std::all_of(context_.op(wide.op).attrs.begin(), context_.op(wide.op).attrs.end(),
                       [&](const AttrDef& a) { return attribute_holds(a.name, *wide.source, *narrow.source); });
  }

  /// All that `wide` says of an attribute `narrow` says, too; or it admits anything.
  bool attribute_holds(const std::string& name, const NodePattern& wide, const NodePattern& narrow) const {
    bool mentioned = false;
    for (const AttrPattern& a : wide.attrs) {
      if (a.name != name)
        continue;
      mentioned = true;
      const bool free =
          a.compare == Compare::any ||
          (a.compare == Compare::equal && a.value.kind == Expr::Kind::capture && captures_.at(a.value.text) == 1);
      if (!free && std::find(narrow.attrs.begin(), narrow.attrs.end(), a) == narrow.attrs.end())
        return false;
    }
    return mentioned ||
           std::none_of(narrow.attrs.begin(), narrow.attrs.end(), [&](const AttrPattern& a) { return a.name == name; });
  }

  bool types_hold() const {
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const TypePattern& wide = wide_.values[i].type;
      if (wide == TypePattern{})
        continue;
      if (values_[i] < 0)
        return false;
      const TypePattern& narrow = narrow_.values[static_cast<std::size_t>(values_[i])].type;
      if (wide.dtype != narrow.dtype && !wide.dtype.empty())
        return false;
      if (wide.has_shape &&
          (!narrow.has_shape || wide.open != narrow.open || wide.leading != narrow.leading || wide.dims != narrow.dims))
        return false;
    }
    // A type variable of both admits no more in the narrow one.
    for (const TypeVariable& t : wide_.source.pattern.types) {
      for (const TypeVariable& u : narrow_.source.pattern.types) {
        const auto admitted = [&](const std::string& d) {
          return std::find(t.dtypes.begin(), t.dtypes.end(), d) != t.dtypes.end();
        };
        if (t.name == u.name && !t.dtypes.empty() &&
            (u.dtypes.empty() || !std::all_of(u.dtypes.begin(), u.dtypes.end(), admitted)))
          return false;
      }
    }
    return true;
  }

  bool guards_hold() const {
    const auto& have = narrow_.source.pattern.where;
    return std::all_of(wide_.source.pattern.where.begin(), wide_.source.pattern.where.end(), [&](Guard g) {
      for (Expr& e : g.args)
        rename(e);
      return std::find(have.begin(), have.end(), g) != have.end();
    });
  }

  /// Values by the names that they have in `narrow`.
  void rename(Expr& e) const {
    if (e.kind == Expr::Kind::value || e.kind == Expr::Kind::uses) {
      const auto it = std::find_if(wide_.values.begin(), wide_.values.end(),
                                   [&](const PatternValue& v) { return v.name == e.text; });
      const int known = it == wide_.values.end() ? -1 : values_[static_cast<std::size_t>(it - wide_.values.begin())];
      e.text = known < 0 ? std::string() : narrow_.values[static_cast<std::size_t>(known)].name;
    }
    for (Expr& a : e.args)
      rename(a);
  }

  const Context& context_;
  const CompiledVariant& narrow_;
  const CompiledVariant& wide_;
  std::vector<int> values_;  // by value of `wide`: that of `narrow`
  std::vector<std::size_t> taken_;
  std::map<std::string, int> captures_;  // of `wide`: how often each is mentioned
};

}  // namespace

bool is_narrower(const Context& context, const CompiledVariant& narrow, const CompiledVariant& wide) {
  return VariantComparison(context, narrow, wide).holds();
}

}  // namespace tandem
