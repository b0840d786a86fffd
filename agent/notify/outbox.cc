#include "agent/notify/outbox.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace agent::notify {
namespace {

// Alertmanager keeps alerts in memory only: one that was restarted knows them again after this.
constexpr Duration kAlertmanagerRepeat = std::chrono::seconds(10);
constexpr Duration kWebhookRepeat = std::chrono::hours(4);
constexpr double kJitter = 0.2;

// What makes two alerts one for those who are told: their labels.
std::string key_of(const alert::Alert& alert) {
  std::string key(alert.name());
  for (const std::string_view part :
       {name_of(alert.severity), std::string_view(alert.session), std::string_view(alert.family)})
    key.append("\n").append(part);
  for (const auto& [name, value] : alert.labels)
    key.append("\n").append(name).append("=").append(value);
  return key;
}

}  // namespace

Outbox::Outbox(const Target& target)
    : repeat_(target.kind == Kind::kAlertmanager ? kAlertmanagerRepeat : kWebhookRepeat),
      resolved_for_(target.kind == Kind::kAlertmanager ? kResolvedFor : Duration::zero()),
      send_resolved_(target.send_resolved) {}

void Outbox::update(std::span<const alert::Alert> firing, Now now) {
  ++updates_;
  for (const alert::Alert& alert : firing) {
    std::string key = key_of(alert);
    const bool is_known = entries_.contains(key);
    if (!is_known && entries_.size() >= kMost) {
      ++dropped_;
      continue;
    }
    Entry& entry = entries_[std::move(key)];
    if (!is_known || !entry.fires || entry.alert.id != alert.id) {
      entry.since = now.steady;
      entry.told_at.reset();
    }
    entry.alert = alert;
    entry.fires = true;
    entry.seen = updates_;
  }
  for (auto& [key, entry] : entries_) {
    if (!entry.fires || entry.seen == updates_) continue;
    entry.fires = false;
    entry.since = now.steady;
    entry.told_at.reset();
    entry.alert.state = alert::State::kResolved;
    entry.alert.ends_at = now.wall;
  }
  std::erase_if(entries_, [&](const auto& item) { return is_done(item.second, now); });
}

// Over, and all that there is to say of it was said.
bool Outbox::is_done(const Entry& entry, Now now) const {
  if (entry.fires) return false;
  return !send_resolved_ || (entry.told_at && now.steady - entry.since >= resolved_for_);
}

std::optional<SendReason> Outbox::reason(const Entry& entry, Now now) const {
  if (!entry.told_at) return entry.fires ? SendReason::kNew : SendReason::kResolved;
  if (now.steady - *entry.told_at >= repeat_) return SendReason::kRepeat;
  return std::nullopt;
}

std::vector<Notice> Outbox::due(Now now) {
  batch_.clear();
  if (now.steady < not_before_) return {};
  std::vector<std::pair<SteadyInstant, const std::string*>> waiting;
  for (const auto& [key, entry] : entries_) {
    if (reason(entry, now)) waiting.emplace_back(entry.told_at.value_or(entry.since), &key);
  }
  std::ranges::stable_sort(waiting, {}, [](const auto& item) { return item.first; });
  if (waiting.size() > kBatch) waiting.resize(kBatch);
  std::vector<Notice> notices;
  for (const auto& [since, key] : waiting) {
    const Entry& entry = entries_.at(*key);
    notices.push_back({*reason(entry, now), entry.fires, entry.alert});
    batch_.push_back(*key);
  }
  return notices;
}

void Outbox::delivered(Now now) {
  failures_ = 0;
  for (const std::string& key : batch_) {
    if (const auto found = entries_.find(key); found != entries_.end())
      found->second.told_at = now.steady;
  }
  batch_.clear();
}

void Outbox::failed(Now now, double luck) {
  const Duration wait =
      std::min<Duration>(std::chrono::seconds(1LL << std::min(failures_, 8)), kLongestWait);
  ++failures_;
  not_before_ = now.steady + std::chrono::duration_cast<Duration>(wait * (1 + kJitter * luck));
  batch_.clear();
}

}  // namespace agent::notify
