// Reply: the answer to one request, as a value. Made by routes and by `Connection` itself (errors);
// sent by `Connection`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/clock.h"
#include "agent/web/json_writer.h"
#include "agent/web/policy.h"

namespace agent::web {

// Text with what keeps it alive: many slow readers can hold one page.
struct Body {
  Body() = default;
  explicit Body(std::string made) : Body(std::make_shared<const std::string>(std::move(made))) {}
  explicit Body(std::shared_ptr<const std::string> shared)
      : text(*shared), owner(std::move(shared)) {}
  Body(std::string_view view, std::shared_ptr<const void> keeper)
      : text(view), owner(std::move(keeper)) {}

  std::string_view text;
  std::shared_ptr<const void> owner;  // null: static
};

// A part of a body that is too large to lie in memory whole.
struct Piece {
  enum class Then : std::uint8_t { kMore, kEnd, kBroken };
  std::string text;  // may be empty: there is nothing to say yet
  Then then = Then::kMore;
};

struct Reply {
  unsigned status = 200;
  std::string_view content_type = "application/json";  // of static lifetime
  std::string_view content_encoding;                   // of static lifetime; empty: none
  Body body;
  // Instead of a body: asked for again whenever the client has taken what came before. kBroken
  // breaks the reply off in a way that the client notices.
  std::function<Piece()> more;
  std::vector<std::pair<std::string_view, std::string>> fields;  // further ones: Allow, Retry-After
  bool close = false;                                            // end the connection after it
  std::function<void()> on_sent;  // called once the client's socket has taken the last byte
};

Reply json_reply(std::string body, unsigned status = 200);
// What `write` puts on a JsonWriter.
template <typename Write>
Reply json_reply_of(Write write) {
  std::string body;
  JsonWriter json(body);
  write(json);
  body.push_back('\n');
  return json_reply(std::move(body));
}
// {"error":{"code":…,"message":…}}
Reply error_reply(unsigned status, std::string_view code, std::string_view message);

Reply fault_reply(Fault fault);
Reply too_long_reply(std::size_t limit);  // of a body
Reply overload_reply(unsigned status);    // 429 or 503

// How the end of a body is told.
enum class Framing : std::uint8_t { kLength, kChunks, kClose };
// The head of `reply` as it goes on the wire.
std::string head_of(const Reply& reply, Instant now, bool keep_alive, Framing framing);

}  // namespace agent::web
