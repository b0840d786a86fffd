// Sessions: the set of all sessions, and its bounds. Finds or starts the session that an event
// names, applies the event, and decides who leaves and when. Time is an argument. Not thread-safe:
// the tracker guards it.
#pragma once

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/alert/policy.h"
#include "agent/alert/watch.h"
#include "agent/clock.h"
#include "agent/eta/history.h"
#include "agent/eta/model.h"
#include "agent/progress/archive.h"
#include "agent/progress/changes.h"
#include "agent/progress/event.h"
#include "agent/progress/foretold.h"
#include "agent/progress/rules.h"
#include "agent/progress/saved.h"
#include "agent/progress/session.h"
#include "agent/progress/snapshot.h"
#include "agent/progress/text.h"
#include "agent/result.h"
#include "agent/tracker/absent.h"
#include "agent/tracker/forecaster.h"

namespace agent::tracker {

using progress::Applied;

// What forecasts learn from.
struct Past {
  const eta::History* history;
  std::shared_ptr<const eta::Model> model;
};

// A session and what belongs to it here.
class Tracked final : public progress::FileObserver {
 public:
  // `past` outlives it.
  Tracked(std::string_view id, std::uint64_t serial, const progress::Rules& rules, const Past& past,
          Instant start, Now at)
      : serial_(serial),
        id_(id),
        session_(id, rules, start, at),
        forecaster_(session_, past.history, past.model) {}

  [[nodiscard]] progress::Session& session() { return session_; }
  [[nodiscard]] const progress::Session& session() const { return session_; }
  // In the order first seen.
  [[nodiscard]] std::uint64_t serial() const { return serial_; }
  void renumber(std::uint64_t serial) { serial_ = serial; }
  // The session's id, at a place that does not move.
  [[nodiscard]] const std::string& id() const { return id_; }

  // The answer as of `at`; the last one again while nothing changed and it is younger than the
  // session's update interval.
  const progress::SnapshotPtr& snapshot(Now at);
  // The answer for this very instant; publishes nothing.
  [[nodiscard]] progress::SnapshotPtr answer(Now at) { return make_answer(at, true); }

  // Ask the processor for what `snapshot` will touch: between two scrapes of many sessions it has
  // left the cache. First the one, some time later the other, which reads what the one asked for.
  void prefetch() const {
    prefetch(&session_, sizeof session_);
    prefetch(&forecast_at_, sizeof forecast_at_);
    prefetch(&published_, sizeof published_);
  }
  void prefetch_more(Now at) const {
    const bool forecasts = at.steady - forecast_at_ >= std::chrono::seconds(1);  // most likely
    if (forecasts) prefetch(&forecaster_, sizeof forecaster_);
    prefetch(published_.get(), sizeof(progress::SessionSnapshot));
  }

  void on_file(const progress::FileChange& change) override { forecaster_.on_file(change); }
  [[nodiscard]] Forecaster& forecaster() { return forecaster_; }

  // Follows the session's alerts at one instant; appends those that changed their state to
  // `changed`. True: outputs must see it. `publishes`: the answer that is looked at may be shown.
  bool look(Now at, const alert::Policy& policy, bool superseded, bool publishes,
            std::vector<alert::Alert>& changed);
  // Whether the alerts may be other than at the last look. Where nothing happens, what the rules
  // measure moves with the share of time that passes: so a session at rest is looked at after a
  // sixteenth of its rest, when its state changes, and while the `for` of one of them runs.
  [[nodiscard]] bool is_look_due(Now at) const;
  void look_soon() { looked_at_.reset(); }
  // It leaves, and its alerts with it.
  void close_alerts(Now at, std::vector<alert::Alert>& changed) {
    watch_.close(alert::Reason::kGone, at, changed);
  }
  std::optional<alert::Alert> dismiss(std::string_view alert);
  [[nodiscard]] const std::shared_ptr<const alert::Standing>& standing() const { return standing_; }

