// A running listener and a raw client, for tests: no HTTP library in between that could tidy what
// is sent. Free ports; every wait has a deadline.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <future>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "agent/clock.h"
#include "agent/web/listener.h"
#include "agent/web/routes.h"

namespace agent::web {

inline constexpr std::chrono::seconds kDeadline{60};  // a sanitizer makes all of it slow

// Time that a test may push forward from another thread.
class PushedClock final : public Clock {
 public:
  [[nodiscard]] Now now() const override {
    const Now real = system_.now();
    const Duration ahead(ahead_.load());
    return {real.wall + ahead, real.steady + ahead};
  }
  void push(Duration by) { ahead_ += by.count(); }

 private:
  SystemClock system_;
  std::atomic<Duration::rep> ahead_ = 0;
};

class RunningServer {
 public:
  explicit RunningServer(std::vector<Route> routes, Side side = Side::kWeb, Limits limits = {},
                         bool admin_api = false)
      : RunningServer([&](auto&, auto&) { return std::move(routes); }, side, limits, admin_api) {}
  // With access rules, on the web side.
  RunningServer(std::vector<Route> routes, std::shared_ptr<access::Gate> gate,
                access::Passwords& passwords, Limits limits = {})
      : RunningServer([&](auto&, auto&) { return std::move(routes); }, Side::kWeb, limits, false,
                      std::move(gate), &passwords) {}
  // `make(loop, clock)` gives the routes.
  template <typename Make>
  requires std::is_invocable_v<Make, boost::asio::io_context&, const Clock&>
  explicit RunningServer(Make make, Side side = Side::kWeb, Limits limits = {},
                         bool admin_api = false, std::shared_ptr<access::Gate> gate = {},
                         access::Passwords* passwords = nullptr)
      : routes_(make(loop_, clock), admin_api),
        listener_(loop_, clock, memory, routes_,
                  {side,
                   "127.0.0.1:0",
                   {"listed.example"},
                   limits,
                   std::chrono::milliseconds(5),
                   std::move(gate),
                   passwords}) {
    const auto started = listener_.start();
    EXPECT_TRUE(started) << (started ? "" : started.error().message);
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~RunningServer() { stop(); }
  RunningServer(const RunningServer&) = delete;
  RunningServer& operator=(const RunningServer&) = delete;

  // Ends the loop's thread; the loop itself stays, for what still refers to it.
  void stop() {
    if (!thread_.joinable()) return;
    on_loop([this] { listener_.close(); });
    thread_.join();
  }

  [[nodiscard]] std::uint16_t port() const { return listener_.port(); }
  // Runs `work` on the event loop's thread and gives what it returns.
  template <typename Work>
  std::invoke_result_t<Work> on_loop(Work work) {
    std::promise<std::invoke_result_t<Work>> done;
    boost::asio::post(loop_, [&] {
      if constexpr (std::is_void_v<std::invoke_result_t<Work>>) {
        work();
        done.set_value();
      } else {
        done.set_value(work());
      }
    });
    return done.get_future().get();
  }
  Listener& listener() { return listener_; }

  PushedClock clock;
  Memory memory;

 private:
  boost::asio::io_context loop_{1};
  Routes routes_;
  Listener listener_;
  std::thread thread_;
};

class RawClient {
 public:
  // `receive_buffer`: bytes, where the kernel's own size is too much.
  explicit RawClient(std::uint16_t port, int receive_buffer = 0)
      : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer > 0) {
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  ~RawClient() { ::close(fd_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // False once the server takes no more.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      if (!wait(POLLOUT)) return false;
      const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count < 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }
  void finish_sending() { ::shutdown(fd_, SHUT_WR); }

  // The next reply, head and body; what there is of it when the server closes or the deadline
  // passes.
  std::string reply(bool has_body = true) {
    while (complete_size(has_body) > received_.size() && read_some()) {
    }
    const std::size_t size = std::min(complete_size(has_body), received_.size());
    std::string whole = received_.substr(0, size);
    received_.erase(0, size);
    return whole;
  }
  // What has come by now; waits for nothing.
  std::string available() {
    std::string buffer(65536, '\0');
    const ssize_t count = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    buffer.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return std::exchange(received_, {}) + buffer;
  }
  // All that comes until the server closes; `closed` says whether it did.
  std::string rest(bool* closed = nullptr) {
    while (read_some()) {
    }
    if (closed != nullptr) *closed = closed_;
    return std::exchange(received_, {});
  }

 private:
  [[nodiscard]] bool wait(short events) const {
    pollfd poll{fd_, events, 0};
    const auto timeout = std::chrono::milliseconds(kDeadline).count();
    return ::poll(&poll, 1, static_cast<int>(timeout)) == 1;
  }
  bool read_some() {
    if (closed_ || !wait(POLLIN)) return false;
    std::string buffer(65536, '\0');
    const ssize_t count = ::recv(fd_, buffer.data(), buffer.size(), 0);
    closed_ = count <= 0;
    if (!closed_) received_.append(buffer, 0, static_cast<std::size_t>(count));
    return !closed_;
  }
  [[nodiscard]] std::size_t complete_size(bool has_body) const {
    const std::size_t end = received_.find("\r\n\r\n");
    if (end == std::string::npos) return std::string::npos;
    const std::size_t length = received_.find("Content-Length: ");
    if (!has_body || length > end) return end + 4;
    return end + 4 + std::stoul(received_.substr(length + 16));
  }

  int fd_;
  std::string received_;
  bool closed_ = false;
};

inline int status_of(std::string_view reply) {
  return reply.size() > 12 ? std::stoi(std::string(reply.substr(9, 3))) : 0;
}
inline std::string body_of(std::string_view reply) {
  const std::size_t end = reply.find("\r\n\r\n");
  return end == std::string_view::npos ? std::string() : std::string(reply.substr(end + 4));
}

// Whether `condition` came true before the deadline.
template <typename Condition>
bool eventually(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + kDeadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace agent::web
