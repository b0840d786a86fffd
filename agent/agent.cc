#include "agent/agent.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/host_name.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <thread>
#include <utility>

#include "agent/cli/limits.h"
#include "agent/cli/status.h"
#include "agent/cli/translate.h"
#include "agent/log/log.h"
#include "agent/notify/push.h"
#include "agent/web/events.h"

namespace agent {
namespace {

namespace asio = boost::asio;

constexpr Duration kTick = std::chrono::seconds(1);
constexpr Duration kWorkloadEvery = std::chrono::seconds(5);
constexpr Duration kDrainTime = std::chrono::seconds(5);
constexpr Duration kDoneTime = std::chrono::seconds(2);  // without streams, for --exit-when-done
constexpr Duration kPushTime = std::chrono::seconds(5);
constexpr Duration kLastReplies = std::chrono::milliseconds(500);
constexpr int kSignals[] = {SIGTERM, SIGINT, SIGHUP};

// Waits for the timer; that it was cancelled is no fault.
asio::awaitable<void> sleep(asio::steady_timer& timer, Duration time) {
  timer.expires_after(time);
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

// The set of signals goes with the agent; one that comes later must not make a death of a clean
// end.
void hold_back_signals() {
  sigset_t held;
  sigemptyset(&held);
  for (const int number : kSignals) sigaddset(&held, number);
  pthread_sigmask(SIG_BLOCK, &held, nullptr);
}

// That something cannot be listened on, and what could be done.
Result<void> with_way_out(const Result<void>& fault, std::string_view way) {
  return failure(fault.error().message + "; " + std::string(way));
}

// What fires, and what no longer does.
void log_alert(const alert::Alert& alert) {
  if (!alert.starts_at || alert.dismissed) return;
  const bool fires = alert.state == alert::State::kFiring;
  const auto write = [&](std::initializer_list<log::Field> fields) {
    fires ? log::warn("alert firing", fields) : log::info("alert resolved", fields);
  };
  write({{"alert", alert.name()},
         {"severity", name_of(alert.severity)},
         {"session", alert.session},
         {"reason", name_of(alert.reason)},
         {"message", alert.message},
         {"id", alert.id}});
}

metrics::SourceCounts counts_of(wire::Source source, const wire::SourceCounts& counts,
                                std::optional<std::uint64_t> connections) {
  metrics::SourceCounts out;
  out.source = name_of(source);
  out.events = counts.events;
  out.rejected = counts.rejected;
  out.connections = connections;
  if (source == wire::Source::kUnix) {
    out.unfinished_lines = counts.unfinished_lines;
    out.dropped_replies = counts.dropped_replies;
  }
  return out;
}

}  // namespace

Agent::Agent(settings::Settings settings, settings::Given given, const metrics::Build& build,
             std::shared_ptr<const eta::Model> model, std::unique_ptr<cli::Gates> gates)
    : settings_(std::move(settings)),
      given_(std::move(given)),
      tracker_(cli::tracker_settings(settings_, std::move(model))),
      exposition_(cli::metrics_settings(settings_), build),
      notifier_(clock_),
      workload_({settings_.workload.process, settings_.workload.cgroup}),
      intake_(tracker_, cli::max_line_bytes(settings_)),
      stream_listener_(loop_, clock_, intake_, cli::stream_settings(settings_)),
      datagram_listener_(loop_, clock_, intake_, cli::datagram_settings(settings_)),
      gates_(std::move(gates)),
      outside_(outside()),
      live_(loop_, clock_, tracker_, {settings_.web.allowed_origins}),
      routes_(routes(), settings_.web.enable_admin_api),
      ingest_listener_(loop_, clock_, web_memory_, routes_,
                       cli::ingest_settings(settings_, *gates_)),
      web_listener_(loop_, clock_, web_memory_, routes_, cli::web_settings(settings_, *gates_)),
      signals_(loop_),
      tick_timer_(loop_),
      wait_timer_(loop_),
      last_good_reload_(clock_.now().wall) {}

// Without `run` too, the thread that posts to the loop ends before what it posts to.
Agent::~Agent() {
  if (storage_) storage_->stop();
}

Result<void> Agent::start() {
  std::signal(SIGPIPE, SIG_IGN);
  start_storage();
  for (const int number : kSignals) signals_.add(number);
  if (!settings_.ingest.socket.empty()) {
    if (auto opened = stream_listener_.open(); !opened)
      return with_way_out(opened,
                          "--ingest.socket=PATH chooses another place, --ingest.socket= none");
    stream_listener_.start();
  }
  if (!settings_.ingest.datagram_socket.empty()) {
    if (auto opened = datagram_listener_.open(); !opened)
      return with_way_out(opened, "--ingest.datagram-socket=PATH chooses another place");
    datagram_listener_.start();
  }
  if (auto started = ingest_listener_.start(); !started)
    return with_way_out(started, "--ingest.listen-address=HOST:PORT chooses another");
  if (auto started = web_listener_.start(); !started)
    return with_way_out(started, "--web.listen-address=HOST:PORT chooses another");
  notifier_.configure(cli::notify_targets(settings_));
  log::info("ready", {{"version", AGENT_VERSION},
                      {"web_port", web_listener_.port()},
                      {"ingest_port", ingest_listener_.port()},
                      {"socket", settings_.ingest.socket},
                      {"config", settings_.config_file}});
  sd_notify_.ready(status_line());
  return {};
}

// Before anything comes in: what was stored is there first.
void Agent::start_storage() {
  if (settings_.storage.path.empty()) return;
  storage_.emplace(settings_, tracker_, clock_, [this] {
    asio::post(loop_, [this] {
      stream_listener_.on_durable();
      durability_.notify();
    });
  });
  storage_->start();
}

void Agent::run() {
  asio::co_spawn(loop_, tick(), asio::detached);
  asio::co_spawn(loop_, obey_signals(), asio::detached);
  loop_.run();
  if (storage_) storage_->stop();
  if (notifier_.has_targets()) notifier_.tell(tracker_.view(clock_.now()));
  notifier_.stop();
  hold_back_signals();
}

asio::awaitable<void> Agent::tick() {
  for (;;) {
    co_await sleep(tick_timer_, kTick);
    co_await look_at_everything();
    show_life();
    if (settings_.exit_when_done) leave_when_done();
    wait_timer_.cancel();  // a scraper may have been forgotten by now
  }
}

// Once a second, whether events come or not.
asio::awaitable<void> Agent::look_at_everything() {
  alert::AgentHealth health;
  cli::note_fullest(cli::limits_used(settings_, tracker_.totals()), health);
  health.notifications_failing = notifier_.is_failing();
  const Now now = clock_.now();
  if (workload_.is_wanted() && now.steady >= workload_due_) look_at_workload(now);
  tracker_.tick(now, health);
  while (tracker_.look_on(clock_.now())) co_await asio::post(loop_, asio::use_awaitable);
  if (!storage_ && recent_.is_due(now.steady)) recent_.look(tracker_.view(now));
  for (const alert::Alert& alert : tracker_.take_alert_changes()) log_alert(alert);
  if (notifier_.has_targets()) notifier_.tell(tracker_.view(clock_.now()));
}

std::string Agent::status_line() const {
  if (is_leaving()) return "leaving; final values are kept for scrapers";
  return cli::status_line(tracker_.totals());
}

// From the loop itself: one that hangs gives no sign.
void Agent::show_life() {
  const SteadyInstant now = clock_.now().steady;
  if (sd_notify_.is_sign_of_life_due(now)) sd_notify_.sign_of_life(now, status_line());
}

void Agent::look_at_workload(Now now) {
  workload_due_ = now.steady + kWorkloadEvery;
  workload::Usage usage = workload_.read(now.steady);
  if (usage.fault != workload_fault_ && !usage.fault.empty())
    log::warn("the workload's resources are not known", {{"fault", usage.fault}});
  workload_fault_ = std::move(usage.fault);
  tracker::Tracker::Batch(tracker_, now).observe_workload(usage.resources);
}

asio::awaitable<void> Agent::obey_signals() {
  for (;;) {
    const int number = co_await signals_.async_wait(asio::use_awaitable);
    if (number == SIGHUP) {
      static_cast<void>(reload());  // which logs what came of it
    } else if (is_leaving()) {
      hurried_ = true;
      wait_timer_.cancel();
    } else {
      leave(number == SIGTERM ? "SIGTERM" : "SIGINT");
    }
  }
}

void Agent::leave_when_done() {
  const Now now = clock_.now();
  const View view = tracker_.view(now);
  const bool all_ended = std::ranges::all_of(
      view.sessions, [](const auto& session) { return progress::is_ended(session->state); });
  const bool is_idle = !view.sessions.empty() && all_ended && stream_listener_.connections() == 0;
  if (!is_idle) {
    idle_since_.reset();
  } else if (!idle_since_) {
    idle_since_ = now.steady;
  } else if (now.steady - *idle_since_ >= kDoneTime && !is_leaving()) {
    leave("all sessions have ended");
  }
}

void Agent::leave(std::string_view why) {
  leaving_since_ = clock_.now().steady;
  log::info("leaving", {{"why", why}, {"linger_seconds", settings_.shutdown.linger}});
  sd_notify_.stopping(status_line());
  asio::co_spawn(loop_, drain_and_wait(*leaving_since_ + settings_.shutdown.linger),
                 asio::detached);
}

// The contract, section 8: not ready; clients come to their end; the final values reach every
// scraper, or time is up.
asio::awaitable<void> Agent::drain_and_wait(SteadyInstant deadline) {
  co_await stream_listener_.drain(kDrainTime);
  datagram_listener_.stop();
  const std::uint64_t final_generation = tracker_.generation();
  std::string_view reason;
  while ((reason = reason_to_go(final_generation, deadline)).empty()) {
    co_await sleep(wait_timer_, deadline - clock_.now().steady);
  }
  log::info("stopping", {{"because", reason}, {"scrapers", scrapers_.known(clock_.now().steady)}});
  const bool is_read = scrapers_.any_has(final_generation);
  if (!is_read && !settings_.push.gateway_url.empty()) co_await push_final_values();
  ingest_listener_.drain();
  web_listener_.drain();
  live_.close();
  for (Duration waited{}; waited < kLastReplies; waited += kLastReplies / 50) {
    if (web_listener_.connections() + ingest_listener_.connections() == 0) break;
    co_await sleep(wait_timer_, kLastReplies / 50);
  }
  loop_.stop();
}

// In a thread, so that whoever comes meanwhile is served.
asio::awaitable<void> Agent::push_final_values() {
  notify::Endpoint gateway = notify::endpoint_of(settings_.push.gateway_url);
  gateway.timeout = kPushTime;
  std::string page(render({}).body->view());
  std::optional<Result<void>> pushed;
  std::thread pushing([&] {
    auto done = notify::push(gateway, asio::ip::host_name(), std::move(page));
    asio::post(loop_, [&, done = std::move(done)]() mutable {
      pushed = std::move(done);
      wait_timer_.cancel();
    });
  });
  while (!pushed) co_await sleep(wait_timer_, kPushTime);
  pushing.join();
  if (*pushed)
    log::info("pushed the final values", {{"gateway", gateway.shown()}});
  else
    log::error("the final values reached nobody", {{"fault", pushed->error().message}});
}

std::string_view Agent::reason_to_go(std::uint64_t final_generation, SteadyInstant deadline) const {
  const SteadyInstant now = clock_.now().steady;
  if (scrapers_.all_have(final_generation, now)) return "every scraper has the final values";
  if (hurried_) return "a second signal";
  if (now >= deadline) return "the linger is over";
  return {};
}

Result<void> Agent::reload() {
  sd_notify_.reloading(clock_.now().steady);
  auto reloaded = load_and_put_in_force();
  sd_notify_.ready(reloaded ? status_line() : "reload refused: " + reloaded.error().message);
  return reloaded;
}

Result<void> Agent::load_and_put_in_force() {
  auto fresh = settings::load(given_);
  last_reload_good_ = fresh.has_value() && gates_->reload();
  if (!fresh) {
    for (const settings::Fault& fault : fresh.error()) {
      log::error("configuration fault", {{"fault", fault.text()}});
    }
    log::error("reload refused: the configuration in force stays",
               {{"faults", fresh.error().size()}});
    return failure(fresh.error().front().text());
  }
  if (!last_reload_good_) {
    log::error("reload refused: the access rules in force stay");
    return failure(std::string("a file of access rules has faults; the log lists them"));
  }
  settings::Reloaded reloaded = settings::reload(std::move(settings_), *std::move(fresh));
  settings_ = std::move(reloaded.in_force);
  last_good_reload_ = clock_.now().wall;
  put_in_force();
  // Who is told already is told on without a break unless something about it changed.
  const bool others = std::ranges::any_of(
      reloaded.changed, [](const std::string& key) { return key.starts_with("notify."); });
  if (others) notifier_.configure(cli::notify_targets(settings_));
  log::info("reloaded", {{"changed", reloaded.changed.size()}});
  for (const std::string& key : reloaded.waiting_for_restart) {
    log::warn("a changed setting waits for a restart", {{"key", key}});
  }
  return {};
}

void Agent::put_in_force() {
  log::configure(settings_.log.level, settings_.log.format);
  tracker_.configure(cli::tracker_settings(settings_), clock_.now());
  exposition_.configure(cli::metrics_settings(settings_));
  if (storage_) storage_->configure(settings_);
}

progress::PastSource Agent::past() {
  if (settings_.storage.path.empty()) return recent_past();
  return {
      [this](auto... what) { return storage_->reader().minutes(what...); },
      [this](const std::string& family, std::size_t limit) {
        return storage_->reader().runs(family, limit);
      },
      [this](const std::string& after, std::size_t limit) {
        return storage_->reader().families(after, limit);
      },
  };
}

progress::PastSource Agent::recent_past() {
  const auto recent = [this]() -> const history::Recent& {
    recent_.look(tracker_.view(clock_.now()));
    return recent_;
  };
  return {
      [recent](auto... what) { return recent().minutes(what...); },
      [recent](const std::string& family, std::size_t limit) {
        return recent().runs(family, limit);
      },
      [recent](const std::string& after, std::size_t limit) {
        return recent().families(after, limit);
      },
  };
}

web::Outside Agent::outside() {
  return {
      .metrics = [this](const metrics::Request& request) { return render(request); },
      .scraped =
          [this](const asio::ip::address& scraper, const View& page) {
            tracker_.mark_scraped(page);
            scrapers_.received(scraper.to_string(), page.generation, clock_.now().steady);
            wait_timer_.cancel();
          },
      .ready = [this] { return !is_leaving(); },
      .reload = [this] { return reload(); },
      .status =
          [this](web::JsonWriter& json) {
            cli::write_storage(json, storage_ ? std::optional(storage_->state()) : std::nullopt);
            cli::write_queues(json, counts());
            cli::write_notifications(json, notifier_.status());
            cli::write_configuration(json, settings_);
          },
      .past = past(),
  };
}

std::vector<web::Route> Agent::routes() {
  std::vector<web::Route> out = web::api_routes(outside_, tracker_, clock_);
  out.push_back(live_.route());
  out.push_back(web::events_route(intake_, clock_, outside_.ready,
                                  static_cast<std::size_t>(settings_.ingest.max_body_bytes.count),
                                  &durability_));
  return out;
}

metrics::Page Agent::render(const metrics::Request& request) {
  const Now began = clock_.now();
  metrics::Page page = exposition_.render(tracker_.view(began), counts(), request);
  exposition_.observe_scrape(clock_.now().steady - began.steady);
  return page;
}

void Agent::add_refusals(metrics::AgentCounts& out) const {
  for (const web::Listener* listener : {&web_listener_, &ingest_listener_}) {
    const auto& counts = listener->refusals().counts();
    for (std::size_t i = 0; i < counts.size(); ++i)
      out.refusals.push_back({listener->name(), access::kRefusalNames[i], counts[i]});
  }
  for (const wire::Source source : {wire::Source::kUnix, wire::Source::kDatagram}) {
    const wire::SourceCounts& counts = intake_.counts().of(source);
    out.refusals.push_back({name_of(source), "user", counts.refused_users});
    out.refusals.push_back({name_of(source), "connections", counts.refused_connections});
  }
}

metrics::AgentCounts Agent::counts() const {
  using wire::Source;
  metrics::AgentCounts out;
  const wire::Counts& in = intake_.counts();
  for (const Source source : {Source::kUnix, Source::kDatagram, Source::kHttp, Source::kReplay}) {
    const wire::SourceCounts& counts = in.of(source);
    std::optional<std::uint64_t> connections;
    if (source == Source::kUnix) connections = counts.connections;
    if (source == Source::kHttp) connections = ingest_listener_.connections();
    out.sources.push_back(counts_of(source, counts, connections));
  }
  const tracker::Totals totals = tracker_.totals();
  out.duplicates = totals.duplicates;
  out.stale = totals.stale;
  out.gaps = totals.gaps;
  out.sessions_evicted = totals.sessions_evicted;
  out.files = totals.files;
  out.limits = cli::limits_used(settings_, totals);
  for (const auto& [target, delivery] : notifier_.status())
    out.notifications.push_back({target, delivery.succeeded, delivery.failed, delivery.dropped});
  if (notifier_.has_targets()) out.notifications_failing = notifier_.is_failing();
  out.eta_errors = cli::eta_error_series(tracker_.eta_errors());
  out.live_clients = live_.clients();
  out.live_messages_dropped = live_.dropped();
  add_refusals(out);
  out.config_reloaded = last_reload_good_ && gates_->are_current();
  if (storage_) {
    const history::WriterState state = storage_->state();
    out.storage = metrics::StorageCounts{state.failing, state.errors, state.waiting ? 1U : 0U,
                                         state.set_aside};
  }
  out.config_reload_time = last_good_reload_;
  return out;
}

}  // namespace agent
