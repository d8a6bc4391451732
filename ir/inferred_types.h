// Type inference that remembers. Layers of a model are alike: the same op meets the same types and attributes again and
// again, and comparing them costs a fraction of inferring. Nothing is assumed of a graph: another question is inferred.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <tandem/ir/context.h>

namespace tandem {

/// What `infer_types` gave for the last questions: it is a function of op, operand types and attributes alone.
class InferredTypes {
 public:
  explicit InferredTypes(Context& context) : context_(context), answers_(num_answers) {}

  /// As `infer_types`, which throws the same. Valid until the next call.
  std::span<const TensorType> of(OpId op, std::span<const TensorType> operands, std::span<const Attribute> attrs);

 private:
  static constexpr std::size_t num_answers = 128;  // models ask fewer; two questions that meet replace each other

  struct Answer {
    bool known = false;
    OpId op;
    std::vector<TensorType> operands;
    std::vector<Attribute> attrs;
    std::vector<TensorType> results;
  };

  Context& context_;
  std::vector<Answer> answers_;
};

}  // namespace tandem
