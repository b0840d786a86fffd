// A client of a Unix socket, in the same thread as the loop it talks to: whenever it would wait,
// the loop runs. Every wait has a deadline.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "agent/wire/socket_file.h"

namespace agent::wire {

inline sockaddr_un unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(static_cast<char*>(address.sun_path), path.data(), path.size());
  return address;
}

// Runs the loop until `holds`; false: not in time.
template <typename Holds>
bool run_until(boost::asio::io_context& loop, Holds holds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    loop.restart();
    loop.run_for(std::chrono::milliseconds(1));
  }
  return true;
}

class SocketClient {
 public:
  SocketClient(boost::asio::io_context& loop, const std::string& path, int type = SOCK_STREAM)
      : loop_(loop), socket_(::socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    const sockaddr_un address = unix_address(path);
    error_ =
        ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0
            ? 0
            : errno;
  }

  [[nodiscard]] int error() const { return error_; }
  [[nodiscard]] int fd() const { return socket_.get(); }

  // Sends all of it while the loop reads; false: the loop did not take it.
  bool send(std::string_view text) {
    return run_until(loop_, [&] { return try_send(text); });
  }
  // Sends what fits without the loop's doing anything; how much that was.
  std::size_t send_some(std::string_view text) {
    const std::size_t before = text.size();
    try_send(text);
    return before - text.size();
  }
  void end() { ::shutdown(socket_.get(), SHUT_WR); }
  void close() { socket_.reset(); }

  // The next reply; "<end>" once the agent has closed.
  std::string line() {
    const bool in_time =
        run_until(loop_, [&] { return ended_ || has_line() || (receive(), has_line()); });
    if (!in_time) return "<nothing>";
    if (!has_line()) return "<end>";
    const std::size_t newline = received_.find('\n');
    std::string line = received_.substr(0, newline);
    received_.erase(0, newline + 1);
    return line;
  }

 private:
  [[nodiscard]] bool has_line() const { return received_.find('\n') != std::string::npos; }
  bool try_send(std::string_view& text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (sent < 0) return errno != EAGAIN;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void receive() {
    char bytes[4096];
    const ssize_t got = ::recv(socket_.get(), bytes, sizeof bytes, 0);
    if (got > 0) received_.append(bytes, static_cast<std::size_t>(got));
    if (got == 0 || (got < 0 && errno != EAGAIN)) ended_ = true;
  }

  boost::asio::io_context& loop_;
  Descriptor socket_;
  int error_ = 0;
  bool ended_ = false;
  std::string received_;
};

}  // namespace agent::wire
