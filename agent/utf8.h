// Text from outside, made safe to repeat: well-formed UTF-8 (RFC 3629: no overlong forms, no
// surrogates), and JSON strings. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace agent {

// Bytes of the sequence that starts at `text`, which is not empty; 0 when it is malformed.
constexpr std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first < 0xC2   ? 0
                             : first < 0xE0 ? 2
                             : first < 0xF0 ? 3
                             : first < 0xF5 ? 4
                                            : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const bool overlong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
  const bool surrogate = first == 0xED && byte(1) >= 0xA0;
  const bool beyond_unicode = first == 0xF4 && byte(1) >= 0x90;
  return overlong || surrogate || beyond_unicode ? 0 : length;
}

// Bytes of the longest well-formed beginning; text.size() when all of it is.
constexpr std::size_t valid_utf8_prefix(std::string_view text) {
  std::size_t good = 0;
  while (good < text.size()) {
    const std::size_t length = utf8_length(text.substr(good));
    if (length == 0) break;
    good += length;
  }
  return good;
}

// Appends `text` as a JSON string with its quotes; a byte that is not UTF-8 becomes U+FFFD, a
// control character (those of C1, which terminals obey, too) its escape.
inline void append_json_string(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto escape = [&](unsigned char c) { (out += "\\u00") += {kHex[c >> 4], kHex[c & 15]}; };
  out += '"';
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const auto first = static_cast<unsigned char>(text[0]);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
    } else if (first == '"' || first == '\\') {
      (out += '\\') += text[0];
    } else if (first == '\n') {
      out += "\\n";
    } else if (first < ' ' || first == 0x7F) {
      escape(first);
    } else if (first == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0) {
      escape(static_cast<unsigned char>(text[1]));
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out += '"';
}

}  // namespace agent
