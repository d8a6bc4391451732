#include <tandem/ir/io/torch/tensors.h>

#include <string>

#include <tandem/ir/diagnostic.h>

namespace tandem::torch {

Tensor Tensors::fresh(Value value, bool complex) {
  auto tensor = std::make_shared<TensorState>();
  tensor->storage = std::make_shared<Storage>(Storage{value, 0});
  tensor->value = value;
  tensor->complex = complex;
  return tensor;
}

Tensor Tensors::view(const Tensor& tensor, View view) {
  if (tensor->views.size() >= max_views)
    throw Error("torch.unsupported", "a view of views of views, more than " + std::to_string(max_views) + " deep");
  auto out = std::make_shared<TensorState>();
  out->storage = tensor->storage;
  out->value = apply(view, read(tensor));
  out->version = tensor->version;
  out->complex = tensor->complex;
  out->views = tensor->views;
  out->views.push_back(std::move(view));
  return out;
}

Tensor Tensors::alias(const Tensor& tensor, bool complex) {
  auto out = std::make_shared<TensorState>(*tensor);
  out->complex = complex;
  return out;
}

Value Tensors::read(const Tensor& tensor) {
  if (tensor->version != tensor->storage->version) {
    Value v = tensor->storage->value;
    for (const View& view : tensor->views)
      v = apply(view, v);
    tensor->value = v;
    tensor->version = tensor->storage->version;
  }
  return tensor->value;
}

void Tensors::write(const Tensor& tensor, Value value) {
  // What each view of the chain reads, then back along the chain.
  std::vector<Value> viewed{tensor->storage->value};
  for (const View& view : tensor->views) {
    if (view.kind == View::Kind::expand)
      throw Error("torch.unsupported", "a write into an expanded tensor, whose elements share memory");
    if (view.kind == View::Kind::windows)
      throw Error("torch.unsupported", "a write through unfold, whose windows may overlap");
    viewed.push_back(apply(view, viewed.back()));
  }
  Value v = value;
  for (std::size_t i = tensor->views.size(); i-- > 0;)
    v = undo(tensor->views[i], viewed[i], v);
  tensor->storage->value = v;
  tensor->version = ++tensor->storage->version;
  tensor->value = value;
}

Value Tensors::apply(const View& view, Value v) {
  switch (view.kind) {
    case View::Kind::reshape: return emit_.reshape(v, view.shape);
    case View::Kind::transpose: return emit_.transpose(v, view.perm);
    case View::Kind::slice: return emit_.slice(v, view.axis, view.start, view.end, view.step);
    case View::Kind::expand: return emit_.expand(v, view.shape);
    case View::Kind::windows: {
      const Value taken = emit_.op(op::take, {v, view.index}, {{"axis", static_cast<std::int64_t>(view.axis)}});
      std::vector<std::int64_t> perm;
      for (std::size_t i = 0; i < emit_.rank(taken); ++i)
        if (i != view.axis + 1)
          perm.push_back(static_cast<std::int64_t>(i));
      perm.push_back(static_cast<std::int64_t>(view.axis + 1));
      return emit_.transpose(taken, perm);
    }
    case View::Kind::elements: break;
  }
  Dim count = 1;
  for (const Dim d : emit_.dims(v))
    count = count * d;
  return emit_.op(op::take, {emit_.reshape(v, {count}), view.index}, {{"axis", 0}});
}

/// `viewed` with `v` in place of what the view reads.
Value Tensors::undo(const View& view, Value viewed, Value v) {
  const auto shape = emit_.dims(viewed);
  const Dims before(shape.begin(), shape.end());
  switch (view.kind) {
    case View::Kind::reshape: return emit_.reshape(v, before);
    case View::Kind::transpose: {
      std::vector<std::int64_t> back(view.perm.size());
      for (std::size_t i = 0; i < back.size(); ++i)
        back[static_cast<std::size_t>(view.perm[i])] = static_cast<std::int64_t>(i);
      return emit_.transpose(v, back);
    }
    case View::Kind::slice: return emit_.slice_update(viewed, v, view.axis, view.start, view.end, view.step);
    case View::Kind::expand:
    case View::Kind::windows:
    case View::Kind::elements: break;
  }
  Dim count = 1, written = 1;
  for (const Dim d : before)
    count = count * d;
  for (const Dim d : emit_.dims(view.index))
    written = written * d;
  const Value flat = emit_.op(op::scatter_nd, {emit_.reshape(viewed, {count}), emit_.reshape(view.index, {written, 1}),
                                               emit_.reshape(v, {written})});
  return emit_.reshape(flat, before);
}

}  // namespace tandem::torch
