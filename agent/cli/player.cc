#include "agent/cli/player.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "agent/web/alert_json.h"

namespace agent::cli {
namespace {

using progress::Rejection;
using progress::RejectReason;

// Nothing is evicted: a recording is as large as it is.
tracker::Settings without_eviction(tracker::Settings settings) {
  constexpr std::size_t kUnbounded = std::numeric_limits<std::size_t>::max();
  progress::Limits& limits = settings.rules.limits;
  limits.max_active = limits.max_ended = limits.max_files = kUnbounded;
  return settings;
}

// How often alerts are looked at: in a second at most once, and of a long session less often, so
// that a replay costs no more than its events.
constexpr Duration kLeastStep = std::chrono::seconds(1);
Duration step_after(Duration elapsed) { return std::max(kLeastStep, elapsed / 200); }
// In a silence of this length something may begin however long the session is.
constexpr Duration kLongSilence = std::chrono::minutes(1);

}  // namespace

Player::Player(tracker::Settings settings, std::size_t max_line_bytes,
               EtaLog::Write write_prediction, EtaLog::Write write_alert)
    : tracker_(without_eviction(std::move(settings))),
      decoder_(max_line_bytes),
      log_([this](const std::string& id, Now at) { return answer(id, at); },
           std::move(write_prediction)),
      write_alert_(std::move(write_alert)) {}

Result<void, Rejection> Player::play(const wire::Line& line) {
  Result<void, Rejection> played;
  if (line.is_too_long) {
    played = failure(Rejection{RejectReason::kLineTooLong, "", "the line is too long: skipped"});
  } else if (auto message = decoder_.decode(line.text, std::nullopt); !message) {
    played = refuse(std::move(message).error());
  } else if (const auto* hello = std::get_if<wire::Hello>(&*message)) {
    producer_ = hello->producer;
  } else {
    played = apply(*std::get<0>(*message));
  }
  if (!played) {
    ++refused_;
    ++rejected_[static_cast<std::size_t>(played.error().reason)];
  }
  return played;
}

// What could be read of it counts with its session and uses up its seq, as in the running agent.
Result<void, Rejection> Player::refuse(Rejection rejection) {
  const progress::Event& event = decoder_.event();
  const std::string_view producer = event.producer.empty() ? producer_ : event.producer;
  tracker::Tracker::Batch(tracker_, now())
      .refuse(event.session, producer, event.seq, rejection.reason);
  return failure(std::move(rejection));
}

Result<void, Rejection> Player::apply(progress::Event event) {
  if (event.producer.empty()) event.producer = producer_;
  if (!event.ts) event.ts = clock_;
  const Instant ts = *event.ts;
  const std::string session(event.session);
  const Now at{std::max(clock_, ts), SteadyInstant(std::max(clock_, ts).time_since_epoch())};
  if (log_.writes())
    log_.before(session, ts, at);
  else
    look_until(session, at);
  clock_ = at.wall;
  auto applied = tracker::Tracker::Batch(tracker_, at).apply(event);
  if (!applied) return tl::unexpected(std::move(applied).error());
  if (*applied != tracker::Applied::kDuplicate) {
    ++applied_[event.fact.index()];
    remember(session);
    Seen& seen = seen_[index_.at(session)];
    if (std::holds_alternative<progress::SessionEnded>(event.fact)) seen.over = true;
    if (std::holds_alternative<progress::SessionStarted>(event.fact)) seen.over = false;
    if (seen.over) seen.latest = look(session, at);
    seen.alerts = seen.latest;
  }
  if (log_.writes()) {
    log_.after(session, ts, at, std::holds_alternative<progress::SessionStarted>(event.fact),
               std::holds_alternative<progress::SessionEnded>(event.fact));
  }
  return {};
}

void Player::remember(const std::string& session) {
  const auto [found, is_new] = index_.try_emplace(session, seen_.size());
  if (is_new) {
    const SteadyInstant began = now().steady;
    seen_.push_back({session, now(), began, began - kLeastStep, nullptr, nullptr, false});
  }
  seen_[found->second].last_event = now();
}

// At the session's alerts, at one instant.
std::shared_ptr<const alert::Standing> Player::look(const std::string& session, Now at) {
  auto standing = tracker_.look(session, at);
  for (const alert::Alert& alert : tracker_.take_alert_changes()) {
    if (write_alert_) write_alert_(web::alert_change_json(alert, at.wall) + "\n");
  }
  return standing;
}

// What was told last, and then the silence until `until`: alerts begin and end in it, too. Looks
// lie further and further apart: what a silence changes, it changes slowly. The end of a long one
// is looked at, too.
void Player::look_until(const std::string& session, Now until) {
  const auto found = index_.find(session);
  if (found == index_.end()) return;
  Seen& seen = seen_[found->second];
  const Duration silence = until.steady - seen.last_event.steady;
  if (silence <= Duration::zero()) return;  // more is told of the same moment
  const auto look_after = [&](Duration since) {
    const Now at{seen.last_event.wall + since, seen.last_event.steady + since};
    look(session, at);
    seen.looked = at.steady;
  };
  Duration step = step_after(seen.last_event.steady - seen.began);
  if (seen.last_event.steady - seen.looked >= step) look_after(Duration::zero());
  for (Duration since = step; since < silence; since += step) {
    look_after(since);
    step += step / 4;
  }
  if (silence <= kLongSilence) return;
  look_after(silence - Duration(1));
  seen.looked = {};  // and at what ended it
}

// With a log its questions are the looks: further ones would change what the estimators answer.
progress::SnapshotPtr Player::answer(const std::string& session, Now at) {
  auto answer = tracker_.session_at(session, at);
  if (const auto found = index_.find(session); found != index_.end())
    seen_[found->second].latest = look(session, at);
  return answer;
}

void Player::finish() {
  if (log_.writes()) log_.finish(now());
}

View Player::view() {
  View view{now(), {}, nullptr, tracker_.generation()};
  for (Seen& seen : seen_) {
    if (!log_.writes()) seen.alerts = look(seen.session, seen.last_event);
    if (auto snapshot = tracker_.session_at(seen.session, seen.last_event)) {
      auto as_of_its_end = std::make_shared<progress::SessionSnapshot>(*snapshot);
      as_of_its_end->alerts = seen.alerts;
      view.sessions.push_back(std::move(as_of_its_end));
    }
  }
  return view;
}

}  // namespace agent::cli
