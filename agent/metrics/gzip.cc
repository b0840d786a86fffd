#include "agent/metrics/gzip.h"

#include <zlib.h>

#include <limits>

namespace agent::metrics {
namespace {

constexpr int kGzipFormat = 16;  // added to the window bits: gzip's frame in place of zlib's
constexpr int kMemoryLevel = 6;  // smaller tables stay in cache: faster than the default, 8

}  // namespace

void Gzip::Free::operator()(z_stream_s* stream) const {
  deflateEnd(stream);
  delete stream;
}

bool Gzip::start() {
  if (stream_) return deflateReset(stream_.get()) == Z_OK;
  auto stream = std::make_unique<z_stream>();
  if (deflateInit2(stream.get(), level_, Z_DEFLATED, MAX_WBITS + kGzipFormat, kMemoryLevel,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    return false;
  }
  stream_.reset(stream.release());
  return true;
}

bool Gzip::compress(std::string_view plain, Text& out) {
  if (plain.size() > std::numeric_limits<uInt>::max() || !start()) return false;
  const std::size_t bound = deflateBound(stream_.get(), plain.size());
  auto* const begin = reinterpret_cast<Bytef*>(out.room(bound));
  stream_->next_in =
      reinterpret_cast<z_const Bytef*>(const_cast<char*>(plain.data()));  // zlib reads it
  stream_->avail_in = static_cast<uInt>(plain.size());
  stream_->next_out = begin;
  stream_->avail_out = static_cast<uInt>(bound);
  if (deflate(stream_.get(), Z_FINISH) != Z_STREAM_END) return false;
  out.commit(reinterpret_cast<const char*>(stream_->next_out));
  return true;
}

}  // namespace agent::metrics
