#include "agent/web/stream.h"

namespace agent::web {
namespace {

namespace error = boost::asio::error;
using access::TlsState;

// What a call that did nothing leaves to its caller: an error, and the direction to wait for.
boost::system::error_code outcome(TlsState state, Stream::Socket::wait_type& needs) {
  switch (state) {
    case TlsState::kDone:
      return {};
    case TlsState::kWantsRead:
      needs = Stream::Socket::wait_read;
      return error::would_block;
    case TlsState::kWantsWrite:
      needs = Stream::Socket::wait_write;
      return error::would_block;
    case TlsState::kClosed:
      return error::eof;
    case TlsState::kFailed:
      return error::connection_reset;
  }
  return error::connection_reset;
}

}  // namespace

std::size_t Stream::read_tls(std::span<char> into, Code& error) {
  std::size_t all = 0;
  while (all < into.size()) {
    const auto [state, bytes] = tls_->read(into.subspan(all));
    if (state != TlsState::kDone) {
      error = all > 0 ? Code() : outcome(state, read_needs_);
      break;
    }
    all += bytes;
    error = {};
  }
  return all;
}

std::size_t Stream::write_tls(std::string_view bytes, Code& error) {
  const auto [state, count] = tls_->write(bytes);
  error = outcome(state, write_needs_);
  return count;
}

}  // namespace agent::web
