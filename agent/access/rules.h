// Rules: one listener's access rules in force, its file and what the files that it names hold.
// Immutable; whoever began with some ends with them. Made by `Gate`.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/access/config.h"
#include "agent/access/digest.h"
#include "agent/access/file.h"
#include "agent/access/tls_context.h"
#include "agent/result.h"

namespace agent::access {

class Rules {
 public:
  using Read = Result<std::shared_ptr<const Rules>, settings::Faults>;

  // Reads the file at `path` and all that it names; `watch` hears which those are, whatever comes
  // of it.
  static Read read(const std::string& path, Schema schema, const DigestKey& key, Watch& watch);

  [[nodiscard]] const Config& config() const { return config_; }
  // Null: plain HTTP.
  [[nodiscard]] const std::shared_ptr<const TlsContext>& tls() const { return tls_; }
  // Whether a request needs an Authorization.
  [[nodiscard]] bool asks_for_secrets() const { return !config_.users.empty() || has_tokens(); }
  [[nodiscard]] bool has_tokens() const { return !tokens_.empty(); }
  // Looks at all of them, whichever it is.
  [[nodiscard]] bool knows_token(const Digest& token) const;

 private:
  Rules() = default;

  Config config_;
  std::shared_ptr<const TlsContext> tls_;
  std::vector<Digest> tokens_;
};

}  // namespace agent::access
