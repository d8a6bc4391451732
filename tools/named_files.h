// The files that a command line names, so that none is written over another.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tandem::cli {

/// What is read and what is written, each with the argument that names it. An empty path names nothing.
class NamedFiles {
 public:
  NamedFiles& reads(std::string_view argument, const std::string& path);
  NamedFiles& reads(std::string_view argument, const std::vector<std::string>& paths);
  NamedFiles& writes(std::string_view argument, const std::string& path);
  /// `path` may be the graph's own: the result replaces it once all has been read.
  NamedFiles& rewrites(std::string_view argument, const std::string& path);

  /// Throws Error "usage.input" when standard input is to be read twice, "usage.output" when two results would go to
  /// one file or to standard output, or when one would go to a file that is read.
  void check() const;

 private:
  enum class Use { read, write, rewrite };
  struct Entry {
    std::string argument;
    std::string path;
    Use use;
  };
  std::vector<Entry> entries_;
};

}  // namespace tandem::cli
