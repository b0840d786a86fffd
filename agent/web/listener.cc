#include "agent/web/listener.h"

#include <netinet/tcp.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>

#include "agent/web/text.h"

namespace agent::web {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto kWait = asio::as_tuple(asio::use_awaitable);
constexpr auto kPauseWhenExhausted = std::chrono::milliseconds(50);

Error bad_address(std::string_view address) {
  return Error{"'" + std::string(address) +
               "' is no address to listen on; write host:port, such as 127.0.0.1:19901 or :19900"};
}

// A connection is handed over with its first bytes, or its end, or after a second: one wake-up, not
// two. Where the kernel does not do that, it hands over at once.
void wait_for_first_bytes(int listener) {
  constexpr int kSeconds = 1;
  static_cast<void>(
      setsockopt(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &kSeconds, sizeof kSeconds));
}

}  // namespace

Result<tcp::endpoint> parse_address(std::string_view address) {
  const auto [host, port_text] = split_port(address);
  std::uint16_t port = 0;
  const auto [end, failed] =
      std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (failed != std::errc() || end != port_text.data() + port_text.size()) {
    return failure(bad_address(address));
  }
  if (host.empty()) return tcp::endpoint(tcp::v6(), port);
  if (host == "localhost") return tcp::endpoint(asio::ip::address_v4::loopback(), port);
  std::string_view bare = host;
  if (bare.size() > 2 && bare.front() == '[' && bare.back() == ']') {
    bare = bare.substr(1, bare.size() - 2);
  }
  error_code error;
  const auto ip = asio::ip::make_address(std::string(bare), error);
  if (error || ip.is_v6() != (bare.size() != host.size())) return failure(bad_address(address));
  return tcp::endpoint(ip, port);
}

Listener::Listener(asio::io_context& loop, const Clock& clock, Memory& memory, const Routes& routes,
                   ListenerSettings settings)
    : loop_(loop),
      settings_(std::move(settings)),
      floor_(new Floor{clock, routes, memory, settings_.side, settings_.limits,
                       settings_.allowed_hosts, settings_.gate, settings_.passwords,
                       access::Refusals(name_of(settings_.side))}),
      acceptor_(loop),
      timer_(loop),
      pause_(loop) {}

Listener::~Listener() { close(); }

Result<void> Listener::start() {
  auto endpoint = parse_address(settings_.address);
  if (!endpoint) return failure(endpoint.error());
  error_code error;
  acceptor_.open(endpoint->protocol(), error);
  const bool everywhere = settings_.address.front() == ':';
  if (error && everywhere) {  // a machine without IPv6
    *endpoint = tcp::endpoint(tcp::v4(), endpoint->port());
    acceptor_.open(endpoint->protocol(), error);
  } else if (everywhere) {
    acceptor_.set_option(asio::ip::v6_only(false), error);
  }
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.set_option(tcp::no_delay(true), error);  // accepted sockets inherit it
  if (!error) wait_for_first_bytes(acceptor_.native_handle());
  if (!error) acceptor_.bind(*endpoint, error);
  if (!error) acceptor_.listen(tcp::acceptor::max_listen_connections, error);
  if (error) return failure("cannot listen on " + settings_.address + ": " + error.message());
  asio::co_spawn(loop_, accept(), asio::detached);
  asio::co_spawn(loop_, sweep(), asio::detached);
  return {};
}

void Listener::drain() {
  error_code ignored;
  acceptor_.close(ignored);
  floor_->draining = true;
  for (Connection* connection : floor_->connections) {
    if (connection->waiting_since()) connection->abort();
  }
}

void Listener::close() {
  drain();
  closed_ = true;
  timer_.cancel();
  pause_.cancel();
  for (Connection* connection : floor_->connections) connection->abort();
}

std::uint16_t Listener::port() const {
  error_code ignored;
  return acceptor_.local_endpoint(ignored).port();
}

asio::awaitable<void> Listener::accept() {
  while (acceptor_.is_open()) {
    tcp::endpoint peer;
    auto [error, socket] = co_await acceptor_.async_accept(peer, kWait);
    if (!error && acceptor_.is_open()) {
      begin(std::move(socket), peer.address());
    } else if (acceptor_.is_open() && error != asio::error::connection_aborted && !make_room()) {
      // Out of descriptors or kernel memory, and nobody to send away: the next try may fare better.
      pause_.expires_after(kPauseWhenExhausted);
      co_await pause_.async_wait(kWait);
    }
  }
}

void Listener::begin(Connection::Socket socket, asio::ip::address peer) {
  if (floor_->connections.size() >= settings_.limits.connections && !make_room()) return;
  error_code error;
  socket.non_blocking(true, error);
  if (error) return;
  auto connection = std::make_unique<Connection>(floor_, std::move(socket), std::move(peer));
  Connection& running = *connection;
  asio::co_spawn(loop_, running.run(),
                 [owned = std::move(connection)](const std::exception_ptr&) {});
}

bool Listener::make_room() {
  Connection* longest = nullptr;
  for (Connection* connection : floor_->connections) {
    const auto since = connection->waiting_since();
    if (since && (longest == nullptr || *since < *longest->waiting_since())) longest = connection;
  }
  if (longest != nullptr) longest->abort();
  return longest != nullptr;
}

asio::awaitable<void> Listener::sweep() {
  while (!closed_) {
    timer_.expires_after(settings_.sweep_interval);
    co_await timer_.async_wait(kWait);
    const SteadyInstant now = floor_->clock.now().steady;
    for (Connection* connection : floor_->connections) connection->expire(now);
  }
}

}  // namespace agent::web
