// The text of types and shapes, made once for each.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>

#include <tandem/ir/type.h>

namespace tandem::io {

/// "bf16[T, 7168]" by type. Looked up only: the order of the table never shows.
class TypeSpelling {
 public:
  const std::string& operator[](const TensorType& type) {
    std::string& text = texts_[type];
    if (text.empty())
      text = to_string(type);
    return text;
  }

 private:
  struct Hash {
    std::size_t operator()(const TensorType& t) const {
      const std::size_t h = std::hash<const void*>()(t.shape.id());
      return ((h >> 4) * 31 + static_cast<std::size_t>(t.dtype)) * 0x9e3779b97f4a7c15ULL;
    }
  };
  std::unordered_map<TensorType, std::string, Hash> texts_;
};

/// "[1536, 576]" by shape.
class ShapeSpelling {
 public:
  const std::string& operator[](Shape shape) {
    std::string& text = texts_[shape.id()];
    if (text.empty())
      text = to_string(shape);
    return text;
  }

 private:
  std::unordered_map<const void*, std::string> texts_;
};

}  // namespace tandem::io
