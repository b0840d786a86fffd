// DurationModel: what a file of each stage takes, by all that is known at one instant, and from
// that the work left. Built anew for every estimate, from the session alone or with the family's
// history. Pure.
#pragma once

#include <span>
#include <vector>

#include "agent/eta/workload.h"

namespace agent::eta {

// The family's view of this session's stages; aligned with Workload::stages().
struct StagePast {
  double seconds = -1;     // median of the stage's mean durations over the last runs; < 0: unknown
  double log_seconds = 0;  // likewise of the means of ln duration
  double begin = 0, end = 1;  // medians: share of a run at which it began and ended
};

// A running file as the model needs it.
struct Running {
  std::size_t stage = 0;
  double age = 0;       // active seconds in the present try
  double progress = 0;  // 0..1; 0: unknown
  FileSize size;
  double past = -1;  // seconds it took in earlier runs; < 0: unknown
};

// Work in seconds of one file at a time.
struct WorkLeft {
  double done = 0;          // by files that finished, as the model sees them
  double running_done = 0;  // so far, by those running
  double running_left = 0;
  double waiting = 0;
  double longest_left = 0;  // of one running file
  double oldest_age = 0;
  double largest_waiting = 0;  // mean of the longest stage that has files waiting
  double untouched = 0;        // of `waiting`: in stages of which nothing has finished
  [[nodiscard]] double left() const { return running_left + waiting; }
  [[nodiscard]] double past() const { return done + running_done; }
};

class DurationModel {
 public:
  // `pasts` empty: without history. `speed`: durations now / durations then.
  DurationModel(const Workload& workload, std::span<const StagePast> pasts, double past_mean,
                double speed);
  // Of typical durations: exp(mean of ln seconds + sigma^2 / 2), which one outlier does not carry
  // away.
  static DurationModel typical(const Workload& workload);

  // Counts the running files in: those older than expected raise their stage's mean (one step of
  // expectation-maximisation for censored durations; Dempster, Laird, Rubin 1977).
  void learn_from(std::span<const Running> running);
  // `scale`: running files there are per one in the sample. `unseen`: files announced only as a
  // number.
  [[nodiscard]] WorkLeft work(std::span<const Running> running, double scale, double unseen) const;

  [[nodiscard]] double mean(std::size_t stage) const { return mean_[stage]; }
  [[nodiscard]] double overall_mean() const { return overall_; }
  [[nodiscard]] double sigma() const { return sigma_; }
  [[nodiscard]] double slope() const { return slope_; }
  [[nodiscard]] double expected(std::size_t stage, const FileSize& size) const;
  [[nodiscard]] double expected_total(const Running& file) const;  // given that it runs for its age
  // Of a `typical` model: what the file has still to run, as likely more as less, given its age:
  // the median of a lognormal law above the age. It is not carried away by the law's long tail.
  [[nodiscard]] double median_left(const Running& file) const;

 private:
  void use_logarithms();
  [[nodiscard]] double mean_of(std::size_t stage, double more_seconds, double more_files) const;

  const Workload* workload_;
  std::span<const StagePast> pasts_;
  SizeBasis basis_;
  double speed_, overall_, sigma_, slope_;
  double within_ = 0;  // variance of ln duration within stages; of a `typical` model
  bool history_;
  std::vector<double> mean_, slopes_;
};

}  // namespace agent::eta
