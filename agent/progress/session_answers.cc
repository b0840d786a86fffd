// What a session answers when it is asked: its clock, its state, its numbers. Changes nothing; see
// session.h.
#include <algorithm>

#include "agent/progress/quality.h"
#include "agent/progress/session.h"

namespace agent::progress {
namespace {

// At least; the contract, section 4, `state`.
constexpr Duration kStalledAfter = std::chrono::seconds(60);
constexpr int kStalledFactor = 5;  // times the p95 file duration
static_assert(LongTimes::kShort * kStalledFactor <= Span(kStalledAfter).count());

constexpr std::size_t index(FileStatus s) { return static_cast<std::size_t>(s); }

}  // namespace

Instant Session::now(Now at) const {
  if (end_time_) return *end_time_;
  return latest_ + std::max(Duration::zero(), at.steady - latest_at_);
}

Duration Session::active_elapsed(Instant now) const {
  const Duration pausing =
      paused_at_ ? std::max(Duration::zero(), now - *paused_at_) : Duration::zero();
  return std::max(Duration::zero(), now - start_ - paused_ - pausing);
}

Duration Session::silence(Now at) const {
  return std::max(Duration::zero(), at.steady - last_received_.steady);
}

bool Session::stalled(Now at) const {
  const Duration silent = silence(at);
  return silent > kStalledAfter && silent > may_be_silent();
}

// 5 x the p95 file duration. Where none is known, the mean time for a completed file stands in; and
// without one, half of the silence after which the session would be given up.
Duration Session::may_be_silent() const {
  if (const std::uint64_t known = file_seconds_[0].count(); known > 0) {
    const auto p95 = std::chrono::duration_cast<Duration>(Span(long_files_.percentile(95, known)));
    // Nothing took longer than the longest (0: not known, as it was not stored).
    const bool has_longest = longest_file_ > Duration::zero();
    return kStalledFactor * (has_longest ? std::min(p95, longest_file_) : p95);
  }
  const std::int64_t own = counts()[index(FileStatus::kCompleted)] - restored_completed();
  return own > 0 ? kStalledFactor * (active_elapsed(latest_) / own)
                 : rules_->limits.stale_after / 2;
}

SessionState Session::state(Now at) const {
  if (end_status_) return static_cast<SessionState>(*end_status_);
  if (stale_) return SessionState::kStale;
  if (paused_at_) return SessionState::kPaused;
  const Instant t = now(at);
  if (rate_limited_until_ && t < *rate_limited_until_) return SessionState::kRateLimited;
  if (stalled(at)) return SessionState::kStalled;
  const FileCounts c = counts();
  if (c[index(FileStatus::kProcessing)] > 0) {
    return c[index(FileStatus::kPending)] == 0 ? SessionState::kFinishing : SessionState::kWorking;
  }
  if (counts_only() && counted_.moved > t - config().throughput_window)
    return SessionState::kWorking;
  return SessionState::kWaiting;
}

std::int64_t Session::total_files() const {
  const std::int64_t seen = counts_only() ? counted_.completed + counted_.failed + counted_.skipped
                                          : files_.work().seen();
  return std::max(announced_files_, seen);
}

bool Session::knows_what_comes() const {
  return announced_files_ > 0 || announced_bytes_ || counts()[index(FileStatus::kPending)] > 0;
}

FileCounts Session::counts() const {
  FileCounts c = files_.tally().counts;
  if (counts_only()) {
    c[index(FileStatus::kCompleted)] = counted_.completed;
    c[index(FileStatus::kFailed)] = counted_.failed;
    c[index(FileStatus::kSkipped)] = counted_.skipped;
    c[index(FileStatus::kPending)] =
        total_files() - counted_.completed - counted_.failed - counted_.skipped;
    return c;
  }
  c[index(FileStatus::kPending)] += total_files() - files_.work().seen();
  return c;
}

WorkDone Session::work() const {
  if (!counts_only()) return files_.work().done(total_files());
  WorkDone w;
  w.total = static_cast<double>(total_files());
  w.done = static_cast<double>(counted_.completed + counted_.failed + counted_.skipped);
  w.earned = static_cast<double>(counted_.completed - restored_completed() + counted_.failed);
  if (announced_files_ == 0 && announced_bytes_.value_or(0) > 0) {  // a job that counts bytes alone
    w.total = static_cast<double>(std::max(*announced_bytes_, counted_.bytes_done));
    w.done = static_cast<double>(counted_.bytes_done);
    w.earned = w.done - static_cast<double>(std::min(counted_.restored_bytes, counted_.bytes_done));
  } else if (announced_files_ == 0) {
    w.total = w.done = 0;  // no total is known: what was counted is no share of anything
  }
  return w;
}

std::int64_t Session::restored_completed() const {
  return counts_only() ? std::min(counted_.restored, counted_.completed)
                       : files_.work().restored_completed();
}

std::int64_t Session::concurrency() const {
  return std::max<std::int64_t>(1, concurrency_.value_or(files_.tally().most_in_flight));
}

void Session::fill(Metrics& m, Now at) const {
  const Instant now = this->now(at);
  m.total_files = total_files();
  m.files = counts();
  const WorkDone w = work();
  m.progress_percentage = w.percentage();
  m.complexity_factor = w.complexity;
  m.start_time = start_;
  m.current_time = now;
  m.elapsed = now - start_;
  m.active_elapsed = active_elapsed(now);
  fill_costs_and_quality(m);
  if (config().computes_rates()) fill_rates(m, now);
}

void Session::fill_rates(Metrics& m, Instant now) const {
  const FileTally& t = files_.tally();
  if (t.processing_count > 0) {
    m.average_processing_ms = t.processing_seconds * 1e3 / static_cast<double>(t.processing_count);
  }
  throughput_.draw_history(now, m.active_elapsed);
  const std::int64_t own = m.count(FileStatus::kCompleted) - restored_completed();
  if (m.active_elapsed > Duration::zero()) {
    m.average_throughput = static_cast<double>(own) * 60 / seconds(m.active_elapsed);
    m.bytes_per_second = std::max(0.0, bytes_window_.sum(now)) /
                         seconds(std::min(m.active_elapsed, bytes_window_.length()));
  }
  if (m.active_elapsed > Duration::zero() && m.api_calls_total > 0) {
    m.api_successes_per_second =
        api_window_.sum(now) / seconds(std::min(m.active_elapsed, api_window_.length()));
  }
  m.current_throughput = throughput_.current(now, m.active_elapsed);
  const auto peak = throughput_.peak(now, m.active_elapsed);
  m.peak_throughput = peak ? peak : m.average_throughput;
  m.throughput_history = throughput_.history().points();
}

void Session::fill_costs_and_quality(Metrics& m) const {
  const Counters& c = counters_;
  const Counters& was = at_attempt_;
  m.rate_limit_hits = c.rate_limit_hits - was.rate_limit_hits;
  m.rate_limit_delay = c.rate_limit_delay - was.rate_limit_delay;
  m.api_calls_successful = c.api_ok - was.api_ok;
  m.api_calls_failed = c.api_failed - was.api_failed;
  m.api_calls_total = m.api_calls_successful + m.api_calls_failed;
  m.api_success_rate = share(m.api_calls_successful, m.api_calls_total);
  m.total_tokens = c.tokens() - was.tokens();
  m.estimated_cost = std::max(0.0, c.cost - was.cost);
  m.cost_forecast = forecast_cost(m.estimated_cost, work(), m.finished());
  m.retry_count = c.retries - was.retries;
  m.error_rate = share(m.count(FileStatus::kFailed), m.finished());
  if (const std::int64_t completed = m.count(FileStatus::kCompleted); completed > 0) {
    m.cost_per_file = m.estimated_cost / static_cast<double>(completed);
    m.tokens_per_file = static_cast<double>(m.total_tokens) / static_cast<double>(completed);
  }
  if (config().computes_efficiency()) {
    m.rate_limiting_impact =
        rate_limiting_impact(m.rate_limit_delay, m.active_elapsed, concurrency());
    m.rate_limited_share =
        rate_limiting_impact(std::chrono::duration_cast<Duration>(
                                 std::chrono::duration<double>(delay_window_.sum(m.current_time))),
                             std::min(m.active_elapsed, delay_window_.length()), concurrency());
    if (m.api_success_rate) m.api_efficiency = *m.api_success_rate * (1 - *m.rate_limiting_impact);
  }
  if (config().quality_tracking) {
    const FileTally& t = files_.tally();
    std::optional<double> reported;
    if (t.quality_count > 0)
      reported = std::clamp(t.quality_sum / static_cast<double>(t.quality_count), 0.0, 1.0);
    m.quality_score = quality_score({.reported = reported,
                                     .error_rate = m.error_rate,
                                     .api_success_rate = m.api_success_rate,
                                     .retries = m.retry_count,
                                     .finished = m.finished()});
  }
}

SessionSnapshot Session::snapshot(Now at) const {
  SessionSnapshot s;
  fill(s, at);
  return s;
}

void Session::fill(SessionSnapshot& s, Now at) const {
  s.identity = identity_;
  s.version = version_;
  s.state = state(at);
  s.is_tracking = tracking_;
  s.last_event_time = latest_;
  s.last_received = last_received_.wall;
  s.end_time = end_time_;
  s.end_reason = end_reason_;
  s.deadline = deadline_;
  s.cost_budget = cost_budget_;
  s.metrics = {};
  fill(s.metrics, at);
  s.counters = counters_;
  s.eta.reset();
  s.eta_deviation_percent.reset();
  s.providers = providers_;
  s.stages = stages_;
  s.models = models_;
  s.file_seconds = file_seconds_;
  s.file_bytes = file_bytes_;
  s.oldest_in_flight.reset();
  if (const auto oldest = files_.oldest_start(); oldest && !end_time_) {
    s.oldest_in_flight = std::max(Duration::zero(), s.metrics.current_time - *oldest);
  }
  fill_slowest(s);
  s.resources = resources_;
  if (resources_.network_errors) {
    s.resources.network_errors_in_window = network_errors_window_.sum(s.metrics.current_time);
  }
  s.concurrency = concurrency();
  s.rejected = rejected_;
  s.duplicates = duplicates_;
  s.stale_events = stale_events_;
}

// The files in flight longest, oldest first. O(files in flight).
void Session::fill_slowest(SessionSnapshot& s) const {
  s.slowest_files.clear();
  if (rules_->limits.slowest_files == 0 || end_time_) return;
  const auto in_flight = files_.in_flight();
  std::vector<InFlight> slowest(std::min(rules_->limits.slowest_files, in_flight.size()));
  std::ranges::partial_sort_copy(in_flight, slowest, {}, &InFlight::started, &InFlight::started);
  for (const InFlight& one : slowest) {
    const File& file = files_.table().at(one.file);
    s.slowest_files.push_back(
        {.file = std::string(file.id()),
         .stage = std::string(files_.stages().name(file.stage)),
         .ratio = file.progress / 100,
         .in_flight = std::max(Duration::zero(), s.metrics.current_time - one.started)});
  }
}

}  // namespace agent::progress
