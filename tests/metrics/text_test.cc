#include "agent/metrics/text.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "agent/metrics/number.h"

namespace agent::metrics {
namespace {

std::string escaped(std::string_view value) {
  std::array<char, kLabelValueRoom> room;
  return {room.data(), put_label_value(room.data(), value)};
}

std::string written(Number number) {
  std::array<char, Number::kRoom> room;
  return {room.data(), number.put(room.data())};
}

constexpr std::string_view kUnknown = "\xEF\xBF\xBD";

TEST(LabelValue, EscapesWhatTheFormatsUse) {
  EXPECT_EQ(escaped("plain text, {=}"), "plain text, {=}");
  EXPECT_EQ(escaped("a\\b\"c\nd"), "a\\\\b\\\"c\\nd");
  EXPECT_EQ(escaped("C:\\new"), "C:\\\\new");
  EXPECT_EQ(escaped(""), "");
  EXPECT_EQ(escaped("tab\t cr\r"), "tab\t cr\r");
}

TEST(LabelValue, EscapesWhereverItIs) {
  for (std::size_t size = 1; size < 20; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string value(size, 'x');
      value[at] = '"';
      std::string expected = value;
      expected.insert(at, 1, '\\');
      EXPECT_EQ(escaped(value), expected);
    }
  }
}

TEST(LabelValue, KeepsValidUtf8) {
  for (const char* value : {"Zürich", "数据", "🦉", "e\u0301", "\u07FF\u0800\uFFFD\U0010FFFF"}) {
    EXPECT_EQ(escaped(value), value);
    EXPECT_TRUE(is_label_value(value));
  }
}

TEST(LabelValue, ReplacesWhatIsNoUtf8) {
  const std::string unknown(kUnknown);
  EXPECT_EQ(escaped("a\xFFz"), "a" + unknown + "z");
  EXPECT_EQ(escaped("\xC3"), unknown);                              // cut short
  EXPECT_EQ(escaped("\xC3\"x"), unknown + "\\\"x");                 // does not swallow the quote
  EXPECT_EQ(escaped("\xC0\x80"), unknown + unknown);                // overlong NUL
  EXPECT_EQ(escaped("\xE0\x80\x80"), unknown + unknown + unknown);  // overlong
  EXPECT_EQ(escaped("\xED\xA0\x80"), unknown + unknown + unknown);  // a surrogate
  EXPECT_EQ(escaped("\xF4\x90\x80\x80"), unknown + unknown + unknown + unknown);  // above U+10FFFF
  EXPECT_FALSE(is_label_value("a\xFFz"));
}

TEST(LabelValue, IsCutBetweenCodePoints) {
  const std::string limit(kMaxLabelValue, 'x');
  EXPECT_EQ(escaped(limit), limit);
  EXPECT_EQ(escaped(limit + "y"), limit);
  EXPECT_EQ(label_value(limit.substr(1) + "é"), limit.substr(1));
  EXPECT_EQ(label_value(limit.substr(2) + "é"), limit.substr(2) + "é");
  EXPECT_EQ(label_value(limit.substr(3) + "🦉"), limit.substr(3));
  EXPECT_FALSE(is_label_value(limit + "y"));
  const std::string quotes(200, '"');
  EXPECT_EQ(escaped(quotes).size(), 2 * kMaxLabelValue);  // the cut is before escaping
}

// Any bytes: never longer than the room, and the same value whichever way it is asked for.
TEST(LabelValue, HoldsForAnyBytes) {
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same bytes each time
  for (int round = 0; round < 20'000; ++round) {
    std::string value(random() % 300, '\0');
    for (char& c : value) {
      c = static_cast<char>(random() % 4 == 0 ? random() % 256 : 0xC0 + random() % 64);
      if (random() % 3 == 0) c = static_cast<char>(0x80 + random() % 64);
    }
    const std::string shown = label_value(value);
    ASSERT_LE(shown.size(), kMaxLabelValue);
    ASSERT_LE(escaped(value).size(), kLabelValueRoom);
    ASSERT_TRUE(is_label_value(shown));
    ASSERT_EQ(is_label_value(value), shown == value);
    ASSERT_EQ(escaped(shown), escaped(value));
  }
}

TEST(BoundText, IsSpelledAsPrometheusNormalisesIt) {
  EXPECT_EQ(bound_text(0.01), "0.01");
  EXPECT_EQ(bound_text(0.25), "0.25");
  EXPECT_EQ(bound_text(1), "1.0");
  EXPECT_EQ(bound_text(86400), "86400.0");
  EXPECT_EQ(bound_text(100000), "100000.0");
  EXPECT_EQ(bound_text(1e6), "1e+06");
  EXPECT_EQ(bound_text(1048576), "1.048576e+06");
  EXPECT_EQ(bound_text(68719476736.0), "6.8719476736e+10");
  EXPECT_EQ(bound_text(0.0001), "0.0001");
  EXPECT_EQ(bound_text(0.00001), "1e-05");
  EXPECT_EQ(bound_text(-2.5), "-2.5");
}

TEST(Number, IsWrittenShortAndExact) {
  EXPECT_EQ(written(0), "0");
  EXPECT_EQ(written(-17), "-17");
  EXPECT_EQ(written(std::int64_t{9007199254740993}), "9007199254740993");
  EXPECT_EQ(written(3.0), "3");
  EXPECT_EQ(written(-0.0), "0");
  EXPECT_EQ(written(0.1), "0.1");
  EXPECT_EQ(written(1.0 / 3), "0.3333333333333333");
  EXPECT_EQ(written(0.001), "0.001");
  EXPECT_EQ(written(-2.000001), "-2.000001");
  EXPECT_EQ(written(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(written(999999999.999999), "999999999.999999");
  EXPECT_EQ(written(0.000001), "1e-06");
  EXPECT_EQ(written(1e300), "1e+300");
  EXPECT_EQ(written(5e-324), "5e-324");
}

TEST(Number, WritesTimesInSeconds) {
  using namespace std::chrono_literals;
  EXPECT_EQ(written(Duration(0)), "0");
  EXPECT_EQ(written(Duration(90s)), "90");
  EXPECT_EQ(written(Duration(1500ms)), "1.5");
  EXPECT_EQ(written(Duration(1us)), "0.000001");
  EXPECT_EQ(written(Duration(-1us)), "-0.000001");
  EXPECT_EQ(written(Duration(-90500ms)), "-90.5");
  EXPECT_EQ(written(Span(360.0 / 17)), "21.176471");
  EXPECT_EQ(written(Instant(1767603600s + 123456us)), "1767603600.123456");
}

TEST(Number, UnknownIsAbsent) {
  EXPECT_FALSE(Number(std::nullopt).is_known());
  EXPECT_FALSE(Number(std::optional<double>()).is_known());
  EXPECT_FALSE(Number(std::numeric_limits<double>::quiet_NaN()).is_known());
  EXPECT_FALSE(Number(std::numeric_limits<double>::infinity()).is_known());
  EXPECT_TRUE(Number(std::optional<double>(0)).is_known());
}

TEST(Number, ReadsBackAsItself) {
  std::mt19937_64 random(2);  // NOLINT(cert-msc51-cpp)
  for (int round = 0; round < 100'000; ++round) {
    const double value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    ASSERT_EQ(std::strtod(written(value).c_str(), nullptr), value);
  }
}

TEST(Text, GrowsAndForgets) {
  Text text;
  std::string expected;
  for (int i = 0; i < 10'000; ++i) {
    text.append("0123456789");
    expected += "0123456789";
  }
  EXPECT_EQ(text.view(), expected);
  text.truncate(5);
  text.append("x");
  EXPECT_EQ(text.view(), "01234x");
  const std::size_t capacity = text.capacity();
  text.clear();
  EXPECT_EQ(text.view(), "");
  EXPECT_EQ(text.capacity(), capacity);
}

TEST(Text, LiesInHugePagesOnceItsRoomFillsOne) {
  constexpr std::size_t kHugePage = 2'097'152;
  Text text;
  std::string expected;
  while (expected.size() < 3 * kHugePage) {
    const std::string line = "line " + std::to_string(expected.size()) + '\n';
    text.append(line);
    expected += line;
  }
  EXPECT_EQ(text.view(), expected);
  EXPECT_EQ(std::bit_cast<std::uintptr_t>(text.view().data()) % kHugePage, 0U);
  // The kernel was told: "hg" among the flags of that memory (proc_pid_smaps(5)).
  std::ifstream maps("/proc/self/smaps");
  std::uintptr_t begin = 0;
  bool found = false, is_huge = false;
  for (std::string line; std::getline(maps, line);) {
    if (line.find('-') < line.find(' ')) {
      begin = std::stoull(line, nullptr, 16);
      const std::uintptr_t end = std::stoull(line.substr(line.find('-') + 1), nullptr, 16);
      const auto at = std::bit_cast<std::uintptr_t>(text.view().data());
      found = begin <= at && at < end;
    } else if (found && line.starts_with("VmFlags:")) {
      is_huge = line.find(" hg") != std::string::npos;
    }
  }
  EXPECT_EQ(is_huge, std::filesystem::exists("/sys/kernel/mm/transparent_hugepage"));
}

}  // namespace
}  // namespace agent::metrics
