#include "agent/web/target.h"

#include <algorithm>

#include "agent/web/text.h"

namespace agent::web {
namespace {

Error broken(std::string_view part) {
  return Error{"'" + std::string(part) +
               "' holds a % that is not followed by two hexadecimal digits"};
}

Result<std::vector<std::string>> decode_segments(std::string_view path) {
  std::vector<std::string> segments;
  path.remove_prefix(1);
  while (!path.empty()) {
    const std::string_view raw = path.substr(0, path.find('/'));
    std::optional<std::string> segment = percent_decode(raw);
    if (!segment) return failure(broken(raw));
    segments.push_back(std::move(*segment));
    path.remove_prefix(raw.size());
    if (path.empty()) break;
    path.remove_prefix(1);
    if (path.empty()) segments.emplace_back();  // "/v1/sessions/" is not "/v1/sessions"
  }
  return segments;
}

Result<std::vector<std::pair<std::string, std::string>>> decode_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> parameters;
  while (!query.empty()) {
    const std::string_view item = query.substr(0, query.find('&'));
    const std::size_t equals = item.find('=');
    auto name = percent_decode(item.substr(0, equals), true);
    auto value = percent_decode(
        equals == std::string_view::npos ? std::string_view() : item.substr(equals + 1), true);
    if (!name || !value) return failure(broken(item));
    if (!item.empty()) parameters.emplace_back(std::move(*name), std::move(*value));
    query.remove_prefix(std::min(item.size() + 1, query.size()));
  }
  return parameters;
}

}  // namespace

Result<Target> Target::from(std::string_view raw) {
  if (raw.empty() || raw.front() != '/') return failure(Error{"a request target begins with /"});
  const std::size_t mark = raw.find('?');
  const std::string_view path = raw.substr(0, mark);
  Target target{std::string(path), {}, {}};
  auto segments = decode_segments(path);
  if (!segments) return failure(segments.error());
  target.segments = std::move(*segments);
  if (mark != std::string_view::npos) {
    auto parameters = decode_query(raw.substr(mark + 1));
    if (!parameters) return failure(parameters.error());
    target.parameters = std::move(*parameters);
  }
  return target;
}

std::optional<std::string_view> Target::parameter(std::string_view name) const {
  const auto found = std::find_if(parameters.begin(), parameters.end(),
                                  [&](const auto& parameter) { return parameter.first == name; });
  if (found == parameters.end()) return std::nullopt;
  return found->second;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0) return std::nullopt;
      decoded.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      decoded.push_back(plus_is_space && text[i] == '+' ? ' ' : text[i]);
    }
  }
  return decoded;
}

std::string percent_encode(std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    if (is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      encoded.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded += {'%', kDigits[byte >> 4U], kDigits[byte & 15U]};
    }
  }
  return encoded;
}

}  // namespace agent::web
