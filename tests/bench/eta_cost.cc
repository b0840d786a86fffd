// What estimates cost: one of a session of 1,000 files in 10 stages with 50 in flight (at most 20
// us), and one change of a file. Prints both; exit code 1 when an estimate costs more.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <vector>

#include "tests/eta/simulated_job.h"

namespace {

using namespace agent::eta;

// Of this process: what others do on the machine is not in it.
double cpu_microseconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return 1e6 * static_cast<double>(t.tv_sec) + 1e-3 * static_cast<double>(t.tv_nsec);
}

std::vector<SimulatedFile> job() {
  auto files = scheduled(lognormal_durations(1000, 20, 0.8, 1), 50);
  for (std::size_t i = 0; i < files.size(); ++i) {
    files[i].stage = "stage" + std::to_string(i % 10);
    files[i].bytes = static_cast<std::int64_t>(1000 + 7 * i);
  }
  return files;
}

// The median of five means over many estimates, with and without history.
double estimate_cost(SimulatedJob& job, double t) {
  std::vector<double> means;
  for (int round = 0; round < 5; ++round) {
    const Evidence base = job.evidence(t);
    constexpr int kTimes = 2000;
    const double begin = cpu_microseconds();
    for (int i = 0; i < kTimes; ++i) {
      Evidence e = base;
      e.now = base.now + agent::Duration(round * kTimes + i);
      job.estimator().estimate(e);
    }
    means.push_back((cpu_microseconds() - begin) / kTimes);
  }
  std::ranges::sort(means);
  return means[2];
}

double change_cost(const std::vector<SimulatedFile>& files, const Background& background) {
  std::vector<agent::progress::FileChange> changes;
  for (const SimulatedFile& f : files) {
    agent::progress::FileChange c;
    c.id_hash = agent::progress::stable_hash(f.id);
    c.bytes_to = f.bytes;
    c.is_new = true;
    c.at = job_start();
    changes.push_back(c);
    c.is_new = false;
    c.bytes_from = f.bytes;
    c.to = agent::progress::FileStatus::kProcessing;
    c.at = after(f.start);
    c.started = c.at;
    changes.push_back(c);
    c.from = c.to;
    c.to = agent::progress::FileStatus::kCompleted;
    c.at = after(f.end);
    changes.push_back(c);
  }
  std::ranges::stable_sort(changes, {}, &agent::progress::FileChange::at);
  constexpr int kRounds = 200;
  double spent = 0;
  for (int round = 0; round < kRounds; ++round) {
    Estimator estimator(job_start(), background);
    const double begin = cpu_microseconds();
    for (const auto& c : changes) estimator.observe(c);
    spent += cpu_microseconds() - begin;
  }
  return 1000 * spent / kRounds / static_cast<double>(changes.size());
}

}  // namespace

int main() {
  History history;
  Background background{.family = nullptr, .model = shipped_model(), .overall = {}};
  SimulatedJob first(job(), background);
  first.follow(first.total());
  auto finish = first.finish();
  history.add("job", std::move(finish.run), finish.complete);
  SimulatedJob cold(job(), background);
  cold.follow(cold.total() / 2);
  const double without = estimate_cost(cold, cold.total() / 2);
  background.family = history.family("job");
  SimulatedJob warm(job(), background);
  warm.follow(warm.total() / 2);
  const double with = estimate_cost(warm, warm.total() / 2);
  std::printf(
      "estimate: %.1f us without history, %.1f us with (1,000 files, 10 stages, 50 in flight)\n",
      without, with);
  std::printf("change of a file: %.0f ns with history\n", change_cost(job(), background));
  return with <= 20 ? 0 : 1;
}
