#include "agent/cli/eta_log.h"

#include <fmt/format.h>

#include <algorithm>

#include "agent/utf8.h"

namespace agent::cli {

Duration EtaLog::after_line_at(Duration t) {
  constexpr Duration kLeast = std::chrono::milliseconds(10);
  const Duration share((t.count() + 199) / 200);  // 0.5 %, rounded up
  return t + std::max(kLeast, share);
}

void EtaLog::speak_until(const std::string& session, Voice& voice, SteadyInstant end) {
  while (!voice.over && voice.due_at() < end) {
    const Now at{voice.start + voice.due, voice.due_at()};
    const progress::SnapshotPtr answer = ask_(session, at);
    if (answer == nullptr) {
      voice.over = true;
      return;
    }
    write_(eta_line(*answer, voice.due));
    voice.due = after_line_at(voice.due);
  }
}

void EtaLog::speak_all_until(SteadyInstant end) {
  if (end <= earliest_) return;
  earliest_ = SteadyInstant::max();
  for (auto& [session, voice] : voices_) {
    speak_until(session, voice, end);
    if (!voice.over) earliest_ = std::min(earliest_, voice.due_at());
  }
}

void EtaLog::before(const std::string& session, Instant ts, Now at) {
  speak_all_until(at.steady);
  const auto found = voices_.find(session);
  if (found == voices_.end()) return;
  // One that lags behind the others has its own time: what is due before this event's.
  Voice& voice = found->second;
  speak_until(session, voice, voice.arrived.steady + (ts - voice.own_time));
}

void EtaLog::after(const std::string& session, Instant ts, Now at, bool may_restart, bool ends) {
  const auto [found, is_new] = voices_.try_emplace(session);
  Voice& voice = found->second;
  voice.own_time = std::max(ts, voice.own_time + (at.steady - voice.arrived.steady));
  voice.arrived = at;
  if (is_new || may_restart || voice.over) {
    const progress::SnapshotPtr answer = ask_(session, at);
    if (answer == nullptr) return;
    if (is_new || answer->identity->attempt != voice.attempt) {
      voice = {at,         answer->metrics.current_time, answer->metrics.start_time,
               Duration{}, answer->identity->attempt,    false};
    }
  }
  voice.over = voice.over || ends;
  if (!voice.over) earliest_ = std::min(earliest_, voice.due_at());
}

void EtaLog::finish(Now at) { speak_all_until(at.steady + Duration(1)); }

std::string eta_line(const progress::SessionSnapshot& session, Duration since_start) {
  std::string out = "{\"session\":";
  append_json_string(out, session.id());
  const auto number = [&](std::string_view name, double value) {
    out += fmt::format(",\"{}\":{}", name, value);
  };
  number("t", seconds(since_start));
  if (const auto& eta = session.eta) {
    number("remaining_s", seconds(eta->remaining));
    number("lo_s", seconds(eta->low));
    number("hi_s", seconds(eta->high));
    if (eta->confidence) number("confidence", *eta->confidence);
    out += fmt::format(",\"method\":\"{}\",\"methods\":{{", progress::name_of(eta->method));
    bool is_first = true;
    for (std::size_t i = 0; i < eta->methods.size(); ++i) {
      if (!eta->methods[i]) continue;
      out += fmt::format("{}\"{}\":{}", is_first ? "" : ",", progress::kEtaMethodNames[i],
                         seconds(*eta->methods[i]));
      is_first = false;
    }
    out += '}';
  }
  number("progress", session.metrics.progress_percentage / 100);
  return out + "}\n";
}

}  // namespace agent::cli
