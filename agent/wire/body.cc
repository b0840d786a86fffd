#include "agent/wire/body.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "agent/wire/reply.h"
#include "agent/wire/text.h"

namespace agent::wire {
namespace {

using progress::Rejection;
using progress::RejectReason;
using tracker::Tracker;

// What one step takes: as much as one read of a socket.
constexpr std::size_t kStepBytes = ReadBuffer::kBytes;
// Elements whose places are remembered: 64 KiB of them.
constexpr std::size_t kMostFirst = 4096;

Rejection too_deep() {
  return {RejectReason::kTooDeep, "",
          concat({"nested more than ", std::to_string(kMaxDepth), " deep; flatten it"})};
}

Rejection broken_document() {
  return {
      RejectReason::kInvalidJson, "",
      "not valid JSON: the document ends too early, or a comma or bracket is missing or misplaced "
      "here; nothing of it was applied"};
}

}  // namespace

std::optional<BodyKind> body_kind(std::string_view content_type) {
  std::string type(content_type.substr(0, content_type.find(';')));
  type.erase(type.find_last_not_of(" \t") + 1);
  std::transform(type.begin(), type.end(), type.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (type == "application/x-ndjson") return BodyKind::kLines;
  if (type == "application/json") return BodyKind::kDocument;
  return std::nullopt;
}

Body::Body(Intake& intake, BodyKind kind, std::string bytes)
    : intake_(intake),
      bytes_(std::move(bytes)),
      size_(bytes_.size()),
      phase_(kind == BodyKind::kLines ? Phase::kLines : Phase::kCheck),
      framer_(intake.max_line_bytes()),
      elements_({}),
      others_({}) {
  bytes_.append(kPadding, '\0');
  elements_ = others_ = Elements(std::string_view(bytes_).substr(0, size_));
}

bool Body::step(Now now) {
  Tracker::Batch batch(intake_.tracker(), now);
  revision_ = batch.revision();
  switch (phase_) {
    case Phase::kLines:
      return step_lines(batch, now);
    case Phase::kCheck:
      return step_check(batch, now);
    case Phase::kApply:
      break;
  }
  return step_apply(batch, now);
}

bool Body::step_lines(Tracker::Batch& batch, Now now) {
  const std::size_t piece = std::min(kStepBytes, size_ - fed_);
  framer_.feed(std::span(bytes_).subspan(fed_, piece));
  fed_ += piece;
  while (const auto line = framer_.next()) take(*line, batch, now);
  if (fed_ < size_) return true;
  if (const auto line = framer_.finish()) take(*line, batch, now);
  return false;
}

// Nothing of a document is applied before all of it is known to be JSON.
bool Body::step_check(Tracker::Batch& batch, Now now) {
  for (std::size_t seen = 0; seen < kStepBytes;) {
    const auto element = elements_.next();
    if (!element) break;
    seen += element->size();
    if (first_.size() < kMostFirst) {
      first_.push_back(*element);
      others_ = elements_;
    }
    if (elements_.depth() > kMaxDepth) return refuse_document(too_deep());
    if (elements_.is_plain()) continue;
    if (element->size() > intake_.max_line_bytes()) continue;  // refused by itself, later
    auto checked = intake_.check_syntax(*element);
    if (!checked) return refuse_document(checked.error());
  }
  if (elements_.is_broken()) return refuse_document(broken_document());
  if (!elements_.is_over()) return true;
  phase_ = Phase::kApply;
  return step_apply(batch, now);
}

std::optional<Line> Body::next_checked() {
  const bool is_first = applied_ < first_.size();
  const auto element = is_first ? std::optional(first_[applied_]) : others_.next();
  if (!element) return std::nullopt;
  return Line{*element, ++applied_, element->size() > intake_.max_line_bytes()};
}

bool Body::step_apply(Tracker::Batch& batch, Now now) {
  for (std::size_t seen = 0; seen < kStepBytes;) {
    const auto element = next_checked();
    if (!element) return false;
    seen += element->text.size();
    take(*element, batch, now);
  }
  return true;
}

void Body::take(const Line& line, Tracker::Batch& batch, Now now) {
  const auto taken = intake_.take(Source::kHttp, line, batch, now);
  if (taken) {
    ++accepted_;
    acknowledge(taken->producer, taken->seq);
  } else {
    acknowledge(taken.error().producer, taken.error().seq);
    refuse(line.number, taken.error().rejection);
  }
}

bool Body::refuse_document(const Rejection& rejection) {
  intake_.count_refused(Source::kHttp, rejection.reason);
  refuse(elements_.number(), rejection);
  return false;
}

void Body::refuse(std::uint64_t line, const Rejection& rejection) {
  ++rejected_;
  if (rejected_ > kMaxErrors) return;
  if (!errors_.empty()) errors_ += ',';
  append_error(errors_, line, rejection);
}

void Body::acknowledge(std::string_view producer, std::optional<std::int64_t> seq) {
  if (producer.empty() || !seq) return;
  auto known = acks_.find(producer);
  if (known == acks_.end()) known = acks_.emplace(producer, 0).first;
  known->second = std::max(known->second, *seq);
}

BodyReply Body::reply() const {
  BodyReply reply{200, {}, revision_, !acks_.empty()};
  if (accepted_ == 0 && rejected_ > 0) reply.status = 400;
  reply.json = concat({"{\"accepted\":", std::to_string(accepted_),
                       ",\"rejected\":", std::to_string(rejected_), ",\"errors\":[", errors_, "]"});
  if (!acks_.empty()) reply.json += ",\"acks\":{";
  for (auto ack = acks_.begin(); ack != acks_.end(); ++ack) {
    if (ack != acks_.begin()) reply.json += ',';
    append_quoted(reply.json, ack->first);
    reply.json += concat({":", std::to_string(ack->second)});
  }
  reply.json += acks_.empty() ? "}" : "}}";
  return reply;
}

BodyReply take_body(Intake& intake, BodyKind kind, std::string bytes, Now now) {
  Body body(intake, kind, std::move(bytes));
  while (body.step(now)) {
  }
  return body.reply();
}

}  // namespace agent::wire
