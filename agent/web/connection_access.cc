// Who may come in: the part of `Connection` that asks the access rules.
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <memory>
#include <utility>
#include <variant>

#include "agent/access/credentials.h"
#include "agent/web/connection.h"

namespace agent::web {
namespace {

namespace asio = boost::asio;
using access::Refusal;
using access::TlsState;
using Verdict = access::Passwords::Verdict;

constexpr auto kWait = asio::as_tuple(asio::use_awaitable);

// A number for an IPv4 address, or for the network of an IPv6 one: whoever has one of its addresses
// has them all.
access::Sender sender_of(const asio::ip::address& peer) {
  constexpr std::size_t kNetwork = 8;  // bytes
  if (peer.is_v4()) return peer.to_v4().to_uint();
  const asio::ip::address_v6 address = peer.to_v6();
  if (address.is_v4_mapped())
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address).to_uint();
  access::Sender out = 0;
  for (std::size_t i = 0; i < kNetwork; ++i) out = out << 8U | address.to_bytes()[i];
  return out;
}

// Has the claim checked in the thread for that, and comes back to the loop.
asio::awaitable<Verdict> verdict_on(access::Passwords& passwords, access::Sender sender,
                                    access::Passwords::Claim claim, asio::any_io_executor loop) {
  const auto start = [&](auto handler) {
    // What is called from another thread must be copyable.
    const auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    const auto tell = [shared, loop](Verdict verdict) {
      asio::post(loop, [shared, verdict] { std::move (*shared)(verdict); });
    };
    passwords.check(sender, std::move(claim), tell);
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Verdict)>(
      start, asio::use_awaitable);
}

}  // namespace

Connection::Step Connection::secure() {
  if (!floor_->gate) co_return true;
  rules_ = floor_->gate->rules(floor_->clock.now().steady);
  if (!rules_->tls()) co_return true;
  enter(Phase::kHandshake, floor_->limits.handshake);
  // A stranger is known by its first byte; TLS begins with a record of its handshake.
  constexpr char kHandshakeRecord = 0x16;
  char first = 0;
  ssize_t got = -1;
  while (!expired_ && (got = ::recv(stream_.socket().native_handle(), &first, 1, MSG_PEEK)) < 0) {
    if (errno != EAGAIN && errno != EINTR) co_return false;
    co_await stream_.async_wait(Socket::wait_read, kWait);
  }
  if (first >= 'A' && first <= 'Z') co_return co_await refuse_plain_http();
  if (first == kHandshakeRecord) {
    make_room_for_handshake();
    stream_.secure(rules_->tls());
    co_return co_await shake_hands(*stream_.tls());
  }
  // Whoever says nothing and goes is refused nothing.
  if (got != 0) note_refusal(Refusal::kTlsHandshake, expired_ ? "it took too long" : "no TLS");
  peer_done_ = true;
  co_return false;
}

Connection::Step Connection::shake_hands(access::TlsSession& tls) {
  TlsState state = TlsState::kWantsRead;
  while (!expired_ && (state = tls.shake_hands()) != TlsState::kDone) {
    if (state != TlsState::kWantsRead && state != TlsState::kWantsWrite) break;
    co_await stream_.socket().async_wait(
        state == TlsState::kWantsRead ? Socket::wait_read : Socket::wait_write, kWait);
  }
  if (state == TlsState::kDone) {
    enter(Phase::kIdle, floor_->limits.idle);
    co_return true;
  }
  note_refusal(tls.failed_by_certificate() ? Refusal::kClientCertificate : Refusal::kTlsHandshake,
               expired_ ? "it took too long" : tls.failure());
  co_return false;
}

// A handshake takes milliseconds, or somebody draws it out: whoever has been at it longest gives
// way.
void Connection::make_room_for_handshake() {
  std::size_t count = 0;
  Connection* longest = nullptr;
  for (Connection* each : floor_->connections) {
    if (each->phase_ != Phase::kHandshake || each->stream_.tls() == nullptr) continue;
    ++count;
    if (longest == nullptr || each->since_ < longest->since_) longest = each;
  }
  if (count >= floor_->limits.handshakes) longest->abort();
}

Connection::Step Connection::refuse_plain_http() {
  note_refusal(Refusal::kPlainHttp, "this port speaks TLS");
  rules_ = nullptr;  // whose headers are for those who are let in
  co_return co_await refuse(
      error_reply(400, "tls_required", "this port speaks TLS: use https:// instead of http://"));
}

void Connection::note_refusal(Refusal reason, std::string_view why) {
  constexpr std::size_t kShown = 128;  // bytes of what a client said
  floor_->refusals.add(reason, floor_->clock.now().steady, peer_.to_string(),
                       why.substr(0, kShown));
}

asio::awaitable<std::optional<Reply>> Connection::objection() {
  if (!floor_->gate->admit(request_->received.steady)) {
    note_refusal(Refusal::kRateLimit);
    co_return overload_reply(429);
  }
  if (!rules_->asks_for_secrets()) co_return std::nullopt;
  const auto credentials = access::read_credentials(request_->field(Field::authorization));
  if (const auto* bearer = std::get_if<access::Bearer>(&credentials)) {
    if (rules_->knows_token(floor_->passwords->key().of({bearer->token}))) co_return std::nullopt;
    co_return unauthorized("an unknown token");
  }
  if (const auto* basic = std::get_if<access::Basic>(&credentials)) {
    if (!rules_->config().users.empty()) co_return co_await check_password(*basic);
  }
  co_return unauthorized("no credentials");
}

asio::awaitable<std::optional<Reply>> Connection::check_password(const access::Basic& given) {
  access::Passwords& passwords = *floor_->passwords;
  auto claim = passwords.claim(rules_->config(), given.name, given.password);
  if (passwords.remembers(claim)) co_return std::nullopt;
  enter(Phase::kReply, floor_->limits.body_time);
  const access::Passwords::Proof proof = claim.proof;
  const Verdict verdict =
      co_await verdict_on(passwords, sender_of(peer_), std::move(claim), stream_.get_executor());
  switch (verdict) {
    case Verdict::kGood:
      passwords.remember(proof);
      co_return std::nullopt;
    case Verdict::kWrong:
      co_return unauthorized("a wrong name or password");
    case Verdict::kTooManyWait:
      note_refusal(Refusal::kOverload, "too many passwords wait to be checked");
      co_return overload_reply(503);
  }
  co_return unauthorized("a wrong name or password");
}

Reply Connection::unauthorized(std::string_view why) {
  note_refusal(Refusal::kCredentials, why);
  Reply reply = error_reply(401, "unauthorized", "name and password, or a token, are needed");
  if (!rules_->config().users.empty()) reply.fields.emplace_back("WWW-Authenticate", "Basic");
  if (rules_->has_tokens()) reply.fields.emplace_back("WWW-Authenticate", "Bearer");
  return reply;
}

}  // namespace agent::web
