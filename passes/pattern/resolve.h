// The first half of compilation: names become numbers, ops become rows, and everything that can be wrong with a
// pattern by itself is reported.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/passes/pattern/compiler.h>

namespace tandem {

/// Resolves one variant against the ops of `context`. Throws an Error with all problems found.
CompiledVariant resolve(Context& context, std::size_t fusion, Variant variant);

/// A problem of a pattern, with the place where it was written.
Diagnostic pattern_problem(const Pattern& pattern, const Span& span, std::string_view code, std::string message,
                           std::string help = {});

/// Turns an expression into one over slots. Throws Error "pattern.unknown-name" for a name that is neither a dim, a
/// type variable nor a dtype, or for a capture that the match does not bind.
BoundExpr bind_expr(Context& context, const CompiledVariant& variant, const Expr& expr, const Span& span);

/// The position of `name` in `names`, or -1.
int index_in(const std::vector<std::string>& names, std::string_view name);

/// Whether one of the expressions holds a part of that kind.
bool mentions(const std::vector<Expr>& exprs, Expr::Kind kind);

/// %x or uses(%x)
inline bool is_about_value(const Expr& e) {
  return e.kind == Expr::Kind::value || e.kind == Expr::Kind::uses;
}

/// The expression as a sum of dim variables; empty when it is not linear.
std::optional<LinearDims> linear_form(const CompiledVariant& variant, const Expr& expr);

}  // namespace tandem
