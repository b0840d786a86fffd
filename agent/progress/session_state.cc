// What storage keeps of a session, and how it comes back: see session.h.
#include <algorithm>

#include "agent/progress/archive.h"
#include "agent/progress/session.h"

namespace agent::progress {

template <typename T>
concept AnyConfigPatch = std::same_as<std::remove_const_t<T>, ConfigPatch>;
template <typename T>
concept AnyCounters = std::same_as<std::remove_const_t<T>, Counters>;
template <typename T>
concept AnyResources = std::same_as<std::remove_const_t<T>, Resources>;
template <typename T>
concept AnyProvider = std::same_as<std::remove_const_t<T>, ProviderTally>;
template <typename T>
concept AnyStage = std::same_as<std::remove_const_t<T>, StageTally>;
template <typename T>
concept AnyModel = std::same_as<std::remove_const_t<T>, ModelTally>;

template <typename Archive, AnyConfigPatch T>
void fields(Archive& archive, T& p) {
  archive(p.update_interval, p.eta_update_interval, p.throughput_window, p.real_time_updates,
          p.performance_alerts, p.eta_optimization, p.quality_tracking,
          p.thresholds.slow_processing_ms, p.thresholds.high_error_rate,
          p.thresholds.low_throughput, p.thresholds.eta_deviation_percent,
          p.thresholds.quality_score_threshold);
}
template <typename Archive, AnyCounters T>
void fields(Archive& archive, T& c) {
  archive(c.files_ended, c.bytes, c.tokens_in, c.tokens_out, c.tokens_unspecified, c.retries,
          c.cost, c.api_ok, c.api_failed, c.rate_limit_hits, c.rate_limit_delay);
}
template <typename Archive, AnyResources T>
void fields(Archive& archive, T& r) {
  archive(r.cpu_cores, r.cpu_limit_cores, r.memory_bytes, r.memory_limit_bytes, r.network_rx_bytes,
          r.network_tx_bytes, r.network_errors);
}
// The names of what is tallied are in the sets of labels.
template <typename Archive, AnyProvider T>
void fields(Archive& archive, T& p) {
  archive(p.calls_ok, p.calls_failed, p.rate_limit_hits, p.rate_limit_delay, p.quota, p.cost,
          p.tokens, p.call_seconds);
}
template <typename Archive, AnyStage T>
void fields(Archive& archive, T& s) {
  archive(s.seconds);
}
template <typename Archive, AnyModel T>
void fields(Archive& archive, T& m) {
  archive(m.tokens, m.cost);
}

template <typename Archive, typename Self>
void Session::fields(Archive& archive, Self& s) {
  archive(s.version_, s.start_, s.latest_, s.latest_at_, s.last_received_.wall,
          s.last_received_.steady, s.started_explicitly_, s.paused_at_, s.paused_, s.worked_from_,
          s.end_time_, s.end_status_, s.end_reason_, s.stale_, s.tracking_);
  archive(s.switches_, s.persistence_, s.analytics_, s.mode_, s.announced_files_,
          s.announced_bytes_, s.concurrency_, s.deadline_, s.cost_budget_);
  archive(s.counted_, s.counters_, s.at_attempt_, s.rate_limited_until_, s.resources_, s.rejected_,
          s.duplicates_, s.stale_events_);
}

template <typename Archive, typename Self>
void Session::tallies(Archive& archive, Self& s) {
  archive(s.providers_, s.stages_, s.models_, s.file_seconds_, s.file_bytes_);
}

// Came later than the rest of them.
template <typename Archive, typename Self>
void Session::stage_costs(Archive& archive, Self& s) {
  for (auto& stage : s.stages_) archive(stage.tokens, stage.cost);
}

void Session::save(Packer& packer) {
  save_identity(packer);
  fields(packer, *this);
  packer.number(static_cast<std::uint64_t>(kind_));
  provider_names_.save(packer);
  files_.save(packer);
  tallies(packer, *this);
  throughput_.save(packer);
  bytes_window_.save(packer);
  delay_window_.save(packer);
  network_errors_window_.save(packer);
  api_window_.save(packer);
  packer(longest_file_);
  stage_costs(packer, *this);
  packer(long_files_);
}

bool Session::load(std::string_view saved, Now at) {
  Unpacker unpacker(saved, at);
  const auto identity = load_identity(unpacker);
  fields(unpacker, *this);
  const std::uint64_t kind = unpacker.number();
  if (kind > static_cast<std::uint64_t>(Kind::kCounts)) return false;
  kind_ = static_cast<Kind>(kind);
  provider_names_.load(unpacker);
  files_.load(unpacker);
  tallies(unpacker, *this);
  throughput_.load(unpacker);
  bytes_window_.load(unpacker);
  delay_window_.load(unpacker);
  network_errors_window_.load(unpacker);
  api_window_.load(unpacker);
  if (!unpacker.empty()) unpacker(longest_file_);  // earlier versions did not store it
  if (!unpacker.empty()) stage_costs(unpacker, *this);
  if (unpacker.empty()) {
    long_files_.take(file_seconds_[0]);
  } else {
    unpacker(long_files_);
  }
  if (!unpacker.ok() || !unpacker.empty() || !name_tallies()) return false;
  identity->config = config_in_force();
  identity_ = identity;
  return true;
}

void Session::save_identity(Packer& packer) {
  const bool changed = saved_identity_ != identity_->revision + 1;
  packer(changed);
  if (!changed) return;
  const SessionIdentity& i = *identity_;
  packer(i.revision, i.id, i.name, i.family, i.unit, i.currency, i.attempt, i.shard, i.shards,
         i.labels);
  saved_identity_ = i.revision + 1;
}

// As it was, or as it is.
std::shared_ptr<SessionIdentity> Session::load_identity(Unpacker& unpacker) {
  bool changed = false;
  unpacker(changed);
  if (!changed) return std::make_shared<SessionIdentity>(*identity_);
  auto loaded = std::make_shared<SessionIdentity>();
  SessionIdentity& i = *loaded;
  unpacker(i.revision, i.id, i.name, i.family, i.unit, i.currency, i.attempt, i.shard, i.shards,
           i.labels);
  saved_identity_ = i.revision + 1;
  return loaded;
}

std::string_view Session::id_in(std::string_view saved) {
  Unpacker unpacker(saved);
  bool changed = false;
  std::uint64_t revision = 0;
  unpacker(changed, revision);
  return changed ? unpacker.text() : std::string_view();
}

// What follows from the rest.
bool Session::name_tallies() {
  if (providers_.size() > provider_names_.size() || stages_.size() >= files_.stages().size() ||
      models_.size() >= files_.models().size())
    return false;
  for (std::size_t i = 0; i < providers_.size(); ++i)
    providers_[i].provider = provider_names_.name(static_cast<LabelId>(i));
  for (std::size_t i = 0; i < stages_.size(); ++i)
    stages_[i].stage = files_.stages().name(static_cast<LabelId>(i + 1));
  for (std::size_t i = 0; i < models_.size(); ++i)
    models_[i].model = files_.models().name(static_cast<LabelId>(i + 1));
  return true;
}

void Session::forget_saved() {
  saved_identity_ = 0;
  provider_names_.forget_saved();
  files_.forget_saved();
  throughput_.forget_saved();
  bytes_window_.forget_saved();
  delay_window_.forget_saved();
  network_errors_window_.forget_saved();
  api_window_.forget_saved();
}

void Session::forgive_silence(Duration not_listening, Now at) {
  latest_at_ = std::min(latest_at_, at.steady);
  last_received_.steady =
      std::min(last_received_.steady + std::max(Duration::zero(), not_listening), at.steady);
}

}  // namespace agent::progress
