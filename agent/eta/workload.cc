#include "agent/eta/workload.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace agent::eta {
namespace {

using progress::FileChange;
using progress::FileStatus;

constexpr double kShortest = 1e-4;  // seconds: what a duration of nothing counts as in logarithms

bool makes_work(FileStatus s, bool restored) {
  return !restored && s != FileStatus::kSkipped && s != FileStatus::kCancelled;
}

bool is_done(FileStatus s) { return s == FileStatus::kCompleted || s == FileStatus::kFailed; }

}  // namespace

StageWork& Workload::stage(progress::LabelId id) {
  if (id >= stages_.size()) stages_.resize(id + std::size_t{1});
  stages_[id].changed = true;
  return stages_[id];
}

template <typename Archive, typename Self>
void Workload::fields(Archive& archive, Self& w) {
  archive(w.all_, w.failed_, w.sized_, w.first_end_, w.residual_n_, w.residual_mean_,
          w.residual_m2_, w.replay_, w.known_error_, w.stage_error_, w.known_offset_);
}

void Workload::save(progress::Packer& packer) {
  fields(packer, *this);
  packer.number(stages_.size());
  packer.number(static_cast<std::uint64_t>(std::ranges::count(stages_, true, &StageWork::changed)));
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    if (!std::exchange(stages_[i].changed, false)) continue;
    packer.number(i);
    packer(stages_[i]);
  }
}

void Workload::load(progress::Unpacker& unpacker) {
  fields(unpacker, *this);
  const std::uint64_t stages = unpacker.number(), changed = unpacker.number();
  if (stages > std::numeric_limits<progress::LabelId>::max() || stages < stages_.size())
    return unpacker.fail();
  stages_.resize(stages);
  for (std::uint64_t i = 0; i < changed && unpacker.ok(); ++i) {
    const std::uint64_t stage = unpacker.number();
    if (stage >= stages) return unpacker.fail();
    unpacker(stages_[stage]);
    stages_[stage].changed = false;
  }
}

void Workload::forget_saved() {
  for (StageWork& s : stages_) s.changed = true;
}

void Workload::observe(const FileChange& c, double at, double ran, const Family* family) {
  const FilePast* past = family == nullptr ? nullptr : family->file(c.id_hash);
  const FileSize before = size_of(c.bytes_from, c.units_from),
                 size = size_of(c.bytes_to, c.units_to);
  if (!c.is_new) move({c.from, false, c.stage_from, before, past}, -1);
  move({c.to, c.restored, c.stage_to, size, past}, 1);
  StageWork& s = stage(c.stage_to);
  if (c.to == FileStatus::kProcessing && s.first_start < 0) s.first_start = at;
  const bool was_done = !c.is_new && is_done(c.from);
  if (is_done(c.to) && !was_done && !c.restored) {
    if (c.to == FileStatus::kFailed) ++failed_;
    if (first_end_ < 0) first_end_ = at;
    s.last_end = all_.last_end = std::max(all_.last_end, at);
    s.end_sum += at;
    all_.end_sum += at;
    if (past != nullptr && past->end > 0.005F && at > 0) {
      replay_.add(std::log(at) - std::log(static_cast<double>(past->end)), at);
    }
    if (c.started) finish(s, size, ran, past);
  }
}

void Workload::forget_past() {
  for (std::size_t i = 0; i <= stages_.size(); ++i) {
    StageWork& w = i < stages_.size() ? stage(static_cast<progress::LabelId>(i)) : all_;
    w.known_waiting = w.known_running = 0;
    w.past_waiting = 0;
  }
}

void Workload::recall(std::uint64_t id_hash, progress::LabelId id, FileStatus status,
                      const Family& family) {
  const FilePast* past = family.file(id_hash);
  if (past == nullptr) return;
  const Place place{status, false, id, {}, past};
  count_past(stage(id), place, 1);
  count_past(all_, place, 1);
}

// Takes a file out of (sign -1) or puts it into (+1) the counts of its state and stage.
void Workload::move(const Place& p, int sign) {
  if (!makes_work(p.status, p.restored)) return;
  StageWork& s = stage(p.stage);
  for (StageWork* w : {&s, &all_}) {
    w->seen += sign;
    if (p.status == FileStatus::kPending) w->waiting += sign;
    if (p.status == FileStatus::kProcessing) w->running += sign;
    if (is_done(p.status)) w->done += sign;
    for (std::size_t b = 0; b < kSizeBases; ++b) {
      const double size = sign * p.size.of[b];
      w->sizes[b].seen += size;
      if (p.status == FileStatus::kProcessing) w->sizes[b].running += size;
      if (is_done(p.status)) w->sizes[b].done += size;
    }
    if (p.past != nullptr) count_past(*w, p, sign);
  }
  for (std::size_t b = 0; b < kSizeBases; ++b) sized_[b] += p.size.known[b] ? sign : 0;
}

