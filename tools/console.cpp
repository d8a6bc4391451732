// See console.h.
#include <tandem/tools/console.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <tandem/ir/io/file.h>

namespace tandem::cli {
namespace {

/// no-color.org: any value but the empty one turns colour off.
bool colour_is_refused() {
  const char* no_color = std::getenv("NO_COLOR");
  return no_color != nullptr && *no_color != '\0';
}

}  // namespace

void set_up_console() {
  // Opened the wrong way round on purpose: reading a closed standard input gives its end, and writing to a closed
  // standard output fails and is reported.
  for (int fd = 0; fd <= 2; ++fd)
    if (fcntl(fd, F_GETFD) == -1)
      static_cast<void>(open("/dev/null", fd == 2 ? O_WRONLY : O_RDONLY));
  std::signal(SIGPIPE, SIG_IGN);

  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>(
      colour_is_refused() ? spdlog::color_mode::never : spdlog::color_mode::automatic);
  sink->set_color(spdlog::level::info, "");
  auto logger = std::make_shared<spdlog::logger>("tandem", std::move(sink));
  logger->set_pattern("%^%v%$");
  logger->flush_on(spdlog::level::trace);
  // A standard error that cannot be written to leaves nobody to tell.
  logger->set_error_handler([](const std::string&) {});
  spdlog::set_default_logger(std::move(logger));
}

void log_note(std::string_view text) {
  while (!text.empty() && text.back() == '\n')
    text.remove_suffix(1);
  spdlog::info("{}", text);
}

void log_error(std::string_view text) {
  while (!text.empty() && text.back() == '\n')
    text.remove_suffix(1);
  spdlog::error("{}", text);
}

void log_diagnostics(const std::vector<Diagnostic>& diagnostics) {
  for (const Diagnostic& d : diagnostics) {
    if (d.severity == Severity::error)
      log_error(to_string(d));
    else
      log_note(to_string(d));
  }
}

void log_report(std::string_view text) {
  std::string line(text.substr(0, text.find_last_not_of('\n') + 1));
  line += '\n';
  std::string_view left = line;
  while (!left.empty()) {
    const ssize_t n = ::write(STDERR_FILENO, left.data(), left.size());
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      throw Error("file.write", std::string("standard error: cannot write: ") + std::strerror(errno),
                  "give the report a file: --report=FILE");
    left.remove_prefix(static_cast<std::size_t>(n));
  }
}

void write_result(const std::string& path, std::string_view bytes) {
  write_file(path, bytes);
}

Progress::Progress(std::string what) : what_(std::move(what)), shown_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (!drawn_)
    return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
}

void Progress::step(std::size_t done, std::size_t total) {
  if (!shown_ || total == 0)
    return;
  const int percent = static_cast<int>(done * 100 / total);
  if (percent == last_percent_)
    return;
  last_percent_ = percent;
  drawn_ = true;
  std::fputs(fmt::format("\r\033[K{}: {} of {} ({} %)", what_, done, total, percent).c_str(), stderr);
  std::fflush(stderr);
}

}  // namespace tandem::cli
