// The domain's closed lists and the names they have outside (JSON, metrics, command line).
// Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace agent::progress {

enum class FileStatus : std::uint8_t {
  kPending,
  kProcessing,
  kCompleted,
  kFailed,
  kSkipped,
  kCancelled
};
inline constexpr std::array<std::string_view, 6> kFileStatusNames = {
    "pending", "processing", "completed", "failed", "skipped", "cancelled"};

enum class EndStatus : std::uint8_t { kCompleted, kFailed, kCancelled };
inline constexpr std::array<std::string_view, 3> kEndStatusNames = {"completed", "failed",
                                                                    "cancelled"};

// What a session is doing; the first that holds, in the order of the contract, section 4.
enum class SessionState : std::uint8_t {
  kCompleted,
  kFailed,
  kCancelled,
  kStale,
  kPaused,
  kRateLimited,
  kStalled,
  kFinishing,
  kWorking,
  kWaiting
};
inline constexpr std::array<std::string_view, 10> kSessionStateNames = {
    "completed",    "failed",  "cancelled", "stale",   "paused",
    "rate_limited", "stalled", "finishing", "working", "waiting"};

// How much is computed for a session; each includes the ones before it.
enum class Mode : std::uint8_t { kMinimal, kBasic, kEnhanced, kComprehensive };
inline constexpr std::array<std::string_view, 4> kModeNames = {"minimal", "basic", "enhanced",
                                                               "comprehensive"};

enum class EtaMethod : std::uint8_t { kLinear, kExponential, kAdaptive, kMlBased };
inline constexpr std::array<std::string_view, 4> kEtaMethodNames = {"linear", "exponential",
                                                                    "adaptive", "ml_based"};

// Whether a file in this state will change no more by itself.
constexpr bool is_final(FileStatus s) { return s >= FileStatus::kCompleted; }
constexpr bool is_ended(SessionState s) { return s <= SessionState::kCancelled; }

template <typename Enum, std::size_t N>
constexpr std::string_view name_of(Enum value, const std::array<std::string_view, N>& names) {
  return names[static_cast<std::size_t>(value)];
}
constexpr std::string_view name_of(FileStatus s) { return name_of(s, kFileStatusNames); }
constexpr std::string_view name_of(EndStatus s) { return name_of(s, kEndStatusNames); }
constexpr std::string_view name_of(SessionState s) { return name_of(s, kSessionStateNames); }
constexpr std::string_view name_of(Mode m) { return name_of(m, kModeNames); }
constexpr std::string_view name_of(EtaMethod m) { return name_of(m, kEtaMethodNames); }

template <typename Enum, std::size_t N>
constexpr std::optional<Enum> from_name(std::string_view name,
                                        const std::array<std::string_view, N>& names) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == name) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace agent::progress
