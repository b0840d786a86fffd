// `pipe --session NAME`: standard input to standard output, unchanged, and how far it is.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstring>
#include <string>

#include "agent/cli/job_stream.h"
#include "agent/cli/output.h"
#include "agent/clock.h"

namespace agent::cli {
namespace {

using progress_agent::Fields;

constexpr auto kReportEvery = std::chrono::milliseconds(200);
constexpr std::size_t kBuffer = 256 * 1024;
constexpr std::string_view kFile = "stdin";

volatile std::sig_atomic_t asked_to_end = 0;
void note_signal(int number) { asked_to_end = number; }

std::optional<std::int64_t> whole_number(const std::string& text) {
  std::int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_good =
      read.ec == std::errc() && read.ptr == text.data() + text.size() && value >= 0;
  return is_good ? std::optional(value) : std::nullopt;
}

// What is expected and what has come: bytes of one file, or lines that are counted.
class Flow {
 public:
  Flow(progress_agent::Client& client, const Invocation& invocation,
       std::optional<std::int64_t> expected)
      : client_(client),
        session_(invocation.option("--session")),
        counts_lines_(invocation.has("--lines")),
        expected_(expected) {
    client_.emit("session.start", session_,
                 counts_lines_ ? Fields().text("unit", "lines") : Fields());
    report(false);
  }

  void add(std::string_view piece) {
    bytes_ += static_cast<std::int64_t>(piece.size());
    if (counts_lines_) lines_ += std::count(piece.begin(), piece.end(), '\n');
    if (!piece.empty()) ends_in_line_ = piece.back() != '\n';
    if (clock_.now().steady - reported_ >= kReportEvery) report(false);
  }

  void end(std::string_view status, std::string_view reason) {
    if (ends_in_line_) ++lines_;  // the last one has no newline
    report(status == "completed");
    Fields fields;
    fields.text("status", status);
    if (!reason.empty()) fields.text("reason", reason);
    client_.emit("session.end", session_, fields);
  }

 private:
  void report(bool is_done) {
    reported_ = clock_.now().steady;
    Fields fields;
    if (counts_lines_) {
      fields.number("completed", lines_).number("bytesDone", bytes_);
      if (is_done || expected_)
        fields.number("total", is_done ? lines_ : std::max(lines_, *expected_));
      client_.emit("progress", session_, fields);
      return;
    }
    fields.text("file", kFile).text("status", is_done ? "completed" : "processing");
    fields.number("bytesDone", bytes_);
    if (is_done || expected_)
      fields.number("bytes", is_done ? bytes_ : std::max(bytes_, *expected_));
    client_.emit("file", session_, fields);
  }

  progress_agent::Client& client_;
  const std::string session_;
  const bool counts_lines_;
  const std::optional<std::int64_t> expected_;
  std::int64_t bytes_ = 0, lines_ = 0;
  bool ends_in_line_ = false;
  const SystemClock clock_;
  SteadyInstant reported_{};
};

// Writes all of it; an errno otherwise.
int write_out(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno != EINTR) return errno;
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
    if (asked_to_end != 0) return EINTR;
  }
  return 0;
}

// Copies to the end; why it stopped before, as an errno, or 0.
int copy(Flow& flow) {
  std::array<char, kBuffer> bytes;
  while (asked_to_end == 0) {
    const ssize_t got = read(STDIN_FILENO, bytes.data(), bytes.size());
    if (got < 0 && errno != EINTR) return errno;
    if (got == 0) return asked_to_end == 0 ? 0 : EINTR;
    if (got < 0) continue;
    const std::string_view piece(bytes.data(), static_cast<std::size_t>(got));
    if (const int fault = write_out(piece); fault != 0) return fault;
    flow.add(piece);
  }
  return EINTR;
}

int complain_of_usage(const std::string& what) {
  complain("pipe: " + what + "; see progress-agent pipe --help");
  return kUsage;
}

// Ends by the signal, as without us.
int end_by(int number) {
  std::signal(number, SIG_DFL);
  raise(number);
  return kFault;
}

}  // namespace

int pipe_through(const Invocation& invocation) {
  if (!invocation.has("--session")) return complain_of_usage("needs --session=NAME");
  const bool counts_lines = invocation.has("--lines");
  if (invocation.has(counts_lines ? "--size" : "--expect")) {
    return complain_of_usage("--size is of bytes, --expect of --lines");
  }
  const std::string_view name = counts_lines ? "--expect" : "--size";
  std::optional<std::int64_t> expected;
  if (invocation.has(name)) {
    expected = whole_number(invocation.option(name));
    if (!expected)
      return complain_of_usage(std::string(name) + " takes a whole number, not \"" +
                               invocation.option(name) + "\"");
  }
  struct sigaction action {};
  action.sa_handler = note_signal;  // without SA_RESTART: a read that waits comes back
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaction(number, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  int fault = 0;
  {
    progress_agent::Client client(job_stream(agent_socket(invocation)));
    Flow flow(client, invocation, expected);
    fault = copy(flow);
    const bool is_asked = fault == EINTR || fault == EPIPE;
    flow.end(fault == 0 ? "completed"
             : is_asked ? "cancelled"
                        : "failed",
             fault == 0       ? ""
             : fault == EINTR ? "a signal"
                              : std::strerror(fault));
  }
  if (fault == EPIPE) return end_by(SIGPIPE);
  if (fault == EINTR) return end_by(asked_to_end);
  if (fault == 0) return kSuccess;
  complain(std::string("pipe: ") + std::strerror(fault));
  return kFault;
}

}  // namespace agent::cli
