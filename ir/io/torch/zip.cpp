// Reading the directory of a ZIP archive without trusting it.
#include <tandem/ir/io/torch/zip.h>

#include <algorithm>
#include <new>

#include <fmt/format.h>
#include <zlib.h>

#include <tandem/ir/io/findings.h>
#include <tandem/ir/io/spelling.h>

namespace tandem::torch {

namespace {

constexpr std::uint32_t local_signature = 0x04034b50;
constexpr std::uint32_t central_signature = 0x02014b50;
constexpr std::uint32_t end_signature = 0x06054b50;
constexpr std::uint32_t zip64_end_signature = 0x06064b50;
constexpr std::uint32_t zip64_locator_signature = 0x07064b50;
constexpr std::uint64_t end_size = 22, max_comment = 65535, local_size = 30, central_size = 46;

/// Whether a name stays inside of the archive: relative, without "..", backslashes or control characters.
bool is_safe_name(std::string_view name) {
  if (name.empty() || name.front() == '/' || io::find_invalid_utf8(name) != std::string_view::npos)
    return false;
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == '\\' || c == 0x7f)
      return false;
  }
  for (std::size_t start = 0; start <= name.size();) {
    const std::size_t end = std::min(name.find('/', start), name.size());
    if (name.substr(start, end - start) == "..")
      return false;
    start = end + 1;
  }
  return true;
}

