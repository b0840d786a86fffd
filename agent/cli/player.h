// Player: recorded events through the same domain code as the agent's, in event time. The clock is
// virtual: it is the largest `ts` seen so far, so nothing is in the future and nothing is old.
// Sessions never go stale or leave. Used by `replay`; not thread-safe.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/cli/eta_log.h"
#include "agent/clock.h"
#include "agent/progress/event.h"
#include "agent/progress/text.h"
#include "agent/result.h"
#include "agent/tracker/tracker.h"
#include "agent/view.h"
#include "agent/wire/decode.h"
#include "agent/wire/framer.h"

namespace agent::cli {

class Player {
 public:
  // Of the rules only prices, thresholds, and the bounds per session apply: nothing is evicted.
  // `write_prediction`, `write_alert`: where the lines of the ETA log go, and those of alerts that
  // changed their state; empty: no log.
  Player(tracker::Settings settings, std::size_t max_line_bytes, EtaLog::Write write_prediction,
         EtaLog::Write write_alert = {});

  // Plays one line; the refusal says why it could not be.
  Result<void, progress::Rejection> play(const wire::Line& line);
  // After the last line.
  void finish();

  // Every session in the order first seen, each as of its own last event; at: the virtual clock.
  [[nodiscard]] View view();

  [[nodiscard]] std::uint64_t lines_refused() const { return refused_; }
  [[nodiscard]] const auto& applied() const { return applied_; }    // by Fact alternative
  [[nodiscard]] const auto& rejected() const { return rejected_; }  // by RejectReason
  [[nodiscard]] tracker::Totals totals() const { return tracker_.totals(); }
  [[nodiscard]] tracker::EtaErrors eta_errors() const { return tracker_.eta_errors(); }

 private:
  Result<void, progress::Rejection> refuse(progress::Rejection rejection);
  Result<void, progress::Rejection> apply(progress::Event event);
  void remember(const std::string& session);
  std::shared_ptr<const alert::Standing> look(const std::string& session, Now at);
  void look_until(const std::string& session, Now until);
  progress::SnapshotPtr answer(const std::string& session, Now at);
  [[nodiscard]] Now now() const { return {clock_, SteadyInstant(clock_.time_since_epoch())}; }

  // Who was seen, in order, and when last.
  struct Seen {
    std::string session;
    Now last_event;
    SteadyInstant began, looked;  // `looked`: at its alerts
    // Alerts as of the last look, and as of its last event.
    std::shared_ptr<const alert::Standing> latest, alerts;
    bool over = false;  // ended: there is nothing to estimate
  };

  tracker::Tracker tracker_;
  wire::Decoder decoder_;
  EtaLog log_;
  EtaLog::Write write_alert_;
  Instant clock_{};       // the largest `ts` so far; 1970 before the first
  std::string producer_;  // of the last hello
  std::vector<Seen> seen_;
  boost::unordered_flat_map<std::string, std::size_t, progress::TextHash, progress::TextEqual>
      index_;
  std::array<std::uint64_t, progress::kEventNames.size()> applied_{};
  std::array<std::uint64_t, progress::kRejectReasonNames.size()> rejected_{};
  std::uint64_t refused_ = 0;
};

}  // namespace agent::cli
