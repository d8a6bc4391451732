// How far tensors are from what they should be.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <tandem/runtime/tensor_store.h>

namespace tandem::cli {

/// Differences of one output. A NaN equals a NaN and an infinity its like; any other meeting of such is an infinite
/// difference.
struct Difference {
  std::string name;
  std::string type;  ///< "bf16[7, 256]"
  double max_absolute = 0.0;
  double max_relative = 0.0;  ///< max_absolute over the largest finite |reference| of the tensor.
  double max_reference = 0.0;
  double tolerance = 0.0;  ///< What max_absolute may be: atol + rtol * max_reference.
  std::int64_t at = -1;    ///< Row-major index of the largest difference; -1 when there is none.
  bool within() const { return max_absolute <= tolerance; }
};

/// Without a value: what the dtype earns (see docs/command.md).
struct Tolerance {
  std::optional<double> relative;
  std::optional<double> absolute;
};

/// Compares elements. The tensors have one shape.
Difference difference(const std::string& name, const Tensor& actual, const Tensor& reference,
                      const Tolerance& tolerance);

/// The tensor that `references` has for output `index`: by its name, else as "output.<index>". Throws Error
/// "compare.missing" or "compare.shape".
const Tensor& find_reference(const TensorStore& references, const std::string& file, const NamedTensor& output,
                             std::size_t index);

/// A line for each output, with the verdict.
std::string to_text(std::span<const Difference> differences, std::string_view against);
/// {"against": ..., "outputs": [...], "within": true}
nlohmann::ordered_json to_json(std::span<const Difference> differences, std::string_view against);

}  // namespace tandem::cli
