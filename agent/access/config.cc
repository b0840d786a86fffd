#include "agent/access/config.h"

#include <algorithm>
#include <array>
#include <span>

#include "agent/access/bcrypt.h"
#include "agent/settings/nearest.h"
#include "agent/settings/values.h"

namespace agent::access {
namespace {

using settings::Entry;
using settings::Fault;
using settings::Faults;
using settings::Node;
using std::string_view;

// A word of the file and what it stands for.
template <typename T>
struct Word {
  string_view name;
  T value;
};

constexpr std::array kClientAuths = {
    Word<ClientAuth>{"NoClientCert", ClientAuth::kNone},
    Word<ClientAuth>{"RequestClientCert", ClientAuth::kRequest},
    Word<ClientAuth>{"RequireAnyClientCert", ClientAuth::kRequireAny},
    Word<ClientAuth>{"RequireClientCert", ClientAuth::kRequireAny},  // its older name
    Word<ClientAuth>{"VerifyClientCertIfGiven", ClientAuth::kVerifyIfGiven},
    Word<ClientAuth>{"RequireAndVerifyClientCert", ClientAuth::kRequireAndVerify},
};
constexpr std::array kVersions = {
    Word<TlsVersion>{"TLS10", TlsVersion::kTls10},
    Word<TlsVersion>{"TLS11", TlsVersion::kTls11},
    Word<TlsVersion>{"TLS12", TlsVersion::kTls12},
    Word<TlsVersion>{"TLS13", TlsVersion::kTls13},
};
// Those that Go holds for secure, by OpenSSL's name. TLS 1.3 has its own, which are always on.
constexpr std::array kCiphers = {
    Word<string_view>{"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"},
    Word<string_view>{"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"},
    Word<string_view>{"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"},
    Word<string_view>{"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384"},
    Word<string_view>{"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
                      "ECDHE-ECDSA-CHACHA20-POLY1305"},
    Word<string_view>{"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305"},
    Word<string_view>{"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA"},
    Word<string_view>{"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA"},
    Word<string_view>{"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA"},
    Word<string_view>{"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA"},
    Word<string_view>{"TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256"},
    Word<string_view>{"TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384"},
    Word<string_view>{"TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA"},
    Word<string_view>{"TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA"},
    Word<string_view>{"TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"},
    Word<string_view>{"TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384"},
    Word<string_view>{"TLS_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256"},
};
constexpr std::array kCurves = {
    Word<string_view>{"CurveP256", "P-256"},
    Word<string_view>{"CurveP384", "P-384"},
    Word<string_view>{"CurveP521", "P-521"},
    Word<string_view>{"X25519", "X25519"},
};
// YAML 1.1's.
constexpr std::array kTruths = {
    Word<bool>{"true", true},   Word<bool>{"false", false}, Word<bool>{"True", true},
    Word<bool>{"False", false}, Word<bool>{"TRUE", true},   Word<bool>{"FALSE", false},
    Word<bool>{"yes", true},    Word<bool>{"no", false},    Word<bool>{"Yes", true},
    Word<bool>{"No", false},    Word<bool>{"YES", true},    Word<bool>{"NO", false},
    Word<bool>{"on", true},     Word<bool>{"off", false},   Word<bool>{"On", true},
    Word<bool>{"Off", false},   Word<bool>{"ON", true},     Word<bool>{"OFF", false},
    Word<bool>{"y", true},      Word<bool>{"n", false},     Word<bool>{"Y", true},
    Word<bool>{"N", false},
};

// Headers that may be set, and the values that some are held to.
struct Header {
  string_view name;
  std::array<string_view, 2> values;
};
constexpr std::array kHeaders = {
    Header{"Strict-Transport-Security", {}},
    Header{"X-Content-Type-Options", {"nosniff"}},
    Header{"X-Frame-Options", {"deny", "sameorigin"}},
    Header{"X-XSS-Protection", {}},
    Header{"Content-Security-Policy", {}},
};

template <typename Row, std::size_t N>
std::vector<string_view> names_of(const std::array<Row, N>& rows) {
  std::vector<string_view> out;
  out.reserve(N);
  for (const Row& row : rows) out.push_back(row.name);
  return out;
}

std::string quoted(string_view text) {
  constexpr std::size_t kShown = 80;
  return "\"" + std::string(text.substr(0, kShown)) + (text.size() > kShown ? "…\"" : "\"");
}

bool has_control(string_view text) {
  return std::ranges::any_of(text, [](char c) { return (c >= 0 && c < ' ') || c == 0x7F; });
}

// Collects values and faults. What a node holds is said in a fault only where it is no secret.
class Reading {
 public:
  Reading(const settings::Document& document, Schema schema)
      : name_(document.name()), schema_(schema), faults_(document.faults()) {
    const std::size_t slash = name_.rfind('/');
    folder_ = slash == std::string::npos ? "" : name_.substr(0, slash + 1);
  }

