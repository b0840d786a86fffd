// Intake: a line becomes an event, is applied, and is counted: what the stream and datagram
// sockets, HTTP and replay have in common. One per event loop, with the decoder and the read buffer
// that everything on the loop shares. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "agent/clock.h"
#include "agent/progress/event.h"
#include "agent/result.h"
#include "agent/tracker/tracker.h"
#include "agent/wire/counts.h"
#include "agent/wire/decode.h"
#include "agent/wire/framer.h"

namespace agent::wire {

// A line that was not refused: an event, now applied (or known already), or a hello to be answered.
// The views are valid until the next line.
struct Taken {
  std::optional<Hello> hello;
  std::string_view producer;        // empty: none
  std::optional<std::int64_t> seq;  // used up, whether applied or not
};

// A line that was refused.
struct Refused {
  progress::Rejection rejection;
  std::string_view producer;
  std::optional<std::int64_t> seq;  // used up
};

class Intake {
 public:
  explicit Intake(tracker::Tracker& tracker, std::size_t max_line_bytes = kDefaultMaxLineBytes);
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;

  // Takes one line (kPadding readable bytes after it) into `batch`. `stream_producer`: of the
  // stream's hello, to whom its events belong; empty without one.
  Result<Taken, Refused> take(Source source, const Line& line, tracker::Tracker::Batch& batch,
                              Now now, std::string_view stream_producer = {});

  // Whether `json` is valid JSON, whatever it means; not counted.
  [[nodiscard]] Result<void, progress::Rejection> check_syntax(std::string_view json) {
    return decoder_.check_syntax(json);
  }

  // A whole document that was refused.
  void count_refused(Source source, progress::RejectReason reason);

  [[nodiscard]] std::size_t max_line_bytes() const { return max_line_bytes_; }
  [[nodiscard]] tracker::Tracker& tracker() { return tracker_; }
  // For bytes just read; good until somebody else reads.
  [[nodiscard]] ReadBuffer& buffer() { return buffer_; }
  [[nodiscard]] Counts& counts() { return counts_; }
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  Refused refuse(Source source, progress::Rejection rejection, tracker::Tracker::Batch& batch,
                 std::string_view stream_producer);
  Refused count(Source source, Refused refused);

  tracker::Tracker& tracker_;
  const std::size_t max_line_bytes_;
  Decoder decoder_;
  ReadBuffer buffer_;
  Counts counts_;
};

}  // namespace agent::wire
