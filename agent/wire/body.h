// Body: one request of `POST /v1/events`, from its bytes to the reply (contract, section 2). Used
// by the HTTP ingest; knows no HTTP but the status. Works in steps, so that a large body does not
// hold up the loop. Event loop only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/clock.h"
#include "agent/tracker/tracker.h"
#include "agent/wire/elements.h"
#include "agent/wire/framer.h"
#include "agent/wire/intake.h"

namespace agent::wire {

enum class BodyKind : std::uint8_t {
  kLines,     // application/x-ndjson: an event per line
  kDocument,  // application/json: one event, or an array of them; all or nothing as to syntax
};
// By a request's Content-Type, parameters aside; empty: another one, to be answered with 415.
[[nodiscard]] std::optional<BodyKind> body_kind(std::string_view content_type);

struct BodyReply {
  int status = 200;                // 200, or 400 when all was refused
  std::string json;                // {"accepted":N,"rejected":M,"errors":[…],"acks":{…}?}
  tracker::Revision revision = 0;  // what it is about
  bool acknowledges = false;       // to be sent once that is durable
};

class Body {
 public:
  static constexpr std::size_t kMaxErrors = 100;  // listed; the others are only counted

  Body(Intake& intake, BodyKind kind, std::string bytes);

  // Takes the next part; true: there is more.
  bool step(Now now);
  // Once all is taken.
  [[nodiscard]] BodyReply reply() const;

 private:
  bool step_lines(tracker::Tracker::Batch& batch, Now now);
  bool step_check(tracker::Tracker::Batch& batch, Now now);
  bool step_apply(tracker::Tracker::Batch& batch, Now now);
  void take(const Line& line, tracker::Tracker::Batch& batch, Now now);
  bool refuse_document(const progress::Rejection& rejection);  // false: there is no more
  void refuse(std::uint64_t line, const progress::Rejection& rejection);
  void acknowledge(std::string_view producer, std::optional<std::int64_t> seq);

  std::optional<Line> next_checked();  // the next element of a document that was checked

  enum class Phase : std::uint8_t { kLines, kCheck, kApply };

  Intake& intake_;
  std::string bytes_;  // with kPadding behind the body
  std::size_t size_;   // of the body
  Phase phase_;
  Framer framer_;        // kLines
  std::size_t fed_ = 0;  // bytes of the body, to the framer
  Elements elements_;    // kCheck, kApply
  // Of a document, the first elements, so that most are looked for once; what comes after them; and
  // how many were applied.
  std::vector<std::string_view> first_;
  Elements others_;
  std::size_t applied_ = 0;

  std::uint64_t accepted_ = 0, rejected_ = 0;
  std::string errors_;
  std::map<std::string, std::int64_t, std::less<>> acks_;  // by producer
  tracker::Revision revision_ = 0;
};

// The whole at once.
[[nodiscard]] BodyReply take_body(Intake& intake, BodyKind kind, std::string bytes, Now now);

}  // namespace agent::wire
