// What the settings mean to each part of the agent: the parts have plain settings of their own and
// know nothing of where they come from. Pure; any thread.
#pragma once

#include <memory>
#include <vector>

#include "agent/eta/model.h"
#include "agent/metrics/agent_counts.h"
#include "agent/metrics/settings.h"
#include "agent/notify/target.h"
#include "agent/settings/settings.h"
#include "agent/tracker/tracker.h"
#include "agent/web/listener.h"
#include "agent/wire/listener.h"

namespace agent::cli {

// `model` of the ETAs; null: the one compiled in, or, of a tracker that runs, the one it has.
tracker::Settings tracker_settings(const settings::Settings& s,
                                   std::shared_ptr<const eta::Model> model = nullptr);
std::vector<notify::Target> notify_targets(const settings::Settings& s);
metrics::Settings metrics_settings(const settings::Settings& s);
std::vector<metrics::EtaErrorSeries> eta_error_series(const tracker::EtaErrors& errors);
std::size_t max_line_bytes(const settings::Settings& s);
wire::ListenerSettings stream_settings(const settings::Settings& s);
wire::ListenerSettings datagram_settings(const settings::Settings& s);
web::ListenerSettings ingest_settings(const settings::Settings& s);
web::ListenerSettings web_settings(const settings::Settings& s);

}  // namespace agent::cli
