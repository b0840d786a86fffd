// Text as it crosses the wire: bounds and checks on what clients send, and JSON strings for what
// they get. Pure; any thread. All input is valid UTF-8 already (the parser has seen to it) unless
// said otherwise.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace agent::wire {

// Free texts (names, stages, reasons, errors) are cut here; ids are refused when too long, never
// cut.
inline constexpr std::size_t kMaxText = 1024;  // bytes

// Where the first control character (Unicode category Cc: C0, DEL, C1) begins; none: empty.
[[nodiscard]] std::optional<std::size_t> find_control(std::string_view text);

// Whether JSON would call it white space altogether; so is the empty text.
[[nodiscard]] bool is_blank(std::string_view text);

// Appends `text` as a JSON string with its quotes. Bytes that are no UTF-8 become U+FFFD, so that a
// reply is valid whatever the client sent.
void append_quoted(std::string& out, std::string_view text);

// What a client sent, in a message: quoted, and cut when long.
[[nodiscard]] std::string shown(std::string_view text);
[[nodiscard]] std::string shown(double value);

[[nodiscard]] std::string concat(std::initializer_list<std::string_view> parts);

// The one of `names` that a person probably meant by `word`: the nearest within two edits; none:
// empty.
[[nodiscard]] std::string_view nearest(std::string_view word,
                                       std::span<const std::string_view> names);

}  // namespace agent::wire
