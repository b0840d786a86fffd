// Frame: one WebSocket message of the live feed as it goes on the wire, header and text, made once
// and shared by all who are sent it (RFC 6455, section 5.2: a server's frames are not masked).
// Immutable once made; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "agent/web/json_writer.h"
#include "agent/web/reply.h"

namespace agent::web {

using Frame = Body;

enum class Opcode : std::uint8_t { kText = 1, kClose = 8, kPing = 9 };

namespace frame_detail {

constexpr std::size_t kLongestHeader = 10;

// Writes the header of a message of `size` bytes so that it ends at `end`; returns its length.
inline std::size_t put_header(char* end, Opcode opcode, std::uint64_t size) {
  constexpr unsigned kFin = 0x80, k16Bits = 126, k64Bits = 127;
  const std::size_t extra = size < k16Bits ? 0 : size <= 0xffff ? 2 : 8;
  for (std::size_t i = 0; i < extra; ++i) *--end = static_cast<char>(size >> (8 * i) & 0xff);
  const std::uint64_t length = extra == 0 ? size : extra == 2 ? k16Bits : k64Bits;
  *--end = static_cast<char>(length);
  *--end = static_cast<char>(kFin | static_cast<unsigned>(opcode));
  return 2 + extra;
}

}  // namespace frame_detail

// A text message of what `write` puts on a JsonWriter.
template <typename Write>
Frame json_frame(Write write) {
  constexpr std::size_t kRoom = frame_detail::kLongestHeader;
  auto text = std::make_shared<std::string>(kRoom, '\0');
  JsonWriter json(*text);
  write(json);
  const std::size_t header =
      frame_detail::put_header(text->data() + kRoom, Opcode::kText, text->size() - kRoom);
  return {std::string_view(*text).substr(kRoom - header), text};
}

// A control message; `payload` is at most 125 bytes.
inline Frame control_frame(Opcode opcode, std::string_view payload) {
  std::string text(2, '\0');
  frame_detail::put_header(text.data() + text.size(), opcode, payload.size());
  text += payload;
  return Frame(std::move(text));
}

}  // namespace agent::web
