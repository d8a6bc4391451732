// What the readers accept, in numbers. docs/graph-format.md lists them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tandem::io {

inline constexpr std::size_t max_errors = 20;                         ///< Diagnostics of one read.
inline constexpr std::size_t max_graph_bytes = std::size_t{1} << 29;  ///< 512 MiB of text or JSON.
inline constexpr std::size_t max_json_depth = 64;
inline constexpr std::size_t max_name_bytes = std::size_t{1} << 16;  ///< Of a name, a scope or a weight's key.
inline constexpr std::size_t max_symbols = 4096;                     ///< Declared dims.
inline constexpr std::size_t max_rank = 64;
inline constexpr std::size_t max_type_bytes = std::size_t{1} << 16;     ///< Of a type or a dim as text.
inline constexpr std::size_t max_literal_bytes = std::size_t{1} << 26;  ///< 64 MiB: larger constants are weights.
inline constexpr std::size_t max_listed_elements = 64;                  ///< A larger constant is written as hex.

}  // namespace tandem::io
