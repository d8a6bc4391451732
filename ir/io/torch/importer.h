// From a parsed program to a graph: one pass over the nodes, each lowered by its row of the table.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/torch/call.h>
#include <tandem/ir/io/torch/program.h>
#include <tandem/ir/io/torch/sym_expr.h>
#include <tandem/ir/io/torch/table.h>
#include <tandem/ir/io/torch_export.h>

namespace tandem::torch {

class Importer final : public Environment {
 public:
  /// `archived`: whether the program comes with its weights, so that one that lacks is a fault.
  Importer(std::shared_ptr<Context> context, const Program& program, std::string_view file,
           std::vector<ProgramWeight> weights, bool archived);

  /// Throws Error as `import_torch_export` says.
  ImportedProgram run() &&;

  // --- what calls ask for
  Tensor tensor(std::string_view name) override;
  Dim symbolic_int(std::string_view name) override;
  const TensorMeta& meta(std::string_view name) override;
  Dim size(const Size& size) override;

 private:
  /// The names of one graph.
  struct Scope {
    const GraphDef* graph;
    std::unordered_map<std::string_view, Tensor> tensors;
    std::unordered_set<std::string_view> failed;  ///< Whose node had a fault: nodes that need them are passed over.
  };
  /// A name whose node had a fault.
  struct Failed {};

  const Row* find_row(std::string_view target, bool& in_place) const;
  void require_known() const;
  void count_unknown(const GraphDef& graph, std::map<std::string, std::size_t>& unknown) const;
  void add_inputs();
  void add_input(const InputSpec& spec);
  const ProgramWeight* stored(const InputSpec& spec, const TensorType& type) const;
  TensorType declared_type(std::string_view name, bool& complex);
  void run_graph();
  void run_node(const NodeDef& node);
  void inline_graph(const NodeDef& node);
  void lower_node(const NodeDef& node, const Row& row, bool in_place);
  void write_back(Call& call, const Row& row);
  void bind(const std::vector<std::string_view>& names, const std::vector<Tensor>& results);
  void record(const NodeDef& node, const Diagnostic& fault);
  void set_outputs(ImportedProgram& out);
  Value output_value(const Argument& argument);
  void remove_unused();
  void declare_symbols();
  void set_scope(std::string_view module_stack);
  [[noreturn]] void fail(std::string_view code, std::string message, std::string help = {},
                         std::string path = {}) const;

  std::shared_ptr<Context> context_;
  const Program& program_;
  std::string file_;
  std::vector<ProgramWeight> weights_;
  bool archived_;
  Graph graph_;
  Emitter emit_;
  Tensors tensors_;
  SymbolicSizes sizes_;
  std::unordered_map<std::string_view, Dim> dims_;  ///< Of expressions.
  std::unordered_map<std::string_view, std::size_t> rows_;
  std::vector<std::vector<Parameter>> schemas_;  ///< Of rows that were used.
  Scope* scope_ = nullptr;
  std::vector<std::pair<std::string_view, Tensor>> states_;  ///< Inputs and weights, by target, in their order.
  std::unordered_set<std::string_view> names_;
  std::unordered_map<std::string_view, std::string> module_paths_;
  struct Faults {
    Diagnostic first;
    std::size_t count = 0;
  };
  std::map<std::string, Faults> faults_;  ///< By code and message.
};

}  // namespace tandem::torch
