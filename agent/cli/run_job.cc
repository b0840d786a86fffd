// `run --session NAME -- COMMAND…`: a command, its session, and its progress. See its remarks in
// command.cc for what it promises.
#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "agent/cli/child.h"
#include "agent/cli/job_stream.h"
#include "agent/cli/output.h"
#include "agent/cli/recognise.h"
#include "agent/clock.h"

namespace agent::cli {
namespace {

using progress_agent::Fields;

constexpr std::array kPassedOn = {SIGTERM, SIGINT,  SIGHUP,   SIGQUIT,
                                  SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT};
constexpr auto kReportEvery = std::chrono::milliseconds(200);
constexpr std::size_t kLongestEvent = 64 * 1024;
constexpr const char* kProgressFileVariable = "ARGO_PROGRESS_FILE";
constexpr int kSignalledCode = 128;  // a shell's code for an end by signal n is this + n

// The file in which a job may write its progress as "N/M": the one that the environment names, or
// one of our own for as long as the job runs.
class ProgressFile {
 public:
  ProgressFile() {
    if (const char* given = std::getenv(kProgressFileVariable); given != nullptr && *given != 0) {
      path_ = given;
      return;
    }
    const char* folder = std::getenv("TMPDIR");
    path_ = std::string(folder != nullptr ? folder : "/tmp") + "/progress-agent.XXXXXX";
    const Descriptor made(mkstemp(path_.data()));
    is_ours_ = made.is_open();
    if (!is_ours_) path_.clear();
  }
  ProgressFile(const ProgressFile&) = delete;
  ProgressFile& operator=(const ProgressFile&) = delete;
  ~ProgressFile() {
    if (is_ours_) unlink(path_.c_str());
  }

  [[nodiscard]] const std::string& path() const { return path_; }

  // What was written since the last look.
  std::optional<Count> look() {
    struct stat about {};
    if (path_.empty() || stat(path_.c_str(), &about) != 0) return std::nullopt;
    const auto changed = std::pair(about.st_mtim.tv_sec, about.st_mtim.tv_nsec);
    if (about.st_size == 0 || changed == changed_) return std::nullopt;
    changed_ = changed;
    const Descriptor file(open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    std::array<char, 4096> bytes;
    const off_t tail = std::max<off_t>(0, about.st_size - static_cast<off_t>(bytes.size()));
    const ssize_t got = pread(file.number(), bytes.data(), bytes.size(), tail);
    if (got <= 0) return std::nullopt;
    std::string_view text(bytes.data(), static_cast<std::size_t>(got));
    while (text.ends_with('\n')) text.remove_suffix(1);
    return recognise(text.substr(text.rfind('\n') + 1));  // npos + 1 is 0
  }

 private:
  std::string path_;
  bool is_ours_ = false;
  std::pair<time_t, long> changed_;
};

// The session that the command is, told to the agent.
class Job {
 public:
  Job(progress_agent::Client& client, const Invocation& invocation)
      : client_(client), id_(invocation.option("--session")) {
    Fields start;
    if (invocation.has("--name")) start.text("name", invocation.option("--name"));
    if (invocation.has("--family")) start.text("family", invocation.option("--family"));
    client_.emit("session.start", id_, start);
  }

  // From its output, unless the job tells its progress itself.
  void show(const Count& count) {
    if (tells_itself_ || shown_ == count) return;
    pending_ = count;
    report(false);
  }
  // From its own file: believed more than its output.
  void tell(const Count& count) {
    tells_itself_ = true;
    pending_ = count;
    report(false);
  }
  // A line of JSON from its descriptor 3.
  void take_event(std::string_view line) {
    const std::size_t begin = line.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos) return;
    line.remove_prefix(begin);
    if (!line.starts_with('{') || line.size() > kLongestEvent) {
      if (!std::exchange(has_complained_, true)) {
        complain("run: a line on descriptor 3 is no JSON object: " +
                 std::string(line.substr(0, 80)));
      }
      return;
    }
    tells_itself_ = true;
    pending_.reset();
    // Of a name given twice the last counts: what the line says itself wins.
    std::string event = "{" + Fields().text("session", id_).json();
    const bool is_empty = line.find_first_not_of(" \t", 1) == line.find('}');
    client_.emit_line(event + (is_empty ? "" : ",") + std::string(line.substr(1)));
  }

  void report(bool is_last) {
    const auto now = clock_.now().steady;
    if (!pending_ || (!is_last && now - reported_ < kReportEvery)) return;
    if (pending_->is_percent && !shown_) {
      client_.emit("session.update", id_, Fields().text("unit", "percent"));
    }
    client_.emit("progress", id_,
                 Fields().number("completed", pending_->done).number("total", pending_->total));
    shown_ = std::exchange(pending_, std::nullopt);
    reported_ = now;
  }

  void end(int status) {
    report(true);
    Fields fields;
    if (WIFSIGNALED(status)) {
      const int number = WTERMSIG(status);
      const bool was_asked = number == SIGTERM || number == SIGINT || number == SIGHUP;
      fields.text("status", was_asked ? "cancelled" : "failed");
      fields.text("reason",
                  std::string("signal ") + std::to_string(number) + " (" + strsignal(number) + ")");
    } else {
      const int code = WEXITSTATUS(status);
      fields.text("status", code == 0 ? "completed" : "failed");
      if (code != 0) fields.text("reason", "exit code " + std::to_string(code));
    }
    client_.emit("session.end", id_, fields);
  }

