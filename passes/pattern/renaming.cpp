#include <tandem/passes/pattern/renaming.h>

namespace tandem {

std::string renamed(const Renaming& names, const std::string& name) {
  if (name == "_")
    return name;
  const std::string_view base = is_rest(name) ? std::string_view(name).substr(0, name.size() - 3) : name;
  const auto it = names.find(base);
  if (it == names.end())
    return name;
  return is_rest(name) ? it->second + "..." : it->second;
}

void rename(Expr& e, const Renaming& names, Expr::Kind kind) {
  if (e.kind == kind)
    e.text = renamed(names, e.text);
  for (Expr& a : e.args)
    rename(a, names, kind);
}

void rename_values(Expr& e, const Renaming& names) {
  rename(e, names, Expr::Kind::value);
  rename(e, names, Expr::Kind::uses);
}

void rename_values(std::vector<Clause>& clauses, const Renaming& names) {
  for (Clause& c : clauses) {
    for (std::string& v : c.node.operands)
      v = renamed(names, v);
    for (std::string& v : c.node.results)
      v = renamed(names, v);
    for (std::string& v : c.args)
      v = renamed(names, v);
    for (std::string& v : c.results)
      v = renamed(names, v);
    for (auto& branch : c.branches)
      rename_values(branch, names);
  }
}

}  // namespace tandem
