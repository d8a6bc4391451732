// Growing chains, step by step.
#include <tandem/runtime/hip/hip_chains.h>

#include <algorithm>
#include <unordered_map>

#include <tandem/ir/op_table.h>

namespace tandem::hip {
namespace {

/// Types and ops for which the GPU computes in f32; others take a slower kernel, so the two do not share a chain.
bool is_narrow_type(DType dtype) {
  return dtype == DType::boolean || (is_float(dtype) && dtype != DType::f64);
}
bool is_narrow_op(OpId op) {
  constexpr OpId wide[] = {op::log,         op::sin,         op::cos,        op::erf,        op::gelu,
                           op::softplus,    op::pow,         op::atan2,      op::floor_div,  op::remainder,
                           op::bitwise_not, op::bitwise_and, op::bitwise_or, op::bitwise_xor};
  return std::find(std::begin(wide), std::end(wide), op) == std::end(wide);
}

class ChainFinder {
 public:
  ChainFinder(const Plan::Impl& plan, const ChainLimit& limit) : plan_(plan), graph_(plan.graph), limit_(limit) {
    out_.groups.of_step.assign(plan.steps.size(), -1);
    out_.groups.internal.assign(graph_.value_capacity(), 0);
    readers_.resize(graph_.value_capacity());
    is_output_.assign(graph_.value_capacity(), 0);
    for (std::uint32_t i = 0; i < plan.steps.size(); ++i)
      for (std::size_t o = 0; o < graph_.num_operands(plan.steps[i].node); ++o)
        readers_[graph_.operand(plan.steps[i].node, o).index].push_back(i);
    for (std::size_t i = 0; i < graph_.num_outputs(); ++i)
      is_output_[graph_.output(i).index] = 1;
  }

  ChainPlan find(const std::vector<char>& is_candidate) {
    for (std::uint32_t i = 0; i < plan_.steps.size(); ++i) {
      const Node n = plan_.steps[i].node;
      if (plan_.steps[i].is_view && graph_.op(n) != op::reshape)
        note_view(n);
      else if (is_candidate[i])
        take(i);
      else
        close();
    }
    close();
    return std::move(out_);
  }

 private:
  Value result(std::uint32_t step) const { return graph_.result(plan_.steps[step].node, 0); }

  /// A view of what the chain computes has memory only once the chain has run.
  void note_view(Node n) {
    const Value source = graph_.operand(n, 0);
    if (!position_.contains(source.index) && !derived_.contains(source.index))
      return;
    for (std::size_t i = 0; i < graph_.num_results(n); ++i)
      derived_[graph_.result(n, i).index] = true;
  }

  void take(std::uint32_t step) {
    if (!members_.empty() && !may_join(step))
      close();
    members_.push_back(step);
    position_[result(step).index] = members_.size() - 1;
  }

  bool narrow(std::uint32_t step) const {
    const Node n = plan_.steps[step].node;
    bool all = is_narrow_op(graph_.op(n)) && is_narrow_type(graph_.type(graph_.result(n, 0)).dtype);
    for (std::size_t i = 0; i < graph_.num_operands(n); ++i)
      all &= is_narrow_type(graph_.type(graph_.operand(n, i)).dtype);
    return all;
  }

  bool may_join(std::uint32_t step) {
    const std::uint32_t first = members_.front();
    if (graph_.type(result(first)).shape != graph_.type(result(step)).shape || narrow(first) != narrow(step))
      return false;
    const Node n = plan_.steps[step].node;
    for (std::size_t i = 0; i < graph_.num_operands(n); ++i)
      if (derived_.contains(graph_.operand(n, i).index))
        return false;
    members_.push_back(step);
    position_[result(step).index] = members_.size() - 1;
    const bool fits = limit_text().empty();
    members_.pop_back();
    position_.erase(result(step).index);
    return fits;
  }

  std::string limit_text() const {
    const ElementwiseChain chain = describe();
    std::vector<TensorView> inputs, outputs;
    for (const ElementwiseChain::Input& input : chain.inputs) {
      const Node n = plan_.steps[members_[input.member]].node;
      inputs.emplace_back().dtype = graph_.type(graph_.operand(n, input.operand)).dtype;
    }
    for (const std::size_t member : chain.outputs)
      outputs.emplace_back().dtype = chain.steps[member].type;
    return limit_({inputs, chain.steps, outputs});
  }

  bool is_read_outside(std::uint32_t step) const {
    const Value v = result(step);
    return is_output_[v.index] || std::any_of(readers_[v.index].begin(), readers_[v.index].end(), [&](std::uint32_t r) {
             return std::find(members_.begin(), members_.end(), r) == members_.end();
           });
  }

  ElementwiseChain describe() const {
    ElementwiseChain chain;
    chain.members = members_;
    std::unordered_map<std::uint32_t, std::size_t> inputs;
    for (std::size_t m = 0; m < members_.size(); ++m) {
      const Node n = plan_.steps[members_[m]].node;
      ChainStep& step = chain.steps.emplace_back();
      step.op = graph_.def(n).name;
      step.type = graph_.type(graph_.result(n, 0)).dtype;
      step.tanh_approximation = graph_.op(n) == op::gelu && graph_.attr(n, 0).boolean();
      for (std::size_t o = 0; o < graph_.num_operands(n); ++o) {
        const Value v = graph_.operand(n, o);
        if (const auto at = position_.find(v.index); at != position_.end()) {
          step.operands.push_back(ChainOperand::step(at->second));
          continue;
        }
        const auto [it, fresh] = inputs.try_emplace(v.index, chain.inputs.size());
        if (fresh)
          chain.inputs.push_back({m, o});
        step.operands.push_back(ChainOperand::input(it->second));
      }
      if (is_read_outside(members_[m])) {
        step.output = static_cast<int>(chain.outputs.size());
        chain.outputs.push_back(m);
      }
    }
    return chain;
  }

  void close() {
    if (members_.size() > 1) {
      for (const std::uint32_t step : members_) {
        out_.groups.of_step[step] = static_cast<std::int32_t>(out_.chains.size());
        out_.groups.internal[result(step).index] = is_read_outside(step) ? 0 : 1;
      }
      out_.chains.push_back(describe());
    }
    members_.clear();
    position_.clear();
    derived_.clear();
  }

  const Plan::Impl& plan_;
  const Graph& graph_;
  const ChainLimit& limit_;
  ChainPlan out_;
  std::vector<std::vector<std::uint32_t>> readers_;  ///< By value index: steps, views among them.
  std::vector<char> is_output_;
  std::vector<std::uint32_t> members_;
  std::unordered_map<std::uint32_t, std::size_t> position_;  ///< By value index: the member that computes it.
  std::unordered_map<std::uint32_t, bool> derived_;          ///< Views of members' results.
};

}  // namespace

ChainPlan find_chains(const Plan::Impl& plan, const std::vector<char>& is_candidate, const ChainLimit& limit) {
  return ChainFinder(plan, limit).find(is_candidate);
}

}  // namespace tandem::hip
