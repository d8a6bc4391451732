// The weights of a torch.export archive as a run's tensors.
#pragma once

#include <span>

#include <tandem/ir/export.h>
#include <tandem/ir/io/torch_export.h>
#include <tandem/runtime/tensor_store.h>

namespace tandem {

/// Adds those that `store` has no tensor for yet. Tensors are windows on the archive: nothing is copied but what lies
/// at an address that its dtype cannot be read from. Throws Error "tensor.rank" for more than 8 axes.
TANDEM_RUNTIME_API void add_program_weights(TensorStore& store, std::span<const ProgramWeight> weights);

}  // namespace tandem
