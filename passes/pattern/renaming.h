// Values and names of a pattern under other names.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/passes/pattern/pattern.h>

namespace tandem {

using Renaming = std::map<std::string, std::string, std::less<>>;

/// "xs..."
inline bool is_rest(std::string_view name) {
  return name.ends_with("...");
}

/// The new name of a value; a rest stays one, and "_" what it is.
std::string renamed(const Renaming& names, const std::string& name);

/// Names of one kind within an expression.
void rename(Expr& e, const Renaming& names, Expr::Kind kind);

/// Values, wherever they are spoken of.
void rename_values(Expr& e, const Renaming& names);
void rename_values(std::vector<Clause>& clauses, const Renaming& names);

}  // namespace tandem
