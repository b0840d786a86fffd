#include "agent/cli/child.h"

#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace agent::cli {
namespace {

constexpr int kEventsNumber = 3;     // where the child writes events
constexpr int kAboveTheChilds = 10;  // our ends lie out of the way of what it inherits
constexpr int kCannotRun = 126, kNotFound = 127;

struct Pair {
  Descriptor ours, childs;
};

// Moves a descriptor above those that the child gets, to be closed when it starts.
Descriptor out_of_the_way(int number) {
  const int moved = fcntl(number, F_DUPFD_CLOEXEC, kAboveTheChilds);
  close(number);
  return Descriptor(moved);
}

Pair make_pipe() {
  std::array<int, 2> ends{-1, -1};
  if (pipe(ends.data()) != 0) return {};
  return {out_of_the_way(ends[0]), out_of_the_way(ends[1])};
}

// A terminal of the size and manners of ours, which passes on what is written as it is.
Pair make_terminal() {
  int master = -1, slave = -1;
  winsize size{};
  ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
  if (openpty(&master, &slave, nullptr, nullptr, &size) != 0) return {};
  termios manners{};
  tcgetattr(slave, &manners);
  manners.c_oflag &= ~static_cast<tcflag_t>(OPOST);
  tcsetattr(slave, TCSANOW, &manners);
  return {out_of_the_way(master), out_of_the_way(slave)};
}

// In the child: becomes `command`, or says why not.
[[noreturn]] void become(const std::vector<char*>& command, int out, int err, int events,
                         int report) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  dup2(events, kEventsNumber);
  execvp(command[0], command.data());
  const int fault = errno;
  [[maybe_unused]] const ssize_t written = write(report, &fault, sizeof fault);
  _exit(kNotFound);
}

}  // namespace

void Descriptor::close() {
  if (number_ >= 0) ::close(std::exchange(number_, -1));
}

Result<Child> Child::start(const std::vector<std::string>& command,
                           const std::vector<std::pair<std::string, std::string>>& variables,
                           int& exit_code) {
  exit_code = kCannotRun;
  Child child;
  const bool out_is_terminal = isatty(STDOUT_FILENO) == 1;
  const bool err_is_terminal = isatty(STDERR_FILENO) == 1;
  Pair out = out_is_terminal ? make_terminal() : make_pipe();
  // Two streams to one terminal keep their order by being one.
  const bool is_one = out_is_terminal && err_is_terminal;
  Pair err = is_one ? Pair{} : err_is_terminal ? make_terminal() : make_pipe();
  Pair events = make_pipe();
  Pair report = make_pipe();
  const int err_number = is_one ? out.childs.number() : err.childs.number();
  if (!out.ours.is_open() || err_number < 0 || !events.ours.is_open() || !report.ours.is_open()) {
    return failure(std::string("cannot make pipes: ") + std::strerror(errno));
  }
  for (const auto& [name, value] : variables) setenv(name.c_str(), value.c_str(), 1);
  std::vector<std::string> copy = command;
  std::vector<char*> words;
  words.reserve(copy.size() + 1);
  for (std::string& word : copy) words.push_back(word.data());
  words.push_back(nullptr);

  child.pid_ = fork();
  if (child.pid_ < 0) return failure(std::string("cannot fork: ") + std::strerror(errno));
  if (child.pid_ == 0) {
    become(words, out.childs.number(), err_number, events.childs.number(), report.childs.number());
  }
  report.childs.close();
  int fault = 0;
  if (read(report.ours.number(), &fault, sizeof fault) == sizeof fault) {
    waitpid(child.pid_, nullptr, 0);
    if (fault == ENOENT) exit_code = kNotFound;
    return failure("cannot run " + command[0] + ": " + std::strerror(fault));
  }
  if (out_is_terminal || err_is_terminal) {
    const Descriptor& terminal = out_is_terminal ? out.ours : err.ours;
    child.terminal_ = Descriptor(fcntl(terminal.number(), F_DUPFD_CLOEXEC, kAboveTheChilds));
  }
  child.outputs_.push_back({std::move(out.ours), STDOUT_FILENO});
  if (!is_one) child.outputs_.push_back({std::move(err.ours), STDERR_FILENO});
  child.events_ = std::move(events.ours);
  return child;
}

void Child::resize() const {
  winsize size{};
  if (!terminal_.is_open() || ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0) return;
  ioctl(terminal_.number(), TIOCSWINSZ, &size);
}

}  // namespace agent::cli
