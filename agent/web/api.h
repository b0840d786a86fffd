// Api: all that the agent answers over HTTP, as one table of routes. What the routes need from
// parts of the agent that `web` does not know is handed in. Event loop only.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <functional>
#include <string_view>
#include <vector>

#include "agent/clock.h"
#include "agent/metrics/exposition.h"
#include "agent/progress/past.h"
#include "agent/result.h"
#include "agent/tracker/tracker.h"
#include "agent/view.h"
#include "agent/web/reply.h"
#include "agent/web/routes.h"

namespace agent::web {

// What only the wiring can answer.
struct Outside {
  std::function<metrics::Page(const metrics::Request&)> metrics;
  // A scraper (who sends X-Prometheus-Scrape-Timeout-Seconds) was sent the whole page.
  std::function<void(const boost::asio::ip::address& scraper, const View& page)> scraped;
  std::function<bool()> ready;           // false while the agent drains
  std::function<Result<void>()> reload;  // of the configuration
  // Members of GET /v1/status: the configuration in force, sources, storage, queues.
  std::function<void(JsonWriter&)> status;
  // What is stored of the past or, without storage, remembered.
  progress::PastSource past;
};

// All routes but the events' (events.h). Everything referred to must outlive them.
std::vector<Route> api_routes(const Outside& outside, tracker::Tracker& tracker,
                              const Clock& clock);

}  // namespace agent::web
