// ZIP archives made byte by byte, right or wrong, for tests of their reader.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::test {

struct ZipFile {
  std::string name;
  std::string content;
  bool deflated = false;    ///< In stored blocks, which need no compressor.
  bool descriptor = false;  ///< Sizes and CRC behind the content, zeros in the local header, as PyTorch writes it.
  bool zip64 = false;       ///< Sizes in an extra field of the directory.

  // What is wrong, for a hostile archive.
  std::uint16_t flags = 0;           ///< Added to the flags.
  int method = -1;                   ///< Instead of 0 or 8.
  std::int64_t claimed_size = -1;    ///< In the directory, instead of the content's.
  std::int64_t claimed_header = -1;  ///< Offset in the directory, instead of the entry's.
  std::string local_name{};          ///< In the local header, instead of `name`.
  bool wrong_crc = false;
};

std::string zip_archive(const std::vector<ZipFile>& files, std::string_view comment = "");

}  // namespace tandem::test
