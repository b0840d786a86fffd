#include "agent/history/timeline.h"

#include <cmath>

namespace agent::history {
namespace {

std::optional<double> milliseconds(Reading seconds) {
  constexpr double kInASecond = 1e3;
  const auto known = seconds.get();
  return known ? std::optional(*known * kInASecond) : std::nullopt;
}

}  // namespace

Moment moment_of(const progress::SessionSnapshot& session) {
  const progress::Metrics& m = session.metrics;
  Moment moment{.timestamp = m.current_time, .state = session.state};
  moment.completed = m.count(progress::FileStatus::kCompleted);
  moment.failed = m.count(progress::FileStatus::kFailed);
  moment.tokens = m.total_tokens;
  moment.cost = m.estimated_cost;
  moment.progress = Reading(m.progress_percentage / 100);
  moment.throughput = m.current_throughput;
  moment.processing_ms = m.average_processing_ms;
  moment.error_rate = m.error_rate;
  moment.quality = m.quality_score;
  moment.api_success = m.api_success_rate;
  moment.rate_limiting = m.rate_limiting_impact;
  if (session.eta) {
    moment.remaining = Reading(seconds(session.eta->remaining));
    moment.low = Reading(seconds(session.eta->low));
    moment.high = Reading(seconds(session.eta->high));
    moment.confidence = session.eta->confidence;
    moment.method = session.eta->method;
  }
  return moment;
}

progress::PastMinute minute_of(const Moment& moment) {
  progress::PastMinute m;
  m.minute = moment.timestamp;
  m.state = name_of(moment.state);
  m.progress_percentage = 100 * moment.progress.get().value_or(0);
  m.completed = moment.completed;
  m.failed = moment.failed;
  m.tokens = moment.tokens;
  m.cost = moment.cost;
  m.current_throughput = moment.throughput.get();
  m.average_processing_ms = moment.processing_ms.get();
  m.error_rate = moment.error_rate.get();
  m.api_success_rate = moment.api_success.get();
  m.quality_score = moment.quality.get();
  m.rate_limiting_impact = moment.rate_limiting.get();
  m.remaining_ms = milliseconds(moment.remaining);
  m.low_ms = milliseconds(moment.low);
  m.high_ms = milliseconds(moment.high);
  m.confidence = moment.confidence.get();
  if (m.remaining_ms) m.method = name_of(moment.method);
  return m;
}

std::optional<double> eta_error(const std::vector<Moment>& moments, Instant start, Instant end) {
  const double total = seconds(end - start);
  double sum = 0, count = 0;
  for (const Moment& moment : moments) {
    const auto remaining = moment.remaining.get();
    if (!remaining || moment.timestamp >= end) continue;
    sum += std::abs(*remaining - seconds(end - moment.timestamp)) / total;
    ++count;
  }
  return count > 0 ? std::optional(sum / count) : std::nullopt;
}

void Timeline::add(const Moment& moment, bool is_last) {
  if (!is_last && !is_due(moment.timestamp)) return;
  if (!moments_.empty() && moment.timestamp <= moments_.back().timestamp) {
    if (is_last) moments_.back() = moment;
    return;
  }
  if (moments_.size() == kMost) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < moments_.size(); i += 2) moments_[kept++] = moments_[i];
    moments_.resize(kept);
    spacing_ *= 2;
    if (!is_last && !is_due(moment.timestamp)) return;
  }
  moments_.push_back(moment);
}

}  // namespace agent::history