std::uint32_t crc_of(std::span<const std::byte> bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(crc32_z(0, nullptr, 0), reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace

bool is_zip(std::string_view bytes) {
  return bytes.starts_with("PK\x03\x04") || bytes.starts_with("PK\x05\x06");
}

ZipArchive::ZipArchive(std::string_view bytes, std::string file) : bytes_(bytes), file_(std::move(file)) {
  const Directory directory = find_directory();
  if (directory.entries > max_zip_entries) {
    fail("zip.too-large",
         fmt::format("the archive has {} entries; the most is {}", directory.entries, max_zip_entries));
  }
  if (directory.offset > bytes_.size() || directory.size > bytes_.size() - directory.offset) {
    fail("zip.truncated", fmt::format("the directory should be {} bytes at {}, but the file has {}", directory.size,
                                      directory.offset, bytes_.size()));
  }
  if (directory.entries > directory.size / central_size)
    fail("zip.directory",
         fmt::format("{} entries do not fit into a directory of {} bytes", directory.entries, directory.size));
  entries_.reserve(directory.entries);
  std::uint64_t at = directory.offset;
  for (std::uint64_t i = 0; i < directory.entries; ++i)
    read_entry(at, directory.offset + directory.size);
  check_overlaps(directory.offset);
}

const ZipEntry* ZipArchive::find(std::string_view name) const {
  const auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : &entries_[it->second];
}

/// A little-endian number; the caller has made sure of nothing.
std::uint64_t ZipArchive::number(std::uint64_t at, unsigned bytes) const {
  if (at > bytes_.size() || bytes > bytes_.size() - at)
    fail("zip.truncated", fmt::format("the file ends at {}, within a record at {}", bytes_.size(), at));
  std::uint64_t value = 0;
  for (unsigned i = 0; i < bytes; ++i)
    value |= std::uint64_t{static_cast<unsigned char>(bytes_[at + i])} << (8 * i);
  return value;
}

ZipArchive::Directory ZipArchive::find_directory() const {
  // The record is at the end, before a comment of any length; the comment's length must lead to the end of the file.
  if (bytes_.size() < end_size)
    fail("zip.truncated", "the file is too short for a ZIP archive");
  const std::uint64_t last = bytes_.size() - end_size;
  const std::uint64_t first = last - std::min(last, max_comment);
  for (std::uint64_t at = last + 1; at-- > first;) {
    if (number(at, 4) != end_signature || number(at + 20, 2) != bytes_.size() - at - end_size)
      continue;
    const Directory directory{number(at + 16, 4), number(at + 12, 4), number(at + 10, 2)};
    if (number(at + 4, 2) != number(at + 6, 2))
      fail("zip.unsupported", "the archive is split over several files");
    if (at >= 20 && number(at - 20, 4) == zip64_locator_signature)
      return read_zip64(at);
    return directory;
  }
  fail("zip.truncated", "the end of the archive, which holds its directory, is missing");
}

ZipArchive::Directory ZipArchive::read_zip64(std::uint64_t end_record) const {
  const std::uint64_t at = number(end_record - 20 + 8, 8);
  if (at > bytes_.size() || number(at, 4) != zip64_end_signature)
    fail("zip.directory", "the ZIP64 record is not where its locator says");
  return {number(at + 48, 8), number(at + 40, 8), number(at + 32, 8)};
}

void ZipArchive::read_entry(std::uint64_t& at, std::uint64_t end) {
  if (end - at < central_size || number(at, 4) != central_signature)
    fail("zip.directory", fmt::format("expected entry {} of the directory at {}", entries_.size(), at));
  const std::uint64_t name = number(at + 28, 2), extra = number(at + 30, 2), comment = number(at + 32, 2);
  if (name + extra + comment > end - at - central_size)
    fail("zip.directory", fmt::format("entry {} reaches beyond the directory", entries_.size()));
  ZipEntry entry;
  entry.name = bytes_.substr(at + central_size, name);
  if (!is_safe_name(entry.name)) {
    std::string shown;
    io::append_quoted(shown, entry.name.substr(0, 200));
    fail("zip.name", fmt::format("entry {} is called {}, which is no path inside an archive", entries_.size(), shown));
  }
  const std::uint64_t flags = number(at + 8, 2), method = number(at + 10, 2);
  if ((flags & 1U) != 0)
    fail("zip.unsupported", "the entry is encrypted", entry.name);
  if (method != 0 && method != 8)
    fail("zip.unsupported", fmt::format("compression method {}; known are 0 (stored) and 8 (deflated)", method),
         entry.name);
  entry.deflated = method == 8;
  entry.crc = static_cast<std::uint32_t>(number(at + 16, 4));
  entry.compressed = number(at + 20, 4);
  entry.size = number(at + 24, 4);
  entry.header = number(at + 42, 4);
  read_zip64_extra(at + central_size + name, extra, entry);
  if (!entry.deflated && entry.compressed != entry.size) {
    fail("zip.entry", fmt::format("a stored entry of {} bytes takes {}", entry.size, entry.compressed), entry.name);
  }
  check_local_header(entry);
  if (!by_name_.emplace(entry.name, entries_.size()).second)
    fail("zip.name", "two entries have this name", entry.name);
  entries_.push_back(entry);
  at += central_size + name + extra + comment;
}

/// Fields that are all ones stand, in this order, in an extra field with the tag 1.
void ZipArchive::read_zip64_extra(std::uint64_t at, std::uint64_t size, ZipEntry& entry) const {
  std::vector<std::uint64_t*> wide;
  for (std::uint64_t* field : {&entry.size, &entry.compressed, &entry.header})
    if (*field == 0xffffffffU)
      wide.push_back(field);
  if (wide.empty())
    return;
  for (const std::uint64_t end = at + size; end - at >= 4;) {
    const std::uint64_t tag = number(at, 2), length = number(at + 2, 2);
    if (length > end - at - 4)
      break;
    if (tag == 1 && length >= 8 * wide.size()) {
      for (std::size_t i = 0; i < wide.size(); ++i)
        *wide[i] = number(at + 4 + 8 * i, 8);
      return;
    }
    at += 4 + length;
  }
  fail("zip.entry", "the ZIP64 sizes are missing", entry.name);
}

void ZipArchive::check_local_header(ZipEntry& entry) const {
  if (entry.header > bytes_.size() || bytes_.size() - entry.header < local_size)
    fail("zip.truncated",
         fmt::format("the entry should start at {}, but the file has {} bytes", entry.header, bytes_.size()),
         entry.name);
  const std::uint64_t name = number(entry.header + 26, 2), extra = number(entry.header + 28, 2);
  if (number(entry.header, 4) != local_signature || bytes_.substr(entry.header + local_size, name) != entry.name ||
      number(entry.header + 8, 2) != (entry.deflated ? 8U : 0U)) {
    fail("zip.entry", fmt::format("the header at {} is not that of the entry", entry.header), entry.name);
  }
  entry.data = entry.header + local_size + name + extra;
  if (entry.data > bytes_.size() || entry.compressed > bytes_.size() - entry.data)
    fail("zip.truncated",
         fmt::format("the entry has {} bytes at {}, but the file has {}", entry.compressed, entry.data, bytes_.size()),
         entry.name);
}

void ZipArchive::check_overlaps(std::uint64_t directory) const {
  std::vector<const ZipEntry*> order;
  for (const ZipEntry& entry : entries_)
    order.push_back(&entry);
  std::sort(order.begin(), order.end(), [](const ZipEntry* a, const ZipEntry* b) { return a->header < b->header; });
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::uint64_t limit = i + 1 < order.size() ? order[i + 1]->header : directory;
    if (order[i]->data + order[i]->compressed > limit)
      fail("zip.entry", "the entry overlaps what follows it", order[i]->name);
  }
}

ZipContent ZipArchive::read(const ZipEntry& entry) const {
  const auto stored = std::as_bytes(std::span(bytes_)).subspan(entry.data, entry.compressed);
  ZipContent content;
  if (!entry.deflated) {
    content.bytes = stored;
  } else {
    // Deflate cannot do better than 1:1032, so a larger claim is a lie, told before anything is allocated.
    if (entry.size > max_inflated_bytes || entry.size / 1032 > entry.compressed + 1)
      fail("zip.too-large", fmt::format("{} bytes claim to inflate to {}", entry.compressed, entry.size), entry.name);
    auto buffer = std::make_shared<std::vector<std::byte>>(entry.size);
    z_stream stream{};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
      throw std::bad_alloc();
    std::size_t in = 0, out = 0;
    int state = Z_OK;
    constexpr std::size_t step = std::size_t{1} << 30;  // zlib counts in 32 bits
    while (state == Z_OK) {
      stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(stored.data() + in));
      stream.avail_in = static_cast<uInt>(std::min(stored.size() - in, step));
      stream.next_out = reinterpret_cast<Bytef*>(buffer->data() + out);
      stream.avail_out = static_cast<uInt>(std::min(buffer->size() - out, step));
      const std::size_t given = stream.avail_in, room = stream.avail_out;
      state = inflate(&stream, Z_NO_FLUSH);
      in += given - stream.avail_in;
      out += room - stream.avail_out;
    }
    inflateEnd(&stream);
    if (state != Z_STREAM_END || out != entry.size)
      fail("zip.inflate", fmt::format("the entry does not inflate to its {} bytes", entry.size), entry.name);
    content.bytes = *buffer;
    content.owner = std::move(buffer);
  }
  if ((entry.deflated || entry.size <= max_checked_bytes) && crc_of(content.bytes) != entry.crc)
    fail("zip.entry", "the content does not have the checksum that the directory gives: the file is damaged",
         entry.name);
  return content;
}

void ZipArchive::fail(std::string_view code, std::string message, std::string_view entry) const {
  Diagnostic d =
      io::finding(code, std::move(message), "the archive is damaged or was not written by torch.export.save");
  d.where.file = file_;
  d.where.path = entry;
  throw Error(std::move(d));
}

}  // namespace tandem::torch
