// PyTorch's tensors as values: storage that can be written, and views of it.
//
// A tensor is its storage and the chain of views that lead from the storage to it. Reading gives a value of the graph;
// writing gives the storage a new value, by undoing the chain from the tensor back to the storage. Every other tensor
// of that storage reads the new value from then on. So in-place operations and aliases become values while the program
// is read, and no later pass has to know of them:
//
//     z = empty(4, 12)                          %z0 = full
//     a = z[:, 0:6];  a.copy_(x)        ->      %z1 = concat %x, %z0[:, 6:12]
//     b = z[:, 6:12]; b.copy_(y)                %z2 = concat %x, %y
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <tandem/ir/io/torch/emit.h>

namespace tandem::torch {

inline constexpr std::size_t max_views = 256;  ///< How long a chain of views may be.

/// One view: how to get from the viewed value to the view.
struct View {
  enum class Kind : std::uint8_t { reshape, transpose, slice, expand, windows, elements };
  Kind kind = Kind::reshape;
  Dims shape;                      ///< reshape, expand: of the view.
  std::vector<std::int64_t> perm;  ///< transpose
  std::size_t axis = 0;            ///< slice, windows
  Dim start = 0, end = 0;
  std::int64_t step = 1;
  Value index;  ///< elements: positions in the flattened tensor, of the view's shape; windows: along the axis
};

/// Memory with a history. A null value is never read.
struct Storage {
  Value value;
  std::uint32_t version = 0;
};

struct TensorState {
  std::shared_ptr<Storage> storage;
  std::vector<View> views;
  Value value;  ///< As of `version`.
  std::uint32_t version = 0;
  bool complex = false;  ///< The last axis, of length 2, holds the real and imaginary parts; PyTorch does not count it.
};

using Tensor = std::shared_ptr<TensorState>;

class Tensors {
 public:
  explicit Tensors(Emitter& emit) : emit_(emit) {}

  /// A tensor with storage of its own.
  static Tensor fresh(Value value, bool complex = false);
  /// A view of a tensor.
  Tensor view(const Tensor& tensor, View view);
  /// Another tensor object with the same elements: detach, view_as_real.
  static Tensor alias(const Tensor& tensor, bool complex);
  /// The value of a tensor now.
  Value read(const Tensor& tensor);
  /// Gives a tensor the value, which has its type. Throws Error "torch.unsupported" for a tensor whose elements may
  /// share memory (expand, unfold).
  void write(const Tensor& tensor, Value value);

 private:
  Value apply(const View& view, Value v);
  Value undo(const View& view, Value viewed, Value v);

  Emitter& emit_;
};

}  // namespace tandem::torch
