// Work: how much of a session is done, weighed three ways at once (bytes, units, files), because
// which one counts is known only when every file has been seen. O(1) per change. Pure; not
// thread-safe. Source: the contract, section 4 (weights, progressPercentage, eta.methods.linear,
// complexityFactor).
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "agent/progress/names.h"

namespace agent::progress {

// Sums of weights in one unit.
struct Weights {
  std::array<double, kFileStatusNames.size()> in{};  // of the files in each state
  double restored = 0;  // of completed files that an earlier attempt did

  [[nodiscard]] double of(FileStatus s) const { return in[static_cast<std::size_t>(s)]; }
  [[nodiscard]] double total() const;
  [[nodiscard]] double final() const;  // completed, failed, skipped, cancelled

  template <typename Archive, typename Self>
  static void fields(Archive& archive, Self& self) {
    archive(self.in, self.restored);
  }
};

// The work of a session in the weight that counts, unseen files taken at the mean weight of the
// seen.
struct WorkDone {
  double total = 0;   // all of it
  double done = 0;    // finished, left out, or done so far of what is being processed
  double earned = 0;  // done in this attempt by working: without skipped, cancelled, restored
  double complexity =
      1;  // mean weight of unfinished / mean weight of finished files; 1 when unknown

  [[nodiscard]] double remaining() const { return total > done ? total - done : 0; }
  [[nodiscard]] double percentage() const;  // 0..100
};

// One file's part in the sums.
struct FileWeight {
  FileStatus status = FileStatus::kPending;
  double progress = 0;      // 0..100
  std::int64_t bytes = -1;  // -1: not known
  double units = -1;        // -1: not known
  bool restored = false;
};

class Work {
 public:
  void add(const FileWeight& f) { change(f, 1); }
  void remove(const FileWeight& f) { change(f, -1); }
  // The file is being processed and stays so; only its progress moved.
  void move(const FileWeight& f, double progress_to);

  // `total_files`: announced or seen, the larger.
  [[nodiscard]] WorkDone done(std::int64_t total_files) const;
  // In the unit that counts: weight x progress of the files being processed.
  [[nodiscard]] double processing_done() const { return processing_done_[unit()]; }
  [[nodiscard]] std::int64_t seen() const { return seen_; }
  [[nodiscard]] std::int64_t restored_completed() const { return restored_completed_; }

  template <typename Archive, typename Self>
  static void fields(Archive& archive, Self& self) {
    archive(self.processing_done_, self.processing_, self.seen_, self.with_bytes_, self.with_units_,
            self.restored_completed_, self.count_, self.weights_);
  }

 private:
  enum Unit : std::uint8_t { kBytes, kUnits, kFiles };

  void change(const FileWeight& f, int sign);
  void change_in(Unit unit, const FileWeight& f, double weight);
  [[nodiscard]] Unit unit() const;  // the one that counts

  // What mere progress touches lies together.
  std::array<double, 3> processing_done_{};  // weight x progress of files being processed, by Unit
  std::int64_t processing_ = 0;
  std::int64_t seen_ = 0, with_bytes_ = 0, with_units_ = 0, restored_completed_ = 0;
  std::array<std::int64_t, kFileStatusNames.size()> count_{};
  std::array<Weights, 3> weights_{};  // by Unit
};

}  // namespace agent::progress
