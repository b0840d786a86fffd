#include "agent/progress/work.h"

#include <algorithm>
#include <numeric>

namespace agent::progress {
namespace {

constexpr std::size_t index(FileStatus s) { return static_cast<std::size_t>(s); }

double mean_or(double sum, double count, double otherwise) {
  return count > 0 ? sum / count : otherwise;
}

}  // namespace

double Weights::total() const { return std::accumulate(in.begin(), in.end(), 0.0); }
double Weights::final() const {
  return of(FileStatus::kCompleted) + of(FileStatus::kFailed) + of(FileStatus::kSkipped) +
         of(FileStatus::kCancelled);
}

double WorkDone::percentage() const {
  if (total <= 0) return 0;
  return std::clamp(100 * done / total, 0.0, 100.0);
}

void Work::change_in(Unit unit, const FileWeight& f, double weight) {
  Weights& sums = weights_[unit];
  sums.in[index(f.status)] += weight;
  if (f.status == FileStatus::kProcessing) processing_done_[unit] += weight * f.progress / 100;
  if (f.restored && f.status == FileStatus::kCompleted) sums.restored += weight;
}

void Work::change(const FileWeight& f, int sign) {
  seen_ += sign;
  count_[index(f.status)] += sign;
  if (f.restored && f.status == FileStatus::kCompleted) restored_completed_ += sign;
  if (f.bytes >= 0) {
    with_bytes_ += sign;
    change_in(kBytes, f, sign * static_cast<double>(f.bytes));
  }
  if (f.units >= 0) {
    with_units_ += sign;
    change_in(kUnits, f, sign * f.units);
  }
  change_in(kFiles, f, sign);
  if (f.status != FileStatus::kProcessing) return;
  processing_ += sign;
  if (processing_ == 0) processing_done_ = {};  // what rounding left behind
}

void Work::move(const FileWeight& f, double progress_to) {
  const double moved = (progress_to - f.progress) / 100;
  if (f.bytes >= 0) processing_done_[kBytes] += static_cast<double>(f.bytes) * moved;
  if (f.units >= 0) processing_done_[kUnits] += f.units * moved;
  processing_done_[kFiles] += moved;
}

Work::Unit Work::unit() const {
  if (seen_ > 0 && with_bytes_ == seen_ && weights_[kBytes].total() > 0) return kBytes;
  if (seen_ > 0 && with_units_ == seen_ && weights_[kUnits].total() > 0) return kUnits;
  return kFiles;
}

WorkDone Work::done(std::int64_t total_files) const {
  const Unit unit = this->unit();
  const Weights& w = weights_[unit];
  const double known = w.total();
  const auto seen = static_cast<double>(seen_);
  const double unseen = static_cast<double>(std::max<std::int64_t>(0, total_files - seen_));
  const double unseen_weight = unseen * mean_or(known, seen, 1.0);
  const double final = w.final();
  const double processed =
      std::max(0.0, std::min(processing_done_[unit], w.of(FileStatus::kProcessing)));

  WorkDone r;
  r.total = known + unseen_weight;
  r.done = std::min(r.total, final + processed);
  r.earned = std::max(
      0.0, r.done - w.of(FileStatus::kSkipped) - w.of(FileStatus::kCancelled) - w.restored);
  const auto count = [&](FileStatus s) { return static_cast<double>(count_[index(s)]); };
  const double finished = count(FileStatus::kCompleted) + count(FileStatus::kFailed);
  const double unfinished = count(FileStatus::kPending) + count(FileStatus::kProcessing) + unseen;
  const double finished_weight = w.of(FileStatus::kCompleted) + w.of(FileStatus::kFailed);
  const double unfinished_weight =
      w.of(FileStatus::kPending) + w.of(FileStatus::kProcessing) + unseen_weight;
  if (finished > 0 && unfinished > 0 && finished_weight > 0) {
    r.complexity = (unfinished_weight / unfinished) / (finished_weight / finished);
  }
  return r;
}

}  // namespace agent::progress
