// Files as memory: mapped where the operating system can, read where it cannot (pipes, standard input).
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <tandem/ir/export.h>

namespace tandem {

/// Bytes and what keeps them alive.
struct MappedFile {
  std::shared_ptr<const void> owner;
  const std::byte* data = nullptr;
  std::size_t size = 0;

  std::string_view text() const { return {reinterpret_cast<const char*>(data), size}; }
};

/// Throws Error "file.open" or "file.read" with the system's reason. "-" is standard input.
TANDEM_IR_API MappedFile map_file(const std::string& path);

}  // namespace tandem