void Workload::count_past(StageWork& w, const Place& p, int sign) {
  if (p.status == FileStatus::kPending) {
    w.known_waiting += sign;
    w.past_waiting += sign * std::exp(static_cast<double>(p.past->log_seconds));
  } else if (p.status == FileStatus::kProcessing) {
    w.known_running += sign;
  }
}

void Workload::finish(StageWork& s, const FileSize& size, double seconds, const FilePast* past) {
  const SizeBasis by = basis();
  const double expected = expectation(s, by, size);
  const double log_seconds = std::log(std::max(seconds, kShortest));
  if (s.timed > 0) {  // of a stage's first file nothing was known
    const double r = log_seconds - std::log(std::max(expected, kShortest));
    note_residual(std::clamp(r, -4.0, 4.0));
  }
  for (StageWork* w : {&s, &all_}) {
    ++w->timed;
    w->seconds += seconds;
    w->squares += seconds * seconds;
    w->log_seconds += log_seconds;
    w->log_squares += log_seconds * log_seconds;
  }
  for (std::size_t b = 0; b < kSizeBases; ++b) {
    const double x = relative_size(s, b, size) - 1;
    s.sizes[b].timed += size.of[b];
    s.sizes[b].xx += x * x;
    s.sizes[b].xy += x * seconds;
  }
  if (past != nullptr) compare(s, seconds, log_seconds, *past);
}

// What the file was expected to take just before it was known, without history.
double Workload::expectation(const StageWork& s, SizeBasis by, const FileSize& size) const {
  if (all_.timed == 0) return 1;
  const double mean = all_.seconds / static_cast<double>(all_.timed);
  const double stage_mean = (s.seconds + mean) / (static_cast<double>(s.timed) + 1);
  if (by == SizeBasis::kNone) return stage_mean;
  const double g = slope(s, by, 0.3);
  const double x = relative_size(s, static_cast<std::size_t>(by), size);
  return std::max(0.05 * stage_mean, stage_mean * (1 - g + g * x));
}

// Running variance of the residuals over about the last 400 (Welford, with forgetting).
void Workload::note_residual(double r) {
  residual_n_ = std::min(residual_n_ + 1, 400.0);
  const double d = r - residual_mean_;
  residual_mean_ += d / residual_n_;
  residual_m2_ += d * (r - residual_mean_);
  if (residual_n_ >= 400) residual_m2_ *= 1 - 1 / residual_n_;
  stage_error_ = 0.98 * stage_error_ + 0.02 * std::abs(r);
}

void Workload::compare(StageWork& s, double seconds, double log_seconds, const FilePast& past) {
  const double then = std::exp(static_cast<double>(past.log_seconds));
  for (StageWork* w : {&s, &all_}) {
    ++w->known_done;
    w->past_done += then;
    w->now_done += seconds;
    w->known_log_ratio +=
        std::clamp(log_seconds - static_cast<double>(past.log_seconds), -2.0, 2.0);
  }
  const double d = log_seconds - static_cast<double>(past.log_seconds) - known_offset_;
  known_error_ = 0.98 * known_error_ + 0.02 * std::min(4.0, std::abs(d));
  known_offset_ += 0.05 * std::clamp(d, -2.0, 2.0);
}

SizeBasis Workload::basis() const {
  if (all_.sizes[0].seen > 0 && sized_[0] == all_.seen) return SizeBasis::kBytes;
  if (all_.sizes[1].seen > 0 && sized_[1] == all_.seen) return SizeBasis::kUnits;
  return SizeBasis::kNone;
}

double Workload::sigma() const {
  constexpr double kPrior = 0.6, kPriorWeight = 3;
  const double v = (residual_m2_ + kPriorWeight * kPrior * kPrior) / (residual_n_ + kPriorWeight);
  return std::clamp(std::sqrt(v), 0.1, 2.0);
}

double Workload::relative_size(const StageWork& s, std::size_t basis, const FileSize& size) {
  const double mean = s.sizes[basis].seen / std::max<double>(1, static_cast<double>(s.seen));
  return mean > 0 ? size.of[basis] / mean : 1;
}

double Workload::global_slope(SizeBasis by) const {
  if (by == SizeBasis::kNone) return 0;
  double xy = 0.3, xx = 1;
  for (const StageWork& s : stages_) {
    if (s.timed < 2 || s.seconds <= 0) continue;
    const SizeSums& z = s.sizes[static_cast<std::size_t>(by)];
    xy += z.xy / (s.seconds / static_cast<double>(s.timed));
    xx += z.xx;
  }
  return std::clamp(xy / xx, 0.0, 1.2);
}

double Workload::slope(const StageWork& s, SizeBasis by, double prior) const {
  if (by == SizeBasis::kNone) return 0;
  const SizeSums& z = s.sizes[static_cast<std::size_t>(by)];
  if (s.timed < 2 || z.xx <= 1e-6 || s.seconds <= 0) return prior;
  const double mean = s.seconds / static_cast<double>(s.timed);
  return std::clamp((z.xy / mean + prior) / (z.xx + 1), 0.0, 1.3);
}

}  // namespace agent::eta
