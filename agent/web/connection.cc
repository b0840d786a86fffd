#include "agent/web/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "agent/metrics/negotiation.h"
#include "agent/metrics/text.h"
#include "agent/web/text.h"

namespace agent::web {
namespace {

namespace asio = boost::asio;
using access::Refusal;
using BodyState = RequestParser::BodyState;
using boost::system::error_code;

constexpr std::size_t kHeadRead = 16 * 1024;   // bytes asked for while a head is read
constexpr std::size_t kPaceBytes = 64 * 1024;  // a reader slower than this a second is given up
constexpr std::size_t kWorthCompressing = 4 * 1024;  // bytes
constexpr std::size_t kDiscard = 1024 * 1024;        // bytes thrown away at once before closing
constexpr Duration kForEver = std::chrono::years(10);
constexpr auto kWait = asio::as_tuple(asio::use_awaitable);

// Those of the access rules; what a route itself says stands.
void add_headers(const std::vector<std::pair<std::string, std::string>>& headers, Reply& reply) {
  for (const auto& [name, value] : headers) {
    const bool is_said =
        equals_ignoring_case(name, "X-Content-Type-Options") ||  // always is, as may be configured
        std::ranges::any_of(reply.fields, [&name = name](const auto& field) {
          return equals_ignoring_case(field.first, name);
        });
    if (!is_said) reply.fields.emplace_back(name, value);
  }
}

Framing framing_of(const Reply& reply, const Request& request) {
  if (!reply.more) return Framing::kLength;
  return request.reads_chunks ? Framing::kChunks : Framing::kClose;
}

// In front of as many bytes, at least one.
std::string chunk_head(std::size_t bytes) {
  std::array<char, 2 * sizeof bytes> digits;
  const auto end = std::to_chars(digits.begin(), digits.end(), bytes, 16).ptr;
  return std::string(digits.begin(), end) + "\r\n";
}

// Collects a body whole for a route that wants it so.
class WholeBody final : public Upload {
 public:
  WholeBody(const Route& route, Request& request) : route_(route), request_(request) {}
  void write(std::string_view bytes) override { request_.body.append(bytes); }
  [[nodiscard]] std::size_t held() const override { return request_.body.size(); }
  asio::awaitable<Reply> finish(BodyState end) override {
    if (end == BodyState::kTooLong) co_return too_long_reply(route_.body_limit);
    if (end == BodyState::kBad) co_return fault_reply(Fault::kBadBody);
    co_return route_.answer(request_);
  }

 private:
  const Route& route_;
  Request& request_;
};

// Passes a body on for as long as what is held of it fits the budget.
class MeteredSink final : public BodySink {
 public:
  MeteredSink(Upload& upload, Budget& budget) : upload_(upload), charge_(budget) {}
  void write(std::string_view bytes) override {
    if (fits_) upload_.write(bytes);
    fits_ = fits_ && charge_.hold(upload_.held());
  }
  [[nodiscard]] bool fits() const { return fits_; }

