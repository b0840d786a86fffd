#include "agent/eta/duration_model.h"

#include <algorithm>
#include <cmath>

#include "agent/eta/laws.h"

namespace agent::eta {

DurationModel::DurationModel(const Workload& workload, std::span<const StagePast> pasts,
                             double past_mean, double speed)
    : workload_(&workload),
      pasts_(pasts),
      basis_(workload.basis()),
      speed_(speed),
      sigma_(workload.sigma()),
      slope_(workload.global_slope(basis_)),
      history_(past_mean > 0) {
  const StageWork& all = workload.all();
  overall_ = all.timed > 0 ? all.seconds / static_cast<double>(all.timed)
                           : (history_ ? past_mean * speed : 1.0);
  const auto& stages = workload.stages();
  slopes_.reserve(stages.size());
  mean_.reserve(stages.size());
  for (const StageWork& s : stages) slopes_.push_back(workload.slope(s, basis_, slope_));
  for (std::size_t i = 0; i < stages.size(); ++i) mean_.push_back(mean_of(i, 0, 0));
}

// The stage's mean at its mean size, shrunk toward the family's mean for the stage (as if seen four
// times) or, without one, toward the mean over all stages (as if seen once). Sizes of the files
// seen are taken into account: sum of seconds / sum of relative expectations.
double DurationModel::mean_of(std::size_t stage, double more_seconds, double more_files) const {
  const StageWork& s = workload_->stages()[stage];
  double prior = overall_, weight = 1;
  if (history_ && pasts_[stage].seconds >= 0) {
    prior = pasts_[stage].seconds * speed_;
    weight = 4;
  }
  double files = static_cast<double>(s.timed);
  if (basis_ != SizeBasis::kNone && s.timed > 0) {
    const SizeSums& z = s.sizes[static_cast<std::size_t>(basis_)];
    const double mean_size = z.seen / std::max<double>(1, static_cast<double>(s.seen));
    if (mean_size > 0) {
      const double g = slopes_[stage];
      files = std::max(0.2 * files, files * (1 - g) + g * z.timed / mean_size);
    }
  }
  return std::max(1e-6,
                  (s.seconds + more_seconds + weight * prior) / (files + more_files + weight));
}

DurationModel DurationModel::typical(const Workload& workload) {
  DurationModel m(workload, {}, 0, 1);
  m.use_logarithms();
  return m;
}

void DurationModel::use_logarithms() {
  const StageWork& all = workload_->all();
  const auto& stages = workload_->stages();
  const double overall = all.timed > 0 ? all.log_seconds / static_cast<double>(all.timed) : 0.0;
  double sum = overall, n = 1, within = 0.5, files = 1;
  for (const StageWork& s : stages) {
    if (s.timed == 0) continue;
    const double k = static_cast<double>(s.timed), mean = s.log_seconds / k;
    sum += mean;
    n += 1;
    within += std::max(0.0, s.log_squares - k * mean * mean);
    files += std::max(0.0, k - 1);
  }
  const double prior = sum / n;
  within_ = std::min(2.0, within / files);
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const double k = static_cast<double>(stages[i].timed);
    mean_[i] = std::exp((stages[i].log_seconds + prior) / (k + 1) + 0.5 * within_);
  }
  overall_ = std::exp(prior + 0.5 * within_);
}

double DurationModel::expected(std::size_t stage, const FileSize& size) const {
  const double m = mean_[stage];
  if (basis_ == SizeBasis::kNone) return m;
  const double g = slopes_[stage];
  const double x =
      Workload::relative_size(workload_->stages()[stage], static_cast<std::size_t>(basis_), size);
  return std::max(0.05 * m, m * (1 - g + g * x));
}

// By age (mean residual life) and, where the file says how far it is, by its own pace: the
// geometric mean of both, the latter weighing as much as the file is done.
double DurationModel::expected_total(const Running& f) const {
  const double by_age = mean_beyond(expected(f.stage, f.size), sigma_, f.age);
  if (f.progress <= 0 || f.age <= 0) return by_age;
  const double by_pace = f.age / std::min(1.0, f.progress);
  const double w = std::min(1.0, 0.5 + f.progress);
  return std::max(f.age, std::exp(w * std::log(by_pace) + (1 - w) * std::log(by_age)));
}

double DurationModel::median_left(const Running& f) const {
  constexpr double kLeastSigma = 0.1, kShortest = 1e-4;
  if (f.progress > 0) return expected_total(f) - f.age;
  const double log_mean = std::log(expected(f.stage, f.size)) - 0.5 * within_;
  const TruncatedNormal law{log_mean, std::max(kLeastSigma, std::sqrt(within_)),
                            std::log(std::max(kShortest, f.age))};
  return std::max(0.0, std::exp(law.quantile(0.5)) - f.age);
}

void DurationModel::learn_from(std::span<const Running> running) {
  std::vector<double> seconds(mean_.size(), 0.0), files(mean_.size(), 0.0);
  for (const Running& f : running) {
    const double m = expected(f.stage, f.size);
    if (f.age <= m) continue;
    seconds[f.stage] += std::min(mean_beyond(m, sigma_, f.age), 4 * f.age);
    files[f.stage] += 1;
  }
  for (std::size_t i = 0; i < mean_.size(); ++i) {
    if (files[i] > 0) mean_[i] = mean_of(i, seconds[i], files[i]);
  }
}

WorkLeft DurationModel::work(std::span<const Running> running, double scale, double unseen) const {
  WorkLeft w;
  for (const Running& f : running) {
    const double total = expected_total(f);
    const double left = std::max(0.0, total - f.age);
    w.running_left += left * scale;
    w.running_done += std::min(f.age, 0.98 * total) * scale;
    w.longest_left = std::max(w.longest_left, left);
    w.oldest_age = std::max(w.oldest_age, f.age);
  }
  const auto& stages = workload_->stages();
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const StageWork& s = stages[i];
    const double m = mean_[i], g = slopes_[i];
    double waiting = static_cast<double>(s.waiting), done = static_cast<double>(s.done);
    if (basis_ != SizeBasis::kNone) {
      const SizeSums& z = s.sizes[static_cast<std::size_t>(basis_)];
      const double mean_size = z.seen / std::max<double>(1, static_cast<double>(s.seen));
      if (mean_size > 0) {
        const double sizes = std::max(0.0, z.seen - z.running - z.done);
        waiting = (1 - g) * waiting + g * sizes / mean_size;
        done = (1 - g) * done + g * z.done / mean_size;
      }
    }
    w.waiting += m * std::max(0.0, waiting);
    w.done += m * std::max(0.0, done);
    if (s.waiting > 0) w.largest_waiting = std::max(w.largest_waiting, m);
    if (s.waiting > 0 && s.done == 0) w.untouched += m * std::max(0.0, waiting);
  }
  w.waiting += unseen * overall_;
  return w;
}

}  // namespace agent::eta
