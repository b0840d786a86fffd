// Live: GET /v1/live, the WebSocket on which clients hear of changes as they happen. Lets clients
// in, gives each its turn every tenth of a second, and idles while there are none. Used by `Agent`;
// event loop only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/clock.h"
#include "agent/tracker/tracker.h"
#include "agent/web/live_board.h"
#include "agent/web/live_client.h"
#include "agent/web/routes.h"

namespace agent::web {

struct LiveSettings {
  std::vector<std::string> allowed_origins;  // besides the agent's own: "https://ci.example.org"
  std::size_t max_clients = 512;             // the others' requests find room whatever these do
};

class Live {
 public:
  // Everything referred to must outlast `loop`'s last run.
  Live(boost::asio::io_context& loop, const Clock& clock, tracker::Tracker& tracker,
       LiveSettings settings);
  ~Live();
  Live(const Live&) = delete;
  Live& operator=(const Live&) = delete;

  [[nodiscard]] Route route();
  // Says goodbye to all, and lets nobody in any more.
  void close();

  [[nodiscard]] std::size_t clients() const { return room_->clients.size(); }
  // Messages that were not sent because newer ones had made them void.
  [[nodiscard]] std::uint64_t dropped() const;
  // How often clients had their turn.
  [[nodiscard]] std::uint64_t rounds() const { return rounds_; }

 private:
  // What clients hold on to: a connection may outlive everything but the loop.
  struct Room {
    Room(const Clock& time, tracker::Tracker& tracker) : clock(time), board(tracker) {}

    const Clock& clock;
    LiveBoard board;
    std::vector<LiveClient*> clients;
    std::uint64_t dropped = 0;  // to clients who have left
    bool is_closed = false;
  };
  class Visit;

  Result<std::unique_ptr<Takeover>, Reply> admit(const Request& request);
  void begin_rounds();
  void round();

  const LiveSettings settings_;
  const std::shared_ptr<Room> room_;
  boost::asio::steady_timer timer_;
  bool goes_round_ = false;
  std::uint64_t rounds_ = 0;
};

}  // namespace agent::web
