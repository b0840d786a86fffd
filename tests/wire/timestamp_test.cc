#include "agent/wire/timestamp.h"

#include <gtest/gtest.h>

#include <string>

namespace agent::wire {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

constexpr Instant at(std::int64_t unix_time, std::int64_t micros = 0) {
  return Instant(seconds(unix_time) + microseconds(micros));
}

TEST(Rfc3339, IsRead) {
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00Z"), at(0));
  EXPECT_EQ(parse_rfc3339("2026-01-05T09:00:00Z"), at(1'767'603'600));
  EXPECT_EQ(parse_rfc3339("2026-01-05t09:00:00z"), at(1'767'603'600));
  EXPECT_EQ(parse_rfc3339("2026-01-05 09:00:00Z"), at(1'767'603'600));
  EXPECT_EQ(parse_rfc3339("2024-02-29T00:00:00Z"), at(1'709'164'800));
}

TEST(Rfc3339, OffsetsLeadToUtc) {
  EXPECT_EQ(parse_rfc3339("2026-01-05T10:30:00+01:30"), at(1'767'603'600));
  EXPECT_EQ(parse_rfc3339("2026-01-04T22:00:00-11:00"), at(1'767'603'600));
  EXPECT_EQ(parse_rfc3339("2026-01-05T09:00:00-00:00"), at(1'767'603'600));
}

TEST(Rfc3339, FractionsAreKeptToTheMicrosecond) {
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:01.5Z"), at(1, 500'000));
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:01.000001Z"), at(1, 1));
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:01.123456789012345678901234567890Z"), at(1, 123'456));
}

TEST(Rfc3339, ALeapSecondIsTheNextMinute) {
  EXPECT_EQ(parse_rfc3339("2016-12-31T23:59:60Z"), parse_rfc3339("2017-01-01T00:00:00Z"));
}

TEST(Rfc3339, AnythingElseIsRefused) {
  for (const std::string text : {"",
                                 "now",
                                 "2026",
                                 "2026-01-05",
                                 "2026-01-05T09:00:00",
                                 "2026-01-05T09:00Z",
                                 "2026-01-05T09:00:00.Z",
                                 "2026-01-05T09:00:00,5Z",
                                 "2026-1-5T09:00:00Z",
                                 "2026-02-30T00:00:00Z",
                                 "2025-02-29T00:00:00Z",
                                 "2026-00-05T09:00:00Z",
                                 "2026-13-05T09:00:00Z",
                                 "2026-01-00T09:00:00Z",
                                 "2026-01-05T24:00:00Z",
                                 "2026-01-05T09:60:00Z",
                                 "2026-01-05T09:00:60Z",
                                 "2026-01-05T09:00:61Z",
                                 "2026-01-05T09:00:00+0100",
                                 "2026-01-05T09:00:00+24:00",
                                 "2026-01-05T09:00:00+01:60",
                                 "2026-01-05T09:00:00 Z",
                                 " 2026-01-05T09:00:00Z",
                                 "2026-01-05T09:00:00ZZ",
                                 "+2026-01-05T09:00:00Z",
                                 "12026-01-05T09:00:00Z",
                                 "2026-01-05X09:00:00Z",
                                 "2026-W01-1T09:00:00Z",
                                 "2026-01-05T09:00:00\xe2\x88\x92"
                                 "01:00"}) {
    EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
  }
}

// Every prefix of a good timestamp is refused, and none reads past its end.
TEST(Rfc3339, PrefixesAreRefused) {
  const std::string whole = "2026-01-05T10:30:00.25+01:30";
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const std::string prefix = whole.substr(0, length);
    EXPECT_EQ(parse_rfc3339(prefix), std::nullopt) << prefix;
  }
}

}  // namespace
}  // namespace agent::wire
