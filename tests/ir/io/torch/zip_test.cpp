// The reader of ZIP archives: every form that PyTorch and zip tools write, and no trust.
#include <tandem/ir/io/torch/zip.h>

#include <string>

#include <tandem/ir/diagnostic.h>
#include <tests/support/catch.h>
#include <tests/support/zip_writer.h>

using namespace tandem;
using namespace tandem::test;

namespace {

std::string content(const torch::ZipArchive& zip, std::string_view name) {
  const torch::ZipEntry* entry = zip.find(name);
  if (entry == nullptr)
    return "(none)";
  const torch::ZipContent read = zip.read(*entry);
  return {reinterpret_cast<const char*>(read.bytes.data()), read.bytes.size()};
}

/// The code of the error that reading all of an archive ends with; "" when it is good.
std::string code(const std::string& bytes) {
  try {
    const torch::ZipArchive zip(bytes, "a.zip");
    for (const torch::ZipEntry& entry : zip.entries())
      zip.read(entry);
  } catch (const Error& e) {
    return e.diagnostics().front().code;
  }
  return "";
}

std::string code(const ZipFile& file) {
  return code(zip_archive({{"first", "abc"}, file}));
}

}  // namespace

TEST_CASE("zip: stored, deflated, with data descriptors, zip64, behind a comment") {
  const std::string large(200'000, 'x');
  const std::string bytes = zip_archive({{"a/stored", "hello"},
                                         {"a/empty", ""},
                                         {"a/deflated", large, true},
                                         {"a/described", "described", false, true},
                                         {"a/wide", "wide", false, false, true},
                                         {"a/both", large, true, true, true}},
                                        "PK\x05\x06 is not the end");
  const torch::ZipArchive zip(bytes, "a.zip");
  CHECK(zip.entries().size() == 6);
  CHECK(content(zip, "a/stored") == "hello");
  CHECK(content(zip, "a/empty").empty());
  CHECK(content(zip, "a/deflated") == large);
  CHECK(content(zip, "a/described") == "described");
  CHECK(content(zip, "a/wide") == "wide");
  CHECK(content(zip, "a/both") == large);
  CHECK(content(zip, "a/none") == "(none)");
  // What is stored is not copied.
  const torch::ZipContent stored = zip.read(*zip.find("a/stored"));
  CHECK(stored.owner == nullptr);
  CHECK(reinterpret_cast<const char*>(stored.bytes.data()) >= bytes.data());
  CHECK(reinterpret_cast<const char*>(stored.bytes.data()) < bytes.data() + bytes.size());
}

TEST_CASE("zip: names that leave the archive, or are no names") {
  for (const char* name : {"../up", "a/../../b", "/etc/passwd", "a\\b", "a\nb", "\xff\xfe", "a/.."})
    CHECK(code(ZipFile{name, "x"}) == "zip.name");
  CHECK(code(ZipFile{"first", "again"}) == "zip.name");
  CHECK(code(ZipFile{"a..b/c.", "fine"}) == "");
}

TEST_CASE("zip: what is not supported") {
  ZipFile encrypted{"secret", "x"};
  encrypted.flags = 1;
  CHECK(code(encrypted) == "zip.unsupported");
  ZipFile method{"lzma", "x"};
  method.method = 14;
  CHECK(code(method) == "zip.unsupported");
}

TEST_CASE("zip: sizes, offsets and checksums that lie") {
  ZipFile f{"b", "content"};
  f.wrong_crc = true;
  CHECK(code(f) == "zip.entry");
  f = {"b", "content"};
  f.claimed_size = 3;  // less than there is: the checksum tells
  CHECK(code(f) == "zip.entry");
  f.claimed_size = 1'000'000;
  CHECK(code(f) == "zip.truncated");
  f = {"b", "content"};
  f.claimed_header = 0;  // that of the first entry
  CHECK(code(f) == "zip.entry");
  f.claimed_header = 1'000'000;
  CHECK(code(f) == "zip.truncated");
  f = {"b", "content"};
  f.local_name = "c";
  CHECK(code(f) == "zip.entry");
  // Two entries over the same bytes.
  f = {"first", "abc"};
  f.claimed_header = 0;
  CHECK(code(f) == "zip.name");
}

TEST_CASE("zip: a small entry does not inflate to more than it says, nor claim more than it can") {
  ZipFile bomb{"b", std::string(1000, 'x'), true};
  bomb.claimed_size = std::int64_t{1} << 31;
  CHECK(code(bomb) == "zip.too-large");
  bomb.zip64 = true;
  bomb.claimed_size = std::int64_t{1} << 50;
  CHECK(code(bomb) == "zip.too-large");
  bomb.claimed_size = 10;
  CHECK(code(bomb) == "zip.inflate");
  bomb.claimed_size = 2000;
  CHECK(code(bomb) == "zip.inflate");
}

TEST_CASE("zip: cut off anywhere") {
  const std::string bytes = zip_archive({{"a", "hello"}, {"b", std::string(100, 'y'), true}});
  for (std::size_t n = 0; n < bytes.size(); ++n)
    CHECK(code(bytes.substr(0, n)) != "");
  CHECK(code(bytes) == "");
}
