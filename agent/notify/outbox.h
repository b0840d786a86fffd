// Outbox: what one target must still be told, and when. It is shown what fires now, and from that
// knows what is new, what is over, and what is to be said again. Pure: time is an argument; the
// courier's thread. Source of the rhythm: how Prometheus tells Alertmanager.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/alert/alert.h"
#include "agent/clock.h"
#include "agent/notify/target.h"

namespace agent::notify {

// Why an alert is sent now.
enum class SendReason : std::uint8_t {
  kNew,       // began to fire
  kResolved,  // no longer fires
  kRepeat     // said before; said again so that nobody forgets it
};

struct Notice {
  SendReason reason = SendReason::kNew;
  bool is_firing = true;
  alert::Alert alert;  // ends_at is set once it is over
};

class Outbox {
 public:
  // A target that forgets (Alertmanager) is told again and again; one that does not, hardly ever.
  explicit Outbox(const Target& target);

  // All that fires now. What fired and is not among it is over.
  void update(std::span<const alert::Alert> firing, Now now);
  // What is to be sent now, the longest waiting first; at most kBatch. Empty: nothing, or it is too
  // early to try again. One of the two below must follow.
  [[nodiscard]] std::vector<Notice> due(Now now);
  void delivered(Now now);
  // Not before a while; `luck` in 0..1 spreads the tries of many agents.
  void failed(Now now, double luck);

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  // Alerts that found no place, so far.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

  static constexpr std::size_t kBatch = 256;
  static constexpr std::size_t kMost = 10'000;
  static constexpr Duration kResolvedFor = std::chrono::minutes(5);
  static constexpr Duration kLongestWait = std::chrono::seconds(4);

 private:
  struct Entry {
    alert::Alert alert;
    bool fires = true;
    SteadyInstant since;                   // it fires, or is over
    std::optional<SteadyInstant> told_at;  // of what it is now
    std::uint64_t seen = 0;                // the update that had it last
  };
  [[nodiscard]] std::optional<SendReason> reason(const Entry& entry, Now now) const;
  [[nodiscard]] bool is_done(const Entry& entry, Now now) const;

  Duration repeat_, resolved_for_;
  bool send_resolved_;
  std::map<std::string, Entry> entries_;  // by the labels that tell alerts apart
  std::vector<std::string> batch_;        // keys of what is under way
  std::uint64_t updates_ = 0, dropped_ = 0;
  int failures_ = 0;  // in a row
  SteadyInstant not_before_ = SteadyInstant::min();
};

}  // namespace agent::notify
