#include "agent/wire/body.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <string>

namespace agent::wire {
namespace {

using namespace std::chrono_literals;

constexpr Now kNow{Instant(1'800'000'000s), SteadyInstant(1000s)};

class Bodies : public testing::Test {
 protected:
  BodyReply lines(std::string bytes) {
    return take_body(intake_, BodyKind::kLines, std::move(bytes), kNow);
  }
  BodyReply document(std::string bytes) {
    return take_body(intake_, BodyKind::kDocument, std::move(bytes), kNow);
  }
  static std::string count(int completed, std::string_view more = "") {
    return R"({"event":"progress","session":"s","completed":)" + std::to_string(completed) +
           std::string(more) + "}";
  }
  std::int64_t completed() {
    const auto session = tracker_.session("s", kNow);
    return session ? session->metrics.count(progress::FileStatus::kCompleted) : -1;
  }
  // "accepted rejected", and the errors as "line code field".
  static std::string summary(const BodyReply& reply) {
    simdjson::dom::parser parser;
    const simdjson::dom::element json = parser.parse(reply.json).value();
    std::string text = std::to_string(reply.status) + " " +
                       std::to_string(json["accepted"].get_int64().value()) + " " +
                       std::to_string(json["rejected"].get_int64().value());
    const simdjson::dom::array errors = json["errors"].get_array().value();
    for (const auto error : errors) {
      text += "; " + std::to_string(error["line"].get_int64().value()) + " " +
              std::string(error["code"].get_string().value());
      std::string_view field;
      if (error["field"].get(field) == simdjson::SUCCESS) text += " " + std::string(field);
      EXPECT_FALSE(error["message"].get_string().value().empty());
    }
    return text;
  }
  std::uint64_t rejected() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t n : intake_.counts().of(Source::kHttp).rejected) sum += n;
    return sum;
  }

  tracker::Tracker tracker_{tracker::Settings{}};
  Intake intake_{tracker_};
};

TEST_F(Bodies, ContentTypes) {
  EXPECT_EQ(body_kind("application/x-ndjson"), BodyKind::kLines);
  EXPECT_EQ(body_kind("Application/X-NDJSON ; charset=utf-8"), BodyKind::kLines);
  EXPECT_EQ(body_kind("application/json"), BodyKind::kDocument);
  EXPECT_EQ(body_kind("application/jsonp"), std::nullopt);
  EXPECT_EQ(body_kind("text/plain"), std::nullopt);
  EXPECT_EQ(body_kind(""), std::nullopt);
}

TEST_F(Bodies, LinesAreTakenOneByOne) {
  EXPECT_EQ(summary(lines(count(1) + "\n\nnonsense\r\n" + count(2) +
                          "\n{\"event\":\"file\",\"session\":\"t\"}")),
            "200 2 2; 3 invalid_json; 5 missing_field file");
  EXPECT_EQ(completed(), 2);
  EXPECT_EQ(rejected(), 2U);
  EXPECT_EQ(intake_.counts().of(Source::kHttp).events[2], 2U);
}

TEST_F(Bodies, TheLastLineNeedsNoNewline) {
  EXPECT_EQ(summary(lines(count(3))), "200 1 0");
  EXPECT_EQ(completed(), 3);
}

TEST_F(Bodies, Statuses) {
  EXPECT_EQ(summary(lines("")), "200 0 0");
  EXPECT_EQ(summary(lines("\n \n")), "200 0 0");
  EXPECT_EQ(summary(document("")), "200 0 0");
  EXPECT_EQ(summary(document("[]")), "200 0 0");
  EXPECT_EQ(summary(lines("x")), "400 0 1; 1 invalid_json");
  EXPECT_EQ(summary(document("x")), "400 0 1; 1 invalid_json");
  EXPECT_EQ(lines("").json, R"({"accepted":0,"rejected":0,"errors":[]})");
}

TEST_F(Bodies, ADocumentHoldsOneEventOrAnArray) {
  EXPECT_EQ(summary(document(count(1))), "200 1 0");
  EXPECT_EQ(summary(document("[" + count(2) + ",\n7, " + count(3) + "]")),
            "200 2 1; 2 not_an_object");
  EXPECT_EQ(completed(), 3);
}

TEST_F(Bodies, ASyntaxFaultInADocumentRefusesAllOfIt) {
  EXPECT_EQ(summary(document("[" + count(1) + ",")), "400 0 1; 2 invalid_json");
  EXPECT_EQ(summary(document("[" + count(1) + ",{\"a\":01}]")), "400 0 1; 2 invalid_json");
  EXPECT_EQ(summary(document("[" + count(1) + ",\"\xff\"]")), "400 0 1; 2 invalid_utf8");
  EXPECT_EQ(summary(document(count(1) + count(2))), "400 0 1; 1 invalid_json");
  EXPECT_EQ(
      summary(document("[" + count(1) + "," + std::string(32, '[') + std::string(32, ']') + "]")),
      "400 0 1; 2 too_deep");
  EXPECT_EQ(completed(), -1);
  EXPECT_EQ(rejected(), 5U);
  EXPECT_EQ(
      summary(document("[" + count(1) + "," + std::string(31, '[') + std::string(31, ']') + "]")),
      "200 1 1; 2 not_an_object");
}

TEST_F(Bodies, WhatIsTooLongCostsItselfOnly) {
  const std::string text = "{\"event\":\"" + std::string(intake_.max_line_bytes(), 'x') + "\"}";
  EXPECT_EQ(summary(lines(text + "\n" + count(1))), "200 1 1; 1 line_too_long");
  EXPECT_EQ(summary(document("[" + text + "," + count(2) + "]")), "200 1 1; 1 line_too_long");
  EXPECT_EQ(completed(), 2);
}

TEST_F(Bodies, OnlyTheFirstErrorsAreListed) {
  std::string body;
  for (int i = 0; i < 250; ++i) body += "[]\n";
  const BodyReply reply = lines(body);
  simdjson::dom::parser parser;
  const simdjson::dom::element json = parser.parse(reply.json).value();
  EXPECT_EQ(json["rejected"].get_int64().value(), 250);
  EXPECT_EQ(json["errors"].get_array().value().size(), 100U);
}

TEST_F(Bodies, Acknowledgements) {
  const auto seq = [](int n, std::string_view producer) {
    return count(n, ",\"seq\":" + std::to_string(n) + ",\"producer\":\"" + std::string(producer) +
                        "\"") +
           "\n";
  };
  const BodyReply first = lines(seq(1, "a") + seq(2, "a") + seq(7, "b\\\"q"));
  EXPECT_EQ(first.json, R"({"accepted":3,"rejected":0,"errors":[],"acks":{"a":2,"b\"q":7}})");
  EXPECT_LE(first.revision, tracker_.durable());
  EXPECT_EQ(lines(seq(1, "a") + seq(2, "a")).json,
            R"({"accepted":2,"rejected":0,"errors":[],"acks":{"a":2}})");
  EXPECT_EQ(intake_.counts().of(Source::kHttp).duplicates, 2U);
}

