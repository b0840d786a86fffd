// Board: what `top` shows, as text: a line per session, or one session in full. Pure: sessions as
// the API gives them come in, the lines of a screen go out. Main thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/result.h"

namespace agent::cli {

// What of `GET /v1/sessions/{id}` a board shows. Times are milliseconds; empty: not known.
struct BoardSession {
  struct Finding {
    std::string severity, text;
  };
  struct Method {
    std::string name;
    double remaining_ms = 0;
  };

  std::string id, name, family, state, mode, currency, method, started, finish;
  std::int64_t attempt = 1, total = 0, completed = 0, failed = 0, skipped = 0, processing = 0,
               pending = 0, retries = 0, calls = 0;
  double percent = 0, elapsed_ms = 0, cost = 0;
  std::optional<double> remaining_ms, low_ms, high_ms, confidence, per_minute, error_rate, quality,
      deadline_risk;
  std::vector<Method> methods;
  std::vector<Finding> alerts;  // those that fire
  std::vector<Finding> insights;
};

struct BoardFile {
  std::string file, status, stage;
  double percent = 0;
};

// A page of the API's list of sessions, and where the next one begins (empty: no more).
struct BoardPage {
  std::vector<BoardSession> sessions;
  std::string next;
};
Result<BoardPage> read_sessions(std::string_view json);
Result<std::vector<BoardFile>> read_files(std::string_view json);

enum class BoardOrder : std::uint8_t {
  kStarted,
  kName,
  kState,
  kProgress,
  kRemaining,
  kErrors,
  kCost
};
inline constexpr std::string_view kBoardOrderNames[] = {"started",   "name",   "state", "progress",
                                                        "remaining", "errors", "cost"};

// Puts what needs looking at first: by `order`, ties as they came.
void sort(std::vector<BoardSession>& sessions, BoardOrder order, bool reversed);
// Keeps those whose id, name, family or state holds `text`, whatever its case.
void filter(std::vector<BoardSession>& sessions, std::string_view text);

struct Screen {
  std::size_t columns = 100, lines = 0;  // 0: as many as it takes
  bool has_colour = false;
};
// Each without newline, at most `columns` wide.
std::vector<std::string> overview(const std::vector<BoardSession>& sessions,
                                  std::optional<std::size_t> selected, const Screen& screen);
std::vector<std::string> detail(const BoardSession& session, const std::vector<BoardFile>& files,
                                const Screen& screen);

// "12–18 min": as fine as the range is narrow.
[[nodiscard]] std::string shown_range(double low_ms, double high_ms);
[[nodiscard]] std::string shown_duration(double ms);

}  // namespace agent::cli
