// What the agent tells whoever runs it: one line per happening on standard error, in logfmt or
// JSON, every value escaped. Used by everything but the pure folders (progress, eta, alert,
// metrics). Any thread may log. The one global of the program, as a log is of the process.
//
//   log::info("session evicted", {{"session", id}, {"files", 12}});
#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <variant>

#include "agent/clock.h"
#include "agent/log/level.h"

namespace agent::log {

// A name and a value; refers to the caller's text, which need live only as long as the call.
struct Field {
  using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

  Field(std::string_view name, std::string_view text) : key(name), value(text) {}
  Field(std::string_view name, const std::string& text)
      : key(name), value(std::string_view(text)) {}
  Field(std::string_view name, const char* text) : key(name), value(std::string_view(text)) {}
  Field(std::string_view name, bool truth) : key(name), value(truth) {}
  Field(std::string_view name, double number) : key(name), value(number) {}
  template <std::signed_integral T>
  Field(std::string_view name, T number) : key(name), value(std::int64_t{number}) {}
  template <std::unsigned_integral T>
  Field(std::string_view name, T number) : key(name), value(std::uint64_t{number}) {}
  // Seconds, so that the unit need not be guessed; name the field "…_seconds".
  Field(std::string_view name, Duration time) : key(name), value(seconds(time)) {}

  std::string_view key;
  Value value;
};
using Fields = std::initializer_list<Field>;

// What is written from now on; at start and after a reload. Before: info and more, as logfmt.
void configure(Level level, Format format);
// Cheap: whether a message of this level would be written.
[[nodiscard]] bool enabled(Level level);

void debug(std::string_view what, Fields fields = {});
void info(std::string_view what, Fields fields = {});
void warn(std::string_view what, Fields fields = {});
void error(std::string_view what, Fields fields = {});

// Lets one message through per interval and counts the others, for what outsiders can cause as
// often as they like. One per kind of message, kept by whoever logs it. Any thread.
class Throttle {
 public:
  explicit Throttle(Duration interval) : interval_(interval) {}

  struct Verdict {
    bool passes = false;
    std::uint64_t left_out = 0;  // since the last one that passed
  };
  Verdict admit(SteadyInstant now);

 private:
  const Duration interval_;
  std::atomic<Duration::rep> next_{std::numeric_limits<Duration::rep>::min()};
  std::atomic<std::uint64_t> left_out_{0};
};

// A warning at most once per interval; the next one says how many were left out (`left_out=N`).
void warn(Throttle& throttle, SteadyInstant now, std::string_view what, Fields fields = {});

// The line of a message without its line break. Pure; what the tests look at.
std::string line(Format format, Instant at, Level level, std::string_view what, Fields fields,
                 std::uint64_t left_out = 0);

}  // namespace agent::log
