#include "agent/wire/dialogue.h"

#include <algorithm>
#include <utility>

#include "agent/wire/reply.h"

namespace agent::wire {
namespace {

using progress::Rejection;
using tracker::Revision;
using tracker::Tracker;

// A reply is longer than the shortest line, so what is read at once bounds what must be said.
constexpr std::size_t kSmallPiece = 4096;
// More batches than this wait together; the storage commits many at once anyway.
constexpr std::size_t kMaxPromises = 64;

}  // namespace

std::size_t Dialogue::appetite() const {
  const bool may_reply_to_each = !has_heard_ || mode_ == AckMode::kEach;
  return may_reply_to_each ? kSmallPiece : ReadBuffer::kBytes;
}

bool Dialogue::wants_input() const {
  return mode_ != AckMode::kEach || is_mute_ ||
         out_.size() - out_sent_ + promised_bytes_ < kMaxUnsent;
}

void Dialogue::hear(std::size_t bytes, Now now) {
  has_heard_ = true;
  framer_.feed(intake_.buffer().room().first(bytes));
  std::optional<Tracker::Batch> batch;
  while (const auto line = framer_.next()) {
    if (!batch) batch.emplace(intake_.tracker(), now);
    take(*line, batch, now);
  }
  if (!batch) return;
  current_.revision = batch->revision();
  batch.reset();
  promise(std::exchange(current_, {}));
  release(intake_.tracker().durable());
}

void Dialogue::hear_end() {
  if (std::exchange(has_ended_, true)) return;
  if (framer_.finish()) ++intake_.counts().of(Source::kUnix).unfinished_lines;
}

void Dialogue::take(const Line& line, std::optional<Tracker::Batch>& batch, Now now) {
  const auto taken = intake_.take(Source::kUnix, line, *batch, now, producer_);
  if (!taken) return refuse(line, taken.error());
  if (!taken->hello) return accept(line, *taken);
  greet(*taken->hello, batch, now);
}

void Dialogue::accept(const Line& line, const Taken& taken) {
  switch (mode_) {
    case AckMode::kNone:
      break;
    case AckMode::kCumulative:
      acknowledge(taken.seq);
      break;
    case AckMode::kEach:
      taken.seq ? append_ack_line(current_.text, *taken.seq)
                : append_ok_line(current_.text, line.number);
      break;
  }
}

void Dialogue::refuse(const Line& line, const Refused& refused) {
  if (mode_ == AckMode::kCumulative) acknowledge(refused.seq);
  say_error(line.number, refused.rejection);
}

void Dialogue::acknowledge(std::optional<std::int64_t> seq) {
  if (!seq) return;
  last_seq_ = std::max(last_seq_, *seq);
  current_.ack = last_seq_;
}

// An error needs no commit, but with a reply to each line it keeps its place among them.
void Dialogue::say_error(std::uint64_t line, const Rejection& rejection) {
  std::uint64_t& dropped = intake_.counts().of(Source::kUnix).dropped_replies;
  if (mode_ == AckMode::kEach && !is_mute_) {
    append_error_line(current_.text, line, rejection);
  } else if (is_mute_ || out_.size() - out_sent_ >= kMaxUnsent) {
    ++dropped;
  } else {
    append_error_line(out_, line, rejection);
  }
}

// What the welcome says was applied must be durable before it is said.
void Dialogue::greet(const Hello& hello, std::optional<Tracker::Batch>& batch, Now now) {
  producer_ = hello.producer;
  mode_ = hello.ack;
  current_.revision = batch->revision();
  batch.reset();  // last_seq takes the lock, too
  Tracker& tracker = intake_.tracker();
  last_seq_ = tracker.last_seq(producer_);
  append_welcome_line(current_.text, producer_, last_seq_, tracker.durable_means_committed());
  promise(std::exchange(current_, {}));
  batch.emplace(tracker, now);
}

void Dialogue::promise(Promise promise) {
  if (is_mute_ || (promise.text.empty() && !promise.ack)) return;
  promised_bytes_ += promise.text.size();
  if (promises_.size() < kMaxPromises) {
    promises_.push_back(std::move(promise));
    return;
  }
  Promise& last = promises_.back();
  last.revision = promise.revision;
  last.text += promise.text;
  if (promise.ack) last.ack = promise.ack;
}

void Dialogue::release(Revision durable) {
  while (!promises_.empty() && promises_.front().revision <= durable) {
    Promise& kept = promises_.front();
    promised_bytes_ -= kept.text.size();
    out_ += kept.text;
    if (kept.ack) ack_ = kept.ack;
    promises_.pop_front();
  }
}

std::string_view Dialogue::unsent() {
  // One acknowledgement at a time: while it is not sent, newer ones replace each other in ack_.
  if (ack_ && !ack_in_out_) {
    append_ack_line(out_, *std::exchange(ack_, std::nullopt));
    ack_in_out_ = true;
  }
  return std::string_view(out_).substr(out_sent_);
}

void Dialogue::sent(std::size_t bytes) {
  out_sent_ += bytes;
  if (out_sent_ < out_.size()) {
    if (out_sent_ >= kMaxUnsent) out_.erase(0, std::exchange(out_sent_, 0));
    return;
  }
  constexpr std::size_t kWorthKeeping = 4096;
  if (out_.capacity() > kWorthKeeping) out_ = {};
  out_.clear();
  out_sent_ = 0;
  ack_in_out_ = false;
}

void Dialogue::mute() {
  const auto lines =
      std::count(out_.begin() + static_cast<std::ptrdiff_t>(out_sent_), out_.end(), '\n');
  intake_.counts().of(Source::kUnix).dropped_replies += static_cast<std::uint64_t>(lines);
  is_mute_ = true;
  promises_.clear();
  promised_bytes_ = 0;
  ack_.reset();
  sent(out_.size() - out_sent_);
}

bool Dialogue::is_settled() const {
  return promises_.empty() && out_.size() == out_sent_ && (!ack_ || is_mute_);
}

}  // namespace agent::wire
