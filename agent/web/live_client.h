// LiveClient: one WebSocket of the live feed. What the client says is read by Beast (RFC 6455:
// masks, fragments, UTF-8, sizes, close codes); what it is told is the board's frames, written
// straight to its socket, as many at once as it takes. What does not fit waits with the board, not
// here. Event loop only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/clock.h"
#include "agent/web/frame.h"
#include "agent/web/live_board.h"
#include "agent/web/request.h"
#include "agent/web/stream.h"

namespace agent::web {

class LiveClient : public std::enable_shared_from_this<LiveClient> {
 public:
  static constexpr Duration kPingInterval = std::chrono::seconds(15);
  static constexpr Duration kPatience = std::chrono::seconds(45);  // with one that says nothing

  // `board` and `clock` must live while `run` does; `stream` too.
  LiveClient(Stream& stream, LiveBoard& board, const Clock& clock, LiveReader reader);

  // Answers the handshake, then reads until the end. Everything sent by then was taken, or never
  // will be.
  boost::asio::awaitable<void> run(const Request& request, std::string received);

  // Sends what is due; of files so many bytes at most.
  void send_due(std::ptrdiff_t file_bytes);
  // Pings; drops a client that has been silent, or has taken nothing, for too long.
  void look_at_time(SteadyInstant now);
  // Says goodbye (close code 1001) and sends nothing more.
  void go_away();

  [[nodiscard]] const LiveReader& reader() const { return reader_; }
  [[nodiscard]] bool is_open() const { return is_open_; }
  [[nodiscard]] bool was_open() const { return was_open_; }

  // For the channel, through which Beast writes: bytes of its own, whole frames.
  void say(std::string bytes);

 private:
  void open();
  void push_out();
  bool flush();  // whether all is written
  void wait_for_room();
  void abort();
  [[nodiscard]] boost::asio::awaitable<void> flushed();

  Stream& stream_;
  LiveBoard& board_;
  const Clock& clock_;
  LiveReader reader_;
  std::vector<Frame> batch_;                            // being written
  std::size_t written_frames_ = 0, written_bytes_ = 0;  // of the batch; of its present frame
  std::ptrdiff_t file_bytes_ = 0;                       // left in this round
  SteadyInstant heard_, pinged_, took_;  // when it spoke; was pinged; took a byte of what there was
  bool was_open_ = false;
  bool is_open_ = false;     // the handshake is done
  bool is_closing_ = false;  // the last frame is in the batch, or was sent
  bool is_over_ = false;     // the socket is not to be touched any more
  bool waits_for_room_ = false;
};

}  // namespace agent::web
