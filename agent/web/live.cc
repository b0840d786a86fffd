#include "agent/web/live.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "agent/web/text.h"

namespace agent::web {
namespace {

namespace asio = boost::asio;

// Of files, for all clients together and for each, in a round; bytes. So much is sent in a tenth of
// a second that a job with few watchers is shown in full, and many watchers do not hold up events.
constexpr std::size_t kRoundBytes = 4 * 1024 * 1024;
constexpr std::size_t kLeastShare = 32 * 1024, kMostShare = 1024 * 1024;

bool has_token(std::string_view list, std::string_view token) {
  bool found = false;
  for_each_in_list(list,
                   [&](std::string_view item) { found |= equals_ignoring_case(item, token); });
  return found;
}

Reply upgrade_required() {
  Reply reply = error_reply(426, "upgrade_required",
                            "this is a WebSocket: ask for it with Upgrade: websocket and "
                            "Sec-WebSocket-Version: 13");
  reply.fields.emplace_back("Upgrade", "websocket");
  reply.fields.emplace_back("Sec-WebSocket-Version", "13");
  return reply;
}

// An HTTP/1.0 client may not know what an upgrade is (RFC 6455, 4.1).
bool asks_for_websocket(const Request& request) {
  const std::string_view head = request.head;
  return head.substr(0, head.find("\r\n")).ends_with("HTTP/1.1") &&
         has_token(request.field(Field::connection), "upgrade") &&
         has_token(request.field(Field::upgrade), "websocket") &&
         request.field(Field::sec_websocket_version) == "13";
}

// 16 bytes in base64.
bool is_key(std::string_view key) {
  return key.size() == 24 && key.ends_with("==") &&
         std::all_of(key.begin(), key.end() - 2,
                     [](char c) { return is_alnum(c) || c == '+' || c == '/'; });
}

}  // namespace

// One client's stay.
class Live::Visit final : public Takeover {
 public:
  Visit(std::shared_ptr<Room> room, LiveReader reader)
      : room_(std::move(room)), reader_(std::move(reader)) {}
  ~Visit() override { leave(); }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;

  asio::awaitable<void> run(Socket& socket, const Request& request, std::string received) override {
    client_ = std::make_shared<LiveClient>(socket, room_->board, room_->clock, std::move(reader_));
    room_->clients.push_back(client_.get());
    if (room_->clients.size() == 1) room_->board.open(room_->clock.now());
    co_await client_->run(request, std::move(received));
    leave();
  }

 private:
  void leave() {
    if (!client_) return;
    LiveReader reader = client_->reader();
    if (client_->was_open()) room_->board.give_up(reader);
    room_->dropped += reader.dropped;
    std::erase(room_->clients, client_.get());
    if (room_->clients.empty()) room_->board.close();
    client_.reset();
  }

  const std::shared_ptr<Room> room_;
  LiveReader reader_;
  std::shared_ptr<LiveClient> client_;
};

Live::Live(asio::io_context& loop, const Clock& clock, tracker::Tracker& tracker,
           LiveSettings settings)
    : settings_(std::move(settings)), room_(std::make_shared<Room>(clock, tracker)), timer_(loop) {}

Live::~Live() = default;

Route Live::route() {
  Route route{Method::get, "/v1/live", Access::kRead};
  route.takeover = [this](const Request& request) { return admit(request); };
  return route;
}

Result<std::unique_ptr<Takeover>, Reply> Live::admit(const Request& request) {
  if (!is_origin_allowed(request.field(Field::origin), request.field(Field::host),
                         settings_.allowed_origins)) {
    return failure(error_reply(403, "origin_not_allowed",
                               "pages of this origin may not read the live feed; see "
                               "web.allowed_origins"));
  }
  if (!asks_for_websocket(request) || request.method != Method::get)
    return failure(upgrade_required());
  if (!is_key(request.field(Field::sec_websocket_key))) {
    return failure(error_reply(400, "bad_request", "Sec-WebSocket-Key must be 16 bytes in base64"));
  }
  if (room_->is_closed || room_->clients.size() >= settings_.max_clients) {
    Reply reply = error_reply(503, "overloaded", "no further live clients are taken now");
    reply.fields.emplace_back("Retry-After", "5");
    return failure(std::move(reply));
  }
  LiveReader reader;
  for (const auto& [name, value] : request.target.parameters) {
    if (name == "session") reader.only.push_back(value);
  }
  std::ranges::sort(reader.only);
  begin_rounds();
  return std::make_unique<Visit>(room_, std::move(reader));
}

void Live::begin_rounds() {
  if (std::exchange(goes_round_, true)) return;
  timer_.expires_after(LiveBoard::kRound);
  timer_.async_wait([this](const boost::system::error_code& error) {
    goes_round_ = false;
    if (error) return;
    round();
    if (!room_->clients.empty()) begin_rounds();
  });
}

void Live::round() {
  if (room_->clients.empty()) return;
  const Now now = room_->clock.now();
  ++rounds_;
  room_->board.look(now);
  const std::vector<LiveClient*> clients = room_->clients;  // none leaves meanwhile
  const std::size_t share = std::clamp(kRoundBytes / clients.size(), kLeastShare, kMostShare);
  Ledger::Place sessions = ~Ledger::Place{0}, files = sessions;
  for (LiveClient* client : clients) {
    client->look_at_time(now.steady);
    client->send_due(static_cast<std::ptrdiff_t>(share));
    if (!client->is_open()) continue;
    sessions = std::min(sessions, client->reader().sessions);
    files = std::min(files, client->reader().files);
  }
  room_->board.forget_before(sessions, files);
}

void Live::close() {
  room_->is_closed = true;
  timer_.cancel();
  const std::vector<LiveClient*> clients = room_->clients;
  for (LiveClient* client : clients) client->go_away();
}

std::uint64_t Live::dropped() const {
  std::uint64_t sum = room_->dropped;
  for (const LiveClient* client : room_->clients) sum += client->reader().dropped;
  return sum;
}

}  // namespace agent::web
