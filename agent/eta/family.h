// Family: what is remembered of earlier runs of the same job (`family` in the contract). One
// FamilyRun per ended session and, merged over runs, how long each file took. Immutable once made:
// sessions share it while they run and `with()` makes the next one. Pure; any thread may read.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/eta/experts.h"
#include "agent/progress/names.h"

namespace agent::eta {

inline constexpr std::size_t kCurvePoints = 51;  // of a progress curve, at every 2 % of the time
inline constexpr std::size_t kRememberedStages = 64;  // a run
inline constexpr std::size_t kMethods = progress::kEtaMethodNames.size();
using Curve = std::array<float, kCurvePoints>;  // share done (0..1, rising) over share of time

// A stage of a finished run.
struct StageRecord {
  std::uint64_t name_hash = 0;
  float files = 0, seconds = 0;  // how many files, and their mean duration
  float log_seconds = 0;         // mean of its logarithm
  float begin = 0, end = 1;      // when its first file started and its last ended, share of the run
};

// How long a file took, to be merged into the family.
struct FileRecord {
  std::uint64_t id_hash = 0;
  float seconds = 0;
  float end = 0;  // share of the run at which it ended

  template <typename Archive, typename Self>
  static void fields(Archive& archive, Self& self) {
    archive(self.id_hash, self.seconds, self.end);
  }
};

// What later runs need of one that ended.
struct FamilyRun {
  float seconds = 0;  // active
  float files = 0;
  float mean_seconds = 0;      // of a file
  Curve files_done{}, busy{};  // files; integral of the files in flight
  std::vector<StageRecord> stages;
  std::vector<FileRecord> known_files;  // merged and emptied by Family::with
  std::array<float, kMethods>
      method_error{};  // mean |foretold - true| / true total; NaN: no answer
  std::array<float, kExperts>
      expert_error{};  // mean |ln foretold total - ln true total|; NaN likewise
  std::array<float, kBeliefs> belief_error{};  // likewise, of the blend by Belief
  float chosen_error = 0;                      // of the method that spoke, as method_error
  float coverage = 0.8F;                       // share of the time the 80 % interval held
  float confidence = 0.5F,
        hits = 0.5F;  // mean confidence given, and the share of forecasts it was about
};

struct FilePast {
  float log_seconds = 0;  // exponential mean over runs, newest 1/2
  float end = 0;          // likewise
  float spread = 0;       // likewise of |ln seconds - mean|, speed of the run taken out
  std::uint32_t run = 0;  // the last run it was seen in
};

struct FamilyBounds {
  std::size_t runs = 16;
  std::size_t files = 20'000;
};

class Family {
 public:
  // The family after one more run. Of one that is not complete (it was cut short, or took over what
  // an earlier attempt had done) only the files' durations are kept: its totals mean nothing to
  // others.
  [[nodiscard]] std::shared_ptr<const Family> with(FamilyRun run, bool complete,
                                                   FamilyBounds bounds) const;

  [[nodiscard]] std::span<const FamilyRun> runs() const { return runs_; }  // oldest first
  [[nodiscard]] const FilePast* file(std::uint64_t id_hash) const {
    const auto found = files_.find(id_hash);
    return found == files_.end() ? nullptr : &found->second;
  }
  [[nodiscard]] std::size_t files() const { return files_.size(); }
  [[nodiscard]] std::uint32_t run_count() const { return run_count_; }  // ever

 private:
  friend class History;  // writes and reads its bytes
  void merge(const FamilyRun& run, std::size_t bound);

  std::vector<FamilyRun> runs_;
  boost::unordered_flat_map<std::uint64_t, FilePast> files_;
  std::uint32_t run_count_ = 0;
};

}  // namespace agent::eta
