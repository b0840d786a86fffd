// Listener: one of the two HTTP addresses. Accepts connections, bounds their number, and gives up
// those that are overdue. Used by `Agent`; all calls from the event loop, or before it runs.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "agent/clock.h"
#include "agent/result.h"
#include "agent/web/connection.h"
#include "agent/web/memory.h"
#include "agent/web/routes.h"

namespace agent::web {

// "127.0.0.1:19901", "[::1]:19901", "localhost:19901", or ":19900" for every address of the
// machine.
Result<boost::asio::ip::tcp::endpoint> parse_address(std::string_view address);

struct ListenerSettings {
  Side side = Side::kWeb;
  std::string address;                     // as parse_address() reads it
  std::vector<std::string> allowed_hosts;  // ingest: what Host may be besides loopback
  Limits limits;
  Duration sweep_interval = std::chrono::seconds(1);  // how late a time limit may be noticed
  std::shared_ptr<access::Gate> gate = {};            // null: everybody may come in
  access::Passwords* passwords = nullptr;             // with a gate
};

class Listener {
 public:
  // Everything referred to, and the listener itself, must last until `loop` runs no more.
  Listener(boost::asio::io_context& loop, const Clock& clock, Memory& memory, const Routes& routes,
           ListenerSettings settings);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Binds, and accepts from now on. The error names the address.
  Result<void> start();
  // Takes no new connections; those there are end with their present request, idle ones at once.
  void drain();
  // Ends everything now.
  void close();

  [[nodiscard]] std::uint16_t port() const;  // the one bound, when the address said 0
  [[nodiscard]] std::size_t connections() const { return floor_->connections.size(); }
  [[nodiscard]] std::string_view name() const { return name_of(settings_.side); }
  [[nodiscard]] const access::Refusals& refusals() const { return floor_->refusals; }

 private:
  boost::asio::awaitable<void> accept();
  boost::asio::awaitable<void> sweep();
  void begin(Connection::Socket socket, boost::asio::ip::address peer);
  // Closes the connection that has waited longest for a request; false if none waits.
  bool make_room();

  boost::asio::io_context& loop_;
  const ListenerSettings settings_;
  const std::shared_ptr<Floor> floor_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer timer_, pause_;
  bool closed_ = false;
};

}  // namespace agent::web
