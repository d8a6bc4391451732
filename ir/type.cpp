// Text of shapes and types.
#include <tandem/ir/type.h>

namespace tandem {

std::string to_string(Shape shape) {
  std::string out = "[";
  for (std::size_t i = 0; i < shape.rank(); ++i) {
    if (i != 0)
      out += ", ";
    out += to_string(shape[i]);
  }
  return out + ']';
}

std::string to_string(const TensorType& type) {
  return std::string(to_string(type.dtype)) + to_string(type.shape);
}

}  // namespace tandem
