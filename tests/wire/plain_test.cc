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

// A field as KeyOrder tells it.
std::string name_of(std::size_t field) {
  return field < kEventKeys.size() ? std::string(kEventKeys.at(field)) : "unknown";
}

// Empty: it is not plain.
std::optional<Read> read(KeyOrder<EventKey>& order, std::string_view json) {
  const Padded line(json);
  std::deque<std::pair<std::size_t, Value>> values;
  const bool is_plain = read_plain(line.view(), order, [&](std::size_t field) -> Value& {
    return values.emplace_back(field, Value()).second;
  });
  if (!is_plain) return std::nullopt;
  Read fields;
  for (const auto& [field, value] : values) {
    fields.emplace_back(name_of(field), value.is_null() ? "null" : spelt(value));
  }
  return fields;
}
std::optional<Read> read(std::string_view json) {
  KeyOrder<EventKey> order;
  return read(order, json);
}

// What the parser makes of it; empty: it is no object.
std::optional<Read> parse(Parser& parser, std::string_view json) {
  const Padded line(json);
  const auto root = parser.parse(line.view());
  simdjson::dom::object object;
  if (!root || root->get(object) != simdjson::SUCCESS) return std::nullopt;
  Read fields;
  for (const auto field : object) {
    fields.emplace_back(name_of(kKeyTable<EventKey>.find(field.key)),
                        field.value.is_null() ? "null" : spelt(field.value));
  }
  return fields;
}

const std::array kPlain = {
    R"({"event":"file","ts":1767603605.251,"session":"batch-001","file":"a.pdf","progress":11.1})",
    R"( { "event" : "api", "ok": true, "late":false , "cost":0.0970,"error":null,"tokens":12345 } )",
    R"({"event":"file","ts":1767603605.251,"session":"batch-001","file":"b.pdf","bytes":11})",
    R"({"seq":0,"cost":0.5,"tokens":999999999999999,"quality":0.00000000000001,"stage":""})",
    R"({"text of sixteen b":"exactly eight!!!","a":"1234567","file":"12345678","c":"123456789"})",
    R"({"enablePersistence":true,"memoryLimitBytes":1,"memoryBytes":2,"limit":3,"file":"a","file":"b"})",
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

TEST(Plain, KnowsFieldsByWhatCameBefore) {
  Parser parser(kMaxBytes);
  KeyOrder<EventKey> order;
  for (int round = 0; round < 3; ++round) {
    for (const std::string_view json : kPlain) {
      EXPECT_EQ(read(order, json), parse(parser, json)) << json;
    }
  }
}

// What lies behind a line is the next one, or an older one: never part of it.
TEST(Plain, EndsWhereItsTextEnds) {
  for (const std::string_view json : kPlain) {
    const Padded line(json);
    KeyOrder<EventKey> order;
    for (std::size_t size = 0; size < json.size(); ++size) {
      Value value;
      const bool is_plain = read_plain(line.view().substr(0, size), order,
                                       [&](std::size_t) -> Value& { return value; });
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
  KeyOrder<EventKey> order;
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
    const auto fields = read(order, json);
    if (!fields) continue;
    ++plain;
    ASSERT_EQ(fields, parse(parser, json)) << json;
  }
  EXPECT_GT(plain, 20'000U);
}

}  // namespace
}  // namespace agent::wire