  void fault(settings::Mark mark, std::string message, string_view suggestion = {}) {
    if (faults_.size() >= settings::kMaxFaults) return;
    faults_.push_back({{name_, mark}, std::move(message), std::string(suggestion)});
  }

  // One scalar; null when there is none, or something else stands there.
  const std::string* text(const Node& node, string_view key) {
    if (node.kind == Node::Kind::kText) return &node.text;
    if (node.kind == Node::Kind::kMap || node.kind == Node::Kind::kList)
      fault(node.mark, std::string(key) + " takes one value");
    return nullptr;
  }

  void take(const Node& node, string_view key, Pem& pem) {
    const std::string* text = this->text(node, key);
    if (text == nullptr) return;
    pem.text = *text;
    pem.mark = node.mark;
    if (!text->empty() && text->find("-----BEGIN") == std::string::npos) {
      fault(node.mark,
            std::string(key) + " is no PEM text; a file is named by " + std::string(key) + "_file");
    }
  }

  void take(const Node& node, string_view key, NamedFile& file) {
    const std::string* text = this->text(node, key);
    if (text == nullptr || text->empty()) return;
    if (has_control(*text)) return fault(node.mark, std::string(key) + " is no path");
    file = {text->front() == '/' ? *text : folder_ + *text, node.mark};
  }

  template <typename T, std::size_t N>
  void take(const Node& node, string_view key, const std::array<Word<T>, N>& words, T& value) {
    const std::string* text = this->text(node, key);
    if (text == nullptr) return;
    const auto word = std::ranges::find(words, *text, &Word<T>::name);
    if (word != words.end()) {
      value = word->value;
      return;
    }
    const std::vector<string_view> names = names_of(words);
    fault(node.mark, std::string(key) + " does not take " + quoted(*text),
          settings::nearest(*text, names));
  }

  template <typename Take>
  void take_each(const Node& node, string_view key, Take take) {
    if (node.kind == Node::Kind::kList) {
      for (const Node& item : node.items) take(item);
    } else if (node.kind == Node::Kind::kText || node.kind == Node::Kind::kMap) {
      fault(node.mark, std::string(key) + " takes a list");
    }
  }

  template <typename Take>
  void take_entries(const Node& node, string_view key, Take take) {
    if (node.kind == Node::Kind::kMap) {
      for (const Entry& entry : node.entries) take(entry);
    } else if (node.kind == Node::Kind::kText || node.kind == Node::Kind::kList) {
      fault(node.mark, std::string(key) + " takes keys with values");
    }
  }

  [[nodiscard]] Schema schema() const { return schema_; }
  Faults take_faults() {
    std::ranges::stable_sort(faults_, {}, [](const Fault& f) { return f.origin.mark; });
    return std::move(faults_);
  }

  Config config;
  TlsConfig tls;
  bool has_client_auth = false;

