#include "tests/support/twin_graph.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <tandem/ir/builder.h>
#include <tandem/ir/diagnostic.h>

namespace tandem::test {

namespace {

const char* const twin_ops[] = {"neg",   "exp",   "tanh",    "gelu",   "add",      "mul",  "sub",      "maximum",
                                "split", "slice", "softmax", "concat", "rms_norm", "cast", "transpose"};

class GraphMaker {
 public:
  GraphMaker(const std::shared_ptr<Context>& context, Dice& dice) : dice_(dice), b_(context, "pair") {}

  Graph make() {
    values_.push_back(b_.input("x", DType::f64, {4, 12}));
    values_.push_back(b_.input("y", DType::f64, {4, 12}));
    values_.push_back(b_.input("z", DType::f32, {4, 12}));
    const std::size_t nodes = 6 + dice_.below(24);
    while (b_.graph().num_nodes() < nodes) {
      if (!motif_.empty() && dice_.chance(30))
        replay();
      else
        add(random_step());
    }
    for (std::size_t i = 1 + dice_.below(3); i != 0; --i)
      b_.output(recent());
    for (Value v : values_) {
      if (b_.graph().def_node(v) && b_.graph().num_uses(v) == 0 && dice_.chance(70))
        b_.output(v);
    }
    return std::move(b_).finish();
  }

 private:
  struct Instruction {
    std::string op;
    std::vector<std::size_t> back;  // operands, counted from the newest value
    std::vector<NamedAttr> attrs;
  };

  Value recent() { return values_[values_.size() - 1 - dice_.below(std::min<std::size_t>(values_.size(), 7))]; }

  /// Adds a node, when its operands suit its op, and remembers it as part of what is repeated.
  void add(Instruction step) {
    std::vector<Value> operands;
    for (const std::size_t back : step.back) {
      if (back >= values_.size())
        return;
      operands.push_back(values_[values_.size() - 1 - back]);
    }
    try {
      const Node n = b_.node(step.op, operands, step.attrs);
      for (std::size_t i = 0; i < b_.graph().num_results(n); ++i)
        values_.push_back(b_.graph().result(n, i));
    } catch (const Error&) {  // shapes or dtypes that do not go together
      return;
    }
    motif_.push_back(std::move(step));
    if (motif_.size() > 5)
      motif_.erase(motif_.begin());
  }
  void replay() {
    const std::vector<Instruction> steps = motif_;
    for (const Instruction& step : steps)
      add(step);
  }

  Instruction random_step() {
    const std::string op = twin_ops[dice_.below(std::size(twin_ops))];
    Instruction step{op, {dice_.below(6)}, {}};
    const Value x = step.back[0] < values_.size() ? values_[values_.size() - 1 - step.back[0]] : values_[0];
    const auto axis = static_cast<std::int64_t>(dice_.below(4)) - 2;
    const std::int64_t n = b_.graph().type(x).shape[static_cast<std::size_t>(axis < 0 ? axis + 2 : axis)].constant();
    if (op == "add" || op == "mul" || op == "sub" || op == "maximum")
      step.back.push_back(dice_.below(6));
    if (op == "concat") {
      for (std::size_t i = dice_.below(3); i != 0; --i)
        step.back.push_back(dice_.below(6));
    }
    if (op == "gelu" && dice_.chance(40))
      step.attrs = {{"tanh_approximation", true}};
    if (op == "softmax" || op == "concat")
      step.attrs = {{"axis", axis}};
    if (op == "cast")
      step.attrs = {{"dtype", dice_.chance(50) ? DType::f32 : DType::f64}};
    if (op == "transpose")
      step.attrs = {{"perm", dice_.chance(70) ? std::vector<Dim>{1, 0} : std::vector<Dim>{0, 1}}};
    if (op == "rms_norm") {
      step.attrs = {{"eps", dice_.chance(60) ? 1e-6 : 1e-5}};
      if (dice_.chance(30))
        step.attrs.push_back({"round_before_weight", true});
    }
    if (op == "split") {
      const std::int64_t first = dice_.chance(50) ? n / 2 : n / 3;
      std::vector<Dim> sizes{Dim(first), Dim(n - first)};
      if (dice_.chance(25))
        sizes = {Dim(n / 4), Dim(n / 4), Dim(n - 2 * (n / 4))};
      step.attrs = {{"axis", axis}, {"sizes", sizes}};
    }
    if (op == "slice") {
      const std::int64_t start = dice_.chance(50) ? 0 : n / 3;
      step.attrs = {
          {"axis", axis}, {"start", Dim(start)}, {"end", Dim(dice_.chance(50) ? n : start + (n - start) / 2)}};
    }
    return step;
  }

  Dice& dice_;
  GraphBuilder b_;
  std::vector<Value> values_;
  std::vector<Instruction> motif_;
};

}  // namespace

std::shared_ptr<Context> context_with_twins() {
  auto context = Context::create();
  for (const char* const op : twin_ops) {
    const OpDef def = context->op(context->require_op(op));
    context->register_op({.name = "alt_" + def.name,
                          .signature = def.signature,
                          .traits = def.traits,
                          .infer = def.infer,
                          .doc = "The same under another name."});
  }
  return context;
}

Graph random_twin_graph(const std::shared_ptr<Context>& context, Dice& dice) {
  return GraphMaker(context, dice).make();
}

}  // namespace tandem::test
