// Request: one HTTP request as the routes see it, and RequestParser, which makes it. The parser is
// Beast's, fed with a head that HeadPolicy has passed; it hands body bytes on as they come, without
// a copy. Used on the event loop only; never shared.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/clock.h"
#include "agent/result.h"
#include "agent/web/target.h"

namespace agent::web {

using Method = boost::beast::http::verb;
using Field = boost::beast::http::field;

struct Request {
  Method method = Method::unknown;
  bool reads_chunks = true;  // as everybody since HTTP/1.1
  Target target;
  std::string_view raw_target;                             // as sent
  std::vector<std::pair<Field, std::string_view>> fields;  // known ones only, views into `head`
  std::string head;                                        // as received
  std::optional<std::uint64_t> content_length;             // as promised; empty: chunks
  std::string body;                                        // of routes that want it whole
  boost::asio::ip::address peer;                           // the client's
  Now received{};                                          // when the head was complete

  // The field's value, without white space around it; empty when absent.
  [[nodiscard]] std::string_view field(Field name) const;
  // The same for a field Beast has no name for; searches the head.
  [[nodiscard]] std::string_view field(std::string_view name) const;
};

// Where body bytes go as they arrive. Views die with the call.
class BodySink {
 public:
  virtual ~BodySink() = default;
  virtual void write(std::string_view bytes) = 0;
};

class RequestParser final : public boost::beast::http::basic_parser<true> {
 public:
  // `request.head` must hold a whole head and stay where it is; false if Beast cannot read it.
  bool parse_head(Request& request);

  // Gives body bytes to `sink`; at most `limit` in all. Returns how many of `bytes` it took; call
  // again with what is left and more. `bytes` may be empty.
  enum class BodyState : std::uint8_t { kNeedsMore, kDone, kTooLong, kBad };
  std::pair<BodyState, std::size_t> parse_body(std::string_view bytes, BodySink& sink);
  void limit_body(std::size_t bytes) { body_limit(bytes); }

 private:
  using View = boost::beast::string_view;
  using Code = boost::beast::error_code;
  void on_request_impl(Method, View, View, int, Code&) override;
  void on_response_impl(int, View, int, Code&) override {}
  void on_field_impl(Field, View, View, Code&) override;
  void on_header_impl(Code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Code&) override {}
  std::size_t on_body_impl(View, Code&) override;
  void on_chunk_header_impl(std::uint64_t, View, Code&) override;
  std::size_t on_chunk_body_impl(std::uint64_t, View, Code&) override;
  void on_finish_impl(Code&) override {}

  Request* request_ = nullptr;  // while parse_head runs: what it fills
  BodySink* sink_ = nullptr;    // while parse_body runs
};

}  // namespace agent::web
