#include "agent/cli/board.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <tuple>
#include <utility>

namespace agent::cli {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;
using std::string_view;

// ---- Reading

template <typename T>
std::optional<T> get(element parent, string_view path) {
  T value{};
  if (parent.at_pointer(path).get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}
std::optional<double> number(element parent, string_view path) { return get<double>(parent, path); }
std::int64_t count(element parent, string_view path) {
  return get<std::int64_t>(parent, path).value_or(0);
}
std::string text(element parent, string_view path) {
  return std::string(get<string_view>(parent, path).value_or(""));
}

std::vector<BoardSession::Finding> findings(element session, string_view list) {
  std::vector<BoardSession::Finding> out;
  simdjson::dom::array items;
  if (session.at_pointer(list).get(items) != simdjson::SUCCESS) return out;
  for (const element item : items) {
    const std::string state = text(item, "/state");
    if (!state.empty() && state != "firing") continue;
    const std::string name = text(item, "/name");
    out.push_back(
        {text(item, "/severity"), (name.empty() ? "" : name + ": ") + text(item, "/message")});
  }
  return out;
}

std::vector<BoardSession::Method> methods(element session) {
  std::vector<BoardSession::Method> out;
  object all;
  if (session.at_pointer("/eta/methods").get(all) != simdjson::SUCCESS) return out;
  for (const auto& [name, value] : all) {
    double ms = 0;
    if (value.get(ms) == simdjson::SUCCESS) out.push_back({std::string(name), ms});
  }
  return out;
}

// "2026-01-05T09:00:07.250Z" as "09:00:07".
std::string time_of_day(const std::string& instant) {
  constexpr std::size_t kAt = 11, kLength = 8;
  return instant.size() >= kAt + kLength ? instant.substr(kAt, kLength) : instant;
}

BoardSession session_from(element e) {
  BoardSession s;
  s.id = text(e, "/session/id");
  s.name = text(e, "/session/name");
  s.family = text(e, "/session/family");
  s.mode = text(e, "/session/mode");
  s.currency = text(e, "/session/currency");
  s.attempt = count(e, "/session/attempt");
  s.state = text(e, "/state");
  s.started = text(e, "/metrics/startTime");
  s.finish = time_of_day(text(e, "/eta/estimatedCompletionTime"));
  s.total = count(e, "/metrics/totalFiles");
  s.completed = count(e, "/metrics/filesCompleted");
  s.failed = count(e, "/metrics/filesFailed");
  s.skipped = count(e, "/metrics/filesSkipped");
  s.processing = count(e, "/metrics/filesProcessing");
  s.pending = count(e, "/metrics/filesPending");
  s.retries = count(e, "/metrics/retryCount");
  s.calls = count(e, "/metrics/apiCallsTotal");
  s.percent = number(e, "/metrics/progressPercentage").value_or(0);
  s.elapsed_ms = number(e, "/metrics/elapsedTimeMs").value_or(0);
  s.cost = number(e, "/metrics/estimatedCost").value_or(0);
  s.per_minute = number(e, "/metrics/currentThroughput");
  s.error_rate = number(e, "/metrics/errorRate");
  s.quality = number(e, "/metrics/qualityScore");
  s.remaining_ms = number(e, "/eta/estimatedTimeRemainingMs");
  s.low_ms = number(e, "/eta/interval/lowMs");
  s.high_ms = number(e, "/eta/interval/highMs");
  s.confidence = number(e, "/eta/confidence");
  s.deadline_risk = number(e, "/eta/deadlineRisk");
  s.method = text(e, "/eta/method");
  s.methods = methods(e);
  s.alerts = findings(e, "/alerts");
  s.insights = findings(e, "/insights");
  return s;
}

// Calls `take` for each item of a list of the API's; where the next page begins.
template <typename Take>
Result<std::string> read_list(string_view json, Take take) {
  simdjson::dom::parser parser;
  element root;
  if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS) {
    return failure(std::string("the agent's answer is no JSON"));
  }
  simdjson::dom::array items;
  if (root.at_pointer("/items").get(items) != simdjson::SUCCESS) {
    if (root.at_pointer("/session").error() != simdjson::SUCCESS) {
      return failure("the agent's answer is no list: " + text(root, "/error/message"));
    }
    take(root);
    return std::string();
  }
  for (const element item : items) take(item);
  return text(root, "/nextCursor");
}

// ---- Writing

// How many columns a text takes: one for each code point. Control characters take none: they are
// left out.
std::size_t width(string_view s) {
  return static_cast<std::size_t>(std::count_if(
      s.begin(), s.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

// Exactly `columns` wide, cut with an ellipsis or padded.
std::string fit(string_view s, std::size_t columns, bool right = false) {
  std::string clean;
  for (const char c : s) {
    if (static_cast<unsigned char>(c) >= ' ' && c != 0x7f) clean += c;
  }
  const std::size_t have = width(clean);
  if (have <= columns) {
    const std::string pad(columns - have, ' ');
    return right ? pad + clean : clean + pad;
  }
  std::string out;
  std::size_t used = 0;
  for (const char c : clean) {
    const bool begins = (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    if (begins && ++used >= columns) break;
    out += c;
  }
  return columns == 0 ? "" : out + "…";
}

struct Style {
  string_view mark, colour;  // a mark, so that nothing is told by colour alone
};

Style style_of(string_view state) {
  struct Named {
    string_view state;
    Style style;
  };
  static constexpr std::array kStyles = {
      Named{"working", {"▶", "\x1b[94m"}},      Named{"finishing", {"▶", "\x1b[94m"}},
      Named{"waiting", {"…", "\x1b[37m"}},      Named{"paused", {"‖", "\x1b[36m"}},
      Named{"rate_limited", {"◔", "\x1b[33m"}}, Named{"stalled", {"!", "\x1b[31m"}},
      Named{"failed", {"✗", "\x1b[31m"}},       Named{"completed", {"✓", "\x1b[32m"}},
      Named{"cancelled", {"–", "\x1b[37m"}},    Named{"stale", {"?", "\x1b[37m"}},
  };
  const auto* found = std::ranges::find(kStyles, state, &Named::state);
  return found == kStyles.end() ? Style{"·", ""} : found->style;
}

std::string coloured(string_view code, string_view s, const Screen& screen) {
  if (!screen.has_colour || code.empty()) return std::string(s);
  return std::string(code) + std::string(s) + "\x1b[0m";
}

// A bar of eighths of columns.
std::string bar(double percent, std::size_t columns) {
  static constexpr std::array<string_view, 8> kParts = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const double full = std::clamp(percent, 0.0, 100.0) / 100 * static_cast<double>(columns);
  const auto eighths = static_cast<std::size_t>(full * 8);
  std::string out;
  for (std::size_t i = 0; i < eighths / 8; ++i) out += "█";
  out += kParts[eighths % 8];
  return fit(out, columns);
}

template <typename... Args>
std::string format(const char* pattern, Args... args) {
  std::array<char, 160> buffer;
  std::snprintf(buffer.data(), buffer.size(), pattern, args...);
  return buffer.data();
}

std::string shown_money(const BoardSession& s) {
  return s.cost == 0 ? "–" : format("%.2f", s.cost) + (s.currency.empty() ? "" : " " + s.currency);
}

std::string shown_eta(const BoardSession& s) {
  if (s.low_ms && s.high_ms) return shown_range(*s.low_ms, *s.high_ms);
  return s.remaining_ms ? shown_duration(*s.remaining_ms) : "–";
}

std::string percent_of(std::optional<double> ratio) {
  return ratio ? format("%.1f %%", *ratio * 100) : "–";
}

// One column of the overview; those of low `need` go first when the screen is narrow.
struct Column {
  string_view title;
  std::size_t columns;
  int need;
  bool is_right;
  std::string (*shown)(const BoardSession&);
  bool has_colour = false;  // that of the state
};

constexpr std::size_t kBar = 20, kLeastName = 20;

const std::array<Column, 8> kColumns = {{
    {"STATE", 14, 9, false,
     [](const BoardSession& s) { return std::string(style_of(s.state).mark) + " " + s.state; },
     true},
    {"PROGRESS", kBar + 7, 8, false,
     [](const BoardSession& s) { return bar(s.percent, kBar) + format(" %5.1f%%", s.percent); },
     true},
    {"FILES", 13, 6, true,
     [](const BoardSession& s) {
       return std::to_string(s.completed) + "/" + std::to_string(s.total);
     }},
    {"LEFT", 12, 10, true, shown_eta},
    {"FINISH", 8, 4, true, [](const BoardSession& s) { return s.finish.empty() ? "–" : s.finish; }},
    {"PER MIN", 8, 5, true,
     [](const BoardSession& s) { return s.per_minute ? format("%.1f", *s.per_minute) : "–"; }},
    {"ERRORS", 7, 7, true,
     [](const BoardSession& s) { return s.failed ? std::to_string(s.failed) : "–"; }},
    {"COST", 12, 3, true, shown_money},
}};

// Which columns fit beside a name of the least width.
std::vector<const Column*> chosen(std::size_t columns) {
  std::vector<const Column*> out;
  out.reserve(kColumns.size());
  for (const Column& column : kColumns) out.push_back(&column);
  const auto needed = [&] {
    std::size_t sum = kLeastName;
    for (const Column* column : out) sum += column->columns + 2;
    return sum;
  };
  while (out.size() > 1 && needed() > columns) {
    out.erase(std::ranges::min_element(out, {}, [](const Column* column) { return column->need; }));
  }
  return out;
}

std::string lower(string_view s) {
  std::string out(s);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// What needs looking at comes first.
int urgency(string_view state) {
  static constexpr std::array<string_view, 10> kOrder = {
      "stalled", "failed", "rate_limited", "working",   "finishing",
      "waiting", "paused", "stale",        "cancelled", "completed"};
  return static_cast<int>(std::ranges::find(kOrder, state) - kOrder.begin());
}

bool comes_before(const BoardSession& a, const BoardSession& b, BoardOrder order) {
  constexpr double kNever = 1e300;
  switch (order) {
    case BoardOrder::kStarted:
      return a.started > b.started;
    case BoardOrder::kName:
      return a.name < b.name;
    case BoardOrder::kState:
      return urgency(a.state) < urgency(b.state);
    case BoardOrder::kProgress:
      return a.percent > b.percent;
    case BoardOrder::kRemaining:
      return a.remaining_ms.value_or(kNever) < b.remaining_ms.value_or(kNever);
    case BoardOrder::kErrors:
      return a.failed > b.failed;
    case BoardOrder::kCost:
      return a.cost > b.cost;
  }
  return false;
}

void add_findings(std::vector<std::string>& out, string_view title,
                  const std::vector<BoardSession::Finding>& list, const Screen& screen) {
  if (list.empty()) return;
  out.emplace_back();
  out.push_back(fit(title, screen.columns));
  for (const auto& finding : list) {
    const string_view colour = finding.severity == "critical"  ? "\x1b[31m"
                               : finding.severity == "warning" ? "\x1b[33m"
                                                               : "";
    out.push_back(coloured(
        colour, fit("  " + fit(finding.severity, 9) + finding.text, screen.columns), screen));
  }
}

}  // namespace

Result<BoardPage> read_sessions(string_view json) {
  BoardPage page;
  auto next = read_list(json, [&](element item) { page.sessions.push_back(session_from(item)); });
  if (!next) return failure(std::move(next.error()));
  page.next = *std::move(next);
  return page;
}

Result<std::vector<BoardFile>> read_files(string_view json) {
  std::vector<BoardFile> files;
  auto next = read_list(json, [&](element item) {
    files.push_back({text(item, "/file"), text(item, "/status"), text(item, "/stage"),
                     number(item, "/progress").value_or(0)});
  });
  if (!next) return failure(std::move(next.error()));
  return files;
}

void sort(std::vector<BoardSession>& sessions, BoardOrder order, bool reversed) {
  std::ranges::stable_sort(sessions, [&](const BoardSession& a, const BoardSession& b) {
    return reversed ? comes_before(b, a, order) : comes_before(a, b, order);
  });
}

void filter(std::vector<BoardSession>& sessions, string_view wanted) {
  const std::string needle = lower(wanted);
  std::erase_if(sessions, [&](const BoardSession& s) {
    return lower(s.id + '\n' + s.name + '\n' + s.family + '\n' + s.state).find(needle) ==
           std::string::npos;
  });
}

std::vector<std::string> overview(const std::vector<BoardSession>& sessions,
                                  std::optional<std::size_t> selected, const Screen& screen) {
  const auto columns = chosen(screen.columns);
  std::size_t others = 0;
  for (const Column* column : columns) others += column->columns + 2;
  const std::size_t name = screen.columns > others ? screen.columns - others : 1;

  std::string title = fit("SESSION", name);
  for (const Column* column : columns)
    title += "  " + fit(column->title, column->columns, column->is_right);
  std::vector<std::string> out = {coloured("\x1b[1m", title, screen)};
  // The selected one stays on the screen.
  const std::size_t room =
      screen.lines == 0 ? sessions.size() : std::max<std::size_t>(screen.lines, 2) - 1;
  const std::size_t first = selected && *selected >= room ? *selected - room + 1 : 0;
  for (std::size_t i = first; i < std::min(sessions.size(), first + room); ++i) {
    const BoardSession& s = sessions[i];
    const std::string mark = s.alerts.empty() ? "" : "⚠ ";
    std::string line = fit(mark + s.id, name);
    for (const Column* column : columns) {
      const std::string cell = fit(column->shown(s), column->columns, column->is_right);
      const bool is_coloured = column->has_colour && selected != i;
      line += "  " + (is_coloured ? coloured(style_of(s.state).colour, cell, screen) : cell);
    }
    out.push_back(selected == i ? coloured("\x1b[7m", line, screen) : line);
  }
  if (sessions.empty()) out.push_back(fit("no sessions", screen.columns));
  return out;
}

std::vector<std::string> detail(const BoardSession& s, const std::vector<BoardFile>& files,
                                const Screen& screen) {
  const auto row = [&](string_view name, const std::string& value) {
    return fit("  " + fit(name, 14) + value, screen.columns);
  };
  std::vector<std::string> out;
  out.push_back(coloured(
      "\x1b[1m", fit(s.id + "  " + (s.name == s.id ? "" : s.name), screen.columns), screen));
  const std::size_t width_of_bar =
      std::min<std::size_t>(60, screen.columns > 12 ? screen.columns - 12 : 1);
  out.push_back(coloured(style_of(s.state).colour, "  " + bar(s.percent, width_of_bar), screen) +
                format(" %5.1f%%", s.percent));
  const Style style = style_of(s.state);
  out.push_back(
      coloured(style.colour, row("state", std::string(style.mark) + " " + s.state), screen));
  out.push_back(row(
      "files", format("%lld of %lld done, %lld failed, %lld in flight, %lld skipped, %lld pending",
                      static_cast<long long>(s.completed), static_cast<long long>(s.total),
                      static_cast<long long>(s.failed), static_cast<long long>(s.processing),
                      static_cast<long long>(s.skipped), static_cast<long long>(s.pending))));
  out.push_back(
      row("elapsed",
          shown_duration(s.elapsed_ms) +
              (s.attempt > 1 ? format(", attempt %lld", static_cast<long long>(s.attempt)) : "")));
  std::string left = shown_eta(s);
  if (s.confidence)
    left += format(" (%.0f %% sure of %s ± 20 %%)", *s.confidence * 100,
                   shown_duration(*s.remaining_ms).c_str());
  if (!s.finish.empty()) left += ", finish about " + s.finish + " UTC";
  out.push_back(row("left", left));
  if (!s.methods.empty()) {
    std::string each;
    for (const auto& method : s.methods) {
      each += (each.empty() ? "" : "   ") +
              (method.name == s.method ? "→" + method.name : method.name) + " " +
              shown_duration(method.remaining_ms);
    }
    out.push_back(row("methods", each));
  }
  if (s.deadline_risk)
    out.push_back(row("deadline", format("%.0f %% risk of missing it", *s.deadline_risk * 100)));
  out.push_back(
      row("throughput", s.per_minute ? format("%.1f files a minute", *s.per_minute) : "–"));
  out.push_back(row("errors", percent_of(s.error_rate) +
                                  format(", %lld retries", static_cast<long long>(s.retries))));
  out.push_back(row("quality", percent_of(s.quality)));
  out.push_back(row("cost", shown_money(s)));
  add_findings(out, "Alerts", s.alerts, screen);
  add_findings(out, "Insights", s.insights, screen);
  if (!files.empty()) {
    out.emplace_back();
    out.push_back(fit("In flight", screen.columns));
    for (const BoardFile& file : files) {
      out.push_back(fit("  " + bar(file.percent, 12) + format(" %5.1f%%  ", file.percent) +
                            fit(file.stage, 14) + " " + file.file,
                        screen.columns));
    }
  }
  if (screen.lines > 0 && out.size() > screen.lines) out.resize(screen.lines);
  return out;
}

std::string shown_duration(double ms) {
  constexpr double kSecond = 1000, kMinute = 60 * kSecond, kHour = 60 * kMinute, kDay = 24 * kHour;
  if (ms < 2 * kMinute) return format("%.0f s", ms / kSecond);
  // 2.5 min, but 3 min and 12 min.
  const bool has_tenths = ms < 9.95 * kMinute && std::lround(ms / kMinute * 10) % 10 != 0;
  if (ms < 2 * kHour) return format(has_tenths ? "%.1f min" : "%.0f min", ms / kMinute);
  if (ms < 2 * kDay) return format("%.1f h", ms / kHour);
  return format("%.1f d", ms / kDay);
}

std::string shown_range(double low_ms, double high_ms) {
  const std::string low = shown_duration(low_ms);
  std::string high = shown_duration(high_ms);
  if (low == high) return high;
  const std::size_t low_unit = low.find(' '), high_unit = high.find(' ');
  const bool is_one_unit = low.substr(low_unit) == high.substr(high_unit);
  return (is_one_unit ? low.substr(0, low_unit) : low) + "–" + high;
}

}  // namespace agent::cli
