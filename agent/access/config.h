// Config: what a file of `--web.config.file` or `--ingest.config.file` says, as a value: TLS,
// users, tokens, headers, a limit. The schema is that of Prometheus' exporter-toolkit, so that
// `promtool check web-config` accepts and refuses the same files. Read by `Gate` and by
// check-config. Pure, any thread: what the files that it names hold is looked at elsewhere
// (tls_context.h, gate.h).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/clock.h"
#include "agent/result.h"
#include "agent/settings/document.h"
#include "agent/settings/fault.h"

namespace agent::access {

// Whose file it is; the ingest listener's may hold `bearer_token_files` too.
enum class Schema : std::uint8_t { kWeb, kIngest };

// A file that the configuration names; a relative path is relative to the configuration.
struct NamedFile {
  std::string path;  // empty: none
  settings::Mark mark;
};

// Certificates or a key: in a file, or written out in the configuration.
struct Pem {
  NamedFile file;
  std::string text;  // counts where no file is named
  settings::Mark mark;
  [[nodiscard]] bool is_given() const { return !file.path.empty() || !text.empty(); }
};

enum class ClientAuth : std::uint8_t {
  kNone,
  kRequest,           // and take what comes, or nothing
  kRequireAny,        // whoever signed it
  kVerifyIfGiven,     // one that is given must be good
  kRequireAndVerify,  // the only one that tells friend from foe
};

enum class TlsVersion : std::uint8_t { kTls10, kTls11, kTls12, kTls13 };

struct TlsConfig {
  Pem certificate, key, client_ca;
  ClientAuth client_auth = ClientAuth::kNone;
  std::optional<std::vector<std::string>> client_allowed_sans;
  std::vector<std::string_view> cipher_suites;  // OpenSSL's names; empty: the usual ones
  std::vector<std::string_view> curves;         // likewise
  bool prefers_own_order = true;                // of cipher suites
  // Older ones than 1.2 may be written and are not spoken.
  TlsVersion least = TlsVersion::kTls12, greatest = TlsVersion::kTls13;
};

// One request each interval, and so many at once.
struct RateLimit {
  Duration interval{};  // 0: no limit
  std::int64_t burst = 0;
  bool operator==(const RateLimit&) const = default;
};

struct Config {
  std::optional<TlsConfig> tls;
  std::vector<std::pair<std::string, std::string>> headers;  // of every reply
  std::map<std::string, std::string, std::less<>> users;     // name to bcrypt hash
  std::vector<NamedFile> token_files;
  RateLimit rate_limit;

  // Whether nobody gets in without a secret.
  [[nodiscard]] bool authenticates() const {
    return !users.empty() || !token_files.empty() ||
           (tls && tls->client_auth == ClientAuth::kRequireAndVerify);
  }
};

// All faults at once, in the order of the file.
Result<Config, settings::Faults> read_config(const settings::Document& document, Schema schema);

// Which schema a document seems to be meant for, by its keys; nothing: it is no such file.
std::optional<Schema> schema_of(const settings::Document& document);

}  // namespace agent::access
