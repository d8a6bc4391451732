// Files as memory: mapped where the operating system can, read where it cannot (pipes, standard input).
#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace tandem {

/// Bytes and what keeps them alive.
struct MappedFile {
  std::shared_ptr<const void> owner;
  const std::byte* data = nullptr;
  std::size_t size = 0;
};

/// Throws Error "file.open" or "file.read" with the system's reason. "-" is standard input.
MappedFile map_file(const std::string& path);

}  // namespace tandem
