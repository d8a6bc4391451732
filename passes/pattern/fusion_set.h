// The fusions on offer to one pipeline: compiled once, shared by as many runs and threads as one likes.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include <tandem/ir/context.h>
#include <tandem/ir/export.h>
#include <tandem/passes/gate.h>
#include <tandem/passes/pattern/compiler.h>
#include <tandem/passes/pattern/pattern.h>

namespace tandem {

class TANDEM_EXPORT FusionSet {
 public:
  /// The fusions that come with tandem, then `more`. Throws as `compile`.
  static FusionSet shipped(std::shared_ptr<Context> context, std::vector<Pattern> more = {});

  /// Throws as `compile`, and Error "pattern.platform" for an unknown platform.
  FusionSet(std::shared_ptr<Context> context, std::vector<Pattern> patterns);

  std::span<const Pattern> patterns() const { return compiled_->patterns; }
  const CompiledSet& compiled() const { return *compiled_; }

  /// What the gate is asked for pattern `i`: its level, flag, platforms, kernel and the dtypes of its types.
  GateRequest gate_request(std::size_t i) const;

 private:
  std::shared_ptr<const CompiledSet> compiled_;
};

}  // namespace tandem