  // With storage: what outputs may see is what is committed. `save` packs all that storage keeps of
  // it; `renew` before it makes an answer to publish with the commit, which `committed` does.
  void save(progress::Packer& packer);
  void renew(Now at);
  [[nodiscard]] bool is_answer_old(Now at) const;
  [[nodiscard]] SteadyInstant answered_at() const { return published_at_; }
  [[nodiscard]] bool load(const progress::SavedSession& saved, Now at);
  // Of one that runs, what `load` would find; empty: nothing else than `load` says.
  [[nodiscard]] static std::optional<AbsentSession> glance(const progress::SavedSession& saved);
  void committed();
  // Call it before a change: after a restart nobody may have looked at what is committed, and
  // outputs see that until the change is.
  void publish_committed(Now at) {
    if (!published_ && all_committed() && session_.version() > 0) static_cast<void>(snapshot(at));
  }
  [[nodiscard]] bool all_committed() const { return committed_version_ == session_.version(); }
  [[nodiscard]] const progress::SnapshotPtr& published() const { return published_; }
  // What its forecasts were worth, for history.
  void note_grade(const eta::SelfGrade& grade);
  void forget_told() { told_ = {.at = Instant::min()}; }

  // For the live feed: the files that events named since the last time.
  void note_files(const progress::Event& event);
  [[nodiscard]] std::vector<progress::FileRef> take_noted_files();

  // When it ended, went stale, or was stopped; on the agent's steady clock.
  SteadyInstant left_at{};
  bool stopped = false;  // by DELETE
  bool scraped = false;  // its final values were read by a scraper
  // For storage: its place in the list of changed sessions, counted from 1; 0: unchanged. And
  // whether storage has it.
  std::size_t changed_place = 0;
  bool stored = false;

 private:
  // A forecast costs more than all else of an answer: it is made anew at most once per
  // `etaUpdateIntervalMs`, unless `precise`.
  // In `memory`, when given.
  [[nodiscard]] progress::SnapshotPtr make_answer(
      Now at, bool precise, std::shared_ptr<progress::SessionSnapshot> memory = nullptr);
  // The memory of the last answer if nobody else holds it: null otherwise.
  [[nodiscard]] std::shared_ptr<progress::SessionSnapshot> unread();
  static void prefetch(const void* from, std::size_t bytes) {
    constexpr std::size_t kCacheLine = 64;
    if (from == nullptr) return;
    for (std::size_t i = 0; i < bytes; i += kCacheLine) {
      __builtin_prefetch(static_cast<const std::byte*>(from) + i);
    }
  }
  [[nodiscard]] const std::optional<progress::Forecast>& forecast(Now at, bool precise);
  void note_forecast(Instant now);
  [[nodiscard]] bool load_kept(std::string_view saved, Now at, bool is_earlier);
  void follow_prediction(progress::SessionSnapshot& fresh);

  std::uint64_t serial_;
  std::string id_;
  progress::Session session_;
  Forecaster forecaster_;
  std::optional<progress::Forecast> forecast_;  // the last one made
  SteadyInstant forecast_at_{};
  progress::SnapshotPtr published_;
  SteadyInstant published_at_{};

  progress::Foretold told_{.at = Instant::min()};
  std::vector<progress::FileRef> noted_files_;  // some of them several times
  std::uint64_t noted_epoch_ = 0;               // of these references

  alert::Watch watch_;
  std::optional<SteadyInstant> looked_at_;  // empty: never, or the rules are others since
  std::uint64_t looked_version_ = 0;        // of the session, at the last look
  progress::SessionState looked_state_{};
  std::int64_t superseded_attempt_ = 0;              // even when the run that did is gone; 0: none
  std::shared_ptr<const alert::Standing> standing_;  // null: alerts are off, or never looked at

  progress::SnapshotPtr pending_;  // to be published with the commit under way
  std::uint64_t saved_version_ = 0, committed_version_ = 0;
};

// How far off the forecasts of ended sessions were, |predicted - true| / true total, by family and
// method. Families beyond kMostFamilies count under "other".
class EtaErrors {
 public:
  static constexpr std::size_t kMostFamilies = 256;
  static constexpr std::array<double, 10> kBounds = {0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5};
  using ByMethod = std::vector<progress::Histogram>;  // by EtaMethod

