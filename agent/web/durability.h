// Durability: lets a request wait until its events are durable. Event loop only.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>

#include "agent/clock.h"
#include "agent/tracker/tracker.h"

namespace agent::web {

class Durability {
 public:
  Durability(const boost::asio::any_io_executor& loop, const tracker::Tracker& tracker)
      : tracker_(tracker), changed_(loop) {
    changed_.expires_at(boost::asio::steady_timer::time_point::max());
  }

  // True once everything up to `revision` is durable; false when that took longer than `patience`.
  boost::asio::awaitable<bool> wait(tracker::Revision revision, Duration patience);
  // Something became durable.
  void notify();

 private:
  const tracker::Tracker& tracker_;
  boost::asio::steady_timer changed_;  // cancelled when it did; never expires
};

}  // namespace agent::web
