#include "agent/wire/intake.h"

#include <string>
#include <utility>

#include "agent/wire/text.h"

namespace agent::wire {
namespace {

using progress::Rejection;
using progress::RejectReason;
using tracker::Tracker;

Rejection wrong_producer(std::string_view given, std::string_view own) {
  return {RejectReason::kInvalidField, "producer",
          concat({"\"producer\" is ", shown(given), ", but this stream said hello as ", shown(own),
                  "; open a stream for each producer"})};
}

Rejection misplaced_hello() {
  return {RejectReason::kInvalidField, "event",
          "\"hello\" is for the stream socket alone; here give every event its \"producer\" and "
          "\"seq\""};
}

}  // namespace

Intake::Intake(Tracker& tracker, std::size_t max_line_bytes)
    : tracker_(tracker),
      max_line_bytes_(max_line_bytes),
      decoder_(max_line_bytes),
      buffer_(max_line_bytes) {}

Result<Taken, Refused> Intake::take(Source source, const Line& line, Tracker::Batch& batch, Now now,
                                    std::string_view stream_producer) {
  if (line.is_too_long) return failure(count(source, {line_too_long(max_line_bytes_), {}, {}}));
  const bool has_clock = source != Source::kReplay;
  auto message = decoder_.decode(line.text, has_clock ? std::optional(now.wall) : std::nullopt);
  if (!message) return failure(refuse(source, std::move(message.error()), batch, stream_producer));
  const progress::Event& known = decoder_.event();
  const bool is_foreign = !known.producer.empty() && known.producer != stream_producer;
  if (is_foreign && !stream_producer.empty()) {
    return failure(
        refuse(source, wrong_producer(known.producer, stream_producer), batch, stream_producer));
  }
  if (const auto* hello = std::get_if<Hello>(&*message)) {
    if (source == Source::kUnix || source == Source::kReplay) return Taken{*hello, {}, {}};
    return failure(count(source, {misplaced_hello(), {}, {}}));
  }
  progress::Event& event = *std::get<progress::Event*>(*message);
  if (event.producer.empty()) event.producer = stream_producer;
  auto applied = batch.apply(event);
  if (!applied) {
    return failure(count(source, {std::move(applied.error()), event.producer, event.seq}));
  }
  SourceCounts& counts = counts_.of(source);
  switch (*applied) {
    case progress::Applied::kApplied:
      ++counts.events[event.fact.index()];
      break;
    case progress::Applied::kDuplicate:
      ++counts.duplicates;
      break;
    case progress::Applied::kStale:
      ++counts.stale;
      break;
  }
  return Taken{{}, event.producer, event.seq};
}

// Refuses what never became an event: its seq, as far as it could be read, is used up all the same.
Refused Intake::refuse(Source source, Rejection rejection, Tracker::Batch& batch,
                       std::string_view stream_producer) {
  const progress::Event& known = decoder_.event();
  // What comes on a stream belongs to the producer of its hello, whatever it claims.
  const std::string_view producer = stream_producer.empty() ? known.producer : stream_producer;
  batch.refuse(known.session, producer, known.seq, rejection.reason);
  return count(source, {std::move(rejection), producer, known.seq});
}

Refused Intake::count(Source source, Refused refused) {
  count_refused(source, refused.rejection.reason);
  // What was shed is to be sent again, under the same number.
  if (refused.rejection.reason == RejectReason::kOverloaded) refused.seq.reset();
  return refused;
}

void Intake::count_refused(Source source, RejectReason reason) {
  ++counts_.of(source).rejected[static_cast<std::size_t>(reason)];
}

}  // namespace agent::wire