 private:
  const std::string name_;
  const Schema schema_;
  std::string folder_;
  Faults faults_;
};

void take_header(Reading& reading, const Entry& entry) {
  const auto header = std::ranges::find(kHeaders, entry.key, &Header::name);
  if (header == kHeaders.end()) {
    const std::vector<string_view> names = names_of(kHeaders);
    return reading.fault(entry.mark, "the header " + quoted(entry.key) + " cannot be configured",
                         settings::nearest(entry.key, names));
  }
  const std::string* given = reading.text(entry.value, entry.key);
  const std::string value = given != nullptr ? *given : "";
  const auto& values = header->values;
  if (has_control(value)) {
    return reading.fault(entry.value.mark, entry.key + " holds a line break or control character");
  }
  const bool is_known = !value.empty() && std::ranges::find(values, value) != values.end();
  if (!values[0].empty() && !is_known) {
    const std::string other = values[1].empty() ? "" : " or " + quoted(values[1]);
    return reading.fault(entry.value.mark, entry.key + " takes " + quoted(values[0]) + other +
                                               ", not " + quoted(value));
  }
  reading.config.headers.emplace_back(entry.key, value);
}

void take_user(Reading& reading, const Entry& entry) {
  const std::string* hash = reading.text(entry.value, "the hash of " + quoted(entry.key));
  const auto good = check_bcrypt(hash != nullptr ? string_view(*hash) : string_view());
  if (!good) {
    return reading.fault(entry.value.mark.line > 0 ? entry.value.mark : entry.mark,
                         "the password of " + quoted(entry.key) + " is no bcrypt hash: " +
                             good.error().message + "; make one with htpasswd -nBC 10 \"\"");
  }
  reading.config.users.emplace(entry.key, *hash);
}

void take_token_file(Reading& reading, const Node& node) {
  NamedFile file;
  reading.take(node, "bearer_token_files", file);
  if (file.path.empty()) {
    if (node.kind == Node::Kind::kEmpty || node.kind == Node::Kind::kText)
      reading.fault(node.mark, "bearer_token_files names no file here");
    return;
  }
  reading.config.token_files.push_back(std::move(file));
}

// A duration, or 0.
void take_interval(Reading& reading, const Node& node) {
  const std::string* text = reading.text(node, "interval");
  if (text == nullptr) return;
  const auto interval = settings::read_duration(*text);
  if (!interval) {
    return reading.fault(node.mark, "interval " + interval.error().message,
                         interval.error().suggestion);
  }
  reading.config.rate_limit.interval = *interval;
}

void take_burst(Reading& reading, const Node& node) {
  const std::string* text = reading.text(node, "burst");
  if (text == nullptr) return;
  const auto burst = settings::read_count(*text);
  if (!burst) return reading.fault(node.mark, "burst " + burst.error().message);
  reading.config.rate_limit.burst = *burst;
}

// A key of the file: where it stands and who reads it.
struct Key {
  string_view section, name;  // no section: the top
  void (*take)(Reading&, const Node&);
  bool is_ingest_only = false;
};
constexpr string_view kTls = "tls_server_config", kHttp = "http_server_config",
                      kRate = "rate_limit";

// clang-format off
constexpr std::array kKeys = {
    Key{kTls, "cert", [](Reading& r, const Node& n) { r.take(n, "cert", r.tls.certificate); }},
    Key{kTls, "key", [](Reading& r, const Node& n) { r.take(n, "key", r.tls.key); }},
    Key{kTls, "client_ca", [](Reading& r, const Node& n) { r.take(n, "client_ca", r.tls.client_ca); }},
    Key{kTls, "cert_file", [](Reading& r, const Node& n) { r.take(n, "cert_file", r.tls.certificate.file); }},
    Key{kTls, "key_file", [](Reading& r, const Node& n) { r.take(n, "key_file", r.tls.key.file); }},
    Key{kTls, "client_ca_file", [](Reading& r, const Node& n) { r.take(n, "client_ca_file", r.tls.client_ca.file); }},
    Key{kTls, "client_auth_type", [](Reading& r, const Node& n) {
          r.has_client_auth = n.kind == Node::Kind::kText && !n.text.empty();
          if (r.has_client_auth) r.take(n, "client_auth_type", kClientAuths, r.tls.client_auth);
        }},
    Key{kTls, "client_allowed_sans", [](Reading& r, const Node& n) {
          if (n.kind == Node::Kind::kList) r.tls.client_allowed_sans.emplace();
          r.take_each(n, "client_allowed_sans", [&](const Node& item) {
            if (const auto* san = r.text(item, "client_allowed_sans")) r.tls.client_allowed_sans->push_back(*san);
          });
        }},
    Key{kTls, "cipher_suites", [](Reading& r, const Node& n) {
          r.take_each(n, "cipher_suites", [&](const Node& item) {
            r.take(item, "cipher_suites", kCiphers, r.tls.cipher_suites.emplace_back());
          });
        }},
    Key{kTls, "curve_preferences", [](Reading& r, const Node& n) {
          r.take_each(n, "curve_preferences", [&](const Node& item) {
            r.take(item, "curve_preferences", kCurves, r.tls.curves.emplace_back());
          });
        }},
    Key{kTls, "min_version", [](Reading& r, const Node& n) { r.take(n, "min_version", kVersions, r.tls.least); }},
    Key{kTls, "max_version", [](Reading& r, const Node& n) { r.take(n, "max_version", kVersions, r.tls.greatest); }},
    Key{kTls, "prefer_server_cipher_suites", [](Reading& r, const Node& n) {
          r.take(n, "prefer_server_cipher_suites", kTruths, r.tls.prefers_own_order);
        }},
    // There is no HTTP/2 here: whoever offers it gets HTTP/1.1.
    Key{kHttp, "http2", [](Reading& r, const Node& n) { bool ignored = true; r.take(n, "http2", kTruths, ignored); }},
    Key{kHttp, "headers", [](Reading& r, const Node& n) {
          r.take_entries(n, "headers", [&](const Entry& entry) { take_header(r, entry); });
        }},
    Key{kRate, "interval", take_interval},
    Key{kRate, "burst", take_burst},
    Key{"", "basic_auth_users", [](Reading& r, const Node& n) {
          r.take_entries(n, "basic_auth_users", [&](const Entry& entry) { take_user(r, entry); });
        }},
    Key{"", "bearer_token_files", [](Reading& r, const Node& n) {
          r.take_each(n, "bearer_token_files", [&](const Node& item) { take_token_file(r, item); });
        }, true},
};
// clang-format on

// The names that may stand in a section; at the top, those of the sections too.
std::vector<string_view> names_in(string_view section, Schema schema) {
  std::vector<string_view> out;
  for (const Key& key : kKeys) {
    if (key.is_ingest_only && schema != Schema::kIngest) continue;
    const string_view name = section.empty() && !key.section.empty() ? key.section : key.name;
    if (section.empty() || key.section == section)
      if (out.empty() || out.back() != name) out.push_back(name);
  }
  return out;
}

void take_section(Reading& reading, const Node& node, string_view section) {
  const std::string where = section.empty() ? "the file" : std::string(section);
  const std::vector<string_view> names = names_in(section, reading.schema());
  reading.take_entries(node, where, [&](const Entry& entry) {
    if (std::ranges::find(names, entry.key) == names.end()) {
      const bool is_ingests = entry.key == "bearer_token_files";
      return reading.fault(entry.mark,
                           is_ingests ? "bearer_token_files is for ingest.config.file only"
                                      : quoted(entry.key) + " is no key of " + where,
                           is_ingests ? string_view() : settings::nearest(entry.key, names));
    }
    const auto key = std::ranges::find_if(
        kKeys, [&](const Key& k) { return k.section == section && k.name == entry.key; });
    key != kKeys.end() ? key->take(reading, entry.value)
                       : take_section(reading, entry.value, entry.key);
  });
}

// What must hold between the keys of tls_server_config.
void check_tls(Reading& reading, settings::Mark mark) {
  TlsConfig& tls = reading.tls;
  const bool is_on = tls.certificate.is_given() || tls.key.is_given() || tls.client_ca.is_given() ||
                     reading.has_client_auth;
  if (!is_on) return;  // as with the exporter-toolkit: such a section means plain HTTP
  if (!tls.certificate.is_given()) reading.fault(mark, "TLS needs cert_file (or cert)");
  if (!tls.key.is_given()) reading.fault(mark, "TLS needs key_file (or key)");
  if (tls.client_ca.is_given() && tls.client_auth == ClientAuth::kNone) {
    const bool is_file = !tls.client_ca.file.path.empty();
    reading.fault(is_file ? tls.client_ca.file.mark : tls.client_ca.mark,
                  "client CAs without client_auth_type check nobody: set it to "
                  "RequireAndVerifyClientCert, or leave the CAs out");
  }
  const bool requires_one = tls.client_auth == ClientAuth::kRequireAny ||
                            tls.client_auth == ClientAuth::kRequireAndVerify;
  if (tls.client_allowed_sans && !requires_one) {
    reading.fault(mark,
                  "client_allowed_sans needs client_auth_type RequireAnyClientCert or "
                  "RequireAndVerifyClientCert");
  }
  if (tls.greatest < TlsVersion::kTls12)
    reading.fault(mark, "max_version is below TLS12, the oldest version that is spoken here");
  reading.config.tls = std::move(tls);
}

}  // namespace

Result<Config, Faults> read_config(const settings::Document& document, Schema schema) {
  Reading reading(document, schema);
  take_section(reading, document.root(), "");
  settings::Mark mark{1, 1};
  for (const Entry& entry : document.root().entries) {
    if (entry.key == kTls) mark = entry.mark;
  }
  check_tls(reading, mark);
  if (Faults faults = reading.take_faults(); !faults.empty()) return failure(std::move(faults));
  return std::move(reading.config);
}

std::optional<Schema> schema_of(const settings::Document& document) {
  const std::vector<string_view> names = names_in("", Schema::kIngest);
  const auto is_near = [&](const Entry& entry) {
    return !settings::nearest(entry.key, names).empty();
  };
  const auto& entries = document.root().entries;
  if (std::ranges::none_of(entries, is_near)) return std::nullopt;
  return std::ranges::any_of(entries, [](const Entry& e) { return e.key == "bearer_token_files"; })
             ? Schema::kIngest
             : Schema::kWeb;
}

}  // namespace agent::access
