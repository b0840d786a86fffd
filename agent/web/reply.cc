#include "agent/web/reply.h"

#include <boost/beast/http/status.hpp>

#include "agent/web/times.h"

namespace agent::web {

Reply json_reply(std::string body, unsigned status) {
  Reply reply;
  reply.status = status;
  reply.body = Body(std::move(body));
  return reply;
}

Reply error_reply(unsigned status, std::string_view code, std::string_view message) {
  Reply reply = json_reply_of([&](JsonWriter& json) {
    json.begin_object().key("error").begin_object();
    json.member("code", code).member("message", message);
    json.end_object().end_object();
  });
  reply.status = status;
  return reply;
}

Reply fault_reply(Fault fault) {
  const auto [status, message] = answer_to(fault);
  return error_reply(status, status == 431 ? "head_too_large" : "bad_request", message);
}

Reply too_long_reply(std::size_t limit) {
  return error_reply(413, "body_too_large",
                     "the request's body is longer than " + std::to_string(limit) + " bytes");
}

Reply overload_reply(unsigned status) {
  Reply reply = error_reply(status, "overloaded", "too much is under way; try again in a second");
  reply.fields.emplace_back("Retry-After", "1");
  return reply;
}

std::string head_of(const Reply& reply, Instant now, bool keep_alive, Framing framing) {
  std::string head = "HTTP/1.1 " + std::to_string(reply.status) + ' ';
  const auto reason =
      boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(reply.status));
  head.append(reason.data(), reason.size()).append("\r\n");
  const auto field = [&head](std::string_view name, std::string_view value) {
    head.append(name).append(": ").append(value).append("\r\n");
  };
  field("Date", http_date(now));
  if (!reply.body.text.empty() || reply.more) field("Content-Type", reply.content_type);
  if (!reply.content_encoding.empty()) field("Content-Encoding", reply.content_encoding);
  if (framing == Framing::kChunks) field("Transfer-Encoding", "chunked");
  if (framing == Framing::kLength && reply.status != 204)
    field("Content-Length", std::to_string(reply.body.text.size()));
  for (const auto& [name, value] : reply.fields) field(name, value);
  field("Cache-Control", "no-store");
  field("X-Content-Type-Options", "nosniff");
  field("Connection", keep_alive ? "keep-alive" : "close");
  return head.append("\r\n");
}

}  // namespace agent::web
