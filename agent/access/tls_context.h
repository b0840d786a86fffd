// TlsContext: certificates and rules of one listener's TLS, loaded once and shared by all its
// connections. Immutable; made by `Gate` when the files change. OpenSSL is first touched here, so
// that an agent without TLS pays nothing for it.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/access/config.h"
#include "agent/result.h"

namespace agent::access {

class TlsContext {
 public:
  // Reads the certificates and keys; faults stand where the configuration, whose name is
  // `configuration`, names them.
  static Result<std::shared_ptr<const TlsContext>, settings::Faults> load(
      const TlsConfig& config, const std::string& configuration);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  [[nodiscard]] SSL_CTX* native() const { return context_.get(); }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const;
  };

  explicit TlsContext(const TlsConfig& config);
  void set_rules(const TlsConfig& config);
  static int verify(X509_STORE_CTX* chain, void* self);
  [[nodiscard]] bool is_allowed(X509_STORE_CTX* chain) const;

  const ClientAuth client_auth_;
  const std::optional<std::vector<std::string>> allowed_sans_;
  std::unique_ptr<SSL_CTX, Free> context_;
};

}  // namespace agent::access
