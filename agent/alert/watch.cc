#include "agent/alert/watch.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "agent/alert/text.h"
#include "agent/progress/text.h"

namespace agent::alert {
namespace {

using progress::SessionSnapshot;
using progress::SessionState;

std::string breach_id(std::string_view rule, std::string_view session, Instant at) {
  std::string key(rule);
  key.append("\n").append(session).append("\n");
  key += std::to_string(at.time_since_epoch().count());
  char id[17];
  std::snprintf(id, sizeof id, "%016llx",
                static_cast<unsigned long long>(progress::stable_hash(key)));
  return id;
}

// Why the rule has nothing to say about the session now, whatever its figures are.
std::optional<Reason> silenced(During during, const Subject& subject) {
  const SessionSnapshot& s = *subject.session;
  if (!s.is_tracking) return Reason::kGone;
  if (s.state == SessionState::kStale) return Reason::kStale;
  if (subject.superseded) return Reason::kSuperseded;
  const bool ended = progress::is_ended(s.state);
  switch (during) {
    case During::kRun:
      return ended ? std::optional(Reason::kEnded) : std::nullopt;
    case During::kUntilGoodEnd:
      return s.state == SessionState::kCompleted ? std::optional(Reason::kEnded) : std::nullopt;
    case During::kAfterEnd:
      return ended ? std::nullopt : std::optional(Reason::kRecovered);
  }
  return std::nullopt;
}

}  // namespace

Watch::Tracked* Watch::find(std::size_t rule) {
  const auto found =
      std::ranges::find(active_, rule, [](const Tracked& t) { return t.alert.rule; });
  return found == active_.end() ? nullptr : &*found;
}

void Watch::look(const Subject& subject, const Policy& policy, Now now,
                 std::vector<Alert>& changed) {
  const Scope scope = subject.session != nullptr ? Scope::kSession : Scope::kAgent;
  std::vector<Finding> findings(rules().size());
  const Round round{subject, policy, now, changed, findings};
  for (std::size_t r = 0; r < rules().size(); ++r) {
    if (rules()[r].scope == scope) {
      look(r, round);
    } else if (scope == Scope::kAgent) {
      if (const auto usual = policy.in_force(r)) findings[r].threshold = usual->threshold;
    }
  }
  stand(std::move(findings));
}

void Watch::look(std::size_t rule, const Round& round) {
  const Rule& r = rules()[rule];
  const Tracked* active = find(rule);
  const auto in_force = round.policy.in_force(rule, round.subject);
  const auto quiet = !in_force                          ? std::optional(Reason::kSwitchedOff)
                     : round.subject.session != nullptr ? silenced(r.during, round.subject)
                                                        : std::nullopt;
  if (in_force) {
    const auto usual = round.policy.in_force(rule);
    round.findings[rule].threshold = in_force->threshold;
    round.findings[rule].is_own = !usual || usual->threshold != in_force->threshold;
  }
  if (quiet) {
    if (active != nullptr) resolve(rule, *quiet, round.now, round.changed);
    return;
  }
  const std::optional<Reading> reading = r.read(round.subject);
  if (reading) round.findings[rule].value = reading->value;
  if (reading && breaches(r.breach, reading->value, in_force->threshold)) {
    breach(rule, *reading, *in_force, round);
  } else if (active != nullptr) {
    const bool keeps = active->alert.state == State::kFiring &&
                       round.now.steady - active->last_breach < in_force->keep;
    if (!keeps) resolve(rule, Reason::kRecovered, round.now, round.changed);
  }
}

Watch::Tracked Watch::begin(std::size_t rule, const Round& round) const {
  Tracked tracked{{}, round.now.steady, round.now.steady};
  Alert& alert = tracked.alert;
  alert.rule = rule;
  alert.breached_at = round.now.wall;
  if (const SessionSnapshot* s = round.subject.session) {
    alert.session = s->id();
    alert.family = s->identity->family;
    for (const auto& label : s->identity->labels) {
      if (std::ranges::count(round.policy.labels(), label.first) > 0) alert.labels.push_back(label);
    }
  }
  alert.id = breach_id(rules()[rule].name, alert.session, round.now.wall);
  return tracked;
}

void Watch::breach(std::size_t rule, const Reading& reading, const InForce& in_force,
                   const Round& round) {
  const Rule& r = rules()[rule];
  Tracked* tracked = find(rule);
  const bool is_new = tracked == nullptr;
  if (is_new) {
    const auto place =
        std::ranges::lower_bound(active_, rule, {}, [](const Tracked& t) { return t.alert.rule; });
    tracked = &*active_.insert(place, begin(rule, round));
  }
  Alert& alert = tracked->alert;
  tracked->last_breach = round.now.steady;
  const bool severity_changed = !is_new && alert.severity != in_force.severity;
  alert.severity = in_force.severity;
  alert.value = reading.value;
  alert.threshold = in_force.threshold;
  alert.message = message_of(r, reading, in_force.threshold);
  alert.recommendation = reading.advice.empty() ? std::string(r.recommendation) : reading.advice;
  alert.runbook_url = runbook_url(round.policy.runbooks(), alert_name(r));
  const bool held = round.now.steady - tracked->breached_at >= in_force.hold;
  const bool fires = alert.state == State::kPending && held;
  if (fires) {
    alert.state = State::kFiring;
    alert.reason = Reason::kHeld;
    alert.starts_at = round.now.wall;
    count_fired(rule, alert.severity);
  }
  if (fires || is_new || severity_changed) round.changed.push_back(alert);
}

void Watch::count_fired(std::size_t rule, Severity severity) {
  const auto found = std::ranges::find_if(
      fired_, [&](const Fired& f) { return f.rule == rule && f.severity == severity; });
  Fired& fired = found == fired_.end() ? fired_.emplace_back(Fired{rule, severity, 0}) : *found;
  ++fired.times;
}

// A breach too short to fire was never an alert: it goes without being kept.
void Watch::resolve(std::size_t rule, Reason why, Now now, std::vector<Alert>& changed) {
  Tracked* tracked = find(rule);
  Alert alert = std::move(tracked->alert);
  active_.erase(active_.begin() + (tracked - active_.data()));
  const bool fired = alert.state == State::kFiring;
  alert.state = State::kResolved;
  alert.reason = why;
  alert.ends_at = now.wall;
  if (fired) {
    resolved_.push_back(alert);
    if (resolved_.size() > kResolvedKept) resolved_.erase(resolved_.begin());
  }
  changed.push_back(std::move(alert));
}

void Watch::close(Reason why, Now now, std::vector<Alert>& changed) {
  while (!active_.empty()) resolve(active_.front().alert.rule, why, now, changed);
  stand(standing_->findings);
}

std::optional<Alert> Watch::dismiss(std::string_view id) {
  for (Tracked& tracked : active_) {
    if (tracked.alert.id != id) continue;
    tracked.alert.dismissed = true;
    stand(standing_->findings);
    return tracked.alert;
  }
  return std::nullopt;
}

const std::shared_ptr<const Standing>& Watch::nothing() {
  static const auto kNothing = std::make_shared<const Standing>();
  return kNothing;
}

void Watch::stand(std::vector<Finding> findings) {
  auto standing = std::make_shared<Standing>();
  for (const Tracked& tracked : active_) standing->current.push_back(tracked.alert);
  standing->resolved = resolved_;
  standing->fired = fired_;
  standing->has_own_thresholds = std::ranges::any_of(findings, &Finding::is_own);
  standing->findings = std::move(findings);
  standing_ = std::move(standing);
}

void Watch::save(progress::Packer& packer) const {
  packer.number(active_.size());
  for (const Tracked& t : active_) {
    packer.text(t.alert.name());
    packer(t.alert, t.breached_at, t.last_breach);
  }
  packer.number(resolved_.size());
  for (const Alert& alert : resolved_) {
    packer.text(alert.name());
    packer(alert);
  }
  packer.number(fired_.size());
  for (const Fired& fired : fired_) {
    packer.text(rules()[fired.rule].name);
    packer(fired.severity, fired.times);
  }
}

namespace {

// As alerts were stored before they had a runbook of their own.
void take_earlier(progress::Unpacker& in, Alert& a) {
  in(a.id, a.severity, a.state, a.reason, a.session, a.family, a.labels, a.value, a.threshold,
     a.message, a.recommendation, a.breached_at, a.starts_at, a.ends_at, a.dismissed);
}

void take_present(progress::Unpacker& in, Alert& alert) { in(alert); }

}  // namespace

// What a rule said that this version does not have is dropped. Nothing comes after it, which tells
// the layout of the present version from the earlier one.
bool Watch::load(progress::Unpacker& unpacker) {
  const auto load_with = [&](void (*take)(progress::Unpacker&, Alert&)) {
    active_.clear();
    resolved_.clear();
    fired_.clear();
    for (std::uint64_t left = unpacker.number(); left > 0 && unpacker.ok(); --left) {
      const auto rule = find_rule(unpacker.text());
      Tracked tracked;
      take(unpacker, tracked.alert);
      unpacker(tracked.breached_at, tracked.last_breach);
      tracked.alert.rule = rule.value_or(0);
      if (rule && find(*rule) == nullptr) active_.push_back(std::move(tracked));
    }
    std::ranges::sort(active_, {}, [](const Tracked& t) { return t.alert.rule; });
    for (std::uint64_t left = unpacker.number(); left > 0 && unpacker.ok(); --left) {
      const auto rule = find_rule(unpacker.text());
      Alert alert;
      take(unpacker, alert);
      alert.rule = rule.value_or(0);
      if (rule && resolved_.size() < kResolvedKept) resolved_.push_back(std::move(alert));
    }
    for (std::uint64_t left = unpacker.number(); left > 0 && unpacker.ok(); --left) {
      const auto rule = find_rule(unpacker.text());
      Fired fired;
      unpacker(fired.severity, fired.times);
      fired.rule = rule.value_or(0);
      if (rule) fired_.push_back(fired);
    }
    return unpacker.ok() && unpacker.empty();
  };
  const progress::Unpacker begin = unpacker;
  bool loaded = load_with(take_present);
  if (!loaded) {
    unpacker = begin;
    loaded = load_with(take_earlier);
  }
  stand({});
  return loaded;
}

}  // namespace agent::alert
