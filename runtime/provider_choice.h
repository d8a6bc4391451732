// Which provider computes an op.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/kernels/kernel.h>
#include <tandem/runtime/plan.h>

namespace tandem {

/// The answer for one op.
struct KernelChoice {
  const KernelFn* kernel = nullptr;  ///< Null when nobody offers the op.
  std::string provider;
  std::string reason;
  std::string asked;  ///< "cpu, reference"
};

/// Asks the providers of a plan's options in their order.
class ProviderChooser {
 public:
  /// Throws Error "plan.unknown-provider" when a priority names nobody, "plan.duplicate-provider" when two tables have
  /// one name.
  explicit ProviderChooser(const PlanOptions& options);
  KernelChoice choose(std::string_view op) const;

 private:
  const KernelTable* find(std::string_view name) const;

  std::vector<KernelTable> tables_;
  std::map<std::string, std::vector<std::string>, std::less<>> priority_;
};

}  // namespace tandem
