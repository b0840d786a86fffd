#include "agent/web/request.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

#include "agent/web/text.h"

namespace agent::web {
namespace {

std::string_view plain(boost::beast::string_view view) { return {view.data(), view.size()}; }

}  // namespace

std::string_view Request::field(Field name) const {
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [&](const auto& field) { return field.first == name; });
  return found == fields.end() ? std::string_view() : found->second;
}

std::string_view Request::field(std::string_view name) const {
  std::string_view rest = head;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find("\r\n"));
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos && equals_ignoring_case(line.substr(0, colon), name)) {
      return trim(line.substr(colon + 1));
    }
    rest.remove_prefix(std::min(rest.size(), line.size() + 2));
  }
  return {};
}

bool RequestParser::parse_head(Request& request) {
  request_ = &request;
  header_limit(static_cast<std::uint32_t>(request.head.size() + 1));
  body_limit(boost::none);
  Code error;
  const std::size_t taken = put(boost::asio::buffer(request.head), error);
  request_ = nullptr;
  if (error || taken != request.head.size() || !is_header_done()) return false;
  if (const auto length = content_length()) request.content_length = *length;
  return true;
}

std::pair<RequestParser::BodyState, std::size_t> RequestParser::parse_body(std::string_view bytes,
                                                                           BodySink& sink) {
  if (is_done()) return {BodyState::kDone, 0};
  eager(true);
  sink_ = &sink;
  Code error;
  const std::size_t taken = put(boost::asio::buffer(bytes.data(), bytes.size()), error);
  sink_ = nullptr;
  if (is_done()) return {BodyState::kDone, taken};
  if (!error || error == boost::beast::http::error::need_more)
    return {BodyState::kNeedsMore, taken};
  const bool too_long = error == boost::beast::http::error::body_limit;
  return {too_long ? BodyState::kTooLong : BodyState::kBad, taken};
}

void RequestParser::on_request_impl(Method method, View /*name*/, View target, int version,
                                    Code& /*error*/) {
  constexpr int kFirstWithChunks = 11;
  request_->method = method;
  request_->reads_chunks = version >= kFirstWithChunks;
  request_->raw_target = plain(target);
}

void RequestParser::on_field_impl(Field name, View /*as_sent*/, View value, Code& /*error*/) {
  // Trailers, which come after the body, say nothing the agent would act on.
  if (request_ != nullptr && name != Field::unknown)
    request_->fields.emplace_back(name, plain(value));
}

std::size_t RequestParser::on_body_impl(View body, Code& /*error*/) {
  sink_->write(plain(body));
  return body.size();
}

void RequestParser::on_chunk_header_impl(std::uint64_t /*size*/, View extensions, Code& error) {
  // Beast lets a quoted extension hold a line feed, where another reader may see the line's end.
  if (std::any_of(extensions.begin(), extensions.end(), is_control)) {
    error = boost::beast::http::error::bad_chunk_extension;
  }
}

std::size_t RequestParser::on_chunk_body_impl(std::uint64_t /*remain*/, View body,
                                              Code& /*error*/) {
  sink_->write(plain(body));
  return body.size();
}

}  // namespace agent::web