 private:
  Upload& upload_;
  Charge charge_;
  bool fits_ = true;
};

}  // namespace

Connection::Connection(std::shared_ptr<Floor> floor, Socket socket, asio::ip::address peer)
    : floor_(std::move(floor)),
      stream_(std::move(socket)),
      peer_(std::move(peer)),
      place_(floor_->connections.insert(floor_->connections.end(), this)),
      kept_charge_(floor_->memory.received) {
  enter(Phase::kIdle, floor_->limits.idle);
}

Connection::~Connection() { floor_->connections.erase(place_); }

asio::awaitable<void> Connection::run() {
  bool is_open = co_await secure();
  while (is_open) {
    bool goes_on = co_await read_head();
    if (goes_on) goes_on = co_await answer();
    if (!goes_on) break;  // co_await in a loop's condition is beyond GCC 12
    // Let others run before the next of several requests sent at once.
    if (!kept_.empty()) co_await yield();
  }
  co_await linger();
}

void Connection::enter(Phase phase, Duration time) {
  phase_ = phase;
  since_ = floor_->clock.now().steady;
  deadline_ = since_ + time;
}

void Connection::expire(SteadyInstant now) {
  if (now < deadline_ || expired_) return;
  expired_ = true;
  stream_.cancel();
}

void Connection::abort() {
  expired_ = peer_done_ = true;
  stream_.close();
}

std::optional<SteadyInstant> Connection::waiting_since() const {
  const bool waits =
      phase_ == Phase::kHandshake || phase_ == Phase::kIdle || phase_ == Phase::kHead;
  return waits ? std::optional(since_) : std::nullopt;
}

asio::awaitable<std::size_t> Connection::receive(std::span<char> into) {
  while (!expired_ && !peer_done_) {
    error_code error;
    const std::size_t count = stream_.read_some(into, error);
    if (!error) co_return count;
    if (error == asio::error::would_block || error == asio::error::try_again) {
      co_await stream_.async_wait(Socket::wait_read, kWait);
    } else if (error != asio::error::interrupted) {
      peer_done_ = true;
    }
  }
  co_return 0;
}

Connection::Step Connection::read_head() {
  request_.reset();
  parser_.reset();
  if (kept_.empty()) std::string().swap(kept_);  // an idle client holds no memory
  enter(Phase::kIdle, floor_->limits.idle);
  HeadPolicy policy(floor_->limits.head);
  for (;;) {
    if (!kept_.empty()) {
      if (phase_ == Phase::kIdle) enter(Phase::kHead, floor_->limits.head_time);
      const auto size = policy.check(kept_);
      if (!size) co_return co_await refuse(fault_reply(size.error()));
      if (*size) co_return co_await begin_request(**size);
    }
    const auto area = floor_->memory.read_area().first(kHeadRead);
    const std::size_t count = co_await receive(area);
    if (count == 0) break;
    if (!kept_charge_.hold(kept_.size() + count)) co_return false;
    kept_.append(area.data(), count);
  }
  if (expired_ && !peer_done_ && phase_ == Phase::kHead) {
    expired_ = false;
    co_return co_await refuse(
        error_reply(408, "timeout", "the request's head did not arrive in time"));
  }
  co_return false;
}

Connection::Step Connection::begin_request(std::size_t head_size) {
  request_.emplace();
  request_->head.assign(kept_, 0, head_size);
  keep(kept_.substr(head_size));
  request_->peer = peer_;
  request_->received = floor_->clock.now();
  if (floor_->gate) rules_ = floor_->gate->rules(request_->received.steady);
  parser_.emplace();
  if (!parser_->parse_head(*request_)) {
    // What either of the two readers refuses is refused.
    co_return co_await refuse(error_reply(400, "bad_request", "the request cannot be read"));
  }
  auto target = Target::from(request_->raw_target);
  if (!target) {
    co_return co_await refuse(error_reply(400, "bad_request", target.error().message));
  }
  request_->target = std::move(*target);
  co_return true;
}

Connection::Step Connection::refuse(Reply reply) {
  co_await send(std::move(reply), false);
  co_return false;
}

Connection::Step Connection::answer() {
  std::optional<Reply> reply = co_await respond();
  if (takeover_) {
    enter(Phase::kTakenOver, kForEver);  // it has time limits of its own
    co_await takeover_->run(stream_, *request_, std::exchange(kept_, {}));
    co_return false;
  }
  if (!reply) {
    if (!expired_ || peer_done_) co_return false;
    expired_ = false;
    reply = error_reply(408, "timeout", "the request's body did not arrive in time");
  }
  compress(*reply);
  const bool keep_alive = parser_->keep_alive() && parser_->is_done() && !reply->close &&
                          !floor_->draining && !overrun_ &&
                          framing_of(*reply, *request_) != Framing::kClose;
  const bool sent = co_await send(std::move(*reply), keep_alive);
  co_return keep_alive ? sent : false;
}

asio::awaitable<std::optional<Reply>> Connection::respond() {
  if (floor_->side == Side::kIngest &&
      !is_host_allowed(request_->field(Field::host), floor_->allowed_hosts)) {
    note_refusal(Refusal::kHost, request_->field(Field::host));
    co_return error_reply(421, "misdirected",
                          "this listener answers only to loopback names; see ingest.allowed_hosts");
  }
  // A page from elsewhere can make a browser that reaches the agent send what changes something.
  const bool changes = request_->method != Method::get && request_->method != Method::head;
  if (changes && !is_origin_allowed(request_->field(Field::origin), request_->field(Field::host))) {
    note_refusal(Refusal::kOrigin, request_->field(Field::origin));
    co_return error_reply(403, "origin_not_allowed", "pages of other origins may change nothing");
  }
  if (rules_) {
    auto refusal = co_await objection();
    if (refusal) co_return refusal;
  }
  const auto route = floor_->routes.find(*request_, floor_->side);
  if (!route) co_return route.error();
  const std::size_t limit = (*route)->body_limit;
  if (auto refusal = check_body_head(limit)) co_return refusal;
  if ((*route)->takeover) {
    auto takeover = (*route)->takeover(*request_);
    if (!takeover) {
      const bool is_foreign = takeover.error().status == 403;
      if (is_foreign) note_refusal(Refusal::kOrigin, request_->field(Field::origin));
      co_return takeover.error();
    }
    takeover_ = std::move(*takeover);
    co_return std::nullopt;
  }
  if (!(*route)->upload) {
    WholeBody whole(**route, *request_);
    co_return co_await take(whole, limit);
  }
  const auto upload = (*route)->upload(*request_);
  if (!upload) co_return upload.error();
  co_return co_await take(**upload, limit);
}

asio::awaitable<std::optional<Reply>> Connection::take(Upload& upload, std::size_t limit) {
  MeteredSink sink(upload, floor_->memory.received);
  parser_->limit_body(limit);
  const auto end = co_await read_body(sink);
  if (!end) co_return std::nullopt;
  if (!sink.fits()) co_return overload_reply(429);
  enter(Phase::kReply, floor_->limits.body_time);
  co_return co_await upload.finish(*end);
}

std::optional<Reply> Connection::check_body_head(std::size_t limit) const {
  if (const auto length = parser_->content_length(); length && *length > limit) {
    return too_long_reply(limit);
  }
  const auto expect = request_->field(Field::expect);
  if (!expect.empty() && !expects_continue()) {
    return error_reply(417, "expectation_failed", "the only expectation known is 100-continue");
  }
  const auto coding = request_->field(Field::content_encoding);
  if (!coding.empty() && !equals_ignoring_case(coding, "identity")) {
    return error_reply(415, "unsupported_encoding", "send the body without Content-Encoding");
  }
  return std::nullopt;
}

bool Connection::expects_continue() const {
  return equals_ignoring_case(request_->field(Field::expect), "100-continue");
}

asio::awaitable<std::optional<BodyState>> Connection::read_body(BodySink& sink) {
  if (parser_->is_done()) co_return BodyState::kDone;
  enter(Phase::kBody, floor_->limits.body_time);
  const auto area = floor_->memory.read_area();
  std::string_view bytes = kept_;
  bool is_waiting = expects_continue();
  for (;;) {
    const auto [state, taken] = parser_->parse_body(bytes, sink);
    bytes.remove_prefix(taken);
    const bool is_over = state != BodyState::kNeedsMore;
    if (bytes.size() > Memory::kHeadroom) {  // of an endless chunk line, or of further requests
      if (!is_over) co_return BodyState::kBad;
      bytes = {};
      overrun_ = true;
    }
    keep(std::string(bytes));
    if (is_over) co_return state;
    if (is_waiting && kept_.empty()) {
      Charge nothing(floor_->memory.unsent);
      const bool sent = co_await write("HTTP/1.1 100 Continue\r\n\r\n", {}, nothing);
      if (!sent) co_return std::nullopt;
    }
    is_waiting = false;
    co_await yield();  // a fast sender is not the only client
    const std::size_t count = co_await receive(area);
    if (count == 0) co_return std::nullopt;
    std::memcpy(area.data() - kept_.size(), kept_.data(), kept_.size());
    bytes = {area.data() - kept_.size(), kept_.size() + count};
  }
}

void Connection::keep(std::string bytes) {
  kept_ = std::move(bytes);
  static_cast<void>(kept_charge_.hold(kept_.size()));  // at most a head's worth: not refused here
}

asio::awaitable<void> Connection::yield() {
  co_await asio::post(stream_.get_executor(), asio::use_awaitable);
}

void Connection::compress(Reply& reply) {
  const bool is_text = reply.content_type.starts_with("application/json") ||
                       reply.content_type.starts_with("text/html") ||
                       reply.content_type.starts_with("text/css") ||
                       reply.content_type.starts_with("text/javascript");
  if (reply.body.text.size() < kWorthCompressing || !reply.content_encoding.empty() || !is_text ||
      !metrics::wants_gzip(request_->field(Field::accept_encoding))) {
    return;
  }
  const auto packed = std::make_shared<metrics::Text>();
  if (!floor_->memory.gzip.compress(reply.body.text, *packed)) return;
  reply.body = Body(packed->view(), packed);
  reply.content_encoding = "gzip";
  reply.fields.emplace_back("Vary", "Accept-Encoding");
}

Connection::Step Connection::send(Reply reply, bool keep_alive) {
  Charge charge(floor_->memory.unsent);
  if (!charge.hold(reply.body.text.size())) reply = overload_reply(503);
  if (rules_) add_headers(rules_->config().headers, reply);
  const Framing framing = request_ ? framing_of(reply, *request_) : Framing::kLength;
  const std::string head = head_of(reply, floor_->clock.now().wall, keep_alive, framing);
  const bool is_head = request_ && request_->method == Method::head;
  const std::string_view body = is_head ? std::string_view() : reply.body.text;
  enter(Phase::kReply,
        floor_->limits.reply_time + std::chrono::seconds(1) * (body.size() / kPaceBytes));
  bool sent = co_await write(head, body, charge);
  if (sent && !is_head && reply.more) sent = co_await send_pieces(reply, framing, charge);
  if (sent && reply.on_sent) reply.on_sent();
  co_return sent;
}

// A client has as much time for each piece as for a reply of its size.
Connection::Step Connection::send_pieces(const Reply& reply, Framing framing, Charge& charge) {
  const bool in_chunks = framing == Framing::kChunks;
  Piece piece;
  while (piece.then == Piece::Then::kMore) {
    co_await yield();  // to make one takes a while, and there may be many
    piece = reply.more();
    const bool fits = charge.hold(piece.text.size());
    if (piece.then == Piece::Then::kBroken || !fits) co_return false;
    if (piece.text.empty()) continue;
    std::string head;
    if (in_chunks) {
      head = chunk_head(piece.text.size());
      piece.text += "\r\n";
    }
    const auto paces = static_cast<Duration::rep>(piece.text.size() / kPaceBytes);
    enter(Phase::kReply, floor_->limits.reply_time + std::chrono::seconds(1) * paces);
    const bool sent = co_await write(head, piece.text, charge);
    if (!sent) co_return false;
  }
  if (!in_chunks) co_return true;
  co_return co_await write("0\r\n\r\n", {}, charge);
}

Connection::Step Connection::write(std::string_view head, std::string_view body, Charge& charge) {
  while (!head.empty() || !body.empty()) {
    if (expired_ || peer_done_) co_return false;
    const std::array<asio::const_buffer, 2> parts = {asio::buffer(head.data(), head.size()),
                                                     asio::buffer(body.data(), body.size())};
    error_code error;
    const std::size_t count = stream_.write_some(parts, error);
    if (error == asio::error::would_block || error == asio::error::try_again) {
      co_await stream_.async_wait(Socket::wait_write, kWait);
    } else if (error && error != asio::error::interrupted) {
      peer_done_ = true;
    }
    const std::size_t of_head = std::min(count, head.size());
    head.remove_prefix(of_head);
    body.remove_prefix(count - of_head);
    static_cast<void>(charge.hold(body.size()));  // less than before: always granted
  }
  co_return true;
}

// Closing with unread input would reset the connection and could destroy the reply on its way: so
// say that nothing more comes, and throw away what the client still sends, for a while.
asio::awaitable<void> Connection::linger() {
  if (expired_ || peer_done_) co_return;
  error_code error;
  stream_.finish_sending(error);
  enter(Phase::kLinger, floor_->limits.linger);
  while (!expired_ && !error) {
    // With MSG_TRUNC a TCP socket drops the bytes without copying them.
    const ssize_t count =
        ::recv(stream_.socket().native_handle(), nullptr, kDiscard, MSG_TRUNC | MSG_DONTWAIT);
    if (count == 0) break;
    if (count > 0) {
      co_await yield();
    } else if (errno == EAGAIN) {
      co_await stream_.async_wait(Socket::wait_read, kWait);
    } else if (errno != EINTR) {
      break;
    }
  }
}

}  // namespace agent::web
