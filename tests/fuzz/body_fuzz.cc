// Any bytes as the body of a request, as lines and as a document. A document that is no JSON
// changes nothing, and of an array each element is accepted or rejected.
#include <simdjson.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "agent/wire/body.h"
#include "agent/wire/parser.h"

namespace {

using namespace agent;
using namespace agent::wire;

void require(bool holds) {
  if (!holds) std::abort();
}

struct Outcome {
  std::size_t accepted, rejected;
};

// Made anew now and then: what came before changes no answer, but takes memory.
struct Receiver {
  tracker::Tracker tracker{tracker::Settings{}};
  Intake intake{tracker};
};

Intake& intake_of_now() {
  constexpr int kInputs = 2000;
  static std::unique_ptr<Receiver> receiver;
  static int used = 0;
  if (used++ % kInputs == 0) receiver = std::make_unique<Receiver>();
  return receiver->intake;
}

Outcome send(BodyKind kind, std::string_view bytes) {
  Intake& intake = intake_of_now();
  constexpr Now kNow{Instant(std::chrono::seconds(1'800'000'000)), SteadyInstant{}};
  const BodyReply reply = take_body(intake, kind, std::string(bytes), kNow);
  static simdjson::dom::parser parser;
  const simdjson::dom::element json = parser.parse(reply.json).value();
  const Outcome outcome{json["accepted"].get_uint64().value(),
                        json["rejected"].get_uint64().value()};
  require(reply.status == (outcome.accepted == 0 && outcome.rejected > 0 ? 400 : 200));
  require(json["errors"].get_array().value().size() ==
          std::min(outcome.rejected, Body::kMaxErrors));
  return outcome;
}

void check_document(std::string_view text) {
  static Parser parser(kDefaultMaxLineBytes);
  if (!parser.takes(text)) return;
  const Outcome outcome = send(BodyKind::kDocument, text);
  std::string padded(text);
  padded.append(kPadding, '\0');
  const auto root = parser.parse({padded.data(), text.size()});
  if (!root) return require(outcome.accepted == 0 && outcome.rejected <= 1);
  simdjson::dom::array array;
  const std::size_t elements = root->get(array) == simdjson::SUCCESS ? array.size() : 1;
  require(outcome.accepted + outcome.rejected == elements);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  send(BodyKind::kLines, text);
  check_document(text);
  return 0;
}
