// The project's own score of its ETAs, on small generated jobs: accuracy cannot fall unnoticed.
// Bounds are what was measured, and a little. (Recorded and larger generated jobs: `progress-agent
// replay --eta.log`.)
#include <gtest/gtest.h>

#include <map>

#include "tests/eta/simulated_job.h"

namespace agent::eta {
namespace {

struct Score {
  std::array<double, kMethods>
      error{};  // mean |foretold - true| / total, over 1 % to 99 % of the time
  double late = 0, jump = 0, coverage = 0;
};

// The job's forecasts as the ETA log asks for them; graded at 99 moments.
Score score(SimulatedJob& job) {
  Score s;
  double due = 0.01, end_before = 0;
  std::optional<progress::Forecast> f;
  for (int m = 1; m < 100; ++m) {
    const double t = job.total() * m / 100, left = job.total() - t;
    for (; due <= t; due = std::max(1.02 * due, due + 0.01)) job.forecast(due);
    f = job.forecast(t);
    for (std::size_t k = 0; k < kMethods; ++k) {
      const double foretold = f->methods[k] ? seconds(*f->methods[k]) : t;
      s.error[k] += std::min(3.0, std::abs(foretold - left) / job.total()) / 99;
    }
    const double remaining = seconds(f->remaining);
    if (m > 80) s.late += std::abs(remaining - left) / job.total() / 19;
    if (m > 1) s.jump += std::abs(t + remaining - end_before) / job.total() / 98;
    if (seconds(f->low) <= left && left <= seconds(f->high)) s.coverage += 1.0 / 99;
    end_before = t + remaining;
  }
  return s;
}

void add(Score& sum, const Score& s, double weight) {
  for (std::size_t k = 0; k < kMethods; ++k) sum.error[k] += weight * s.error[k];
  sum.late += weight * s.late;
  sum.jump += weight * s.jump;
  sum.coverage += weight * s.coverage;
}

enum class Law { kSteady, kScattered, kStraggling };

std::vector<SimulatedFile> generated(Law law, std::uint64_t seed, double speed) {
  std::vector<double> d = lognormal_durations(150, 10, law == Law::kScattered ? 1.0 : 0.2, seed);
  if (law == Law::kStraggling) d.back() = 300;
  for (double& v : d) v *= speed;
  return scheduled(d, seed % 2 == 0 ? 1 : 6, "f");
}

// Means over kinds of jobs: first runs, and third runs of their families.
struct Table {
  Score cold, warm;
};
Table measure() {
  Table table;
  const auto model = shipped_model();
  constexpr int kSeeds = 3;
  for (const Law law : {Law::kSteady, Law::kScattered, Law::kStraggling}) {
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
      History history;
      for (int run = 0; run < 3; ++run) {
        SimulatedJob job(
            generated(law, seed, 1 + 0.3 * run),
            {.family = history.family("f"), .model = model, .overall = history.overall()});
        const Score s = score(job);
        if (run == 0) add(table.cold, s, 1.0 / (3 * kSeeds));
        if (run == 2) add(table.warm, s, 1.0 / (3 * kSeeds));
        auto finish = job.finish();
        history.add("f", std::move(finish.run), finish.complete);
      }
    }
  }
  return table;
}

TEST(Accuracy, OfGeneratedJobs) {
  const Table t = measure();
  for (const auto& [name, s] : {std::pair{"first run", t.cold}, std::pair{"third run", t.warm}}) {
    std::printf(
        "%s: linear %.3f exponential %.3f adaptive %.3f ml_based %.3f | late %.3f jump %.4f "
        "coverage %.2f\n",
        name, s.error[0], s.error[1], s.error[2], s.error[3], s.late, s.jump, s.coverage);
  }
  EXPECT_LT(t.cold.error[2], 0.175);
  EXPECT_LT(t.cold.error[3], 0.187);
  EXPECT_LT(t.warm.error[2], 0.095);
  EXPECT_LT(t.warm.error[3], 0.082);
  EXPECT_LT(t.warm.late, 0.025);
  EXPECT_LT(t.cold.jump, 0.015);
  EXPECT_LT(t.warm.jump, 0.008);
  EXPECT_GT(t.cold.coverage, 0.6);
  EXPECT_GT(t.warm.coverage, 0.8);
}

// Byte for byte: the same events give the same forecasts.
TEST(Accuracy, ForecastsAreDeterministic) {
  const auto forecasts = [] {
    SimulatedJob job(generated(Law::kScattered, 5, 1),
                     {.family = nullptr, .model = shipped_model(), .overall = {}});
    std::vector<double> all;
    for (double t = 1; t < job.total(); t += 10) {
      const auto f = job.forecast(t);
      all.insert(all.end(),
                 {seconds(f->remaining), seconds(f->low), seconds(f->high), *f->confidence});
    }
    return all;
  };
  EXPECT_EQ(forecasts(), forecasts());
}

}  // namespace
}  // namespace agent::eta
