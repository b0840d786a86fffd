// Routes: the one table of what is served where. 404, 405 and Allow follow from it. Constant once
// filled; event loop only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/result.h"
#include "agent/web/reply.h"
#include "agent/web/request.h"
#include "agent/web/stream.h"

namespace agent::web {

// The two listeners: reading and writing are different trusts.
enum class Side : std::uint8_t { kWeb, kIngest };
constexpr std::string_view name_of(Side side) { return side == Side::kWeb ? "web" : "ingest"; }

// Where a route is served.
enum class Access : std::uint8_t {
  kRead,    // on the web listener
  kChange,  // on the ingest listener, and on the web listener with --web.enable-admin-api
  kIngest,  // on the ingest listener, whatever is enabled
  kBoth,
};

// A request body that is read as it arrives instead of whole. Destroyed unfinished when the client
// goes.
class Upload : public BodySink {
 public:
  // How the body ended: kDone, kTooLong, or kBad.
  virtual boost::asio::awaitable<Reply> finish(RequestParser::BodyState end) = 0;
  // Bytes it keeps of what was written.
  [[nodiscard]] virtual std::size_t held() const = 0;
};

// What a connection becomes when a request takes it out of HTTP.
class Takeover {
 public:
  virtual ~Takeover() = default;
  // Lasts until nothing more is to be sent; what the client still says is thrown away afterwards.
  // `received` came behind the request. The stream does not block.
  virtual boost::asio::awaitable<void> run(Stream& stream, const Request& request,
                                           std::string received) = 0;
};

struct Route {
  static constexpr std::size_t kSmallBody = 1024 * 1024;

  Method method;
  std::string_view pattern;  // "/v1/sessions/{id}/files"; a segment in braces matches any
  Access access;
  // One of these, or `takeover`. A refusal of either of the latter two is sent without reading the
  // body.
  std::function<Reply(const Request&)> answer = {};
  std::function<Result<std::unique_ptr<Upload>, Reply>(const Request&)> upload = {};
  std::size_t body_limit = kSmallBody;
  std::function<Result<std::unique_ptr<Takeover>, Reply>(const Request&)> takeover = {};
};

class Routes {
 public:
  explicit Routes(std::vector<Route> table, bool admin_api = false);

  // The route for a request on one of the listeners, or the refusal to send instead (404, 405).
  Result<const Route*, Reply> find(const Request& request, Side side) const;

 private:
  struct Entry {
    Route route;
    std::vector<std::string_view> segments;
  };
  [[nodiscard]] bool is_served(Access access, Side side) const;
  [[nodiscard]] Reply refusal(const Request& request, Side side) const;

  std::vector<Entry> table_;
  bool admin_api_;
};

}  // namespace agent::web
