// OneSession: a single session in virtual time, for tests that tell what happened to it and look at
// the answer. An event is received at its own `ts` unless said otherwise. Not thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "agent/progress/session.h"
#include "tests/fakes/manual_clock.h"

namespace agent::fakes {

using progress::FileStatus;

// The changes an observer was told of, as values.
class ChangeLog final : public progress::FileObserver {
 public:
  struct Entry {
    std::string id;
    progress::FileChange change;  // without its views
  };
  void on_file(const progress::FileChange& change) override {
    entries_.push_back({std::string(change.id), change});
    entries_.back().change.id = {};
  }
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
};

class OneSession {
 public:
  explicit OneSession(progress::Rules rules = {}) : rules_(std::move(rules)) {}

  // `ts` and `received` in seconds since kEpoch.
  Result<progress::Applied, progress::Rejection> send(double ts, progress::Fact fact,
                                                      std::optional<double> received = {}) {
    const Now at = now_at(received.value_or(ts));
    if (!session_) session_ = std::make_unique<progress::Session>("job", rules_, moment(ts), at);
    progress::Event event;
    event.session = "job";
    event.ts = moment(ts);
    event.fact = std::move(fact);
    return session_->apply(event, moment(ts), at, files_left, changes);
  }
  Result<progress::Applied, progress::Rejection> file(double ts, std::string_view id,
                                                      FileStatus status) {
    progress::FileProgressed e;
    e.file = id;
    e.status = status;
    return send(ts, e);
  }
  Result<progress::Applied, progress::Rejection> announce(
      double ts, const std::vector<progress::AnnouncedFile>& files) {
    return send(ts, progress::FilesAnnounced{files});
  }
  Result<progress::Applied, progress::Rejection> start(double ts, bool resume = false) {
    return send(ts, progress::SessionStarted{.facts = {}, .resume = resume});
  }
  Result<progress::Applied, progress::Rejection> end(
      double ts, progress::EndStatus status = progress::EndStatus::kCompleted) {
    return send(ts, progress::SessionEnded{status, ""});
  }

  [[nodiscard]] progress::SessionSnapshot at(double seconds) const {
    return session_->snapshot(now_at(seconds));
  }
  [[nodiscard]] progress::Metrics metrics(double seconds) const { return at(seconds).metrics; }
  [[nodiscard]] progress::SessionState state(double seconds) const {
    return session_->state(now_at(seconds));
  }
  [[nodiscard]] std::int64_t count(FileStatus status) const {
    return session_->counts()[static_cast<std::size_t>(status)];
  }
  // 0..100
  [[nodiscard]] double percentage() const { return session_->work().percentage(); }
  [[nodiscard]] progress::FileSnapshot file_named(std::string_view id) const {
    const auto ref = session_->files().table().find(id);
    if (!ref) throw std::out_of_range("no file " + std::string(id));
    return session_->files().snapshot(*ref);
  }
  [[nodiscard]] progress::Session& session() { return *session_; }
  [[nodiscard]] const progress::Session& session() const { return *session_; }

  std::size_t files_left = 1'000'000;
  ChangeLog changes;

 private:
  progress::Rules rules_;
  std::unique_ptr<progress::Session> session_;
};

}  // namespace agent::fakes
