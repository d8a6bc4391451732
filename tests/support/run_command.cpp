// Starting a program with its three standard streams on pipes, served by one poll loop.
#include "tests/support/run_command.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

extern "C" char** environ;

namespace tandem::test {
namespace {

void require(int error, const std::string& what) {
  if (error != 0)
    throw std::system_error(error, std::generic_category(), what);
}

// A pipe whose ends close themselves, and are not inherited by other programs that tests start at the same time.
struct Pipe {
  std::array<int, 2> ends{-1, -1};
  Pipe() { require(pipe2(ends.data(), O_CLOEXEC) == 0 ? 0 : errno, "pipe"); }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_end(std::size_t i) {
    if (ends[i] >= 0)
      close(ends[i]);
    ends[i] = -1;
  }
};

pid_t start(const std::vector<std::string>& arguments, const CommandOptions& options, const Pipe& in, const Pipe& out,
            const Pipe& err) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments)
    argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.ends[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.ends[1], STDERR_FILENO);
  if (!options.directory.empty())
    posix_spawn_file_actions_addchdir_np(&actions, options.directory.c_str());
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  require(error, "cannot start " + arguments.front());
  return pid;
}

// Reads what is there; closes the end at the end of the stream.
void drain(Pipe& pipe, std::string& into) {
  std::array<char, 65536> buffer;
  const ssize_t n = read(pipe.ends[0], buffer.data(), buffer.size());
  if (n > 0) {
    into.append(buffer.data(), static_cast<std::size_t>(n));
  } else if (n == 0 || errno != EINTR) {
    pipe.close_end(0);
  }
}

// Writes what fits; closes the end when all is written or nobody reads.
void feed(Pipe& pipe, std::string_view& rest) {
  const ssize_t n = write(pipe.ends[1], rest.data(), rest.size());
  if (n > 0)
    rest.remove_prefix(static_cast<std::size_t>(n));
  if (rest.empty() || (n < 0 && errno != EAGAIN && errno != EINTR))
    pipe.close_end(1);
}

// Serves the streams until the program closed its outputs. False when the time is up first.
bool serve(Pipe& in, Pipe& out, Pipe& err, std::string_view input, std::chrono::seconds timeout,
           CommandResult& result) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (out.ends[0] >= 0 || err.ends[0] >= 0) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0)
      return false;
    std::array<pollfd, 3> fds{pollfd{in.ends[1], POLLOUT, 0}, pollfd{out.ends[0], POLLIN, 0},
                              pollfd{err.ends[0], POLLIN, 0}};
    if (poll(fds.data(), fds.size(), static_cast<int>(left.count())) < 0 && errno != EINTR)
      require(errno, "poll");
    if (fds[0].revents != 0)
      feed(in, input);
    if (fds[1].revents != 0)
      drain(out, result.out);
    if (fds[2].revents != 0)
      drain(err, result.err);
  }
  return true;
}

}  // namespace

CommandResult run_command(const std::vector<std::string>& arguments, const CommandOptions& options) {
  if (arguments.empty())
    throw std::invalid_argument("run_command needs the name of a program");
  signal(SIGPIPE, SIG_IGN);  // a program that ends early must not end the test
  Pipe in, out, err;
  const pid_t pid = start(arguments, options, in, out, err);
  in.close_end(0);
  out.close_end(1);
  err.close_end(1);
  fcntl(in.ends[1], F_SETFL, O_NONBLOCK);
  if (options.input.empty())
    in.close_end(1);

  CommandResult result;
  result.timed_out = !serve(in, out, err, options.input, options.timeout, result);
  if (result.timed_out)
    kill(pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR)
      require(errno, "waitpid");
  }
  result.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return result;
}

CommandResult run_tandem(const std::vector<std::string>& arguments, const CommandOptions& options) {
  std::vector<std::string> all{TANDEM_COMMAND};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return run_command(all, options);
}

}  // namespace tandem::test
