// Progress in the output of programs that know nothing of the agent: `12/400`, `37%`, and the bars
// of tqdm, rich, pv, curl, rclone, ninja and their like. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace agent::cli {

struct Count {
  std::int64_t done = 0, total = 0;
  bool is_percent = false;  // of 100

  bool operator==(const Count&) const = default;
};

// What one line shows. A count of things is taken before a percentage; amounts with a unit
// (`1.2M/3.4M`) are a percentage. Dates, paths and versions are not taken for counts.
[[nodiscard]] std::optional<Count> recognise(std::string_view line);

// The line without terminal control sequences.
[[nodiscard]] std::string without_escapes(std::string_view line);

// Hears a program's output in pieces, and keeps to one of the counts in it.
class Listening {
 public:
  // True: `count` is another than before.
  bool hear(std::string_view piece);
  bool finish() { return end_line(); }  // the rest without a newline
  [[nodiscard]] const std::optional<Count>& count() const { return count_; }

 private:
  // Lines longer than this show no progress.
  static constexpr std::size_t kLongest = 4096;
  // After so many lines in a row of another total, that one is meant.
  static constexpr int kConvincing = 8;

  bool end_line();
  bool take(const Count& found);

  std::string line_;
  std::optional<Count> count_;
  std::int64_t other_total_ = 0;
  int other_lines_ = 0;
};

}  // namespace agent::cli
