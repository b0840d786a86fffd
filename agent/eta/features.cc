#include "agent/eta/features.h"

#include <algorithm>
#include <cmath>
#include <string_view>

namespace agent::eta {
namespace {

constexpr float kNone = -9;  // no opinion, no history
constexpr float kNoDrift = 5;
constexpr float kNoRecord = 3;
constexpr double kBound = 4;  // of logarithms

constexpr std::array<std::string_view, kReadings> kReadingNames = {"files_done",
                                                                   "files_running",
                                                                   "files_waiting",
                                                                   "work_done",
                                                                   "cold_work_done",
                                                                   "running_to_mean",
                                                                   "parallel_to_mean",
                                                                   "silence",
                                                                   "silence_in_files",
                                                                   "sigma",
                                                                   "untouched",
                                                                   "first_end",
                                                                   "oldest_age",
                                                                   "longest_left",
                                                                   "running_left",
                                                                   "failed",
                                                                   "slope",
                                                                   "known_share",
                                                                   "known_error",
                                                                   "stage_error",
                                                                   "past_runs",
                                                                   "past_spread",
                                                                   "spread_of_totals",
                                                                   "past_speed",
                                                                   "known_done",
                                                                   "files_to_last_run",
                                                                   "time_to_last_run",
                                                                   "log_running",
                                                                   "cold_untouched",
                                                                   "cold_running_left",
                                                                   "scatter",
                                                                   "stages_open"};
constexpr std::array<std::string_view, kBlendReadings> kBlendNames = {
    "spread",           "drift",  "sigma",         "log_share",
    "mean_to_forecast", "record", "history_share", "mean_to_now"};
constexpr std::array<std::string_view, 4> kExpertBlocks = {"forecast.", "since_half.",
                                                           "since_fifth.", "record."};
constexpr std::array<std::string_view, kAnnounced> kAnnouncedNames = {"announced_to_now",
                                                                      "announced_to_forecast"};

double ratio(double a, double b) { return a / std::max(1e-9, b); }
float bounded(double v) { return static_cast<float>(std::clamp(v, -kBound, kBound)); }

// Writes values one after another.
class Pen {
 public:
  explicit Pen(Features& into) : into_(&into) {}
  Pen& operator<<(double v) {
    (*into_)[at_++] = std::isfinite(v) ? static_cast<float>(std::clamp(v, -1e6, 1e6)) : kNone;
    return *this;
  }

 private:
  Features* into_;
  std::size_t at_ = 0;
};

// Share of the stages seen that still have files waiting or running.
double stages_open(const Workload& w) {
  double open = 0, all = 0;
  for (const StageWork& s : w.stages()) {
    if (s.seen == 0) continue;
    all += 1;
    if (s.waiting + s.running > 0) open += 1;
  }
  return ratio(open, all);
}

void read_session(Pen& pen, const Scene& s, const Reading& r) {
  const WorkLeft &w = r.work, &c = r.cold_work;
  const double n = std::max(1.0, s.files), silence = (s.now - s.last_end) / s.now;
  pen << s.done / n << s.running_count / n << r.waiting / n << r.done_share
      << ratio(c.past(), c.past() + c.left());
  pen << s.running_count / std::max(1e-3, r.mean_parallel)
      << r.parallel / std::max(1e-3, r.mean_parallel) << silence << silence * s.done << r.sigma;
  pen << ratio(w.untouched, w.left()) << s.first_end / s.now << w.oldest_age / s.now
      << ratio(w.longest_left, w.left() / r.usable_parallel) << ratio(w.running_left, w.left());
  pen << static_cast<double>(s.workload.failed()) / std::max(1.0, s.done) << r.slope
      << r.known_share << s.workload.known_error() << s.workload.stage_error();
}

void read_history(Pen& pen, const Scene& s, const Reading& r) {
  const bool history = s.past != nullptr && !s.past->recent().empty();
  const FamilyRun* last = history ? &s.past->recent().back() : nullptr;
  const WorkLeft& c = r.cold_work;
  pen << (history ? static_cast<double>(s.past->recent().size()) : 0) << r.past_spread
      << (history ? s.past->spread_of_totals() : 0) << std::log(r.past_speed)
      << static_cast<double>(s.workload.all().known_done) / std::max(1.0, s.files);
  pen << (history
              ? std::log(std::max(1.0, s.files) / std::max(1.0, static_cast<double>(last->files)))
              : 0)
      << (history ? std::log(s.now / std::max(1e-3, static_cast<double>(last->seconds))) : kNone)
      << std::log1p(s.running_count) << ratio(c.untouched, c.left())
      << ratio(c.running_left, c.left());
  pen << r.scatter << stages_open(s.workload);
}

}  // namespace

void read_features(const Scene& s, const Reading& r, const Blend& b, const Drift& drift,
                   const ExpertRecord& record, Features& into) {
  Pen pen(into);
  read_session(pen, s, r);
  read_history(pen, s, r);
  const double log_now = std::log(s.now);
  double error = 0;
  for (std::size_t i = 0; i < kExperts; ++i) {
    error += b.weights[i] * (record.runs[i] > 0 ? record.error[i] : static_cast<double>(kNoRecord));
  }
  pen << b.spread << b.drift << b.law.sigma << log_now - b.log_total
      << (b.informed ? b.log_mean - b.log_total : 0) << error << b.history_share
      << (b.informed ? b.log_mean - log_now : static_cast<double>(kNone));
  const std::size_t first = kReadings + kBlendReadings;
  for (std::size_t i = 0; i < kExperts; ++i) {
    const double l = r.opinions.log_total[i];
    const double half = drift.since_half[i], fifth = drift.since_fifth[i];
    into[first + i] = std::isnan(l) ? kNone : bounded(l - b.log_total);
    into[first + kExperts + i] = std::isnan(half) ? kNoDrift : bounded(half);
    into[first + 2 * kExperts + i] = std::isnan(fifth) ? kNoDrift : bounded(fifth);
    into[first + 3 * kExperts + i] =
        record.runs[i] > 0 ? static_cast<float>(record.error[i]) : kNoRecord;
  }
}

void read_announced(double log_now, double log_announced, double log_raw, Features& into) {
  into[kPointFeatures] = static_cast<float>(log_now - log_announced);
  into[kPointFeatures + 1] = bounded(log_announced - log_raw);
}

std::string feature_name(std::size_t f) {
  if (f < kReadings) return std::string(kReadingNames[f]);
  f -= kReadings;
  if (f < kBlendReadings) return "blend." + std::string(kBlendNames[f]);
  f -= kBlendReadings;
  if (f < 4 * kExperts) {
    return std::string(kExpertBlocks[f / kExperts]) + std::string(kExpertNames[f % kExperts]);
  }
  return std::string(kAnnouncedNames[f - 4 * kExperts]);
}

std::uint64_t feature_hash() {
  std::uint64_t h = 14695981039346656037ULL;
  for (std::size_t f = 0; f < kFeatures; ++f) {
    for (const char c : feature_name(f) + "\n") {
      h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    }
  }
  return h;
}

}  // namespace agent::eta
