// Where in a C++ source a call stands.
#pragma once

#include <version>

#ifdef __cpp_lib_source_location
#include <source_location>
#else
#include <cstdint>
#endif

namespace tandem {

#ifdef __cpp_lib_source_location
using CodeLocation = std::source_location;
#else
/// std::source_location for clang before 16, which has no part of it but what it is made of.
class CodeLocation {
 public:
  static constexpr CodeLocation current(const char* file = __builtin_FILE(),
                                        std::uint_least32_t line = __builtin_LINE(),
                                        std::uint_least32_t column = __builtin_COLUMN()) noexcept {
    CodeLocation location;
    location.file_ = file;
    location.line_ = line;
    location.column_ = column;
    return location;
  }
  constexpr const char* file_name() const noexcept { return file_; }
  constexpr std::uint_least32_t line() const noexcept { return line_; }
  constexpr std::uint_least32_t column() const noexcept { return column_; }

 private:
  const char* file_ = "";
  std::uint_least32_t line_ = 0, column_ = 0;
};
#endif

}  // namespace tandem
