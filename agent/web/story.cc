#include "agent/web/story.h"

#include <algorithm>
#include <utility>

namespace agent::web {

using progress::FileSnapshot;
using progress::FileStatus;

namespace {

constexpr std::size_t kEventsInPiece = 500;

// When a file was begun, and when what is known of it was told.
struct Moments {
  std::optional<Instant> begun;  // with an event of its own
  Instant told;
};

Moments moments_of(const FileSnapshot& f, Instant session_start) {
  const Instant begun = f.started.value_or(session_start);
  if (!progress::is_final(f.status)) return {std::nullopt, begun};
  return {f.started, f.ended.value_or(f.updated.value_or(begun))};
}

}  // namespace

Piece Story::next() {
  if (!all_seen_) {
    if (!look_at_files()) return {{}, Piece::Then::kBroken};
    if (!pages_.is_done()) return {};
    all_seen_ = true;
    add_what_is_no_file();
    std::ranges::sort(events_);
    Piece first;
    put_start(first.text);
    return first;
  }
  Piece piece;
  if (!tell(piece.text)) return {{}, Piece::Then::kBroken};
  if (told_ < events_.size()) return piece;
  put_end(piece.text);
  piece.then = Piece::Then::kEnd;
  return piece;
}

bool Story::look_at_files() {
  const auto page = pages_.next();
  if (!page) return false;
  for (std::size_t i = 0; i < page->files.size(); ++i) look_at(page->files[i], page->refs[i]);
  return true;
}

void Story::look_at(const FileSnapshot& f, progress::FileRef ref) {
  if (f.started && (!retried_ || (retried_->retries == 0 && f.retries > 0))) retried_ = f;
  tokens_ += f.tokens;
  cost_ += f.cost;
  const Moments moments = moments_of(f, session_->metrics.start_time);
  if (moments.begun) events_.push_back({*moments.begun, Kind::kBegun, ref});
  events_.push_back({moments.told, Kind::kTold, ref});
}

void Story::add_what_is_no_file() {
  if (events_.empty()) counts();
  api();
  rate_limits();
}

template <typename Write>
void Story::put(std::string& out, Instant at, std::string_view event, Write write) const {
  JsonWriter json(out);
  json.begin_object().member("event", event).member("session", session_->id()).member("ts", at);
  write(json);
  json.end_object();
  out += '\n';
}

template <typename Write>
void Story::add_line(Instant at, std::string_view event, Write write) {
  events_.push_back({at, Kind::kLine, static_cast<std::uint32_t>(lines_.size())});
  put(lines_.emplace_back(), at, event, write);
}

void Story::put_start(std::string& out) const {
  const progress::SessionIdentity& i = *session_->identity;
  put(out, session_->metrics.start_time, "session.start", [&](JsonWriter& json) {
    json.known_text("name", i.name).known_text("family", i.family).known_text("unit", i.unit);
    json.known_text("currency", i.currency).member("totalFiles", session_->metrics.total_files);
    json.member("mode", name_of(i.config.mode)).member("deadline", session_->deadline);
    json.member("costBudget", session_->cost_budget).key("labels").begin_object();
    for (const auto& [name, value] : i.labels) json.member(name, value);
    json.end_object();
  });
}

void Story::put_begun(std::string& out, Instant at, const FileSnapshot& f) const {
  put(out, at, "file", [&](JsonWriter& json) {
    json.member("file", f.file).member("status", "processing").known_text("stage", f.stage);
    json.member("bytes", f.bytes).member("units", f.units);
  });
}

void Story::put_told(std::string& out, Instant at, const FileSnapshot& f) const {
  put(out, at, "file", [&](JsonWriter& json) {
    json.member("file", f.file).member("status", name_of(f.status));
    json.known_text("stage", f.stage).member("stageProgress", f.stage_progress);
    json.member("bytes", f.bytes).member("bytesDone", f.bytes_done).member("units", f.units);
    json.member("progress", f.progress).member("tokens", f.tokens).member("cost", f.cost);
    json.known_text("model", f.model).member("quality", f.quality);
    json.member("retries", f.retries).known_text("error", f.error);
  });
}

// A session without files only counts.
void Story::counts() {
  const progress::Metrics& m = session_->metrics;
  if (m.finished() + m.count(FileStatus::kSkipped) == 0) return;
  add_line(session_->last_event_time, "progress", [&](JsonWriter& json) {
    json.member("completed", m.count(FileStatus::kCompleted));
    json.member("failed", m.count(FileStatus::kFailed));
    json.member("skipped", m.count(FileStatus::kSkipped)).member("total", m.total_files);
    json.member("bytesDone", session_->counters.bytes);
  });
}

// What the files do not account for was spent on calls, or on tries before the last.
void Story::api() {
  std::int64_t tokens = session_->metrics.total_tokens - tokens_;
  double cost = session_->metrics.estimated_cost - cost_;
  for (const auto& p : session_->providers) {
    for (const bool ok : {true, false}) {
      const std::int64_t calls = ok ? p.calls_ok : p.calls_failed;
      if (calls == 0) continue;
      add_line(session_->last_event_time, "api", [&](JsonWriter& json) {
        json.member("ok", ok).member("calls", calls).known_text("provider", p.provider);
        const std::int64_t share = std::min(tokens, ok || p.calls_ok == 0 ? p.tokens : 0);
        const double spent = std::min(cost, ok || p.calls_ok == 0 ? p.cost : 0);
        json.member("tokens", std::max<std::int64_t>(0, share));
        json.member("cost", std::max(0.0, spent));
        tokens -= share;
        cost -= spent;
      });
    }
  }
  if ((tokens > 0 || cost > 1e-9) && retried_) earlier_try(tokens, cost);
}

void Story::earlier_try(std::int64_t tokens, double cost) {
  add_line(*retried_->started - std::chrono::milliseconds(1), "file", [&](JsonWriter& json) {
    json.member("file", retried_->file).member("status", "failed");
    json.member("tokens", std::max<std::int64_t>(0, tokens)).member("cost", std::max(0.0, cost));
  });
}

void Story::rate_limits() {
  for (const auto& p : session_->providers) {
    if (p.rate_limit_hits == 0) continue;
    add_line(session_->last_event_time, "rateLimit", [&](JsonWriter& json) {
      json.known_text("provider", p.provider).member("hits", p.rate_limit_hits);
      json.member("delayMs", p.rate_limit_delay);
    });
  }
}

void Story::put_end(std::string& out) const {
  if (!session_->end_time) return;
  put(out, *session_->end_time, "session.end", [&](JsonWriter& json) {
    json.member("status", name_of(session_->state)).known_text("reason", session_->end_reason);
  });
}

// The next events. False: a file is not there any more.
bool Story::tell(std::string& out) {
  const std::size_t end = std::min(events_.size(), told_ + kEventsInPiece);
  for (; told_ < end; ++told_) {
    const Event& event = events_[told_];
    if (event.kind == Kind::kLine) {
      out += lines_[event.of];
      continue;
    }
    const auto file = pages_.file(event.of);
    if (!file) return false;
    if (event.kind == Kind::kBegun)
      put_begun(out, event.at, *file);
    else
      put_told(out, event.at, *file);
  }
  return true;
}

}  // namespace agent::web
