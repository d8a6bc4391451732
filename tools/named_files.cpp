// See named_files.h.
#include <tandem/tools/named_files.h>

#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/file.h>

namespace tandem::cli {
namespace {

/// One file, whichever way it is spelled. Devices and pipes take several results one after the other.
bool same_file(const std::string& a, const std::string& b) {
  if (a == "-" || b == "-")
    return a == b;
  std::error_code error;
  const auto path = std::filesystem::weakly_canonical(written_path(a), error);
  if (error || path != std::filesystem::weakly_canonical(written_path(b), error))
    return !error && std::filesystem::equivalent(a, b, error) && std::filesystem::is_regular_file(a, error);
  const auto status = std::filesystem::status(path, error);
  return !std::filesystem::exists(status) || std::filesystem::is_regular_file(status);
}

}  // namespace

NamedFiles& NamedFiles::reads(std::string_view argument, const std::string& path) {
  if (!path.empty())
    entries_.push_back({std::string(argument), path, Use::read});
  return *this;
}

NamedFiles& NamedFiles::reads(std::string_view argument, const std::vector<std::string>& paths) {
  for (const std::string& path : paths)
    reads(argument, path);
  return *this;
}

NamedFiles& NamedFiles::writes(std::string_view argument, const std::string& path) {
  if (!path.empty())
    entries_.push_back({std::string(argument), path, Use::write});
  return *this;
}

NamedFiles& NamedFiles::rewrites(std::string_view argument, const std::string& path) {
  if (!path.empty())
    entries_.push_back({std::string(argument), path, Use::rewrite});
  return *this;
}

void NamedFiles::check() const {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const Entry& a = entries_[j];
      const Entry& b = entries_[i];
      const bool both_read = a.use == Use::read && b.use == Use::read;
      if (both_read && a.path == "-" && b.path == "-")
        throw Error("usage.input", fmt::format("{} and {} would both read standard input", a.argument, b.argument),
                    "give one of them a file");
      const bool one_reads = a.use == Use::read || b.use == Use::read;
      const bool in_place = a.argument == "GRAPH" && b.use == Use::rewrite;
      if (both_read || in_place || (one_reads && a.path == "-") || !same_file(a.path, b.path))
        continue;
      if (a.path == "-")
        throw Error("usage.output", fmt::format("{} and {} would be mixed on standard output", a.argument, b.argument),
                    "give one of them a file: -o OUT");
      throw Error("usage.output",
                  one_reads ? fmt::format("{} would write over '{}', which {} names", b.argument, b.path, a.argument)
                            : fmt::format("{} and {} would both be written to '{}'", a.argument, b.argument, b.path),
                  "give each a file of its own");
    }
  }
}

}  // namespace tandem::cli
