// Workload: all files of one session as statistics, stage by stage: what is left, and how long
// files take (stage mean x size, lognormal around it). Kept by observe() in O(1) per change; knows
// no clock: session time in seconds is an argument. Pure; not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "agent/eta/family.h"
#include "agent/eta/stage_work.h"
#include "agent/progress/change.h"

namespace agent::eta {

// Mean of values that arrive over time, each weighing (when it came / now)^3.
class RecentMean {
 public:
  void add(double value, double at) {
    const double keep = at > at_ && at > 0 ? (at_ / at) * (at_ / at) * (at_ / at) : 1;
    weight_ = weight_ * keep + 1;
    mean_ += (value - mean_) / weight_;
    at_ = at;
  }
  [[nodiscard]] bool known() const { return weight_ > 0; }
  [[nodiscard]] double mean() const { return mean_; }

  template <typename Archive, typename Self>
  static void fields(Archive& archive, Self& self) {
    archive(self.mean_, self.weight_, self.at_);
  }

 private:
  double mean_ = 0, weight_ = 0, at_ = 0;
};

class Workload {
 public:
  // A file changed at session time `at`; if that ended a try, the file had run for `ran` seconds.
  void observe(const progress::FileChange& change, double at, double ran, const Family* family);

  [[nodiscard]] const std::vector<StageWork>& stages() const { return stages_; }  // by LabelId
  [[nodiscard]] const StageWork& all() const { return all_; }
  [[nodiscard]] std::int64_t failed() const { return failed_; }
  [[nodiscard]] double first_end() const { return first_end_; }  // session time; < 0: none yet

  // Which size every file seen has.
  [[nodiscard]] SizeBasis basis() const;
  // Standard deviation of ln(duration / expected) of the files that finished in stages seen before,
  // shrunk toward 0.6 as if that had been seen three times.
  [[nodiscard]] double sigma() const;
  // How well earlier durations of the same files foretell these: mean |ln ratio|, speed taken out;
  // and the same for stage means. 1 until known.
  [[nodiscard]] double known_error() const { return known_error_; }
  [[nodiscard]] double stage_error() const { return stage_error_; }

  // ln of the total time that each file's end foretells, by when it ended in earlier runs.
  [[nodiscard]] const RecentMean& replay() const { return replay_; }

  // The slope of duration over size within a stage, both relative to their means: 0, size does not
  // matter; 1, proportional. Least squares through the mean, shrunk: the stage's toward `prior`,
  // the pooled one toward 0.3.
  [[nodiscard]] double global_slope(SizeBasis basis) const;
  [[nodiscard]] double slope(const StageWork& stage, SizeBasis basis, double prior) const;
  // A file's size in units of its stage's mean size.
  [[nodiscard]] static double relative_size(const StageWork& s, std::size_t basis,
                                            const FileSize& size);

  // The family changed: forgets which files that wait or run it knows; and learns it anew.
  void forget_past();
  void recall(std::uint64_t id_hash, progress::LabelId stage, progress::FileStatus status,
              const Family& family);

  // For storage: all but the stages that it has as they are, and how they come back.
  void save(progress::Packer& packer);
  void load(progress::Unpacker& unpacker);
  void forget_saved();

 private:
  struct Place {
    progress::FileStatus status;
    bool restored;
    progress::LabelId stage;
    FileSize size;
    const FilePast* past;
  };

  template <typename Archive, typename Self>
  static void fields(Archive& archive, Self& self);
  StageWork& stage(progress::LabelId id);
  void move(const Place& place, int sign);
  static void count_past(StageWork& w, const Place& place, int sign);
  void finish(StageWork& s, const FileSize& size, double seconds, const FilePast* past);
  [[nodiscard]] double expectation(const StageWork& s, SizeBasis by, const FileSize& size) const;
  void note_residual(double r);
  void compare(StageWork& s, double seconds, double log_seconds, const FilePast& past);

  std::vector<StageWork> stages_;
  StageWork all_;
  std::int64_t failed_ = 0;
  std::array<std::int64_t, kSizeBases> sized_{};  // files that make work and have a size
  double first_end_ = -1;
  double residual_n_ = 0, residual_mean_ = 0, residual_m2_ = 0;  // ln(duration / expected)
  RecentMean replay_;
  double known_error_ = 1, stage_error_ = 1, known_offset_ = 0;
};

}  // namespace agent::eta
