#include <tandem/ir/builder.h>

#include <fmt/format.h>

#include <tandem/ir/counted.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/ir/verifier.h>

namespace tandem {

std::vector<Attribute> fit_attributes(Context& context, const OpDef& op, std::span<const NamedAttr> attrs) {
  std::vector<Attribute> fitted(op.attrs.size());
  for (const NamedAttr& given : attrs) {
    const int i = op.find_attr(given.name);
    if (i < 0) {
      std::vector<std::string_view> names;
      for (const AttrDef& a : op.attrs)
        names.push_back(a.name);
      throw Error("graph.unknown-attribute",
                  fmt::format("op '{}' has no attribute '{}'{}", op.name, given.name, did_you_mean(given.name, names)),
                  fmt::format("{}{}", op.name, op.signature));
    }
    const AttrDef& def = op.attrs[static_cast<std::size_t>(i)];
    Attribute& slot = fitted[static_cast<std::size_t>(i)];
    if (slot) {
      throw Error("graph.duplicate-attribute",
                  fmt::format("attribute '{}' of op '{}' is given twice", def.name, op.name));
    }
    slot = fit_attribute(context, def.kind, given.value);
    if (!slot) {
      throw Error("graph.attribute-kind",
                  fmt::format("attribute '{}' of op '{}' must be of kind {}", def.name, op.name, to_string(def.kind)),
                  fmt::format("{}{}", op.name, op.signature));
    }
  }
  for (std::size_t i = 0; i < fitted.size(); ++i) {
    if (fitted[i])
      continue;
    fitted[i] = op.attrs[i].default_value;
    if (!fitted[i]) {
      throw Error(
          "graph.missing-attribute",
          fmt::format("op '{}' needs attribute '{}' ({})", op.name, op.attrs[i].name, to_string(op.attrs[i].kind)),
          fmt::format("{}{}", op.name, op.signature));
    }
  }
  return fitted;
}

void infer_types(Context& context, const OpDef& op, std::span<const TensorType> operands,
                 std::span<const Attribute> attrs, std::vector<TensorType>& results) {
  results.clear();
  if (!op.accepts_operands(operands.size())) {
    const std::string expected = op.variadic_operands ? fmt::format("at least {}", counted(op.min_operands, "operand"))
                                 : op.min_operands == op.operands.size()
                                     ? counted(op.min_operands, "operand")
                                     : fmt::format("{} to {}", op.min_operands, counted(op.operands.size(), "operand"));
    throw Error("graph.arity", fmt::format("op '{}' takes {}, not {}", op.name, expected, operands.size()),
                fmt::format("{}{}", op.name, op.signature));
  }
  Inference inference{context, op, operands, attrs, results};
  try {
    op.infer(inference);
  } catch (const Error& e) {
    // Arithmetic on dims knows nothing of ops: say which one it was for.
    const Diagnostic& d = e.diagnostics().front();
    if (!d.code.starts_with("dim."))
      throw;
    throw Error(d.code, fmt::format("{}: {}", op.name, d.message), d.help);
  }
  if (op.variadic_results ? results.size() + 1 < op.results.size() : results.size() != op.results.size()) {
    internal_error(fmt::format("type inference of op '{}' gave {} results", op.name, results.size()));
  }
}

GraphBuilder::GraphBuilder(std::shared_ptr<Context> context, std::string_view name)
    : owned_(std::make_unique<Graph>(std::move(context), name)), graph_(owned_.get()) {}

GraphBuilder::GraphBuilder(Graph& graph, Node before) : graph_(&graph), before_(before) {}

Dim GraphBuilder::dim(std::string_view name, DimRange range) {
  const Dim d = context().symbol(name);
  graph_->set_range(d.symbol(), range);
  return d;
}

Value GraphBuilder::input(std::string_view name, DType dtype, std::span<const Dim> shape) {
  return graph_->add_input({dtype, context().shape(shape)}, context().intern(name));
}

Value GraphBuilder::weight(std::string_view name, DType dtype, std::span<const Dim> shape, std::string_view key) {
  return graph_->add_weight({dtype, context().shape(shape)}, context().intern(name),
                            context().intern(key.empty() ? name : key));
}

Node GraphBuilder::node(OpId op, std::span<const Value> operands, std::span<const NamedAttr> attrs) {
  return node_with(op, operands, fit_attributes(context(), context().op(op), attrs));
}

Node GraphBuilder::node(std::string_view op, std::span<const Value> operands, std::span<const NamedAttr> attrs) {
  return node(context().require_op(op), operands, attrs);
}

Node GraphBuilder::node_with(OpId op, std::span<const Value> operands, std::span<const Attribute> attrs) {
  std::vector<TensorType> operand_types, result_types;
  operand_types.reserve(operands.size());
  for (Value v : operands)
    operand_types.push_back(graph_->type(v));
  infer_types(context(), context().op(op), operand_types, attrs, result_types);
  return graph_->create(op, operands, attrs, result_types, before_, scope_);
}

Value GraphBuilder::op(std::string_view name, std::initializer_list<Value> operands,
                       std::initializer_list<NamedAttr> attrs) {
  return op(name, std::span<const Value>(operands.begin(), operands.size()), attrs);
}

Value GraphBuilder::op(std::string_view name, std::span<const Value> operands, std::initializer_list<NamedAttr> attrs) {
  const Node n = node(name, operands, {attrs.begin(), attrs.size()});
  expect_results(n, 1);
  return graph_->result(n, 0);
}

Value GraphBuilder::scalar(DType dtype, double value) {
  return op("full", {}, {{"shape", std::vector<Dim>{}}, {"value", value}, {"dtype", dtype}});
}

Value GraphBuilder::named(std::string_view name, Value value) {
  graph_->set_name(value, context().intern(name));
  return value;
}

void GraphBuilder::expect_results(Node node, std::size_t n) const {
  if (graph_->num_results(node) != n) {
    throw Error("graph.arity", fmt::format("op '{}' has {} here, not {}", graph_->def(node).name,
                                           counted(graph_->num_results(node), "result"), n));
  }
}

Graph GraphBuilder::finish() && {
  if (owned_ == nullptr)
    internal_error("finish of a builder that only adds to a graph");
  graph_->set_outputs(outputs_);
  verify_or_throw(*graph_);
  graph_->reserve_for_edits();
  return std::move(*owned_);
}

}  // namespace tandem
