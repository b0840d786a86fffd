#include "agent/wire/listener.h"

#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <utility>

#include "agent/wire/reply.h"
#include "agent/wire/text.h"

namespace agent::wire {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr auto kWait = asio::as_tuple(asio::use_awaitable);
// When nothing can be accepted (no file descriptors left), before the next try.
constexpr auto kAcceptPause = std::chrono::milliseconds(100);

std::optional<uid_t> peer_uid(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return std::nullopt;
  return peer.uid;
}

}  // namespace

Listener::Listener(asio::io_context& loop, const Clock& clock, Intake& intake,
                   ListenerSettings settings)
    : loop_(loop),
      intake_(intake),
      settings_(std::move(settings)),
      streams_(std::make_shared<Streams>(Streams{intake, clock})),
      acceptor_(loop),
      timer_(loop) {}

Listener::~Listener() { close(); }

Result<void> Listener::open() {
  auto file = SocketFile::bind(settings_.path, SocketType::kStream, settings_.mode);
  if (!file) return failure(std::move(file.error()));
  file_.emplace(*std::move(file));
  error_code error;
  acceptor_.assign(asio::local::stream_protocol(), file_->release(), error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (!error) return {};
  close();
  return failure(concat({"cannot listen on ", settings_.path, ": ", error.message()}));
}

void Listener::start() { asio::co_spawn(loop_, accept(), asio::detached); }

asio::awaitable<void> Listener::accept() {
  while (acceptor_.is_open()) {
    auto [error, socket] = co_await acceptor_.async_accept(kWait);
    if (!acceptor_.is_open()) {
      if (!error) admit(std::move(socket));
      co_return;
    }
    if (!error) {
      admit(std::move(socket));
    } else if (error != asio::error::connection_aborted) {
      warn_once(warned_accept_,
                concat({"cannot accept on ", settings_.path, ": ", error.message()}));
      timer_.expires_after(kAcceptPause);
      co_await timer_.async_wait(kWait);
    }
  }
}

void Listener::admit(Socket socket) {
  SourceCounts& counts = intake_.counts().of(Source::kUnix);
  if (const std::string why = objection(socket); !why.empty()) {
    ++counts.refused_users;
    return turn_away(socket, why);
  }
  if (connections() >= settings_.max_connections) {
    ++counts.refused_connections;
    return turn_away(socket, concat({std::to_string(settings_.max_connections),
                                     " streams are open, as many as may be; close one"}));
  }
  auto stream = std::make_shared<Stream>(streams_, std::move(socket));
  counts.connections = connections();
  asio::co_spawn(loop_, Stream::run(std::move(stream)), asio::detached);
}

std::string Listener::objection(Socket& socket) const {
  if (settings_.allowed_uids.empty()) return {};
  const auto uid = peer_uid(socket.native_handle());
  if (uid && is_allowed(settings_.allowed_uids, *uid)) return {};
  return concat(
      {"user ", uid ? std::to_string(*uid) : "(unknown)", " is not in ingest.socket_allowed_uids"});
}

void Listener::turn_away(Socket& socket, const std::string& why) {
  warn_once(warned_refused_, concat({"refused a connection to ", settings_.path, ": ", why}));
  std::string reply;
  append_error_line(reply, 0, {progress::RejectReason::kOverloaded, "", why});
  // It has just been opened: this fits, or the client is gone.
  static_cast<void>(
      ::send(socket.native_handle(), reply.data(), reply.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
}

void Listener::warn_once(bool& warned, std::string_view message) const {
  if (!std::exchange(warned, true)) settings_.warn(message);
}

void Listener::on_durable() {
  const tracker::Revision durable = intake_.tracker().durable();
  for (Stream* stream : streams_->open) stream->on_durable(durable);
}

// Whoever connected before we stopped accepting has perhaps already sent something.
void Listener::accept_waiting() {
  error_code error;
  acceptor_.non_blocking(true, error);
  while (!error && acceptor_.is_open()) {
    Socket socket(loop_);
    acceptor_.accept(socket, error);
    if (!error) admit(std::move(socket));
  }
}

asio::awaitable<void> Listener::drain(Duration limit) {
  accept_waiting();
  error_code ignored;
  acceptor_.close(ignored);
  file_.reset();
  if (!streams_->open.empty()) {
    streams_->on_last_left = [this] { timer_.cancel(); };
    timer_.expires_after(limit);
    co_await timer_.async_wait(kWait);
  }
  for (Stream* stream : std::set(streams_->open)) stream->finish();
}

void Listener::close() {
  error_code ignored;
  acceptor_.close(ignored);
  file_.reset();
  timer_.cancel();
  streams_->on_last_left = {};
  for (Stream* stream : std::set(streams_->open)) stream->close();
}

}  // namespace agent::wire
