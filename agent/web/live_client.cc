#include "agent/web/live_client.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <boost/container/static_vector.hpp>

#include "agent/web/channel.h"

namespace agent::web {
namespace {

namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;

constexpr auto kWait = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kLongestMessage = 4096;  // of a client, who has nothing to say; bytes
constexpr std::size_t kMostBuffers = 256;      // in one write
// What the kernel takes beyond what the client has received; more would only grow old there.
constexpr int kUnsentBytes = 128 * 1024;
constexpr char kCloseByte = '\x88';

boost::beast::http::request<boost::beast::http::empty_body> handshake_of(const Request& request) {
  boost::beast::http::request<boost::beast::http::empty_body> out;
  out.method(request.method);
  out.target({request.raw_target.data(), request.raw_target.size()});
  out.version(11);
  for (const auto& [field, value] : request.fields) out.insert(field, {value.data(), value.size()});
  return out;
}

}  // namespace

LiveClient::LiveClient(Stream& stream, LiveBoard& board, const Clock& clock, LiveReader reader)
    : stream_(stream), board_(board), clock_(clock), reader_(std::move(reader)) {
  heard_ = pinged_ = took_ = clock_.now().steady;
}

asio::awaitable<void> LiveClient::run(const Request& request, std::string received) {
  const auto self = shared_from_this();
  ::setsockopt(stream_.socket().native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsentBytes,
               sizeof kUnsentBytes);
  error_code ignored;
  stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
  websocket::stream<Channel, false> stream(stream_, *this, std::move(received));
  stream.read_message_max(kLongestMessage);
  stream.set_option(websocket::stream_base::decorator(
      [](websocket::response_type& reply) { reply.erase(boost::beast::http::field::server); }));
  stream.control_callback(
      [this](websocket::frame_type, boost::beast::string_view) { heard_ = clock_.now().steady; });
  const auto handshake = handshake_of(request);
  auto [error] = co_await stream.async_accept(handshake, kWait);
  if (!error) open();
  boost::beast::flat_buffer message;
  while (!error) {
    const auto [failed, count] = co_await stream.async_read(message, kWait);
    message.consume(count);
    error = failed;
    heard_ = clock_.now().steady;
  }
  is_open_ = false;
  is_closing_ = true;
  co_await flushed();
  is_over_ = true;
}

void LiveClient::open() {
  is_open_ = was_open_ = true;
  batch_.push_back(board_.snapshot(reader_, clock_.now()));
  push_out();
}

void LiveClient::say(std::string bytes) {
  if (is_closing_ || is_over_) return;
  is_closing_ = is_open_ && bytes.front() == kCloseByte;
  batch_.emplace_back(std::move(bytes));
  if (!waits_for_room_) push_out();
}

void LiveClient::send_due(std::ptrdiff_t file_bytes) {
  file_bytes_ = file_bytes;
  if (is_open_ && !waits_for_room_) push_out();
}

void LiveClient::look_at_time(SteadyInstant now) {
  if (is_over_) return;
  const bool takes_nothing = waits_for_room_ && now - took_ >= kPatience;
  if (now - heard_ >= kPatience || takes_nothing) return abort();
  if (is_open_ && !is_closing_ && now - pinged_ >= kPingInterval) {
    pinged_ = now;
    batch_.push_back(control_frame(Opcode::kPing, {}));
    if (!waits_for_room_) push_out();
  }
}

void LiveClient::go_away() {
  if (!is_open_) return abort();
  using namespace std::string_view_literals;
  say(std::string(control_frame(Opcode::kClose, "\x03\xe9"sv).text));
}

void LiveClient::push_out() {
  while (!is_over_ && flush() && is_open_ && !is_closing_) {
    board_.take(reader_, batch_, file_bytes_);
    if (batch_.empty()) break;
  }
}

bool LiveClient::flush() {
  while (written_frames_ < batch_.size()) {
    boost::container::static_vector<asio::const_buffer, kMostBuffers> parts;
    for (std::size_t i = written_frames_; i < batch_.size() && parts.size() < kMostBuffers; ++i) {
      parts.emplace_back(batch_[i].text.data(), batch_[i].text.size());
    }
    parts.front() += written_bytes_;
    error_code error;
    std::size_t count = stream_.write_some(parts, error);
    if (error == asio::error::would_block || error == asio::error::try_again) {
      wait_for_room();
      return false;
    }
    if (error && error != asio::error::interrupted) {
      abort();
      return false;
    }
    took_ = clock_.now().steady;
    count += written_bytes_;
    while (written_frames_ < batch_.size() && count >= batch_[written_frames_].text.size()) {
      count -= batch_[written_frames_++].text.size();
    }
    written_bytes_ = count;
  }
  batch_.clear();
  written_frames_ = written_bytes_ = 0;
  return true;
}

void LiveClient::wait_for_room() {
  if (std::exchange(waits_for_room_, true)) return;
  took_ = clock_.now().steady;
  stream_.async_wait(Stream::Socket::wait_write, [self = shared_from_this()](error_code) {
    self->waits_for_room_ = false;
    if (!self->is_over_) self->push_out();
  });
}

asio::awaitable<void> LiveClient::flushed() {
  while (!is_over_ && !batch_.empty()) {
    const auto [error] = co_await stream_.async_wait(Stream::Socket::wait_write, kWait);
    if (error || flush()) break;
  }
}

void LiveClient::abort() {
  is_over_ = true;
  stream_.close();
}

}  // namespace agent::web
