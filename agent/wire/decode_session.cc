// The events about sessions as a whole; the other half of decode.cc.
#include <algorithm>
#include <string>

#include "agent/wire/decode.h"
#include "agent/wire/text.h"

namespace agent::wire {
namespace {

using progress::RejectReason;
using Key = EventKey;

constexpr std::size_t kMaxLabelName = 128;  // bytes

void refuse_labels(Fault& fault) {
  fault.set(RejectReason::kTooManyLabels, "labels",
            concat({"must hold at most ", std::to_string(kMaxLabels), " labels"}));
}

void refuse_label_name(std::string_view name, Fault& fault) {
  fault.set(RejectReason::kInvalidField, progress::cut_utf8(name, kMaxLabelName),
            concat({"must be a name of 1 to ", std::to_string(kMaxLabelName), " bytes"}));
}

}  // namespace

void Decoder::read(progress::SessionStarted& out, Fault& fault) {
  read_facts(out.facts, fault);
  out.resume = fields_.flag(Key::kResume, fault).value_or(false);
}

void Decoder::read(progress::SessionUpdated& out, Fault& fault) { read_facts(out.facts, fault); }

void Decoder::read(progress::SessionPaused& out, Fault& fault) const {
  out.reason = fields_.text_or_empty(Key::kReason, fault);
}

void Decoder::read(progress::SessionResumed& out, Fault& fault) const {
  out.reason = fields_.text_or_empty(Key::kReason, fault);
}

void Decoder::read(progress::SessionEnded& out, Fault& fault) const {
  out.status = fields_.choice<progress::EndStatus>(Key::kStatus, progress::kEndStatusNames, fault)
                   .value_or(out.status);
  out.reason = fields_.text_or_empty(Key::kReason, fault);
}

void Decoder::read_facts(progress::SessionFacts& out, Fault& fault) {
  constexpr Range kAtLeastOne{1, kMost};
  out.name = fields_.text(Key::kName, fault);
  out.family = fields_.text(Key::kFamily, fault);
  out.unit = fields_.text(Key::kUnit, fault);
  out.currency = fields_.text(Key::kCurrency, fault);
  out.total_files = fields_.integer(Key::kTotalFiles, fault);
  out.total_bytes = fields_.integer(Key::kTotalBytes, fault);
  out.concurrency = fields_.integer(Key::kConcurrency, fault, kAtLeastOne);
  out.deadline = fields_.instant(Key::kDeadline, fault);
  out.cost_budget = fields_.number(Key::kCostBudget, fault);
  out.shard = fields_.integer(Key::kShard, fault);
  out.shards = fields_.integer(Key::kShards, fault, kAtLeastOne);
  out.mode = fields_.choice<progress::Mode>(Key::kMode, progress::kModeNames, fault);
  out.persistence = fields_.flag(Key::kEnablePersistence, fault);
  out.analytics = fields_.flag(Key::kEnableAnalytics, fault);
  if (fields_.has(Key::kConfig)) read_config(out.config, fault);
  if (fields_.has(Key::kLabels)) {
    read_labels(fault);
    out.labels = labels_;
  }
}

void Decoder::read_labels(Fault& fault) {
  labels_.clear();
  const Field field = fields_.at(Key::kLabels);
  simdjson::dom::object object;
  if (field.value.get(object) != simdjson::SUCCESS) {
    return refuse_type(field, "an object of strings", fault);
  }
  for (const auto label : object) {
    std::erase_if(labels_, [&](const auto& earlier) { return earlier.first == label.key; });
    if (label.value.is_null()) continue;
    if (labels_.size() == kMaxLabels) return refuse_labels(fault);
    Fault inner;
    const std::string_view value = to_string({label.key, label.value}, inner);
    if (label.key.empty() || label.key.size() > kMaxLabelName) refuse_label_name(label.key, inner);
    if (inner) return fault.within("labels", std::move(inner));
    labels_.emplace_back(label.key, progress::cut_utf8(value, kMaxText));
  }
}

void Decoder::read_config(progress::ConfigPatch& out, Fault& fault) {
  const Field field = fields_.at(Key::kConfig);
  simdjson::dom::object object;
  if (field.value.get(object) != simdjson::SUCCESS) return refuse_type(field, "an object", fault);
  constexpr Range kInterval{100, 60'000};     // ms
  constexpr Range kWindow{1'000, 3'600'000};  // ms
  Fields<ConfigKey> in;
  in.read(object);
  Fault inner;
  out.update_interval = in.millis(ConfigKey::kUpdateIntervalMs, inner, kInterval);
  out.eta_update_interval = in.millis(ConfigKey::kEtaUpdateIntervalMs, inner, kInterval);
  out.throughput_window = in.millis(ConfigKey::kThroughputWindowMs, inner, kWindow);
  out.real_time_updates = in.flag(ConfigKey::kEnableRealTimeUpdates, inner);
  out.performance_alerts = in.flag(ConfigKey::kEnablePerformanceAlerts, inner);
  out.eta_optimization = in.flag(ConfigKey::kEnableEtaOptimization, inner);
  out.quality_tracking = in.flag(ConfigKey::kEnableQualityTracking, inner);
  if (in.has(ConfigKey::kAlertThresholds)) {
    read_thresholds(in.at(ConfigKey::kAlertThresholds), out.thresholds, inner);
  }
  fault.within("config", std::move(inner));
}

void Decoder::read_thresholds(const Field& field, progress::AlertThresholdsPatch& out,
                              Fault& fault) {
  simdjson::dom::object object;
  if (field.value.get(object) != simdjson::SUCCESS) return refuse_type(field, "an object", fault);
  constexpr Range kRatio{0, 1};
  Fields<ThresholdKey> in;
  in.read(object);
  Fault inner;
  out.slow_processing_ms = in.number(ThresholdKey::kSlowProcessingMs, inner);
  out.high_error_rate = in.number(ThresholdKey::kHighErrorRate, inner, kRatio);
  out.low_throughput = in.number(ThresholdKey::kLowThroughput, inner);
  out.eta_deviation_percent = in.number(ThresholdKey::kEtaDeviationPercent, inner);
  out.quality_score_threshold = in.number(ThresholdKey::kQualityScoreThreshold, inner, kRatio);
  fault.within("alertThresholds", std::move(inner));
}

}  // namespace agent::wire
