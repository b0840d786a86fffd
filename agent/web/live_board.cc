#include "agent/web/live_board.h"

#include <algorithm>
#include <tuple>

#include "agent/alert/alert.h"
#include "agent/web/alert_json.h"
#include "agent/web/json.h"

namespace agent::web {
namespace {

using progress::SessionSnapshot;

// A part of a session; from kFirstAlert on, the alert of each rule.
enum Part : std::uint32_t { kLifecycle, kMetrics, kEta, kFirstAlert };

constexpr std::size_t kMostAtOnce = 128;                  // messages for one reader
constexpr std::size_t kMostKeptBytes = 16 * 1024 * 1024;  // of texts; others are made again

bool is_over(const SessionSnapshot& session) {
  return is_ended(session.state) || session.state == progress::SessionState::kStale ||
         !session.is_tracking;
}

bool is_shown(const SessionSnapshot& session) { return session.identity->config.real_time_updates; }

// Without an event only what time moves can change; that time itself goes on is no news.
bool metrics_changed(const SessionSnapshot& before, const SessionSnapshot& after) {
  return before.version != after.version || before.state != after.state ||
         before.metrics.current_throughput != after.metrics.current_throughput ||
         before.metrics.api_efficiency != after.metrics.api_efficiency;
}

bool eta_changed(const SessionSnapshot& before, const SessionSnapshot& after) {
  if (!after.eta) return false;
  if (!before.eta) return true;
  const progress::Forecast &a = *before.eta, &b = *after.eta;
  return a.remaining != b.remaining || a.completion != b.completion || a.low != b.low ||
         a.high != b.high || a.confidence != b.confidence || a.method != b.method ||
         a.methods != b.methods || a.deadline_risk != b.deadline_risk;
}

// The alert of a rule as it stands, or as it was resolved; null: there was none lately.
const alert::Alert* alert_of(const SessionSnapshot& session, std::size_t rule) {
  if (!session.alerts) return nullptr;
  const auto& [current, resolved] = std::tie(session.alerts->current, session.alerts->resolved);
  const auto standing = std::ranges::find(current, rule, &alert::Alert::rule);
  if (standing != current.end()) return &*standing;
  const auto last = std::find_if(resolved.rbegin(), resolved.rend(),
                                 [&](const alert::Alert& each) { return each.rule == rule; });
  return last == resolved.rend() ? nullptr : &*last;
}

// That its value moves is no news.
bool is_same(const alert::Alert* before, const alert::Alert* after) {
  if (before == nullptr || after == nullptr) return before == after;
  return before->id == after->id && before->state == after->state &&
         before->severity == after->severity && before->dismissed == after->dismissed;
}

// {"type":…,"session":ID, and what `write` adds}
template <typename Write>
Frame message_of(std::string_view type, const std::string& session, Write write) {
  return json_frame([&](JsonWriter& json) {
    json.begin_object().member("type", type).member("session", session);
    write(json);
    json.end_object();
  });
}

}  // namespace

void LiveBoard::open(Now now) {
  tracker_.watch_files(true);
  discovered_ = 0;
  discover(now);
}

void LiveBoard::close() {
  tracker_.watch_files(false);
  followed_.clear();
  gone_.clear();
  sessions_.clear();
  files_.clear();
  whole_ = {};
}

void LiveBoard::look(Now now) {
  whole_ = {};
  discover(now);
  for (FollowedEntry& entry : followed_) look_at(entry, now);
}

void LiveBoard::discover(Now now) {
  for (progress::SnapshotPtr& session : tracker_.sessions_after(discovered_, now)) {
    const std::uint64_t serial = discovered_ = session->serial;
    if (is_shown(*session)) sessions_.mark({serial, kLifecycle, 0});
    const SteadyInstant due = now.steady + session->identity->config.update_interval;
    followed_.insert_or_assign(serial, Followed{std::move(session), due});
  }
}

void LiveBoard::look_at(FollowedEntry& entry, Now now) {
  auto& [serial, followed] = entry;
  if (followed.is_gone || now.steady < followed.due) return;
  tracker::Watched fresh = tracker_.watched(serial, now);
  if (!fresh.session) return mark_gone(entry);
  bool changed = mark_changes(serial, *followed.last, *fresh.session);
  followed.last = std::move(fresh.session);
  if (!is_shown(*followed.last)) return;
  for (const progress::FileRef file : fresh.files) {
    files_.mark({serial, file, static_cast<std::uint32_t>(fresh.epoch)});
    changed = true;
  }
  // One that is silent is heard at once; one that was, not again before its interval is over.
  if (changed) followed.due = now.steady + followed.last->identity->config.update_interval;
}

bool LiveBoard::mark_changes(std::uint64_t serial, const SessionSnapshot& before,
                             const SessionSnapshot& after) {
  const bool began = before.identity->attempt != after.identity->attempt;
  if (is_shown(before) != is_shown(after) ||
      (is_shown(after) && (began || is_over(before) != is_over(after)))) {
    sessions_.mark({serial, kLifecycle, 0});
    return true;
  }
  if (!is_shown(after)) return false;
  const bool metrics = metrics_changed(before, after), eta = eta_changed(before, after);
  if (metrics) sessions_.mark({serial, kMetrics, 0});
  if (eta) sessions_.mark({serial, kEta, 0});
  return mark_alerts(serial, before, after) || metrics || eta;
}

bool LiveBoard::mark_alerts(std::uint64_t serial, const SessionSnapshot& before,
                            const SessionSnapshot& after) {
  if (before.alerts == after.alerts) return false;
  bool changed = false;
  for (std::uint32_t rule = 0; rule < alert::rules().size(); ++rule) {
    const alert::Alert* now = alert_of(after, rule);
    if (now == nullptr || is_same(alert_of(before, rule), now)) continue;
    sessions_.mark({serial, kFirstAlert + rule, 0});
    changed = true;
  }
  return changed;
}

void LiveBoard::mark_gone(FollowedEntry& entry) {
  auto& [serial, followed] = entry;
  followed.is_gone = true;
  if (is_shown(*followed.last)) sessions_.mark({serial, kLifecycle, 0});
  gone_.emplace_back(sessions_.end(), serial);
}

Frame LiveBoard::snapshot(LiveReader& reader, Now now) {
  discover(now);
  reader.sessions = sessions_.end();
  reader.files = files_.end();
  if (reader.only.empty() && whole_.owner) return whole_;
  const View view = tracker_.view(now);
  Frame frame = json_frame([&](JsonWriter& json) {
    json.begin_object().member("type", "snapshot").key("sessions").begin_array();
    for (const progress::SnapshotPtr& session : view.sessions) {
      const bool is_wanted =
          reader.only.empty() || std::ranges::binary_search(reader.only, session->id());
      if (is_wanted && is_shown(*session)) write_session(json, *session);
    }
    json.end_array().end_object();
  });
  if (reader.only.empty()) whole_ = frame;
  return frame;
}

bool LiveBoard::wants(const LiveReader& reader, const Topic& topic) const {
  if (reader.only.empty()) return true;
  const auto found = followed_.find(topic.session);
  return found != followed_.end() &&
         std::ranges::binary_search(reader.only, found->second.last->id());
}

void LiveBoard::take(LiveReader& reader, std::vector<Frame>& into, std::ptrdiff_t& file_bytes) {
  bool has_more = true;
  while (has_more && into.size() < kMostAtOnce) {
    has_more = take_one(sessions_, reader, reader.sessions, into);
  }
  while (into.size() < kMostAtOnce && file_bytes > 0) {
    const std::size_t before = into.size();
    if (!take_one(files_, reader, reader.files, into)) break;
    if (into.size() > before) file_bytes -= static_cast<std::ptrdiff_t>(into.back().text.size());
  }
}

// False: nothing more is due. What the reader does not want, or is gone by now, is passed over.
bool LiveBoard::take_one(Ledger& ledger, LiveReader& reader, Ledger::Place& place,
                         std::vector<Frame>& into) {
  reader.dropped += ledger.catch_up(place);
  const auto [topic, text] = ledger.next(
      place, [&](const Topic& passed) { reader.dropped += wants(reader, passed) ? 1U : 0U; });
  if (text == nullptr) return false;
  if (!wants(reader, topic)) return true;
  if (text->owner) {
    into.push_back(*text);
    return true;
  }
  Frame made = &ledger == &files_ ? file_message(topic) : session_message(topic);
  if (!made.owner) return true;
  if (ledger.kept_bytes() < kMostKeptBytes) ledger.keep(topic, made);
  into.push_back(std::move(made));
  return true;
}

Frame LiveBoard::session_message(const Topic& topic) const {
  const auto found = followed_.find(topic.session);
  if (found == followed_.end()) return {};
  const auto& [last, due, is_gone] = found->second;
  const SessionSnapshot& session = *last;
  if (topic.part == kLifecycle) {
    if (is_gone || !is_shown(session))
      return message_of("removed", session.id(), [](JsonWriter&) {});
    return json_frame([&](JsonWriter& json) {
      json.begin_object().member("type", is_over(session) ? "sessionEnded" : "sessionStarted");
      write_session(json.key("session"), session);
      json.end_object();
    });
  }
  if (is_gone || !is_shown(session)) return {};
  if (topic.part == kMetrics) {
    return message_of("metrics", session.id(), [&](JsonWriter& json) {
      json.member("state", name_of(session.state));
      write_metrics(json.key("metrics"), session);
    });
  }
  if (topic.part >= kFirstAlert) {
    const alert::Alert* alert = alert_of(session, topic.part - kFirstAlert);
    if (alert == nullptr) return {};
    return message_of("alert", session.id(),
                      [&](JsonWriter& json) { write_alert(json.key("alert"), *alert); });
  }
  if (!session.eta) return {};
  return message_of("eta", session.id(),
                    [&](JsonWriter& json) { write_eta(json.key("eta"), session); });
}

Frame LiveBoard::file_message(const Topic& topic) const {
  const auto found = followed_.find(topic.session);
  if (found == followed_.end()) return {};
  const auto file = tracker_.touched_file(topic.session, topic.epoch, topic.part);
  if (!file) return {};
  return message_of("file", found->second.last->id(),
                    [&](JsonWriter& json) { write_file(json.key("file"), *file); });
}

void LiveBoard::give_up(LiveReader& reader) {
  const auto passed = [&](const Topic& topic) { reader.dropped += wants(reader, topic) ? 1U : 0U; };
  for (auto [ledger, place] : {std::pair{&sessions_, &reader.sessions}, {&files_, &reader.files}}) {
    reader.dropped += ledger->catch_up(*place);
    for (auto due = ledger->next(*place, passed); due.text != nullptr;
         due = ledger->next(*place, passed)) {
      passed(due.topic);
    }
  }
}

void LiveBoard::forget_before(Ledger::Place sessions, Ledger::Place files) {
  sessions_.forget_before(sessions);
  files_.forget_before(files);
  while (!gone_.empty() && gone_.front().first <= sessions) {
    followed_.erase(gone_.front().second);
    gone_.pop_front();
  }
}

}  // namespace agent::web
