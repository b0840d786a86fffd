// What storage keeps of an estimator: one that comes back from its bytes goes on as if it had never
// stopped, whenever it was saved; damaged bytes are refused.
#include <gtest/gtest.h>

#include "tests/eta/simulated_job.h"

namespace agent::eta {
namespace {

// Stages, sizes, failures, and a second run of its family.
std::vector<SimulatedFile> job(std::uint64_t seed) {
  auto files = scheduled(lognormal_durations(200, 4, 0.8, seed), 5);
  for (std::size_t i = 0; i < files.size(); ++i) {
    files[i].stage = "stage" + std::to_string(i / 50);
    files[i].bytes = static_cast<std::int64_t>(1000 + 13 * i);
    files[i].appears = i < 150 ? 0 : 30;
    if (i % 17 == 0) files[i].outcome = progress::FileStatus::kFailed;
  }
  return files;
}

class StoredEstimator : public testing::Test {
 protected:
  StoredEstimator() {
    SimulatedJob first(job(1), background());
    first.follow(first.total());
    auto finish = first.finish();
    history_.add("f", std::move(finish.run), finish.complete);
  }
  [[nodiscard]] Background background() const {
    return {.family = history_.family("f"),
            .model = model_,
            .overall = history_.overall(),
            .remembered_files = 60};
  }
  // Storage's part: what was saved so far, put together.
  Estimator restored(const std::vector<std::string>& parts) const {
    // The overall record is the one that the session began with, whatever it is now.
    Estimator e(
        Instant{},
        {.family = history_.family("f"), .model = model_, .overall = {}, .remembered_files = 60});
    for (const std::string& part : parts) EXPECT_TRUE(e.load(part));
    return e;
  }
  static std::string part_of(Estimator& e) {
    progress::Packer packer;
    e.save(packer);
    return std::string(packer.bytes());
  }

