// Elementwise ops on the GPU: each row of the op table with that trait, alone or in a chain. Kernels: elementwise.hip.
#include <tandem/kernels/hip/elementwise.h>

#include <algorithm>
#include <array>
#include <string_view>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/op_table.h>
#include <tandem/kernels/hip/elementwise_params.h>
#include <tandem/kernels/hip/families.h>
#include <tandem/kernels/hip/walk_of.h>

namespace tandem::hip {

namespace {

using gpu::ElementwiseParams;
using gpu::ElementwiseStep;
using gpu::Op;

constexpr std::array op_names = {
#define TANDEM_OP(name, signature, traits, infer, doc) std::string_view(#name),
#include <tandem/ir/ops.def>
#undef TANDEM_OP
};

/// The ops that elementwise.hip computes; the narrow kernel those for which f32 is enough.
constexpr std::array narrow_ops = {
    Op::neg,     Op::abs,     Op::sign,        Op::square,     Op::exp,         Op::sqrt, Op::rsqrt, Op::reciprocal,
    Op::tanh,    Op::sigmoid, Op::silu,        Op::relu,       Op::floor,       Op::ceil, Op::round, Op::trunc,
    Op::is_nan,  Op::is_inf,  Op::logical_not, Op::cast,       Op::add,         Op::sub,  Op::mul,   Op::div,
    Op::maximum, Op::minimum, Op::logical_and, Op::logical_or, Op::logical_xor, Op::eq,   Op::ne,    Op::lt,
    Op::le,      Op::gt,      Op::ge,          Op::where};
constexpr std::array wide_ops = {Op::log,       Op::sin,         Op::cos,        Op::erf,        Op::gelu,
                                 Op::softplus,  Op::floor_div,   Op::pow,        Op::atan2,      Op::bitwise_not,
                                 Op::remainder, Op::bitwise_and, Op::bitwise_or, Op::bitwise_xor};

std::string_view name_of(Op op) {
  return op_names[static_cast<std::size_t>(op)];
}

Op code_of(std::string_view op) {
  for (const Op code : narrow_ops)
    if (name_of(code) == op)
      return code;
  for (const Op code : wide_ops)
    if (name_of(code) == op)
      return code;
  internal_error("the op is no elementwise one of the GPU's");
}

/// Types that a float holds exactly and whose arithmetic f32 is enough for.
bool is_narrow(DType dtype) {
  return (is_float(dtype) && dtype != DType::f64) || is_boolean(dtype);
}

DType operand_type(const Chain& chain, const ChainOperand& operand) {
  switch (operand.kind) {
    case ChainOperand::Kind::input: return chain.inputs[operand.index].dtype;
    case ChainOperand::Kind::step: return chain.steps[operand.index].type;
    default: return DType::f32;
  }
}

bool is_narrow(const Chain& chain) {
  return std::ranges::all_of(chain.steps, [&](const ChainStep& step) {
    return is_narrow(step.type) && std::ranges::find(narrow_ops, code_of(step.op)) != narrow_ops.end() &&
           std::ranges::all_of(step.operands, [&](const ChainOperand& o) { return is_narrow(operand_type(chain, o)); });
  });
}

/// Slots of results that a later step reads other than through the accumulator.
struct Slots {
  std::vector<std::uint8_t> of_step;
  std::size_t count = 0;

