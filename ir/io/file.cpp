#include <tandem/ir/io/file.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <new>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include <tandem/ir/io/findings.h>

namespace tandem {

namespace {

/// A file descriptor, closed at the end.
class Descriptor {
 public:
  Descriptor(int fd, bool owned) : fd_(fd), owned_(owned) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }
  /// What `close` says matters: a full disk or a lost network drive may show only here.
  int close() {
    const int result = owned_ && fd_ >= 0 ? ::close(fd_) : 0;
    fd_ = -1;
    return result;
  }

 private:
  int fd_;
  bool owned_;
};

[[noreturn]] void fail(std::string_view code, std::string_view path, std::string message, std::string help = {}) {
  Diagnostic d = io::finding(code, std::move(message), std::move(help));
  d.where.file = path;
  throw Error(std::move(d));
}
[[noreturn]] void fail_errno(std::string_view code, std::string_view path, std::string_view what, int error) {
  fail(code, path, fmt::format("{}: {}", what, std::strerror(error)));
}

std::string readable_path(std::string_view code, std::string_view path) {
  if (path.empty())
    fail(code, path, "the file name is empty");
  if (path.find('\0') != std::string_view::npos)
    fail(code, path, "the file name holds a NUL");
  return std::string(path);
}

void write_all(int fd, std::string_view bytes, std::string_view path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), std::min<std::size_t>(bytes.size(), std::size_t{1} << 30));
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      fail_errno("file.write", path, "cannot write", errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

/// A new file beside `target`, with the permissions that new files get; removed again unless it took the target's name.
class TemporaryFile {
 public:
  TemporaryFile(const std::string& target, std::string_view path) : path_(path), file_(create(target), true) {}
  ~TemporaryFile() {
    if (!name_.empty())
      ::unlink(name_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  int fd() const { return file_.get(); }
  void take_name(const std::string& target) {
    if (file_.close() != 0)
      fail_errno("file.write", path_, "cannot finish writing", errno);
    if (::rename(name_.c_str(), target.c_str()) != 0)
      fail_errno("file.write", path_, "cannot replace the file", errno);
    name_.clear();
  }

 private:
  int create(const std::string& target) {
    int error = EEXIST;
    for (unsigned attempt = 0; attempt < 1000 && error == EEXIST; ++attempt) {
      std::string name = fmt::format("{}.tmp-{}-{}", target, ::getpid(), attempt);
      const int fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (fd >= 0) {
        name_ = std::move(name);
        return fd;
      }
      error = errno;
    }
    fail_errno("file.write", path_, "cannot create a file there", error);
  }

  std::string_view path_;
  std::string name_;
  Descriptor file_;
};

}  // namespace

std::string read_file(std::string_view path, std::uint64_t limit) {
  const bool standard_input = path == "-";
  const std::string name = readable_path("file.open", path);
  Descriptor file(standard_input ? STDIN_FILENO : ::open(name.c_str(), O_RDONLY | O_CLOEXEC), !standard_input);
  if (file.get() < 0)
    fail_errno("file.open", path, "cannot open", errno);
  const auto too_large = [&] {
    fail("file.too-large", path, fmt::format("the file is larger than the limit of {} bytes", limit));
  };
  std::string bytes;
  struct stat info;
  if (::fstat(file.get(), &info) == 0) {
    if (S_ISDIR(info.st_mode))
      fail("file.read", path, "this is a directory, a file is expected");
    if (S_ISREG(info.st_mode) && info.st_size > 0) {
      if (static_cast<std::uint64_t>(info.st_size) > limit)
        too_large();
      bytes.reserve(static_cast<std::size_t>(info.st_size) + 1);
    }
  }
  // Read to the end whatever the size was said to be: pipes have none, and files grow.
  constexpr std::size_t step = std::size_t{1} << 20;
  for (;;) {
    const std::size_t old = bytes.size();
    try {
      bytes.resize(std::max(std::min(bytes.capacity(), old + step * 64), old + step));
    } catch (const std::bad_alloc&) {
      bytes = {};  // there is memory again, to say so
      fail("file.too-large", path, fmt::format("the file does not fit in memory: {} bytes did", old));
    }
    const ssize_t n = ::read(file.get(), bytes.data() + old, bytes.size() - old);
    const int error = errno;
    bytes.resize(old + (n > 0 ? static_cast<std::size_t>(n) : 0));
    if (n < 0 && error == EINTR)
      continue;
    if (n < 0)
      fail_errno("file.read", path, "cannot read", error);
    if (n == 0)
      return bytes;
    if (bytes.size() > limit)
      too_large();
  }
}

std::string written_path(std::string_view path) {
  std::filesystem::path target = readable_path("file.write", path);
  std::error_code error;
  for (int links = 0;; ++links) {
    const std::filesystem::path next = std::filesystem::read_symlink(target, error);
    if (error)
      break;
    if (links == 40)
      fail_errno("file.write", path, "cannot follow the link", ELOOP);
    target = target.parent_path() / next;
  }
  const std::filesystem::path canonical = std::filesystem::canonical(target, error);
  return error ? target.string() : canonical.string();
}

void write_file(std::string_view path, std::string_view bytes) {
  if (path == "-")
    return write_all(STDOUT_FILENO, bytes, path);
  const std::string target = written_path(path);
  struct stat info;
  const bool exists = ::stat(target.c_str(), &info) == 0;
  if (exists && S_ISDIR(info.st_mode))
    fail("file.write", path, "this is a directory, a file is expected");
  if (exists && !S_ISREG(info.st_mode)) {
    Descriptor file(::open(target.c_str(), O_WRONLY | O_CLOEXEC), true);
    if (file.get() < 0)
      fail_errno("file.write", path, "cannot open", errno);
    return write_all(file.get(), bytes, path);
  }
  if (exists && ::access(target.c_str(), W_OK) != 0)
    fail_errno("file.write", path, "cannot write", errno);
  TemporaryFile temporary(target, path);
  if (exists && ::fchmod(temporary.fd(), info.st_mode & 07777) != 0) {
    fail_errno("file.write", path, "cannot keep the permissions", errno);
  }
  write_all(temporary.fd(), bytes, path);
  temporary.take_name(target);
}

}  // namespace tandem
