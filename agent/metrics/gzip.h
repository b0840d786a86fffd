// Gzip: compresses one page after the other with one zlib state, whose 160 KiB are allocated once,
// at the first compressed scrape. The event loop's thread.
#pragma once

#include <memory>
#include <string_view>

#include "agent/metrics/text.h"

struct z_stream_s;

namespace agent::metrics {

class Gzip {
 public:
  explicit Gzip(int level) : level_(level) {}

  // Appends `plain` to `out`, compressed. False: no memory for zlib's state, or 4 GiB
  // and more; `out` is as it was.
  bool compress(std::string_view plain, Text& out);

 private:
  struct Free {
    void operator()(z_stream_s* stream) const;
  };
  bool start();

  int level_;
  std::unique_ptr<z_stream_s, Free> stream_;
};

}  // namespace agent::metrics
