// Whole files in and out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <tandem/ir/export.h>

namespace tandem {

/// What `read_file` takes unless told otherwise: 4 GiB.
inline constexpr std::uint64_t max_file_bytes = std::uint64_t{4} << 30;

/// The bytes of a file; "-" is standard input. Throws Error "file.open", "file.read" (with the system's reason) or
/// "file.too-large".
TANDEM_IR_API std::string read_file(std::string_view path, std::uint64_t limit = max_file_bytes);

/// The file that `write_file` writes for that path: links are followed, those that lead nowhere yet, too, as by `cc
/// -o`.
/// Throws Error "file.write" for links that go round.
TANDEM_IR_API std::string written_path(std::string_view path);

/// Writes a file as a whole or not at all: the bytes go to a temporary file beside it, which then takes its name. An
/// existing file keeps its permissions; a symbolic link stays, and what it points to is replaced or made; a path that
/// is not a regular file (/dev/stdout, a pipe) is written in place. "-" is standard output. Throws Error "file.write"
/// with the system's reason.
TANDEM_IR_API void write_file(std::string_view path, std::string_view bytes);

}  // namespace tandem
