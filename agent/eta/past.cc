#include "agent/eta/past.h"

#include <algorithm>
#include <cmath>

namespace agent::eta {

double median_of(std::vector<double>& v) {
  const auto middle = v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2);
  std::nth_element(v.begin(), middle, v.end());
  if (v.size() % 2 == 1) return *middle;
  return 0.5 * (*middle + *std::max_element(v.begin(), middle));
}

Past::Past(std::shared_ptr<const Family> family) : family_(std::move(family)) {
  std::vector<double> means;
  double sum = 0, squares = 0;
  for (const FamilyRun& r : recent()) {
    means.push_back(static_cast<double>(r.mean_seconds));
    const double l = std::log(std::max(1e-3, static_cast<double>(r.seconds)));
    sum += l;
    squares += l * l;
    double work = 0;
    for (const StageRecord& s : r.stages) {
      work += static_cast<double>(s.files) * stage_past(s.name_hash).seconds;
    }
    work_.push_back(std::max(1e-9, work));
  }
  const double n = static_cast<double>(means.size());
  if (n > 0) mean_seconds_ = std::max(1e-6, median_of(means));
  if (n > 1) spread_ = std::sqrt(std::max(0.0, squares / n - (sum / n) * (sum / n)));
}

std::span<const FamilyRun> Past::recent() const {
  const auto runs = family_->runs();
  return runs.last(std::min(runs.size(), kRecentRuns));
}

StagePast Past::stage_past(std::uint64_t name_hash) const {
  std::vector<double> seconds, logs, begin, end;
  for (const FamilyRun& r : recent()) {
    for (const StageRecord& s : r.stages) {
      if (s.name_hash != name_hash) continue;
      seconds.push_back(static_cast<double>(s.seconds));
      logs.push_back(static_cast<double>(s.log_seconds));
      begin.push_back(static_cast<double>(s.begin));
      end.push_back(static_cast<double>(s.end));
    }
  }
  if (seconds.empty()) return {};
  return {median_of(seconds), median_of(logs), median_of(begin), median_of(end)};
}

void Past::align(std::span<const std::uint64_t> name_hashes, std::size_t stages) {
  for (; named_ < std::min(stages, name_hashes.size()); ++named_) {
    if (named_ < stages_.size()) {
      stages_[named_] = stage_past(name_hashes[named_]);
    } else {
      stages_.push_back(stage_past(name_hashes[named_]));
    }
  }
  if (stages_.size() < stages) stages_.resize(stages);
}

}  // namespace agent::eta
