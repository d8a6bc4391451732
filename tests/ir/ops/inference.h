// Type inference as text: operand types in, result types or the refusal out.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/builder.h>
#include <tandem/ir/context.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/ir/dim_parser.h>

namespace tandem::test {

/// Answers `infer("linear", {"bf16[T, 8]", "bf16[4, 8]"})` with "bf16[T, 4]", several results with ", " between them.
class TypeInference {
 public:
  std::string operator()(std::string_view op, const std::vector<std::string_view>& operands,
                         const std::vector<NamedAttr>& attrs = {}) {
    std::string out;
    for (const TensorType& type : types(op, operands, attrs))
      out += (out.empty() ? "" : ", ") + to_string(type);
    return out;
  }

  std::vector<TensorType> types(std::string_view op, const std::vector<std::string_view>& operands,
                                const std::vector<NamedAttr>& attrs = {}) {
    std::vector<TensorType> operand_types;
    for (std::string_view text : operands)
      operand_types.push_back(parse_type(*context_, text));
    // `return` is not to be had by name: a graph has its one.
    const OpDef& def = context_->op(op == "return" ? op::return_ : context_->require_op(op));
    std::vector<TensorType> results;
    infer_types(*context_, def, operand_types, fit_attributes(*context_, def, attrs), results);
    return results;
  }

  /// The message of the one "graph.type" error, without the op's name in front.
  std::string refusal(std::string_view op, const std::vector<std::string_view>& operands,
                      const std::vector<NamedAttr>& attrs = {}) {
    try {
      return "accepted: " + (*this)(op, operands, attrs);
    } catch (const Error& error) {
      const Diagnostic& d = error.diagnostics().front();
      const std::string prefix = std::string(op) + ": ";
      if (d.code != "graph.type" || error.diagnostics().size() != 1 || !d.message.starts_with(prefix))
        return "another error: " + std::string(error.what());
      return d.message.substr(prefix.size());
    }
  }

  Dim dim(std::string_view text) { return parse_dim(*context_, text); }
  Context& context() { return *context_; }

 private:
  std::shared_ptr<Context> context_ = Context::create();
};

}  // namespace tandem::test
