#include "agent/wire/stream.h"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <utility>

namespace agent::wire {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr auto kWait = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kLastPieces = 64;  // read at most when a stream is finished from our side

bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

}  // namespace

Stream::Stream(std::shared_ptr<Streams> streams, Socket socket)
    : streams_(std::move(streams)),
      socket_(std::move(socket)),
      dialogue_(streams_->intake),
      room_(socket_.get_executor(), asio::steady_timer::time_point::max()) {
  streams_->open.insert(this);
}

Stream::~Stream() { streams_->open.erase(this); }

asio::awaitable<void> Stream::run(std::shared_ptr<Stream> self) {
  co_await self->converse();
  self->close();
  Streams& streams = *self->streams_;
  streams.open.erase(self.get());
  streams.intake.counts().of(Source::kUnix).connections = streams.open.size();
  if (streams.open.empty() && streams.on_last_left) streams.on_last_left();
}

asio::awaitable<void> Stream::converse() {
  Heard heard = Heard::kAll;
  while (heard != Heard::kEnd) {
    // After one piece the others have their turn, too.
    if (heard == Heard::kMore) co_await asio::post(socket_.get_executor(), asio::use_awaitable);
    if (heard == Heard::kAll && !co_await readable()) co_return;
    while (socket_.is_open() && !dialogue_.wants_input()) co_await room();
    if (!socket_.is_open()) co_return;
    heard = hear();
  }
  dialogue_.hear_end();
  flush();
  while (socket_.is_open() && !dialogue_.is_settled()) co_await room();
}

// False: the stream was closed.
asio::awaitable<bool> Stream::readable() {
  const auto [error] = co_await socket_.async_wait(Socket::wait_read, kWait);
  co_return !error && socket_.is_open();
}

asio::awaitable<void> Stream::room() {
  room_.expires_at(asio::steady_timer::time_point::max());
  co_await room_.async_wait(kWait);
}

// Reads one piece into the buffer that all streams share, and takes it before anybody else can.
Stream::Heard Stream::hear() {
  const std::size_t most = dialogue_.appetite();
  char* into = streams_->intake.buffer().room().data();
  const ssize_t got = ::recv(socket_.native_handle(), into, most, MSG_DONTWAIT);
  if (got < 0 && (would_block(errno) || errno == EINTR)) return Heard::kAll;
  if (got <= 0) return Heard::kEnd;
  const auto bytes = static_cast<std::size_t>(got);
  const bool is_new = dialogue_.producer().empty();
  dialogue_.hear(bytes, streams_->clock.now());
  if (is_new && !dialogue_.producer().empty()) claim_producer();
  flush();
  return bytes == most ? Heard::kMore : Heard::kAll;
}

// A producer has one stream: the one that said hello last.
void Stream::claim_producer() {
  Stream*& owner = streams_->by_producer[std::string(dialogue_.producer())];
  Stream* older = std::exchange(owner, this);
  if (older != nullptr) older->close();
}

void Stream::flush() {
  if (!socket_.is_open()) return;
  for (std::string_view text = dialogue_.unsent(); !text.empty(); text = dialogue_.unsent()) {
    const ssize_t sent =
        ::send(socket_.native_handle(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) {
      dialogue_.sent(static_cast<std::size_t>(sent));
    } else if (would_block(errno)) {
      flush_later();
      break;
    } else if (errno != EINTR) {
      dialogue_.mute();  // it reads no more; what it sent is taken all the same
    }
  }
  room_.cancel();
}

void Stream::flush_later() {
  if (std::exchange(is_flush_due_, true)) return;
  socket_.async_wait(Socket::wait_write, [self = shared_from_this()](error_code error) {
    self->is_flush_due_ = false;
    if (!error) self->flush();
  });
}

void Stream::on_durable(tracker::Revision durable) {
  dialogue_.release(durable);
  flush();
}

void Stream::finish() {
  Heard heard = Heard::kMore;
  for (std::size_t i = 0; i < kLastPieces && heard == Heard::kMore && socket_.is_open(); ++i) {
    heard = hear();
  }
  if (!socket_.is_open()) return;
  dialogue_.hear_end();
  flush();
  close();
}

void Stream::close() {
  error_code ignored;
  socket_.close(ignored);
  room_.cancel();
  const auto owned = streams_->by_producer.find(dialogue_.producer());
  if (owned != streams_->by_producer.end() && owned->second == this) {
    streams_->by_producer.erase(owned);
  }
}

}  // namespace agent::wire
