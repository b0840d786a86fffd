// Model: the contract's sections 3 and 4 once more, as plainly as they can be written: what
// happened is kept in lists, and every answer is worked out by walking them. Slow, and independent
// of agent/progress, which must agree with it. For property tests; not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/progress/event.h"
#include "tests/progress/history.h"

namespace agent::progress {

struct ModelFile {
  std::string id;
  FileStatus status = FileStatus::kPending;
  std::optional<Instant> updated;   // the last event applied
  std::optional<Instant> state_at;  // the last event applied that told a state
  std::optional<Instant> started, ended;
  std::optional<std::int64_t> bytes;
  std::optional<double> units, quality;
  double progress = 0, cost = 0;
  std::int64_t bytes_done = 0, tokens = 0, retries_told = 0, retries_seen = 0;
  bool restored = false;

  [[nodiscard]] std::int64_t retries() const { return std::max(retries_told, retries_seen); }
};

// Everything that is compared.
struct ModelAnswer {
  std::array<std::int64_t, 6> files{};
  std::int64_t total_files = 0;
  double total_work = 0, work_done = 0, work_earned = 0, percentage = 0, complexity = 1;
  Duration elapsed{}, active{};
  std::optional<double> average_processing_ms, current_throughput, average_throughput;
  std::optional<double> peak_throughput;  // only where events came in order
  std::optional<double> error_rate, quality_score, api_success_rate, api_efficiency;
  double rate_limiting_impact = 0, cost = 0;
  std::int64_t tokens = 0, retries = 0, calls = 0;
  std::array<std::int64_t, 4> ended_ever{};
  std::int64_t bytes_ever = 0, tokens_ever = 0;
  std::uint32_t stale_events = 0;
  std::int64_t attempt = 1;
  SessionState state = SessionState::kWaiting;
};

class Model {
 public:
  // False: refused.
  bool apply(const Step& step);
  [[nodiscard]] ModelAnswer answer(Now at) const;
  [[nodiscard]] const std::vector<ModelFile>& files() const { return files_; }

 private:
  struct Pause {
    Instant from;
    std::optional<Instant> to;
  };
  struct Completion {
    Instant ts;
    std::int64_t files;
  };
  struct Spending {
    std::int64_t tokens = 0, bytes = 0, retries = 0;
    double cost = 0;
    std::int64_t calls_ok = 0, calls_failed = 0;
    Duration delay{};
  };
  struct Counts {
    std::int64_t completed = 0, failed = 0, skipped = 0, bytes_done = 0, restored = 0;
    std::optional<Instant> reported, moved;
  };

  void open_attempt(const Step& step, bool resume);
  void take(const FileProgressed& e, Instant ts);
  void take(const FilesAnnounced& e, Instant ts);
  void take(const CountsReported& e, Instant ts);
  void take(const ApiCalled& e, Instant ts);
  void take(const RateLimited& e, Instant ts);
  void take(const ResourcesUsed&, Instant) {}
  void take(const SessionStarted& e, Instant ts);
  void take(const SessionUpdated& e, Instant ts);
  void take(const SessionPaused& e, Instant ts);
  void take(const SessionResumed& e, Instant ts);
  void take(const SessionEnded& e, Instant ts);

  ModelFile& find_or_add(std::string_view id);
  void change_state(ModelFile& f, FileStatus to, Instant ts);
  void spend(ModelFile& f, const FileProgressed& e);
  [[nodiscard]] Instant now(Now at) const;
  [[nodiscard]] Duration active(Instant now) const;
  [[nodiscard]] std::vector<double> weights() const;
  void weigh(ModelAnswer& a) const;
  void rate(ModelAnswer& a, Instant now) const;
  [[nodiscard]] std::int64_t completed_between(Instant after, Instant until) const;
  [[nodiscard]] std::optional<double> peak(Instant now) const;
  [[nodiscard]] SessionState state(const ModelAnswer& a, Now at) const;
  [[nodiscard]] double may_be_silent(const ModelAnswer& a) const;
  [[nodiscard]] double p95_seconds() const;

  bool begun_ = false, start_told_ = false, stale_ = false, ever_late_ = false;
  std::int64_t attempt_ = 1;
  Instant start_, latest_;
  Now latest_at_, heard_at_;
  std::optional<Instant> end_;
  std::optional<EndStatus> end_status_;
  std::vector<Pause> pauses_;
  std::optional<std::int64_t> concurrency_;
  std::int64_t announced_ = 0, most_at_once_ = 0;
  Duration window_ = std::chrono::seconds(60);
  std::optional<Instant> limited_until_;

  std::vector<ModelFile> files_;
  bool has_files_ = false, has_counts_ = false;
  Counts counts_;
  std::vector<Completion> completions_;  // of this attempt
  std::vector<Spending> spent_;          // of this attempt
  std::vector<double> durations_;        // seconds of completed files, of all attempts
  std::array<std::int64_t, 4> ended_ever_{};
  std::int64_t bytes_ever_ = 0, tokens_ever_ = 0;
  std::uint32_t stale_events_ = 0;
};

}  // namespace agent::progress
