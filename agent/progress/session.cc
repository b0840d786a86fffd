#include "agent/progress/session.h"

#include <algorithm>
#include <utility>

#include "agent/progress/total.h"

namespace agent::progress {
namespace {

constexpr Duration kHistorySpacing = std::chrono::seconds(1);

constexpr std::size_t index(FileStatus s) { return static_cast<std::size_t>(s); }
constexpr std::size_t outcome(FileStatus final) {
  return index(final) - index(FileStatus::kCompleted);
}

// The tally of a label, made when first needed; number 0 is "none" and has none.
template <typename Tally>
Tally* tally_of(std::vector<Tally>& tallies, LabelId number, const LabelSet& names,
                std::string Tally::*name) {
  if (number == 0) return nullptr;
  while (tallies.size() < number) {
    tallies.emplace_back();
    tallies.back().*name = names.name(static_cast<LabelId>(tallies.size()));
  }
  return &tallies[number - 1U];
}

template <typename T>
void learn(std::optional<T>& into, const std::optional<T>& from) {
  if (from) into = from;
}
void learn(std::string& into, const std::optional<std::string_view>& from) {
  if (from) into = *from;
}

void merge(ConfigPatch& into, const ConfigPatch& from) {
  learn(into.update_interval, from.update_interval);
  learn(into.eta_update_interval, from.eta_update_interval);
  learn(into.throughput_window, from.throughput_window);
  learn(into.real_time_updates, from.real_time_updates);
  learn(into.performance_alerts, from.performance_alerts);
  learn(into.eta_optimization, from.eta_optimization);
  learn(into.quality_tracking, from.quality_tracking);
  learn(into.thresholds.slow_processing_ms, from.thresholds.slow_processing_ms);
  learn(into.thresholds.high_error_rate, from.thresholds.high_error_rate);
  learn(into.thresholds.low_throughput, from.thresholds.low_throughput);
  learn(into.thresholds.eta_deviation_percent, from.thresholds.eta_deviation_percent);
  learn(into.thresholds.quality_score_threshold, from.thresholds.quality_score_threshold);
}

}  // namespace

SessionConfig in_force(const AlertThresholds& defaults, Mode mode, const ConfigPatch& p,
                       std::optional<bool> persistence, std::optional<bool> analytics) {
  SessionConfig c;
  c.mode = mode;
  c.update_interval = p.update_interval.value_or(c.update_interval);
  c.eta_update_interval = p.eta_update_interval.value_or(c.eta_update_interval);
  c.throughput_window = p.throughput_window.value_or(c.throughput_window);
  c.real_time_updates = p.real_time_updates.value_or(true);
  c.performance_alerts = p.performance_alerts.value_or(mode >= Mode::kEnhanced);
  c.eta_optimization = p.eta_optimization.value_or(true);
  c.quality_tracking = p.quality_tracking.value_or(mode >= Mode::kEnhanced);
  c.persistence = persistence.value_or(true);
  c.analytics = analytics.value_or(mode >= Mode::kComprehensive);
  AlertThresholds& t = c.thresholds = defaults;
  learn(t.slow_processing_ms, p.thresholds.slow_processing_ms);
  t.high_error_rate = p.thresholds.high_error_rate.value_or(t.high_error_rate);
  learn(t.low_throughput, p.thresholds.low_throughput);
  t.eta_deviation_percent = p.thresholds.eta_deviation_percent.value_or(t.eta_deviation_percent);
  t.quality_score_threshold =
      p.thresholds.quality_score_threshold.value_or(t.quality_score_threshold);
  return c;
}

namespace {

Rejection mixed(bool counts_only) {
  return {RejectReason::kInvalidField, "event",
          counts_only
              ? "this session reports counts by \"progress\" events; events about single files "
                "cannot be mixed in (use another session)"
              : "this session reports its files one by one; \"progress\" events cannot be mixed in "
                "(use another session)"};
}

}  // namespace

Session::Session(std::string_view id, const Rules& rules, Instant start, Now at)
    : rules_(&rules),
      start_(start),
      latest_(start),
      latest_at_(at.steady),
      last_received_(at),
      files_(rules),
      throughput_(SessionConfig{}.throughput_window, kHistorySpacing),
      bytes_window_(SessionConfig{}.throughput_window),
      delay_window_(SessionConfig{}.throughput_window),
      network_errors_window_(SessionConfig{}.throughput_window),
      api_window_(SessionConfig{}.throughput_window) {
  SessionIdentity identity;
  identity.id = id;
  identity.config = config_in_force();
  identity_ = std::make_shared<const SessionIdentity>(std::move(identity));
  throughput_.begin(start);
}

Result<Applied, Rejection> Session::apply(const Event& event, Instant ts, Now at,
                                          std::size_t files_left, FileObserver& observer) {
  if (auto refused = refusal(event.fact, files_left)) return failure(*std::move(refused));
  const Arrival arrival{ts, at, observer};
  ++version_;
  const auto* start = std::get_if<SessionStarted>(&event.fact);
  if (stale_ || (start != nullptr && ended())) {
    open_attempt(ts, at, start != nullptr && start->resume && tracking_);
  }
  const Applied applied =
      std::visit([&](const auto& fact) { return take(fact, arrival); }, event.fact);
  move_clock(ts, at);
  if (applied == Applied::kStale) ++stale_events_;
  return applied;
}

void Session::move_clock(Instant ts, Now at) {
  last_received_ = at;
  if (ended()) return;
  if (ts >= latest_) {
    latest_ = ts;
    latest_at_ = at.steady;
  }
  if (ts < start_ && !started_explicitly_) start_ = ts;
}

void Session::open_attempt(Instant ts, Now at, bool resume) {
  auto identity = *identity_;
  ++identity.attempt;
  ++identity.revision;
  identity_ = std::make_shared<const SessionIdentity>(std::move(identity));
  start_ = latest_ = ts;
  latest_at_ = at.steady;
  started_explicitly_ = true;
  paused_at_.reset();
  paused_ = {};
  worked_from_ = Instant::min();
  end_time_.reset();
  end_status_.reset();
  end_reason_.clear();
  stale_ = false;
  tracking_ = true;
  announced_files_ = 0;
  announced_bytes_.reset();
  deadline_.reset();
  cost_budget_.reset();
  if (resume) {
    files_.restore();
    counted_.failed = 0;
    counted_.restored = counted_.completed;
    counted_.restored_bytes = counted_.bytes_done;
    counted_.moved = Instant::min();
  } else {
    counted_ = {};
    files_.clear();
    kind_ = Kind::kUnknown;
  }
  throughput_ = Throughput(config().throughput_window, kHistorySpacing);
  throughput_.begin(ts);
  for (Window* w : windows()) *w = Window(config().throughput_window);
  at_attempt_ = counters_;
  rate_limited_until_.reset();
  resources_ = {};
  reports_resources_ = false;
}

// ---- events
// --------------------------------------------------------------------------------------------

// Why the event cannot be taken; asked before anything changes.
std::optional<Rejection> Session::refusal(const Fact& fact, std::size_t files_left) const {
  const auto* file = std::get_if<FileProgressed>(&fact);
  const auto* files = std::get_if<FilesAnnounced>(&fact);
  const Kind other = file != nullptr || files != nullptr            ? Kind::kCounts
                     : std::holds_alternative<CountsReported>(fact) ? Kind::kFiles
                                                                    : Kind::kUnknown;
  if (other == Kind::kUnknown) return std::nullopt;
  if (kind_ == other && !stale_) return mixed(counts_only());
  const bool fits = (file != nullptr && (files_left > 0 || files_.has(file->file))) ||
                    (files != nullptr && files_.fresh(files->files, files_left) <= files_left);
  if (fits || other == Kind::kFiles) return std::nullopt;
  return Rejection{
      RejectReason::kTooManyFiles, file != nullptr ? "file" : "files",
      "the agent tracks no more files (sessions.max_files); raise it, or end sessions"};
}

Applied Session::take(const FileProgressed& e, const Arrival& a) {
  kind_ = Kind::kFiles;
  const std::optional<FileEffect> effect = files_.apply(e, a.ts);
  if (!effect) return Applied::kApplied;
  record(*effect, a);
  return effect->applied;
}

Applied Session::take(const FilesAnnounced& e, const Arrival& a) {
  kind_ = Kind::kFiles;
  for (const AnnouncedFile& file : e.files) record(files_.announce(file, a.ts), a);
  return Applied::kApplied;
}

// Adds what one file's event did to the session's counters, histograms, and windows.
void Session::record(const FileEffect& effect, const Arrival& a) {
  if (effect.bytes > 0) {
    add_up(counters_.bytes, effect.bytes);
    bytes_window_.add(a.ts, static_cast<double>(effect.bytes));
  }
  add_up(counters_.tokens_unspecified, effect.tokens);
  counters_.cost += effect.cost;
  add_up(counters_.retries, effect.retries);
  if (effect.tokens > 0 || effect.cost > 0)
    spend(effect.model, effect.stage, effect.tokens, effect.cost);
  if (effect.size) file_bytes_.observe(static_cast<double>(*effect.size));
  if (effect.stage_took) {
    StageTally* s = tally_of(stages_, effect.stage_left, files_.stages(), &StageTally::stage);
    s->seconds.observe(seconds(*effect.stage_took));
  }
  if (effect.ended) {
    const std::size_t which = outcome(*effect.ended);
    ++counters_.files_ended[which];
    if (effect.took && which < file_seconds_.size())
      file_seconds_[which].observe(seconds(*effect.took));
    if (*effect.ended == FileStatus::kCompleted) {
      const Duration took = effect.took.value_or(Duration::zero());
      long_files_.observe(seconds(took));
      longest_file_ = std::max(longest_file_, took);
      complete(a.ts, 1);
    }
  }
  if (effect.change) a.observer.on_file(*effect.change);
}

void Session::spend(LabelId model, LabelId stage, std::int64_t tokens, double cost) {
  if (ModelTally* m = tally_of(models_, model, files_.models(), &ModelTally::model)) {
    add_up(m->tokens, tokens);
    m->cost += cost;
  }
  if (StageTally* s = tally_of(stages_, stage, files_.stages(), &StageTally::stage)) {
    add_up(s->tokens, tokens);
    s->cost += cost;
  }
}

void Session::complete(Instant at, double files) {
  if (ended()) return;
  const Instant now = std::max(at, latest_);
  throughput_.advance(now, active_elapsed(now));
  throughput_.complete(at, files);
}

Applied Session::take(const CountsReported& e, const Arrival& a) {
  kind_ = Kind::kCounts;
  if (a.ts < counted_.reported) return Applied::kStale;
  counted_.reported = a.ts;
  if (e.total) announced_files_ = *e.total;
  const auto count = [&](std::int64_t& value, const std::optional<std::int64_t>& to,
                         FileStatus as) {
    if (!to) return std::int64_t{0};
    const std::int64_t more = *to - std::exchange(value, *to);
    if (more > 0) {
      add_up(counters_.files_ended[outcome(as)], more);
      counted_.moved = a.ts;
    }
    return std::max<std::int64_t>(0, more);
  };
  const std::int64_t completed = count(counted_.completed, e.completed, FileStatus::kCompleted);
  count(counted_.failed, e.failed, FileStatus::kFailed);
  count(counted_.skipped, e.skipped, FileStatus::kSkipped);
  if (completed > 0) complete(a.ts, static_cast<double>(completed));
  if (e.bytes_done) {
    const std::int64_t more = *e.bytes_done - std::exchange(counted_.bytes_done, *e.bytes_done);
    if (more > 0) {
      add_up(counters_.bytes, more);
      counted_.moved = a.ts;
      bytes_window_.add(a.ts, static_cast<double>(more));
    }
  }
  return Applied::kApplied;
}

ProviderTally& Session::provider(std::string_view name) {
  const LabelId number = provider_names_.intern(name, rules_->limits.max_label_values);
  while (providers_.size() <= number) {
    providers_.emplace_back();
    providers_.back().provider = provider_names_.name(static_cast<LabelId>(providers_.size() - 1));
  }
  return providers_[number];
}

Applied Session::take(const ApiCalled& e, const Arrival& a) {
  ProviderTally& p = provider(e.provider);
  if (e.ok) api_window_.add(a.ts, static_cast<double>(e.calls));
  add_up(e.ok ? p.calls_ok : p.calls_failed, e.calls);
  add_up(e.ok ? counters_.api_ok : counters_.api_failed, e.calls);
  if (e.duration) p.call_seconds.observe(seconds(*e.duration), static_cast<std::uint64_t>(e.calls));
  const std::int64_t in = e.tokens_in.value_or(0);
  const std::int64_t out = e.tokens_out.value_or(0);
  const std::int64_t rest = std::max<std::int64_t>(0, e.tokens.value_or(0) - in - out);
  add_up(counters_.tokens_in, in);
  add_up(counters_.tokens_out, out);
  add_up(counters_.tokens_unspecified, rest);
  double cost = e.cost.value_or(0);
  if (!e.cost && !e.model.empty()) {
    if (const auto price = rules_->pricing.find(e.model); price != rules_->pricing.end()) {
      cost = cost_of(price->second,
                     {.input = in + rest, .output = out, .cached = e.tokens_cached.value_or(0)});
    }
  }
  counters_.cost += cost;
  p.cost += cost;
  add_up(p.tokens, in + out + rest);
  spend(e.model.empty() ? LabelId{0} : files_.model_number(e.model),
        e.file.empty() ? LabelId{0} : files_.stage_of(e.file), in + out + rest, cost);
  return Applied::kApplied;
}

Applied Session::take(const RateLimited& e, const Arrival& a) {
  ProviderTally& p = provider(e.provider);
  const Duration delay = e.delay.value_or(Duration::zero());
  add_up(p.rate_limit_hits, e.hits);
  add_up(p.rate_limit_delay, delay);
  add_up(counters_.rate_limit_hits, e.hits);
  add_up(counters_.rate_limit_delay, delay);
  p.quota.report({e.limit, e.remaining, e.reset_at}, a.ts);
  if (delay > Duration::zero()) delay_window_.add(a.ts, seconds(delay));
  // A quota that is not used up limits nothing yet, whenever it resets.
  const bool used_up = e.remaining.value_or(0) <= 0;
  Instant until = a.ts + delay;
  if (e.reset_at && used_up) until = std::max(until, *e.reset_at);
  rate_limited_until_ = std::max(rate_limited_until_.value_or(until), until);
  return Applied::kApplied;
}

Applied Session::take(const ResourcesUsed& e, const Arrival& a) {
  reports_resources_ = true;
  learn_resources({.cpu_cores = e.cpu_cores,
                   .cpu_limit_cores = {},
                   .memory_bytes = e.memory_bytes,
                   .memory_limit_bytes = e.memory_limit_bytes,
                   .network_rx_bytes = e.network_rx_bytes,
                   .network_tx_bytes = e.network_tx_bytes,
                   .network_errors = e.network_errors,
                   .network_errors_in_window = {}},
                  a.ts);
  return Applied::kApplied;
}

void Session::observe_workload(const Resources& read, Now at) {
  if (reports_resources_ || !live()) return;
  learn_resources(read, now(at));
  ++version_;
}

void Session::learn_resources(const Resources& used, Instant at) {
  Resources& r = resources_;
  if (used.network_errors && r.network_errors && *used.network_errors > *r.network_errors) {
    network_errors_window_.add(at, static_cast<double>(*used.network_errors - *r.network_errors));
  }
  learn(r.cpu_cores, used.cpu_cores);
  learn(r.cpu_limit_cores, used.cpu_limit_cores);
  learn(r.memory_bytes, used.memory_bytes);
  learn(r.memory_limit_bytes, used.memory_limit_bytes);
  learn(r.network_rx_bytes, used.network_rx_bytes);
  learn(r.network_tx_bytes, used.network_tx_bytes);
  learn(r.network_errors, used.network_errors);
}

Applied Session::take(const SessionStarted& e, const Arrival& a) {
  take_facts(e.facts);
  if (a.ts < start_) start_ = a.ts;
  started_explicitly_ = true;
  return Applied::kApplied;
}

Applied Session::take(const SessionUpdated& e, const Arrival&) {
  take_facts(e.facts);
  return Applied::kApplied;
}

void Session::take_facts(const SessionFacts& f) {
  SessionIdentity identity = *identity_;
  ++identity.revision;
  // The family follows the name until it is given itself.
  const bool family_is_name = identity.family == identity.name;
  learn(identity.name, f.name);
  if (f.family)
    identity.family = *f.family;
  else if (f.name && family_is_name)
    identity.family = identity.name;
  learn(identity.unit, f.unit);
  learn(identity.currency, f.currency);
  learn(identity.shard, f.shard);
  learn(identity.shards, f.shards);
  if (f.labels) {
    identity.labels.assign(f.labels->begin(), f.labels->end());
    std::ranges::sort(identity.labels);
  }
  mode_ = f.mode.value_or(mode_);
  merge(switches_, f.config);
  learn(persistence_, f.persistence);
  learn(analytics_, f.analytics);
  identity.config = config_in_force();
  identity_ = std::make_shared<const SessionIdentity>(std::move(identity));
  throughput_.resize(config().throughput_window);
  for (Window* w : windows()) w->resize(config().throughput_window);
  announced_files_ = f.total_files.value_or(announced_files_);
  learn(announced_bytes_, f.total_bytes);
  learn(concurrency_, f.concurrency);
  learn(deadline_, f.deadline);
  learn(cost_budget_, f.cost_budget);
}

bool Session::follow_rules() {
  const SessionConfig fresh = config_in_force();
  if (fresh.thresholds == config().thresholds) return false;
  SessionIdentity identity = *identity_;
  ++identity.revision;
  identity.config = fresh;
  identity_ = std::make_shared<const SessionIdentity>(std::move(identity));
  ++version_;
  return true;
}

Applied Session::take(const SessionPaused&, const Arrival& a) {
  if (!paused_at_ && live()) {
    throughput_.advance(std::max(a.ts, latest_), active_elapsed(std::max(a.ts, latest_)));
    paused_at_ = std::max({a.ts, start_, worked_from_});  // pauses never overlap
  }
  return Applied::kApplied;
}

Applied Session::take(const SessionResumed&, const Arrival& a) {
  if (paused_at_ && live()) {
    worked_from_ = std::max(a.ts, *paused_at_);
    paused_ += worked_from_ - *paused_at_;
    paused_at_.reset();
  }
  return Applied::kApplied;
}

Applied Session::take(const SessionEnded& e, const Arrival& a) {
  if (ended()) return Applied::kApplied;
  const Instant end = std::max(a.ts, latest_);
  throughput_.advance(end, active_elapsed(end));
  if (paused_at_) {
    paused_ += std::max(Duration::zero(), end - *paused_at_);
    paused_at_.reset();
  }
  latest_ = end;
  end_time_ = end;
  end_status_ = e.status;
  end_reason_ = e.reason;
  return Applied::kApplied;
}

void Session::become_stale(Now at) {
  end_time_ = now(at);
  stale_ = true;
  ++version_;
  files_.free_records();
}

void Session::stop(Now at) {
  if (!end_time_) become_stale(at);
  tracking_ = false;
  ++version_;
  files_.free_records();
}

}  // namespace agent::progress
