#include "agent/wire/plain.h"

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "agent/wire/parser.h"
#include "tests/wire/padded.h"

namespace agent::wire {
namespace {

constexpr std::size_t kMaxBytes = 1 << 16;

// A value as text, with its type.
std::string spelt(const Value& value) {
  std::string_view text;
  std::int64_t integer = 0;
  double real = 0;
  bool flag = false;
  if (value.get(text) == simdjson::SUCCESS) return "text " + std::string(text);
  if (value.get(integer) == simdjson::SUCCESS) return "integer " + std::to_string(integer);
  if (value.get(flag) == simdjson::SUCCESS) return flag ? "true" : "false";
  if (value.get(real) != simdjson::SUCCESS) return "something else";
  std::array<char, 64> hex{};
  std::snprintf(hex.data(), hex.size(), "real %a", real);
  return hex.data();
}

using Read = std::vector<std::pair<std::string, std::string>>;

// Empty: it is not plain.
std::optional<Read> read(std::string_view json) {
  const Padded line(json);
  std::deque<std::pair<std::string, Value>> values;
  const bool is_plain = read_plain(line.view(), [&](std::string_view key) -> Value& {
    return values.emplace_back(key, Value()).second;
  });
  if (!is_plain) return std::nullopt;
  Read fields;
  for (const auto& [key, value] : values) {
    fields.emplace_back(key, value.is_null() ? "null" : spelt(value));
  }
  return fields;
}

// What the parser makes of it; empty: it is no object.
std::optional<Read> parse(Parser& parser, std::string_view json) {
  const Padded line(json);
  const auto root = parser.parse(line.view());
  simdjson::dom::object object;
  if (!root || root->get(object) != simdjson::SUCCESS) return std::nullopt;
  Read fields;
  for (const auto field : object) {
    fields.emplace_back(field.key, field.value.is_null() ? "null" : spelt(field.value));
  }
  return fields;
}

const std::array kPlain = {
    R"({"event":"file","ts":1767603605.251,"session":"batch-001","file":"a.pdf","progress":11.1})",
    R"( { "event" : "api", "ok": true, "late":false , "cost":0.0970,"error":null,"tokens":12345 } )",
    R"({"zero":0,"point":0.5,"most":999999999999999,"small":0.00000000000001,"empty":""})",
    R"({"text of sixteen b":"exactly eight!!!","a":"1234567","b":"12345678","c":"123456789"})",
    R"({})",
};

TEST(Plain, ReadsWhatNearlyEveryEventIs) {
  Parser parser(kMaxBytes);
  for (const std::string_view json : kPlain) {
    ASSERT_TRUE(read(json)) << json;
    EXPECT_EQ(read(json), parse(parser, json)) << json;
  }
}

TEST(Plain, LeavesTheRestToTheParser) {
  for (const std::string_view json : {
           R"({"a":[1]})",
           R"({"a":{}})",
           R"({"a":"x\ny"})",
           R"({"a":"é"})",
           R"({"a":-1})",
           R"({"a":1e3})",
           R"({"a":01})",
           R"({"a":1.})",
           R"({"a":.5})",
           R"({"a":1.5e3})",
           R"({"a":1,})",
           R"({,"a":1})",
           R"({"a" 1})",
           R"({"a":1 "b":2})",
           R"({"a":1}x)",
           R"({"a":1)",
           R"({"a":"open)",
           R"({"a":"open})",
           R"({"a)",
           R"({a:1})",
           R"({"a":nul})",
           R"({"a":truely})",
           R"([1])",
           R"("a")",
           R"()",
           R"({)",
           R"({"a":1}{})",
           R"({"a":0x1})",
           "{\"a\":\"\t\"}",
           "{\"a\":\"\x7f\"}",
           "{\"a\":\"\x7f\x80\"}",
           R"({"a":1234567890123456})",
           R"({"a":1.234567890123456})",
           R"({"a":"\u0041"})",
           R"({"a":NaN})",
       }) {
    EXPECT_FALSE(read(json)) << json;
  }
}

// What lies behind a line is the next one, or an older one: never part of it.
TEST(Plain, EndsWhereItsTextEnds) {
  for (const std::string_view json : kPlain) {
    const Padded line(json);
    for (std::size_t size = 0; size < json.size(); ++size) {
      Value value;
      const bool is_plain = read_plain(line.view().substr(0, size),
                                       [&](std::string_view) -> Value& { return value; });
      const bool is_whole = json.substr(size).find('}') == std::string_view::npos;
      EXPECT_TRUE(!is_plain || is_whole) << json.substr(0, size);
    }
  }
}

// Whatever is done to an event: what is read is what the parser reads.
TEST(Plain, NeverReadsWhatTheParserDoesNot) {
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same lines every time
  const auto below = [&](std::size_t n) { return random() % n; };
  constexpr std::string_view kBytes =
      "\"\\{}[]:,.-+eE0123456789 \t\ntfnula\x01\x1f\x20\x7f\x80\xc3\xa9";
  Parser parser(kMaxBytes);
  std::size_t plain = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string json = kPlain[below(kPlain.size())];
    for (std::size_t edits = 1 + below(3); edits > 0 && !json.empty(); --edits) {
      const std::size_t at = below(json.size());
      const char c = kBytes[below(kBytes.size())];
      switch (below(3)) {
        case 0:
          json[at] = c;
          break;
        case 1:
          json.insert(at, 1, c);
          break;
        default:
          json.erase(at, 1 + below(3));
      }
    }
    const auto fields = read(json);
    if (!fields) continue;
    ++plain;
    ASSERT_EQ(fields, parse(parser, json)) << json;
  }
  EXPECT_GT(plain, 20'000U);
}

}  // namespace
}  // namespace agent::wire
