#include "tests/support/zip_writer.h"

namespace tandem::test {

namespace {

std::uint32_t crc_of(std::string_view bytes) {
  std::uint32_t crc = 0xffffffffU;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int i = 0; i < 8; ++i)
      crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xedb88320U : 0U);
  }
  return ~crc;
}

void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i)
    out += static_cast<char>(value >> (8 * i));
}

/// Blocks of type 00 (RFC 1951, 3.2.4).
std::string deflate(std::string_view content) {
  std::string out;
  do {
    const std::string_view block = content.substr(0, 65535);
    content.remove_prefix(block.size());
    out += content.empty() ? '\x01' : '\x00';
    put(out, block.size(), 2);
    put(out, ~block.size(), 2);
    out += block;
  } while (!content.empty());
  return out;
}

}  // namespace

std::string zip_archive(const std::vector<ZipFile>& files, std::string_view comment) {
  std::string out, directory;
  for (const ZipFile& f : files) {
    const std::string data = f.deflated ? deflate(f.content) : f.content;
    const std::uint32_t crc = crc_of(f.content) ^ (f.wrong_crc ? 1U : 0U);
    const auto method = static_cast<std::uint64_t>(f.method >= 0 ? f.method : f.deflated ? 8 : 0);
    const std::uint64_t flags = static_cast<std::uint64_t>(f.flags | (f.descriptor ? 8 : 0) | 0x800);
    const std::uint64_t at = out.size();
    const std::string& local = f.local_name.empty() ? f.name : f.local_name;
    put(out, 0x04034b50, 4);
    put(out, 20, 2);
    put(out, flags, 2);
    put(out, method, 2);
    put(out, 0, 4);
    put(out, f.descriptor ? 0 : crc, 4);
    put(out, f.descriptor ? 0 : data.size(), 4);
    put(out, f.descriptor ? 0 : f.content.size(), 4);
    put(out, local.size(), 2);
    put(out, 0, 2);
    out += local;
    out += data;
    if (f.descriptor) {
      put(out, 0x08074b50, 4);
      put(out, crc, 4);
      put(out, data.size(), 4);
      put(out, f.content.size(), 4);
    }
    const auto size = f.claimed_size >= 0 ? static_cast<std::uint64_t>(f.claimed_size) : f.content.size();
    const auto compressed = f.claimed_size >= 0 && !f.deflated ? size : data.size();
    const auto header = f.claimed_header >= 0 ? static_cast<std::uint64_t>(f.claimed_header) : at;
    std::string extra;
    if (f.zip64) {
      put(extra, 1, 2);
      put(extra, 24, 2);
      put(extra, size, 8);
      put(extra, compressed, 8);
      put(extra, header, 8);
    }
    put(directory, 0x02014b50, 4);
    put(directory, 20, 2);
    put(directory, 20, 2);
    put(directory, flags, 2);
    put(directory, method, 2);
    put(directory, 0, 4);
    put(directory, crc, 4);
    put(directory, f.zip64 ? 0xffffffffU : compressed, 4);
    put(directory, f.zip64 ? 0xffffffffU : size, 4);
    put(directory, f.name.size(), 2);
    put(directory, extra.size(), 2);
    put(directory, 0, 2);
    put(directory, 0, 2);
    put(directory, 0, 2);
    put(directory, 0, 4);
    put(directory, f.zip64 ? 0xffffffffU : header, 4);
    directory += f.name;
    directory += extra;
  }
  const std::uint64_t start = out.size();
  out += directory;
  put(out, 0x06054b50, 4);
  put(out, 0, 2);
  put(out, 0, 2);
  put(out, files.size(), 2);
  put(out, files.size(), 2);
  put(out, directory.size(), 4);
  put(out, start, 4);
  put(out, comment.size(), 2);
  out += comment;
  return out;
}

}  // namespace tandem::test
