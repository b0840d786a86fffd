// Any bytes as a stream, cut into pieces in any way: the lines are the same as of the whole. The
// first byte says how long a line may be, the second how the pieces are cut.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "agent/wire/framer.h"

namespace {

using namespace agent::wire;

void note(std::vector<std::string>& lines, const Line& line, char mark) {
  lines.push_back(std::to_string(line.number) + (line.is_too_long ? '!' : mark) +
                  std::string(line.text));
}

std::vector<std::string> frame(std::string_view stream, std::size_t max, std::size_t piece) {
  Framer framer(max);
  ReadBuffer buffer(max);
  std::vector<std::string> lines;
  while (!stream.empty()) {
    const std::size_t size = std::min({piece, stream.size(), ReadBuffer::kBytes});
    std::memcpy(buffer.room().data(), stream.data(), size);
    framer.feed(buffer.room().first(size));
    while (const auto line = framer.next()) note(lines, *line, ':');
    if (framer.pending() > Framer::headroom(max)) std::abort();
    stream.remove_prefix(size);
  }
  if (const auto line = framer.finish()) note(lines, *line, '~');
  return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t max = bytes[0];
  const std::size_t piece = bytes[1] + std::size_t{1};
  const std::string stream(reinterpret_cast<const char*>(bytes) + 2, size - 2);
  if (frame(stream, max, piece) != frame(stream, max, ReadBuffer::kBytes)) std::abort();
  return 0;
}
