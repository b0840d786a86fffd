// The values that name places on the network or in the file system, and names that travel further.
#include <arpa/inet.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "agent/settings/alert_names.h"
#include "agent/settings/nearest.h"
#include "agent/settings/values.h"

namespace agent::settings {
namespace {

using std::string_view;

constexpr std::size_t kLongestHost = 253;

bool is_ipv4(const std::string& host) {
  in_addr address;
  return inet_pton(AF_INET, host.c_str(), &address) == 1;
}

bool is_ipv6(const std::string& host) {
  in6_addr address;
  return inet_pton(AF_INET6, host.substr(0, host.find('%')).c_str(), &address) == 1;
}

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// RFC 1123: labels of letters, digits and inner hyphens. Names of digits and dots only are IPv4
// addresses or mistakes.
bool is_host_name(string_view host) {
  if (host.empty() || host.size() > kLongestHost) return false;
  if (host.find_first_not_of("0123456789.") == string_view::npos) return false;
  char before = '.';
  for (const char c : host) {
    if (!is_alphanumeric(c) && c != '-' && c != '.' && c != '_') return false;
    if (c == '.' && (before == '.' || before == '-')) return false;
    if (c == '-' && before == '.') return false;
    before = c;
  }
  return before != '-' && before != '.';
}

bool is_host(const std::string& host) {
  return is_host_name(host) || is_ipv4(host) || is_ipv6(host);
}

bool has_control(string_view text) {
  return std::ranges::any_of(text, [](char c) { return (c >= 0 && c < ' ') || c == 0x7F; });
}

// "http" or "https" from the front of a URL, else empty.
string_view scheme_of(string_view url) {
  for (const string_view scheme : {string_view("https"), string_view("http")}) {
    if (url.starts_with(scheme) && url.substr(scheme.size()).starts_with("://")) return scheme;
  }
  return {};
}

struct Authority {
  string_view user, host_and_port, rest;
};
Authority authority_of(string_view url) {
  url.remove_prefix(scheme_of(url).size() + 3);
  const std::size_t end = std::min(url.find_first_of("/?#"), url.size());
  const string_view authority = url.substr(0, end);
  const std::size_t at = authority.rfind('@');
  const bool has_user = at != string_view::npos;
  return {has_user ? authority.substr(0, at) : string_view(),
          has_user ? authority.substr(at + 1) : authority, url.substr(end)};
}

bool is_host_with_optional_port(string_view text) {
  if (auto address = read_address(text)) return !address->host.empty();
  if (text.starts_with('[') && text.ends_with(']')) {
    return is_ipv6(std::string(text.substr(1, text.size() - 2)));
  }
  const std::string host(text);
  return is_host_name(host) || is_ipv4(host);
}

// Prometheus' label names, without those it keeps for itself.
std::string check_label_name(string_view text) {
  const bool is_name =
      !text.empty() && !(text[0] >= '0' && text[0] <= '9') &&
      std::ranges::all_of(text, [](char c) { return is_alphanumeric(c) || c == '_'; });
  if (!is_name) return "is no label name: letters, digits and _ only, not starting with a digit";
  if (text.starts_with("__")) return "starts with __, which Prometheus keeps for itself";
  return {};
}

template <std::size_t N>
bool is_one_of(string_view text, const std::array<string_view, N>& names) {
  return std::ranges::find(names, text) != names.end();
}

constexpr std::array<string_view, 8> kTargetLabels = {"stage", "job", "instance", "namespace",
                                                      "pod",   "env", "service",  "cluster"};
// Of the metrics, and of the alerts, which carry the session labels too.
constexpr std::array<string_view, 12> kOwnLabels = {"session", "family",   "name",      "mode",
                                                    "attempt", "shard",    "shards",    "state",
                                                    "le",      "quantile", "alertname", "severity"};
constexpr std::array<string_view, 4> kAlertLabels = {"alertname", "severity", "session", "family"};

}  // namespace

bool Address::is_loopback() const {
  if (host == "localhost") return true;
  in_addr v4;
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6;
  if (inet_pton(AF_INET6, host.c_str(), &v6) != 1) return false;
  if (IN6_IS_ADDR_V4MAPPED(&v6)) return v6.s6_addr[12] == 127;
  return IN6_IS_ADDR_LOOPBACK(&v6);
}

Read<Address> read_address(string_view text) {
  const auto refuse = [&](const char* why, std::string suggestion = {}) {
    const string_view shown = text.substr(0, 80);
    return failure(Refusal{"\"" + std::string(shown) + "\" " + why, std::move(suggestion)});
  };
  if (!scheme_of(text).empty()) return refuse("is a URL: write host:port without a scheme");
  const std::size_t colon = text.rfind(':');
  const bool has_port = colon != string_view::npos && !text.ends_with(']');
  if (!has_port) {
    const bool is_port = !text.empty() && text.find_first_not_of("0123456789") == string_view::npos;
    return refuse("has no port: write host:port, or :port for every address",
                  is_port ? ":" + std::string(text) : "");
  }
  Address address;
  const string_view port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size() || port.empty()) {
    return refuse("has no valid port: it is a number from 0 (any free one) to 65535");
  }
  string_view host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  address.host = std::string(host);
  if (!bracketed && is_ipv6(address.host)) {
    return refuse("has an IPv6 address without brackets",
                  "[" + address.host + "]:" + std::string(port));
  }
  const bool good = bracketed ? is_ipv6(address.host) : host.empty() || is_host(address.host);
  if (!good) return refuse("has no valid host: write an IP address or a host name");
  return address;
}