  void add(const std::string& family, const eta::SelfGrade& grade);
  [[nodiscard]] const std::map<std::string, ByMethod>& by_family() const { return by_family_; }

 private:
  std::map<std::string, ByMethod> by_family_;
};

class Sessions {
 public:
  // `model`: of ml_based; null: the one compiled in.
  explicit Sessions(progress::Rules rules, alert::Policy policy = {},
                    std::shared_ptr<const eta::Model> model = nullptr)
      : rules_(std::move(rules)),
        model_(model ? std::move(model) : eta::shipped_model()),
        policy_(std::move(policy)) {}
  Sessions(const Sessions&) = delete;
  Sessions& operator=(const Sessions&) = delete;

  Result<Applied, progress::Rejection> apply(const progress::Event& event, Now at);
  // An event that was refused before it came here, for the session's own record.
  void note_rejected(std::string_view id, progress::RejectReason reason, Now at);
  void note_duplicate(std::string_view id, Now at);

  [[nodiscard]] Tracked* find(std::string_view id);
  // In the order first seen.
  [[nodiscard]] const std::map<std::uint64_t, std::unique_ptr<Tracked>>& all() {
    while (!absent_.empty()) bring_back(absent_.take_first());
    return by_serial_;
  }
  // The same as a list, for who walks it often. Good until a session comes or goes.
  [[nodiscard]] std::span<Tracked* const> in_order();
  [[nodiscard]] std::size_t size() const { return by_serial_.size() + absent_.size(); }

  // What was read of the workload that all of them belong to.
  void observe_workload(const progress::Resources& read, Now at);

  bool stop(std::string_view id, Now at);
  std::size_t clean_up(Duration max_silence, Now at);
  void mark_scraped(std::string_view id, std::uint64_t version);
  void tick(Now at);
  void configure(progress::Rules rules, alert::Policy policy, Now at);

  // Alerts (alerted_sessions.cc). A round of looks, once a second: `begin_looks`, then `look_on`
  // at the sessions that are due, some milliseconds at a time, until it says false. `look_at`: one.
  void begin_looks();
  bool look_on(Now at);
  void look_at(Tracked& tracked, Now at);
  std::optional<alert::Alert> dismiss(std::string_view alert);
  // What changed its state since the last call, in order; of too many the earliest are left out.
  std::vector<alert::Alert> take_alert_changes() { return std::exchange(alert_changes_, {}); }

  [[nodiscard]] const EtaErrors& eta_errors() const { return eta_errors_; }
  [[nodiscard]] std::size_t files() const { return files_; }    // tracked, all sessions together
  [[nodiscard]] std::size_t active() const { return active_; }  // neither ended nor stale
  [[nodiscard]] std::uint64_t evicted() const { return evicted_; }  // before their linger was over
  [[nodiscard]] std::uint64_t generation() const { return generation_; }  // rises with every change

  // For the live feed: events note the files they name with their session, or do not.
  void watch_files(bool on);

  // For storage (stored_sessions.cc).
  void keep_changes(std::uint64_t first_serial) {
    keeps_changes_ = true;
    history_.keep_changes();
    next_serial_ = std::max(next_serial_, first_serial);
  }
  [[nodiscard]] bool any_changed() const {
    return !changed_.empty() || !gone_.empty() || !stopped_changes_.empty() || !alerts_.empty();
  }
  [[nodiscard]] std::uint64_t next_serial() const { return next_serial_; }
  // Packs every change since the last time, and calls all unchanged. The serials of the sessions
  // among them go into `saved`, for `committed`.
  void save_changes(progress::Packer& packer, Now at, std::vector<std::uint64_t>& saved);
  void committed(const std::vector<std::uint64_t>& saved);
  // Everything counts as changed, as if storage had nothing.
  void forget_saved();
  // Takes over what storage had; sessions that are here already go before it. False: damaged, and
  // nothing is changed here. Those that run come back when first needed: `find` brings back one,
  // `all` all of them, `bring_back_some` some of those that nobody asked for. What is found to be
  // damaged then does not come back, and `take_damage` tells it once.
  [[nodiscard]] bool restore(std::shared_ptr<const progress::SavedState> state, Now at);
  void bring_back_some();
  [[nodiscard]] std::size_t absent() const { return absent_.size(); }
  [[nodiscard]] bool take_damage() { return std::exchange(damaged_, false); }

