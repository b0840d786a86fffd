// Dialogue: what is said on one stream (contract, section 2). Bytes in, through the intake; replies
// out, bounded whatever the client does: error replies that do not fit are dropped and counted,
// acknowledgements are coalesced, and a client that wants a reply to each line is not read from
// while it does not read. Knows no socket. Event loop only.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "agent/clock.h"
#include "agent/tracker/tracker.h"
#include "agent/wire/decode.h"
#include "agent/wire/framer.h"
#include "agent/wire/intake.h"

namespace agent::wire {

class Dialogue {
 public:
  static constexpr std::size_t kMaxUnsent = std::size_t{64} * 1024;  // bytes of replies

  explicit Dialogue(Intake& intake) : intake_(intake), framer_(intake.max_line_bytes()) {}

  // How much to read at most. Little while every line may want a reply, so that replies stay
  // bounded.
  [[nodiscard]] std::size_t appetite() const;
  // False: the client must first read what it was sent.
  [[nodiscard]] bool wants_input() const;
  // Takes what was read to the beginning of the intake's buffer.
  void hear(std::size_t bytes, Now now);
  // The client will send no more.
  void hear_end();

  // The producer that said hello; empty: none yet. Set once.
  [[nodiscard]] std::string_view producer() const { return producer_; }

  // Everything up to `durable` is durable: what waited for it may be said.
  void release(tracker::Revision durable);

  // Replies to be sent now, whole lines but for what was sent of them. Valid until the next call.
  [[nodiscard]] std::string_view unsent();
  void sent(std::size_t bytes);
  // The client reads no more: replies are dropped from now on, errors among them counted.
  void mute();
  // Nothing is left to say.
  [[nodiscard]] bool is_settled() const;

 private:
  // What may be said once its revision is durable.
  struct Promise {
    tracker::Revision revision = 0;
    std::string text;                 // whole lines
    std::optional<std::int64_t> ack;  // cumulative
  };

  void take(const Line& line, std::optional<tracker::Tracker::Batch>& batch, Now now);
  void accept(const Line& line, const Taken& taken);
  void refuse(const Line& line, const Refused& refused);
  void acknowledge(std::optional<std::int64_t> seq);
  void greet(const Hello& hello, std::optional<tracker::Tracker::Batch>& batch, Now now);
  void promise(Promise promise);
  void say_error(std::uint64_t line, const progress::Rejection& rejection);

  Intake& intake_;
  Framer framer_;
  AckMode mode_ = AckMode::kNone;
  bool has_heard_ = false, has_ended_ = false;
  bool is_mute_ = false;
  std::string producer_;
  std::int64_t last_seq_ = 0;  // of the producer, as far as this stream knows

  Promise current_;               // of the batch under way
  std::deque<Promise> promises_;  // the earliest first; bounded
  std::size_t promised_bytes_ = 0;
  std::optional<std::int64_t> ack_;  // durable, not yet in out_
  bool ack_in_out_ = false;
  std::string out_;
  std::size_t out_sent_ = 0;  // bytes at the beginning of out_
};

}  // namespace agent::wire
