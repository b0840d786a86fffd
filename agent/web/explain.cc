#include "agent/web/explain.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "agent/alert/alert.h"
#include "agent/eta/estimator.h"
#include "agent/progress/names.h"

namespace agent::web {
namespace {

using eta::ChoiceReason;
using eta::Explanation;
using progress::SessionSnapshot;
using progress::SessionState;

std::string_view sentence_of(ChoiceReason why) {
  switch (why) {
    case ChoiceReason::kOnlyLinear:
      return "enableETAOptimization is off, so linear alone speaks";
    case ChoiceReason::kFamilyRecord:
      return "it foretold best in earlier sessions of the family";
    case ChoiceReason::kOverallRecord:
      return "it foretold best in this agent's sessions; the family has no record yet";
    case ChoiceReason::kNeverSeen:
      return "the default for a job never seen before";
  }
  return "";
}

// Why there is no ETA.
std::string_view why_none(const SessionSnapshot& session) {
  if (!session.identity->config.computes_rates()) return "mode minimal computes none";
  if (is_ended(session.state) || !session.is_tracking || session.state == SessionState::kStale)
    return "the session is over";
  return "nothing can be said yet: no event came after the first, and no earlier run is known";
}

void write_inputs(JsonWriter& json, const SessionSnapshot& session, const Explanation& why) {
  json.key("inputs").begin_object();
  json.member("activeMs", Span(why.active_seconds)).member("workDoneRatio", why.work_done_share);
  json.member("parallelism", why.parallelism);
  json.member("totalFiles", session.metrics.total_files);
  json.member("finishedFiles", session.metrics.finished());
  json.member("inFlight", session.metrics.count(progress::FileStatus::kProcessing));
  json.member("familyRuns", why.family_runs).member("historyRatio", why.history_share);
  if (why.family_runs > 0) json.member("historyGateRatio", why.history_gate);
  json.end_object();
}

void write_rate_limits(JsonWriter& json, const SessionSnapshot& session, const Explanation& why) {
  json.key("rateLimits").begin_object();
  json.member("timeRatio", session.metrics.rate_limiting_impact);
  json.member("announcedMs", Span(why.waiting_seconds));
  json.member("expectedMs", Span(why.expected_waits));
  json.end_object();
}

// Of every method: what it says, what it is expected to err by, and its record in the family.
void write_methods(JsonWriter& json, const SessionSnapshot& session, const Explanation& why) {
  json.key("methods").begin_object();
  for (std::size_t m = 0; m < progress::kEtaMethodNames.size(); ++m) {
    json.key(progress::kEtaMethodNames[m]).begin_object();
    if (session.eta) json.member("remainingMs", session.eta->methods[m]);
    json.member("expectedError", why.choice.expected_error[m]);
    if (why.family_record.sessions[m] > 0) {
      json.member("pastError", why.family_record.error[m]);
      json.member("pastSessions", why.family_record.sessions[m]);  // aged: newer ones count more
    }
    json.end_object();
  }
  json.end_object();
}

void write_experts(JsonWriter& json, const Explanation& why) {
  json.key("experts").begin_array();
  for (const Explanation::Voice& voice : why.experts) {
    json.begin_object();
    json.member("expert", eta::kExpertNames[static_cast<std::size_t>(voice.expert)]);
    json.member("remainingMs", Span(voice.remaining)).member("weight", voice.weight);
    if (voice.past_error >= 0) json.member("pastLogError", voice.past_error);
    json.end_object();
  }
  json.end_array();
}

void write_uncertainty(JsonWriter& json, const Explanation& why) {
  json.key("uncertainty").begin_object();
  json.member("spread", why.spread).member("drift", why.drift).member("sigma", why.sigma);
  json.member("correction", why.correction);
  json.member("intervalScale", std::exp(why.calibration.widen));
  json.member("confidenceShift", why.calibration.shift);
  json.end_object();
}

void write_eta_reasons(JsonWriter& json, const SessionSnapshot& session, const Explanation* why) {
  json.key("eta").begin_object();
  if (!session.eta || why == nullptr) {
    json.member("known", false).member("because", why_none(session)).end_object();
    return;
  }
  json.member("known", true).member("method", name_of(session.eta->method));
  json.member("reason", eta::kChoiceReasonNames[static_cast<std::size_t>(why->choice.why)]);
  json.member("because", sentence_of(why->choice.why));
  json.member("remainingMs", session.eta->remaining);
  json.member("lowMs", session.eta->low).member("highMs", session.eta->high);
  json.member("confidence", session.eta->confidence);
  write_inputs(json, session, *why);
  write_rate_limits(json, session, *why);
  write_methods(json, session, *why);
  write_experts(json, *why);
  write_uncertainty(json, *why);
  json.end_object();
}

// What the session's state says about its silence; nothing when all is well.
std::string_view state_reason(const SessionSnapshot& session) {
  if (!session.is_tracking) return "tracking was stopped; session.start begins it again";
  switch (session.state) {
    case SessionState::kWorking:
    case SessionState::kFinishing:
    case SessionState::kWaiting:
      return "";
    case SessionState::kRateLimited:
      return "a rate limit was announced and is not over";
    case SessionState::kStalled:
      return "no event came for longer than files usually take";
    case SessionState::kPaused:
      return "the session is paused";
    case SessionState::kStale:
      return "no event came for so long that the session counts as left; any event begins an "
             "attempt";
    case SessionState::kCompleted:
    case SessionState::kFailed:
    case SessionState::kCancelled:
      return "the session has ended; only session.start opens it again";
  }
  return "";
}

// Why a rule does not fire; `active`: its alert that is pending or fires, or null.
std::string_view why_quiet(const SessionSnapshot& session, const alert::Finding* finding,
                           const alert::Alert* active) {
  if (!session.identity->config.performance_alerts) return "alerts are off for this session";
  if (finding == nullptr) return "not looked at yet; that happens each second";
  if (active != nullptr && active->dismissed) return "it was dismissed";
  if (active != nullptr && active->state == alert::State::kPending)
    return "the condition holds, but not for long enough yet";
  if (active != nullptr) return "";
  if (!finding->threshold) return "off: no threshold is set";
  if (!finding->value) return "there is nothing to measure, or too little";
  return "the value has not crossed the threshold";
}

// Of every rule about sessions: what it saw when it looked last, and since when it is so.
void write_alert_reasons(JsonWriter& json, const SessionSnapshot& session) {
  json.key("alerts").begin_array();
  for (std::size_t r = 0; r < alert::rules().size(); ++r) {
    if (alert::rules()[r].scope != alert::Scope::kSession) continue;
    const alert::Finding* finding = nullptr;
    const alert::Alert* active = nullptr;
    if (session.alerts && r < session.alerts->findings.size()) {
      finding = &session.alerts->findings[r];
      const auto& current = session.alerts->current;
      const auto found = std::ranges::find(current, r, &alert::Alert::rule);
      if (found != current.end()) active = &*found;
    }
    json.begin_object().member("name", alert::rules()[r].name);
    json.member("state", active == nullptr ? "inactive" : name_of(active->state));
    if (finding != nullptr) json.member("value", finding->value);
    if (finding != nullptr) json.member("threshold", finding->threshold);
    if (active != nullptr) json.member("since", active->starts_at.value_or(active->breached_at));
    json.known_text("because", why_quiet(session, finding, active)).end_object();
  }
  json.end_array();
}

void write_updates(JsonWriter& json, const SessionSnapshot& session, Now now) {
  json.key("updates").begin_object();
  json.member("isTracking", session.is_tracking).member("state", name_of(session.state));
  json.member("lastEventTime", session.last_event_time);
  json.member("lastEventAgeMs", std::max(Duration::zero(), now.wall - session.last_received));
  std::uint64_t refused = 0;
  json.key("rejectedEvents").begin_object();
  for (std::size_t i = 0; i < session.rejected.size(); ++i) {
    refused += session.rejected[i];
    if (session.rejected[i] > 0) json.member(progress::kRejectReasonNames[i], session.rejected[i]);
  }
  json.end_object();
  json.member("duplicateEvents", session.duplicates).member("staleEvents", session.stale_events);
  json.key("reasons").begin_array();
  if (const std::string_view reason = state_reason(session); !reason.empty()) json.value(reason);
  if (refused > 0) json.value("events were refused, see rejectedEvents; senders were told why");
  if (session.duplicates > 0)
    json.value("events came again with a seq that was used, and were not applied twice");
  if (session.stale_events > 0)
    json.value("events came with a ts before that of the last one of their file");
  json.end_array().end_object();
}

}  // namespace

void write_explanation(JsonWriter& json, const tracker::Explained& explained, Now now) {
  json.begin_object();
  write_eta_reasons(json, *explained.session, explained.eta ? &*explained.eta : nullptr);
  write_alert_reasons(json, *explained.session);
  write_updates(json, *explained.session, now);
  json.end_object();
}

}  // namespace agent::web
