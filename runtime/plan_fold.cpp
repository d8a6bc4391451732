// Folding at plan time.
#include <tandem/runtime/plan_fold.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/runtime/host_memory.h>
#include <tandem/runtime/view_geometry.h>

namespace tandem {
namespace {

bool has_symbols(Attribute a) {
  return (a.kind() == AttrKind::dim && !a.dim().is_constant()) || (a.kind() == AttrKind::dims && !a.dims().is_static());
}

}  // namespace

void StaticFolder::use_literal(Node n) {
  const TensorLiteral& literal = graph().attr(n, 0).tensor();
  std::vector<std::int64_t> shape;
  for (const Dim d : literal.type.shape)
    shape.push_back(d.constant());
  auto* data = const_cast<std::byte*>(literal.data.data());
  statics(graph().result(n, 0)) = Tensor{make_view(data, literal.type.dtype, shape), graph().shared_context()};
}

bool StaticFolder::is_static(Node n) {
  if (!graph().def(n).has(trait::pure))
    return false;
  for (const Attribute a : graph().attrs(n))
    if (has_symbols(a))
      return false;
  for (std::size_t i = 0; i < graph().num_operands(n); ++i)
    if (!statics(graph().operand(n, i)))
      return false;
  for (std::size_t i = 0; i < graph().num_results(n); ++i)
    if (!graph().type(graph().result(n, i)).shape.is_static())
      return false;
  return true;
}

std::vector<TensorView> StaticFolder::operand_views(Node n) {
  std::vector<TensorView> out;
  for (std::size_t i = 0; i < graph().num_operands(n); ++i)
    out.push_back(statics(graph().operand(n, i))->view);
  return out;
}
std::vector<std::int64_t> StaticFolder::static_shape(Value v) {
  std::vector<std::int64_t> out;
  for (const Dim d : graph().type(v).shape)
    out.push_back(d.constant());
  return out;
}

bool StaticFolder::view(Node n) {
  const std::vector<TensorView> operands = operand_views(n);
  std::vector<TensorView> results;
  for (std::size_t i = 0; i < graph().num_results(n); ++i) {
    const Value v = graph().result(n, i);
    results.push_back(make_view(nullptr, graph().type(v).dtype, static_shape(v)));
  }
  std::vector<ViewGeometry> geometry;
  const DimBindings none;
  if (!view_geometry(graph().op(n), {graph().def(n), operands, results, graph().attrs(n), none}, geometry))
    return false;
  for (std::size_t i = 0; i < results.size(); ++i) {
    results[i].strides = geometry[i].strides;
    results[i].data = operands[0].data;
    if (results[i].size() > 0)
      results[i].data += geometry[i].offset * static_cast<std::int64_t>(byte_size(results[i].dtype));
    statics(graph().result(n, i)) = Tensor{results[i], statics(graph().operand(n, 0))->owner};
  }
  return true;
}

/// Whether a node joins weights that nothing else reads. The parts are dropped afterwards: no more is held than before.
bool StaticFolder::replaces_weights(Node n) {
  if (graph().op(n) != op::concat)
    return false;
  for (std::size_t i = 0; i < graph().num_operands(n); ++i) {
    const Value part = graph().operand(n, i);
    if (!graph().is_weight(part) || graph().num_uses(part) != 1)
      return false;
  }
  return true;
}

bool StaticFolder::fold(Node n, const KernelFn& kernel, std::string& reason) {
  std::int64_t bytes = 0;
  const bool limited = !replaces_weights(n);
  std::vector<Tensor> results;
  std::vector<TensorView> views;
  try {
    for (std::size_t i = 0; i < graph().num_results(n); ++i) {
      const Value v = graph().result(n, i);
      const std::vector<std::int64_t> shape = static_shape(v);
      std::int64_t size = static_cast<std::int64_t>(byte_size(graph().type(v).dtype));
      for (const std::int64_t d : shape)
        if (__builtin_mul_overflow(size, d, &size))
          size = Dim::max_constant;
      bytes = std::min(Dim::max_constant, bytes + std::min(size, Dim::max_constant));
      if (limited && bytes > limit_ - folded_bytes_) {
        reason += fmt::format("; not folded: {} more bytes would go beyond the limit of {}", bytes, limit_);
        return false;
      }
      results.push_back(allocate_tensor(graph().type(v).dtype, shape, "a folded value"));
      views.push_back(results.back().view);
    }
    const DimBindings none;
    const std::vector<TensorView> operands = operand_views(n);
    kernel({graph().def(n), operands, views, graph().attrs(n), none});
  } catch (const Error& error) {
    reason += fmt::format("; not folded: {}", error.diagnostics().front().message);
    return false;
  }
  folded_bytes_ += limited ? bytes : 0;
  for (std::size_t i = 0; i < results.size(); ++i)
    statics(graph().result(n, i)) = std::move(results[i]);
  return true;
}

}  // namespace tandem
