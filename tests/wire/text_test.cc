#include "agent/wire/text.h"

#include <gtest/gtest.h>
#include <simdjson.h>

namespace agent::wire {
namespace {

TEST(Control, IsFoundWhereverItIs) {
  for (std::size_t at = 0; at < 20; ++at) {
    for (const std::string_view control : {"\x01", "\x1f", "\x7f", "\xc2\x80", "\xc2\x9f"}) {
      std::string text(20, 'a');
      text.replace(at, 1, control);
      EXPECT_EQ(find_control(text), at) << at;
    }
  }
  EXPECT_EQ(find_control(std::string_view("a\0b", 3)), 1U);
}

TEST(Control, IsNotSeenInOrdinaryText) {
  for (const std::string_view text :
       {"", " ", "~", "batch-2026-000", "exactly8", "exactly8 and more", "Größe", "日本語の名前",
        "\xc2\xa0", "🎉🎉🎉🎉🎉", "~~~~~~~~~~~~~~~~"}) {
    EXPECT_EQ(find_control(text), std::nullopt) << text;
  }
}

TEST(Blank, IsWhiteSpaceOfJson) {
  EXPECT_TRUE(is_blank(""));
  EXPECT_TRUE(is_blank(" \t\r"));
  EXPECT_FALSE(is_blank("\v"));
  EXPECT_FALSE(is_blank(" {} "));
}

std::string quote(std::string_view text) {
  std::string out;
  append_quoted(out, text);
  return out;
}

TEST(Quoted, EscapesWhatJsonAsksFor) {
  EXPECT_EQ(quote("a\"b\\c\n\r\t\x01\x7f"), R"("a\"b\\c\n\r\t\u0001\u007f")");
  EXPECT_EQ(quote("Größe 🎉"), "\"Größe 🎉\"");
}

TEST(Quoted, EscapesWhereverItIs) {
  for (std::size_t size = 1; size < 20; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      const std::string before(at, 'x'), after(size - at - 1, 'y');
      EXPECT_EQ(quote(before + "\"" + after), "\"" + before + "\\\"" + after + "\"");
      EXPECT_EQ(quote(before + "\x01" + after), "\"" + before + "\\u0001" + after + "\"");
      EXPECT_EQ(quote(before + "\x7f" + after), "\"" + before + "\\u007f" + after + "\"");
    }
  }
}

TEST(Quoted, ReplacesWhatIsNoUtf8) {
  EXPECT_EQ(quote("a\xff"), "\"a\xef\xbf\xbd\"");
  EXPECT_EQ(quote("\xc3"), "\"\xef\xbf\xbd\"");
  EXPECT_EQ(quote("\x80x"), "\"\xef\xbf\xbdx\"");
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; second += 5) {
      const std::string text{static_cast<char>(first), static_cast<char>(second), 'x'};
      const std::string out = quote(text);
      EXPECT_TRUE(simdjson::validate_utf8(out)) << first << " " << second;
    }
  }
}

TEST(Shown, IsCutBetweenCodePoints) {
  const std::string long_text = std::string(59, 'a') + "ööö";
  EXPECT_EQ(shown(long_text), "\"" + std::string(59, 'a') + "…\"");
  EXPECT_EQ(shown("short"), "\"short\"");
  EXPECT_EQ(shown(0.1), "0.1");
  EXPECT_EQ(shown(9007199254740992.0), "9007199254740992");
}

TEST(Nearest, IsWithinTwoEdits) {
  constexpr std::array<std::string_view, 3> kNames = {"file", "session.start", "api"};
  EXPECT_EQ(nearest("fiel", kNames), "file");
  EXPECT_EQ(nearest("session.strat", kNames), "session.start");
  EXPECT_EQ(nearest("session_start", kNames), "session.start");
  EXPECT_EQ(nearest("progress", kNames), "");
  EXPECT_EQ(nearest("", kNames), "");
  EXPECT_EQ(nearest(std::string(100'000, 'f'), kNames), "");
}

}  // namespace
}  // namespace agent::wire
