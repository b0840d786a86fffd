// Decoder: one line -> the event it holds, checked, or why it is refused (contract, sections 2 and
// 3). Past it only valid events exist. Owned by an Intake; not thread-safe. Reusable: a good `file`
// event costs no allocation. What it returns is views into the line and the decoder, valid until
// the next call.
//
// Where the contract is silent: a key given twice counts as given last, `null` as absent, whole
// numbers may be written 5.0, free texts are cut at kMaxText, and `seq` begins at 1.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "agent/clock.h"
#include "agent/progress/event.h"
#include "agent/result.h"
#include "agent/wire/fields.h"
#include "agent/wire/parser.h"

namespace agent::wire {

inline constexpr std::size_t kDefaultMaxLineBytes = std::size_t{64} * 1024;
inline constexpr std::size_t kMaxProducer = 128;  // bytes of a producer's name
inline constexpr std::size_t kMaxLabels = 64;     // of one event
// How far ahead of the agent's clock an event may be.
inline constexpr Duration kMaxAhead = std::chrono::minutes(5);

// What a stream's client wants to hear about good events.
enum class AckMode : std::uint8_t { kNone, kCumulative, kEach };

// `hello`: the one message that is no fact. Opens acknowledged delivery on a stream.
struct Hello {
  std::string_view producer;
  AckMode ack = AckMode::kNone;
};

// The event is the decoder's own: it may be amended before it is applied.
using Message = std::variant<progress::Event*, Hello>;

class Decoder {
 public:
  explicit Decoder(std::size_t max_line_bytes = kDefaultMaxLineBytes);

  // `line` without its newline, kPadding readable bytes after it. `now`: events from further ahead
  // than kMaxAhead are refused; empty in replay, where there is no clock.
  [[nodiscard]] Result<Message, progress::Rejection> decode(std::string_view line,
                                                            const std::optional<Instant>& now);

  // Whether `json` is valid JSON, whatever it means.
  [[nodiscard]] Result<void, progress::Rejection> check_syntax(std::string_view json);

  // After a refusal: as much of `session`, `producer` and `seq` as could be read; `fact` means
  // nothing.
  [[nodiscard]] const progress::Event& event() const { return event_; }

 private:
  Result<Message, progress::Rejection> read(const std::optional<Instant>& now);
  Hello read_hello(Fault& fault) const;
  void read_identity(Fault& fault);
  void read_time(const std::optional<Instant>& now, Fault& fault);
  template <std::size_t... I>
  bool read_fact(std::string_view name, Fault& fault, std::index_sequence<I...> alternatives);

  void read(progress::FileProgressed& out, Fault& fault) const;
  void read(progress::FilesAnnounced& out, Fault& fault);
  void read(progress::CountsReported& out, Fault& fault) const;
  void read(progress::ApiCalled& out, Fault& fault) const;
  void read(progress::RateLimited& out, Fault& fault) const;
  void read(progress::ResourcesUsed& out, Fault& fault) const;
  void read(progress::SessionStarted& out, Fault& fault);
  void read(progress::SessionUpdated& out, Fault& fault);
  void read(progress::SessionPaused& out, Fault& fault) const;
  void read(progress::SessionResumed& out, Fault& fault) const;
  void read(progress::SessionEnded& out, Fault& fault) const;

  void read_facts(progress::SessionFacts& out, Fault& fault);
  void read_labels(Fault& fault);
  void read_config(progress::ConfigPatch& out, Fault& fault);
  static void read_thresholds(const Field& field, progress::AlertThresholdsPatch& out,
                              Fault& fault);
  progress::AnnouncedFile read_announced(simdjson::dom::element entry, Fault& fault);

  Parser parser_;
  KeyOrder<EventKey> order_;
  Fields<EventKey> fields_;        // of the event
  Fields<EventKey> entry_fields_;  // of one entry of `files`
  progress::Event event_;
  std::vector<progress::AnnouncedFile> files_;
  std::vector<std::pair<std::string_view, std::string_view>> labels_;
};

}  // namespace agent::wire
