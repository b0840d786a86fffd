// Session: one run of a job: who it is, its clock, its files, and its tallies. `apply` takes an
// event in O(1) and keeps tallies, nothing else; `snapshot` turns them into answers. Pure: time is
// an argument. Not thread-safe: the tracker guards it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/clock.h"
#include "agent/progress/change.h"
#include "agent/progress/event.h"
#include "agent/progress/files.h"
#include "agent/progress/long_times.h"
#include "agent/progress/rules.h"
#include "agent/progress/snapshot.h"
#include "agent/progress/throughput.h"
#include "agent/progress/work.h"
#include "agent/result.h"

namespace agent::progress {

// The defaults, then the mode, then the session's own switches.
SessionConfig in_force(const AlertThresholds& defaults, Mode mode, const ConfigPatch& switches,
                       std::optional<bool> persistence, std::optional<bool> analytics);

// Takes what one event changed in files, one by one; a view, valid during the call only.
class FileObserver {
 public:
  virtual ~FileObserver() = default;
  virtual void on_file(const FileChange& change) = 0;
};

class Session {
 public:
  // `at.wall` must already be the event's time where it gave one.
  Session(std::string_view id, const Rules& rules, Instant start, Now at);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Applies one event whose time is `ts`, received at `at`. `files_left` is how many more files may
  // be tracked. A refusal leaves everything as it was.
  Result<Applied, Rejection> apply(const Event& event, Instant ts, Now at, std::size_t files_left,
                                   FileObserver& observer);

  [[nodiscard]] SessionSnapshot snapshot(Now at) const;
  // The same into memory that held an older answer: nothing of that stays.
  void fill(SessionSnapshot& s, Now at) const;

  // The session's own clock: the largest `ts` seen plus the steady time since; stands still once
  // ended.
  [[nodiscard]] Instant now(Now at) const;
  [[nodiscard]] Duration elapsed(Instant now) const { return now - start_; }
  [[nodiscard]] Duration active_elapsed(Instant now) const;  // less paused time
  [[nodiscard]] SessionState state(Now at) const;

  // Ends tracking: no event for too long (`stale`), or DELETE (`stop`). Frees the files' memory.
  void become_stale(Now at);
  void stop(Now at);
  void note_rejected(RejectReason reason) {
    ++rejected_[static_cast<std::size_t>(reason)];
    ++version_;
  }
  void note_duplicate() {
    ++duplicates_;
    ++version_;
  }
  void note_alerts_changed() { ++version_; }
  // What was read of its workload from outside. No event: it says nothing of the session's life.
  // What the session reports itself goes before it.
  void observe_workload(const Resources& read, Now at);
  // The rules changed: puts their defaults in force. False: that changed nothing.
  bool follow_rules();

  // For storage: everything but the files' records; only what changed since it was last saved,
  // where that saves much. `load` takes what `save` gave, one after the other. False: damaged.
  void save(Packer& packer);
  [[nodiscard]] bool load(std::string_view saved, Now at);
  // The id in what was saved first; a view into it. Empty: damaged, or saved later.
  [[nodiscard]] static std::string_view id_in(std::string_view saved);
  [[nodiscard]] Files& stored_files() { return files_; }
  void forget_saved();  // the next `save` gives everything
  // After a restart: time in which nobody listened is no silence of the session's.
  void forgive_silence(Duration not_listening, Now at);

  [[nodiscard]] const std::string& id() const { return identity_->id; }
  [[nodiscard]] const std::shared_ptr<const SessionIdentity>& identity() const { return identity_; }
  [[nodiscard]] const SessionConfig& config() const { return identity_->config; }
  [[nodiscard]] std::uint64_t version() const { return version_; }  // rises with every change
  [[nodiscard]] bool ended() const { return end_status_.has_value(); }
  [[nodiscard]] std::optional<EndStatus> end_status() const { return end_status_; }
  [[nodiscard]] std::optional<Instant> end_time() const { return end_time_; }
  [[nodiscard]] bool live() const { return !ended() && !stale_; }
  [[nodiscard]] bool tracking() const { return tracking_; }
  [[nodiscard]] bool paused() const { return paused_at_.has_value(); }
  [[nodiscard]] SteadyInstant last_received() const { return last_received_.steady; }

  // What estimates and alerts are made from.
  [[nodiscard]] Instant start() const { return start_; }
  [[nodiscard]] const Files& files() const { return files_; }
  // Some work that nobody has begun yet is known: a total was announced, or files wait.
  [[nodiscard]] bool knows_what_comes() const;
  [[nodiscard]] std::int64_t total_files() const;
  [[nodiscard]] FileCounts counts() const;
  [[nodiscard]] WorkDone work() const;
  [[nodiscard]] bool counts_only() const { return kind_ == Kind::kCounts; }
  [[nodiscard]] std::int64_t concurrency() const;  // announced, else the most in flight, at least 1
  [[nodiscard]] std::optional<std::int64_t> announced_concurrency() const { return concurrency_; }
  [[nodiscard]] std::optional<Instant> rate_limited_until() const { return rate_limited_until_; }
  [[nodiscard]] std::optional<Instant> deadline() const { return deadline_; }

 private:
  enum class Kind : std::uint8_t { kUnknown, kFiles, kCounts };
  struct Counts {
    std::int64_t completed = 0, failed = 0, skipped = 0, bytes_done = 0;
    std::int64_t restored = 0, restored_bytes = 0;  // of these, done by an earlier attempt
    Instant reported = Instant::min();
    Instant moved = Instant::min();

