#include "agent/settings/cross_rules.h"

#include <algorithm>
#include <array>
#include <functional>
#include <span>
#include <string_view>

namespace agent::settings {
namespace {

using std::string_view;

struct CrossRule {
  std::array<string_view, 3> keys;  // those it is about, the one to blame first; "" fills up
  bool (*broken)(const Settings&);
  string_view message;
};

bool same_port(const Address& a, const Address& b) {
  const auto is_any = [](const Address& x) {
    return x.host.empty() || x.host == "0.0.0.0" || x.host == "::";
  };
  const bool meet = a.host == b.host || is_any(a) || is_any(b);
  return a.port != 0 && a.port == b.port && meet;
}

constexpr std::array kRules = {
    CrossRule{{"ingest.listen_address", "ingest.config.file", "ingest.allow_remote"},
              [](const Settings& s) {
                return !s.ingest.listen_address.is_loopback() && s.ingest.config_file.empty() &&
                       !s.ingest.allow_remote;
              },
              "ingest.listen_address: others than this Pod could send events there: listen on a "
              "loopback address, configure authentication with ingest.config.file, or set "
              "ingest.allow_remote (--ingest.allow-remote)"},
    CrossRule{
        {"web.listen_address", "ingest.listen_address", ""},
        [](const Settings& s) { return same_port(s.web.listen_address, s.ingest.listen_address); },
        "web.listen_address and ingest.listen_address need different ports"},
    CrossRule{{"ingest.datagram_socket", "ingest.socket", ""},
              [](const Settings& s) {
                return !s.ingest.socket.empty() && s.ingest.socket == s.ingest.datagram_socket;
              },
              "ingest.datagram_socket and ingest.socket need different paths"},
    CrossRule{{"ingest.max_line_bytes", "ingest.max_body_bytes", ""},
              [](const Settings& s) {
                return s.ingest.max_line_bytes.count > s.ingest.max_body_bytes.count;
              },
              "ingest.max_line_bytes is greater than ingest.max_body_bytes: no body could hold "
              "such a line"},
};

// Alerts whose threshold is a share or a probability.
constexpr std::array<string_view, 6> kRatioAlerts = {
    "HighErrorRate",  "QualityDegradation", "RateLimited",
    "DeadlineAtRisk", "WorkloadMemoryHigh", "SuccessRateBelowTarget"};

Origin origin_of(const Settings& settings, std::span<const string_view> keys) {
  for (const string_view key : keys) {
    const auto origin = settings.sources.find(key);
    if (origin != settings.sources.end()) return origin->second;
  }
  return {"defaults", {}};
}

void check_alert_rules(const Settings& settings, Faults& faults) {
  for (const auto& [name, rule] : settings.alerts.rules) {
    const bool is_ratio = std::ranges::find(kRatioAlerts, name) != kRatioAlerts.end();
    if (!is_ratio || !rule.threshold || *rule.threshold <= 1) continue;
    const std::string key = "alerts.rules." + name + ".threshold";
    const std::array<string_view, 1> keys = {key};
    faults.push_back({origin_of(settings, keys), key + ": must be 0 to 1: it is a ratio", {}});
  }
}

// Every receiver of one list: ways to authenticate exclude each other, and come in pairs.
void check_receivers(const Settings& settings, string_view list, const std::vector<Receiver>& all,
                     Faults& faults) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string key = std::string(list) + "[" + std::to_string(i) + "]";
    const auto blame = [&](string_view part, string_view message) {
      const std::string full = key + std::string(part);
      const std::array<string_view, 1> keys = {full};
      faults.push_back({origin_of(settings, keys), key + ": " + std::string(message), {}});
    };
    const Receiver& r = all[i];
    const bool has_basic = !r.username.empty() || !r.password_file.empty();
    if (has_basic && !r.bearer_token_file.empty()) {
      blame(".bearer_token_file", "use basic_auth or bearer_token_file, not both");
    }
    if (!r.password_file.empty() && r.username.empty()) {
      blame(".basic_auth.password_file", "basic_auth needs a username too");
    }
    if (r.cert_file.empty() != r.key_file.empty()) {
      blame(r.cert_file.empty() ? ".tls_config.key_file" : ".tls_config.cert_file",
            "tls_config needs cert_file and key_file together");
    }
  }
}

}  // namespace

void check_together(const Settings& settings, const std::set<std::string, std::less<>>& faulty,
                    Faults& faults) {
  for (const CrossRule& rule : kRules) {
    const bool unknown =
        std::ranges::any_of(rule.keys, [&](string_view key) { return faulty.contains(key); });
    if (unknown || !rule.broken(settings)) continue;
    faults.push_back({origin_of(settings, rule.keys), std::string(rule.message), {}});
  }
  check_alert_rules(settings, faults);
  check_receivers(settings, "notify.alertmanagers", settings.notify.alertmanagers, faults);
  check_receivers(settings, "notify.webhooks", settings.notify.webhooks, faults);
}

}  // namespace agent::settings
