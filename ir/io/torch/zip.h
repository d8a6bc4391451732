// ZIP archives as PyTorch writes them: the central directory, and entries found in place
// (PKWARE APPNOTE.TXT 6.3.10; caffe2/serialize/inline_container.cc).
//
// Why not libzip: a stored entry's bytes must be used where they lie in the mapped file, and libzip only copies.
// Inflating is zlib's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tandem::torch {

inline constexpr std::size_t max_zip_entries = std::size_t{1} << 20;
/// Of one deflated entry, inflated.
inline constexpr std::uint64_t max_inflated_bytes = std::uint64_t{4} << 30;
/// Entries up to this size are checked against their CRC when they are read; larger ones are weights of gigabytes,
/// which must not be touched before they are needed.
inline constexpr std::uint64_t max_checked_bytes = std::uint64_t{16} << 20;

struct ZipEntry {
  std::string_view name;
  std::uint64_t header = 0;      ///< Offset of the local header.
  std::uint64_t data = 0;        ///< Offset of the bytes.
  std::uint64_t compressed = 0;  ///< Bytes in the archive.
  std::uint64_t size = 0;        ///< Bytes of the content.
  std::uint32_t crc = 0;
  bool deflated = false;
};

/// The content of an entry. `owner` is null when the bytes lie in the archive.
struct ZipContent {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
};

/// True when the bytes start as a ZIP archive does.
bool is_zip(std::string_view bytes);

class ZipArchive {
 public:
  /// Reads the directory; `bytes` must outlive the archive. Checks that every entry lies in the file, that none
  /// overlaps another, that local headers agree with the directory, and that names are unique and stay inside the
  /// archive. Throws Error "zip.truncated", "zip.directory", "zip.entry", "zip.name", "zip.unsupported" or
  /// "zip.too-large".
  ZipArchive(std::string_view bytes, std::string file);

  std::span<const ZipEntry> entries() const { return entries_; }
  const ZipEntry* find(std::string_view name) const;
  /// Throws Error "zip.entry" (a wrong CRC or size) or "zip.inflate".
  ZipContent read(const ZipEntry& entry) const;
  const std::string& file() const { return file_; }

 private:
  struct Directory {
    std::uint64_t offset, size, entries;
  };
  Directory find_directory() const;
  Directory read_zip64(std::uint64_t end_record) const;
  void read_entry(std::uint64_t& at, std::uint64_t end);
  void read_zip64_extra(std::uint64_t at, std::uint64_t size, ZipEntry& entry) const;
  void check_local_header(ZipEntry& entry) const;
  void check_overlaps(std::uint64_t directory) const;
  std::uint64_t number(std::uint64_t at, unsigned bytes) const;
  [[noreturn]] void fail(std::string_view code, std::string message, std::string_view entry = {}) const;

  std::string_view bytes_;
  std::string file_;
  std::vector<ZipEntry> entries_;
  std::unordered_map<std::string_view, std::size_t> by_name_;
};

}  // namespace tandem::torch
