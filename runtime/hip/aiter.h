// AITER through an adapter that is loaded when the program runs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <tandem/ir/export.h>
#include <tandem/kernels/kernel.h>

namespace tandem::hip {

struct AiterSearch;

/// A loaded adapter (aiter_adapter.h). May be used from several threads.
class TANDEM_EXPORT AiterAdapter {
 public:
  /// Loads an adapter for a GPU's architecture ("gfx942"). Never throws: what is wrong is the reason.
  static AiterSearch load(const std::string& path, const std::string& arch, int device);
  ~AiterAdapter();
  AiterAdapter(const AiterAdapter&) = delete;
  AiterAdapter& operator=(const AiterAdapter&) = delete;

  const std::string& version() const;
  const std::vector<std::string>& archs() const;

  /// Why the adapter must not be given this call; "" when it may. Known defects of AITER's kernel are among the
  /// reasons:
  ///   - bf16 results are cut off, not rounded, on gfx942 (ROCm/aiter#5151): only with `relaxed` numerics;
  ///   - from 4,096 rows on its blocks use shared memory again without a barrier (csrc/kernels/fused_qk_norm.cu);
  ///   - rows of odd length are written past their end (ROCm/aiter#5044).
  std::string refusal(const KernelCall& call, bool relaxed) const;

  /// Puts the call on a stream; `call` has device addresses and was not refused. Throws Error "hip.aiter".
  void run(const KernelCall& call, void* stream) const;

 private:
  struct Impl;
  explicit AiterAdapter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// An adapter, or why there is none that can be used.
struct AiterSearch {
  std::shared_ptr<const AiterAdapter> adapter;
  std::string reason;
};

}  // namespace tandem::hip
