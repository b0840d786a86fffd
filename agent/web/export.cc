#include "agent/web/export.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/web/json.h"
#include "agent/web/window.h"

namespace agent::web {
namespace {

using progress::FileSnapshot;
using progress::FileStatus;
using progress::SessionSnapshot;

// Calls `visit` for every file, in the order first seen.
template <typename Visit>
void each_file(tracker::Tracker& tracker, const SessionSnapshot& session, Visit visit) {
  constexpr std::size_t kPage = 1000;
  for (std::optional<std::uint64_t> cursor = 0; cursor;) {
    const auto page = tracker.files(session.id(), std::nullopt, *cursor, kPage);
    if (!page) return;
    for (const FileSnapshot& file : page->files) visit(file);
    cursor = page->next;
  }
}

// ---- JSON and CSV

std::string as_json(tracker::Tracker& tracker, const SessionSnapshot& session) {
  std::string out = session_json(session);
  out.pop_back();  // the closing bracket
  out += ",\"files\":";
  JsonWriter json(out);
  json.begin_array();
  each_file(tracker, session, [&](const FileSnapshot& file) { write_file(json, file); });
  json.end_array();
  return out + "}\n";
}

void append_field(std::string& out, std::string_view text) {
  if (text.find_first_of(",\"\r\n") == text.npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

// A value as JSON writes it, without quotes; empty: unknown.
template <typename T>
std::string plain(const T& value) {
  std::string out;
  JsonWriter(out).value(value);
  if (out.starts_with('"')) out = out.substr(1, out.size() - 2);
  return out;
}
template <typename T>
std::string plain(const std::optional<T>& value) {
  return value ? plain(*value) : std::string();
}

std::string as_csv(tracker::Tracker& tracker, const SessionSnapshot& session) {
  std::string out =
      "file,status,progress,stage,bytes,bytesDone,units,tokens,cost,model,quality,retries,"
      "attempts,error,startTime,endTime,updatedTime\r\n";
  each_file(tracker, session, [&](const FileSnapshot& f) {
    append_field(out, f.file);
    for (const std::string& value :
         {std::string(name_of(f.status)), plain(f.progress), f.stage, plain(f.bytes),
          plain(f.bytes_done), plain(f.units), plain(f.tokens), plain(f.cost), f.model,
          plain(f.quality), plain(f.retries), plain(f.tries), f.error, plain(f.started),
          plain(f.ended), plain(f.updated)}) {
      out += ',';
      append_field(out, value);
    }
    out += "\r\n";
  });
  return out;
}

// ---- NDJSON

class Story {
 public:
  Story(tracker::Tracker& tracker, const SessionSnapshot& session)
      : tracker_(tracker), session_(session) {}

  std::string tell() {
    start();
    each_file(tracker_, session_, [&](const FileSnapshot& file) { tell_file(file); });
    if (lines_.size() == 1) counts();
    api();
    rate_limits();
    std::ranges::stable_sort(lines_.begin() + 1, lines_.end(), {}, &Line::at);
    end();
    std::string out;
    for (const Line& line : lines_) out += line.text;
    return out;
  }

 private:
  struct Line {
    Instant at;
    std::string text;
  };

  // An event with the fields that `write` adds.
  template <typename Write>
  void add(Instant at, std::string_view event, Write write) {
    std::string text;
    JsonWriter json(text);
    json.begin_object().member("event", event).member("session", session_.id()).member("ts", at);
    write(json);
    json.end_object();
    lines_.push_back({at, text + '\n'});
  }

  void start() {
    const progress::SessionIdentity& i = *session_.identity;
    add(session_.metrics.start_time, "session.start", [&](JsonWriter& json) {
      json.known_text("name", i.name).known_text("family", i.family).known_text("unit", i.unit);
      json.known_text("currency", i.currency).member("totalFiles", session_.metrics.total_files);
      json.member("mode", name_of(i.config.mode)).member("deadline", session_.deadline);
      json.member("costBudget", session_.cost_budget).key("labels").begin_object();
      for (const auto& [name, value] : i.labels) json.member(name, value);
      json.end_object();
    });
  }

  void tell_file(const FileSnapshot& f) {
    if (f.started && (!retried_ || (retried_->retries == 0 && f.retries > 0))) retried_ = f;
    tokens_ += f.tokens;
    cost_ += f.cost;
    const bool is_final = progress::is_final(f.status);
    const Instant begun = f.started.value_or(session_.metrics.start_time);
    if (f.started && is_final) {
      add(begun, "file", [&](JsonWriter& json) {
        json.member("file", f.file).member("status", "processing").known_text("stage", f.stage);
        json.member("bytes", f.bytes).member("units", f.units);
      });
    }
    const Instant at = is_final ? f.ended.value_or(f.updated.value_or(begun)) : begun;
    add(at, "file", [&](JsonWriter& json) {
      json.member("file", f.file).member("status", name_of(f.status));
      json.known_text("stage", f.stage).member("stageProgress", f.stage_progress);
      json.member("bytes", f.bytes).member("bytesDone", f.bytes_done).member("units", f.units);
      json.member("progress", f.progress).member("tokens", f.tokens).member("cost", f.cost);
      json.known_text("model", f.model).member("quality", f.quality);
      json.member("retries", f.retries).known_text("error", f.error);
    });
  }

  // A session without files only counts.
  void counts() {
    const progress::Metrics& m = session_.metrics;
    if (m.finished() + m.count(FileStatus::kSkipped) == 0) return;
    add(session_.last_event_time, "progress", [&](JsonWriter& json) {
      json.member("completed", m.count(FileStatus::kCompleted));
      json.member("failed", m.count(FileStatus::kFailed));
      json.member("skipped", m.count(FileStatus::kSkipped)).member("total", m.total_files);
      json.member("bytesDone", session_.counters.bytes);
    });
  }

  // What the files do not account for was spent on calls, or on tries before the last.
  void api() {
    std::int64_t tokens = session_.metrics.total_tokens - tokens_;
    double cost = session_.metrics.estimated_cost - cost_;
    for (const auto& p : session_.providers) {
      for (const bool ok : {true, false}) {
        const std::int64_t calls = ok ? p.calls_ok : p.calls_failed;
        if (calls == 0) continue;
        add(session_.last_event_time, "api", [&](JsonWriter& json) {
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

  void earlier_try(std::int64_t tokens, double cost) {
    add(*retried_->started - std::chrono::milliseconds(1), "file", [&](JsonWriter& json) {
      json.member("file", retried_->file).member("status", "failed");
      json.member("tokens", std::max<std::int64_t>(0, tokens)).member("cost", std::max(0.0, cost));
    });
  }

  void rate_limits() {
    for (const auto& p : session_.providers) {
      if (p.rate_limit_hits == 0) continue;
      add(session_.last_event_time, "rateLimit", [&](JsonWriter& json) {
        json.known_text("provider", p.provider).member("hits", p.rate_limit_hits);
        json.member("delayMs", p.rate_limit_delay);
      });
    }
  }

  void end() {
    if (!session_.end_time) return;
    add(*session_.end_time, "session.end", [&](JsonWriter& json) {
      json.member("status", name_of(session_.state)).known_text("reason", session_.end_reason);
    });
  }

  tracker::Tracker& tracker_;
  const SessionSnapshot& session_;
  std::vector<Line> lines_;
  std::optional<FileSnapshot> retried_;  // if any was; else one that was begun
  std::int64_t tokens_ = 0;              // of the files
  double cost_ = 0;
};

}  // namespace

Reply answer_export(tracker::Tracker& tracker, const Request& request, Now now) {
  const auto session = find_session(tracker, request, now);
  if (!session) return session.error();
  const std::string format(request.target.parameter("format").value_or("json"));
  Reply reply;
  if (format == "json") {
    reply.body = Body(as_json(tracker, **session));
  } else if (format == "ndjson") {
    reply.content_type = "application/x-ndjson";
    reply.body = Body(Story(tracker, **session).tell());
  } else if (format == "csv") {
    reply.content_type = "text/csv; charset=utf-8";
    reply.body = Body(as_csv(tracker, **session));
  } else {
    return bad_parameter("format", "json, ndjson or csv");
  }
  reply.fields.emplace_back("Content-Disposition",
                            "attachment; filename=\"session." + format + '"');
  return reply;
}

}  // namespace agent::web
