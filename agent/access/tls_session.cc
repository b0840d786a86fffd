#include "agent/access/tls_session.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <limits>

namespace agent::access {
namespace {

int bounded(std::size_t size) {
  return static_cast<int>(
      std::min<std::size_t>(size, static_cast<std::size_t>(std::numeric_limits<int>::max())));
}

}  // namespace

void TlsSession::Free::operator()(SSL* session) const { SSL_free(session); }

TlsSession::TlsSession(std::shared_ptr<const TlsContext> context, int socket)
    : context_(std::move(context)), session_(SSL_new(context_->native())) {
  SSL_set_fd(session_.get(), socket);
  SSL_set_accept_state(session_.get());
}

TlsSession::~TlsSession() = default;

TlsState TlsSession::shake_hands() {
  ERR_clear_error();
  const TlsState state = state_of(SSL_do_handshake(session_.get()));
  if (state != TlsState::kFailed) return state;
  const unsigned long code = ERR_peek_last_error();
  const long verified = SSL_get_verify_result(session_.get());
  failed_by_certificate_ =
      verified != X509_V_OK || ERR_GET_REASON(code) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE;
  const char* reason = verified != X509_V_OK ? X509_verify_cert_error_string(verified)
                                             : ERR_reason_error_string(code);
  failure_ = reason != nullptr ? reason : "the connection was closed";
  ERR_clear_error();
  return state;
}

TlsState TlsSession::state_of(int result) {
  if (result > 0) return TlsState::kDone;
  switch (SSL_get_error(session_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return TlsState::kWantsRead;
    case SSL_ERROR_WANT_WRITE:
      return TlsState::kWantsWrite;
    case SSL_ERROR_ZERO_RETURN:
      return TlsState::kClosed;
    case SSL_ERROR_SYSCALL:  // reset
      is_broken_ = true;
      return TlsState::kClosed;
    default:
      is_broken_ = true;
      return TlsState::kFailed;
  }
}

TlsSession::Moved TlsSession::read(std::span<char> into) {
  ERR_clear_error();
  const int count = SSL_read(session_.get(), into.data(), bounded(into.size()));
  return {state_of(count), static_cast<std::size_t>(std::max(count, 0))};
}

TlsSession::Moved TlsSession::write(std::string_view bytes) {
  ERR_clear_error();
  const int count = SSL_write(session_.get(), bytes.data(), bounded(bytes.size()));
  return {state_of(count), static_cast<std::size_t>(std::max(count, 0))};
}

void TlsSession::say_goodbye() {
  if (is_broken_ || SSL_is_init_finished(session_.get()) == 0) return;
  ERR_clear_error();
  SSL_shutdown(session_.get());
  ERR_clear_error();
}

}  // namespace agent::access
