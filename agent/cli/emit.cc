// `emit EVENT --FIELD VALUE…`: one event from a shell; `emit -`: the lines of standard input.
#include "agent/cli/emit.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <string>

#include "agent/cli/job_stream.h"
#include "agent/cli/output.h"
#include "agent/wire/decode.h"

namespace agent::cli {
namespace {

using progress_agent::Fields;

bool is_number(std::string_view text) {
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  return read.ec == std::errc() && read.ptr == text.data() + text.size();
}

// "team=search,tier=gold" as an object; an object as it is. Empty: neither.
std::optional<std::string> labels_object(std::string_view text) {
  if (text.starts_with('{')) return std::string(text);
  Fields labels;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find(','));
    const std::size_t equals = pair.find('=');
    if (equals == 0 || equals == std::string_view::npos) return std::nullopt;
    labels.text(pair.substr(0, equals), pair.substr(equals + 1));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
  }
  return "{" + labels.json() + "}";
}

// Adds the field that `option` sets. False: the value is not of its kind; that was complained of.
bool add_field(const Option& option, const std::string& value, Fields& fields) {
  const std::string_view name = field_of(option);
  std::optional<std::string> json;
  if (option.value == kTextValue || (option.value == kTimeValue && !is_number(value))) {
    fields.text(name, value);
    return true;
  }
  if (option.value == kLabelsValue) {
    json = labels_object(value);
  } else if (option.value == kSwitchValue) {
    if (value == "true" || value == "false") json = value;
  } else if (option.value == kJsonValue || is_number(value)) {
    json = value;
  }
  if (!json) {
    complain("emit: " + std::string(option.name) + " takes " + std::string(option.value) +
             ", not \"" + value + "\"");
    return false;
  }
  fields.raw(name, *json);
  return true;
}

// The event as a line; empty: it was complained of.
std::string event_line(const Invocation& invocation) {
  Fields fields;
  fields.text("event", invocation.arguments[0]);
  for (const Option& option : kEmitOptions) {
    const std::string& value = invocation.option(option.name);
    if (!value.empty() && !add_field(option, value, fields)) return {};
  }
  std::string line = "{" + fields.json() + "}";
  // The agent's own decoder: what it would refuse is said before anything is sent.
  line.reserve(line.size() + wire::kPadding);
  wire::Decoder decoder;
  if (const auto decoded = decoder.decode(line, std::nullopt); !decoded) {
    complain("emit: " + decoded.error().message);
    return {};
  }
  return line + '\n';
}

// A connection for a few lines: everything is written, then the agent is heard to the end. It
// answers all before it closes, so that an event is applied when `finish` returns.
class Errand {
 public:
  explicit Errand(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path) return;
    std::memcpy(address.sun_path, path.data(), path.size());
    socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket_ < 0) return;
    const timeval bound{.tv_sec = kAgentFarewell.count() / 1000, .tv_usec = 0};
    setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof bound);
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
    is_open_ = connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  Errand(const Errand&) = delete;
  Errand& operator=(const Errand&) = delete;
  ~Errand() {
    if (socket_ >= 0) close(socket_);
  }

  [[nodiscard]] bool is_open() const { return is_open_; }

  bool write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  // The agent's replies, which are refusals; false: it did not answer to the end.
  bool finish(std::string& replies) {
    shutdown(socket_, SHUT_WR);
    std::array<char, 4096> bytes;
    for (;;) {
      const ssize_t got = recv(socket_, bytes.data(), bytes.size(), 0);
      if (got == 0) return true;
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return false;
      replies.append(bytes.data(), static_cast<std::size_t>(got));
    }
  }

 private:
  int socket_ = -1;
  bool is_open_ = false;
};

bool write_input(Errand& errand) {
  std::array<char, 65536> bytes;
  for (;;) {
    const ssize_t got = read(STDIN_FILENO, bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got == 0;
    if (!errand.write({bytes.data(), static_cast<std::size_t>(got)})) return false;
  }
}

}  // namespace

int emit(const Invocation& invocation) {
  const bool is_input = invocation.arguments[0] == "-";
  const std::string line = is_input ? "" : event_line(invocation);
  if (!is_input && line.empty()) return kUsage;
  const std::string socket = agent_socket(invocation);
  if (socket.empty()) return kSuccess;
  Errand errand(socket);
  if (!errand.is_open()) {
    complain("emit: no agent at " + socket + " (" + std::strerror(errno) + "): nothing was sent");
    return kSuccess;  // reporting never fails a job
  }
  std::string refused;
  const bool is_sent = is_input ? write_input(errand) : errand.write(line);
  int error = is_sent ? 0 : errno;
  if (!errand.finish(refused) && error == 0) error = errno;
  if (refused.ends_with('\n')) refused.pop_back();
  // What is of no line is of the connection: the agent is full, or does not let this user in.
  const bool is_turned_away = refused.find("\"line\":0,") != std::string::npos;
  if (error != 0 || is_turned_away) {
    complain("emit: the agent at " + socket +
             " did not take everything: " + (refused.empty() ? std::strerror(error) : refused));
    return kSuccess;
  }
  if (refused.empty()) return kSuccess;
  complain_plainly(refused);
  complain("emit: the agent refused this");
  return kFault;
}

}  // namespace agent::cli
