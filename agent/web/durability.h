// Durability: lets a request wait until its events are stored. Event loop only.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "agent/clock.h"
#include "agent/tracker/tracker.h"

namespace agent::web {

class Durability {
 public:
  Durability(const boost::asio::any_io_executor& loop, const tracker::Tracker& tracker)
      : tracker_(tracker), changed_(loop) {
    changed_.expires_at(boost::asio::steady_timer::time_point::max());
  }

  using Reached = tracker::Revision (tracker::Tracker::*)() const;  // durable or visible
  // True once the tracker has reached `revision`; false when that took longer than `patience`.
  boost::asio::awaitable<bool> wait(tracker::Revision revision, Reached reached, Duration patience);
  // The tracker may have reached more.
  void notify() { changed_.cancel(); }

 private:
  const tracker::Tracker& tracker_;
  boost::asio::steady_timer changed_;  // cancelled when something became durable; never expires
};

}  // namespace agent::web
