// A directory for one test, removed with all that it holds when the test ends.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace tandem::test {

class TempDir {
 public:
  /// Creates an empty directory below the system's folder for temporary files.
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// The path of a file in the directory, which need not exist.
  std::string file(std::string_view name) const { return (path_ / name).string(); }
  /// Writes a file (folders in `name` are created) and returns its path.
  std::string write(std::string_view name, std::string_view content) const;

 private:
  std::filesystem::path path_;
};

/// The bytes of a file. Throws std::runtime_error when it cannot be read.
std::string read_file(const std::filesystem::path& path);

/// Path of a file in tests/data.
std::string data_file(std::string_view name);

}  // namespace tandem::test
