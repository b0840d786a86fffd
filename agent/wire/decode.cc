#include "agent/wire/decode.h"

#include <string>

#include "agent/wire/text.h"

namespace agent::wire {
namespace {

using progress::Rejection;
using progress::RejectReason;
using Key = EventKey;

constexpr std::string_view kHello = "hello";
constexpr auto kAlternatives = std::make_index_sequence<std::variant_size_v<progress::Fact>>{};

// Where a fact is read to: as new, but for FileProgressed, which nearly every event is and whose
// `read` writes every field. To clear it first would be a tenth of reading an event.
template <std::size_t I>
auto& place_for(progress::Fact& fact) {
  using Read = std::variant_alternative_t<I, progress::Fact>;
  if constexpr (std::is_same_v<Read, progress::FileProgressed>) {
    if (auto* last = std::get_if<I>(&fact)) return *last;
  }
  return fact.emplace<I>();
}

void refuse_unknown(std::string_view name, Fault& fault) {
  std::vector<std::string_view> known(progress::kEventNames.begin(), progress::kEventNames.end());
  known.push_back(kHello);
  std::string wrong = concat({"is no event of this agent: ", shown(name)});
  if (const std::string_view meant = nearest(name, known); !meant.empty()) {
    wrong += concat({" (did you mean \"", meant, "\"?)"});
  } else {
    wrong += "; it knows";
    for (const std::string_view event : known) wrong += concat({" ", event});
  }
  fault.set(RejectReason::kUnknownEvent, "event", wrong);
}

}  // namespace

Decoder::Decoder(std::size_t max_line_bytes) : parser_(max_line_bytes) {}

Result<void, Rejection> Decoder::check_syntax(std::string_view json) {
  auto root = parser_.parse(json);
  if (!root) return failure(std::move(root.error()));
  return {};
}

Result<Message, Rejection> Decoder::decode(std::string_view line,
                                           const std::optional<Instant>& now) {
  event_.session = event_.producer = {};
  event_.ts.reset();
  event_.seq.reset();
  if (parser_.takes(line) && fields_.read_plain(line, order_)) return read(now);
  auto root = parser_.parse(line);
  if (!root) return failure(std::move(root.error()));
  simdjson::dom::object object;
  if (root->get(object) != simdjson::SUCCESS) {
    return failure(Rejection{RejectReason::kNotAnObject, "",
                             "an event is a JSON object: {\"event\":…,\"session\":…,…}"});
  }
  fields_.read(object);
  return read(now);
}

Result<Message, Rejection> Decoder::read(const std::optional<Instant>& now) {
  Fault fault;
  // First what says whose the event is: known to the caller even when the rest is refused.
  read_identity(fault);
  if (!fields_.has(Key::kEvent)) {
    fault.missing("event", "every event");
    return failure(fault.take());
  }
  const std::string_view name = to_string(fields_.at(Key::kEvent), fault);
  if (name == kHello) {
    const Hello hello = read_hello(fault);
    if (fault) return failure(fault.take());
    return hello;
  }
  if (!fields_.has(Key::kSession)) fault.missing("session", "every event");
  read_time(now, fault);
  if (!read_fact(name, fault, kAlternatives)) refuse_unknown(name, fault);
  if (fault) return failure(fault.take());
  return Result<Message, Rejection>(tl::in_place, &event_);
}

void Decoder::read_identity(Fault& fault) {
  const auto id = [&](Key key, std::size_t max) -> std::string_view {
    if (!fields_.has(key)) return {};
    Fault own;
    const std::string_view value = to_plain_id(fields_.at(key), max, own);
    if (!own) return value;
    fault.within("", std::move(own));
    return {};
  };
  event_.session = id(Key::kSession, progress::kMaxSessionId);
  event_.producer = id(Key::kProducer, kMaxProducer);
  event_.seq = fields_.integer(Key::kSeq, fault, {1, kMost});
  if (event_.seq == 0) event_.seq.reset();  // refused
}

Hello Decoder::read_hello(Fault& fault) const {
  Hello hello{event_.producer, AckMode::kNone};
  if (!fields_.has(Key::kProducer)) fault.missing("producer", "\"hello\"");
  if (!fields_.has(Key::kAck)) return hello;
  const Value ack = fields_.at(Key::kAck).value;
  bool wanted = false;
  std::string_view how;
  if (ack.get(wanted) == simdjson::SUCCESS) {
    if (wanted) hello.ack = AckMode::kCumulative;
  } else if (ack.get(how) == simdjson::SUCCESS && how == "each") {
    hello.ack = AckMode::kEach;
  } else {
    fault.set(RejectReason::kInvalidField, "ack", "must be true, false or \"each\"");
  }
  return hello;
}

void Decoder::read_time(const std::optional<Instant>& now, Fault& fault) {
  const bool has_ms = fields_.has(Key::kTsMs);
  if (fields_.has(Key::kTs)) {
    if (has_ms) {
      fault.set(RejectReason::kInvalidField, "tsMs", "must not be given beside \"ts\"; send one");
    }
    event_.ts = to_instant(fields_.at(Key::kTs), fault);
  } else if (has_ms) {
    event_.ts = to_instant_ms(fields_.at(Key::kTsMs), fault);
  }
  if (!now || !event_.ts || *event_.ts <= *now + kMaxAhead || fault) return;
  const auto ahead = std::chrono::floor<std::chrono::seconds>(*event_.ts - *now);
  fault.set(RejectReason::kTimestampOutOfRange, has_ms ? "tsMs" : "ts",
            concat({"is ", std::to_string(ahead.count()),
                    " s ahead of the agent's clock, more than the 300 s allowed; check the "
                    "sender's clock and unit"}));
}

// Calls the `read` of the alternative called `name`; false when there is none.
template <std::size_t... I>
bool Decoder::read_fact(std::string_view name, Fault& fault, std::index_sequence<I...>) {
  return ((name == progress::kEventNames[I] && (read(place_for<I>(event_.fact), fault), true)) ||
          ...);
}

void Decoder::read(progress::FileProgressed& out, Fault& fault) const {
  constexpr Range kPercent{0, 100};
  out.file = {};
  if (fields_.has(Key::kFile)) {
    out.file = to_id(fields_.at(Key::kFile), progress::kMaxFileId, fault);
  } else {
    fault.missing("file", "a \"file\" event");
  }
  out.status =
      fields_.choice<progress::FileStatus>(Key::kStatus, progress::kFileStatusNames, fault);
  out.progress = fields_.number(Key::kProgress, fault, kPercent);
  out.stage = fields_.text_or_empty(Key::kStage, fault);
  out.stage_progress = fields_.number(Key::kStageProgress, fault, kPercent);
  out.bytes = fields_.integer(Key::kBytes, fault);
  out.bytes_done = fields_.integer(Key::kBytesDone, fault);
  out.tokens = fields_.integer(Key::kTokens, fault);
  out.retries = fields_.integer(Key::kRetries, fault);
  out.units = fields_.number(Key::kUnits, fault);
  out.cost = fields_.number(Key::kCost, fault);
  out.quality = fields_.number(Key::kQuality, fault, {0, 1});
  out.model = fields_.text_or_empty(Key::kModel, fault);
  out.error = fields_.text_or_empty(Key::kError, fault);
}

progress::AnnouncedFile Decoder::read_announced(simdjson::dom::element entry, Fault& fault) {
  progress::AnnouncedFile file;
  simdjson::dom::object object;
  if (entry.get(object) != simdjson::SUCCESS) {
    refuse_type({"", entry}, "an object with \"file\"", fault);
    return file;
  }
  entry_fields_.read(object);
  if (entry_fields_.has(Key::kFile)) {
    file.file = to_id(entry_fields_.at(Key::kFile), progress::kMaxFileId, fault);
  } else {
    fault.missing("file", "every entry of \"files\"");
  }
  file.bytes = entry_fields_.integer(Key::kBytes, fault);
  file.units = entry_fields_.number(Key::kUnits, fault);
  file.stage = entry_fields_.text_or_empty(Key::kStage, fault);
  return file;
}

void Decoder::read(progress::FilesAnnounced& out, Fault& fault) {
  files_.clear();
  if (!fields_.has(Key::kFiles)) return fault.missing("files", "a \"files\" event");
  const Field field = fields_.at(Key::kFiles);
  simdjson::dom::array array;
  if (field.value.get(array) != simdjson::SUCCESS) {
    return refuse_type(field, "an array of {\"file\":…}", fault);
  }
  for (const simdjson::dom::element entry : array) {
    Fault inner;
    files_.push_back(read_announced(entry, inner));
    if (inner) {
      const std::string place = concat({"files[", std::to_string(files_.size() - 1), "]"});
      return fault.within(place, std::move(inner));
    }
  }
  out.files = files_;
}

void Decoder::read(progress::CountsReported& out, Fault& fault) const {
  out.completed = fields_.integer(Key::kCompleted, fault);
  out.failed = fields_.integer(Key::kFailed, fault);
  out.skipped = fields_.integer(Key::kSkipped, fault);
  out.total = fields_.integer(Key::kTotal, fault);
  out.bytes_done = fields_.integer(Key::kBytesDone, fault);
}

void Decoder::read(progress::ApiCalled& out, Fault& fault) const {
  out.ok = fields_.flag(Key::kOk, fault).value_or(out.ok);
  out.calls = fields_.integer(Key::kCalls, fault).value_or(out.calls);
  out.provider = fields_.text_or_empty(Key::kProvider, fault);
  out.model = fields_.text_or_empty(Key::kModel, fault);
  if (fields_.has(Key::kFile)) {
    out.file = to_id(fields_.at(Key::kFile), progress::kMaxFileId, fault);
  }
  out.duration = fields_.millis(Key::kDurationMs, fault);
  out.tokens = fields_.integer(Key::kTokens, fault);
  out.tokens_in = fields_.integer(Key::kTokensIn, fault);
  out.tokens_out = fields_.integer(Key::kTokensOut, fault);
  out.tokens_cached = fields_.integer(Key::kTokensCached, fault);
  out.cost = fields_.number(Key::kCost, fault);
}

void Decoder::read(progress::RateLimited& out, Fault& fault) const {
  out.delay = fields_.millis(Key::kDelayMs, fault);
  out.provider = fields_.text_or_empty(Key::kProvider, fault);
  out.hits = fields_.integer(Key::kHits, fault).value_or(out.hits);
  out.limit = fields_.number(Key::kLimit, fault);
  out.remaining = fields_.number(Key::kRemaining, fault);
  out.reset_at = fields_.instant(Key::kResetAt, fault);
}

void Decoder::read(progress::ResourcesUsed& out, Fault& fault) const {
  out.cpu_cores = fields_.number(Key::kCpu, fault);
  out.memory_bytes = fields_.integer(Key::kMemoryBytes, fault);
  out.memory_limit_bytes = fields_.integer(Key::kMemoryLimitBytes, fault);
  out.network_rx_bytes = fields_.integer(Key::kNetworkRxBytes, fault);
  out.network_tx_bytes = fields_.integer(Key::kNetworkTxBytes, fault);
  out.network_errors = fields_.integer(Key::kNetworkErrors, fault);
}

}  // namespace agent::wire
