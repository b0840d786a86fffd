#include "agent/tracker/forecaster.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "agent/progress/text.h"

namespace agent::tracker {
namespace {

using progress::FileStatus;

constexpr std::size_t kSample = 128;  // files in flight shown to the estimator

// How much of its work a file that is being processed has done; 0..1.
double share(double progress) { return std::clamp(progress / 100, 0.0, 1.0); }

std::optional<std::int64_t> known(std::int64_t bytes) {
  if (bytes < 0) return std::nullopt;
  return bytes;
}

}  // namespace

void Forecaster::begin() {
  const auto& identity = *session_->identity();
  attempt_ = identity.attempt;
  family_ = identity.family;
  eta::Background background;
  if (history_ != nullptr) {
    if (!family_.empty() && session_->config().analytics)
      background.family = history_->family(family_);
    background.overall = history_->overall();
    background.remembered_files = family_.empty() ? 0 : history_->bounds().family.files;
  }
  background.model = model_;
  due_ = due_after(Instant::min());
  estimator_.emplace(session_->start(), std::move(background));
}

// The family may be told after the first files were.
void Forecaster::follow_family() {
  if (history_ == nullptr || session_->identity()->family == family_) return;
  join_family();
}

// The estimator hears which files that wait or run the family knows.
void Forecaster::join_family() {
  family_ = session_->identity()->family;
  const bool keeps = history_ != nullptr && !family_.empty();
  estimator_->belong(keeps && session_->config().analytics ? history_->family(family_) : nullptr,
                     keeps ? history_->bounds().family.files : 0);
  const progress::FileTable& table = session_->files().table();
  for (auto ref = table.next_from(0); ref;
       ref = table.next_from(table.after(*ref, table.at(*ref)))) {
    const progress::File& f = table.at(*ref);
    if (f.restored || progress::is_final(f.status)) continue;
    estimator_->recall(progress::stable_hash(f.id()), f.stage, f.status);
  }
}

void Forecaster::load_later(std::span<const std::string_view> parts) {
  parts_.assign(parts.begin(), parts.end());
}

void Forecaster::load_parts() {
  const std::vector<std::string> parts = std::exchange(parts_, {});
  const std::vector<std::string_view> views(parts.begin(), parts.end());
  if (!load(views)) leave();
}

void Forecaster::save(progress::Packer& into) {
  revive();
  if (estimator_) estimator_->save(into);
}

bool Forecaster::load(std::span<const std::string_view> parts) {
  leave();
  for (const std::string_view part : parts) {
    if (part.empty()) {
      leave();
      continue;
    }
    if (!estimator_) begin();
    if (!estimator_->load(part)) return false;
    due_ = due_after(estimator_->last_kept());
  }
  if (estimator_ && !estimator_->family_is_as_saved()) join_family();
  return true;
}

void Forecaster::forget_saved() {
  revive();
  if (estimator_) estimator_->forget_saved();
}

void Forecaster::on_file(const progress::FileChange& change) {
  if (!session_->live()) return;  // late: corrects counts only
  if (!estimator_ || attempt_ != session_->identity()->attempt) begin();
  estimator_->observe(change);
}

void Forecaster::after(const progress::Event& event, Instant ts) {
  if (!session_->live()) return;
  if (!estimator_ || attempt_ != session_->identity()->attempt) {
    begin();
    adopt_restored();
  }
  if (std::holds_alternative<progress::SessionStarted>(event.fact) ||
      std::holds_alternative<progress::SessionUpdated>(event.fact)) {
    follow_family();
  } else if (std::holds_alternative<progress::SessionPaused>(event.fact)) {
    estimator_->observe_pause(ts);
  } else if (std::holds_alternative<progress::SessionResumed>(event.fact)) {
    estimator_->observe_resume(ts);
  } else if (std::holds_alternative<progress::RateLimited>(event.fact)) {
    if (const auto until = session_->rate_limited_until(); until && *until > ts) {
      estimator_->observe_wait(ts, *until);
    }
  } else if (std::holds_alternative<progress::CountsReported>(event.fact)) {
    const auto counts = session_->counts();
    estimator_->observe_counts(ts, counts[static_cast<std::size_t>(FileStatus::kCompleted)],
                               counts[static_cast<std::size_t>(FileStatus::kFailed)]);
  }
}

// A resumed attempt begins with files: what is done counts, what is left waits.
void Forecaster::adopt_restored() {
  const progress::FileTable& table = session_->files().table();
  for (auto ref = table.next_from(0); ref;) {
    const progress::File& f = table.at(*ref);
    progress::FileChange c;
    c.id = f.id();
    c.id_hash = progress::stable_hash(f.id());
    c.from = c.to = f.status;
    c.is_new = true;
    c.restored = f.restored;
    c.stage_from = c.stage_to = f.stage;
    c.at = session_->start();
    c.bytes_to = known(f.bytes);
    if (const auto* rare = table.rare_of(f); rare != nullptr && rare->units >= 0) {
      c.units_to = rare->units;
    }
    estimator_->observe(c);
    ref = table.next_from(table.after(*ref, f));
  }
}

void Forecaster::name_stages() {
  const progress::LabelSet& names = session_->files().stages();
  while (estimator_->named_stages() < names.size()) {
    const auto id = static_cast<progress::LabelId>(estimator_->named_stages());
    const std::uint64_t hash = progress::stable_hash(names.name(id));
    estimator_->name_stages({&hash, 1});
  }
}

void Forecaster::sample_running() {
  running_.clear();
  const auto in_flight = session_->files().in_flight();
  const std::size_t stride = (in_flight.size() + kSample - 1) / kSample;
  const progress::FileTable& table = session_->files().table();
  for (std::size_t i = 0; i < in_flight.size(); i += stride) {
    const progress::File& f = table.at(in_flight[i].file);
    std::optional<double> units;
    if (const auto* rare = table.rare_of(f); rare != nullptr && rare->units >= 0)
      units = rare->units;
    running_.push_back({progress::stable_hash(f.id()), f.stage, in_flight[i].started,
                        share(f.progress), eta::size_of(known(f.bytes), units)});
  }
}

eta::Evidence Forecaster::evidence(Instant now) {
  const progress::Session& s = *session_;
  sample_running();
  eta::Evidence e;
  e.now = now;
  e.start = s.start();
  e.paused = s.elapsed(now) - s.active_elapsed(now);
  e.total_files = s.total_files();
  e.restored = s.files().work().restored_completed();
  e.files = s.counts();
  const progress::WorkDone work = s.work();
  e.work = {work.total, work.done, work.earned};
  e.deadline = s.deadline();
  e.running_count = static_cast<std::int64_t>(s.files().in_flight().size());
  e.running = running_;
  e.only_linear = !s.config().eta_optimization;
  return e;
}

std::optional<progress::Forecast> Forecaster::estimate(Instant now) {
  revive();
  if (!estimator_ || !session_->live()) return std::nullopt;
  before(now);
  name_stages();
  return estimator_->estimate(evidence(now), eta::Keep::kNo);
}

// When the next is due: after a thirtieth of the time so far, and not sooner than is asked for; in
// the first minutes, when little time is much, after a twentieth.
Instant Forecaster::due_after(Instant kept) const {
  constexpr Duration kLeast = std::chrono::milliseconds(100);
  if (kept < session_->start()) return session_->start() + Duration(1);
  const Duration elapsed = kept - session_->start();
  const Duration often =
      std::min(session_->config().eta_update_interval, std::max(kLeast, elapsed / 20));
  return kept + std::max(often, elapsed / 30);
}

// All that were due up to `now`: nothing happened in between.
void Forecaster::keep_until(Instant now) {
  if (!estimator_ || !session_->live()) return;
  if (!session_->config().computes_rates()) {
    due_ = now + std::chrono::seconds(1);
    return;
  }
  name_stages();
  for (; due_ <= now; due_ = due_after(due_)) keep(due_);
}

void Forecaster::keep(Instant at) {
  const auto forecast = estimator_->estimate(evidence(at), eta::Keep::kYes);
  constexpr double kEarly = 10;  // percent of the work
  const bool known = early_ && early_->attempt == attempt_;
  if (!forecast || known || session_->work().percentage() < kEarly) return;
  if (!session_->knows_what_comes()) return;  // every new file moves the end
  // Of less than this any move would be many times the total.
  constexpr Duration kShortest = std::chrono::seconds(1);
  const Duration total =
      at - session_->start() + std::chrono::duration_cast<Duration>(forecast->remaining);
  // A forecast that leaves more open itself than a move of it may be is no promise.
  const double may_move = session_->config().thresholds.eta_deviation_percent / 100;
  const bool promises = forecast->high - forecast->low <= may_move * Span(total);
  if (total < kShortest || !promises) return;
  const auto after = [&](Span time) { return at + std::chrono::duration_cast<Duration>(time); };
  early_ = {attempt_, total, after(forecast->low), after(forecast->high)};
}

std::optional<eta::Explanation> Forecaster::explain() const {
  if (!estimator_) return std::nullopt;
  return estimator_->explain();
}

std::optional<eta::Estimator::Finish> Forecaster::finish(Instant end, progress::EndStatus status) {
  revive();
  if (!estimator_) return std::nullopt;
  name_stages();
  const auto counts = session_->counts();
  const auto open = counts[static_cast<std::size_t>(FileStatus::kPending)] +
                    counts[static_cast<std::size_t>(FileStatus::kProcessing)];
  const bool resumed = session_->files().work().restored_completed() > 0;
  auto finished =
      estimator_->finish(end, !resumed && (status == progress::EndStatus::kCompleted || open == 0));
  leave();
  return finished;
}

}  // namespace agent::tracker
