// The honest behaviour that the specification asks for, one story each.
#include <gtest/gtest.h>

#include "tests/eta/simulated_job.h"

namespace agent::eta {
namespace {

using progress::EtaMethod;
using progress::FileStatus;
using progress::Forecast;

double left(const Forecast& f) { return seconds(f.remaining); }
double width(const Forecast& f) { return seconds(f.high) - seconds(f.low); }
Background with_model() { return {.family = nullptr, .model = shipped_model(), .overall = {}}; }

std::vector<double> equal(std::size_t n, double s) { return std::vector<double>(n, s); }

TEST(Scenario, ThereIsAnAnswerFromTheFirstInstantAndItIsAsLongAgain) {
  SimulatedJob job(scheduled(equal(100, 10), 4), with_model());
  EXPECT_FALSE(job.forecast(0).has_value());
  for (const double t : {0.001, 0.01, 0.5, 3.0, 9.9}) {
    const auto f = job.forecast(t);
    ASSERT_TRUE(f.has_value());
    EXPECT_GT(left(*f), 0.2 * t);
    EXPECT_LT(left(*f), 5 * t + 0.01);
    EXPECT_LT(*f->confidence, 0.5);
  }
}

TEST(Scenario, ASteadyJobIsForetoldWell) {
  SimulatedJob job(scheduled(lognormal_durations(400, 10, 0.3, 1), 4), with_model());
  const Forecast f = job.follow(job.total() / 2);
  EXPECT_NEAR(left(f) / (job.total() / 2), 1, 0.15);
  EXPECT_NEAR(seconds(*f.methods[2]) / (job.total() / 2), 1, 0.1);
  EXPECT_GE(seconds(f.high), job.total() / 2);
  EXPECT_GT(*f.confidence, 0.6);
}

TEST(Scenario, AStallWidensTheRangeAndNeverShrinksIt) {
  auto files = scheduled(equal(200, 5), 4);
  for (auto& f : files) {
    if (f.end > 100) f.start = f.end = 5000;  // nothing more, for long
  }
  SimulatedJob job(files, with_model());
  double before = width(job.follow(100)), confidence = *job.forecast(100.001)->confidence;
  const double first = before, at_first = left(*job.forecast(100.002));
  for (double t = 101; t < 2000; t += 7) {
    const auto f = job.forecast(t);
    EXPECT_GE(width(*f), before - 1e-4) << t;
    EXPECT_GT(left(*f), 0);
    before = width(*f);
  }
  EXPECT_GT(before, 2 * first);
  EXPECT_GT(left(*job.forecast(2000)), at_first);
  EXPECT_LT(*job.forecast(2001)->confidence, confidence);
}

// Four files in flight end at 105; nothing begins before 400.
std::vector<SimulatedFile> held_up_at_100() {
  auto files = scheduled(equal(200, 5), 4);
  for (auto& f : files) {
    if (f.start < 100) continue;
    f.start += 300;
    f.end += 300;
  }
  return files;
}

TEST(Scenario, AnAnnouncedWaitIsAddedNotAveraged) {
  SimulatedJob job(held_up_at_100(), with_model());
  const double before = left(job.follow(100));
  job.estimator().observe_wait(after(100), after(400));
  EXPECT_NEAR(left(*job.forecast(100.01)), before + 300, 0.05 * before);
  for (double t = 150; t < 400; t += 50) {  // the wait counts down, the work does not
    EXPECT_NEAR(left(*job.forecast(t)), before + (400 - t), 0.05 * before) << t;
  }
}

TEST(Scenario, AfterTheWaitThePaceIsThatOfWork) {
  SimulatedJob job(held_up_at_100(), with_model());
  job.follow(100);
  job.estimator().observe_wait(after(100), after(400));
  for (double t = 101; t < 475; t += 1) job.forecast(t);
  EXPECT_NEAR(left(*job.forecast(475)), job.total() - 475, 0.12 * (job.total() - 475));
}

TEST(Scenario, PausedTimeIsNoWorkTime) {
  auto files = scheduled(equal(200, 5), 4);
  for (auto& f : files) {
    if (f.start >= 100) {
      f.start += 1000;
      f.end += 1000;
    }
  }
  SimulatedJob job(files, with_model());
  const double before = left(job.follow(100));
  job.estimator().observe_pause(after(100));
  for (double t = 110; t <= 1100; t += 45) {
    job.paused = t - 100;
    EXPECT_NEAR(left(*job.forecast(t)), before, 0.02 * before) << t;
  }
  job.estimator().observe_resume(after(1100));
  for (double t = 1101; t < 1150; t += 1) job.forecast(t);
  const Forecast f = *job.forecast(1150);
  EXPECT_NEAR(left(f), job.total() - 1150, 0.15 * (job.total() - 1150));
  EXPECT_NEAR(seconds(*f.methods[0]), job.total() - 1150, 0.15 * (job.total() - 1150));
}

// 900 of 1,000 are cached: they were skipped in a second. The other 100 take 10 s each.
TEST(Scenario, NineHundredCachedFilesAreNoSpeed) {
  std::vector<SimulatedFile> files;
  for (int i = 0; i < 900; ++i) {
    SimulatedFile f;
    f.id = "cached" + std::to_string(i);
    f.start = f.end = 0.001 * i;
    f.left_out = true;
    files.push_back(f);
  }
  auto rest = scheduled(equal(100, 10), 1);
  for (auto& f : rest) {
    f.start += 1;
    f.end += 1;
    files.push_back(f);
  }
  SimulatedJob job(files, with_model());
  for (const double share : {0.1, 0.3, 0.6}) {
    const Forecast f = job.follow(share * job.total());
    EXPECT_NEAR(left(f) / ((1 - share) * job.total()), 1, share < 0.2 ? 0.5 : 0.25) << share;
    EXPECT_NEAR(seconds(*f.methods[0]) / ((1 - share) * job.total()), 1, 0.15) << share;
  }
}

TEST(Scenario, AResumedRunCountsWhatIsRestoredAsDoneButNotAsSpeed) {
  std::vector<SimulatedFile> files = scheduled(equal(60, 10), 2);
  for (int i = 0; i < 140; ++i) {
    SimulatedFile f;
    f.id = "restored" + std::to_string(i);
    f.restored = true;
    files.push_back(f);
  }
  SimulatedJob job(files, with_model());
  const Forecast f = job.follow(150);
  EXPECT_NEAR(left(f) / 150, 1, 0.25);
}

// The total doubles at half: the forecast rises once, and does not fall back.
TEST(Scenario, AGrowingTotalRaisesTheForecastOnce) {
  auto files = scheduled(equal(400, 2), 4);
  for (std::size_t i = 200; i < files.size(); ++i) files[i].appears = 60;
  SimulatedJob job(files, with_model());
  job.follow(59);
  const double before = left(*job.forecast(59.9));
  for (double t = 60; t < 90; t += 0.5) job.forecast(t);
  const double later = left(*job.forecast(90));
  EXPECT_LT(before, 60);
  EXPECT_NEAR(later / 110, 1, 0.3);
}

TEST(Scenario, KnownSizesTellWhatCountsCannot) {
  std::vector<double> durations;
  for (int i = 0; i < 200; ++i) durations.push_back(i < 160 ? 1 : 16);  // the large ones come last
  auto sized = scheduled(durations, 2);
  for (std::size_t i = 0; i < sized.size(); ++i) {
    sized[i].bytes =
        static_cast<std::int64_t>(durations[i] * 1e6) + static_cast<std::int64_t>(i % 7) * 100'000;
  }
  SimulatedJob with(sized, with_model());
  SimulatedJob without(scheduled(durations, 2), with_model());
  const double truth = with.total() - 75;
  EXPECT_LT(std::abs(left(with.follow(75)) - truth), std::abs(left(without.follow(75)) - truth));
}

TEST(Scenario, OneSlowLastFileIsExpectedToTakeLongerStill) {
  auto durations = equal(100, 10);
  durations.back() = 500;
  SimulatedJob job(scheduled(durations, 4), with_model());
  job.follow(300);
  double end_before = 300 + left(*job.forecast(300));
  for (double t = 320; t < 700; t += 20) {
    const Forecast f = *job.forecast(t);
    EXPECT_GT(left(f), 0) << t;
    EXPECT_GE(t + left(f), end_before - 1e-3) << t;
    end_before = t + left(f);
  }
}

// Three quarters through the last round of 16 files at once: what each expert says is left, against
// the truth, as |ln ratio|; and what it counts in the blend.
struct LateVoice {
  double error = 0, weight = 0;
};
LateVoice late_voice(Expert expert, std::uint64_t seed) {
  const auto files = scheduled(lognormal_durations(160, 10, 0.5, seed), 16);
  double begun = 0;
  for (const SimulatedFile& f : files) begun = std::max(begun, f.start);
  SimulatedJob job(files);
  const double now = begun + 0.75 * (job.total() - begun);
  job.follow(now);
  for (const Explanation::Voice& v : job.estimator().explain().experts) {
    if (v.expert != expert) continue;
    return {std::abs(std::log(v.remaining / (job.total() - now))), v.weight};
  }
  return {9, 0};
}

TEST(Scenario, InTheLastRoundEachFileLeftCounts) {
  LateVoice tail, rate;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    for (const auto& [expert, sum] :
         {std::pair{Expert::kTail, &tail}, std::pair{Expert::kCount, &rate}}) {
      const LateVoice v = late_voice(expert, seed);
      sum->error += v.error / 12;
      sum->weight += v.weight / 12;
    }
  }
  EXPECT_LT(tail.error, 0.7 * rate.error);
  EXPECT_GT(tail.weight, 3 * rate.weight);
}

TEST(Scenario, ParallelFinishersDoNotMakeItJump) {
  // Waves of 50 files that end together every 30 s.
  SimulatedJob job(scheduled(equal(1000, 30), 50), with_model());
  double last = 0, most = 0;
  for (double t = 1; t < 600; t += 1) {
    const double end = t + left(*job.forecast(t));
    if (t > 100) most = std::max(most, std::abs(end - last));
    last = end;
  }
  EXPECT_LT(most, 0.1 * job.total());
}

// ---- families -----------------------------------------------------------------------------------

std::vector<SimulatedFile> pipeline(double slowness, std::uint64_t seed) {
  std::vector<double> durations =
      lognormal_durations(120, 20, 1.0, 7);  // the files' own: every run
  const std::vector<double> noise = lognormal_durations(120, 1, 0.05, seed);
  for (std::size_t i = 0; i < durations.size(); ++i) durations[i] *= slowness * noise[i];
  return scheduled(durations, 4, "target");
}

TEST(Scenario, ASecondRunHasAnAnswerAtOnce) {
  History history;
  SimulatedJob first(pipeline(1, 1), with_model());
  first.follow(first.total());
  auto finish = first.finish();
  history.add("nightly", std::move(finish.run), finish.complete);
  Background warm = with_model();
  warm.family = history.family("nightly");
  SimulatedJob second(pipeline(1, 2), warm);
  const auto at_once = second.forecast(0);
  ASSERT_TRUE(at_once.has_value());
  EXPECT_NEAR(left(*at_once) / second.total(), 1, 0.7);
  const Forecast f = second.follow(0.2 * second.total());
  EXPECT_NEAR(left(f) / (0.8 * second.total()), 1, 0.19);
}

TEST(Scenario, ASlowerMachineIsNoticedWithinAFewFiles) {
  History history;
  for (std::uint64_t run = 1; run <= 4; ++run) {
    Background b = with_model();
    b.family = history.family("nightly");
    SimulatedJob job(pipeline(1, run), b);
    job.follow(job.total());
    auto finish = job.finish();
    history.add("nightly", std::move(finish.run), finish.complete);
  }
  Background warm = with_model();
  warm.family = history.family("nightly");
  SimulatedJob slow(pipeline(3, 9), warm);
  const Forecast f = slow.follow(0.3 * slow.total());
  EXPECT_NEAR(left(f) / (0.7 * slow.total()), 1, 0.14);
}

// Runs of a family whose durations have nothing in common: history misleads, and is gated out.
TEST(Scenario, AFamilyWhoseHistoryMisleadsIsNotBelieved) {
  History history;
  const auto misleading = [](std::uint64_t seed) {
    const double scale = seed % 2 == 0 ? 30 : 1;
    std::vector<double> d = lognormal_durations(100, 5 * scale, 0.8, seed);
    return scheduled(d, 2, "job" + std::to_string(seed) + "-");
  };
  double warm_error = 0, cold_error = 0;
  for (std::uint64_t run = 1; run <= 8; ++run) {
    Background b = with_model();
    b.family = history.family("bursts");
    SimulatedJob warm(misleading(run), b), cold(misleading(run), with_model());
    for (const double share : {0.3, 0.5, 0.7}) {
      const double truth = (1 - share) * warm.total();
      if (run > 4)
        warm_error += std::abs(left(warm.follow(share * warm.total())) - truth) / warm.total();
      if (run > 4)
        cold_error += std::abs(left(cold.follow(share * cold.total())) - truth) / cold.total();
    }
    warm.follow(warm.total());
    auto finish = warm.finish();
    history.add("bursts", std::move(finish.run), finish.complete);
  }
  EXPECT_LT(warm_error, cold_error + 0.035 * 12);
}

TEST(Scenario, TheMethodThatDidBestInTheFamilySpeaks) {
  FamilyRun run;
  run.method_error = {0.02F, 0.4F, 0.3F, 0.3F};
  run.seconds = 100;
  History history;
  for (int i = 0; i < 5; ++i) history.add("lines", run, true);
  Background b = with_model();
  b.family = history.family("lines");
  SimulatedJob job(scheduled(equal(50, 2), 1), b);
  EXPECT_EQ(job.follow(50).method, EtaMethod::kLinear);
  EXPECT_EQ(job.estimator().explain().choice.why, ChoiceReason::kFamilyRecord);
  EXPECT_GT(*job.follow(50).historical_accuracy, 0.85);
}

TEST(Scenario, AModelThatDoesPoorlyStaysOut) {
  FamilyRun run;
  run.method_error = {0.5F, 0.5F, 0.1F, 0.4F};
  run.seconds = 100;
  History history;
  for (int i = 0; i < 6; ++i) history.add("odd", run, true);
  Background b = with_model();
  b.family = history.family("odd");
  SimulatedJob job(scheduled(equal(50, 2), 1), b);
  const Forecast f = job.follow(50);
  EXPECT_EQ(f.method, EtaMethod::kAdaptive);
  EXPECT_EQ(job.estimator().explain().correction, 0);
  EXPECT_EQ(f.methods[2], f.methods[3]);
}

TEST(Scenario, TheRiskOfMissingADeadlineFollowsTheInterval) {
  SimulatedJob job(scheduled(lognormal_durations(200, 5, 0.3, 3), 4), with_model());
  const Forecast f = job.follow(job.total() / 2);
  const auto risk = [&](double remaining) {
    job.deadline = after(job.total() / 2 + remaining);
    return *job.forecast(job.total() / 2)->deadline_risk;
  };
  EXPECT_NEAR(risk(seconds(f.low)), 0.9, 0.03);
  EXPECT_NEAR(risk(left(f)), 0.5, 0.02);
  EXPECT_NEAR(risk(seconds(f.high)), 0.1, 0.03);
  EXPECT_EQ(risk(-1), 1);
}

TEST(Scenario, LinearOnlyMeansThatNoOtherMethodSpeaks) {
  SimulatedJob job({{"a", 0, 10}, {"b", 10, 20}, {"c", 20, 30}}, with_model());
  job.run_to(5);
  Evidence nothing_done = job.evidence(5), one_done;
  nothing_done.only_linear = true;
  EXPECT_FALSE(job.estimator().estimate(nothing_done)) << "adaptive would speak";
  job.run_to(10);
  one_done = job.evidence(10);
  one_done.only_linear = true;
  const auto f = job.estimator().estimate(one_done);
  ASSERT_TRUE(f);
  EXPECT_EQ(f->method, EtaMethod::kLinear);
  EXPECT_EQ(f->remaining, f->methods[0]);
  for (std::size_t i = 1; i < f->methods.size(); ++i) EXPECT_FALSE(f->methods[i]);
}

TEST(Scenario, ASessionThatOnlyCountsIsForetoldByItsCounts) {
  Estimator estimator(job_start(), with_model());
  Forecast f;
  for (int t = 1; t <= 100; ++t) {
    estimator.observe_counts(after(t), 3 * t, 0);
    Evidence e;
    e.start = job_start();
    e.now = after(t);
    e.total_files = 600;
    e.files[static_cast<std::size_t>(FileStatus::kCompleted)] = 3 * t;
    e.files[0] = 600 - 3 * t;
    e.work = {600, 3.0 * t, 3.0 * t};
    f = *estimator.estimate(e);
  }
  EXPECT_NEAR(left(f), 100, 8);
  EXPECT_NEAR(seconds(*f.methods[0]), 100, 1e-3);
  EXPECT_NEAR(seconds(*f.methods[1]), 100, 3);
}

}  // namespace
}  // namespace agent::eta
