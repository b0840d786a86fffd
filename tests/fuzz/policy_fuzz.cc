// What is sent to an HTTP listener: the policy and Beast's parser must agree on every request that
// both pass, and reading it in pieces must give what reading it at once gives. The first byte
// chooses the pieces.
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include "agent/web/policy.h"
#include "agent/web/request.h"

namespace {

using agent::web::HeadPolicy;
using agent::web::Request;
using agent::web::RequestParser;
using Verdict = agent::Result<std::optional<std::size_t>, agent::web::Fault>;

void require(bool holds, const char* what) {
  if (holds) return;
  std::cerr << what << '\n';
  std::abort();
}

struct Collected final : agent::web::BodySink {
  void write(std::string_view bytes) override { body.append(bytes); }
  std::string body;
};

Verdict check_in_pieces(std::string_view bytes, std::size_t piece) {
  HeadPolicy policy;
  for (std::size_t size = piece; size < bytes.size(); size += piece) {
    const Verdict verdict = policy.check(bytes.substr(0, size));
    if (!verdict || *verdict) return verdict;
  }
  return policy.check(bytes);
}

std::pair<RequestParser::BodyState, std::string> read_body(std::string_view head,
                                                           std::string_view bytes,
                                                           std::size_t piece) {
  Request request;
  request.head = head;
  RequestParser parser;
  require(parser.parse_head(request), "Beast refuses a head that the policy passes");
  parser.limit_body(1024);
  Collected sink;
  std::string kept;
  for (;;) {
    const auto [state, taken] = parser.parse_body(kept, sink);
    kept.erase(0, taken);
    if (state != RequestParser::BodyState::kNeedsMore) return {state, sink.body};
    if (bytes.empty()) return {state, sink.body};
    const std::string_view next = bytes.substr(0, piece);
    kept.append(next);
    bytes.remove_prefix(next.size());
  }
}

void compare(std::string_view head, std::string_view rest, const HeadPolicy& policy,
             std::size_t piece) {
  Request request;
  request.head = head;
  RequestParser parser;
  if (!parser.parse_head(request)) return;  // refused by the second reader: answered 400 as well
  require(parser.chunked() == policy.chunked(), "chunked differs");
  const auto length = parser.content_length();
  require(length.has_value() == policy.content_length().has_value() &&
              (!length || *length == *policy.content_length()),
          "Content-Length differs");
  require(!request.field(agent::web::Field::host).empty(), "no Host");
  require(agent::web::Target::from(request.raw_target).has_value(),
          "a target that cannot be decoded");
  // Of a broken chunk Beast says sooner or later that it is, by how the bytes come; none is
  // applied.
  const auto whole = read_body(head, rest, rest.size() + 1);
  const auto in_pieces = read_body(head, rest, piece);
  const bool is_done = whole.first == RequestParser::BodyState::kDone;
  require(is_done == (in_pieces.first == RequestParser::BodyState::kDone), "ends differ");
  require(!is_done || whole.second == in_pieces.second, "bodies differ");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = 1 + bytes[0] % 64;
  const std::string_view sent(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  HeadPolicy policy;
  const Verdict verdict = policy.check(sent);
  const Verdict in_pieces = check_in_pieces(sent, piece);
  // A fault further on is not seen yet when an earlier one already is: both refuse, maybe for other
  // reasons.
  require(verdict.has_value() == in_pieces.has_value(), "pieces change the verdict");
  if (!verdict || !*verdict) return 0;
  require(verdict == in_pieces, "pieces change where the head ends");
  compare(sent.substr(0, **verdict), sent.substr(**verdict), policy, piece);
  return 0;
}
