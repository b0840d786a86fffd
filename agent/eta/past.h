// Past: a family's history seen from one session: its last runs, and its stages aligned with the
// session's. Pure; not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "agent/eta/duration_model.h"
#include "agent/eta/family.h"

namespace agent::eta {

class Past {
 public:
  explicit Past(std::shared_ptr<const Family> family);

  // Looks up stages seen since the last call, so that there are `stages` of them; those beyond
  // `name_hashes` (by LabelId) are unknown.
  void align(std::span<const std::uint64_t> name_hashes, std::size_t stages);

  [[nodiscard]] const Family& family() const { return *family_; }
  [[nodiscard]] std::span<const FamilyRun> recent() const;  // the last kRecentRuns, oldest first
  [[nodiscard]] std::span<const StagePast> stages() const { return stages_; }
  [[nodiscard]] double mean_seconds() const { return mean_seconds_; }
  // What recent()[run]'s files take at the family's stage means, in seconds of one file at a time.
  [[nodiscard]] double work_of(std::size_t run) const { return work_[run]; }
  // Standard deviation of ln total over the recent runs; 0 with fewer than two.
  [[nodiscard]] double spread_of_totals() const { return spread_; }

  static constexpr std::size_t kRecentRuns = 6;

 private:
  [[nodiscard]] StagePast stage_past(std::uint64_t name_hash) const;

  std::shared_ptr<const Family> family_;
  std::vector<StagePast> stages_;
  std::size_t named_ = 0;  // of stages_, how many were looked up
  std::vector<double> work_;
  double mean_seconds_ = 0, spread_ = 0;
};

// The value in the middle (the mean of the middle two); `values` is reordered. Not empty.
[[nodiscard]] double median_of(std::vector<double>& values);

}  // namespace agent::eta
