#include "agent/cli/fetch.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <optional>
#include <utility>

namespace agent::cli {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

constexpr auto kPatience = std::chrono::seconds(5);
constexpr std::size_t kLargest = std::size_t{64} << 20U;  // a page of 1,000 sessions is 2 MiB

// One request on a loop of its own, so that each step has its time.
class Visit {
 public:
  Visit(const Site& site, const std::string& target) : site_(site) {
    request_.method(http::verb::get);
    request_.target(target);
    request_.version(11);
    request_.set(http::field::host, site.host + ":" + site.port);
    request_.keep_alive(false);
    parser_.body_limit(kLargest);
  }

  Result<std::string> make() {
    stream_.expires_after(kPatience);
    resolver_.async_resolve(site_.host, site_.port, [this](error_code error, const auto& found) {
      if (failed("find", error)) return;
      stream_.async_connect(found, [this](error_code fault, const auto&) { connected(fault); });
    });
    loop_.run();
    if (fault_) return failure(*fault_);
    const auto& reply = parser_.get();
    if (reply.result() != http::status::ok) {
      return failure("the agent answers " + std::to_string(reply.result_int()) + " to " +
                     std::string(request_.target()));
    }
    return std::move(parser_.get().body());
  }

 private:
  void connected(error_code error) {
    if (failed("reach", error)) return;
    http::async_write(stream_, request_, [this](error_code fault, std::size_t) {
      if (failed("ask", fault)) return;
      http::async_read(stream_, buffer_, parser_, [this](error_code last, std::size_t) {
        static_cast<void>(failed("hear", last));
      });
    });
  }
  bool failed(std::string_view what, error_code error) {
    if (!error) return false;
    fault_ = "cannot " + std::string(what) + " the agent at http://" + site_.host + ":" +
             site_.port + ": " + error.message();
    return true;
  }

  const Site& site_;
  asio::io_context loop_;
  asio::ip::tcp::resolver resolver_{loop_};
  beast::tcp_stream stream_{loop_};
  beast::flat_buffer buffer_;
  http::request<http::empty_body> request_;
  http::response_parser<http::string_body> parser_;
  std::optional<std::string> fault_;
};

}  // namespace

Result<Site> site_from(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme))
    return failure("a URL like http://localhost:19900 is needed, not \"" + std::string(url) + "\"");
  std::string_view rest = url.substr(kScheme.size());
  rest = rest.substr(0, rest.find('/'));
  const std::size_t colon = rest.ends_with(']') ? std::string_view::npos : rest.rfind(':');
  Site site{std::string(rest.substr(0, colon)), "80"};
  if (colon != std::string_view::npos) site.port = rest.substr(colon + 1);
  if (site.host.starts_with('[') && site.host.ends_with(']'))
    site.host = site.host.substr(1, site.host.size() - 2);
  if (site.host.empty() || site.port.empty())
    return failure("no host and port in \"" + std::string(url) + "\"");
  return site;
}

Result<std::string> fetch(const Site& site, const std::string& target) {
  return Visit(site, target).make();
}

}  // namespace agent::cli
