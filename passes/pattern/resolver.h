// How one variant is resolved (resolve.h): the state that its parts share.
//
//     resolve.cpp           declarations, types, values, ops
//     resolve_match.cpp     the nodes of the match
//     resolve_rewrite.cpp   the new nodes, and what they replace
//     resolve_rules.cpp     what holds of a variant as a whole
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/passes/pattern/renaming.h>
#include <tandem/passes/pattern/resolve.h>

namespace tandem {

/// The position of `name` in `names`, where it is put if it is not there.
int intern(std::vector<std::string>& names, const std::string& name);

class Resolver {
 public:
  Resolver(Context& context, std::size_t fusion, Variant variant);
  CompiledVariant run();

 private:
  void problem(const Span& span, std::string_view code, std::string message, std::string help = {});

  void check_declarations();
  int add_value(const std::string& name, int node, int result, TypePattern type, const Span& span);
  void check_type(const TypePattern& type, const Span& span);
  void check_dim_expr(const Expr& e, const Span& span);
  int value(const std::string& name, const Span& span);
  std::optional<OpId> find_op(const std::string& name, const Span& span);

  void number_results(const std::vector<Clause>& clauses);
  void resolve_node(const NodePattern& source);
  void resolve_operands(const NodePattern& source, const OpDef& def, PatternNode& node);
  void resolve_results(const NodePattern& source, const OpDef& def, PatternNode& node);
  void check_attrs(const NodePattern& source, const OpDef& def);

  void resolve_rewrite();
  void resolve_new_node(const RewriteNode& source);
  void set_attributes(RewriteStep& step, const RewriteNode& source, const OpDef& def);
  void name_results(const RewriteNode& source);
  void resolve_replacement(const Replacement& r);
  RewriteOperand rewrite_operand(const std::string& name, const Span& span);

  void check_use();
  void check_kept_operand(const PatternNode& kept, int operand);
  void check_connected();
  void check_limits();

  Context& context_;
  CompiledVariant v_;
  std::map<std::string, int> value_ids_;
  std::map<std::string, int> rest_ids_;
  std::map<std::string, RewriteOperand> created_;  // values of new nodes
  std::vector<Diagnostic> problems_;
};

}  // namespace tandem
