// Any bytes as one line: whatever the decoder lets through keeps the promises of its header.
#include <simdjson.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "agent/wire/decode.h"
#include "agent/wire/plain.h"

namespace {

using namespace agent;
using namespace agent::progress;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_text(std::string_view text, std::size_t most) {
  require(text.size() <= most && simdjson::validate_utf8(text.data(), text.size()));
}
void check_id(std::string_view id, std::size_t most) {
  check_text(id, most);
  require(!id.empty());
}
void check_range(std::optional<double> value, double high) {
  require(!value || (*value >= 0 && *value <= high));
}
void check_amount(std::optional<std::int64_t> value) {
  require(!value || (*value >= 0 && *value <= wire::kMostInteger));
}
void check_time(std::optional<Instant> at) {
  require(!at || (at->time_since_epoch() >= Duration{} && unix_seconds(*at) < 1e11));
}

struct CheckFact {
  void operator()(const FileProgressed& f) const {
    check_id(f.file, kMaxFileId);
    for (const std::string_view text : {f.stage, f.model, f.error})
      check_text(text, wire::kMaxText);
    for (const auto amount : {f.bytes, f.bytes_done, f.tokens, f.retries}) check_amount(amount);
    check_range(f.progress, 100);
    check_range(f.stage_progress, 100);
    check_range(f.quality, 1);
    check_range(f.units, wire::kMost);
    check_range(f.cost, wire::kMost);
  }
  void operator()(const FilesAnnounced& f) const {
    for (const AnnouncedFile& file : f.files) {
      check_id(file.file, kMaxFileId);
      check_amount(file.bytes);
      check_range(file.units, wire::kMost);
      check_text(file.stage, wire::kMaxText);
    }
  }
  void operator()(const CountsReported& c) const {
    for (const auto n : {c.completed, c.failed, c.skipped, c.total, c.bytes_done}) check_amount(n);
  }
  void operator()(const ApiCalled& a) const {
    for (const auto n : {a.tokens, a.tokens_in, a.tokens_out, a.tokens_cached}) check_amount(n);
    check_amount(a.calls);
    check_range(a.cost, wire::kMost);
    require(!a.duration || *a.duration >= Duration{});
    for (const std::string_view text : {a.provider, a.model}) check_text(text, wire::kMaxText);
  }
  void operator()(const RateLimited& r) const {
    check_amount(r.hits);
    check_range(r.limit, wire::kMost);
    check_range(r.remaining, wire::kMost);
    check_time(r.reset_at);
    require(!r.delay || *r.delay >= Duration{});
  }
  void operator()(const ResourcesUsed& r) const { check_range(r.cpu_cores, wire::kMost); }
  void operator()(const SessionStarted& s) const { check(s.facts); }
  void operator()(const SessionUpdated& s) const { check(s.facts); }
  void operator()(const SessionPaused& s) const { check_text(s.reason, wire::kMaxText); }
  void operator()(const SessionResumed& s) const { check_text(s.reason, wire::kMaxText); }
  void operator()(const SessionEnded& s) const { check_text(s.reason, wire::kMaxText); }

  static void check(const SessionFacts& f) {
    check_time(f.deadline);
    for (const auto n : {f.total_files, f.total_bytes, f.concurrency, f.shard, f.shards}) {
      check_amount(n);
    }
    if (!f.labels) return;
    require(f.labels->size() <= wire::kMaxLabels);
    for (const auto& [name, value] : *f.labels) {
      check_id(name, 128);
      check_text(value, wire::kMaxText);
    }
  }
};

void check(const wire::Message& message) {
  if (const auto* hello = std::get_if<wire::Hello>(&message)) {
    return check_id(hello->producer, wire::kMaxProducer);
  }
  const Event& event = *std::get<Event*>(message);
  check_id(event.session, kMaxSessionId);
  check_time(event.ts);
  require(!event.seq || *event.seq >= 1);
  std::visit(CheckFact{}, event.fact);
}

void check(const Rejection& rejection) {
  require(!rejection.message.empty());
  check_text(rejection.message, 4096);
  check_text(rejection.field, 4096);
}

// What is read without the parser is what the parser takes, whether the order of the fields is
// known or not.
void check_plain(std::string_view text) {
  static wire::Parser parser(wire::kDefaultMaxLineBytes);
  wire::KeyOrder<wire::EventKey> order;
  const auto read = [&] {
    std::vector<std::size_t> fields;
    wire::Value value;
    const bool is_plain = wire::read_plain(text, order, [&](std::size_t field) -> wire::Value& {
      fields.push_back(field);
      return value;
    });
    return std::pair(is_plain, fields);
  };
  const auto first = read();
  require(!first.first || !parser.takes(text) || parser.parse(text).has_value());
  require(read() == first);
  const std::string_view object = text.substr(0, wire::plain_length(text, order));
  require(object.empty() || !parser.takes(object) || parser.parse(object).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static wire::Decoder decoder;
  std::string line(reinterpret_cast<const char*>(bytes), size);
  line.append(wire::kPadding, '\0');
  const std::string_view text(line.data(), size);
  const auto message = decoder.decode(text, Instant(std::chrono::seconds(1'800'000'000)));
  message ? check(*message) : check(message.error());
  check_plain(text);
  return 0;
}
