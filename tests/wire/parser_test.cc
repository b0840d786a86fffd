#include "agent/wire/parser.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/wire/padded.h"

namespace agent::wire {
namespace {

constexpr std::size_t kMaxBytes = 1 << 20;

// The code of the refusal; "good" without one.
std::string outcome(Parser& parser, std::string_view json) {
  const Padded line(json);
  const auto root = parser.parse(line.view());
  return root ? "good" : std::string(progress::name_of(root.error().reason));
}

std::string nested(char open, char close, std::size_t depth, std::string_view inside) {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i) text += open == '{' ? "{\"a\":" : "[";
  text += inside;
  return text + std::string(depth, close);
}

TEST(Parser, NamesTheFault) {
  Parser parser(kMaxBytes);
  EXPECT_EQ(outcome(parser, R"({"a":1})"), "good");
  EXPECT_EQ(outcome(parser, "{\"a\":\"\xff\"}"), "invalid_utf8");
  EXPECT_EQ(outcome(parser, "{\"a\":\"\xed\xa0\x80\"}"), "invalid_utf8");
  for (const std::string_view json :
       {"", "{", "}", "{\"a\":1,}", "{\"a\" 1}", "{'a':1}", "{\"a\":NaN}", "{\"a\":Infinity}",
        "{\"a\":-Infinity}", "{\"a\":nul}", "{\"a\":01}", "{\"a\":1.}", "{\"a\":+1}",
        "{\"a\":1e400}", "{\"a\":\"\n\"}", "{\"a\":\"\\x\"}", "{\"a\":\"open}", "{}{}",
        "\xef\xbb\xbf{}"}) {
    EXPECT_EQ(outcome(parser, json), "invalid_json") << json;
  }
}

TEST(Parser, RefusesLoneSurrogates) {
  Parser parser(kMaxBytes);
  EXPECT_EQ(outcome(parser, R"("\ud83c\udf89")"), "good");
  for (const std::string_view json :
       {R"("\ud83c")", R"("\udf89")", R"("\udf89\ud83c")", R"("\ud83c\ud83c")", R"("\ud83c\u0041")",
        R"("\ud83cx")", R"("\ud83c\n")", R"({"\ud83c":1})", R"("\ud83c\udf8")"}) {
    EXPECT_EQ(outcome(parser, json), "invalid_json") << json;
  }
}

TEST(Parser, TakesNestingOfExactlyThirtyTwo) {
  Parser parser(kMaxBytes);
  for (const std::string_view inside : {"", "1", "\"[[[\""}) {
    EXPECT_EQ(outcome(parser, nested('[', ']', 31, inside)), "good") << inside;
    EXPECT_EQ(outcome(parser, nested('[', ']', 32, inside)), "good") << inside;
    EXPECT_EQ(outcome(parser, nested('[', ']', 33, inside)), "too_deep") << inside;
  }
  EXPECT_EQ(outcome(parser, nested('{', '}', 32, "1")), "good");
  EXPECT_EQ(outcome(parser, nested('{', '}', 33, "1")), "too_deep");
  EXPECT_EQ(outcome(parser, nested('{', '}', 31, "{}")), "good");
  EXPECT_EQ(outcome(parser, nested('{', '}', 32, "{}")), "too_deep");
  EXPECT_EQ(outcome(parser, nested('[', ']', 32, "01")), "invalid_json");
  EXPECT_EQ(outcome(parser, nested('[', ']', 10'000, "")), "too_deep");
}

TEST(Parser, TakesIntegersBeyond64Bits) {
  Parser parser(kMaxBytes);
  for (const std::string_view number :
       {"18446744073709551616", "-9223372036854775809", "123456789012345678901234567890",
        "-123456789012345678901234567890"}) {
    const Padded line(std::string("{\"a\":") + std::string(number) +
                      ",\"b\":1e-12345678901234567890}");
    const auto root = parser.parse(line.view());
    ASSERT_TRUE(root.has_value()) << number;
    EXPECT_NEAR((*root)["a"].get_double().value() / std::stod(std::string(number)), 1, 1e-15);
  }
  EXPECT_EQ(outcome(parser, nested('[', ']', 32, "123456789012345678901234567890")), "good");
  EXPECT_EQ(outcome(parser, "[0123456789012345678901234567890]"), "invalid_json");
  EXPECT_EQ(outcome(parser, "[123456789012345678901234567890x]"), "invalid_json");
  EXPECT_EQ(outcome(parser, "[123456789012345678901234567890,01]"), "invalid_json");
}

TEST(Widening, LeavesEverythingElseAsItIs) {
  for (const std::string_view json :
       {R"({"123456789012345678901234567890":"123456789012345678901234567890"})",
        R"("a\"123456789012345678901234567890")", "1.123456789012345678901234567890",
        "123456789012345678901234567890.5", "123456789012345678901234567890e5",
        "123456789012345678", ""}) {
    std::string text(json);
    widen_integers(text);
    EXPECT_EQ(text, json);
  }
}

TEST(Parser, RefusesWhatIsTooLong) {
  Parser parser(10);
  EXPECT_EQ(outcome(parser, "[1,2,3,45]"), "good");
  EXPECT_EQ(outcome(parser, "[1,2,3,456]"), "line_too_long");
  EXPECT_EQ(outcome(parser, "[1,2,3,45]"), "good");
}

// nst/JSONTestSuite: what must be taken is taken, what must be refused is refused, with a syntax
// code, and the parser goes on.
TEST(Parser, AgreesWithJsonTestSuite) {
  Parser parser(kMaxBytes);
  std::size_t seen = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator("tests/vectors/jsontestsuite/test_parsing")) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string json{std::istreambuf_iterator<char>(file), {}};
    const std::string name = entry.path().filename().string();
    const std::string got = outcome(parser, json);
    if (name.starts_with("y_")) {
      EXPECT_EQ(got, "good") << name;
    } else if (name.starts_with("n_")) {
      EXPECT_TRUE(got == "invalid_json" || got == "invalid_utf8" || got == "too_deep")
          << name << ": " << got;
    }
    EXPECT_EQ(outcome(parser, "{}"), "good") << "after " << name;
    ++seen;
  }
  EXPECT_EQ(seen, 318U);
}

}  // namespace
}  // namespace agent::wire
