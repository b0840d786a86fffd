#include "agent/web/events.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>

#include "agent/wire/body.h"

namespace agent::web {
namespace {

namespace asio = boost::asio;
// How long a client waits for its events to be stored.
constexpr Duration kPatience = std::chrono::seconds(10);

using BodyState = RequestParser::BodyState;

class EventsUpload final : public Upload {
 public:
  EventsUpload(wire::Intake& intake, const Clock& clock, Durability* durability,
               wire::BodyKind kind, std::size_t limit, std::size_t expected)
      : intake_(intake),
        clock_(clock),
        durability_(durability),
        kind_(kind),
        limit_(limit),
        expected_(expected) {}

  // Nothing is applied before the whole body is there: a request that is cut off, or too large, can
  // be sent again without counting anything twice.
  void write(std::string_view bytes) override {
    // Memory that is reserved but not touched costs nothing; growing by copying would cost twice.
    if (bytes_.size() + bytes.size() > bytes_.capacity())
      bytes_.reserve(expected_ + wire::kPadding);
    bytes_.append(bytes);
  }
  [[nodiscard]] std::size_t held() const override { return bytes_.size(); }
  asio::awaitable<Reply> finish(BodyState end) override;

 private:
  asio::awaitable<wire::BodyReply> apply();

  wire::Intake& intake_;
  const Clock& clock_;
  Durability* const durability_;  // null: all is durable at once
  const wire::BodyKind kind_;
  const std::size_t limit_, expected_;  // bytes of the body
  std::string bytes_;
};

asio::awaitable<Reply> EventsUpload::finish(BodyState end) {
  if (end == BodyState::kTooLong) co_return too_long_reply(limit_);
  if (end == BodyState::kBad) co_return fault_reply(Fault::kBadBody);
  const wire::BodyReply result = co_await apply();
  Reply reply = json_reply(result.json + '\n', static_cast<unsigned>(result.status));
  if (durability_ == nullptr || result.revision == 0) co_return reply;
  if (!result.acknowledges) {
    // Nothing was promised, but who asks next should find what was told.
    co_await durability_->wait(result.revision, &tracker::Tracker::visible, kPatience);
    co_return reply;
  }
  if (co_await durability_->wait(result.revision, &tracker::Tracker::durable, kPatience))
    co_return reply;
  Reply later = error_reply(503, "storage_failing",
                            "the events cannot be stored at present; send them again later");
  later.fields.emplace_back("Retry-After", "5");
  co_return later;
}

// A large body in steps, between which others have their turn.
asio::awaitable<wire::BodyReply> EventsUpload::apply() {
  wire::Body body(intake_, kind_, std::move(bytes_));
  for (;;) {
    const bool has_more = body.step(clock_.now());
    if (!has_more) break;
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
  }
  co_return body.reply();
}

}  // namespace

Route events_route(wire::Intake& intake, const Clock& clock, std::function<bool()> ready,
                   std::size_t max_body_bytes, Durability* durability) {
  Route route{Method::post, "/v1/events", Access::kIngest};
  route.body_limit = max_body_bytes;
  route.upload = [&intake, &clock, durability, ready = std::move(ready), max_body_bytes](
                     const Request& request) -> Result<std::unique_ptr<Upload>, Reply> {
    if (!ready()) {
      return failure(error_reply(503, "stopping", "the agent stops; send to its successor"));
    }
    const auto kind = wire::body_kind(request.field(Field::content_type));
    if (!kind) {
      return failure(error_reply(415, "unsupported_media_type",
                                 "send application/x-ndjson, or application/json"));
    }
    const auto expected =
        std::min<std::uint64_t>(request.content_length.value_or(max_body_bytes), max_body_bytes);
    return std::make_unique<EventsUpload>(intake, clock, durability, *kind, max_body_bytes,
                                          expected);
  };
  return route;
}

}  // namespace agent::web
