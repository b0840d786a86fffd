// Stream: a client's bytes, in the clear or through TLS, by the few calls that connections use of a
// socket: try now, or wait until trying may help. Without TLS each is the socket's own. Event loop
// only.
#pragma once

#include <algorithm>
#include <array>
#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "agent/access/tls_session.h"

namespace agent::web {

class Stream {
 public:
  using Socket = boost::asio::ip::tcp::socket;
  using executor_type = Socket::executor_type;
  using Code = boost::system::error_code;

  explicit Stream(Socket socket) : socket_(std::move(socket)) {}

  // From now on everything goes through TLS; nothing has been read yet.
  void secure(std::shared_ptr<const access::TlsContext> context) {
    tls_ = std::make_unique<access::TlsSession>(std::move(context), socket_.native_handle());
  }
  [[nodiscard]] access::TlsSession* tls() const { return tls_.get(); }

  // At least one byte, or an error: would_block, eof, what the socket says.
  std::size_t read_some(std::span<char> into, Code& error) {
    if (tls_) return read_tls(into, error);
    return socket_.read_some(boost::asio::buffer(into.data(), into.size()), error);
  }
  template <typename Buffers>
  std::size_t write_some(const Buffers& buffers, Code& error) {
    if (!tls_) return socket_.write_some(buffers, error);
    // Small pieces share a record.
    std::array<char, kRecord> record;
    const std::size_t count = boost::asio::buffer_copy(boost::asio::buffer(record), buffers);
    return write_tls({record.data(), count}, error);
  }

  // Until reading or writing, whichever was tried last in vain, may succeed.
  template <typename Token>
  auto async_wait(Socket::wait_type direction, Token&& token) {
    const bool reads = direction == Socket::wait_read;
    if (tls_) direction = reads ? read_needs_ : write_needs_;
    return socket_.async_wait(direction, std::forward<Token>(token));
  }

  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(Code, std::size_t)>(
        [this](auto handler, const Buffers& into) {
          if (!tls_) return socket_.async_read_some(into, std::move(handler));
          const boost::asio::mutable_buffer first = *boost::asio::buffer_sequence_begin(into);
          read_when_ready({static_cast<char*>(first.data()), first.size()}, std::move(handler));
        },
        token, buffers);
  }

  executor_type get_executor() { return socket_.get_executor(); }
  // For what concerns the connection, not its bytes.
  [[nodiscard]] Socket& socket() { return socket_; }

  void cancel() {
    Code ignored;
    socket_.cancel(ignored);
  }
  void close() {
    Code ignored;
    socket_.close(ignored);
  }
  // Nothing more will be sent.
  void finish_sending(Code& error) {
    if (tls_) tls_->say_goodbye();
    socket_.shutdown(Socket::shutdown_send, error);
  }

 private:
  static constexpr std::size_t kRecord = 16 * 1024;  // what one record of TLS holds

  std::size_t read_tls(std::span<char> into, Code& error);
  std::size_t write_tls(std::string_view bytes, Code& error);

  template <typename Handler>
  void read_when_ready(std::span<char> into, Handler handler) {
    Code error;
    const std::size_t count = read_some(into, error);
    if (error != boost::asio::error::would_block) {
      boost::asio::post(get_executor(),
                        boost::beast::bind_front_handler(std::move(handler), error, count));
      return;
    }
    async_wait(Socket::wait_read, [this, into, handler = std::move(handler)](Code failed) mutable {
      if (failed) return handler(failed, 0);
      read_when_ready(into, std::move(handler));
    });
  }

  Socket socket_;
  std::unique_ptr<access::TlsSession> tls_;
  Socket::wait_type read_needs_ = Socket::wait_read, write_needs_ = Socket::wait_write;
};

}  // namespace agent::web
