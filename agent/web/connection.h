// Connection: one HTTP client. Reads requests one after another, has the routes answer them, and
// sends the replies, within bounds of time and memory that the client cannot move. A coroutine on
// the event loop; it owns nothing but a socket and what of the present request cannot be dropped.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/access/credentials.h"
#include "agent/access/gate.h"
#include "agent/access/passwords.h"
#include "agent/access/refusals.h"
#include "agent/clock.h"
#include "agent/web/memory.h"
#include "agent/web/policy.h"
#include "agent/web/reply.h"
#include "agent/web/request.h"
#include "agent/web/routes.h"
#include "agent/web/stream.h"

namespace agent::web {

struct Limits {
  HeadLimits head;
  std::size_t connections = 2048;
  Duration handshake = std::chrono::seconds(10);  // of TLS
  std::size_t handshakes = 256;                   // under way at a time: each takes 48 KiB
  Duration idle = std::chrono::minutes(5);        // between two requests
  Duration head_time =
      std::chrono::seconds(10);  // from a request's first byte to the end of its head
  Duration body_time = std::chrono::seconds(60);  // for the whole body
  Duration reply_time =
      std::chrono::seconds(10);               // for a reply, and a second more per 64 KiB of it
  Duration linger = std::chrono::seconds(5);  // for the client to read an error and stop sending
};

class Connection;

// What one listener's connections have in common. Held by all of them.
struct Floor {
  const Clock& clock;
  const Routes& routes;
  Memory& memory;
  Side side;
  Limits limits;
  std::vector<std::string> allowed_hosts;  // ingest: besides loopback
  std::shared_ptr<access::Gate> gate;      // null: everybody may come in, without TLS
  access::Passwords* passwords;            // with a gate
  access::Refusals refusals;
  bool draining = false;                    // every reply is a connection's last
  std::list<Connection*> connections = {};  // those that live; each enters and leaves by itself
};

class Connection {
 public:
  using Socket = Stream::Socket;

  Connection(std::shared_ptr<Floor> floor, Socket socket, boost::asio::ip::address peer);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Lasts as long as the client or the limits let it.
  boost::asio::awaitable<void> run();

  // From outside the coroutine: gives up what is overdue; ends at once.
  void expire(SteadyInstant now);
  void abort();
  // Between requests, or still sending a head: may be closed to make room. Since when.
  [[nodiscard]] std::optional<SteadyInstant> waiting_since() const;

 private:
  enum class Phase : std::uint8_t { kHandshake, kIdle, kHead, kBody, kReply, kTakenOver, kLinger };
  // A coroutine of a connection; false: the connection is to end.
  using Step = boost::asio::awaitable<bool>;

  // TLS, where the rules want it.
  Step secure();
  Step shake_hands(access::TlsSession& tls);
  void make_room_for_handshake();
  Step refuse_plain_http();
  Step read_head();
  Step begin_request(std::size_t head_size);
  Step refuse(Reply reply);  // false
  Step answer();
  // Empty: the client went away, or took too long, or there is a takeover.
  boost::asio::awaitable<std::optional<Reply>> respond();
  // What the access rules have against the request; nothing: it may pass.
  boost::asio::awaitable<std::optional<Reply>> objection();
  boost::asio::awaitable<std::optional<Reply>> check_password(const access::Basic& given);
  [[nodiscard]] Reply unauthorized(std::string_view why);
  // Counts and logs it.
  void note_refusal(access::Refusal reason, std::string_view why = {});
  boost::asio::awaitable<std::optional<Reply>> take(Upload& upload, std::size_t limit);
  boost::asio::awaitable<std::optional<RequestParser::BodyState>> read_body(BodySink& sink);
  [[nodiscard]] std::optional<Reply> check_body_head(std::size_t limit) const;
  [[nodiscard]] bool expects_continue() const;

  void compress(Reply& reply);  // if it is worth it, and the client can read it
  Step send(Reply reply, bool keep_alive);
  Step send_pieces(const Reply& reply, Framing framing, Charge& charge);
  Step write(std::string_view head, std::string_view body, Charge& charge);
  boost::asio::awaitable<std::size_t> receive(std::span<char> into);  // 0: no more will come
  boost::asio::awaitable<void> yield();
  boost::asio::awaitable<void> linger();
  void keep(std::string bytes);
  void enter(Phase phase, Duration time);

  const std::shared_ptr<Floor> floor_;
  Stream stream_;
  const boost::asio::ip::address peer_;
  const std::list<Connection*>::iterator place_;
  Phase phase_ = Phase::kIdle;
  SteadyInstant since_, deadline_;
  bool expired_ = false;
  bool peer_done_ = false;  // it has closed its side, or the connection is broken
  bool overrun_ = false;    // it sent more after its request than is kept: the reply is the last
  std::string kept_;        // received, not yet used; at most Memory::kHeadroom
  Charge kept_charge_;
  std::optional<Request> request_;
  std::optional<RequestParser> parser_;
  std::shared_ptr<const access::Rules> rules_;  // of the present request; null without a gate
  std::unique_ptr<Takeover> takeover_;          // the request asked for something else than a reply
};

}  // namespace agent::web
