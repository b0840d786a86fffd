#include "agent/cli/player.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace agent::cli {
namespace {

using progress::Rejection;
using progress::RejectReason;

// Nothing is evicted: a recording is as large as it is.
tracker::Settings without_eviction(tracker::Settings settings) {
  constexpr std::size_t kUnbounded = std::numeric_limits<std::size_t>::max();
  auto& limits = settings.rules.limits;
  limits.max_active = limits.max_ended = limits.max_files = kUnbounded;
  return settings;
}

}  // namespace

Player::Player(tracker::Settings settings, std::size_t max_line_bytes,
               EtaLog::Write write_prediction)
    : tracker_(without_eviction(std::move(settings))),
      decoder_(max_line_bytes),
      log_([this](const std::string& id, Now at) { return tracker_.session_at(id, at); },
           write_prediction),
      is_logging_(static_cast<bool>(write_prediction)) {}

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
  if (is_logging_) log_.before(session, ts, at);
  clock_ = at.wall;
  auto applied = tracker::Tracker::Batch(tracker_, at).apply(event);
  if (!applied) return tl::unexpected(std::move(applied).error());
  if (*applied != tracker::Applied::kDuplicate) {
    ++applied_[event.fact.index()];
    remember(session);
  }
  if (is_logging_) {
    log_.after(session, ts, at, std::holds_alternative<progress::SessionStarted>(event.fact),
               std::holds_alternative<progress::SessionEnded>(event.fact));
  }
  return {};
}

void Player::remember(const std::string& session) {
  const auto [found, is_new] = index_.try_emplace(session, seen_.size());
  if (is_new) seen_.push_back({session, {}});
  seen_[found->second].last_event = now();
}

void Player::finish() {
  if (is_logging_) log_.finish(now());
}

View Player::view() {
  View view{now(), {}, tracker_.generation()};
  for (const Seen& seen : seen_) {
    if (auto snapshot = tracker_.session_at(seen.session, seen.last_event)) {
      view.sessions.push_back(std::move(snapshot));
    }
  }
  return view;
}

}  // namespace agent::cli