  std::shared_ptr<const Model> model_ = shipped_model();
  History history_;
};

void expect_same(const progress::Forecast& a, const progress::Forecast& b) {
  EXPECT_EQ(a.method, b.method);
  EXPECT_EQ(a.remaining, b.remaining);
  EXPECT_EQ(a.low, b.low);
  EXPECT_EQ(a.high, b.high);
  EXPECT_EQ(a.confidence, b.confidence);
  EXPECT_EQ(a.methods, b.methods);
  EXPECT_EQ(a.deadline_risk, b.deadline_risk);
}

TEST_F(StoredEstimator, GoesOnAsIfItHadNeverStopped) {
  SimulatedJob original(job(2), background()), other(job(2), background());
  std::vector<std::string> parts;
  for (int i = 1; i <= 400; ++i) {
    const double t = original.total() * i / 400;
    if (i == 50) original.estimator().observe_wait(after(t), after(t + 3));
    if (i == 120) original.estimator().observe_pause(after(t));
    if (i == 130) original.estimator().observe_resume(after(t));
    const auto expected = original.forecast(t);
    // It stops here, and another one takes over with what was stored.
    if (i % 7 == 0) parts.push_back(part_of(original.estimator()));
    if (i % 100 == 0) original.estimator().forget_saved();
    if (i % 35 == 0) {
      parts.push_back(part_of(original.estimator()));
      other.run_to(t);
      other.estimator() = restored(parts);
      expect_same(*original.forecast(t + 0.01), *other.forecast(t + 0.01));
    } else if (i > 35 && i != 50 && i != 120 && i != 130) {
      expect_same(*expected, *other.forecast(t));
    } else if (i > 35) {  // it hears the same
      if (i == 50) other.estimator().observe_wait(after(t), after(t + 3));
      if (i == 120) other.estimator().observe_pause(after(t));
      if (i == 130) other.estimator().observe_resume(after(t));
      expect_same(*expected, *other.forecast(t));
    }
    if (HasFailure()) FAIL() << "at step " << i;
  }
  const auto a = original.finish(), b = other.finish();
  EXPECT_EQ(a.run.method_error, b.run.method_error);
  EXPECT_EQ(a.run.files_done, b.run.files_done);
  EXPECT_EQ(a.run.busy, b.run.busy);
  ASSERT_EQ(a.run.known_files.size(), b.run.known_files.size());
  for (std::size_t i = 0; i < a.run.known_files.size(); ++i) {
    EXPECT_EQ(a.run.known_files[i].id_hash, b.run.known_files[i].id_hash);
    EXPECT_EQ(a.run.known_files[i].seconds, b.run.known_files[i].seconds);
  }
}

// While no forecast is kept, a part is what it was told since.
TEST_F(StoredEstimator, SaysLittleBetweenForecastsThatAreKept) {
  SimulatedJob original(job(2), background()), other(job(2), background());
  std::vector<std::string> parts;
  std::size_t logs = 0, log_bytes = 0;
  for (int i = 1; i <= 400; ++i) {
    const double t = original.total() * i / 400;
    (void)(i % 20 == 0 ? original.forecast(t) : original.look(t));
    if (i == 50) original.estimator().observe_wait(after(t), after(t + 3));
    parts.push_back(part_of(original.estimator()));
    if (Estimator::is_log(parts.back())) {
      ++logs;
      log_bytes += parts.back().size();
    }
    if (i % 13 == 0) {
      other.run_to(t);
      other.estimator() = restored(parts);
      const double soon = t + original.total() / 800;
      expect_same(*original.look(soon), *other.look(soon));
    }
    if (HasFailure()) FAIL() << "at step " << i;
  }
  EXPECT_LT(350U, logs);
  EXPECT_LT(log_bytes / logs, 150U);
  EXPECT_TRUE(restored(parts).finish(after(original.total()), true).complete);
}

// A row of forecasts is much like the one before it.
TEST_F(StoredEstimator, SaysOfForecastsWhatChanged) {
  SimulatedJob original(job(2), background());
  for (int i = 1; i <= 400; ++i) {
    original.forecast(original.total() * i / 400);
    if (i == 240) (void)part_of(original.estimator());
  }
  EXPECT_LT(part_of(original.estimator()).size(), 8'000U);  // as they are: 9,300
}

// What it was told before a state that is stored counts no more.
TEST_F(StoredEstimator, ALogIsOfUseOnlyAfterTheLastState) {
  SimulatedJob original(job(2), background());
  std::vector<std::string> all, without;
  for (int i = 1; i <= 100; ++i) {
    const double t = original.total() * i / 200;
    if (i % 20 == 0)
      original.forecast(t);
    else
      original.look(t);
    all.push_back(part_of(original.estimator()));
    if (!Estimator::is_log(all.back())) {
      std::erase_if(without, Estimator::is_log);
    }
    without.push_back(all.back());
  }
  ASSERT_LT(without.size(), all.size());
  SimulatedJob a(job(2), background()), b(job(2), background());
  for (SimulatedJob* job : {&a, &b}) job->run_to(original.total() / 2);
  a.estimator() = restored(all);
  b.estimator() = restored(without);
  expect_same(*a.look(original.total() / 2), *b.look(original.total() / 2));
}

TEST_F(StoredEstimator, APartIsSmallAndTheWholeIsBounded) {
  SimulatedJob original(job(2), background());
  original.follow(original.total() / 2);
  const std::string whole = part_of(original.estimator());
  original.forecast(original.total() / 2 + 0.01);
  EXPECT_LT(part_of(original.estimator()).size(), 2'000U);
  EXPECT_LT(whole.size(), 30'000U);
}

// The family had another run meanwhile: what is known of the files that wait is counted anew.
TEST_F(StoredEstimator, AnotherRunOfTheFamilyIsNoticed) {
  SimulatedJob original(job(2), background());
  original.follow(original.total() / 2);
  const std::string part = part_of(original.estimator());
  EXPECT_TRUE(restored({part}).family_is_as_saved());
  FamilyRun run;
  run.known_files = {{1, 2.0F, 0.5F}};
  history_.add("f", run, false);
  Estimator later = restored({part});
  EXPECT_FALSE(later.family_is_as_saved());
  later.belong(history_.family("f"), 60);
  EXPECT_TRUE(later.estimate(original.evidence(original.total() / 2 + 1)).has_value());
}

TEST_F(StoredEstimator, DamagedBytesAreRefused) {
  SimulatedJob original(job(2), background());
  original.follow(original.total() / 3);
  const std::string whole = part_of(original.estimator());
  original.forecast(original.total() / 2);
  const std::string later = part_of(original.estimator());
  const auto loads = [&](const std::string& part) {
    Estimator e(Instant{}, background());
    return e.load(part);
  };
  EXPECT_TRUE(loads(whole));
  EXPECT_FALSE(loads(later));  // what it builds on is missing
  for (std::size_t n = 0; n < whole.size(); n += 13) EXPECT_FALSE(loads(whole.substr(0, n)));
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ (1 << i % 8));
    EXPECT_FALSE(loads(damaged)) << i;
  }
  EXPECT_FALSE(loads(whole + "x"));
  EXPECT_FALSE(loads(""));
}

}  // namespace
}  // namespace agent::eta
