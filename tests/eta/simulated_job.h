// A job in virtual time for the estimator's tests: files that start and end when they are told to,
// and the evidence a session would give.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "agent/eta/estimator.h"
#include "agent/eta/history.h"
#include "agent/progress/text.h"

namespace agent::eta {

inline Instant job_start() { return Instant(std::chrono::seconds(1'000'000'000)); }
inline Instant after(double s) {
  return job_start() + Duration(static_cast<std::int64_t>(std::llround(s * 1e6)));
}

struct SimulatedFile {
  std::string id;
  double start = 0, end = 0;  // seconds
  std::string stage{};
  std::optional<std::int64_t> bytes{};
  progress::FileStatus outcome = progress::FileStatus::kCompleted;
  bool left_out = false;  // skipped at `start`
  bool restored = false;  // completed by an earlier attempt
  double appears = 0;     // announced then
};

class SimulatedJob {
 public:
  explicit SimulatedJob(std::vector<SimulatedFile> files, Background background = {},
                        std::optional<std::int64_t> announced = std::nullopt)
      : files_(std::move(files)),
        announced_(announced),
        estimator_(job_start(), std::move(background)),
        status_(files_.size()),
        seen_(files_.size()) {
    for (const SimulatedFile& f : files_) total_ = std::max(total_, f.end);
    for (std::size_t i = 0; i < files_.size(); ++i) {
      const SimulatedFile& f = files_[i];
      steps_.push_back({f.appears, 0, i});
      if (f.restored) continue;
      steps_.push_back({f.start, 1, i});
      if (!f.left_out) steps_.push_back({f.end, 2, i});
    }
    std::stable_sort(steps_.begin(), steps_.end(), [](const Step& a, const Step& b) {
      return std::pair(a.at, a.kind) < std::pair(b.at, b.kind);
    });
  }

  // All that happens up to and at `t`.
  void run_to(double t) {
    now_ = t;
    for (; next_ < steps_.size() && steps_[next_].at <= t + 1e-9; ++next_) take(steps_[next_]);
  }
  std::optional<progress::Forecast> forecast(double t) {
    run_to(t);
    return estimator_.estimate(evidence(t));
  }
  // One that somebody only reads.
  std::optional<progress::Forecast> look(double t) {
    run_to(t);
    return estimator_.estimate(evidence(t), Keep::kNo);
  }
  // Forecasts all the way as the agent would, some 200 of them; the last one is at `t`.
  progress::Forecast follow(double t) {
    std::optional<progress::Forecast> f;
    for (int i = 1; i <= 200; ++i) f = forecast(t * i / 200);
    return *f;
  }
  Estimator::Finish finish() {
    run_to(total_);
    return estimator_.finish(after(total_), true);
  }

  Evidence evidence(double t) {
    Evidence e;
    e.now = after(t);
    e.start = job_start();
    e.paused = Duration(static_cast<std::int64_t>(paused * 1e6));
    running_.clear();
    std::int64_t seen = 0;
    for (std::size_t i = 0; i < files_.size(); ++i) {
      if (!seen_[i]) continue;
      ++seen;
      count(e, i);
    }
    e.total_files = std::max(seen, announced_.value_or(0));
    e.work.total += static_cast<double>(e.total_files - seen) *
                    (seen > 0 ? e.work.total / static_cast<double>(seen) : 1);
    e.files[0] += e.total_files - seen;
    e.running_count = static_cast<std::int64_t>(running_.size());
    e.running = running_;
    e.deadline = deadline;
    return e;
  }

  [[nodiscard]] double total() const { return total_; }
  Estimator& estimator() { return estimator_; }
  std::optional<Instant> deadline;
  double paused = 0;  // seconds so far

 private:
  struct Step {
    double at;
    int kind;  // 0 appears, 1 starts, 2 ends
    std::size_t file;
  };

  progress::LabelId stage(const std::string& name) {
    const auto found = std::find(stages_.begin(), stages_.end(), name);
    if (found != stages_.end()) return static_cast<progress::LabelId>(found - stages_.begin());
    stages_.push_back(name);
    const std::uint64_t hash = progress::stable_hash(name);
    estimator_.name_stages({&hash, 1});
    return static_cast<progress::LabelId>(stages_.size() - 1);
  }

  void take(const Step& s) {
    using progress::FileStatus;
    const SimulatedFile& f = files_[s.file];
    progress::FileChange c;
    c.id = f.id;
    c.id_hash = progress::stable_hash(f.id);
    c.at = after(s.at);
    c.stage_from = c.stage_to = stage(f.stage);
    c.bytes_from = c.bytes_to = f.bytes;
    c.is_new = s.kind == 0;
    c.from = status_[s.file];
    c.restored = f.restored;
    c.to = f.restored ? FileStatus::kCompleted : FileStatus::kPending;
    if (s.kind == 1) c.to = f.left_out ? FileStatus::kSkipped : FileStatus::kProcessing;
    if (s.kind == 2) c.to = f.outcome;
    if (s.kind > 0 && !f.left_out) c.started = after(f.start);
    if (c.is_new) c.bytes_from.reset();
    status_[s.file] = c.to;
    seen_[s.file] = true;
    estimator_.observe(c);
  }

  void count(Evidence& e, std::size_t i) {
    using progress::FileStatus;
    const SimulatedFile& f = files_[i];
    const FileStatus s = status_[i];
    const double weight = f.bytes ? static_cast<double>(*f.bytes) : 1;
    ++e.files[static_cast<std::size_t>(s)];
    e.work.total += weight;
    if (f.restored) ++e.restored;
    if (progress::is_final(s)) e.work.done += weight;
    if ((s == FileStatus::kCompleted || s == FileStatus::kFailed) && !f.restored)
      e.work.earned += weight;
    if (s == FileStatus::kProcessing) {
      running_.push_back({progress::stable_hash(f.id), stage(f.stage), after(f.start), 0,
                          size_of(f.bytes, std::nullopt)});
    }
  }

  std::vector<SimulatedFile> files_;
  std::optional<std::int64_t> announced_;
  Estimator estimator_;
  std::vector<progress::FileStatus> status_;
  std::vector<char> seen_;
  std::vector<std::string> stages_;
  std::vector<Step> steps_;
  std::size_t next_ = 0;
  std::vector<RunningFile> running_;
  double now_ = 0, total_ = 0;
};

// `n` files of the given durations, worked off by `workers`, in order.
inline std::vector<SimulatedFile> scheduled(const std::vector<double>& durations,
                                            std::size_t workers, const std::string& prefix = "f") {
  std::vector<double> free(workers, 0.0);
  std::vector<SimulatedFile> files;
  for (std::size_t i = 0; i < durations.size(); ++i) {
    auto worker = std::min_element(free.begin(), free.end());
    SimulatedFile f;
    f.id = prefix + std::to_string(i);
    f.start = *worker;
    f.end = *worker + durations[i];
    *worker = f.end;
    files.push_back(f);
  }
  return files;
}

inline std::vector<double> lognormal_durations(std::size_t n, double median, double sigma,
                                               std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<double> durations;
  for (std::size_t i = 0; i < n; ++i) {
    // Sum of twelve uniform numbers: normal enough, and the same with every standard library.
    double z = -6;
    for (int k = 0; k < 12; ++k) z += static_cast<double>(random() >> 11U) * 0x1.0p-53;
    durations.push_back(median * std::exp(sigma * z));
  }
  return durations;
}

}  // namespace agent::eta
