// A `.pt2` archive: where the program and its tensors are (torch/csrc/export/pt2_archive_constants.h).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/io/torch/program.h>
#include <tandem/ir/io/torch/zip.h>
#include <tandem/ir/io/torch_export.h>

namespace tandem::torch {

class Archive {
 public:
  /// Throws Error "zip.*", "torch.archive" (no program, or several), "torch.unsupported" (big endian, a compiled
  /// package).
  Archive(std::string_view bytes, std::string file, std::shared_ptr<const void> owner);

  /// The JSON of the program.
  ZipContent program() const;
  /// Reads what the configurations of weights and constants describe. Throws Error "torch.json" and "torch.weights": a
  /// storage that is missing or too short, a pickled tensor, a dtype that is not known.
  std::vector<ProgramWeight> weights() const;

 private:
  void add_weights(std::string_view folder, std::string_view current, std::string_view early,
                   std::vector<ProgramWeight>& out) const;
  ProgramWeight weight(std::string_view folder, std::string_view key, const PayloadMeta& meta) const;
  [[noreturn]] void fail(std::string_view code, std::string message, std::string help,
                         std::string_view path = {}) const;

  ZipArchive zip_;
  std::shared_ptr<const void> owner_;
  std::string root_;  ///< "model/", or empty.
  std::string name_;  ///< Of the program: "model".
  const ZipEntry* program_ = nullptr;
};

}  // namespace tandem::torch