  explicit Slots(const Chain& chain) : of_step(chain.steps.size(), gpu::no_place) {
    std::vector<std::size_t> last_use(chain.steps.size(), 0);
    std::vector<bool> kept(chain.steps.size(), false);
    for (std::size_t i = 0; i < chain.steps.size(); ++i)
      for (const ChainOperand& operand : chain.steps[i].operands)
        if (operand.kind == ChainOperand::Kind::step) {
          last_use[operand.index] = i;
          if (operand.index + 1 != i)
            kept[operand.index] = true;
        }
    std::vector<std::size_t> free_from;  // by slot: the step from which on it is free
    for (std::size_t i = 0; i < chain.steps.size(); ++i) {
      if (!kept[i])
        continue;
      std::size_t slot = 0;
      while (slot < free_from.size() && free_from[slot] > i)
        ++slot;
      if (slot == free_from.size())
        free_from.push_back(0);
      free_from[slot] = last_use[i];
      of_step[i] = static_cast<std::uint8_t>(slot);
    }
    count = free_from.size();
  }
};

/// Whether groups of elements along the last loop are contiguous and begin at multiples of their size.
bool has_whole_vectors(const TensorView& tensor, std::size_t index, const std::vector<Loop>& loops) {
  const auto bytes = static_cast<std::int64_t>(byte_size(tensor.dtype));
  if (loops.empty() || loops.back().steps[index] != 1 || (bytes != 2 && bytes != 4) || !is_float(tensor.dtype) ||
      reinterpret_cast<std::uintptr_t>(tensor.data) % static_cast<std::uintptr_t>(bytes * gpu::elementwise_group) != 0)
    return false;
  return std::ranges::all_of(loops.begin(), loops.end() - 1,
                             [&](const Loop& loop) { return loop.steps[index] % gpu::elementwise_group == 0; });
}

}  // namespace

std::string chain_limit(const Chain& chain) {
  if (chain.inputs.size() + chain.outputs.size() > gpu::max_elementwise_tensors)
    return "more than " + std::to_string(gpu::max_elementwise_tensors) + " tensors";
  if (chain.steps.size() > gpu::max_elementwise_steps)
    return "more than " + std::to_string(gpu::max_elementwise_steps) + " steps";
  std::size_t immediates = 0;
  for (const ChainStep& step : chain.steps)
    immediates +=
        static_cast<std::size_t>(std::ranges::count(step.operands, ChainOperand::Kind::immediate, &ChainOperand::kind));
  if (immediates > gpu::max_elementwise_immediates)
    return "more than " + std::to_string(gpu::max_elementwise_immediates) + " numbers";
  if (Slots(chain).count > gpu::max_elementwise_slots)
    return "more than " + std::to_string(gpu::max_elementwise_slots) + " values alive at once";
  return {};
}

void launch_chain(const Chain& chain, Launcher& launcher) {
  ElementwiseParams p{};
  const std::span<const std::int64_t> shape = chain.outputs[0].dims();
  std::vector<TensorView> tensors(chain.outputs.begin(), chain.outputs.end());
  for (const TensorView& input : chain.inputs)
    tensors.push_back(broadcast_to(input, shape));
  const std::size_t first_input = chain.outputs.size();
  const std::vector<Loop> loops = merged_loops(tensors, shape.size());
  p.walk = walk_of<gpu::max_elementwise_tensors>(loops);
  if (p.walk.size == 0)
    return;
  const bool narrow = is_narrow(chain);
  const bool groups = narrow && (loops.size() <= 1 || loops.back().count % gpu::elementwise_group == 0);
  p.group = groups ? gpu::elementwise_group : 1;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    p.data[i] = tensors[i].data;
    p.type[i] = element_type(tensors[i].dtype);
    p.whole_vectors[i] = groups && has_whole_vectors(tensors[i], i, loops) ? 1 : 0;
  }

  const Slots slots(chain);
  std::size_t immediates = 0;
  p.steps = static_cast<std::int32_t>(chain.steps.size());
  for (std::size_t i = 0; i < chain.steps.size(); ++i) {
    const ChainStep& step = chain.steps[i];
    ElementwiseStep& s = p.step[i];
    s.op = code_of(step.op);
    const std::size_t typed = s.op == Op::where ? 1 : 0;
    s.integer = is_float(operand_type(chain, step.operands[typed])) ? 0 : 1;
    s.variant = step.tanh_approximation ? 1 : 0;
    s.type = element_type(step.type);
    std::ranges::fill(s.operand, gpu::no_place);
    for (std::size_t o = 0; o < step.operands.size(); ++o) {
      const ChainOperand& operand = step.operands[o];
      if (operand.kind == ChainOperand::Kind::input) {
        s.operand[o] = static_cast<std::uint8_t>(first_input + operand.index);
      } else if (operand.kind == ChainOperand::Kind::immediate) {
        p.immediate[immediates] = operand.value;
        s.operand[o] = static_cast<std::uint8_t>(gpu::source::immediates + immediates++);
      } else if (operand.index + 1 == i) {
        s.operand[o] = gpu::source::accumulator;
      } else {
        s.operand[o] = static_cast<std::uint8_t>(gpu::source::slots + slots.of_step[operand.index]);
      }
    }
    s.save = slots.of_step[i];
    s.output = step.output < 0 ? gpu::no_place : static_cast<std::uint8_t>(step.output);
  }

  const std::size_t slot_bytes = narrow ? gpu::elementwise_group * sizeof(float) : sizeof(std::uint64_t);
  launcher.launch(narrow ? "elementwise_narrow" : "elementwise_wide", walk_grid(ceil_div(p.walk.size, p.group)),
                  Dim3{walk_threads, 1, 1}, p, static_cast<std::uint32_t>(slots.count * slot_bytes * walk_threads));
}

void launch_cast(const TensorView& x, const TensorView& y, Launcher& launcher) {
  ChainStep step;
  step.op = "cast";
  step.operands = {ChainOperand::input(0)};
  step.type = y.dtype;
  step.output = 0;
  launch_chain(Chain{{&x, 1}, {step}, {&y, 1}}, launcher);
}

void launch_elementwise(const KernelCall& call, Launcher& launcher) {
  ChainStep step;
  step.op = call.op.name;
  for (std::size_t i = 0; i < call.operands.size(); ++i)
    step.operands.push_back(ChainOperand::input(i));
  step.type = call.results[0].dtype;
  step.tanh_approximation = call.op.name == "gelu" && call.attr("tanh_approximation").boolean();
  step.output = 0;
  launch_chain(Chain{call.operands, {step}, call.results.first(1)}, launcher);
}

void add_elementwise(HipKernelTable& table) {
  for (const Op op : narrow_ops)
    table.add(name_of(op), launch_elementwise);
  for (const Op op : wide_ops)
    table.add(name_of(op), launch_elementwise);
}

}  // namespace tandem::hip
