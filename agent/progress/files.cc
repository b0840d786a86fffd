#include "agent/progress/files.h"

#include <algorithm>
#include <utility>

namespace agent::progress {
namespace {

constexpr std::size_t kMaxError = 256;  // bytes of an error text that are kept

// At equal times the stronger state stays: the contract, "Order".
constexpr int strength(FileStatus s) {
  switch (s) {
    case FileStatus::kCompleted:
      return 5;
    case FileStatus::kFailed:
      return 4;
    case FileStatus::kSkipped:
      return 3;
    case FileStatus::kCancelled:
      return 2;
    case FileStatus::kProcessing:
      return 1;
    case FileStatus::kPending:
      return 0;
  }
  return 0;
}

std::optional<Instant> known(Instant t) { return t == kNever ? std::nullopt : std::optional(t); }
std::optional<std::int64_t> known(std::int64_t bytes) {
  return bytes < 0 ? std::nullopt : std::optional(bytes);
}
std::optional<double> known(double amount) {
  return amount < 0 ? std::nullopt : std::optional(amount);
}

// A running total of the present try only rises; returns by how much it did.
template <typename T>
T raise(T& total, T to) {
  if (to <= total) return T{};
  return to - std::exchange(total, to);
}

}  // namespace

// What of a file its observers compare with.
struct Files::Before {
  bool is_new;
  FileStatus status;
  LabelId stage;
  std::int64_t bytes;
  std::optional<double> units;
  double progress;
};

Files::Before Files::look(const File& f, bool is_new) const {
  return {is_new, f.status, f.stage, f.bytes, units(f), f.progress};
}

std::optional<FileEffect> Files::apply(const FileProgressed& e, Instant at) {
  std::optional<FileEffect> result;
  const auto [ref, is_new] = find_or_register(e.file);
  File& f = table_.at(ref);
  if (is_mere_progress(f, e, at)) {
    const FileWeight weighed = weight(f);
    take_progress(f, e);
    if (f.progress != weighed.progress) work_.move(weighed, f.progress);
    f.state_told = e.status.has_value() || (at == f.updated && f.state_told);
    f.updated = at;
    mark_changed(ref, f);
    return result;
  }
  FileEffect& effect = result.emplace();
  if (at < f.updated) {
    effect.applied = Applied::kStale;
    return result;
  }
  const Before before = look(f, is_new);
  const FileStatus to = e.status.value_or(f.status);
  if (at == f.updated && f.state_told && strength(to) < strength(f.status)) {
    merge_same_instant(f, e, at, effect);
    mark_changed(ref, f);
    tell(f, before, at, effect);
    return result;
  }
  if (!is_new) uncount(f);
  take_sizes(f, e.bytes, e.units);
  if (to == FileStatus::kProcessing && f.status != to && !e.stage.empty())
    f.stage = stage_number(e.stage);
  become(ref, to, at, effect);
  take_progress(f, e);
  count(f);
  take_stage(f, e.stage, at, effect);
  take_amounts(f, e, effect);
  take_rare(f, e);
  f.state_told = e.status.has_value() || (at == f.updated && f.state_told);
  f.updated = at;
  mark_changed(ref, f);
  tell(f, before, at, effect);
  return result;
}

// The commonest event by far: a file being processed has come further, and nothing else.
bool Files::is_mere_progress(const File& f, const FileProgressed& e, Instant at) const {
  return f.status == FileStatus::kProcessing && at >= f.updated &&
         e.status.value_or(f.status) == FileStatus::kProcessing &&
         (!e.bytes || *e.bytes == f.bytes) &&
         (e.stage.empty() || e.stage == stages_.name(f.stage)) && !e.bytes_done && !e.tokens &&
         !e.cost && !e.retries && !e.units && !e.quality && !e.stage_progress && e.model.empty() &&
         e.error.empty();
}

// An announcement older than what the file itself told adds only what was not known.
FileEffect Files::announce(const AnnouncedFile& a, Instant at) {
  FileEffect effect;
  const auto [ref, is_new] = find_or_register(a.file);
  File& f = table_.at(ref);
  const Before before = look(f, is_new);
  const bool is_old = at < f.updated;
  if (!is_new) uncount(f);
  take_sizes(f, is_old && before.bytes >= 0 ? std::nullopt : a.bytes,
             is_old && before.units ? std::nullopt : a.units);
  count(f);
  if (is_new && !a.stage.empty()) f.stage = stage_number(a.stage);
  mark_changed(ref, f);
  fill_completed(f, effect);
  tell(f, before, at, effect);
  return effect;
}

std::size_t Files::fresh(std::span<const AnnouncedFile> files, std::size_t enough) const {
  if (files.size() <= enough) return files.size();
  return static_cast<std::size_t>(
      std::ranges::count_if(files, [&](const AnnouncedFile& f) { return !has(f.file); }));
}

void Files::tell(const File& f, const Before& before, Instant at, FileEffect& effect) const {
  if (f.bytes >= 0 && before.bytes < 0) effect.size = f.bytes;
  const std::optional<double> units_to = units(f);
  if (!before.is_new && before.status == f.status && before.stage == f.stage &&
      before.bytes == f.bytes && before.units == units_to) {
    return;
  }
  effect.change =
      FileChange{.id = f.id(),
                 .id_hash = stable_hash(f.id()),
                 .from = before.status,
                 .to = f.status,
                 .is_new = before.is_new,
                 .new_try = !before.is_new && is_final(before.status) && !is_final(f.status),
                 .restored = f.restored,
                 .stage_from = before.stage,
                 .stage_to = f.stage,
                 .at = at,
                 .started = known(f.started),
                 .stage_since = known(f.stage_since),
                 .bytes_from = known(before.bytes),
                 .bytes_to = known(f.bytes),
                 .units_from = before.units,
                 .units_to = units_to,
                 .progress_from = before.progress,
                 .progress_to = f.progress};
}

std::pair<FileRef, bool> Files::find_or_register(std::string_view id) {
  if (latest_ && table_.at(*latest_).id() == id) return {*latest_, false};
  const std::uint32_t hash = FileTable::hash(id);
  const auto found = table_.find(id, hash);
  latest_ = found ? *found : table_.insert(id, hash);
  return {*latest_, !found};
}

// The weaker of two reports of one instant still tells amounts and what was not known.
void Files::merge_same_instant(File& f, const FileProgressed& e, Instant at, FileEffect& effect) {
  uncount(f);
  if (e.status == FileStatus::kProcessing && f.started == kNever) f.started = at;
  take_sizes(f, f.bytes < 0 ? e.bytes : std::nullopt, units(f) ? std::nullopt : e.units);
  take_progress(f, e);
  count(f);
  take_amounts(f, e, effect);
  const RareFacts* rare = table_.rare_of(f);
  if (e.quality && (rare == nullptr || rare->quality < 0)) take_quality(f, *e.quality);
}

void Files::become(FileRef ref, FileStatus to, Instant at, FileEffect& effect) {
  File& f = table_.at(ref);
  const FileStatus from = f.status;
  if (from == FileStatus::kProcessing && to != from) leave_flight(ref);
  if (is_final(from) && !is_final(to)) begin_try(f);
  if (to != from && to == FileStatus::kProcessing) {
    if (from == FileStatus::kFailed) {
      if (f.retries_seen < UINT16_MAX) ++f.retries_seen;
      count_retries(f, f.retries_seen, effect);
    }
    if (f.started == kNever) f.started = at;
    f.tries = std::max<std::uint16_t>(f.tries, 1);
    f.status = to;
    f.stage_since = at;
    enter_flight(ref);
  }
  if (to != from && is_final(to)) {
    leave_stage(f, at, effect);
    f.tries = std::max<std::uint16_t>(f.tries, 1);
    f.ended = at;
    f.restored = false;
    effect.ended = to;
    if (f.started != kNever) effect.took = at - f.started;
  }
  f.status = to;
}

void Files::begin_try(File& f) {
  if (f.tries > 0 && f.tries < UINT16_MAX) ++f.tries;
  f.started = f.ended = f.stage_since = kNever;
  f.bytes_done = f.tokens = 0;
  f.progress = f.cost = 0;
  f.restored = false;
}

// Within a try progress only rises.
void Files::take_progress(File& f, const FileProgressed& e) {
  double to = f.progress;
  if (e.progress) {
    to = *e.progress;
  } else if ((e.bytes_done || e.bytes) && f.bytes > 0) {
    const std::int64_t done = std::max(f.bytes_done, e.bytes_done.value_or(0));
    to = 100.0 * static_cast<double>(done) / static_cast<double>(f.bytes);
  }
  if (f.status == FileStatus::kCompleted) to = 100;
  f.progress = std::clamp(to, f.progress, 100.0);
}

void Files::take_sizes(File& f, std::optional<std::int64_t> bytes, std::optional<double> units) {
  if (bytes) f.bytes = *bytes;
  if (units) table_.rare(f).units = *units;
}

void Files::take_amounts(File& f, const FileProgressed& e, FileEffect& effect) {
  if (!e.model.empty()) f.model = model_number(e.model);
  if (e.bytes_done) effect.bytes += raise(f.bytes_done, *e.bytes_done);
  fill_completed(f, effect);
  if (e.tokens) effect.tokens = raise(f.tokens, *e.tokens);
  if (e.cost) {
    effect.cost = raise(f.cost, *e.cost);
  } else if (e.tokens && f.model != 0) {
    if (const auto price = rules_->pricing.find(models_.name(f.model));
        price != rules_->pricing.end()) {
      effect.cost = raise(f.cost, cost_of(price->second, {.input = f.tokens}));
    }
  }
  effect.model = f.model;
  effect.stage = f.stage;
  if (e.retries) count_retries(f, *e.retries, effect);
}

// On completion all its bytes are done.
void Files::fill_completed(File& f, FileEffect& effect) {
  if (f.status == FileStatus::kCompleted && f.bytes >= 0)
    effect.bytes += raise(f.bytes_done, f.bytes);
}

void Files::take_quality(File& f, double quality) {
  double& known = table_.rare(f).quality;
  if (known < 0) ++tally_.quality_count;
  tally_.quality_sum += quality - std::max(0.0, known);
  known = quality;
}

void Files::take_rare(File& f, const FileProgressed& e) {
  if (e.quality) take_quality(f, *e.quality);
  if (e.stage_progress) table_.rare(f).stage_progress = *e.stage_progress;
  if (!e.error.empty()) table_.rare(f).error = cut_utf8(e.error, kMaxError);
}

void Files::take_stage(File& f, std::string_view stage, Instant at, FileEffect& effect) {
  if (stage.empty() || stages_.name(f.stage) == stage) return;
  const LabelId to = stage_number(stage);
  if (to == f.stage) return;
  leave_stage(f, at, effect);
  f.stage = to;
  if (f.status == FileStatus::kProcessing) f.stage_since = at;
  if (f.rare != 0) table_.rare(f).stage_progress = -1;
}

void Files::leave_stage(File& f, Instant at, FileEffect& effect) {
  if (f.stage != 0 && f.stage_since != kNever && at >= f.stage_since) {
    effect.stage_left = f.stage;
    effect.stage_took = at - f.stage_since;
  }
  f.stage_since = kNever;
}

void Files::count_retries(File& f, std::int64_t retries, FileEffect& effect) {
  const auto to = static_cast<std::uint32_t>(std::min<std::int64_t>(retries, UINT32_MAX));
  const std::uint32_t more = raise(f.retries, to);
  tally_.retries += more;
  effect.retries += more;
}

void Files::enter_flight(FileRef ref) {
  File& f = table_.at(ref);
  f.in_flight = static_cast<std::uint32_t>(in_flight_.size());
  in_flight_.push_back({f.started, ref});
  tally_.most_in_flight = std::max(tally_.most_in_flight, std::ssize(in_flight_));
  if (oldest_ && f.started < *oldest_) oldest_ = f.started;
}

void Files::leave_flight(FileRef ref) {
  const std::uint32_t place = table_.at(ref).in_flight;
  if (oldest_ && in_flight_[place].started == *oldest_) oldest_.reset();
  in_flight_[place] = in_flight_.back();
  table_.at(in_flight_[place].file).in_flight = place;
  in_flight_.pop_back();
}

std::optional<Instant> Files::oldest_start() const {
  if (in_flight_.empty()) return std::nullopt;
  if (!oldest_) oldest_ = std::ranges::min(in_flight_, {}, &InFlight::started).started;
  return oldest_;
}

void Files::uncount(const File& f) {
  --tally_.counts[static_cast<std::size_t>(f.status)];
  work_.remove(weight(f));
  if (f.status == FileStatus::kCompleted && f.started != kNever && !f.restored) {
    tally_.processing_seconds -= seconds(f.ended - f.started);
    --tally_.processing_count;
  }
}

void Files::count(const File& f) {
  ++tally_.counts[static_cast<std::size_t>(f.status)];
  work_.add(weight(f));
  if (f.status == FileStatus::kCompleted && f.started != kNever && !f.restored) {
    tally_.processing_seconds += seconds(f.ended - f.started);
    ++tally_.processing_count;
  }
}

FileWeight Files::weight(const File& f) const {
  return {f.status, f.progress, f.bytes, units(f).value_or(-1), f.restored};
}

std::optional<double> Files::units(const File& f) const {
  const RareFacts* rare = table_.rare_of(f);
  return rare == nullptr ? std::nullopt : known(rare->units);
}

void Files::restore() {
  tally_ = {};
  work_ = {};
  in_flight_.clear();
  oldest_.reset();
  for (auto ref = table_.next_from(0); ref;
       ref = table_.next_from(FileTable::after(*ref, table_.at(*ref)))) {
    File& f = table_.at(*ref);
    RareFacts* rare = f.rare == 0 ? nullptr : &table_.rare(f);
    if (f.status == FileStatus::kCompleted || f.status == FileStatus::kSkipped) {
      f.restored = true;
      if (rare != nullptr && rare->quality >= 0) {
        tally_.quality_sum += rare->quality;
        ++tally_.quality_count;
      }
    } else {
      begin_try(f);
      f.status = FileStatus::kPending;
      f.retries = f.retries_seen = 0;
      if (rare != nullptr) *rare = RareFacts{rare->units, -1, -1, {}};
    }
    count(f);
  }
  ++epoch_;
  if (keeps_changes_) mark_all_changed();
}

void Files::clear() {
  free_records();
  tally_ = {};
  work_ = {};
}

void Files::free_records() {
  table_.clear();
  latest_.reset();
  in_flight_ = {};
  oldest_.reset();
  changed_ = {};
  expected_ = 0;
  ++epoch_;
}

FileSnapshot Files::snapshot(FileRef ref) const {
  const File& f = table_.at(ref);
  FileSnapshot s;
  s.file = f.id();
  s.stage = stages_.name(f.stage);
  s.model = models_.name(f.model);
  s.status = f.status;
  s.progress = f.progress;
  s.bytes = known(f.bytes);
  s.bytes_done = f.bytes_done;
  s.tokens = f.tokens;
  s.cost = f.cost;
  s.retries = f.retries;
  s.tries = f.tries;
  s.restored = f.restored;
  s.started = known(f.started);
  s.ended = known(f.ended);
  s.updated = known(f.updated);
  if (const RareFacts* rare = table_.rare_of(f)) {
    s.units = known(rare->units);
    s.quality = known(rare->quality);
    s.stage_progress = known(rare->stage_progress);
    s.error = rare->error;
  }
  return s;
}

}  // namespace agent::progress
