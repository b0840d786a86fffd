// Channel: what stands between Beast and a live client's socket. Beast reads through it; what Beast
// writes (the handshake, pongs, closes) is handed to the client, which puts it between its own
// frames. Part of live_client.cc, and of nothing else.
#pragma once

#include <algorithm>
#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/role.hpp>
#include <boost/system/error_code.hpp>
#include <string>
#include <utility>

#include "agent/web/live_client.h"

namespace agent::web {

class Channel {
 public:
  using executor_type = Stream::executor_type;
  using Code = boost::system::error_code;

  Channel(Stream& stream, LiveClient& client, std::string received)
      : stream_(stream), client_(client), received_(std::move(received)) {}

  executor_type get_executor() { return stream_.get_executor(); }

  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(Code, std::size_t)>(
        [this](auto handler, const Buffers& into) {
          if (received_.empty()) return stream_.async_read_some(into, std::move(handler));
          const std::size_t count = boost::asio::buffer_copy(into, boost::asio::buffer(received_));
          received_.erase(0, count);
          finish(std::move(handler), count);
        },
        token, buffers);
  }

  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(Code, std::size_t)>(
        [this](auto handler, const Buffers& from) {
          std::string bytes(boost::asio::buffer_size(from), '\0');
          boost::asio::buffer_copy(boost::asio::buffer(bytes), from);
          const std::size_t count = bytes.size();
          client_.say(std::move(bytes));
          finish(std::move(handler), count);
        },
        token, buffers);
  }

  void close() { stream_.close(); }
  // Beast is done with the connection; the client and the HTTP connection see to its end.
  template <typename Handler>
  void finish_teardown(Handler handler) {
    boost::asio::post(get_executor(), boost::beast::bind_front_handler(std::move(handler), Code()));
  }

 private:
  template <typename Handler>
  void finish(Handler handler, std::size_t count) {
    boost::asio::post(get_executor(),
                      boost::beast::bind_front_handler(std::move(handler), Code(), count));
  }

  Stream& stream_;
  LiveClient& client_;
  std::string received_;  // before Beast came
};

template <typename Handler>
void async_teardown(boost::beast::role_type /*role*/, Channel& channel, Handler&& handler) {
  channel.finish_teardown(std::forward<Handler>(handler));
}

// What Beast asks of a stream that it is to close by itself.
inline void beast_close_socket(Channel& channel) { channel.close(); }

}  // namespace agent::web
