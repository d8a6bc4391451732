// Merging of linears: projections of one input become one projection and a split.
//
//     %q  = linear %x, %w_q      [1536]                  %w = concat %w_q, %w_kv {axis = 0}
//     %kv = linear %x, %w_kv     [576]            ->     %p = linear %x, %w
//                                                        %q, %kv = split %p {axis = -1, sizes = [1536, 576]}
//
// The concat is of weights alone: a plan computes it once and drops the two. (A weight that something else reads would
// be held twice, so it keeps its linear as it is.) Linears with a bias and linears without are merged apart.
//
// When it pays. A linear reads each weight once, whatever the number of linears: what is saved is launches, and the
// time in which a GPU is not filled, because a narrow projection has few tiles (576 columns of DeepSeek's kv_a are 5
// tiles of 128, for 304 compute units). Wide projections fill it alone. So under `auto` linears are merged on GPUs, and
// only those that reduce: each narrower than its input, and no wider than that all together, so that the copy of the
// weights stays small beside those of a layer. On a CPU a launch costs nothing, and nothing is merged. `merge_linears =
// on` merges all that can be merged, anywhere.
//
// Fusions do not wait for it: `fuse` has run before, and knows separate projections.
//
// Requires: a verified graph. Preserves: each element's sum of products, its rounding, and the names of outputs.
// Linear: each use of an input is looked at once.

#include <algorithm>

#include <fmt/format.h>

#include <tandem/ir/builder.h>
#include <tandem/passes/pipeline.h>
#include <tandem/passes/rewrite.h>

namespace tandem {

namespace {

/// Linears of one input that can be merged, in the order of the graph.
using Group = std::vector<Node>;

class LinearMerging {
 public:
  LinearMerging(Graph& graph, const PassContext& context)
      : graph_(graph),
        replacer_(graph),
        forced_(context.config.flag("merge_linears") == Toggle::on),
        platform_(context.capabilities.platform) {}

  PassResult run() {
    find_groups();
    for (const Group& group : groups_) {
      ++result_.candidates;
      if (pays(group))
        merge(group);
    }
    result_.changed = result_.matches != 0;
    if (result_.changed) {
      result_.notes.push_back(
          fmt::format("weights of {:.0f} elements are joined when a plan is made; the parts are dropped", elements_));
    }
    return std::move(result_);
  }

 private:
  static constexpr std::int64_t most = std::int64_t{1} << 31;  // columns of a weight

  void find_groups() {
    std::vector<bool> seen(graph_.value_capacity());
    for (Node n = graph_.first_of(op::linear); n; n = graph_.next_of_same_op(n)) {
      const Value x = graph_.operand(n, 0);
      if (seen[x.index] || graph_.num_uses(x) < 2)
        continue;
      seen[x.index] = true;
      Group plain, biased;
      for (const Use use : graph_.uses(x)) {
        if (use.operand == 0 && use.user != graph_.return_node() && graph_.op(use.user) == op::linear &&
            can_merge(use.user)) {
          (graph_.num_operands(use.user) == 3 ? biased : plain).push_back(use.user);
        }
      }
      add_group(std::move(plain));
      add_group(std::move(biased));
    }
  }

  void add_group(Group group) {
    if (group.size() < 2)
      return;
    std::sort(group.begin(), group.end(), [&](Node a, Node b) { return graph_.comes_before(a, b); });
    groups_.push_back(std::move(group));
  }

  bool can_merge(Node linear) const {
    for (std::size_t i = 1; i < graph_.num_operands(linear); ++i) {
      const Value weight = graph_.operand(linear, i);
      if (!graph_.is_weight(weight) || graph_.num_uses(weight) != 1 || !graph_.type(weight).shape.is_static())
        return false;
    }
    // Wider ones do not exist; so nothing below overflows.
    return width(linear) > 0 && width(linear) < most && depth(linear) < most &&
           (forced_ || width(linear) < depth(linear));
  }

  /// Columns of the result, and of the input.
  std::int64_t width(Node linear) const { return weight_shape(linear)[0].constant(); }
  std::int64_t depth(Node linear) const { return weight_shape(linear)[1].constant(); }
  Shape weight_shape(Node linear) const { return graph_.type(graph_.operand(linear, 1)).shape; }

  bool pays(const Group& group) {
    if (forced_)
      return true;
    if (platform_ == Platform::cpu) {
      miss("the target is a GPU, where a launch costs something", group);
      return false;
    }
    std::int64_t sum = 0;
    for (Node n : group) {
      sum += width(n);
      if (sum > depth(n)) {
        miss("together they are no wider than their input", group);
        return false;
      }
    }
    return true;
  }

  void miss(std::string_view predicate, const Group& group) {
    auto& misses = result_.near_misses;
    const auto known =
        std::find_if(misses.begin(), misses.end(), [&](const NearMiss& m) { return m.predicate == predicate; });
    if (known != misses.end()) {
      ++known->count;
      return;
    }
    misses.push_back({std::string(predicate), 1, fmt::format("{} linears of one input", group.size()),
                      describe(graph_, group.front())});
  }

  void merge(const Group& group) {
    GraphBuilder builder(graph_, group.front());
    builder.set_scope(common_scope(graph_, group).view());
    std::vector<Value> operands = {graph_.operand(group.front(), 0)};
    std::vector<Value> parts;
    for (std::size_t i = 1; i < graph_.num_operands(group.front()); ++i) {
      parts.clear();
      for (Node n : group)
        parts.push_back(graph_.operand(n, i));
      operands.push_back(builder.op("concat", parts, {{"axis", 0}}));
    }
    std::vector<Dim> sizes;
    for (Node n : group) {
      sizes.emplace_back(width(n));
      elements_ += static_cast<double>(width(n)) * static_cast<double>(depth(n));
    }
    const Value packed = builder.op("linear", operands);
    const NamedAttr cut[] = {{"axis", -1}, {"sizes", sizes}};
    const Node split = builder.node(op::split, {&packed, 1}, cut);
    for (std::size_t i = 0; i < group.size(); ++i) {
      replacer_.replace(graph_.result(group[i], 0), graph_.result(split, i));
      graph_.erase(group[i]);
    }
    result_.matches += group.size();
  }

  Graph& graph_;
  ValueReplacer replacer_;
  bool forced_;
  Platform platform_;
  std::vector<Group> groups_;
  double elements_ = 0;
  PassResult result_;
};

}  // namespace

PassResult pass::merge_linears(Graph& graph, PassContext& context) {
  return LinearMerging(graph, context).run();
}

}  // namespace tandem
