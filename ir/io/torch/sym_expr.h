// Symbolic sizes: sympy expressions as torch.export writes them, to dims.
//
//     Symbol('s77', positive=True, integer=True)
//     Mul(Integer(2), Pow(Symbol('s77', positive=True, integer=True), Integer(2)))
//     FloorDiv(Add(Symbol('s77', ...), Integer(1)), Integer(2))
//
// and the infix spelling of other writers, 2*s77 + 1.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/context.h>
#include <tandem/ir/dim.h>

namespace tandem::torch {

inline constexpr std::size_t max_expression_bytes = std::size_t{1} << 16;
inline constexpr std::size_t max_expression_depth = 64;
inline constexpr std::int64_t max_exponent = 8;

/// A symbol seen in an expression.
struct SeenSymbol {
  Symbol name;
  bool positive = false;
};

/// Reads expressions. `range_of` gives the ranges by which Max, Min and Abs are decided where they can be.
class SymbolicSizes {
 public:
  SymbolicSizes(Context& context, std::function<DimRange(Symbol)> range_of)
      : context_(context), range_of_(std::move(range_of)) {}

  /// Throws Error "torch.expression" for what is no expression, or none that a dim can be: true division that
  /// leaves a rest, powers beyond 8.
  Dim parse(std::string_view text);
  /// The symbols of all expressions so far, in the order of their appearance.
  const std::vector<SeenSymbol>& symbols() const { return symbols_; }

 private:
  class Parser;
  Context& context_;
  std::function<DimRange(Symbol)> range_of_;
  std::vector<SeenSymbol> symbols_;
};

}  // namespace tandem::torch
