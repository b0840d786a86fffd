#include "agent/wire/timestamp.h"

#include <cctype>

namespace agent::wire {
namespace {

// Takes the parts of a timestamp off the front of a text, and remembers whether all were there.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  // A number of exactly `digits` digits, at most `most`.
  int number(std::size_t digits, int most) {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) value = value * 10 + digit();
    if (value > most) good_ = false;
    return value;
  }

  void any_of(std::string_view allowed) {
    if (rest_.empty() || allowed.find(rest_.front()) == std::string_view::npos) good_ = false;
    take();
  }

  // `.` and at least one digit, if a `.` is next.
  Duration fraction() {
    if (!is_next('.')) return {};
    take();
    Duration total{};
    Duration unit = std::chrono::milliseconds(100);
    do {
      total += unit * digit();
      unit /= 10;
    } while (!rest_.empty() && is_digit(rest_.front()));
    return total;
  }

  // `Z`, or `+01:00`: how far local time is ahead of UTC.
  Duration offset() {
    if (is_next('Z') || is_next('z')) {
      take();
      return {};
    }
    const int sign = is_next('-') ? -1 : 1;
    any_of("+-");
    const std::chrono::hours hours(number(2, 23));
    any_of(":");
    return sign * (hours + std::chrono::minutes(number(2, 59)));
  }

  [[nodiscard]] bool is_complete() const { return good_ && rest_.empty(); }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  [[nodiscard]] bool is_next(char c) const { return !rest_.empty() && rest_.front() == c; }
  void take() { rest_.remove_prefix(rest_.empty() ? 0 : 1); }
  int digit() {
    const bool there = !rest_.empty() && is_digit(rest_.front());
    const int value = there ? rest_.front() - '0' : 0;
    good_ = good_ && there;
    take();
    return value;
  }

  std::string_view rest_;
  bool good_ = true;
};

}  // namespace

std::optional<Instant> parse_rfc3339(std::string_view text) {
  Scanner scan(text);
  const std::chrono::year year(scan.number(4, 9999));
  scan.any_of("-");
  const std::chrono::month month(static_cast<unsigned>(scan.number(2, 12)));
  scan.any_of("-");
  const std::chrono::day day(static_cast<unsigned>(scan.number(2, 31)));
  scan.any_of("Tt ");
  const std::chrono::hours hour(scan.number(2, 23));
  scan.any_of(":");
  const std::chrono::minutes minute(scan.number(2, 59));
  scan.any_of(":");
  const std::chrono::seconds second(scan.number(2, minute.count() == 59 ? 60 : 59));
  const Duration fraction = scan.fraction();
  const Duration offset = scan.offset();
  const std::chrono::year_month_day date(year, month, day);
  if (!scan.is_complete() || !date.ok()) return std::nullopt;
  return std::chrono::sys_days(date) + hour + minute + second + fraction - offset;
}

}  // namespace agent::wire
