// Agent: the running agent, wired together. Members stand in the order in which they start; what is
// below uses what is above, and goes first. One event-loop thread runs everything here; `serve` and
// `demo` make one. No logic but the order of things: starting, reloading, and leaving.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string_view>

#include "agent/cli/gates.h"
#include "agent/cli/sd_notify.h"
#include "agent/cli/storage.h"
#include "agent/clock.h"
#include "agent/eta/model.h"
#include "agent/history/recent.h"
#include "agent/metrics/exposition.h"
#include "agent/notify/notifier.h"
#include "agent/result.h"
#include "agent/settings/load.h"
#include "agent/tracker/scrapers.h"
#include "agent/tracker/tracker.h"
#include "agent/web/api.h"
#include "agent/web/durability.h"
#include "agent/web/listener.h"
#include "agent/web/live.h"
#include "agent/web/memory.h"
#include "agent/web/routes.h"
#include "agent/wire/datagram_listener.h"
#include "agent/wire/intake.h"
#include "agent/wire/listener.h"
#include "agent/workload/reader.h"

namespace agent {

class Agent {
 public:
  // `given` is what a reload reads the settings from again; `model` of the ETAs, null: the one
  // compiled in; `gates` the access rules of the HTTP listeners.
  Agent(settings::Settings settings, settings::Given given, const metrics::Build& build,
        std::shared_ptr<const eta::Model> model, std::unique_ptr<cli::Gates> gates);
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  // Binds every address and socket. The error names what could not be bound; nothing runs then.
  Result<void> start();
  // Runs until a signal, or the end of all work, has made it leave.
  void run();

  // What `demo` feeds its samples through.
  [[nodiscard]] boost::asio::io_context& loop() { return loop_; }
  [[nodiscard]] const Clock& clock() const { return clock_; }
  [[nodiscard]] wire::Intake& intake() { return intake_; }
  [[nodiscard]] bool is_leaving() const { return leaving_since_.has_value(); }
  [[nodiscard]] const settings::Settings& settings() const { return settings_; }

 private:
  // Why the agent leaves, and what ended its wait for scrapers.
  void leave(std::string_view why);
  boost::asio::awaitable<void> drain_and_wait(SteadyInstant deadline);
  [[nodiscard]] std::string_view reason_to_go(std::uint64_t final_generation,
                                              SteadyInstant deadline) const;

  boost::asio::awaitable<void> tick();
  boost::asio::awaitable<void> look_at_everything();
  void show_life();
  [[nodiscard]] std::string status_line() const;
  void look_at_workload(Now now);
  boost::asio::awaitable<void> obey_signals();
  // The last resort, when no scraper came for the final values.
  boost::asio::awaitable<void> push_final_values();
  void leave_when_done();

  Result<void> reload();
  Result<void> load_and_put_in_force();
  void put_in_force();
  void start_storage();
  [[nodiscard]] progress::PastSource past();
  [[nodiscard]] progress::PastSource recent_past();
  [[nodiscard]] web::Outside outside();
  [[nodiscard]] std::vector<web::Route> routes();
  metrics::Page render(const metrics::Request& request);
  [[nodiscard]] metrics::AgentCounts counts() const;
  void add_refusals(metrics::AgentCounts& out) const;

  // Of the event loop's thread.
  settings::Settings settings_;
  const settings::Given given_;
  SystemClock clock_;
  tracker::Tracker tracker_;
  tracker::Scrapers scrapers_;
  metrics::Exposition exposition_;
  boost::asio::io_context loop_{1};
  web::Durability durability_{loop_.get_executor(), tracker_};
  std::optional<cli::Storage> storage_;  // none: memory only
  history::Recent recent_;               // the past without storage
  notify::Notifier notifier_;
  workload::Reader workload_;
  wire::Intake intake_;
  wire::Listener stream_listener_;
  wire::DatagramListener datagram_listener_;
  std::unique_ptr<cli::Gates> gates_;
  web::Memory web_memory_;
  const web::Outside outside_;
  web::Live live_;
  const web::Routes routes_;
  web::Listener ingest_listener_, web_listener_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer tick_timer_, wait_timer_;
  cli::SdNotify sd_notify_ = cli::SdNotify::from_environment();

  SteadyInstant workload_due_{};
  std::string workload_fault_;  // as logged last
  bool last_reload_good_ = true;
  Instant last_good_reload_;
  std::optional<SteadyInstant> leaving_since_;
  bool hurried_ = false;                     // a second signal: go without waiting
  std::optional<SteadyInstant> idle_since_;  // all sessions have ended, and no stream is open
};

}  // namespace agent
