#include "agent/web/policy.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "agent/web/text.h"

namespace agent::web {
namespace {

constexpr std::size_t kFaults = static_cast<std::size_t>(Fault::kBadBody) + 1;
constexpr std::array<FaultAnswer, kFaults> kAnswers = {{
    {431, "the request's head is longer than 16 KiB"},
    {431, "the request has more than 100 header fields"},
    {400, "a line of the head does not end in CR LF, or holds a lone CR"},
    {400, "the head holds a control character"},
    {400, "the request line does not begin with a known method and one space"},
    {400, "the request target is not a path such as /metrics, percent-encoded where needed"},
    {400, "the request line does not end in one space and HTTP/1.1 or HTTP/1.0"},
    {400, "a header field's name is empty or is followed by something other than its colon"},
    {400, "a header field is folded over several lines"},
    {400, "a header field that may occur only once is repeated"},
    {400, "the Host field is missing"},
    {400, "the Host field is not a host with an optional port"},
    {400, "Content-Length is not a plain decimal number"},
    {400, "Transfer-Encoding is something other than one chunked"},
    {400, "the request has both Content-Length and Transfer-Encoding"},
    {400, "an HTTP/1.0 request cannot have Transfer-Encoding"},
    {400, "a GET or HEAD request cannot have a body"},
    {400, "the request's body is not correctly chunked, or ended early"},
}};

constexpr std::array<std::string_view, 8> kMethods = {"GET",    "HEAD",  "POST",    "PUT",
                                                      "DELETE", "PATCH", "OPTIONS", "TRACE"};

// Fields whose repetition would leave it to the reader which of them counts.
constexpr std::array<std::string_view, 8> kSingleFields = {
    "host",         "content-length",   "transfer-encoding", "expect",
    "content-type", "content-encoding", "authorization",     "origin"};

constexpr bool is_token_char(char c) {
  return is_alnum(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}
// A path and its query as RFC 3986 writes them; a few characters that clients send raw in queries
// pass too.
bool is_origin_form(std::string_view target) {
  if (target.empty() || target.front() != '/') return false;
  for (std::size_t i = 0; i < target.size(); ++i) {
    const char c = target[i];
    if (c <= ' ' || c > '~' || c == '#' || c == '\\') return false;
    if (c == '%' &&
        (i + 2 >= target.size() || hex_value(target[i + 1]) < 0 || hex_value(target[i + 2]) < 0)) {
      return false;
    }
  }
  return true;
}

bool is_host_and_port(std::string_view host) {
  const auto [name, port] = split_port(host);
  if (name.empty() || !std::all_of(port.begin(), port.end(), is_digit) || port.size() > 5)
    return false;
  if (name.front() == '[') {
    const auto address = name.substr(1, name.size() - 2);
    return name.size() > 2 && name.back() == ']' &&
           std::all_of(address.begin(), address.end(),
                       [](char c) { return hex_value(c) >= 0 || c == ':' || c == '.'; });
  }
  return std::all_of(name.begin(), name.end(), [](char c) {
    return is_alnum(c) || std::string_view("-._~").find(c) != std::string_view::npos;
  });
}

std::optional<std::uint64_t> plain_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;  // octal, to some
  return value;
}

// 127.0.0.0/8 in its one usual spelling.
bool is_loopback_v4(std::string_view name) {
  int octets = 0;
  for (; octets < 4; ++octets) {
    const std::string_view octet = name.substr(0, name.find('.'));
    const auto value = plain_number(octet);
    if (!value || *value > 255 || (octets == 0 && *value != 127)) return false;
    name.remove_prefix(octet.size());
    if (octets < 3 && (name.empty() || name.front() != '.')) return false;
    if (octets < 3) name.remove_prefix(1);
  }
  return name.empty();
}

std::string_view without_default_port(std::string_view host, std::string_view scheme) {
  const auto [name, port] = split_port(host);
  const bool is_default =
      (scheme == "http" && port == "80") || (scheme == "https" && port == "443");
  return is_default ? name : host;
}

}  // namespace

FaultAnswer answer_to(Fault fault) { return kAnswers[static_cast<std::size_t>(fault)]; }

Result<std::optional<std::size_t>, Fault> HeadPolicy::check(std::string_view head) {
  // A stranger (TLS, HTTP/2, a random byte) is known by its first byte, without waiting for a line.
  if (!head.empty() && !is_token_char(head.front())) return failure(Fault::kBadMethod);
  for (;;) {
    const std::size_t feed = head.find('\n', searched_);
    if (feed == std::string_view::npos) break;
    if (feed >= limits_.bytes) return failure(Fault::kHeadTooLong);
    const std::string_view line = head.substr(line_start_, feed - line_start_);
    if (line.empty() || line.back() != '\r' || line.find('\r') != line.size() - 1) {
      return failure(Fault::kBareLineBreak);
    }
    const bool is_first = line_start_ == 0;
    line_start_ = searched_ = feed + 1;
    const std::string_view text = line.substr(0, line.size() - 1);
    const bool is_last = text.empty() && !is_first;
    const std::optional<Fault> fault = is_last    ? check_whole()
                                       : is_first ? check_request_line(text)
                                                  : check_field(text);
    if (fault) return failure(*fault);
    if (is_last) return std::optional(line_start_);
  }
  searched_ = head.size();
  if (head.size() >= limits_.bytes) return failure(Fault::kHeadTooLong);
  return std::optional<std::size_t>();
}

std::optional<Fault> HeadPolicy::check_request_line(std::string_view line) {
  if (std::any_of(line.begin(), line.end(), is_control)) return Fault::kControlCharacter;
  const std::size_t method_end = line.find(' ');
  const std::string_view method = line.substr(0, method_end);
  if (method_end == std::string_view::npos ||
      std::find(kMethods.begin(), kMethods.end(), method) == kMethods.end()) {
    return Fault::kBadMethod;
  }
  const std::string_view rest = line.substr(method_end + 1);
  const std::size_t target_end = rest.find(' ');
  if (!is_origin_form(rest.substr(0, target_end))) return Fault::kBadTarget;
  const std::string_view version =
      target_end == std::string_view::npos ? std::string_view() : rest.substr(target_end + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return Fault::kBadVersion;
  http10_ = version == "HTTP/1.0";
  bodiless_method_ = method == "GET" || method == "HEAD";
  return std::nullopt;
}

std::optional<Fault> HeadPolicy::check_field(std::string_view line) {
  if (++fields_ > limits_.fields) return Fault::kTooManyFields;
  if (line.front() == ' ' || line.front() == '\t') return Fault::kFoldedField;
  if (std::any_of(line.begin(), line.end(), is_control)) return Fault::kControlCharacter;
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  if (colon == std::string_view::npos || name.empty() ||
      !std::all_of(name.begin(), name.end(), is_token_char)) {
    return Fault::kBadFieldName;
  }
  return check_value(name, trim(line.substr(colon + 1)));
}

std::optional<Fault> HeadPolicy::check_value(std::string_view name, std::string_view value) {
  const auto single =
      std::find_if(kSingleFields.begin(), kSingleFields.end(),
                   [&](std::string_view known) { return equals_ignoring_case(known, name); });
  if (single == kSingleFields.end()) return std::nullopt;
  const std::uint32_t bit = 1U << (single - kSingleFields.begin());
  if ((seen_once_ & bit) != 0) return Fault::kRepeatedField;
  seen_once_ |= bit;
  if (*single == "host") {
    has_host_ = true;
    if (!is_host_and_port(value)) return Fault::kBadHost;
  } else if (*single == "content-length") {
    content_length_ = plain_number(value);
    if (!content_length_) return Fault::kBadContentLength;
  } else if (*single == "transfer-encoding") {
    chunked_ = equals_ignoring_case(value, "chunked");
    if (!chunked_) return Fault::kBadTransferEncoding;
  }
  return std::nullopt;
}

std::optional<Fault> HeadPolicy::check_whole() const {
  if (!has_host_) return Fault::kMissingHost;
  if (chunked_ && content_length_) return Fault::kLengthAndEncoding;
  if (chunked_ && http10_) return Fault::kEncodingInHttp10;
  if (bodiless_method_ && (chunked_ || content_length_.value_or(0) != 0)) return Fault::kBodyOnGet;
  return std::nullopt;
}

bool is_host_allowed(std::string_view host, std::span<const std::string> listed) {
  const std::string_view name = split_port(host).first;
  if (equals_ignoring_case(name, "localhost") || name == "[::1]" || is_loopback_v4(name))
    return true;
  return std::any_of(listed.begin(), listed.end(), [&](const std::string& allowed) {
    return equals_ignoring_case(split_port(allowed).first, name);
  });
}

bool is_origin_allowed(std::string_view origin, std::string_view host,
                       std::span<const std::string> listed) {
  if (origin.empty()) return true;
  const bool is_listed = std::ranges::any_of(
      listed, [&](const std::string& each) { return equals_ignoring_case(each, origin); });
  if (is_listed) return true;
  const std::size_t colon = origin.find("://");
  if (colon == std::string_view::npos) return false;  // "null", too
  const std::string_view scheme = origin.substr(0, colon);
  if (scheme != "http" && scheme != "https") return false;
  return equals_ignoring_case(without_default_port(origin.substr(colon + 3), scheme),
                              without_default_port(host, scheme));
}

}  // namespace agent::web
