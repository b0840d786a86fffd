// The names of the fields that the contract knows (section 3), and how one is found: a perfect
// hash, made when compiling. Finding a key costs one multiplication and one comparison; it is done
// for every field of every event. Pure; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace agent::wire {

// The fields of an event, whatever its type; of an entry of `files` too.
enum class EventKey : std::uint8_t {
  kEvent,
  kSession,
  kTs,
  kTsMs,
  kProducer,
  kSeq,
  kAck,
  kName,
  kFamily,
  kTotalFiles,
  kTotalBytes,
  kUnit,
  kConcurrency,
  kDeadline,
  kCostBudget,
  kCurrency,
  kShard,
  kShards,
  kLabels,
  kMode,
  kConfig,
  kEnablePersistence,
  kEnableAnalytics,
  kResume,
  kReason,
  kStatus,
  kFiles,
  kFile,
  kProgress,
  kStage,
  kStageProgress,
  kBytes,
  kBytesDone,
  kUnits,
  kTokens,
  kCost,
  kModel,
  kQuality,
  kRetries,
  kError,
  kCompleted,
  kFailed,
  kSkipped,
  kTotal,
  kOk,
  kCalls,
  kProvider,
  kDurationMs,
  kTokensIn,
  kTokensOut,
  kTokensCached,
  kDelayMs,
  kHits,
  kLimit,
  kRemaining,
  kResetAt,
  kCpu,
  kMemoryBytes,
  kMemoryLimitBytes,
  kNetworkRxBytes,
  kNetworkTxBytes,
  kNetworkErrors,
};
inline constexpr std::array<std::string_view, 62> kEventKeys = {"event",
                                                                "session",
                                                                "ts",
                                                                "tsMs",
                                                                "producer",
                                                                "seq",
                                                                "ack",
                                                                "name",
                                                                "family",
                                                                "totalFiles",
                                                                "totalBytes",
                                                                "unit",
                                                                "concurrency",
                                                                "deadline",
                                                                "costBudget",
                                                                "currency",
                                                                "shard",
                                                                "shards",
                                                                "labels",
                                                                "mode",
                                                                "config",
                                                                "enablePersistence",
                                                                "enableAnalytics",
                                                                "resume",
                                                                "reason",
                                                                "status",
                                                                "files",
                                                                "file",
                                                                "progress",
                                                                "stage",
                                                                "stageProgress",
                                                                "bytes",
                                                                "bytesDone",
                                                                "units",
                                                                "tokens",
                                                                "cost",
                                                                "model",
                                                                "quality",
                                                                "retries",
                                                                "error",
                                                                "completed",
                                                                "failed",
                                                                "skipped",
                                                                "total",
                                                                "ok",
                                                                "calls",
                                                                "provider",
                                                                "durationMs",
                                                                "tokensIn",
                                                                "tokensOut",
                                                                "tokensCached",
                                                                "delayMs",
                                                                "hits",
                                                                "limit",
                                                                "remaining",
                                                                "resetAt",
                                                                "cpu",
                                                                "memoryBytes",
                                                                "memoryLimitBytes",
                                                                "networkRxBytes",
                                                                "networkTxBytes",
                                                                "networkErrors"};
static_assert(kEventKeys.back() == "networkErrors" &&
              static_cast<std::size_t>(EventKey::kNetworkErrors) + 1 == kEventKeys.size());

// The fields of `config`.
enum class ConfigKey : std::uint8_t {
  kUpdateIntervalMs,
  kEtaUpdateIntervalMs,
  kThroughputWindowMs,
  kEnableRealTimeUpdates,
  kEnablePerformanceAlerts,
  kEnableEtaOptimization,
  kEnableQualityTracking,
  kAlertThresholds,
};
inline constexpr std::array<std::string_view, 8> kConfigKeys = {
    "updateIntervalMs",      "etaUpdateIntervalMs",     "throughputWindowMs",
    "enableRealTimeUpdates", "enablePerformanceAlerts", "enableETAOptimization",
    "enableQualityTracking", "alertThresholds"};

// The fields of `config.alertThresholds`.
enum class ThresholdKey : std::uint8_t {
  kSlowProcessingMs,
  kHighErrorRate,
  kLowThroughput,
  kEtaDeviationPercent,
  kQualityScoreThreshold,
};
inline constexpr std::array<std::string_view, 5> kThresholdKeys = {
    "slowProcessingMs", "highErrorRate", "lowThroughput", "etaDeviationPercent",
    "qualityScoreThreshold"};

constexpr const auto& names_of(EventKey) { return kEventKeys; }
constexpr const auto& names_of(ConfigKey) { return kConfigKeys; }
constexpr const auto& names_of(ThresholdKey) { return kThresholdKeys; }

template <typename Key>
constexpr std::size_t key_count() {
  return names_of(Key{}).size();
}

// Finds a key by its name.
template <typename Key>
class KeyTable {
 public:
  constexpr KeyTable() {
    while (!fill()) multiplier_ += 2;
  }

  // The index of the key called `name`; key_count() when there is none.
  [[nodiscard]] constexpr std::size_t find(std::string_view name) const {
    const std::uint64_t word = digest(name);
    const Slot& slot = slots_[place(word)];
    if (slot.word != word || slot.length != name.size()) return key_count<Key>();
    // Up to eight bytes the digest holds the whole name.
    if (name.size() > 8 && names_of(Key{})[slot.key] != name) return key_count<Key>();
    return slot.key;
  }

 private:
  static constexpr std::size_t kSlotBits = 8;
  static constexpr std::uint8_t kFree = 0xff;  // longer than any key
  struct Slot {
    std::uint64_t word = 0;
    std::uint8_t length = kFree, key = 0;
  };

  static constexpr std::uint64_t four(const char* at) {
    const auto byte = [at](int i) { return std::uint64_t{static_cast<unsigned char>(at[i])}; };
    return byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24;
  }
  // Of a name of up to eight bytes, all of it; of a longer one, bytes that tell ours apart.
  static constexpr std::uint64_t digest(std::string_view name) {
    const std::size_t n = name.size();
    if (n > 8) {
      const std::uint64_t ends = four(name.data()) | four(name.data() + n - 4) << 32;
      return ends ^ (four(name.data() + n / 2 - 2) + n) * 0x9e3779b97f4a7c15;
    }
    if (n >= 4) return four(name.data()) | four(name.data() + n - 4) << 32;
    std::uint64_t word = 0;
    for (const char c : name) word = word << 8 | static_cast<unsigned char>(c);
    return word;
  }
  [[nodiscard]] constexpr std::size_t place(std::uint64_t word) const {
    return static_cast<std::size_t>((word * multiplier_) >> (64 - kSlotBits));
  }
  // Puts every key into its place; false when two want the same.
  constexpr bool fill() {
    slots_ = {};
    for (std::size_t i = 0; i < key_count<Key>(); ++i) {
      const std::string_view name = names_of(Key{})[i];
      Slot& slot = slots_[place(digest(name))];
      if (slot.length != kFree) return false;
      slot = {digest(name), static_cast<std::uint8_t>(name.size()), static_cast<std::uint8_t>(i)};
    }
    return true;
  }

  std::uint64_t multiplier_ = 0x9e3779b97f4a7c15;
  std::array<Slot, std::size_t{1} << kSlotBits> slots_{};
};

template <typename Key>
inline constexpr KeyTable<Key> kKeyTable;

}  // namespace agent::wire
