// progress_agent: tells a progress-agent how far a job is. One header, C++17 and POSIX only; copy
// it beside your job and link with the threads library.
//
//   progress_agent::Client agent;
//   progress_agent::Session job(agent, "nightly", progress_agent::Fields().number("totalFiles",
//   2)); job.file("a.pdf", "processing"); job.file("a.pdf", "completed",
//   progress_agent::Fields().number("bytes", 1048576)); job.end();
//
// Events go over the agent's Unix stream socket from a thread of the client's own. The job never
// waits for the agent and never fails because of it: what the agent has not acknowledged is kept,
// within a bound, and sent again after a reconnect; without an agent everything here does nothing,
// after one warning. All of it may be called from any thread. A forked child reports over a stream
// of its own.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

namespace progress_agent {

// ---- Events as text

// The fields of an event, spelled as the agent spells them. Numbers that JSON does not have (NaN,
// Infinity) are left out.
class Fields {
 public:
  Fields& text(std::string_view name, std::string_view value) {
    key(name);
    quote(value);
    return *this;
  }
  Fields& number(std::string_view name, std::int64_t value) {
    return raw(name, std::to_string(value));
  }
  Fields& number(std::string_view name, int value) {
    return number(name, static_cast<std::int64_t>(value));
  }
  Fields& number(std::string_view name, double value) {
    if (!std::isfinite(value)) return *this;
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    return raw(name, std::string_view(digits, static_cast<std::size_t>(end - digits)));
  }
  Fields& flag(std::string_view name, bool value) { return raw(name, value ? "true" : "false"); }
  // `json` is taken as it is: an object, an array, or a number of the caller's own.
  Fields& raw(std::string_view name, std::string_view json) {
    key(name);
    text_ += json;
    return *this;
  }
  Fields& append(const Fields& more) {
    if (!text_.empty() && !more.text_.empty()) text_ += ',';
    text_ += more.text_;
    return *this;
  }

  // `"name":value,…`, without braces.
  [[nodiscard]] const std::string& json() const { return text_; }

 private:
  void key(std::string_view name) {
    if (!text_.empty()) text_ += ',';
    quote(name);
    text_ += ':';
  }
  void quote(std::string_view value) {
    constexpr std::string_view kHex = "0123456789abcdef";
    text_ += '"';
    for (const char c : value) {
      const auto byte = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\') {
        text_ += '\\';
        text_ += c;
      } else if (byte < ' ') {
        text_ += "\\u00";
        text_ += kHex[byte >> 4U];
        text_ += kHex[byte & 15U];
      } else {
        text_ += c;
      }
    }
    text_ += '"';
  }

  std::string text_;
};

struct Options {
  // The agent's socket; by default $PROGRESS_AGENT_INGEST_SOCKET, else
  // /run/progress-agent/agent.sock.
  // "" turns everything off.
  std::optional<std::string> socket;
  // Who this process is to the agent. One that stays the same over restarts of the job makes it
  // exact through its own death (see Client::last_seq); the default is new for each process.
  std::string producer;
  // How much is kept until the agent has it; when it is full the oldest events are given up, and
  // counted.
  std::size_t buffer_bytes = std::size_t{8} << 20U;
  // For how long an agent that was never there may hold up flush() and the destructor.
  std::chrono::milliseconds wait{1000};
  // For how long the destructor waits for the last acknowledgement.
  std::chrono::milliseconds farewell{5000};
  // Told, from the client's thread, what goes wrong, each kind once; by default standard error is.
  std::function<void(const std::string&)> warn;
};

// What became of the events of this process.
struct Statistics {
  std::uint64_t made = 0, acknowledged = 0, refused = 0, dropped = 0, connections = 0;
};

// ---- The stream: what is kept, and the thread that sends it. Used by Client only.

