// What graphs share: the op table and the store of interned strings, dims, shapes and attributes.
//
// A context is owned by its user; there is no global one, so two engines in one process never meet. Interning is
// thread-safe: several threads may build graphs over one context. Registering ops is not: do it before sharing.
// Interned things live as long as the context.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <tandem/ir/attribute.h>
#include <tandem/ir/dim.h>
#include <tandem/ir/export.h>
#include <tandem/ir/op_table.h>
#include <tandem/ir/symbol.h>
#include <tandem/ir/type.h>

namespace tandem {

class TANDEM_EXPORT Context {
 public:
  /// A context with the core ops.
  static std::shared_ptr<Context> create();

  Context();
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // --- ops
  /// Adds a row. Throws Error "op.duplicate", "op.name" or "op.signature".
  OpId register_op(const OpRow& row);
  const OpDef& op(OpId id) const { return ops_[id.index]; }
  std::optional<OpId> find_op(std::string_view name) const;
  /// As `find_op`, but throws Error "graph.unknown-op" with the nearest name.
  OpId require_op(std::string_view name) const;
  std::span<const OpDef> ops() const { return ops_; }

  // --- interning
  Symbol intern(std::string_view text);
  Dim symbol(std::string_view name) { return dims_.symbol(intern(name)); }
  Shape shape(std::span<const Dim> dims);
  Shape shape(std::initializer_list<Dim> dims) { return shape(std::span<const Dim>(dims.begin(), dims.size())); }
  TensorType type(DType dtype, std::initializer_list<Dim> dims) { return {dtype, shape(dims)}; }
  const std::vector<double>* reals(std::span<const double> values);
  const TensorLiteral* literal(TensorLiteral literal);
  DimTable& dims() { return dims_; }

 private:
  struct Interner;
  std::vector<OpDef> ops_;
  DimTable dims_;
  std::unique_ptr<Interner> interner_;
};

}  // namespace tandem
