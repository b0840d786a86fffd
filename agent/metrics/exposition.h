// Exposition: makes the page of /metrics. One call, `render`, takes everything at one instant and
// gives the body with its headers; the caller sends it and, once a scraper has read all of it, may
// say so to the tracker with the page's own view. The event loop's thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "agent/metrics/agent_counts.h"
#include "agent/metrics/families.h"
#include "agent/metrics/gzip.h"
#include "agent/metrics/negotiation.h"
#include "agent/metrics/process.h"
#include "agent/metrics/registry.h"
#include "agent/metrics/serializer.h"
#include "agent/metrics/settings.h"
#include "agent/metrics/text.h"
#include "agent/view.h"

namespace agent::metrics {

// The headers of a scrape that matter here; empty when absent.
struct Request {
  std::string_view accept = {}, accept_encoding = {};
};

// A finished page. The reply also needs `Vary: Accept, Accept-Encoding`.
struct Page {
  std::shared_ptr<const Text> body;  // kept until it is sent; then a later page gets the buffer
  std::string_view content_type;
  std::string_view content_encoding;  // "gzip" or empty
  View view;                          // the sessions on the page
  std::uint64_t series = 0;           // of sessions, on the page
};

class Exposition {
 public:
  Exposition(Settings settings, const Build& build);

  // Takes the view, leaves out the sessions that are too many, and shows the others.
  Page render(View view, const AgentCounts& counts, const Request& request);
  // How long the caller measured `render`, and the making of the view, to take.
  void observe_scrape(Duration taken) { registry_.observe_scrape(taken); }
  void configure(Settings settings) { settings_ = std::move(settings); }  // after a reload

 private:
  // Buffers of pages that may still be on their way; one that nobody else holds is used again.
  class Buffers {
   public:
    std::shared_ptr<Text> take();

   private:
    std::array<std::shared_ptr<Text>, 3> texts_;
    std::size_t next_ = 0;
  };

  View choose(View view);
  std::uint64_t write(const View& view, Everything everything, Format format, Text& out);

  Settings settings_;
  Serializer serializer_;
  Registry registry_;
  ProcessProbe process_;
  Gzip gzip_;
  Buffers buffers_;
};

}  // namespace agent::metrics
