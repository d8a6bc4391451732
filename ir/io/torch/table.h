// The operators of PyTorch that the importer knows: one row each.
#pragma once

#include <span>
#include <string_view>

#include <tandem/ir/io/torch/lower.h>

namespace tandem::torch {

struct Row {
  std::string_view target;  ///< Without "torch.ops.".
  std::string_view
      schema;  ///< "self, dim=-1, keepdim=False": names and defaults as in PyTorch's native_functions.yaml.
  Lowering lowering;
};

/// In the order of the table. In-place forms (add_, clamp_) have no rows: they are their plain form, written back.
std::span<const Row> operator_rows();

}  // namespace tandem::torch
