#include "agent/tracker/sessions.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace agent::tracker {

using progress::Rejection;
using progress::RejectReason;
using progress::Session;

namespace {

Rejection refused(RejectReason reason, std::string message) {
  return {reason, "session", std::move(message)};
}

}  // namespace

const progress::SnapshotPtr& Tracked::snapshot(Now at) {
  const bool changed = !published_ || published_->version != session_.version();
  const bool aged =
      session_.live() && at.steady - published_at_ >= session_.config().update_interval;
  if (changed || aged) {
    published_ = make_answer(at, false, unread());
    published_at_ = at.steady;
  }
  return published_;
}

std::shared_ptr<progress::SessionSnapshot> Tracked::unread() {
  if (published_.use_count() != 1) return nullptr;
  // What the last reader did comes before what is written now: letting go of a pointer says so.
  progress::SnapshotPtr(published_).reset();
  return std::const_pointer_cast<progress::SessionSnapshot>(std::move(published_));
}

progress::SnapshotPtr Tracked::make_answer(Now at, bool precise,
                                           std::shared_ptr<progress::SessionSnapshot> fresh) {
  if (!fresh) fresh = std::make_shared<progress::SessionSnapshot>();
  session_.fill(*fresh, at);
  fresh->serial = serial_;
  fresh->alerts = standing_;
  if (session_.live() && session_.config().computes_rates()) {
    fresh->eta = forecast(at, precise);
    follow_prediction(*fresh);
  }
  return fresh;
}

const std::optional<progress::Forecast>& Tracked::forecast(Now at, bool precise) {
  const bool due = at.steady - forecast_at_ >= session_.config().eta_update_interval;
  if (precise || due || !forecast_) {
    forecast_ = forecaster_.estimate(session_.now(at));
    forecast_at_ = at.steady;
    note_forecast(session_.now(at));
  }
  return forecast_;
}

void Tracked::note_forecast(Instant now) {
  if (!forecast_) return;
  told_ = {now,
           forecast_->method,
           seconds(forecast_->remaining),
           seconds(forecast_->low),
           seconds(forecast_->high),
           forecast_->confidence.value_or(-1),
           {},
           {}};
}

// How far the end has moved at least: what lies between the interval promised and the present one.
void Tracked::follow_prediction(progress::SessionSnapshot& fresh) {
  const auto& early = forecaster_.early();
  if (!fresh.eta || !early || early->attempt != fresh.identity->attempt) return;
  if (early->total <= Duration::zero()) return;
  const auto& eta = *fresh.eta;
  const double later = seconds(eta.completion - early->high) + (eta.low - eta.remaining).count();
  const double earlier = seconds(early->low - eta.completion) - (eta.high - eta.remaining).count();
  fresh.eta_deviation_percent = 100 * std::max({0.0, later, earlier}) / seconds(early->total);
}

void Tracked::note_grade(const eta::SelfGrade& grade) {
  for (std::size_t m = 0; m < told_.graded.size(); ++m) {
    const std::vector<float>& errors = grade.errors[m];
    told_.graded[m] = errors.size();
    told_.error[m] = errors.empty() ? 0
                                    : std::accumulate(errors.begin(), errors.end(), 0.0) /
                                          static_cast<double>(errors.size());
  }
}

void EtaErrors::add(const std::string& family, const eta::SelfGrade& grade) {
  const bool known = by_family_.contains(family) || by_family_.size() < kMostFamilies;
  ByMethod& errors = by_family_[known ? family : std::string(progress::kOtherLabel)];
  errors.resize(progress::kEtaMethodNames.size(), progress::Histogram(kBounds));
  for (std::size_t m = 0; m < errors.size(); ++m) {
    for (const float error : grade.errors[m]) errors[m].observe(static_cast<double>(error));
  }
}

