// What was chosen for the names of a pattern on the way to an instance: dtypes, dims, leading dims, captures, types.
//
// Names are bound where they are first needed: solved for where a known type or the pattern's arithmetic determines
// them, drawn at random else.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tandem/passes/pattern/check_proposals.h>
#include <tandem/passes/pattern/compiler.h>

namespace tandem {

/// Position of `name` in `names`, or -1.
inline int slot_of(const std::vector<std::string>& names, std::string_view name) {
  const auto it = std::find(names.begin(), names.end(), name);
  return it == names.end() ? -1 : static_cast<int>(it - names.begin());
}

class Solution {
 public:
  Solution(Context& context, const CompiledVariant& variant, CheckRandom& random, std::int64_t largest_dim,
           std::span<const std::int64_t> palette);

  std::vector<std::optional<Dim>> dims;
  std::vector<std::optional<DType>> dtypes;
  std::vector<Attribute> captures;
  std::vector<std::optional<std::vector<Dim>>> leading;
  std::vector<std::optional<TensorType>> types;               ///< By value of the variant.
  std::vector<std::pair<std::string, std::int64_t>> symbols;  ///< Made up, with the size that each stands for.
  bool allow_symbols = false;
  std::optional<unsigned> booleans;  ///< As in InstanceWishes.
  bool ample = false;                ///< Leading dims of 16 and more.

  /// One for each type variable; the first is `forced`, if that is given.
  bool choose_dtypes(std::optional<DType> forced);
  /// A type for operand `i` of a node that fits a pattern; binds the names of that.
  std::optional<TensorType> choose_type(const TypePattern& wanted, const PartialNode& node, std::size_t i);
  /// A value for attribute `i` of a node that fits all that the pattern says of it.
  std::optional<Attribute> choose_attribute(const NodePattern& source, const PartialNode& node, std::size_t i,
                                            const TypePattern* result);
  /// Whether a type fits a pattern; binds the names of that.
  bool bind_type(const TypePattern& wanted, const TensorType& type);
  /// The value of an expression; free dims in it are drawn. Empty when a capture is not bound, or there is none.
  std::optional<Attribute> value(const Expr& e, AttrKind kind = AttrKind::none);

  /// How many boolean attributes `booleans` decided on so far.
  unsigned open_booleans() const { return open_booleans_; }

  /// Whether the comparison of two attributes holds; reals by value, dims as far as constants decide it.
  static std::optional<bool> compare(Compare how, Attribute a, Attribute b);

 private:
  bool bind_names(const Expr& e);
  bool solve(const Expr& e, Dim actual);
  std::optional<Shape> choose_shape(const TypePattern& wanted);
  std::optional<Attribute> reshape_target(const TypePattern& result, Shape from);
  std::vector<Attribute> values_by_guards(const Expr& capture, AttrKind kind);
  std::vector<Dim> leading_dims(const TypePattern& type);
  bool fits_mentions(const NodePattern& source, std::string_view name, AttrKind kind, Attribute value, bool bind);
  Dim random_dim();

  Context* context_;
  const CompiledVariant* variant_;
  CheckRandom* random_;
  std::int64_t largest_dim_;
  unsigned open_booleans_ = 0;
  std::optional<std::vector<Dim>> last_leading_;
  std::span<const std::int64_t> palette_;
};

}  // namespace tandem
