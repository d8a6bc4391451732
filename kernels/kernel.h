// How an op is computed: a kernel takes tensors and attributes and fills the results.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <tandem/ir/attribute.h>
#include <tandem/ir/context.h>
#include <tandem/ir/export.h>
#include <tandem/kernels/tensor.h>

namespace tandem {

/// Values of a graph's symbols at run time.
class DimBindings {
 public:
  void set(Symbol symbol, std::int64_t value) { values_[symbol] = value; }
  std::optional<std::int64_t> find(Symbol symbol) const {
    const auto it = values_.find(symbol);
    if (it == values_.end())
      return std::nullopt;
    return it->second;
  }
  /// The value of a dim. Throws Error "run.unbound-dim" when a symbol has no value.
  TANDEM_RUNTIME_API std::int64_t value(Dim dim) const;
  std::size_t size() const { return values_.size(); }
  friend bool operator==(const DimBindings&, const DimBindings&) = default;

 private:
  std::unordered_map<Symbol, std::int64_t> values_;
};

/// One call of a kernel. Operands may be strided; results are laid out by the caller and may be strided, too.
struct KernelCall {
  const OpDef& op;
  std::span<const TensorView> operands;
  std::span<const TensorView> results;
  std::span<const Attribute> attrs;  ///< By position in the op's row.
  const DimBindings& bindings;

  Attribute attr(std::string_view name) const { return attrs[static_cast<std::size_t>(op.find_attr(name))]; }
  /// An int attribute as an axis of `rank`, negative counting from the end.
  std::size_t axis(std::string_view name, std::size_t rank) const {
    const std::int64_t a = attr(name).integer();
    return static_cast<std::size_t>(a < 0 ? a + static_cast<std::int64_t>(rank) : a);
  }
  std::int64_t dim(std::string_view name) const { return bindings.value(attr(name).dim()); }
  std::vector<std::int64_t> dims(std::string_view name) const {
    std::vector<std::int64_t> out;
    for (Dim d : attr(name).dims())
      out.push_back(bindings.value(d));
    return out;
  }
};

/// Computes results from operands. Throws Error "run.index" where an index tensor points outside.
using KernelFn = std::function<void(const KernelCall&)>;

/// Kernels of one provider, by op name. An engine adds the kernels of its own ops.
class KernelTable {
 public:
  explicit KernelTable(std::string provider) : provider_(std::move(provider)) {}
  const std::string& provider() const { return provider_; }
  void add(std::string_view op, KernelFn kernel) { kernels_[std::string(op)] = std::move(kernel); }
  /// Null when this provider does not offer the op.
  const KernelFn* find(std::string_view op) const {
    const auto it = kernels_.find(std::string(op));
    return it == kernels_.end() ? nullptr : &it->second;
  }

 private:
  std::string provider_;
  std::unordered_map<std::string, KernelFn> kernels_;
};

/// The oracle: every core op, computed in float64 (integers in int64) and rounded once to the result's dtype. Slow and
/// obviously right. View ops copy here.
TANDEM_RUNTIME_API KernelTable reference_kernels();

/// The CPU's own kernels: f32, f16 and bf16 with f32 accumulation, BLAS for matrix products, threads. What it does not
/// list, the reference computes.
TANDEM_RUNTIME_API KernelTable cpu_kernels();

}  // namespace tandem
