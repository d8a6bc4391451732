#include <tandem/passes/pattern/check_shrink.h>

#include <algorithm>

#include <tandem/ir/diagnostic.h>

namespace tandem {

namespace {

std::size_t total_elements(const CheckCase& c) {
  std::size_t n = c.instance.nodes.size() + c.instance.outputs.size();
  for (const CheckTensor& t : c.inputs)
    n += t.values.size();
  return n;
}

/// Takes `changed` inputs over if the fault stays.
bool accept(CheckCase& c, std::vector<CheckTensor> changed, const CheckExecutor& oracle, const StillFails& fails) {
  CheckCase smaller = c;
  smaller.inputs = std::move(changed);
  try {
    smaller.want = oracle.run(smaller.graph, smaller.inputs);
    if (!fails(smaller))
      return false;
  } catch (const Error&) {
    return false;
  }
  c = std::move(smaller);
  return true;
}

}  // namespace

CheckCase shrink(const std::shared_ptr<Context>& context, const CompiledSet& set, CheckCase failing,
                 const CheckExecutor& oracle, const StillFails& still_fails) {
  CheckRandom random(7);
  for (const std::int64_t largest : {1, 2, 3, 4, 6}) {
    InstanceWishes wishes;
    wishes.largest_dim = largest;
    wishes.plain = true;
    wishes.attempts = 60;
    bool found = false;
    for (int i = 0; i < 24; ++i) {
      auto smaller = make_case(context, set, failing.variant, wishes, failing.kind, oracle, random);
      if (smaller && total_elements(*smaller) < total_elements(failing) && still_fails(*smaller)) {
        failing = std::move(*smaller);
        found = true;
      }
    }
    if (found)
      break;
  }
  for (std::size_t t = 0; t < failing.inputs.size(); ++t) {
    for (const double value : {0.0, 1.0}) {
      std::vector<CheckTensor> changed = failing.inputs;
      std::fill(changed[t].values.begin(), changed[t].values.end(), value);
      if (accept(failing, std::move(changed), oracle, still_fails))
        break;
    }
  }
  int budget = 200;
  for (std::size_t t = 0; t < failing.inputs.size(); ++t) {
    for (std::size_t i = 0; i < failing.inputs[t].values.size(); ++i) {
      for (const double value : {0.0, 1.0, 2.0}) {
        const double now = failing.inputs[t].values[i];
        if (now == 0.0 || now == 1.0 || now == value || --budget < 0)
          continue;
        std::vector<CheckTensor> changed = failing.inputs;
        changed[t].values[i] = value;
        if (accept(failing, std::move(changed), oracle, still_fails))
          break;
      }
    }
  }
  return failing;
}

}  // namespace tandem