TEST_F(Bodies, ARefusedEventUsesUpItsSeq) {
  const BodyReply reply = lines(R"({"event":"file","session":"s","producer":"a","seq":3})");
  EXPECT_EQ(summary(reply), "400 0 1; 1 missing_field file");
  EXPECT_NE(reply.json.find("\"acks\":{\"a\":3}"), std::string::npos);
  EXPECT_EQ(tracker_.last_seq("a"), 3);
}

TEST_F(Bodies, HelloBelongsToTheStream) {
  EXPECT_EQ(summary(lines(R"({"event":"hello","producer":"a","ack":true})")),
            "400 0 1; 1 invalid_field event");
}

// A body of many steps is the same as one taken whole.
TEST_F(Bodies, LargeBodiesAreTakenInSteps) {
  std::string body = "[" + count(0);
  std::string ndjson = count(0);
  int events = 1;
  for (; body.size() < 3 * ReadBuffer::kBytes; ++events) {
    body += "," + count(events);
    ndjson += "\n" + count(events);
  }
  for (const auto& [kind, bytes] :
       {std::pair(BodyKind::kDocument, body + "]"), std::pair(BodyKind::kLines, ndjson)}) {
    Body whole(intake_, kind, bytes);
    int steps = 1;
    while (whole.step(kNow)) ++steps;
    EXPECT_GE(steps, 3);
    EXPECT_EQ(summary(whole.reply()), "200 " + std::to_string(events) + " 0");
  }
  EXPECT_EQ(completed(), events - 1);
}

// More elements than Body remembers the places of, not all of them plain.
TEST_F(Bodies, LargeArraysAreAllOrNothing) {
  constexpr int kEvents = 10'000;
  std::string body;
  for (int i = 0; i < kEvents; ++i) body += (i % 7 == 0 ? count(i, ",\"x\":[]") : count(i)) + ",\n";
  EXPECT_EQ(summary(document("[" + body + "{\"a\":}]")),
            "400 0 1; " + std::to_string(kEvents + 1) + " invalid_json");
  EXPECT_EQ(completed(), -1);
  const std::string long_one = "{\"event\":\"" + std::string(intake_.max_line_bytes(), 'x') + "\"}";
  EXPECT_EQ(summary(document("[7," + body + long_one + "," + count(kEvents) + ",8]")),
            "200 " + std::to_string(kEvents + 1) + " 3; 1 not_an_object; " +
                std::to_string(kEvents + 2) + " line_too_long; " + std::to_string(kEvents + 4) +
                " not_an_object");
  EXPECT_EQ(completed(), kEvents);
}

TEST_F(Bodies, LineNumbersGoOnOverSteps) {
  std::string body;
  int line = 0;
  while (body.size() < ReadBuffer::kBytes) {
    body += count(1) + "\n";
    ++line;
  }
  EXPECT_EQ(summary(lines(body + "x\n")),
            "200 " + std::to_string(line) + " 1; " + std::to_string(line + 1) + " invalid_json");
}

}  // namespace
}  // namespace agent::wire
