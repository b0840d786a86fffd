// Listener: the Unix stream socket of the contract, section 2. Makes the socket's file, accepts
// whom it may, and looks after the streams. Used by `Agent`; all calls from the event loop, or
// before it runs.
#pragma once

#include <sys/types.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/clock.h"
#include "agent/result.h"
#include "agent/tracker/tracker.h"
#include "agent/wire/intake.h"
#include "agent/wire/socket_file.h"
#include "agent/wire/stream.h"

namespace agent::wire {

// For a line of the log; what is told repeats at most once for each listener.
using Warn = std::function<void(std::string_view message)>;

struct ListenerSettings {
  std::string path;
  mode_t mode = 0660;
  std::vector<uid_t> allowed_uids;  // empty: everybody whom the file's mode lets in
  std::size_t max_connections = 4096;
  Warn warn = [](std::string_view) {};
};

class Listener {
 public:
  // Everything referred to, and the listener itself, must last until `loop` runs no more.
  Listener(boost::asio::io_context& loop, const Clock& clock, Intake& intake,
           ListenerSettings settings);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Makes the socket. The error names the path and says what to do.
  Result<void> open();
  // Accepts from now on.
  void start();

  // Durability has advanced: acknowledgements that waited for it go out.
  void on_durable();
  // Accepts no more, lets the clients come to their end, at most for `limit`; then takes what is
  // there, answers, and closes.
  boost::asio::awaitable<void> drain(Duration limit);
  // Closes everything now.
  void close();

  [[nodiscard]] std::size_t connections() const { return streams_->open.size(); }

 private:
  using Socket = Stream::Socket;

  boost::asio::awaitable<void> accept();
  void accept_waiting();
  void admit(Socket socket);
  // What is wrong with whose it is; empty: nothing.
  [[nodiscard]] std::string objection(Socket& socket) const;
  void turn_away(Socket& socket, const std::string& why);
  void warn_once(bool& warned, std::string_view message) const;

  boost::asio::io_context& loop_;
  Intake& intake_;
  const ListenerSettings settings_;
  const std::shared_ptr<Streams> streams_;
  boost::asio::local::stream_protocol::acceptor acceptor_;
  boost::asio::steady_timer timer_;
  std::optional<SocketFile> file_;
  bool warned_refused_ = false, warned_accept_ = false;
};

}  // namespace agent::wire
