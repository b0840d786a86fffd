// OneTracker: a tracker in virtual time, for tests that send it events of many sessions. Each event
// is a batch of its own and is received at its own `ts`. Not thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "agent/tracker/tracker.h"
#include "tests/fakes/manual_clock.h"

namespace agent::fakes {

class OneTracker {
 public:
  explicit OneTracker(tracker::Settings settings = {}) : tracker_(std::move(settings)) {}

  Result<progress::Applied, progress::Rejection> send(double at, std::string_view session,
                                                      progress::Fact fact,
                                                      std::string_view producer = {},
                                                      std::int64_t seq = 0) {
    progress::Event event;
    event.session = session;
    event.ts = moment(at);
    event.producer = producer;
    if (seq != 0) event.seq = seq;
    event.fact = std::move(fact);
    return tracker::Tracker::Batch(tracker_, now_at(at)).apply(event);
  }
  Result<progress::Applied, progress::Rejection> start(double at, std::string_view session) {
    return send(at, session, progress::SessionStarted{});
  }
  Result<progress::Applied, progress::Rejection> end(double at, std::string_view session) {
    return send(at, session, progress::SessionEnded{progress::EndStatus::kCompleted, ""});
  }
  Result<progress::Applied, progress::Rejection> file(double at, std::string_view session,
                                                      std::string_view id,
                                                      progress::FileStatus status) {
    progress::FileProgressed e;
    e.file = id;
    e.status = status;
    return send(at, session, e);
  }
  // A scraper read everything there is.
  void scrape(double at) { tracker_.mark_scraped(tracker_.view(now_at(at))); }
  void tick(double at) {
    tracker_.tick(now_at(at));
    while (tracker_.look_on(now_at(at))) {
    }
  }
  [[nodiscard]] progress::SnapshotPtr session(double at, std::string_view id) {
    return tracker_.session(id, now_at(at));
  }
  [[nodiscard]] bool has(double at, std::string_view id) { return session(at, id) != nullptr; }
  // The ids in the order shown, blank-separated.
  [[nodiscard]] std::string ids(double at) {
    std::string text;
    for (const auto& s : tracker_.view(now_at(at)).sessions)
      text += (text.empty() ? "" : " ") + s->id();
    return text;
  }
  [[nodiscard]] tracker::Tracker& tracker() { return tracker_; }

 private:
  tracker::Tracker tracker_;
};

}  // namespace agent::fakes
