#include "agent/log/log.h"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <memory>

#include "agent/progress/names.h"
#include "agent/utf8.h"

namespace agent::log {
namespace {

using progress::name_of;

std::atomic<Level> least{Level::kInfo};
std::atomic<Format> format_in_force{Format::kLogfmt};

// Made at the first message; the sink's lock keeps lines whole.
spdlog::logger& sink() {
  static spdlog::logger logger = [] {
    spdlog::logger made("agent", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made.set_pattern("%v");
    return made;
  }();
  return logger;
}

// RFC 3339 in UTC with milliseconds; not through the C library, whose locale it would read.
std::string time_text(Instant at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::milliseconds>(at - day));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count(),
                     time.subseconds().count());
}

// A logfmt value without quotes cannot hold these, nor anything that is not ASCII text.
bool needs_quotes(std::string_view text) {
  if (text.empty()) return true;
  for (const char c : text) {
    if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7F) return true;
  }
  return false;
}

struct Writer {
  std::string& out;
  Format format;

  void operator()(std::string_view text) const {
    if (format == Format::kJson || needs_quotes(text)) return append_json_string(out, text);
    out += text;
  }
  void operator()(bool truth) const { out += truth ? "true" : "false"; }
  void operator()(std::int64_t number) const { out += std::to_string(number); }
  void operator()(std::uint64_t number) const { out += std::to_string(number); }
  void operator()(double number) const {
    // JSON knows no infinity: as a text it can still be read.
    const bool is_finite = number - number == 0;
    is_finite ? static_cast<void>(out += fmt::format("{}", number)) :
              operator()(std::string_view(number > 0   ? "+Inf"
                                          : number < 0 ? "-Inf"
                                                       : "NaN"));
  }

  void field(std::string_view key, const Field::Value& value) const {
    const bool is_first = out.empty();
    if (format == Format::kJson) {
      out += is_first ? '{' : ',';
      append_json_string(out, key);
      out += ':';
    } else {
      if (!is_first) out += ' ';
      (out += key) += '=';
    }
    std::visit(*this, value);
  }
};

void write(Level level, std::string_view what, Fields fields, std::uint64_t left_out = 0) {
  const std::string text = line(format_in_force.load(std::memory_order_relaxed),
                                SystemClock().now().wall, level, what, fields, left_out);
  sink().log(spdlog::level::critical, spdlog::string_view_t(text.data(), text.size()));
}

void write_if_enabled(Level level, std::string_view what, Fields fields) {
  if (enabled(level)) write(level, what, fields);
}

}  // namespace

void configure(Level level, Format format) {
  least.store(level, std::memory_order_relaxed);
  format_in_force.store(format, std::memory_order_relaxed);
}

bool enabled(Level level) { return level >= least.load(std::memory_order_relaxed); }

void debug(std::string_view what, Fields fields) { write_if_enabled(Level::kDebug, what, fields); }
void info(std::string_view what, Fields fields) { write_if_enabled(Level::kInfo, what, fields); }
void warn(std::string_view what, Fields fields) { write_if_enabled(Level::kWarn, what, fields); }
void error(std::string_view what, Fields fields) { write_if_enabled(Level::kError, what, fields); }

Throttle::Verdict Throttle::admit(SteadyInstant now) {
  const Duration::rep at = now.time_since_epoch().count();
  Duration::rep next = next_.load(std::memory_order_relaxed);
  const bool passes = at >= next && next_.compare_exchange_strong(next, at + interval_.count());
  if (!passes) {
    left_out_.fetch_add(1, std::memory_order_relaxed);
    return {};
  }
  return {true, left_out_.exchange(0, std::memory_order_relaxed)};
}

void warn(Throttle& throttle, SteadyInstant now, std::string_view what, Fields fields) {
  if (!enabled(Level::kWarn)) return;
  const Throttle::Verdict verdict = throttle.admit(now);
  if (verdict.passes) write(Level::kWarn, what, fields, verdict.left_out);
}

std::string line(Format format, Instant at, Level level, std::string_view what, Fields fields,
                 std::uint64_t left_out) {
  std::string out;
  const Writer writer{out, format};
  const std::string time = time_text(at);
  writer.field("ts", std::string_view(time));
  writer.field("level", name_of(level, kLevelNames));
  writer.field("msg", what);
  for (const Field& field : fields) writer.field(field.key, field.value);
  if (left_out > 0) writer.field("left_out", left_out);
  if (format == Format::kJson) out += '}';
  return out;
}

}  // namespace agent::log
