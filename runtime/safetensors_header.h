// The header of a safetensors file: JSON in, checked entries out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/dtype.h>

namespace tandem {

/// A tensor as the header describes it: checked, so that [begin, end) lies within the data and has the bytes that dtype
/// and shape need.
struct SafetensorsEntry {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  ///< Ordered by their data.
  std::map<std::string, std::string> metadata;
};

/// Parses and checks the JSON; `data_size` is how many bytes follow it. Throws Error with all faults found, 20 at most.
SafetensorsHeader parse_safetensors_header(const std::string& file, std::string_view json, std::uint64_t data_size);

}  // namespace tandem
