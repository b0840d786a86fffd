#include "tests/progress/model.h"

#include <algorithm>
#include <cmath>

namespace agent::progress {
namespace {

using enum FileStatus;

constexpr std::array kByStrength = {kPending, kProcessing, kCancelled,
                                    kSkipped, kFailed,     kCompleted};
auto strength(FileStatus s) { return std::ranges::find(kByStrength, s) - kByStrength.begin(); }
bool final(FileStatus s) { return s != kPending && s != kProcessing; }

}  // namespace

bool Model::apply(const Step& step) {
  if (!step.fact) {
    if (!end_) {
      end_ = now(step.at);
      stale_ = true;
    }
    return true;
  }
  const auto* start = std::get_if<SessionStarted>(&*step.fact);
  const bool names_files = std::holds_alternative<FileProgressed>(*step.fact) ||
                           std::holds_alternative<FilesAnnounced>(*step.fact);
  const bool names_counts = std::holds_alternative<CountsReported>(*step.fact);
  if (!stale_ && ((names_files && has_counts_) || (names_counts && has_files_))) return false;
  if (!begun_) {
    begun_ = true;
    start_ = latest_ = step.ts;
    latest_at_ = step.at;
  }
  if (stale_ || (start != nullptr && end_)) open_attempt(step, start != nullptr && start->resume);
  has_files_ |= names_files;
  has_counts_ |= names_counts;
  ever_late_ |= step.ts != step.at.wall;
  std::visit([&](const auto& fact) { take(fact, step.ts); }, *step.fact);
  heard_at_ = step.at;
  if (!end_) {
    if (step.ts >= latest_) {
      latest_ = step.ts;
      latest_at_ = step.at;
    }
    if (!start_told_) start_ = std::min(start_, step.ts);
  }
  const auto processing = std::ranges::count(files_, kProcessing, &ModelFile::status);
  most_at_once_ = std::max<std::int64_t>(most_at_once_, processing);
  return true;
}

void Model::open_attempt(const Step& step, bool resume) {
  ++attempt_;
  const bool was_stale = stale_;
  stale_ = false;
  end_.reset();
  end_status_.reset();
  start_ = latest_ = step.ts;
  latest_at_ = step.at;
  start_told_ = true;
  pauses_.clear();
  announced_ = most_at_once_ = 0;
  limited_until_.reset();
  completions_.clear();
  spent_.clear();
  if (!resume) {
    files_.clear();
    counts_ = {};
    has_files_ = has_counts_ = false;
    return;
  }
  if (was_stale) files_.clear();
  for (ModelFile& f : files_) {
    if (f.status == kCompleted || f.status == kSkipped) {
      f.restored = true;
      continue;
    }
    const ModelFile before = f;
    f = {};
    f.id = before.id;
    f.bytes = before.bytes;
    f.units = before.units;
    f.updated = before.updated;
    f.state_at = before.state_at;
  }
  counts_.restored = counts_.completed;
  counts_.failed = 0;
  counts_.moved.reset();
}

ModelFile& Model::find_or_add(std::string_view id) {
  for (ModelFile& f : files_) {
    if (f.id == id) return f;
  }
  files_.emplace_back().id = id;
  return files_.back();
}

void Model::take(const FileProgressed& e, Instant ts) {
  ModelFile& f = find_or_add(e.file);
  if (f.updated && ts < *f.updated) {
    ++stale_events_;
    return;
  }
  const bool loses =
      e.status && f.state_at == ts && f.updated == ts && strength(*e.status) < strength(f.status);
  if (!loses || !f.bytes) f.bytes = e.bytes ? e.bytes : f.bytes;
  if (!loses || !f.units) f.units = e.units ? e.units : f.units;
  if (!loses || !f.quality) f.quality = e.quality ? e.quality : f.quality;
  if (loses && e.status == kProcessing && !f.started) f.started = ts;
  if (!loses && e.status) change_state(f, *e.status, ts);
  double progress = f.progress;
  if (e.progress)
    progress = *e.progress;
  else if ((e.bytes_done || e.bytes) && f.bytes.value_or(0) > 0)
    progress = 100.0 * static_cast<double>(std::max(f.bytes_done, e.bytes_done.value_or(0))) /
               static_cast<double>(*f.bytes);
  if (f.status == kCompleted) progress = 100;
  f.progress = std::clamp(progress, f.progress, 100.0);
  spend(f, e);
  f.updated = ts;
  if (e.status) f.state_at = ts;
}

void Model::change_state(ModelFile& f, FileStatus to, Instant ts) {
  const FileStatus from = f.status;
  if (from == to) return;
  if (final(from) && !final(to)) {  // a new try
    f.started = f.ended = std::nullopt;
    f.bytes_done = f.tokens = 0;
    f.progress = f.cost = 0;
    f.restored = false;
  }
  if (to == kProcessing) {
    if (from == kFailed) {
      const std::int64_t before = f.retries();
      ++f.retries_seen;
      spent_.push_back({.retries = f.retries() - before});
    }
    if (!f.started) f.started = ts;
  }
  f.status = to;
  if (!final(to)) return;
  f.ended = ts;
  f.restored = false;
  ++ended_ever_[static_cast<std::size_t>(to) - static_cast<std::size_t>(kCompleted)];
  if (to != kCompleted) return;
  if (f.started) durations_.push_back(static_cast<double>((*f.ended - *f.started).count()) / 1e6);
  if (!end_) completions_.push_back({ts, 1});
}

void Model::spend(ModelFile& f, const FileProgressed& e) {
  Spending s;
  std::int64_t done = std::max(f.bytes_done, e.bytes_done.value_or(0));
  if (f.status == kCompleted) done = std::max(done, f.bytes.value_or(0));
  s.bytes = done - f.bytes_done;
  f.bytes_done = done;
  s.tokens = std::max(f.tokens, e.tokens.value_or(0)) - f.tokens;
  f.tokens += s.tokens;
  s.cost = std::max(f.cost, e.cost.value_or(0)) - f.cost;
  f.cost += s.cost;
  const std::int64_t retries = f.retries();
  f.retries_told = std::max(f.retries_told, e.retries.value_or(0));
  s.retries = f.retries() - retries;
  bytes_ever_ += s.bytes;
  tokens_ever_ += s.tokens;
  spent_.push_back(s);
}

void Model::take(const FilesAnnounced& e, Instant ts) {
  for (const AnnouncedFile& told : e.files) {
    ModelFile& f = find_or_add(told.file);
    const bool old = f.updated && ts < *f.updated;
    if (told.bytes && !(old && f.bytes)) f.bytes = told.bytes;
    if (told.units && !(old && f.units)) f.units = told.units;
    spend(f, {});
  }
}

void Model::take(const CountsReported& e, Instant ts) {
  if (counts_.reported && ts < *counts_.reported) {
    ++stale_events_;
    return;
  }
  counts_.reported = ts;
  announced_ = e.total.value_or(announced_);
  const auto count = [&](std::int64_t& value, std::optional<std::int64_t> to) {
    const std::int64_t more = std::max<std::int64_t>(0, to.value_or(value) - value);
    value = to.value_or(value);
    if (more > 0) counts_.moved = ts;
    return more;
  };
  const std::int64_t completed = count(counts_.completed, e.completed);
  ended_ever_[0] += completed;
  ended_ever_[1] += count(counts_.failed, e.failed);
  ended_ever_[2] += count(counts_.skipped, e.skipped);
  bytes_ever_ += count(counts_.bytes_done, e.bytes_done);
  if (completed > 0 && !end_) completions_.push_back({ts, completed});
}

void Model::take(const ApiCalled& e, Instant) {
  Spending s;
  (e.ok ? s.calls_ok : s.calls_failed) = e.calls;
  const std::int64_t parts = e.tokens_in.value_or(0) + e.tokens_out.value_or(0);
  s.tokens = std::max(parts, e.tokens.value_or(parts));
  s.cost = e.cost.value_or(0);
  tokens_ever_ += s.tokens;
  spent_.push_back(s);
}

void Model::take(const RateLimited& e, Instant ts) {
  const Duration delay = e.delay.value_or(Duration::zero());
  spent_.push_back({.delay = delay});
  const Instant until = std::max(ts + delay, e.reset_at.value_or(Instant::min()));
  limited_until_ = std::max(limited_until_.value_or(until), until);
}

void Model::take(const SessionStarted& e, Instant ts) {
  take(SessionUpdated{e.facts}, ts);
  start_ = std::min(start_, ts);
  start_told_ = true;
}

void Model::take(const SessionUpdated& e, Instant) {
  announced_ = e.facts.total_files.value_or(announced_);
  if (e.facts.concurrency) concurrency_ = e.facts.concurrency;
  window_ = e.facts.config.throughput_window.value_or(window_);
}

void Model::take(const SessionPaused&, Instant ts) {
  if (end_ || (!pauses_.empty() && !pauses_.back().to)) return;
  const Instant worked_from = pauses_.empty() ? start_ : *pauses_.back().to;
  pauses_.push_back({std::max({ts, start_, worked_from}), std::nullopt});
}

void Model::take(const SessionResumed&, Instant ts) {
  if (end_ || pauses_.empty() || pauses_.back().to) return;
  pauses_.back().to = std::max(ts, pauses_.back().from);
}

void Model::take(const SessionEnded& e, Instant ts) {
  if (end_) return;
  end_ = latest_ = std::max(ts, latest_);
  end_status_ = e.status;
  if (!pauses_.empty() && !pauses_.back().to)
    pauses_.back().to = std::max(*end_, pauses_.back().from);
}

// ---- answers

Instant Model::now(Now at) const {
  return end_ ? *end_ : latest_ + (at.steady - latest_at_.steady);
}

Duration Model::active(Instant now) const {
  Duration time = now - start_;
  for (const Pause& p : pauses_) {
    time -= std::max(Duration::zero(), p.to.value_or(now) - p.from);
  }
  return std::max(Duration::zero(), time);
}

std::vector<double> Model::weights() const {
  std::vector<double> bytes, units;
  for (const ModelFile& f : files_) {
    if (f.bytes) bytes.push_back(static_cast<double>(*f.bytes));
    if (f.units) units.push_back(*f.units);
  }
  const auto counts = [&](const std::vector<double>& w) {
    return w.size() == files_.size() && std::ranges::any_of(w, [](double x) { return x > 0; });
  };
  if (counts(bytes)) return bytes;
  if (counts(units)) return units;
  return std::vector<double>(files_.size(), 1.0);
}

void Model::weigh(ModelAnswer& a) const {
  if (has_counts_) {
    const auto done = static_cast<double>(counts_.completed + counts_.failed + counts_.skipped);
    a.total_work = announced_ > 0 ? static_cast<double>(a.total_files) : 0;
    a.work_done = announced_ > 0 ? done : 0;
    a.work_earned = static_cast<double>(
        counts_.completed - std::min(counts_.restored, counts_.completed) + counts_.failed);
  } else {
    const std::vector<double> w = weights();
    double known = 0, finished = 0, finished_files = 0, open = 0, open_files = 0;
    for (std::size_t i = 0; i < w.size(); ++i) {
      const ModelFile& f = files_[i];
      known += w[i];
      double done = 0;
      if (final(f.status)) done = w[i];
      if (f.status == kProcessing) done = w[i] * f.progress / 100;
      a.work_done += done;
      if (f.status != kSkipped && f.status != kCancelled && !(f.restored && f.status == kCompleted))
        a.work_earned += done;
      if (f.status == kCompleted || f.status == kFailed) {
        finished += w[i];
        ++finished_files;
      }
      if (!final(f.status)) {
        open += w[i];
        ++open_files;
      }
    }
    const auto seen = static_cast<double>(files_.size());
    const double unseen = static_cast<double>(a.total_files) - seen;
    const double unseen_work = unseen * (seen > 0 ? known / seen : 1);
    a.total_work = known + unseen_work;
    if (finished > 0 && open_files + unseen > 0)
      a.complexity = ((open + unseen_work) / (open_files + unseen)) / (finished / finished_files);
  }
  if (a.total_work > 0) a.percentage = std::min(100.0, 100 * a.work_done / a.total_work);
}

std::int64_t Model::completed_between(Instant after, Instant until) const {
  std::int64_t sum = 0;
  for (const Completion& c : completions_) {
    if (c.ts > after && c.ts <= until) sum += c.files;
  }
  return sum;
}

// The largest count over a full window at any instant: at the first full one, or at a completion.
std::optional<double> Model::peak(Instant now) const {
  if (active(now) < window_) return std::nullopt;
  Instant first = start_ + window_;  // and as much later as it was paused until then
  for (const Pause& p : pauses_) {
    if (p.from < first) first += p.to.value_or(now) - p.from;
  }
  std::int64_t most = completed_between(first - window_, first);
  for (const Completion& c : completions_) {
    if (c.ts >= first) most = std::max(most, completed_between(c.ts - window_, c.ts));
  }
  return static_cast<double>(most) * 60e6 / static_cast<double>(window_.count());
}

void Model::rate(ModelAnswer& a, Instant now) const {
  double sum = 0, files = 0;
  std::int64_t restored = std::min(counts_.restored, counts_.completed);
  for (const ModelFile& f : files_) {
    if (f.status != kCompleted) continue;
    if (f.restored) {
      ++restored;
    } else if (f.started) {
      sum += static_cast<double>((*f.ended - *f.started).count()) / 1e3;
      ++files;
    }
  }
  if (files > 0) a.average_processing_ms = sum / files;
  if (a.active <= Duration::zero()) return;
  const double per_minute = 60e6 / static_cast<double>(a.active.count());
  a.average_throughput = static_cast<double>(a.files[2] - restored) * per_minute;
  a.current_throughput = static_cast<double>(completed_between(now - window_, now)) * 60e6 /
                         static_cast<double>(std::min(a.active, window_).count());
  if (!ever_late_) a.peak_throughput = peak(now).value_or(*a.average_throughput);
}

ModelAnswer Model::answer(Now at) const {
  ModelAnswer a;
  const Instant now = this->now(at);
  a.attempt = attempt_;
  a.elapsed = now - start_;
  a.active = active(now);
  for (const ModelFile& f : files_) ++a.files[static_cast<std::size_t>(f.status)];
  auto seen = static_cast<std::int64_t>(files_.size());
  if (has_counts_) {
    a.files = {0, 0, counts_.completed, counts_.failed, counts_.skipped, 0};
    seen = counts_.completed + counts_.failed + counts_.skipped;
  }
  a.total_files = std::max(announced_, seen);
  a.files[0] += a.total_files - seen;
  weigh(a);
  rate(a, now);
  std::int64_t ok = 0;
  Duration delay{};
  for (const Spending& s : spent_) {
    a.tokens += s.tokens;
    a.cost += s.cost;
    a.retries += s.retries;
    ok += s.calls_ok;
    a.calls += s.calls_ok + s.calls_failed;
    delay += s.delay;
  }
  const std::int64_t workers = std::max<std::int64_t>(1, concurrency_.value_or(most_at_once_));
  if (delay > Duration::zero()) {
    const double capacity = static_cast<double>(a.active.count() * workers);
    a.rate_limiting_impact =
        capacity > 0 ? std::min(1.0, static_cast<double>(delay.count()) / capacity) : 1;
  }
  const std::int64_t finished = a.files[2] + a.files[3];
  double score = 0, known = 0;
  const auto weighted = [&](double value, double weight) {
    score += value * weight;
    known += weight;
  };
  double quality = 0, qualities = 0;
  for (const ModelFile& f : files_) {
    if (!f.quality) continue;
    quality += *f.quality;
    ++qualities;
  }
  if (qualities > 0) weighted(quality / qualities, 1);
  if (finished > 0) {
    a.error_rate = static_cast<double>(a.files[3]) / static_cast<double>(finished);
    weighted(1 - *a.error_rate, 0.5);
    weighted(1 - std::min(1.0, static_cast<double>(a.retries) / static_cast<double>(finished)),
             0.2);
  }
  if (a.calls > 0) {
    a.api_success_rate = static_cast<double>(ok) / static_cast<double>(a.calls);
    a.api_efficiency = *a.api_success_rate * (1 - a.rate_limiting_impact);
    weighted(*a.api_success_rate, 0.3);
  }
  if (known > 0) a.quality_score = score / known;
  a.ended_ever = ended_ever_;
  a.bytes_ever = bytes_ever_;
  a.tokens_ever = tokens_ever_;
  a.stale_events = stale_events_;
  a.state = state(a, at);
  return a;
}

// As Prometheus takes it from the buckets of the file durations.
// Rounded up to 12 s times a power of 1.05: what is kept of durations.
double Model::p95_seconds() const {
  std::vector<double> sorted = durations_;
  std::ranges::sort(sorted);
  const double exact = sorted[(95 * sorted.size() + 99) / 100 - 1];
  double bound = 12;
  while (bound < exact * (1 - 1e-12)) bound *= 1.05;
  return bound;
}

// Half an hour where nothing tells how long files take.
double Model::may_be_silent(const ModelAnswer& a) const {
  constexpr double kUnknown = 1'800;
  if (durations_.empty()) {
    const std::int64_t restored = has_counts_
                                      ? std::min(counts_.restored, counts_.completed)
                                      : std::ranges::count_if(files_, [](const ModelFile& f) {
                                          return f.restored && f.status == FileStatus::kCompleted;
                                        });
    const std::int64_t own = a.files[2] - restored;
    return own > 0 ? 5 * seconds(active(latest_)) / static_cast<double>(own) : kUnknown;
  }
  return 5 * std::min(p95_seconds(), std::ranges::max(durations_));
}

SessionState Model::state(const ModelAnswer& a, Now at) const {
  if (end_status_) return static_cast<SessionState>(*end_status_);
  if (stale_) return SessionState::kStale;
  if (!pauses_.empty() && !pauses_.back().to) return SessionState::kPaused;
  if (limited_until_ && now(at) < *limited_until_) return SessionState::kRateLimited;
  const double silent = static_cast<double>((at.steady - heard_at_.steady).count()) / 1e6;
  if (silent > 60 && silent > may_be_silent(a)) return SessionState::kStalled;
  if (a.files[1] > 0) return a.files[0] == 0 ? SessionState::kFinishing : SessionState::kWorking;
  if (has_counts_ && counts_.moved && *counts_.moved > now(at) - window_)
    return SessionState::kWorking;
  return SessionState::kWaiting;
}

}  // namespace agent::progress
