// Safetensors files: tensors with names, mapped into memory (https://github.com/huggingface/safetensors, "Format").
//
//     8 bytes  little-endian length N of the header, at most 100,000,000
//     N bytes  JSON: {"name": {"dtype": "BF16", "shape": [2, 3], "data_offsets": [0, 12]}, ..., "__metadata__": {...}}
//     the rest the tensors' bytes, row-major, without gaps
//
// Reading trusts nothing: each rule of the format is checked before a tensor is handed out, and what is broken is named
// with its file and tensor. Dtypes are spelled F64 F32 F16 BF16 F8_E4M3 F8_E5M2 I64 I32 I16 I8 U8 BOOL; f8e4m3fnuz, for
// which the format has no name, is F8_E4M3FNUZ. C64, complex numbers, is read as f32 with a last axis of 2.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/export.h>
#include <tandem/kernels/tensor.h>
#include <tandem/runtime/tensor_store.h>

namespace tandem {

/// The longest header that is read, as in the reference implementation.
inline constexpr std::size_t max_safetensors_header = 100'000'000;

/// One file. A value: copies share the mapping, and every tensor found keeps it alive.
///
/// The file must not be shortened while it is mapped: the operating system then ends the process at the next access.
class TANDEM_EXPORT SafetensorsFile {
 public:
  /// Maps a file. Throws Error with "file.open" or "file.read" when it cannot be had, and with every fault found:
  /// "safetensors.truncated", ".header", ".duplicate", ".dtype", ".shape", ".offsets".
  static SafetensorsFile open(const std::string& path);

  /// The same for bytes that are already in memory, such as standard input; `name` stands in diagnostics.
  static SafetensorsFile from_bytes(std::string name, std::vector<std::byte> bytes);

  const std::string& path() const { return path_; }
  /// In the order of their data.
  const std::vector<std::string>& names() const { return names_; }
  /// What `__metadata__` says.
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

  /// A window on the mapping, read-only. (A tensor that the file keeps at an odd address for its dtype is copied.)
  std::optional<Tensor> find(std::string_view name) const;
  /// As `find`, but throws Error "safetensors.missing" with the nearest name.
  Tensor require(std::string_view name) const;

 private:
  static SafetensorsFile parse(std::string path, std::shared_ptr<const void> owner, const std::byte* data,
                               std::size_t size);

  std::string path_;
  std::shared_ptr<const void> owner_;
  std::vector<std::string> names_;
  std::map<std::string, std::string> metadata_;
  std::map<std::string, TensorView, std::less<>> views_;
};

/// Writes tensors (of any strides) to a file: under a temporary name beside it, then renamed, so that a reader never
/// sees half of it and a failure leaves the old file. Data begins 64-byte aligned; tensors are ordered by size of
/// element (largest first) and name, so that each stands aligned. Throws Error "safetensors.duplicate",
/// "safetensors.name" (empty, not UTF-8, or "__metadata__"), or "file.write".
TANDEM_RUNTIME_API void write_safetensors(const std::string& path, std::span<const NamedTensor> tensors,
                                          const std::map<std::string, std::string>& metadata = {});

/// "BF16"
TANDEM_RUNTIME_API std::string_view safetensors_dtype(DType dtype);
/// The inverse; empty for what is no dtype here.
TANDEM_RUNTIME_API std::optional<DType> parse_safetensors_dtype(std::string_view text);

}  // namespace tandem
