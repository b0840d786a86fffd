#include "agent/wire/datagram_listener.h"

#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstring>
#include <utility>

#include "agent/wire/text.h"

namespace agent::wire {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr auto kWait = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kAtOnce = 64;   // datagrams, before others have their turn
constexpr std::size_t kAtEnd = 4096;  // datagrams taken at most when stopping

// The sender, as the kernel vouches for it; empty without.
std::optional<uid_t> sender_of(msghdr& message) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_CREDENTIALS) continue;
    ucred sender{};
    std::memcpy(&sender, CMSG_DATA(part), sizeof sender);
    return sender.uid;
  }
  return std::nullopt;
}

}  // namespace

DatagramListener::DatagramListener(asio::io_context& loop, const Clock& clock, Intake& intake,
                                   ListenerSettings settings)
    : loop_(loop), clock_(clock), intake_(intake), settings_(std::move(settings)), socket_(loop) {}

DatagramListener::~DatagramListener() = default;

Result<void> DatagramListener::open() {
  auto file = SocketFile::bind(settings_.path, SocketType::kDatagram, settings_.mode);
  if (!file) return failure(std::move(file.error()));
  file_.emplace(*std::move(file));
  error_code error;
  socket_.assign(asio::local::datagram_protocol(), file_->release(), error);
  if (error) {
    file_.reset();
    return failure(concat({"cannot listen on ", settings_.path, ": ", error.message()}));
  }
  const int on = 1;
  const bool wants_sender = !settings_.allowed_uids.empty();
  if (wants_sender &&
      ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0) {
    return failure(concat({"cannot learn who sends to ", settings_.path}));
  }
  return {};
}

void DatagramListener::start() { asio::co_spawn(loop_, receive(), asio::detached); }

asio::awaitable<void> DatagramListener::receive() {
  using Socket = asio::local::datagram_protocol::socket;
  while (socket_.is_open()) {
    const auto [error] = co_await socket_.async_wait(Socket::wait_read, kWait);
    if (error) co_return;
    std::size_t taken = 0;
    while (socket_.is_open() && taken < kAtOnce && take_one()) ++taken;
    co_await asio::post(loop_, asio::use_awaitable);
  }
}

bool DatagramListener::take_one() {
  const std::span<char> room = intake_.buffer().room();
  iovec into{room.data(), room.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred))];
  msghdr message{};
  message.msg_iov = &into;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t got = ::recvmsg(socket_.native_handle(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (got < 0) return false;
  if (!settings_.allowed_uids.empty()) {
    const auto uid = sender_of(message);
    if (!uid || !is_allowed(settings_.allowed_uids, *uid)) {
      refuse_sender();
      return true;
    }
  }
  take(static_cast<std::size_t>(got), (message.msg_flags & MSG_TRUNC) != 0, clock_.now());
  return true;
}

void DatagramListener::take(std::size_t bytes, bool is_truncated, Now now) {
  Framer framer(intake_.max_line_bytes());
  framer.feed(intake_.buffer().room().first(bytes));
  tracker::Tracker::Batch batch(intake_.tracker(), now);
  // Refusals are counted; there is nobody to tell.
  const auto take_line = [&](const Line& line) {
    static_cast<void>(intake_.take(Source::kDatagram, line, batch, now));
  };
  while (const auto line = framer.next()) take_line(*line);
  if (auto last = framer.finish()) {
    last->is_too_long = is_truncated;
    take_line(*last);
  }
}

void DatagramListener::refuse_sender() {
  ++intake_.counts().of(Source::kDatagram).refused_users;
  if (std::exchange(warned_refused_, true)) return;
  settings_.warn(concat({"dropped a datagram to ", settings_.path,
                         ": its sender is not in ingest.socket_allowed_uids"}));
}

void DatagramListener::stop() {
  for (std::size_t i = 0; i < kAtEnd && socket_.is_open() && take_one(); ++i) {
  }
  error_code ignored;
  socket_.close(ignored);
  file_.reset();
}

}  // namespace agent::wire
