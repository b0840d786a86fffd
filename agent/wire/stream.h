// Stream: one connection of the Unix stream socket: a Dialogue and its socket. A coroutine on the
// event loop; between two reads it keeps nothing but an unfinished line and unsent replies.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "agent/clock.h"
#include "agent/tracker/tracker.h"
#include "agent/wire/dialogue.h"
#include "agent/wire/intake.h"

namespace agent::wire {

class Stream;

// The streams that are open, and whose they are. Shared by the listener and its streams. Event loop
// only.
struct Streams {
  Intake& intake;
  const Clock& clock;
  std::set<Stream*> open = {};
  std::map<std::string, Stream*, std::less<>> by_producer = {};  // who said hello last
  std::function<void()> on_last_left = {};                       // none is open any more
};

class Stream : public std::enable_shared_from_this<Stream> {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;

  Stream(std::shared_ptr<Streams> streams, Socket socket);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Lasts until both have said everything, or the stream is closed.
  static boost::asio::awaitable<void> run(std::shared_ptr<Stream> self);

  // What waited for `durable` is sent.
  void on_durable(tracker::Revision durable);
  // Takes what is there to read, sends what can be sent, and closes.
  void finish();
  void close();

 private:
  enum class Heard : std::uint8_t { kMore, kAll, kEnd };

  boost::asio::awaitable<void> converse();
  boost::asio::awaitable<bool> readable();
  boost::asio::awaitable<void> room();
  Heard hear();
  void claim_producer();
  void flush();
  void flush_later();

  const std::shared_ptr<Streams> streams_;
  Socket socket_;
  Dialogue dialogue_;
  boost::asio::steady_timer room_;  // cancelled when the client has read something
  bool is_flush_due_ = false;
};

}  // namespace agent::wire