std::string show(const Address& value) {
  const bool bracketed = value.host.find(':') != std::string::npos;
  return (bracketed ? "[" + value.host + "]" : value.host) + ":" + std::to_string(value.port);
}

std::string check_url(string_view text) {
  if (text.empty()) return {};
  if (scheme_of(text).empty()) return "is no URL: it starts with http:// or https://";
  if (has_control(text) || text.find(' ') != string_view::npos) {
    return "is no URL: it contains a space or control character";
  }
  if (!is_host_with_optional_port(authority_of(text).host_and_port)) {
    return "is no URL: it names no valid host";
  }
  return {};
}

std::string check_socket_path(string_view text) {
  constexpr std::size_t kLongest = sizeof(sockaddr_un::sun_path) - 1;
  if (text.size() > kLongest) {
    return "is too long for a Unix socket: " + std::to_string(kLongest) + " bytes at most";
  }
  if (text.ends_with('/')) return "is a directory: name the socket file in it";
  return check_path(text);
}

std::string check_path(string_view text) {
  return has_control(text) ? "is no path: it contains a control character" : std::string();
}

std::string check_host(string_view text) {
  if (text.empty() || is_host(std::string(text))) return {};
  return "is no host: write a host name or IP address, without scheme and port";
}

std::string check_origin(string_view text) {
  if (text == "null" || text == "*") {
    return "would let every page read this agent: list the origins, such as https://ci.example.org";
  }
  if (scheme_of(text).empty()) return "is no origin: it starts with http:// or https://";
  const Authority authority = authority_of(text);
  if (!authority.rest.empty() || !authority.user.empty()) {
    return "is no origin: write scheme, host and port only, without a path";
  }
  if (!is_host_with_optional_port(authority.host_and_port))
    return "is no origin: it names no valid host";
  return {};
}

std::string check_session_label(string_view text) {
  if (is_one_of(text, kTargetLabels)) {
    return "clashes with a label that Prometheus gives to the target: choose another name";
  }
  if (is_one_of(text, kOwnLabels))
    return "is already a label of the agent's own metrics and alerts";
  return check_label_name(text);
}

std::string check_external_label(string_view text) {
  if (is_one_of(text, kAlertLabels)) return "is already a label of every alert";
  return check_label_name(text);
}

std::string check_alert_name(string_view text) {
  if (is_one_of(text, kAlertNames)) return {};
  return "is no alert of this agent";
}

std::string check_model_name(string_view text) {
  constexpr std::size_t kLongest = 128;
  if (text.empty() || text.size() > kLongest || has_control(text)) {
    return "is no model name: 1 to 128 bytes without control characters";
  }
  return {};
}

std::string redact_url(string_view url, bool hide_path) {
  if (scheme_of(url).empty()) return url.empty() ? std::string() : "<hidden>";
  const Authority authority = authority_of(url);
  std::string out(scheme_of(url));
  out += "://";
  if (!authority.user.empty()) out += "<hidden>@";
  out += authority.host_and_port;
  const bool has_secret = hide_path && authority.rest.size() > 1;
  return out + (has_secret ? "/<hidden>" : std::string(authority.rest));
}

}  // namespace agent::settings
