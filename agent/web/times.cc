#include "agent/web/times.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

namespace agent::web {
namespace {

using std::chrono::sys_days;
using std::chrono::year;

constexpr Instant kEarliest = sys_days(year(0) / 1 / 1);
constexpr Instant kLatest = sys_days(year(10000) / 1 / 1) - std::chrono::milliseconds(1);

struct Civil {
  std::chrono::year_month_day date;
  std::chrono::weekday weekday;
  std::chrono::hh_mm_ss<std::chrono::milliseconds> time;
};

Civil civil(Instant time) {
  const auto ms =
      std::chrono::floor<std::chrono::milliseconds>(std::clamp(time, kEarliest, kLatest));
  const sys_days day = std::chrono::floor<std::chrono::days>(ms);
  return {day, std::chrono::weekday(day), std::chrono::hh_mm_ss(ms - day)};
}

// Writes `value` with leading zeros so that it fills [at, at + width).
void put(std::string& text, std::size_t at, std::size_t width, long long value) {
  for (std::size_t i = width; i-- > 0; value /= 10)
    text[at + i] = static_cast<char>('0' + value % 10);
}

}  // namespace

std::string rfc3339(Instant time) {
  const Civil c = civil(time);
  std::string text = "0000-00-00T00:00:00.000Z";
  put(text, 0, 4, static_cast<int>(c.date.year()));
  put(text, 5, 2, static_cast<unsigned>(c.date.month()));
  put(text, 8, 2, static_cast<unsigned>(c.date.day()));
  put(text, 11, 2, c.time.hours().count());
  put(text, 14, 2, c.time.minutes().count());
  put(text, 17, 2, c.time.seconds().count());
  put(text, 20, 3, c.time.subseconds().count());
  return text;
}

std::string http_date(Instant time) {
  static constexpr std::string_view kDays = "SunMonTueWedThuFriSat";
  static constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const Civil c = civil(time);
  std::string text = "Day, 00 Mon 0000 00:00:00 GMT";
  text.replace(0, 3, kDays.substr(3 * c.weekday.c_encoding(), 3));
  put(text, 5, 2, static_cast<unsigned>(c.date.day()));
  text.replace(8, 3, kMonths.substr(3 * (static_cast<unsigned>(c.date.month()) - 1), 3));
  put(text, 12, 4, static_cast<int>(c.date.year()));
  put(text, 17, 2, c.time.hours().count());
  put(text, 20, 2, c.time.minutes().count());
  put(text, 23, 2, c.time.seconds().count());
  return text;
}

}  // namespace agent::web
