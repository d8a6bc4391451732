// Mapping files (POSIX).
#include <tandem/ir/io/mapped_file.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/file.h>

namespace tandem {
namespace {

[[noreturn]] void fail(const char* code, const std::string& path, const std::string& doing, int error) {
  Diagnostic d;
  d.code = code;
  d.where.file = path;
  d.message = doing + ": " + std::strerror(error);
  throw Error(std::move(d));
}

struct ClosedAtEnd {
  int fd;
  ~ClosedAtEnd() {
    if (fd >= 0)
      ::close(fd);
  }
};

MappedFile from_string(std::string text) {
  auto owner = std::make_shared<const std::string>(std::move(text));
  MappedFile out;
  out.data = reinterpret_cast<const std::byte*>(owner->data());
  out.size = owner->size();
  out.owner = std::move(owner);
  return out;
}

}  // namespace

MappedFile map_file(const std::string& path) {
  if (path == "-")
    return from_string(read_file(path));
  // O_NONBLOCK: opening a pipe that nobody writes to must not hang before it is known to be one.
  const ClosedAtEnd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.fd < 0)
    fail("file.open", path, "cannot open the file", errno);
  struct stat status {};
  if (::fstat(file.fd, &status) != 0)
    fail("file.read", path, "cannot ask for the file's size", errno);
  if (S_ISDIR(status.st_mode))
    fail("file.read", path, "expected a file", EISDIR);
  if (!S_ISREG(status.st_mode))
    return from_string(read_file(path));

  MappedFile out;
  out.size = static_cast<std::size_t>(status.st_size);
  if (out.size == 0)
    return out;  // mmap refuses length 0
  void* address = ::mmap(nullptr, out.size, PROT_READ, MAP_PRIVATE, file.fd, 0);
  if (address == MAP_FAILED)
    fail("file.read", path, "cannot map the file", errno);
  out.data = static_cast<const std::byte*>(address);
  out.owner =
      std::shared_ptr<const void>(address, [size = out.size](const void* p) { ::munmap(const_cast<void*>(p), size); });
  return out;
}

}  // namespace tandem