namespace internal {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kFirstRetry{50}, kLastRetry{2000}, kAnswer{5000};
constexpr std::size_t kBatch = 64 * 1024;
constexpr std::size_t kOverhead = 80;  // what a kept event costs beside its text
constexpr std::size_t kLongestReply = std::size_t{1} << 20U;

inline std::string default_socket() {
  const char* given = std::getenv("PROGRESS_AGENT_INGEST_SOCKET");
  return given != nullptr ? given : "/run/progress-agent/agent.sock";
}

inline std::string fresh_producer() {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::random_device random;
  std::string name = "cpp-" + std::to_string(::getpid()) + "-";
  for (int i = 0; i < 12; ++i) name += kHex[random() & 15U];
  return name;
}

// The number after `"name":` in a reply of the agent's, which writes no blanks there.
inline std::optional<std::uint64_t> number_in(std::string_view reply, std::string_view name) {
  const std::string key = "\"" + std::string(name) + "\":";
  const std::size_t at = reply.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  std::uint64_t value = 0;
  const char* begin = reply.data() + at + key.size();
  if (std::from_chars(begin, reply.data() + reply.size(), value).ec != std::errc())
    return std::nullopt;
  return value;
}

class Stream {
 public:
  Stream(const Options& options, std::string producer)
      : options_(options),
        socket_path_(options.socket ? *options.socket : default_socket()),
        producer_(std::move(producer)) {}

  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Ends the thread; what is not sent is lost.
  ~Stream() {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
      wake();
    }
    if (thread_.joinable()) thread_.join();
    for (const int end : waker_) {
      if (end >= 0) ::close(end);
    }
  }

  // `event` is an object's fields without braces. The start of a session that runs is never given
  // up: a restarted agent shall know what it is.
  void put(std::string event, std::string_view kind = {}, std::string_view session = {}) {
    if (socket_path_.empty()) return;
    const std::lock_guard lock(mutex_);
    if (!start()) return;
    bytes_ += event.size() + kOverhead;
    const bool is_start = kind == "session.start";
    if (is_start || kind == "session.end") unpin(session);
    kept_.push_back({++made_, std::move(event), std::string(is_start ? session : "")});
    while (bytes_ > options_.buffer_bytes && give_up_oldest()) {
    }
    wake();
  }

  bool flush(std::chrono::milliseconds timeout) {
    if (socket_path_.empty()) return false;
    std::unique_lock lock(mutex_);
    const std::uint64_t wanted = made_;
    const auto deadline = Clock::now() + timeout;
    const auto has_all = [&] { return acknowledged_ >= wanted; };
    while (!has_all()) {
      const auto until =
          connections_ > 0 ? deadline : std::min(deadline, first_made_ + options_.wait);
      if (changed_.wait_until(lock, until) == std::cv_status::timeout && Clock::now() >= until)
        break;
    }
    if (!has_all()) warn("missing", missing_text());
    return has_all();
  }

  bool connect(std::chrono::milliseconds timeout) {
    if (socket_path_.empty()) return false;
    std::unique_lock lock(mutex_);
    if (!start()) return false;
    return changed_.wait_for(lock, timeout, [&] { return is_connected_; });
  }

  std::optional<std::uint64_t> last_seq() const {
    const std::lock_guard lock(mutex_);
    return welcomed_;
  }

  Statistics statistics() const {
    const std::lock_guard lock(mutex_);
    return {made_, acknowledged_, refused_, dropped_, connections_};
  }

 private:
  struct Event {
    std::uint64_t number;  // from 1 in this process; its seq is that + offset_
    std::string text;
    std::string start_of;  // the session that it starts and that runs; else empty
  };

  // All below: with mutex_ held, unless said otherwise.

  bool start() {
    if (thread_.joinable()) return true;
    if (::pipe(waker_) != 0) {
      warn("thread", std::string("cannot make a pipe: ") + std::strerror(errno));
      return false;
    }
    for (const int end : waker_) {
      ::fcntl(end, F_SETFD, FD_CLOEXEC);
      ::fcntl(end, F_SETFL, O_NONBLOCK);
    }
    first_made_ = Clock::now();
    // The job's signals are for its own threads: this one inherits that all are blocked.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      thread_ = std::thread([this] { run(); });
    } catch (const std::system_error& fault) {
      warn("thread", std::string("cannot start a thread: ") + fault.what());
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return thread_.joinable();
  }

  void wake() {
    if (!asleep_ || waker_[1] < 0) return;
    asleep_ = false;
    const char byte = 0;
    [[maybe_unused]] const ssize_t written = ::write(waker_[1], &byte, 1);
  }

