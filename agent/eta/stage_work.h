// StageWork: what is known of the files of one stage: how many wait, run, and are done, how long
// those that finished took, how that goes with their size, and how it compares with the same files
// in the family's earlier runs. Kept up to date by the estimator, O(1) per change. Pure; not
// thread-safe. A file belongs to the stage it is in: of one that moves through several, the last
// one gets its time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace agent::eta {

// The measures of size a file may have, in the order of preference of the contract, section 4.
enum class SizeBasis : std::uint8_t { kBytes, kUnits, kNone };
inline constexpr std::size_t kSizeBases = 2;

// A file as the statistics see it.
struct FileSize {
  std::array<double, kSizeBases> of{};  // by SizeBasis; 0 when unknown
  std::array<bool, kSizeBases> known{};
};

[[nodiscard]] inline FileSize size_of(std::optional<std::int64_t> bytes,
                                      std::optional<double> units) {
  return {{bytes ? static_cast<double>(*bytes) : 0.0, units.value_or(0.0)},
          {bytes.has_value(), units.has_value()}};
}

// Sums that give the mean of `seconds` and its slope over size within one stage.
struct SizeSums {
  double seen = 0, running = 0, done = 0;  // sizes of the files in these states
  double timed = 0;                        // and of those whose duration is known
  double xx = 0,
         xy = 0;  // sums of (x - 1)^2 and (x - 1) * seconds; x = size / mean size of the stage

  template <typename Archive, typename Self>
  static void fields(Archive& archive, Self& self) {
    archive(self.seen, self.running, self.done, self.timed, self.xx, self.xy);
  }
};

struct StageWork {
  std::int64_t seen = 0;     // files that make work: not credited (skipped, cancelled, restored)
  std::int64_t waiting = 0;  // pending
  std::int64_t running = 0;
  std::int64_t done = 0;   // completed or failed in this session
  std::int64_t timed = 0;  // of these, the ones whose duration is known
  double seconds = 0;      // their durations: sum,
  double log_seconds = 0;  // sum of logarithms,
  double log_squares = 0;
  double squares = 0;                     // sum of squares
  double first_start = -1, last_end = 0;  // session time
  double end_sum = 0;                     // session times at which its files ended
  std::array<SizeSums, kSizeBases> sizes;

  // Files that an earlier run of the family knows, and how long they took there.
  std::int64_t known_waiting = 0, known_running = 0, known_done = 0;
  double past_waiting = 0, past_done = 0;  // seconds then
  double known_log_ratio = 0;              // sum of ln(now / then), each within +-2
  double now_done = 0;                     // seconds now, of those of past_done

  bool changed = true;  // since it was last saved

  template <typename Archive, typename Self>
  static void fields(Archive& archive, Self& self) {
    archive(self.seen, self.waiting, self.running, self.done, self.timed, self.seconds,
            self.log_seconds, self.log_squares, self.squares, self.first_start, self.last_end,
            self.end_sum, self.sizes, self.known_waiting, self.known_running, self.known_done,
            self.past_waiting, self.past_done, self.known_log_ratio, self.now_done);
  }
};

}  // namespace agent::eta