 private:
  progress_agent::Client& client_;
  const std::string id_;
  bool tells_itself_ = false, has_complained_ = false;
  std::optional<Count> pending_, shown_;
  const SystemClock clock_;
  SteadyInstant reported_ = clock_.now().steady;  // so that its own events have time to come first
};

bool write_all(int to, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(to, text.data(), text.size());
    if (written < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// The signals that this process gets, as something to read.
Descriptor take_signals() {
  sigset_t taken;
  sigemptyset(&taken);
  sigaddset(&taken, SIGCHLD);
  for (const int number : kPassedOn) sigaddset(&taken, number);
  sigprocmask(SIG_BLOCK, &taken, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return Descriptor(signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK));
}

// Passes everything through until the child has ended and all it said is passed on.
class Passage {
 public:
  Passage(Child& child, Descriptor& signals, Job& job, ProgressFile& file)
      : child_(child), signals_(signals), job_(job), file_(file), heard_(child.outputs().size()) {}

  // The child's status, as waitpid gives it.
  int run() {
    while (!has_ended_ || any_waiting()) {
      wait();
      read_file();
      job_.report(false);
    }
    read_file();
    for (Listening& listening : heard_) {
      if (listening.finish()) job_.show(*listening.count());
    }
    return status_;
  }

 private:
  // Once the child has ended, only what is there already is read: a grandchild may hold its output
  // open for ever.
  bool any_waiting() { return poll_all(0) > 0; }

  int poll_all(int timeout) {
    watched_.clear();
    // What the job tells itself comes before what its output shows.
    if (child_.events().is_open()) watched_.push_back({child_.events().number(), POLLIN, 0});
    if (!has_ended_) watched_.push_back({signals_.number(), POLLIN, 0});
    for (const Child::Output& output : child_.outputs()) {
      if (output.from.is_open()) watched_.push_back({output.from.number(), POLLIN, 0});
    }
    return poll(watched_.data(), watched_.size(), timeout);
  }

  void wait() {
    if (poll_all(has_ended_ ? 0 : static_cast<int>(kReportEvery.count())) <= 0) return;
    for (const pollfd& one : watched_) {
      if (one.revents == 0) continue;
      if (one.fd == signals_.number()) take_signal();
      if (one.fd == child_.events().number()) take_events();
      for (std::size_t i = 0; i < child_.outputs().size(); ++i) {
        if (one.fd == child_.outputs()[i].from.number()) pass_output(i);
      }
    }
  }

  void read_file() {
    if (const auto count = file_.look()) job_.tell(*count);
  }

  void take_signal() {
    signalfd_siginfo signal{};
    while (read(signals_.number(), &signal, sizeof signal) == sizeof signal) {
      const int number = static_cast<int>(signal.ssi_signo);
      if (number == SIGCHLD) {
        has_ended_ |= waitpid(child_.pid(), &status_, WNOHANG) == child_.pid();
        continue;
      }
      if (number == SIGWINCH) child_.resize();
      // What the terminal sends it sends to the child too.
      if (signal.ssi_code != SI_KERNEL && !has_ended_) kill(child_.pid(), number);
    }
  }

  void pass_output(std::size_t i) {
    Child::Output& output = child_.outputs()[i];
    const ssize_t got = read(output.from.number(), bytes_.data(), bytes_.size());
    if (got < 0 && errno == EINTR) return;
    if (got <= 0) return output.from.close();  // a terminal's end is an error
    const std::string_view piece(bytes_.data(), static_cast<std::size_t>(got));
    if (!write_all(output.to, piece))
      return output.from.close();  // the child gets SIGPIPE, as without us
    if (heard_[i].hear(piece)) job_.show(*heard_[i].count());
  }

  void take_events() {
    const ssize_t got = read(child_.events().number(), bytes_.data(), bytes_.size());
    if (got < 0 && errno == EINTR) return;
    if (got > 0) {
      events_.append(bytes_.data(), static_cast<std::size_t>(got));
    } else {
      child_.events().close();
      events_ += '\n';
    }
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = events_.find('\n', begin)) != std::string::npos;
         begin = end + 1) {
      job_.take_event(std::string_view(events_).substr(begin, end - begin));
    }
    events_.erase(0, begin);
    if (events_.size() > kLongestEvent) events_.clear();
  }

  Child& child_;
  Descriptor& signals_;
  Job& job_;
  ProgressFile& file_;
  std::vector<Listening> heard_;
  std::vector<pollfd> watched_;
  std::array<char, 65536> bytes_;
  std::string events_;
  bool has_ended_ = false;
  int status_ = 0;
};

// Ends as the child did.
int end_as(int status) {
  if (!WIFSIGNALED(status)) return WEXITSTATUS(status);
  const int number = WTERMSIG(status);
  std::signal(number, SIG_DFL);
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, number);
  sigprocmask(SIG_UNBLOCK, &one, nullptr);
  raise(number);
  return kSignalledCode + number;  // the first process of a container survives it
}

}  // namespace

int run_job(const Invocation& invocation) {
  if (!invocation.has("--session") || invocation.wrapped.empty()) {
    complain(std::string("run: ") +
             (invocation.wrapped.empty() ? "needs a command behind --" : "needs --session=NAME") +
             "; see progress-agent run --help");
    return kUsage;
  }
  Descriptor signals = take_signals();
  ProgressFile file;
  int exit_code = kFault;
  auto child = Child::start(invocation.wrapped,
                            {{"PROGRESS_AGENT_SESSION", invocation.option("--session")},
                             {kProgressFileVariable, file.path()}},
                            exit_code);
  if (!child) {
    complain("run: " + child.error().message);
    return exit_code;
  }
  int status = 0;
  {
    progress_agent::Client client(job_stream(agent_socket(invocation)));
    Job job(client, invocation);
    status = Passage(*child, signals, job, file).run();
    job.end(status);
  }
  return end_as(status);
}

}  // namespace agent::cli
