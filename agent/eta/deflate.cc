#include "agent/eta/deflate.h"

#include <zlib.h>

#include <memory>
#include <utility>

namespace agent::eta {
namespace {

// What zlib makes ready for each deflation takes longer than a small one itself: less does there.
struct Memory {
  int window, level;
};
constexpr Memory kSmall{12, 6}, kUsual{15, 8};
constexpr std::size_t kMostSmall = 16384;     // bytes
constexpr std::size_t kMostInflation = 1032;  // times; zlib cannot do more

struct End {
  void operator()(z_stream* stream) const { deflateEnd(stream); }
};

const Bytef* bytes_of(std::string_view text) { return reinterpret_cast<const Bytef*>(text.data()); }

}  // namespace

std::optional<std::string> deflate(std::string_view plain) {
  z_stream stream{};
  const Memory memory = plain.size() <= kMostSmall ? kSmall : kUsual;
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, memory.window, memory.level,
                   Z_DEFAULT_STRATEGY) != Z_OK)
    return std::nullopt;
  const std::unique_ptr<z_stream, End> ends(&stream);
  std::string out(deflateBound(&stream, plain.size()), '\0');
  stream.next_in = const_cast<Bytef*>(bytes_of(plain));  // zlib's way of saying const
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int code = ::deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  return code == Z_STREAM_END ? std::optional(std::move(out)) : std::nullopt;
}

std::optional<std::string> inflate(std::string_view deflated, std::size_t size) {
  if (size / kMostInflation > deflated.size()) return std::nullopt;
  std::string out(size, '\0');
  uLongf found = size;
  if (uncompress(reinterpret_cast<Bytef*>(out.data()), &found, bytes_of(deflated),
                 deflated.size()) != Z_OK ||
      found != size)
    return std::nullopt;
  return out;
}

}  // namespace agent::eta
