// Whole files in and out, and telling forms apart.
#include "tests/support/catch.h"

#include <filesystem>
#include <fstream>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/file.h>
#include <tandem/ir/io/json.h>
#include <tandem/ir/io/read.h>
#include <tandem/ir/io/text.h>

#include "tests/support/temp_dir.h"

using namespace tandem;
namespace fs = std::filesystem;

namespace {

/// Whether `f` throws an Error whose text holds `part`.
template <class F>
bool says(F&& f, std::string_view part) {
  try {
    f();
  } catch (const Error& e) {
    return std::string_view(e.what()).find(part) != std::string_view::npos;
  }
  return false;
}

std::string message(std::string_view bytes) {
  try {
    read_graph_bytes(Context::create(), bytes, "g");
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("files: a file comes back as it was written") {
  test::TempDir dir;
  std::string bytes("a\0b\n", 4);
  bytes.append(3u << 20, 'x');
  write_file(dir.file("f"), bytes);
  CHECK(read_file(dir.file("f")) == bytes);
  write_file(dir.file("f"), "");
  CHECK(read_file(dir.file("f")).empty());
}

TEST_CASE("files: writing replaces a file whole, keeps its permissions and leaves nothing beside it") {
  test::TempDir dir;
  const std::string file = dir.write("f", "old");
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink("f", dir.path() / "link");
  write_file(dir.file("link"), "new");
  CHECK(read_file(file) == "new");
  CHECK(fs::is_symlink(dir.path() / "link"));
  CHECK(fs::status(file).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  CHECK(std::distance(fs::directory_iterator(dir.path()), {}) == 2);
}

TEST_CASE("files: a link that leads nowhere yet stays, and what it leads to is made") {
  test::TempDir dir;
  fs::create_symlink("made", dir.path() / "second");
  fs::create_symlink("second", dir.path() / "first");
  write_file(dir.file("first"), "new");
  CHECK(fs::is_symlink(dir.path() / "first"));
  CHECK(fs::is_symlink(dir.path() / "second"));
  CHECK(read_file(dir.file("made")) == "new");
  CHECK(written_path(dir.file("first")) == written_path(dir.file("made")));
  fs::create_symlink("no/such/file", dir.path() / "lost");
  CHECK(says([&] { write_file(dir.file("lost"), "x"); }, "No such file or directory [file.write]"));
  CHECK(fs::is_symlink(dir.path() / "lost"));
  fs::create_symlink("round", dir.path() / "round");
  CHECK(says([&] { write_file(dir.file("round"), "x"); }, "[file.write]"));
}

TEST_CASE("files: files that cannot be used are refused with the system's reason") {
  test::TempDir dir;
  CHECK(says([&] { read_file(dir.file("none")); }, "No such file or directory [file.open]"));
  CHECK(says([&] { read_file(dir.path().string()); }, "this is a directory"));
  CHECK(says([&] { read_file(dir.write("big", "12345"), 4); }, "limit of 4 bytes [file.too-large]"));
  CHECK(says([&] { read_file("/dev/zero", 1000); }, "[file.too-large]"));
  CHECK(says([&] { write_file(dir.file("no/such/f"), "x"); }, "No such file or directory [file.write]"));
  CHECK(says([&] { write_file(dir.path().string(), "x"); }, "this is a directory"));
  CHECK(says([&] { write_file("", "x"); }, "empty"));
  if (fs::exists("/dev/full")) {
    CHECK(says([&] { write_file("/dev/full", "x"); }, "No space left on device [file.write]"));
  }
}

TEST_CASE("files: forms are told apart by content") {
  test::TempDir dir;
  const std::string text = "# a comment\ngraph @g(%x: f32[2]) {\n  return %x\n}\n";
  const Graph g = read_graph(Context::create(), dir.write("a.json", text));
  CHECK(structurally_equal(g, read_graph(Context::create(), dir.write("b.txt", "\n " + to_json(g)))));
  CHECK(message("PK\x03\x04...").find("[zip.truncated]") != std::string::npos);
  CHECK(message("{\"graph_module\": {}}").find("[torch.json]") != std::string::npos);
  CHECK(message(" \n").find("[format.empty]") != std::string::npos);
  CHECK(message("\x7f"
                "ELF")
            .find("[format.unknown]") != std::string::npos);
  CHECK(message("\xef\xbb\xbf{}").find("[json.bom]") != std::string::npos);
  CHECK(message("{").find("[json.syntax]") != std::string::npos);
}
