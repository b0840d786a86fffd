// Policy: which HTTP requests the agent is willing to read at all. Wherever two programs could read
// one request differently (a proxy before the agent, and the agent), the agent refuses to read it:
// this is the list of the contract, section 2, applied to the raw bytes before any parser sees
// them. Pure; used by `Connection` on the event loop, and fuzzed on its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "agent/result.h"

namespace agent::web {

// Why a request is refused. Each has a status and a sentence for the client.
enum class Fault : std::uint8_t {
  kHeadTooLong,
  kTooManyFields,
  kBareLineBreak,
  kControlCharacter,
  kBadMethod,
  kBadTarget,
  kBadVersion,
  kBadFieldName,
  kFoldedField,
  kRepeatedField,
  kMissingHost,
  kBadHost,
  kBadContentLength,
  kBadTransferEncoding,
  kLengthAndEncoding,
  kEncodingInHttp10,
  kBodyOnGet,
  kBadBody
};
struct FaultAnswer {
  unsigned status;  // 400, but for what is only too large
  std::string_view message;
};
FaultAnswer answer_to(Fault fault);

struct HeadLimits {
  std::size_t bytes = 16 * 1024;  // request line, fields, and the blank line
  std::size_t fields = 100;
};

// Reads one request's head as it arrives, a line at a time, and refuses it at the first line that
// does not pass. One object per request.
class HeadPolicy {
 public:
  explicit HeadPolicy(HeadLimits limits = {}) : limits_(limits) {}

  // `head`: all that has been received of this request; between calls it may only grow. Returns the
  // length of the head with its blank line once that is there, nothing while more bytes are needed.
  Result<std::optional<std::size_t>, Fault> check(std::string_view head);

  // What the head said of its body; valid once check() returned a length.
  [[nodiscard]] std::optional<std::uint64_t> content_length() const { return content_length_; }
  [[nodiscard]] bool chunked() const { return chunked_; }

 private:
  std::optional<Fault> check_request_line(std::string_view line);
  std::optional<Fault> check_field(std::string_view line);
  std::optional<Fault> check_value(std::string_view name, std::string_view value);
  [[nodiscard]] std::optional<Fault> check_whole() const;

  const HeadLimits limits_;
  std::size_t line_start_ = 0;  // everything before it has passed
  std::size_t searched_ = 0;    // no line feed between line_start_ and here
  std::size_t fields_ = 0;
  bool http10_ = false, bodiless_method_ = false, has_host_ = false, chunked_ = false;
  std::uint32_t seen_once_ = 0;  // which of the fields that may not repeat were there
  std::optional<std::uint64_t> content_length_;
};

// Whether `host`, a Host field's value, names this machine by loopback ("localhost", 127.0.0.0/8,
// [::1]; any port) or is one of `listed` (compared without its port). Anything else on the ingest
// listener may be a web page whose DNS name was rebound to 127.0.0.1.
bool is_host_allowed(std::string_view host, std::span<const std::string> listed);

// Whether a page of this origin (the Origin field's value; empty: no page asks) may use what is
// served as `host` (the Host field's value): pages that the agent itself serves, and those of
// `listed` origins.
bool is_origin_allowed(std::string_view origin, std::string_view host,
                       std::span<const std::string> listed = {});

}  // namespace agent::web