Tracked* Sessions::find(std::string_view id) {
  if (const auto session = absent_.take(id)) bring_back(*session);
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

std::span<Tracked* const> Sessions::in_order() {
  const auto& sessions = all();
  if (in_order_.empty()) {
    in_order_.reserve(sessions.size());
    for (const auto& [serial, tracked] : sessions) in_order_.push_back(tracked.get());
  }
  return in_order_;
}

Result<Applied, Rejection> Sessions::apply(const progress::Event& event, Now at) {
  const Instant ts = event.ts.value_or(at.wall);
  auto found = find_or_start(event, ts, at);
  if (!found) return failure(std::move(found.error()));
  Tracked& tracked = **found;
  Session& session = tracked.session();
  tracked.forecaster().revive();
  if (keeps_changes_) tracked.publish_committed(at);
  const bool is_new = session.version() == 0;
  const bool was_live = session.live();
  const std::size_t files_before = session.files().size();

  const std::size_t files_left =
      rules_.limits.max_files - std::min(files_, rules_.limits.max_files);
  tracked.forecaster().before(ts);
  auto applied = session.apply(event, ts, at, files_left, tracked);

  files_ += session.files().size() - files_before;
  ++generation_;
  if (!applied && is_new) {
    --active_;
    remove(tracked, at);
    return applied;
  }
  touch(tracked);
  // What files do, the forecaster hears from the files themselves.
  const bool is_file = std::holds_alternative<progress::FileProgressed>(event.fact);
  if (!is_file) follow_family(tracked);
  if (applied && !is_file && session.config().computes_rates()) {
    tracked.forecaster().after(event, ts);
  }
  if (applied && watches_files_) tracked.note_files(event);
  if (was_live && session.ended()) grade(tracked);
  if (!applied) session.note_rejected(applied.error().reason);
  if (was_live && !session.live()) {
    look_at(tracked, at);
    leave(tracked, at);
  }
  if (!was_live && session.live()) {
    ++active_;
    tracked.stopped = tracked.scraped = false;
    tracked.forget_told();
    std::erase(left_, tracked.serial());
  }
  return applied;
}

Result<Tracked*, Rejection> Sessions::find_or_start(const progress::Event& event, Instant ts,
                                                    Now at) {
  Tracked* tracked = find(event.session);
  const bool starts = std::holds_alternative<progress::SessionStarted>(event.fact);
  const bool over = tracked != nullptr && !tracked->session().live();
  if (tracked != nullptr && !over) return tracked;
  if (!starts && !stopped_.empty() && stopped_.contains(event.session)) {
    return failure(
        refused(RejectReason::kSessionStopped,
                "tracking of this session was stopped; send session.start to track it again"));
  }
  const bool becomes_active = tracked == nullptr || starts || !tracked->session().ended();
  if (becomes_active && active_ >= rules_.limits.max_active) {
    return failure(refused(
        RejectReason::kTooManySessions,
        "as many sessions are active as sessions.max_active allows; end some, or raise it"));
  }
  forget_stopped(event.session);
  if (tracked != nullptr) return tracked;
  auto made = std::make_unique<Tracked>(event.session, next_serial_++, rules_, past(), ts, at);
  tracked = made.get();
  by_id_.emplace(tracked->id(), tracked);
  by_serial_.emplace(tracked->serial(), std::move(made));
  in_order_.clear();
  ++active_;
  return tracked;
}

// What its forecasts were worth, for the family's next run.
void Sessions::grade(Tracked& tracked) {
  const Session& session = tracked.session();
  if (!session.config().computes_rates()) return;
  auto finished = tracked.forecaster().finish(*session.end_time(), *session.end_status());
  if (!finished) return;
  const std::string& family = session.identity()->family;
  eta_errors_.add(family, finished->grade);
  tracked.note_grade(finished->grade);
  if (session.config().analytics) {
    history_.add(family, std::move(finished->run), finished->complete);
  }
}

void Sessions::note_rejected(std::string_view id, RejectReason reason, Now at) {
  Tracked* tracked = find(id);
  if (tracked == nullptr) return;
  if (keeps_changes_) tracked->publish_committed(at);
  tracked->session().note_rejected(reason);
  touch(*tracked);
}

void Sessions::note_duplicate(std::string_view id, Now at) {
  Tracked* tracked = find(id);
  if (tracked == nullptr) return;
  if (keeps_changes_) tracked->publish_committed(at);
  tracked->session().note_duplicate();
  touch(*tracked);
}

// It is over: ended, stale, or stopped.
void Sessions::leave(Tracked& tracked, Now at) {
  --active_;
  tracked.forecaster().leave();
  tracked.left_at = at.steady;
  tracked.scraped = false;
  left_.push_back(tracked.serial());
  evict_beyond_limit(at);
}

void Sessions::remove(Tracked& tracked, Now at) {
  const std::size_t alerts_before = alert_changes_.size();
  tracked.close_alerts(at, alert_changes_);
  keep_alerts(tracked, alerts_before);
  ++generation_;
  files_ -= tracked.session().files().size();
  untouch(tracked);
  by_id_.erase(tracked.id());
  std::erase(left_, tracked.serial());
  by_serial_.erase(tracked.serial());
  in_order_.clear();
}

// Those already read by a scraper go first, then those longest over.
void Sessions::evict_beyond_limit(Now at) {
  while (left_.size() > rules_.limits.max_ended) {
    const auto read =
        std::ranges::find_if(left_, [&](auto serial) { return by_serial_.at(serial)->scraped; });
    ++evicted_;
    remove(*by_serial_.at(read == left_.end() ? left_.front() : *read), at);
  }
}

void Sessions::observe_workload(const progress::Resources& read, Now at) {
  for (const auto& [serial, tracked] : all()) {
    if (!tracked->session().live()) continue;
    tracked->session().observe_workload(read, at);
    ++generation_;
    touch(*tracked);
  }
}

bool Sessions::stop(std::string_view id, Now at) {
  Tracked* tracked = find(id);
  if (tracked == nullptr || tracked->stopped) return false;
  const bool was_live = tracked->session().live();
  const std::size_t files_before = tracked->session().files().size();
  tracked->session().stop(at);
  tracked->stopped = true;
  tracked->scraped = false;
  files_ -= files_before;
  ++generation_;
  remember_stopped(id);
  touch(*tracked);
  look_at(*tracked, at);
  if (was_live) leave(*tracked, at);
  return true;
}

void Sessions::remember_stopped(std::string_view id) {
  if (!stopped_.emplace(id).second) return;
  stopped_order_.emplace_back(id);
  if (keeps_changes_) stopped_changes_.emplace_back(id, true);
  if (stopped_order_.size() > rules_.limits.max_stopped)
    forget_stopped(std::string(stopped_order_.front()));
}

void Sessions::forget_stopped(std::string_view id) {
  if (stopped_.empty()) return;
  const auto found = stopped_.find(id);
  if (found == stopped_.end()) return;
  stopped_.erase(found);
  std::erase(stopped_order_, id);
  if (keeps_changes_) stopped_changes_.emplace_back(id, false);
}

std::size_t Sessions::clean_up(Duration max_silence, Now at) {
  std::vector<Tracked*> silent;
  for (const auto& [serial, tracked] : all()) {
    if (at.steady - tracked->session().last_received() >= max_silence)
      silent.push_back(tracked.get());
  }
  for (Tracked* tracked : silent) {
    if (tracked->session().live()) --active_;
    remove(*tracked, at);
  }
  return silent.size();
}

void Sessions::mark_scraped(std::string_view id, std::uint64_t version) {
  Tracked* tracked = find(id);
  if (tracked != nullptr && tracked->session().version() == version &&
      !std::exchange(tracked->scraped, true))
    touch(*tracked);
}

// An ended one stays until it lingered and was scraped, a stale one until it lingered, a stopped
// one until it was scraped.
bool Sessions::is_done_with(const Tracked& tracked, Now at) const {
  const bool lingered = at.steady - tracked.left_at >= rules_.limits.linger;
  if (tracked.stopped) return tracked.scraped;
  return lingered && (tracked.scraped || !tracked.session().ended());
}

void Sessions::tick(Now at) {
  std::vector<Tracked*> gone;
  std::vector<Tracked*> silent;
  for (const auto& [serial, tracked] : all()) {
    const Session& session = tracked->session();
    if (session.live()) {
      const Duration silence = at.steady - session.last_received();
      if (!session.paused() && silence > rules_.limits.stale_after) silent.push_back(tracked.get());
    } else if (is_done_with(*tracked, at)) {
      gone.push_back(tracked.get());
    }
  }
  for (Tracked* tracked : gone) remove(*tracked, at);
  for (Tracked* tracked : silent) {
    files_ -= tracked->session().files().size();
    tracked->session().become_stale(at);
    touch(*tracked);
    ++generation_;
    leave(*tracked, at);
  }
}

void Sessions::configure(progress::Rules rules, alert::Policy policy, Now at) {
  rules_ = std::move(rules);
  policy_ = std::move(policy);
  for (const auto& [serial, tracked] : all()) {
    tracked->look_soon();
    if (tracked->session().follow_rules()) touch(*tracked);
  }
  evict_beyond_limit(at);
}

}  // namespace agent::tracker
