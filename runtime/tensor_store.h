// Named tensors: a graph's weights, a run's inputs.
//
//     TensorStore weights;
//     weights.add_file("model.safetensors");              // or model.safetensors.index.json, or a folder that has one
//     weights.add("my_scale", Tensor::zeros(DType::f32, {}));
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/export.h>
#include <tandem/kernels/tensor.h>

namespace tandem {

/// A tensor and what it is called.
struct NamedTensor {
  std::string name;
  Tensor tensor;
};

/// Tensors by name, each name once. A value: copies share the tensors' memory. Files are mapped, not read: a tensor
/// costs memory when it is touched.
class TANDEM_EXPORT TensorStore {
 public:
  /// Throws Error "weights.duplicate" when the name is taken.
  void add(std::string name, Tensor tensor);

  /// Adds every tensor of a safetensors file; of all files that an index (`*.safetensors.index.json`, as Hugging Face
  /// writes for sharded models) names; or of a folder: its index if it has one, else all its `*.safetensors` files.
  /// Throws what `SafetensorsFile::open` throws, Error "safetensors.index" for a broken index, "weights.duplicate".
  void add_file(const std::string& path);

  /// Null when there is none of that name.
  const Tensor* find(std::string_view name) const;

  /// Sorted.
  std::vector<std::string_view> names() const;
  std::size_t size() const { return tensors_.size(); }
  bool empty() const { return tensors_.empty(); }

  auto begin() const { return tensors_.begin(); }
  auto end() const { return tensors_.end(); }

 private:
  void add_index(const std::string& path);
  void add_folder(const std::string& path);

  std::map<std::string, Tensor, std::less<>> tensors_;
};

}  // namespace tandem
