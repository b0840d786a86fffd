#include "agent/web/ledger.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace agent::web {
namespace {

Topic topic(std::uint32_t part) { return {1, part, 0}; }

struct Told {
  std::vector<std::uint32_t> parts;
  std::uint64_t dropped = 0;
};

// Everything due to a reader at `place`.
Told read(Ledger& ledger, Ledger::Place& place) {
  Told told;
  told.dropped = ledger.catch_up(place);
  for (;;) {
    const auto due = ledger.next(place, [&](const Topic&) { ++told.dropped; });
    if (due.text == nullptr) return told;
    told.parts.push_back(due.topic.part);
  }
}

using Parts = std::vector<std::uint32_t>;

TEST(Ledger, tells_of_each_thing_once_in_the_order_of_its_latest_change) {
  Ledger ledger(100, true);
  Ledger::Place place = ledger.end();
  for (const std::uint32_t part : {1, 2, 1, 3, 1}) ledger.mark(topic(part));
  const Told told = read(ledger, place);
  EXPECT_EQ(told.parts, (Parts{2, 3, 1}));
  EXPECT_EQ(told.dropped, 2U);
  EXPECT_TRUE(read(ledger, place).parts.empty());
}

TEST(Ledger, a_change_after_the_telling_is_told_again) {
  Ledger ledger(100, true);
  Ledger::Place place = ledger.end();
  ledger.mark(topic(1));
  EXPECT_EQ(read(ledger, place).parts, (Parts{1}));
  ledger.mark(topic(1));
  const Told told = read(ledger, place);
  EXPECT_EQ(told.parts, (Parts{1}));
  EXPECT_EQ(told.dropped, 0U);
}

TEST(Ledger, keeps_a_text_until_the_thing_changes) {
  Ledger ledger(100, true);
  Ledger::Place one = ledger.end(), other = one;
  ledger.mark(topic(1));
  const auto nobody = [](const Topic&) {};
  EXPECT_FALSE(ledger.next(one, nobody).text->owner);
  ledger.keep(topic(1), Frame(std::string("text")));
  EXPECT_EQ(ledger.kept_bytes(), 4U);
  EXPECT_EQ(ledger.next(other, nobody).text->text, "text");
  ledger.mark(topic(1));
  EXPECT_EQ(ledger.kept_bytes(), 0U);
  EXPECT_FALSE(ledger.next(one, nobody).text->owner);
}

TEST(Ledger, forgets_what_everybody_was_told) {
  Ledger ledger(100, true);
  Ledger::Place place = ledger.end();
  for (std::uint32_t part = 0; part < 50; ++part) ledger.mark(topic(part));
  read(ledger, place);
  ledger.forget_before(place);
  EXPECT_EQ(ledger.size(), 0U);
  ledger.mark(topic(7));
  EXPECT_EQ(read(ledger, place).parts, (Parts{7}));
}

TEST(Ledger, is_bounded_and_says_what_was_lost) {
  Ledger ledger(10, false);
  Ledger::Place place = ledger.end();
  for (std::uint32_t part = 0; part < 25; ++part) ledger.mark(topic(part));
  EXPECT_EQ(ledger.size(), 10U);
  const Told told = read(ledger, place);
  EXPECT_EQ(told.dropped, 15U);
  EXPECT_EQ(told.parts.front(), 15U);
  EXPECT_EQ(told.parts.size(), 10U);
}

TEST(Ledger, when_lossless_loses_no_thing_however_slow_the_reader) {
  Ledger ledger(10, true);
  Ledger::Place place = ledger.end();
  ledger.mark(topic(99));  // never again
  for (std::uint32_t i = 0; i < 1000; ++i) ledger.mark(topic(i % 5));
  EXPECT_LE(ledger.size(), 10U);
  Parts parts = read(ledger, place).parts;
  std::ranges::sort(parts);
  EXPECT_EQ(parts, (Parts{0, 1, 2, 3, 4, 99}));
}

TEST(Ledger, grows_to_hold_more_things_than_marks_when_lossless) {
  Ledger ledger(10, true);
  Ledger::Place place = ledger.end();
  for (std::uint32_t part = 0; part < 30; ++part) ledger.mark(topic(part));
  EXPECT_EQ(read(ledger, place).parts.size(), 30U);
}

// Whatever the order of marks and readings: at its end every reader has been told of each thing
// after that thing's last change, and never of more changes than there were.
TEST(Ledger, every_reader_ends_up_knowing_the_latest) {
  std::mt19937 random(7);
  for (int trial = 0; trial < 200; ++trial) {
    Ledger ledger(20, true);
    std::vector<int> changed(8, -1);
    struct Reader {
      Ledger::Place place = 0;
      std::vector<int> told = std::vector<int>(8, -1);
      std::uint64_t count = 0;
    };
    std::vector<Reader> readers(3);
    const auto catch_up = [&](Reader& reader, int step) {
      const Told told = read(ledger, reader.place);
      for (const std::uint32_t part : told.parts) reader.told[part] = step;
      reader.count += told.parts.size() + told.dropped;
    };
    for (int step = 0; step < 300; ++step) {
      const std::uint32_t part = random() % 8;
      ledger.mark(topic(part));
      changed[part] = step;
      Reader& reader = readers[random() % readers.size()];
      if (random() % 10 == 0) catch_up(reader, step);
      if (random() % 20 == 0) {
        Ledger::Place least = ledger.end();
        for (const Reader& each : readers) least = std::min(least, each.place);
        ledger.forget_before(least);
      }
    }
    for (Reader& reader : readers) {
      catch_up(reader, 1000);
      for (std::size_t part = 0; part < 8; ++part) EXPECT_GE(reader.told[part], changed[part]);
      EXPECT_GE(reader.count, 300U);
    }
  }
}

}  // namespace
}  // namespace agent::web
