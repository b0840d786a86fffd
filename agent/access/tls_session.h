// TlsSession: TLS over one client's socket, which does not block. Each call does what can be done
// now and says what it waits for; whoever owns the socket does the waiting. Event loop only.
#pragma once

#include <openssl/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "agent/access/tls_context.h"

namespace agent::access {

enum class TlsState : std::uint8_t {
  kDone,       // something was done
  kWantsRead,  // the socket must become readable first
  kWantsWrite,
  kClosed,  // the client said goodbye, or went away
  kFailed,  // it is no TLS, or against the rules
};

class TlsSession {
 public:
  TlsSession(std::shared_ptr<const TlsContext> context, int socket);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  TlsState shake_hands();
  // Why a handshake failed: the client's certificate (not given, expired, of a foreign CA), or
  // anything else; and in words.
  [[nodiscard]] bool failed_by_certificate() const { return failed_by_certificate_; }
  [[nodiscard]] const std::string& failure() const { return failure_; }

  struct Moved {
    TlsState state;
    std::size_t bytes;  // of kDone, at least one
  };
  Moved read(std::span<char> into);
  // After kWantsWrite or kWantsRead the next call must begin with the same bytes.
  Moved write(std::string_view bytes);
  // Says goodbye if the socket takes it at once.
  void say_goodbye();

 private:
  struct Free {
    void operator()(SSL* session) const;
  };
  TlsState state_of(int result);

  const std::shared_ptr<const TlsContext> context_;
  const std::unique_ptr<SSL, Free> session_;
  bool failed_by_certificate_ = false;
  bool is_broken_ = false;  // OpenSSL wants no goodbye after a fault
  std::string failure_;
};

}  // namespace agent::access
