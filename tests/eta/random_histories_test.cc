// Whatever happens, in whatever order, a forecast is a number: never negative, infinite, or none at
// all. With AGENT_FULL set in the environment a million histories, some two minutes.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "tests/eta/simulated_job.h"

namespace agent::eta {
namespace {

using progress::FileStatus;

class Chaos {
 public:
  explicit Chaos(std::uint64_t seed) : random_(seed) {}
  double uniform() { return static_cast<double>(random_() >> 11U) * 0x1.0p-53; }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }

  // Durations from microseconds to months.
  Duration step() { return Duration(static_cast<std::int64_t>(std::exp(uniform() * 29))); }

 private:
  std::mt19937_64 random_;
};

struct ChaoticFile {
  FileStatus status = FileStatus::kPending;
  progress::LabelId stage = 0;
  std::optional<Instant> started;
  std::optional<std::int64_t> bytes;
  bool seen = false;
};

class ChaoticSession {
 public:
  ChaoticSession(Chaos& chaos, const History& history, std::shared_ptr<const Model> model)
      : chaos_(chaos),
        files_(1 + chaos.below(30)),
        estimator_(job_start(), {.family = history.family("f"),
                                 .model = std::move(model),
                                 .overall = history.overall(),
                                 .remembered_files = 8}) {
    const std::array<std::uint64_t, 3> names = {1, 2, 3};
    if (chaos.uniform() < 0.8) estimator_.name_stages(names);
  }

  void step() {
    if (chaos_.uniform() < 0.6) now_ += chaos_.step();
    switch (chaos_.below(12)) {
      case 0:
        estimator_.observe_pause(now_);
        break;
      case 1:
        estimator_.observe_resume(now_);
        break;
      case 2:
        estimator_.observe_wait(now_, now_ + chaos_.step());
        break;
      case 3:
        estimator_.observe_counts(now_, static_cast<std::int64_t>(chaos_.below(100)),
                                  static_cast<std::int64_t>(chaos_.below(5)));
        break;
      default:
        change_file();
    }
  }

  void check() {
    Evidence e;
    e.start = job_start();
    e.now = now_;
    e.total_files = static_cast<std::int64_t>(files_.size() + chaos_.below(3));
    for (const ChaoticFile& f : files_) ++e.files[static_cast<std::size_t>(f.status)];
    e.work = {chaos_.uniform() * 100, chaos_.uniform() * 100, chaos_.uniform() * 50};
    std::vector<RunningFile> running;
    for (std::size_t i = 0; i < files_.size(); ++i) {
      const ChaoticFile& f = files_[i];
      if (f.status != FileStatus::kProcessing) continue;
      running.push_back({i, f.stage, *f.started, chaos_.uniform(), size_of(f.bytes, std::nullopt)});
    }
    e.running_count = static_cast<std::int64_t>(running.size());
    e.running = running;
    if (chaos_.uniform() < 0.3) e.deadline = now_ + chaos_.step();
    const auto f = estimator_.estimate(e);
    ++checks;
    if (now_ > job_start()) {
      answered += f.has_value() ? 1 : 0;
      asked += 1;
    }
    if (f) check(*f);
  }

  Estimator::Finish finish() { return estimator_.finish(now_, chaos_.uniform() < 0.8); }
  static inline std::int64_t checks = 0, asked = 0, answered = 0;

 private:
  static void check(const progress::Forecast& f) {
    ASSERT_GE(f.low.count(), 0);
    ASSERT_LE(f.low, f.remaining);
    ASSERT_LE(f.remaining, f.high);
    ASSERT_LE(seconds(f.high), 1e10);  // which no NaN is
    ASSERT_LT(std::abs(unix_seconds(f.completion)), 1e12);
    ASSERT_TRUE(f.confidence && *f.confidence >= 0 && *f.confidence <= 1) << *f.confidence;
    const double risk = f.deadline_risk.value_or(0), accuracy = f.historical_accuracy.value_or(0);
    ASSERT_TRUE(risk >= 0 && risk <= 1) << risk;
    ASSERT_TRUE(accuracy >= 0 && accuracy <= 1) << accuracy;
    for (const auto& m : f.methods) {
      const double left = m ? seconds(*m) : 0;
      ASSERT_TRUE(left >= 0 && left <= 1e10) << left;
    }
    ASSERT_TRUE(f.methods[2] && f.methods[3]);
  }

  void change_file() {
    ChaoticFile& f = files_[chaos_.below(files_.size())];
    progress::FileChange c;
    c.id_hash = static_cast<std::uint64_t>(&f - files_.data());
    c.is_new = !f.seen;
    c.at = now_;
    c.from = f.status;
    c.to = static_cast<FileStatus>(chaos_.below(6));
    c.restored = c.is_new && chaos_.uniform() < 0.1;
    c.stage_from = f.stage;
    if (chaos_.uniform() < 0.2) f.stage = static_cast<progress::LabelId>(chaos_.below(4));
    c.stage_to = f.stage;
    c.bytes_from = c.is_new ? std::nullopt : f.bytes;
    if (chaos_.uniform() < 0.3)
      f.bytes = static_cast<std::int64_t>(std::exp(chaos_.uniform() * 36)) - 1;
    c.bytes_to = f.bytes;
    if (c.to == FileStatus::kProcessing && f.status != FileStatus::kProcessing) f.started = now_;
    if (c.to == FileStatus::kProcessing && !f.started) f.started = now_;
    c.started = f.started;
    f.status = c.to;
    f.seen = true;
    estimator_.observe(c);
  }

  Chaos& chaos_;
  std::vector<ChaoticFile> files_;
  Estimator estimator_;
  Instant now_ = job_start();
};

TEST(RandomHistories, EveryForecastIsANumber) {
  const auto model = shipped_model();
  Chaos chaos(20260105);
  History history({.families = 2, .family = {.runs = 4, .files = 16}});
  const int histories = std::getenv("AGENT_FULL") == nullptr ? 1'500 : 1'000'000;
  for (int session = 0; session < histories && !testing::Test::HasFatalFailure(); ++session) {
    ChaoticSession s(chaos, history, chaos.uniform() < 0.8 ? model : nullptr);
    const std::size_t steps = 1 + chaos.below(40);
    for (std::size_t k = 0; k < steps && !testing::Test::HasFatalFailure(); ++k) {
      s.step();
      if (chaos.uniform() < 0.5) s.check();
    }
    auto finish = s.finish();
    for (const auto& errors : finish.grade.errors) {
      for (const float e : errors) ASSERT_TRUE(e >= 0 && e <= 3);
    }
    history.add("f", std::move(finish.run), finish.complete);
  }
  EXPECT_EQ(ChaoticSession::answered, ChaoticSession::asked);
  EXPECT_GT(ChaoticSession::checks, 10'000);
}

}  // namespace
}  // namespace agent::eta
