#include "agent/progress/stall.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace agent::progress {
namespace {

constexpr int kTimesUsual = 5, kTimesLongest = 2;

Duration p95(const Histogram& seconds, Duration longest) {
  const Span in_bucket(seconds.quantile(0.95).value_or(0));
  // Buckets are coarse, but nothing took longer than the longest.
  return std::min(std::chrono::duration_cast<Duration>(in_bucket), longest);
}

// How many files each stage holds, by stage number.
std::vector<std::uint64_t> held_by_stage(const Files& files) {
  std::vector<std::uint64_t> held(files.stages().size());
  for (const InFlight& one : files.in_flight()) ++held[files.table().at(one.file).stage];
  return held;
}

}  // namespace

std::optional<Duration> longest_silence(const FileDurations& took, const Files& files) {
  const std::vector<std::uint64_t> held = held_by_stage(files);
  if (took.seconds.count() == 0 || held[0] > took.seconds.count()) return std::nullopt;
  Duration usual = p95(took.seconds, took.longest);
  for (std::size_t stage = 1; stage < held.size(); ++stage) {
    if (held[stage] == 0) continue;
    if (stage > took.by_stage.size()) return std::nullopt;
    const Histogram& left = took.by_stage[stage - 1].seconds;
    if (held[stage] > left.count()) return std::nullopt;
    usual = std::max(usual, p95(left, took.longest));
  }
  return std::max(kTimesUsual * usual, kTimesLongest * took.longest);
}

Duration longest_silence(Duration average) { return kTimesUsual * average; }

}  // namespace agent::progress
