// Type inference of the core ops: one function for each name in the fourth column of ir/ops.def. They stand in ir/ops/,
// by family.
//
// An inference function gets operands whose number fits the row and attributes that are complete and of their kinds. It
// checks everything else and refuses what it cannot prove to be right: two dims match when their normal forms are
// equal, and a symbolic bound is accepted as long as it is not provably wrong. What it accepts has exactly one meaning.
// Each throws Error "graph.type"; arithmetic on huge dims may throw "dim.overflow" or "dim.too-large".
#pragma once

#include <span>
#include <vector>

#include <tandem/ir/export.h>
#include <tandem/ir/op_table.h>

namespace tandem {

// Several rows share a function: declaring it once for each is fine.
#define TANDEM_OP(name, signature, traits, infer, doc) TANDEM_IR_API void infer(Inference& in);
#include <tandem/ir/ops.def>
#undef TANDEM_OP

/// What a fused op means in core ops; each is named for its row. Result types are those of the row's inference.
#define TANDEM_DECOMPOSITION(op)                                                                          \
  TANDEM_IR_API std::vector<Value> decompose_##op(GraphBuilder& builder, std::span<const Value> operands, \
                                                  std::span<const Attribute> attrs);
TANDEM_DECOMPOSITION(fused_mla_dual_rms_norm)
TANDEM_DECOMPOSITION(fused_add_rms_norm)
TANDEM_DECOMPOSITION(fused_silu_and_mul)
TANDEM_DECOMPOSITION(fused_qk_norm_rope)
TANDEM_DECOMPOSITION(fused_rms_norm_static_quant)
TANDEM_DECOMPOSITION(fused_rms_norm_dynamic_quant)
TANDEM_DECOMPOSITION(fused_silu_and_mul_static_quant)
#undef TANDEM_DECOMPOSITION

}  // namespace tandem
