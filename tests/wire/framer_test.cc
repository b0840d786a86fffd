#include "agent/wire/framer.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "tests/wire/padded.h"

namespace agent::wire {
namespace {

// What came of a stream: "2:text" for a line, "2!" for one too long, "2~text" for an unfinished
// one.
using Seen = std::vector<std::string>;

void note(Seen& seen, const Line& line, char mark) {
  seen.push_back(std::to_string(line.number) +
                 (line.is_too_long ? "!" : mark + std::string(line.text)));
}

// Feeds `stream` in pieces that end at `cuts`, as a connection would from its loop's buffer.
Seen frame(std::string_view stream, std::vector<std::size_t> cuts, std::size_t max) {
  Framer framer(max);
  ReadBuffer buffer(max);
  Seen seen;
  std::size_t from = 0;
  cuts.push_back(stream.size());
  for (const std::size_t to : cuts) {
    const std::span<char> piece = buffer.room().first(to - from);
    std::memcpy(piece.data(), stream.data() + from, to - from);
    framer.feed(piece);
    while (const auto line = framer.next()) note(seen, *line, ':');
    from = to;
  }
  if (const auto line = framer.finish()) note(seen, *line, '~');
  return seen;
}

TEST(Framer, SplitsAtNewlines) {
  EXPECT_EQ(frame("a\nbc\r\nd", {}, 10), (Seen{"1:a", "2:bc", "3~d"}));
  EXPECT_EQ(frame("", {}, 10), Seen{});
  EXPECT_EQ(frame("a", {}, 10), Seen{"1~a"});
  EXPECT_EQ(frame("a\r", {}, 10), Seen{"1~a"});
  EXPECT_EQ(frame("a\rb\n", {}, 10), Seen{"1:a\rb"});
}

TEST(Framer, SkipsBlankLinesButCountsThem) {
  EXPECT_EQ(frame("\n\r\n \t\na\n\n", {}, 10), Seen{"4:a"});
  EXPECT_EQ(frame("a\n  ", {}, 10), Seen{"1:a"});
  EXPECT_EQ(frame("\v\n", {}, 10), Seen{"1:\v"});
}

TEST(Framer, ReportsALineThatIsTooLongOnce) {
  EXPECT_EQ(frame("1234\n12345\n1\n", {}, 4), (Seen{"1:1234", "2!", "3:1"}));
  EXPECT_EQ(frame("1234\r\n12345\r\n1\n", {}, 4), (Seen{"1:1234", "2!", "3:1"}));
  EXPECT_EQ(frame("12345", {}, 4), Seen{"1!"});
  EXPECT_EQ(frame("1234\r", {}, 4), Seen{"1~1234"});
  EXPECT_EQ(frame("1234\r5\n1\n", {}, 4), (Seen{"1!", "2:1"}));
  EXPECT_EQ(frame(std::string(1000, 'x') + "\na\n", {10, 20, 30, 999}, 4), (Seen{"1!", "2:a"}));
}

TEST(Framer, SaysThatALineIsTooLongBeforeItEnds) {
  Framer framer(4);
  Padded piece("12345");
  framer.feed(piece.bytes());
  const auto line = framer.next();
  ASSERT_TRUE(line.has_value());
  EXPECT_TRUE(line->is_too_long);
  EXPECT_EQ(framer.pending(), 0U);
}

// However the bytes are cut, the lines are the same.
TEST(Framer, CutsDoNotMatter) {
  constexpr std::size_t kMax = 6;
  const std::string stream = "ab\r\n\n123456\r\n1234567\r\n\r\r\n123456\r7\n  \nlast";
  const Seen whole = frame(stream, {}, kMax);
  for (std::size_t a = 0; a <= stream.size(); ++a) {
    for (std::size_t b = a; b <= stream.size(); ++b) {
      EXPECT_EQ(frame(stream, {a, b}, kMax), whole) << a << " " << b;
    }
  }
}

TEST(Framer, RandomStreamsAndCuts) {
  std::mt19937 random(7);
  for (int round = 0; round < 3000; ++round) {
    std::string stream;
    for (std::size_t i = random() % 60; i > 0; --i) stream += "ab \r\n\n"[random() % 6];
    std::vector<std::size_t> cuts;
    for (std::size_t at = 0; at < stream.size(); at += random() % 9) cuts.push_back(at);
    EXPECT_EQ(frame(stream, cuts, 5), frame(stream, {}, 5)) << stream;
  }
}

// A client that sends byte by byte costs the bytes it sent, not a buffer.
TEST(Framer, KeepsOnlyTheUnfinishedLine) {
  constexpr std::size_t kMax = 64 * 1024;
  Framer framer(kMax);
  ReadBuffer buffer(kMax);
  for (int i = 0; i < 100; ++i) {
    buffer.room()[0] = 'x';
    framer.feed(buffer.room().first(1));
    EXPECT_FALSE(framer.next().has_value());
  }
  EXPECT_EQ(framer.pending(), 100U);
}

}  // namespace
}  // namespace agent::wire
