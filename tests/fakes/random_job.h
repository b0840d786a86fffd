// RandomJob: sessions that do everything that sessions can do, by chance but repeatably.
#pragma once

#include <array>
#include <random>
#include <string>

#include "agent/tracker/tracker.h"

namespace agent::fakes {

class RandomJob {
 public:
  static constexpr Instant kStart = Instant(std::chrono::seconds(1'760'000'000));

  explicit RandomJob(unsigned seed) : random_(seed) {}

  // Applies one batch of events.
  void step(tracker::Tracker& tracker, Now at) {
    const int events = pick(8);
    tracker::Tracker::Batch batch(tracker, at);
    for (int i = 0; i < events; ++i) apply(batch, at);
  }

 private:
  int pick(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }
  template <std::size_t N>
  std::string_view any(const std::array<std::string_view, N>& of) {
    return of[static_cast<std::size_t>(pick(static_cast<int>(N)))];
  }
  // Half of the time.
  template <typename T, typename V>
  void some(std::optional<T>& field, V value) {
    if (pick(2) == 0) field = static_cast<T>(value);
  }

  void apply(tracker::Tracker::Batch& batch, Now at) {
    session_ = "session-" + std::to_string(pick(6));
    file_ = "file-" + std::to_string(pick(40));
    progress::Event event;
    event.session = session_;
    if (pick(3) > 0) event.ts = at.wall - std::chrono::milliseconds(pick(3'000));
    if (pick(2) == 0) {
      event.producer = any(kProducers);
      event.seq = (at.wall - kStart).count() + pick(50) - 20;
    }
    event.fact = fact(at);
    (void)batch.apply(event);
    if (pick(20) == 0)
      batch.refuse(session_, "p1", std::nullopt, progress::RejectReason::kInvalidField);
  }

  progress::Fact fact(Now at) {
    if (session_ == "session-5") return counts();
    switch (pick(24)) {
      case 0:
        announced_[0] = {"announced-1", 10, std::nullopt, "queue"};
        announced_[1] = {file_, pick(9'000), 2.5, ""};
        return progress::FilesAnnounced{announced_};
      case 1:
        return call();
      case 2:
        return limit(at);
      case 3: {
        progress::ResourcesUsed used;
        used.cpu_cores = 0.1 * pick(30);
        some(used.network_errors, pick(100));
        return used;
      }
      case 4:
        return progress::SessionUpdated{facts(at)};
      case 5:
        return progress::SessionPaused{"lunch"};
      case 6:
        return progress::SessionResumed{};
      case 7:
        if (pick(3) == 0)
          return progress::SessionEnded{static_cast<progress::EndStatus>(pick(3)), "done"};
        return progress::SessionStarted{facts(at), pick(2) == 0};
      default:
        return file();
    }
  }
  progress::Fact counts() {
    progress::CountsReported counts;
    counts.completed = pick(500);
    some(counts.failed, pick(20));
    counts.total = 1'000;
    some(counts.bytes_done, pick(100'000));
    return counts;
  }
  progress::Fact call() {
    progress::ApiCalled call;
    call.ok = pick(4) > 0;
    call.provider = any(kProducers);
    call.model = "big";
    call.duration = std::chrono::milliseconds(pick(900));
    some(call.tokens, pick(500));
    call.tokens_in = 7;
    some(call.cost, 0.01 * pick(100));
    return call;
  }
  progress::Fact limit(Now at) {
    progress::RateLimited limit;
    some(limit.delay, std::chrono::milliseconds(pick(4'000)));
    limit.provider = "api";
    limit.limit = 1'000;
    some(limit.remaining, 1.0 * pick(1'000));
    some(limit.reset_at, at.wall + std::chrono::seconds(30));
    return limit;
  }
  progress::Fact file() {
    progress::FileProgressed f;
    f.file = file_;
    if (pick(3) == 0) {  // mere progress
      f.status = progress::FileStatus::kProcessing;
      f.progress = 1.0 * pick(100);
      return f;
    }
    some(f.status, static_cast<progress::FileStatus>(pick(6)));
    some(f.progress, 1.0 * pick(100));
    if (pick(2) == 0) f.stage = any(kStages);
    some(f.stage_progress, 1.0 * pick(100));
    some(f.bytes, pick(1'000'000));
    some(f.bytes_done, pick(1'000'000));
    some(f.tokens, pick(3'000));
    some(f.retries, pick(4));
    some(f.units, 1.5 * pick(9));
    some(f.cost, 0.001 * pick(5'000));
    some(f.quality, 0.01 * pick(100));
    if (pick(3) == 0) f.model = "small";
    if (pick(6) == 0) f.error = "broken \xC3\xA4";
    return f;
  }
  progress::SessionFacts facts(Now at) {
    progress::SessionFacts f;
    f.name = "nightly";
    if (pick(2) == 0) f.family = "other";
    some(f.total_files, pick(200));
    some(f.concurrency, 4);
    some(f.deadline, at.wall + std::chrono::seconds(pick(9'000)));
    f.labels = std::span<const std::pair<std::string_view, std::string_view>>(labels_);
    some(f.mode, static_cast<progress::Mode>(pick(4)));
    some(f.persistence, pick(2) == 0);
    if (pick(4) == 0) f.config.throughput_window = std::chrono::seconds(1 + pick(100));
    some(f.config.thresholds.high_error_rate, 0.25);
    return f;
  }

  static constexpr std::array<std::string_view, 3> kProducers = {"p1", "p2", "p3"};
  static constexpr std::array<std::string_view, 3> kStages = {"parse", "embed", "store"};
  std::mt19937 random_;
  std::string session_, file_;
  std::array<progress::AnnouncedFile, 2> announced_;
  std::array<std::pair<std::string_view, std::string_view>, 2> labels_ = {
      {{"team", "a"}, {"env", "test"}}};
};

}  // namespace agent::fakes
