#include <tandem/ir/io/torch/targets.h>

#include <algorithm>
#include <array>

namespace tandem::torch {

std::string_view without_prefix(std::string_view target) {
  constexpr std::string_view prefix = "torch.ops.";
  return target.starts_with(prefix) ? target.substr(prefix.size()) : target;
}

bool is_assertion(std::string_view target) {
  constexpr std::array<std::string_view, 9> targets{"aten._assert_tensor_metadata.default",
                                                    "aten._assert_async.default",
                                                    "aten._assert_async.msg",
                                                    "aten._assert_scalar.default",
                                                    "aten.sym_constrain_range.default",
                                                    "aten.sym_constrain_range_for_size.default",
                                                    "aten._functional_assert_scalar.default",
                                                    "aten._functional_sym_constrain_range.default",
                                                    "aten._functional_sym_constrain_range_for_size.default"};
  return std::find(targets.begin(), targets.end(), target) != targets.end();
}

bool is_wrapper(std::string_view target) {
  return target == "higher_order.wrap_with_set_grad_enabled" || target == "higher_order.wrap_with_autocast";
}

bool is_view_in_place(std::string_view target) {
  constexpr std::array<std::string_view, 8> names{"unsqueeze", "squeeze",  "t",          "transpose",
                                                  "swapaxes",  "swapdims", "as_strided", "movedim"};
  const std::string_view name = target.substr(5, target.find('.', 5) - 5);
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_symbolic(const NodeDef& node) {
  const auto number = [](const Argument& a) {
    return a.kind == ArgumentKind::sym_int || a.kind == ArgumentKind::sym_bool || a.kind == ArgumentKind::sym_float;
  };
  return !node.outputs.empty() && std::all_of(node.outputs.begin(), node.outputs.end(), number);
}

}  // namespace tandem::torch