 private:
  Result<Tracked*, progress::Rejection> find_or_start(const progress::Event& event, Instant ts,
                                                      Now at);
  void leave(Tracked& tracked, Now at);
  void remove(Tracked& tracked, Now at);
  void evict_beyond_limit(Now at);
  void remember_stopped(std::string_view id);
  void forget_stopped(std::string_view id);
  [[nodiscard]] bool is_done_with(const Tracked& tracked, Now at) const;
  void touch(Tracked& tracked) {
    if (!keeps_changes_ || tracked.changed_place != 0) return;
    changed_.push_back(&tracked);
    tracked.changed_place = changed_.size();
  }
  void untouch(Tracked& tracked);
  [[nodiscard]] std::unique_ptr<Tracked> load(const progress::SavedSession& saved,
                                              const Absent& restored);
  void bring_back(const AbsentSession& session);
  void note_over();
  void adopt(std::unique_ptr<Tracked> made);
  void renew_answers(Now at);
  void save_families(progress::Packer& packer);
  void save_alerts(progress::Packer& packer, Instant at);
  void keep_alert(const Tracked& tracked, const alert::Alert& alert);
  void keep_alerts(const Tracked& tracked, std::size_t from);
  void restore_families(const std::vector<progress::FamilyChange>& families);

  void grade(Tracked& tracked);
  void follow_family(const Tracked& tracked);
  [[nodiscard]] bool is_superseded(const Tracked& tracked) const;
  [[nodiscard]] Past past() const { return {&history_, model_}; }

  progress::Rules rules_;
  eta::History history_;  // of families, for later runs
  std::shared_ptr<const eta::Model> model_;
  EtaErrors eta_errors_;
  std::map<std::uint64_t, std::unique_ptr<Tracked>> by_serial_;
  std::vector<Tracked*> in_order_;  // those of by_serial_; empty: not listed since one came or went
  boost::unordered_flat_map<std::string_view, Tracked*, progress::TextHash, progress::TextEqual>
      by_id_;
  std::deque<std::uint64_t> left_;  // serials of sessions that are over, the earliest first
  boost::unordered_flat_set<std::string, progress::TextHash, progress::TextEqual> stopped_;
  std::deque<std::string> stopped_order_;
  std::uint64_t next_serial_ = 1, generation_ = 0, evicted_ = 0;
  std::size_t files_ = 0, active_ = 0;
  bool watches_files_ = false;
  // Alerts.
  static constexpr std::size_t kMostAlertChanges = 10'000;
  struct Run {
    Instant start;
    std::uint64_t serial = 0;
    auto operator<=>(const Run&) const = default;
  };
  alert::Policy policy_;
  std::optional<std::uint64_t> next_look_;  // serial; empty: no round is under way
  std::vector<alert::Alert> alert_changes_;
  boost::unordered_flat_map<std::string, Run, progress::TextHash, progress::TextEqual>
      latest_run_;  // by family, of the sessions here
  Absent absent_;   // counted in files_ and active_
  bool damaged_ = false;
  // What storage does not have yet.
  bool keeps_changes_ = false;
  std::vector<Tracked*> changed_;
  std::vector<std::uint64_t> gone_;
  std::vector<std::pair<std::string, bool>> stopped_changes_;  // name; stopped or not any more
  bool families_unsaved_ = false;                              // all of them
  struct ChangedAlert {
    std::uint64_t serial;
    std::int64_t attempt;
    alert::Alert alert;
  };
  std::deque<ChangedAlert> alerts_;  // of history; of too many the earliest are left out
};

}  // namespace agent::tracker
