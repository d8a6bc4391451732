// The fusions on offer to one pipeline: compiled once, shared by as many runs and threads as one likes.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/context.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/ir/export.h>
#include <tandem/passes/gate.h>
#include <tandem/passes/pattern/compiler.h>
#include <tandem/passes/pattern/pattern.h>

namespace tandem {

/// A file of fusions, in text or JSON.
struct FusionSource {
  std::string file;  ///< What it is called in diagnostics and explanations.
  std::string text;
};

/// Compilation and checks know places and not texts: gives a problem the line that it speaks of, if it has none.
TANDEM_PASSES_API void add_source_line(Diagnostic& problem, std::span<const FusionSource> sources);

class TANDEM_EXPORT FusionSet {
 public:
  /// The fusions that come with tandem, then `more`. Throws as `compile`.
  static FusionSet shipped(std::shared_ptr<Context> context, std::vector<Pattern> more = {});

  /// The fusions that come with tandem, then those of `sources`: what `--fusions FILE` does, at run time and without a
  /// rebuild. Throws one Error with all that is wrong in any of the files (as `read_fusions`, `compile`, and
  /// "pattern.platform"), each with its line, column and, for texts, the line itself. A name that a shipped fusion or
  /// another file has is "pattern.duplicate-name": nothing is replaced silently. One's own version of a shipped fusion
  /// has a name of its own, and the shipped one is turned off by its flag.
  static FusionSet with_sources(std::shared_ptr<Context> context, std::span<const FusionSource> sources);

  /// Throws as `compile`, and Error "pattern.platform" for an unknown platform.
  FusionSet(std::shared_ptr<Context> context, std::vector<Pattern> patterns);

  std::span<const Pattern> patterns() const { return compiled_->patterns; }
  const CompiledSet& compiled() const { return *compiled_; }

  /// The pass that applies pattern `i`: "fuse" or "raise".
  std::string_view pass_of(std::size_t i) const {
    const std::string& pass = compiled_->patterns[i].pass;
    return pass.empty() ? std::string_view("fuse") : std::string_view(pass);
  }

  /// What the gate is asked for pattern `i`: its level, flag, platforms, kernel and the dtypes of its types.
  GateRequest gate_request(std::size_t i) const;

 private:
  explicit FusionSet(std::shared_ptr<const CompiledSet> compiled) : compiled_(std::move(compiled)) {}

  std::shared_ptr<const CompiledSet> compiled_;
};

}  // namespace tandem