    template <typename Archive, typename Self>
    static void fields(Archive& archive, Self& self) {
      archive(self.completed, self.failed, self.skipped, self.bytes_done, self.restored,
              self.restored_bytes, self.reported, self.moved);
    }
  };
  struct Arrival {
    Instant ts;
    Now at;
    FileObserver& observer;
  };

  Applied take(const FileProgressed& e, const Arrival& a);
  Applied take(const FilesAnnounced& e, const Arrival& a);
  Applied take(const CountsReported& e, const Arrival& a);
  Applied take(const ApiCalled& e, const Arrival& a);
  Applied take(const RateLimited& e, const Arrival& a);
  Applied take(const ResourcesUsed& e, const Arrival& a);
  Applied take(const SessionStarted& e, const Arrival& a);
  Applied take(const SessionUpdated& e, const Arrival& a);
  Applied take(const SessionPaused& e, const Arrival& a);
  Applied take(const SessionResumed& e, const Arrival& a);
  Applied take(const SessionEnded& e, const Arrival& a);

  void learn_resources(const Resources& used, Instant at);
  void record(const FileEffect& effect, const Arrival& a);
  void complete(Instant at, double files);
  void move_clock(Instant ts, Now at);
  void open_attempt(Instant ts, Now at, bool resume);
  void take_facts(const SessionFacts& facts);
  [[nodiscard]] SessionConfig config_in_force() const {
    return in_force(rules_->thresholds, mode_, switches_, persistence_, analytics_);
  }
  [[nodiscard]] std::array<Window*, 4> windows() {
    return {&bytes_window_, &delay_window_, &network_errors_window_, &api_window_};
  }
  [[nodiscard]] std::optional<Rejection> refusal(const Fact& fact, std::size_t files_left) const;
  [[nodiscard]] std::int64_t restored_completed() const;
  ProviderTally& provider(std::string_view name);
  void spend(LabelId model, LabelId stage, std::int64_t tokens, double cost);
  void fill(Metrics& m, Now at) const;
  void fill_slowest(SessionSnapshot& s) const;
  void fill_rates(Metrics& m, Instant now) const;
  void fill_costs_and_quality(Metrics& m) const;
  [[nodiscard]] Duration silence(Now at) const;
  [[nodiscard]] bool stalled(Now at) const;
  [[nodiscard]] Duration may_be_silent() const;
  template <typename Archive, typename Self>
  static void fields(Archive& archive, Self& self);
  void save_identity(Packer& packer);
  [[nodiscard]] std::shared_ptr<SessionIdentity> load_identity(Unpacker& unpacker);
  template <typename Archive, typename Self>
  static void tallies(Archive& archive, Self& self);
  template <typename Archive, typename Self>
  static void stage_costs(Archive& archive, Self& self);
  [[nodiscard]] bool name_tallies();

  // What every event touches lies together: two cache lines, then the files.
  const Rules* rules_;
  std::uint64_t version_ = 0;
  Instant start_;
  Instant latest_;           // the largest `ts` of this attempt
  SteadyInstant latest_at_;  // when that event arrived
  Now last_received_;
  Kind kind_ = Kind::kUnknown;
  bool started_explicitly_ = false;
  bool stale_ = false, tracking_ = true;
  std::optional<EndStatus> end_status_;
  Files files_;

  // The rest of its clock, and its end.
  std::shared_ptr<const SessionIdentity> identity_;
  std::optional<Instant> paused_at_;
  Duration paused_{};
  Instant worked_from_ = Instant::min();  // the end of the last pause
  std::optional<Instant> end_time_;
  std::string end_reason_;

  // What was announced.
  ConfigPatch switches_;
  std::optional<bool> persistence_, analytics_;
  Mode mode_ = Mode::kComprehensive;
  std::int64_t announced_files_ = 0;
  std::optional<std::int64_t> announced_bytes_, concurrency_;
  std::optional<Instant> deadline_;
  std::optional<double> cost_budget_;

  // The work.
  Counts counted_;
  mutable Throughput throughput_;  // reading it draws its history
  // Bytes; seconds lost to rate limits; the workload's network errors; successful API calls.
  Window bytes_window_, delay_window_, network_errors_window_, api_window_;
  Counters counters_, at_attempt_;  // now, and when the attempt began
  LabelSet provider_names_;
  std::vector<ProviderTally> providers_;
  std::vector<StageTally> stages_;  // by stage number - 1
  std::vector<ModelTally> models_;  // by model number - 1
  std::array<Histogram, 2> file_seconds_{Histogram{kFileDurationBounds},
                                         Histogram{kFileDurationBounds}};
  LongTimes long_files_;  // of the completed ones, like the next
  Duration longest_file_{};
  Histogram file_bytes_{kFileSizeBounds};
  std::optional<Instant> rate_limited_until_;
  Resources resources_;
  bool reports_resources_ = false;  // by itself, in this attempt
  std::array<std::uint32_t, kRejectReasonNames.size()> rejected_{};
  std::uint32_t duplicates_ = 0, stale_events_ = 0;
  std::uint64_t saved_identity_ = 0;  // its revision, counted from 1; 0: storage has none
};

}  // namespace agent::progress