  // An ended session's start is an event as others: sent again without its end, it would run
  // forever.
  void unpin(std::string_view session) {
    for (Event& event : kept_) {
      if (event.start_of == session) event.start_of.clear();
    }
  }

  // The oldest event but the starts; the oldest start where there is nothing else. False: only the
  // event just made is left.
  bool give_up_oldest() {
    if (kept_.size() <= 1) return false;
    const auto newest = std::prev(kept_.end());
    auto oldest =
        std::find_if(kept_.begin(), newest, [](const Event& e) { return e.start_of.empty(); });
    if (oldest == newest) oldest = kept_.begin();
    if (oldest->number > acknowledged_) {
      ++dropped_;
      warn("dropped", "the agent at " + socket_path_ + " takes no events, and " +
                          std::to_string(options_.buffer_bytes) +
                          " bytes of them are waiting: the oldest are given up");
    }
    bytes_ -= oldest->text.size() + kOverhead;
    kept_.erase(oldest);
    return true;
  }

  // Forgets what the agent has on disk. One that keeps all in memory may be restarted and know
  // nothing: for that one everything is kept while there is room.
  void forget_acknowledged() {
    while (durable_ && !kept_.empty() && kept_.front().number <= acknowledged_) {
      bytes_ -= kept_.front().text.size() + kOverhead;
      kept_.pop_front();
    }
  }

  void warn(const std::string& kind, const std::string& text) {
    if (!warned_.insert(kind).second) return;
    if (options_.warn) {
      options_.warn(text);
    } else {
      std::fprintf(stderr, "progress_agent: %s\n", text.c_str());
    }
  }

  [[nodiscard]] std::string missing_text() const {
    return connections_ == 0
               ? "no agent at " + socket_path_ + " (" + fault_ + "): progress is not reported"
               : "the agent at " + socket_path_ + " has not acknowledged " +
                     std::to_string(made_ - acknowledged_) + " events";
  }

  // The thread. Without the lock.
  void run() {
    auto retry = kFirstRetry;
    for (;;) {
      const int socket = open_socket();
      if (socket >= 0) {
        if (talk(socket)) retry = kFirstRetry;
        ::close(socket);
      }
      std::unique_lock lock(mutex_);
      is_connected_ = false;
      if (closing_) return;
      asleep_ = false;  // nothing to wake: only an end is waited for
      changed_.wait_for(lock, retry, [&] { return closing_; });
      if (closing_) return;
      retry = std::min(2 * retry, kLastRetry);
    }
  }

