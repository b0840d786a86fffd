// DatagramListener: the Unix datagram socket of the contract, section 2: one or more lines in each
// datagram, no replies. Used by `Agent`; all calls from the event loop, or before it runs.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/datagram_protocol.hpp>
#include <optional>

#include "agent/clock.h"
#include "agent/result.h"
#include "agent/wire/intake.h"
#include "agent/wire/listener.h"
#include "agent/wire/socket_file.h"

namespace agent::wire {

class DatagramListener {
 public:
  // Everything referred to, and the listener itself, must last until `loop` runs no more.
  // `max_connections` means nothing here.
  DatagramListener(boost::asio::io_context& loop, const Clock& clock, Intake& intake,
                   ListenerSettings settings);
  ~DatagramListener();
  DatagramListener(const DatagramListener&) = delete;
  DatagramListener& operator=(const DatagramListener&) = delete;

  // Makes the socket. The error names the path and says what to do.
  Result<void> open();
  void start();
  // Takes what has arrived, and closes.
  void stop();

 private:
  boost::asio::awaitable<void> receive();
  // False: nothing has arrived.
  bool take_one();
  void take(std::size_t bytes, bool is_truncated, Now now);
  void refuse_sender();

  boost::asio::io_context& loop_;
  const Clock& clock_;
  Intake& intake_;
  const ListenerSettings settings_;
  boost::asio::local::datagram_protocol::socket socket_;
  std::optional<SocketFile> file_;
  bool warned_refused_ = false;
};

}  // namespace agent::wire
