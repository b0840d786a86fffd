#include "agent/eta/deflate.h"

#include <zlib.h>

namespace agent::eta {
namespace {

constexpr std::size_t kMostInflation = 1032;  // times; zlib cannot do more

const Bytef* bytes_of(std::string_view text) { return reinterpret_cast<const Bytef*>(text.data()); }

}  // namespace

std::optional<std::string> deflate(std::string_view plain) {
  uLongf size = compressBound(plain.size());
  std::string out(size, '\0');
  if (compress2(reinterpret_cast<Bytef*>(out.data()), &size, bytes_of(plain), plain.size(),
                Z_BEST_SPEED) != Z_OK)
    return std::nullopt;
  out.resize(size);
  return out;
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
