// Types of values: an element type and a shape.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <tandem/ir/dim.h>
#include <tandem/ir/dtype.h>
#include <tandem/ir/export.h>

namespace tandem {

/// A list of dims, interned in the context: 8 bytes, compared by pointer. The default is rank 0.
class Shape {
 public:
  constexpr Shape() = default;
  explicit constexpr Shape(const std::vector<Dim>* dims) : dims_(dims) {}

  std::span<const Dim> dims() const { return dims_ ? std::span<const Dim>(*dims_) : std::span<const Dim>(); }
  std::size_t rank() const { return dims_ ? dims_->size() : 0; }
  Dim operator[](std::size_t i) const { return (*dims_)[i]; }
  Dim back() const { return dims_->back(); }
  auto begin() const { return dims().begin(); }
  auto end() const { return dims().end(); }
  const void* id() const { return dims_; }

  /// True when no dim is symbolic.
  bool is_static() const {
    for (Dim d : dims())
      if (!d.is_constant())
        return false;
    return true;
  }

  friend bool operator==(Shape, Shape) = default;

 private:
  const std::vector<Dim>* dims_ = nullptr;
};

/// What a value is: `bf16[T, 7168]`.
struct TensorType {
  DType dtype = DType::f32;
  Shape shape;

  friend bool operator==(const TensorType&, const TensorType&) = default;
};

/// "[T, 7168]"
TANDEM_IR_API std::string to_string(Shape shape);
/// "bf16[T, 7168]"; a scalar is "f32[]".
TANDEM_IR_API std::string to_string(const TensorType& type);

}  // namespace tandem