  // Without the lock.
  int open_socket() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket_path_.size() >= sizeof address.sun_path) return fail(ENAMETOOLONG);
    std::memcpy(address.sun_path, socket_path_.data(), socket_path_.size());
    const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
    if (socket < 0) return fail(errno);
    ::fcntl(socket, F_SETFD, FD_CLOEXEC);
    ::fcntl(socket, F_SETFL, O_NONBLOCK);
    if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      const int fault = errno;
      ::close(socket);
      return fail(fault);
    }
    return socket;
  }

  int fail(int fault) {
    const std::lock_guard lock(mutex_);
    fault_ = std::strerror(fault);
    return -1;
  }

  // One connection, to its end. Without the lock. True: the agent answered.
  bool talk(int socket) {
    bool is_welcome = false;
    std::string out =
        "{\"event\":\"hello\",\"ack\":true," + Fields().text("producer", producer_).json() + "}\n";
    std::string heard;
    const auto answer_by = Clock::now() + kAnswer;
    for (;;) {
      {
        const std::lock_guard lock(mutex_);
        if (closing_) return is_welcome;
        if (is_welcome) fill(out);
        asleep_ = true;
      }
      pollfd watched[2] = {{socket, static_cast<short>(out.empty() ? POLLIN : POLLIN | POLLOUT), 0},
                           {waker_[0], POLLIN, 0}};
      const int count = ::poll(watched, 2, is_welcome ? -1 : 200);
      if (count < 0 && errno != EINTR) return is_welcome;
      if (!is_welcome && Clock::now() > answer_by) return false;
      char drained[64];
      while (::read(waker_[0], drained, sizeof drained) > 0) {
      }
      if ((watched[0].revents & POLLOUT) != 0 && !send_some(socket, out)) return is_welcome;
      if ((watched[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0 &&
          !hear(socket, heard, is_welcome)) {
        return is_welcome;
      }
    }
  }

  static bool send_some(int socket, std::string& out) {
    const ssize_t sent = ::send(socket, out.data(), out.size(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    out.erase(0, static_cast<std::size_t>(sent));
    return true;
  }

  // The next lines to send.
  void fill(std::string& out) {
    auto event =
        std::lower_bound(kept_.begin(), kept_.end(), next_,
                         [](const Event& e, std::uint64_t number) { return e.number < number; });
    for (; event != kept_.end() && out.size() < kBatch; ++event) {
      out += "{\"seq\":" + std::to_string(event->number + offset_) + ',' + event->text + "}\n";
      next_ = event->number + 1;
    }
  }

  // Without the lock. False: the connection is of no more use.
  bool hear(int socket, std::string& heard, bool& is_welcome) {
    char bytes[4096];
    const ssize_t got = ::recv(socket, bytes, sizeof bytes, 0);
    if (got == 0) return false;
    if (got < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    heard.append(bytes, static_cast<std::size_t>(got));
    const std::lock_guard lock(mutex_);
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = heard.find('\n', begin)) != std::string::npos;
         begin = end + 1) {
      const std::string_view reply = std::string_view(heard).substr(begin, end - begin);
      if (!is_welcome) {
        if (!take_welcome(reply)) return false;
        is_welcome = true;
      } else {
        take(reply);
      }
    }
    heard.erase(0, begin);
    changed_.notify_all();
    return heard.size() < kLongestReply;
  }

  bool take_welcome(std::string_view reply) {
    const auto last = number_in(reply, "lastSeq");
    if (reply.find("\"welcome\"") == std::string_view::npos || !last) {
      warn("welcome",
           "the agent at " + socket_path_ + " answered hello with " + std::string(reply));
      return false;
    }
    durable_ = reply.find("\"durable\":true") != std::string_view::npos;
    if (!welcomed_) {
      welcomed_ = last;
      offset_ = *last;  // this process goes on where the last one of its name stopped
    }
    ++connections_;
    is_connected_ = true;
    acknowledged_ = std::min(*last > offset_ ? *last - offset_ : 0, made_);
    next_ = acknowledged_ + 1;
    forget_acknowledged();
    return true;
  }

  void take(std::string_view reply) {
    if (const auto ack = number_in(reply, "ack"); ack && *ack > offset_) {
      acknowledged_ = std::max(acknowledged_, std::min(*ack - offset_, made_));
      forget_acknowledged();
    } else if (reply.find("\"error\"") != std::string_view::npos) {
      ++refused_;
      const std::size_t code = reply.find("\"code\":\"");
      const std::string kind(code == std::string_view::npos ? reply.substr(0, 32)
                                                            : reply.substr(code, 40));
      warn(kind, "the agent refused an event: " + std::string(reply));
    }
  }

  const Options options_;
  const std::string socket_path_, producer_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::thread thread_;
  int waker_[2] = {-1, -1};
  bool closing_ = false, asleep_ = false, is_connected_ = false, durable_ = false;
  std::deque<Event> kept_;  // by number: what the agent may still need
  std::uint64_t next_ = 1;  // the number of the event to send next
  std::uint64_t offset_ = 0;
  std::uint64_t made_ = 0, acknowledged_ = 0, refused_ = 0, dropped_ = 0, connections_ = 0;
  std::size_t bytes_ = 0;
  std::optional<std::uint64_t> welcomed_;
  Clock::time_point first_made_{};
  std::string fault_ = "not tried yet";
  std::set<std::string> warned_;
};

}  // namespace internal

// ---- The client

// A stream to one agent. Outlives its sessions.
class Client {
 public:
  explicit Client(Options options = {})
      : options_(std::move(options)), owner_(::getpid()), stream_(make_stream(options_.producer)) {}
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Waits for the acknowledgement of what was said, `farewell` at most.
  ~Client() {
    if (owner_ != ::getpid()) return;  // the parent's stream; its thread is not here
    internal::Stream* stream = stream_;
    if (stream->statistics().made > 0) stream->flush(options_.farewell);
    delete stream;
  }

  // Any event of the agent's; with the time of the call. Never blocks, never throws for what it is
  // given.
  void emit(std::string_view event, std::string_view session, const Fields& fields = {}) {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    Fields all;
    all.text("event", event).text("session", session);
    if (fields.json().find("\"ts\":") == std::string::npos) {
      char seconds[40];
      std::snprintf(seconds, sizeof seconds, "%lld.%06ld", static_cast<long long>(now.tv_sec),
                    now.tv_nsec / 1000);
      all.raw("ts", seconds);
    }
    stream().put(all.append(fields).json(), event, session);
  }
  // An event that is one line of JSON already: an object with neither "seq" nor "producer".
  void emit_line(std::string_view object) {
    const std::size_t begin = object.find('{'), end = object.rfind('}');
    if (begin == std::string_view::npos || end == std::string_view::npos || end <= begin + 1)
      return;
    stream().put(std::string(object.substr(begin + 1, end - begin - 1)));
  }

  // Waits until the agent has all that was said so far; whether it has. An agent that was never
  // there is waited for Options::wait from the first event on.
  bool flush(std::chrono::milliseconds timeout = std::chrono::seconds(10)) {
    return stream().flush(timeout);
  }
  // Waits until the agent was reached; whether it was.
  bool connect(std::chrono::milliseconds timeout = std::chrono::seconds(10)) {
    return stream().connect(timeout);
  }
  // How many events of this producer the agent had when this process first reached it.
  [[nodiscard]] std::optional<std::uint64_t> last_seq() { return stream().last_seq(); }
  [[nodiscard]] Statistics statistics() { return stream().statistics(); }

 private:
  internal::Stream* make_stream(const std::string& producer) const {
    return new internal::Stream(options_, producer.empty() ? internal::fresh_producer() : producer);
  }

  // A forked child has the parent's memory but not its thread, and perhaps a lock that nobody will
  // ever release: it leaves the parent's stream alone, and makes its own.
  internal::Stream& stream() {
    const pid_t self = ::getpid();
    if (owner_ == self) return *stream_;
    const std::lock_guard lock(fork_mutex_);
    if (owner_ != self) {
      const std::string& name = options_.producer;
      stream_ = make_stream(name.empty() ? name : name + "/" + std::to_string(self));
      owner_ = self;
    }
    return *stream_;
  }

  const Options options_;
  std::atomic<pid_t> owner_;
  std::atomic<internal::Stream*> stream_;
  std::mutex fork_mutex_;
};

// ---- What a job says

// One run of a job. Ends as `failed` when it is destroyed by an exception, as `cancelled` when it
// was not ended otherwise; only in the process that began it.
class Session {
 public:
  Session(Client& client, std::string id, const Fields& start = {})
      : client_(&client),
        id_(std::move(id)),
        owner_(::getpid()),
        exceptions_(std::uncaught_exceptions()) {
    say("session.start", start);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() {
    if (is_over_ || owner_ != ::getpid()) return;
    end(std::uncaught_exceptions() > exceptions_ ? "failed" : "cancelled");
  }

  void file(std::string_view name, std::string_view status, const Fields& more = {}) {
    say("file", Fields().text("file", name).text("status", status).append(more));
  }
  // For jobs that only count: absolute values.
  void progress(std::int64_t completed, std::int64_t total, const Fields& more = {}) {
    say("progress", Fields().number("completed", completed).number("total", total).append(more));
  }
  void api(bool ok, const Fields& more = {}) { say("api", Fields().flag("ok", ok).append(more)); }
  void rate_limit(double delay_ms, const Fields& more = {}) {
    say("rateLimit", Fields().number("delayMs", delay_ms).append(more));
  }
  void update(const Fields& facts) { say("session.update", facts); }
  void end(std::string_view status = "completed", std::string_view reason = {}) {
    if (std::exchange(is_over_, true)) return;
    Fields fields;
    fields.text("status", status);
    if (!reason.empty()) fields.text("reason", reason);
    say("session.end", fields);
  }
  // Any event of the agent's.
  void say(std::string_view event, const Fields& fields = {}) { client_->emit(event, id_, fields); }

  [[nodiscard]] const std::string& id() const { return id_; }

 private:
  Client* client_;
  std::string id_;
  pid_t owner_;
  int exceptions_;
  bool is_over_ = false;
};

}  // namespace progress_agent
