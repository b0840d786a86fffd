#include "agent/eta/estimator.h"

#include <algorithm>
#include <cmath>

#include "agent/eta/laws.h"

namespace agent::eta {
namespace {

using progress::FileStatus;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kFirst = 1e-3;          // seconds: the session time of what happens at its start
constexpr std::size_t kSample = 128;     // files in flight looked at
constexpr double kCalm = 9;              // power of the smoothing of the announced end
constexpr double kMostCorrection = 1.0;  // in sigmas of the blend: what it is sure of, stays
constexpr double kLeastLeft = 5e-4;  // of the time so far: never announced less while work remains
constexpr double kLongest = 3.2e9;   // seconds; a century

bool is_done(FileStatus s) { return s == FileStatus::kCompleted || s == FileStatus::kFailed; }

float as_row(double v) { return static_cast<float>(v); }

Span to_span(double seconds) { return Span(std::clamp(seconds, 0.0, kLongest)); }

}  // namespace

Estimator::Estimator(Instant start, Background background)
    : background_(std::move(background)), clock_(start) {
  consult_past();
}

void Estimator::belong(std::shared_ptr<const Family> family, std::size_t remembered_files) {
  background_.family = std::move(family);
  background_.remembered_files = remembered_files;
  workload_.forget_past();
  consult_past();
  is_past_log_ = true;
}

void Estimator::recall(std::uint64_t id_hash, progress::LabelId stage, FileStatus status) {
  if (background_.family != nullptr) workload_.recall(id_hash, stage, status, *background_.family);
}

void Estimator::consult_past() {
  past_.reset();
  std::span<const FamilyRun> runs;
  if (background_.family != nullptr) runs = background_.family->runs();
  if (!runs.empty()) past_.emplace(background_.family);
  record_ = ExpertRecord::of(runs);
  family_record_ = MethodRecord::of(runs);
  calibration_ = Calibration::of(runs);
  const bool has_model = background_.model != nullptr;
  choice_ = choose(family_record_, background_.overall,
                   has_model ? background_.model->validation() : kBuiltInValidation, has_model);
}

void Estimator::observe(const progress::FileChange& c) {
  if (logs()) log_.change(c);
  ++changes_;
  const double at = clock_.at(c.at);
  pace_.advance(at);
  const bool was_running = !c.is_new && c.from == FileStatus::kProcessing;
  const bool was_done = !c.is_new && is_done(c.from);
  const bool runs = c.to == FileStatus::kProcessing, done = is_done(c.to);
  pace_.in_flight(static_cast<std::int64_t>(runs) - static_cast<std::int64_t>(was_running));
  if (runs && !was_running) {
    pace_.begun(1);
    clock_.went_on(c.at);
  }
  if (done != was_done && !c.restored) pace_.ended(done ? 1 : -1);
  const double ran = c.started ? std::max(0.0, at - clock_.at(*c.started)) : 0;
  workload_.observe(c, at, ran, background_.family.get());
  if (!done || was_done || c.restored) return;
  last_end_ = at;
  if (first_end_ < 0) first_end_ = at;
  decay_.add(at, size_of(c.bytes_to, c.units_to), 1);
  if (c.started) remember(c, at, ran);
}

void Estimator::observe_counts(Instant at, std::int64_t completed, std::int64_t failed) {
  const double now = clock_.at(at), done = static_cast<double>(completed + failed);
  if (done == counted_) return;
  if (logs()) log_.counts(at, completed, failed);
  ++changes_;
  pace_.advance(now);
  pace_.ended(static_cast<std::int64_t>(done - counted_));
  if (done > counted_) {
    clock_.went_on(at);
    decay_.add(now, {}, done - counted_);
    last_end_ = now;
    if (first_end_ < 0) first_end_ = now;
  }
  counted_ = done;
}

void Estimator::observe_pause(Instant at) {
  if (logs()) log_.pause(at);
  clock_.pause(at);
}

void Estimator::observe_resume(Instant at) {
  if (logs()) log_.resume(at);
  clock_.resume(at);
}

void Estimator::observe_wait(Instant at, Instant until) {
  if (logs()) log_.wait(at, until);
  ++changes_;
  clock_.wait(at, until);
}

void Estimator::name_stages(std::span<const std::uint64_t> more) {
  stage_names_.insert(stage_names_.end(), more.begin(), more.end());
}

// Keeps durations for the family. Beyond the bound those with the smallest hashes stay, so that
// every run remembers the same files.
void Estimator::remember(const progress::FileChange& c, double at, double ran) {
  const std::size_t bound = background_.remembered_files;
  if (bound == 0 || c.id_hash > largest_hash_) return;
  files_.push_back({c.id_hash, as_row(ran), as_row(at)});
  if (files_.size() < 2 * bound) return;
  const auto middle = files_.begin() + static_cast<std::ptrdiff_t>(bound);
  std::nth_element(files_.begin(), middle, files_.end(),
                   [](const FileRecord& a, const FileRecord& b) { return a.id_hash < b.id_hash; });
  largest_hash_ = middle->id_hash;
  files_.erase(middle, files_.end());
  saved_files_ = 0;
}

// The smoothed end C follows the forecast c with weight 1 - (t' / t)^kCalm between instants t' < t:
// in proportion to elapsed time, however often it is asked (people punish jumps: Harrison et al.,
// "Rethinking the progress bar", 2007).
double Estimator::Announced::operator()(double now, double log_total) {
  if (at_ <= 0) {
    log_total_ = log_total;
  } else if (now > at_) {
    log_total_ += (1 - std::pow(at_ / now, kCalm)) * (log_total - log_total_);
  }
  at_ = std::max(at_, now);
  log_total_ = std::max(log_total_, std::log(now * (1 + kLeastLeft)));
  return log_total_;
}

std::vector<Running> Estimator::running(const Evidence& e, double now) const {
  std::vector<Running> files;
  const std::size_t stride = (e.running.size() + kSample - 1) / kSample;
  if (stride == 0) return files;
  files.reserve(std::min(e.running.size(), kSample));
  const std::size_t stages = workload_.stages().size();
  for (std::size_t i = 0; i < e.running.size(); i += stride) {
    const RunningFile& f = e.running[i];
    if (f.stage >= stages) continue;
    Running r;
    r.stage = f.stage;
    r.age = std::max(0.0, now - clock_.at(f.started));
    r.progress = std::clamp(f.progress, 0.0, 1.0);
    r.size = f.size;
    if (past_) {
      if (const FilePast* past = past_->family().file(f.id_hash)) {
        r.past = std::exp(static_cast<double>(past->log_seconds));
      }
    }
    files.push_back(r);
  }
  return files;
}

Scene Estimator::scene(const Evidence& e, std::span<const Running> running, const Pace& pace,
                       double now) const {
  Scene s{.workload = workload_, .pace = pace};
  s.past = past_ ? &*past_ : nullptr;
  s.now = now;
  const auto left_out =
      e.count(FileStatus::kSkipped) + e.count(FileStatus::kCancelled) + e.restored;
  const auto done = e.count(FileStatus::kCompleted) + e.count(FileStatus::kFailed) - e.restored;
  s.files = static_cast<double>(std::max<std::int64_t>(0, e.total_files - left_out));
  s.done = static_cast<double>(std::max<std::int64_t>(0, done));
  s.unseen =
      std::max(0.0, static_cast<double>(e.count(FileStatus::kPending) - workload_.all().waiting));
  s.last_end = last_end_;
  s.first_end = first_end_ < 0 ? now : first_end_;
  s.running = running;
  s.running_count = static_cast<double>(std::max<std::int64_t>(e.running_count, 0));
  const double active = seconds(e.now - e.start - e.paused);
  s.weight_left = std::max(0.0, e.work.total - e.work.done);
  if (active > 0) s.weight_rate = e.work.earned / active;
  const SizeBasis basis = workload_.basis();
  double total = s.files, finished = s.done, so_far = 0;
  if (basis != SizeBasis::kNone) {
    const SizeSums& z = workload_.all().sizes[static_cast<std::size_t>(basis)];
    total = z.seen * (1 + s.unseen / std::max(1.0, static_cast<double>(workload_.all().seen)));
    finished = z.done;
  }
  for (const Running& f : running) {
    so_far +=
        f.progress * (basis == SizeBasis::kNone ? 1 : f.size.of[static_cast<std::size_t>(basis)]);
  }
  if (!running.empty()) so_far *= s.running_count / static_cast<double>(running.size());
  s.decay_rate = decay_.rate(now, basis, so_far);
  s.decay_left = std::max(0.0, total - finished - so_far);
  return s;
}

std::optional<progress::Forecast> Estimator::estimate(const Evidence& e, Keep keep) {
  double now = clock_.at(e.now);
  if (now <= 0 && (!past_ || e.total_files == 0)) return std::nullopt;
  now = std::max(now, kFirst);
  std::optional<Pace> copy;  // looking ahead leaves nothing behind
  if (keep == Keep::kNo) copy = pace_;
  Pace& pace = copy ? *copy : pace_;
  pace.advance(now);
  if (past_) past_->align(stage_names_, workload_.stages().size());
  const std::vector<Running> sample = running(e, now);
  foretell(scene(e, sample, pace, now), keep);
  expect_waits(e, now);
  const progress::Forecast f = answer(e, now);
  if (keep == Keep::kYes) {
    trail_.add(now, foretold_);
    last_kept_ = e.now;
    is_past_log_ = true;
  }
  forecast_changes_ = changes_;
  // What was asked to speak by the linear method alone is silent while that knows nothing.
  if (e.only_linear && f.method != EtaMethod::kLinear) return std::nullopt;
  return f;
}

void Estimator::foretell(const Scene& s, Keep keep) {
  log_now_ = std::log(s.now);
  reading_ = consult(s);
  const Drift drift = trail_.drift(s.now, reading_.opinions);
  blend_ = blend(reading_, drift, record_, s.now,
                 past_ ? static_cast<double>(past_->recent().size()) : 0);
  read_features(s, reading_, blend_, drift, record_, features_);
  foretell_methods(s, keep);
}

// Remaining work seconds by method; the two learned from are smoothed.
void Estimator::foretell_methods(const Scene& s, Keep keep) {
  const Model* model = background_.model.get();
  correction_ = 0;
  if (model != nullptr) {
    const double most = kMostCorrection * blend_.law.sigma;
    correction_ =
        choice_.correction * std::clamp((*model)(Forest::kCorrection, features_), -most, most);
  }
  const double raw = std::max(blend_.log_total - correction_, log_now_ + 1e-4);
  Announced calm = adaptive_, calm_learned = learned_;
  const double adaptive = calm(s.now, blend_.log_total), learned = calm_learned(s.now, raw);
  if (keep == Keep::kYes) {
    adaptive_ = calm;
    learned_ = calm_learned;
  }
  read_announced(log_now_, learned, raw, features_);
  remaining_ = {s.weight_rate > 0 ? s.weight_left / s.weight_rate : kNaN,
                s.decay_rate > 0 ? s.decay_left / s.decay_rate : kNaN, std::exp(adaptive) - s.now,
                std::exp(learned) - s.now};
  for (std::size_t m = 0; m < kMethods; ++m) {
    if (!(remaining_[m] <= kLongest)) remaining_[m] = std::isnan(remaining_[m]) ? kNaN : kLongest;
    foretold_.methods[m] = as_row(std::log(s.now + remaining_[m]));
  }
  for (std::size_t i = 0; i < kBeliefs; ++i) foretold_.beliefs[i] = as_row(blend_.by_belief[i]);
  for (std::size_t i = 0; i < kExperts; ++i) {
    foretold_.experts[i] = as_row(reading_.opinions.log_total[i]);
  }
}

// An announced wait is added as it is when nothing has ended since it was announced; otherwise the
// others went on, and it holds up one of the files in flight. Waits not announced yet are expected
// from the third one on, in proportion to the work left.
void Estimator::expect_waits(const Evidence& e, double now) {
  const double left = clock_.wait_left(e.now);
  const double share =
      clock_.standing(e.now) ? 1 : 1 / std::max(1.0, static_cast<double>(e.running_count));
  waiting_ = left * share;
  const double n = static_cast<double>(clock_.waits());
  const double work_left = remaining_[static_cast<std::size_t>(speaker(e))];
  expected_waits_ = 0;
  if (n > 2 && work_left > 0) {
    expected_waits_ = clock_.waited(e.now) / now * work_left * (n - 2) / (n + 1);
  }
}

progress::EtaMethod Estimator::speaker(const Evidence& e) const {
  const EtaMethod m = e.only_linear ? EtaMethod::kLinear : choice_.method;
  return std::isnan(remaining_[static_cast<std::size_t>(m)]) ? EtaMethod::kAdaptive : m;
}

progress::Forecast Estimator::answer(const Evidence& e, double now) {
  const EtaMethod method = speaker(e);
  only_linear_ = e.only_linear;
  const std::size_t m = static_cast<std::size_t>(method);
  const double waits = waiting_ + expected_waits_;
  const double log_total = std::log(now + remaining_[m]);
  interval_ = method == EtaMethod::kMlBased && background_.model != nullptr
                  ? interval_of(*background_.model, features_, log_now_, log_total, calibration_)
                  : interval_of(blend_, log_now_, log_total, calibration_);
  low_ = std::exp(interval_.log_low) - now + waits;
  high_ = std::min(kLongest, std::exp(interval_.log_high) - now + waits);
  hold_range();
  foretold_.chosen = as_row(log_total);
  foretold_.low = as_row(interval_.log_low);
  foretold_.high = as_row(interval_.log_high);
  foretold_.confidence = as_row(interval_.confidence);

  progress::Forecast f;
  f.method = method;
  f.remaining = to_span(remaining_[m] + waits);
  f.completion = e.now + std::chrono::duration_cast<Duration>(f.remaining);
  f.low = std::min(f.remaining, to_span(low_));
  f.high = std::max(f.remaining, to_span(high_));
  f.confidence = interval_.confidence;
  for (std::size_t i = 0; i < kMethods; ++i) {
    const bool raw = static_cast<EtaMethod>(i) == EtaMethod::kLinear;
    if (e.only_linear && !raw) continue;
    if (!std::isnan(remaining_[i])) f.methods[i] = to_span(remaining_[i] + (raw ? 0 : waits));
  }
  if (e.deadline) f.deadline_risk = deadline_risk(e, now);
  if (family_record_.sessions[m] > 0) {
    f.historical_accuracy = std::max(0.0, 1 - family_record_.error[m]);
  }
  return f;
}

// Without news the range does not get narrower.
void Estimator::hold_range() {
  const double width = high_ - low_;
  if (changes_ == forecast_changes_ && width < width_) {
    high_ = low_ + width_;
  } else {
    width_ = width;
  }
}

// P(the session ends after its deadline), the end taken as normal on either side of the forecast in
// ln of total time, with the interval's ends as its 10 % and 90 % quantiles.
double Estimator::deadline_risk(const Evidence& e, double now) const {
  const double left = seconds(*e.deadline - e.now) - waiting_ - expected_waits_;
  if (left <= 0) return 1;
  constexpr double kNinety = 1.2815515655446004;
  const double gap = std::log(now + left) - static_cast<double>(foretold_.chosen);
  const double side = gap > 0 ? interval_.log_high - static_cast<double>(foretold_.chosen)
                              : static_cast<double>(foretold_.chosen) - interval_.log_low;
  return normal_below(-gap / std::max(1e-6, side / kNinety));
}

Explanation Estimator::explain() const {
  Explanation x;
  const double now = std::exp(log_now_);
  x.active_seconds = now;
  x.waiting_seconds = waiting_;
  x.expected_waits = expected_waits_;
  for (std::size_t i = 0; i < kExperts; ++i) {
    const double l = reading_.opinions.log_total[i];
    if (std::isnan(l)) continue;
    x.experts.push_back({static_cast<Expert>(i), std::max(0.0, std::exp(l) - now),
                         blend_.weights[i], record_.runs[i] > 0 ? record_.error[i] : -1});
  }
  std::stable_sort(x.experts.begin(), x.experts.end(),
                   [](const auto& a, const auto& b) { return a.weight > b.weight; });
  x.spread = blend_.spread;
  x.drift = blend_.drift;
  x.sigma = blend_.law.sigma;
  x.history_share = blend_.history_share;
  x.history_gate = blend_.history_gate;
  x.correction = correction_;
  x.choice = choice_;
  if (only_linear_) x.choice.why = ChoiceReason::kOnlyLinear;
  x.family_record = family_record_;
  x.calibration = calibration_;
  x.family_runs = background_.family == nullptr ? 0 : background_.family->runs().size();
  const double past = reading_.work.past(), left = reading_.work.left();
  x.work_done_share = past + left > 0 ? past / (past + left) : 0;
  x.parallelism = reading_.parallel;
  return x;
}

Estimator::Finish Estimator::finish(Instant end, bool complete) const {
  Finish f;
  const double total = clock_.at(end);
  f.complete = complete && total > 0;
  if (f.complete) {
    f.grade = grade_of(trail_, total, f.run);
    describe(f.run, total);
  }
  f.run.known_files = files_;
  for (FileRecord& r : f.run.known_files) {
    r.end = f.complete ? static_cast<float>(static_cast<double>(r.end) / total) : 0.0F;
  }
  return f;
}

// The run's totals, curves, and stages (those with most files, when there are too many).
void Estimator::describe(FamilyRun& run, double total) const {
  const StageWork& all = workload_.all();
  run.seconds = as_row(total);
  run.files = as_row(std::max(counted_, static_cast<double>(all.seen)));
  if (all.timed > 0) run.mean_seconds = as_row(all.seconds / static_cast<double>(all.timed));
  run.files_done = pace_.files_curve(total);
  run.busy = pace_.busy_curve(total);
  for (std::size_t i = 0; i < workload_.stages().size(); ++i) {
    const StageWork& s = workload_.stages()[i];
    if (s.timed == 0 || i >= stage_names_.size()) continue;
    const double n = static_cast<double>(s.timed);
    run.stages.push_back({stage_names_[i], as_row(n), as_row(s.seconds / n),
                          as_row(s.log_seconds / n), as_row(std::max(0.0, s.first_start) / total),
                          as_row(s.last_end / total)});
  }
  std::stable_sort(run.stages.begin(), run.stages.end(),
                   [](const StageRecord& a, const StageRecord& b) { return a.files > b.files; });
  if (run.stages.size() > kRememberedStages) run.stages.resize(kRememberedStages);
}

}  // namespace agent::eta
