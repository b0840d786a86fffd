#include "tests/progress/history.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace agent::progress {
namespace {

constexpr std::array<std::string_view, 6> kFiles = {"a", "b", "c", "d", "e", "f"};

// Makes the events of one history; each draws what it needs.
class Maker {
 public:
  explicit Maker(std::uint64_t seed) : dice_(seed) {
    counts_ = dice_.chance(20);
    sized_ = dice_.chance(60);
    in_units_ = dice_.chance(40);
    files_ = 1 + dice_.below(kFiles.size());
    late_ = dice_.chance(50) ? dice_.below(40) : 0;
    if (dice_.chance(40)) window_ = std::chrono::seconds(5 + dice_.below(40));
    history_.in_order = late_ == 0;
  }

  History make() {
    if (dice_.chance(80)) {
      add(start(false));
    } else {
      window_.reset();  // told first, or never
    }
    const std::uint64_t steps = 3 + dice_.below(28);
    for (std::uint64_t i = 0; i < steps; ++i) {
      pass_time();
      add(fact());
      if (dice_.chance(1)) history_.steps.push_back({{}, now(), std::nullopt});
    }
    t_ += std::array<std::uint64_t, 4>{0, 1, 65, 700}[dice_.below(4)];
    history_.end = now();
    return std::move(history_);
  }

 private:
  [[nodiscard]] Now now() const { return fakes::now_at(static_cast<double>(t_)); }
  void pass_time() {
    if (dice_.chance(40)) return;
    t_ += dice_.chance(90) ? 1 + dice_.below(8) : 20 + dice_.below(80);
  }
  void add(Fact fact) {
    const std::uint64_t behind = dice_.chance(late_) ? dice_.below(20) : 0;
    history_.steps.push_back({now().wall - std::chrono::seconds(behind), now(), std::move(fact)});
  }

  Fact fact() {
    const std::uint64_t kind = dice_.below(100);
    if (kind < 70) return counts_ ? Fact(counts()) : Fact(file());
    if (kind < 74) return dice_.chance(10) == counts_ ? Fact(file()) : Fact(announcement());
    if (kind < 78) return SessionPaused{};
    if (kind < 82) return SessionResumed{};
    if (kind < 86) return api();
    if (kind < 89) return rate_limit();
    if (kind < 93) return SessionUpdated{{.total_files = std::int64_t(dice_.below(10))}};
    if (kind < 96) return SessionEnded{static_cast<EndStatus>(dice_.below(3)), ""};
    return start(dice_.chance(50));
  }

  SessionStarted start(bool resume) {
    SessionStarted e;
    e.resume = resume;
    if (dice_.chance(60)) e.facts.total_files = std::int64_t(dice_.below(10));
    if (dice_.chance(30)) e.facts.concurrency = 1 + std::int64_t(dice_.below(4));
    e.facts.config.throughput_window = window_;
    return e;
  }

  FileProgressed file() {
    FileProgressed e;
    e.file = kFiles[dice_.below(files_)];
    static constexpr std::array<std::uint8_t, 10> kOften = {0, 1, 1, 1, 1, 2, 2, 3, 4, 5};
    if (dice_.chance(80)) e.status = static_cast<FileStatus>(kOften[dice_.below(kOften.size())]);
    if (dice_.chance(40)) e.progress = static_cast<double>(dice_.below(9)) * 12.5;
    if (dice_.chance(sized_ ? 90 : 10)) e.bytes = size();
    if (dice_.chance(in_units_ ? 90 : 5)) e.units = static_cast<double>(dice_.below(16)) / 4;
    if (dice_.chance(20)) e.bytes_done = std::int64_t(dice_.below(1'024));
    if (dice_.chance(20)) e.tokens = std::int64_t(dice_.below(1'000));
    if (dice_.chance(20)) e.cost = static_cast<double>(dice_.below(64)) / 16;
    if (dice_.chance(10)) e.retries = std::int64_t(dice_.below(4));
    if (dice_.chance(15)) e.quality = static_cast<double>(dice_.below(9)) / 8;
    return e;
  }
  std::int64_t size() { return dice_.chance(10) ? 0 : std::int64_t{1} << dice_.below(11); }

  FilesAnnounced announcement() {
    auto& list = history_.announced.emplace_back();
    for (std::uint64_t i = dice_.below(files_ + 1); i > 0; --i) {
      AnnouncedFile& f = list.emplace_back();
      f.file = kFiles[dice_.below(files_)];
      if (dice_.chance(sized_ ? 90 : 20)) f.bytes = size();
      if (dice_.chance(in_units_ ? 90 : 10)) f.units = static_cast<double>(dice_.below(16)) / 4;
    }
    return {list};
  }

  CountsReported counts() {
    completed_ += std::int64_t(dice_.below(4));
    if (dice_.chance(5)) completed_ /= 2;
    CountsReported e;
    if (dice_.chance(90)) e.completed = completed_;
    if (dice_.chance(20)) e.failed = std::int64_t(dice_.below(4));
    if (dice_.chance(20)) e.skipped = std::int64_t(dice_.below(4));
    if (dice_.chance(20)) e.total = std::int64_t(dice_.below(40));
    if (dice_.chance(20)) e.bytes_done = std::int64_t(dice_.below(1'024));
    return e;
  }

  ApiCalled api() {
    ApiCalled e;
    e.ok = dice_.chance(80);
    e.calls = 1 + std::int64_t(dice_.below(9));
    if (dice_.chance(50)) e.tokens_in = std::int64_t(dice_.below(500));
    if (dice_.chance(30)) e.tokens = std::int64_t(dice_.below(1'000));
    if (dice_.chance(30)) e.cost = static_cast<double>(dice_.below(64)) / 16;
    return e;
  }
  RateLimited rate_limit() {
    RateLimited e;
    if (dice_.chance(80)) e.delay = std::chrono::seconds(dice_.below(30));
    if (dice_.chance(30)) e.reset_at = now().wall + std::chrono::seconds(dice_.below(60));
    return e;
  }

  Dice dice_;
  History history_;
  bool counts_, sized_, in_units_;
  std::uint64_t files_, late_, t_ = 1'000;
  std::int64_t completed_ = 0;
  std::optional<Duration> window_;
};

std::string describe(const Fact& fact) {
  std::string text(kEventNames[fact.index()]);
  const auto add = [&](std::string_view name, const auto& value) {
    if (value) text.append(" ").append(name).append("=").append(std::to_string(*value));
  };
  if (const auto* e = std::get_if<FileProgressed>(&fact)) {
    text.append(" ").append(e->file);
    if (e->status) text.append(" ").append(name_of(*e->status));
    add("progress", e->progress);
    add("bytes", e->bytes);
    add("units", e->units);
    add("bytesDone", e->bytes_done);
    add("tokens", e->tokens);
    add("cost", e->cost);
    add("retries", e->retries);
    add("quality", e->quality);
  } else if (const auto* list = std::get_if<FilesAnnounced>(&fact)) {
    for (const AnnouncedFile& f : list->files) {
      text.append(" ").append(f.file);
      add("bytes", f.bytes);
      add("units", f.units);
    }
  } else if (const auto* c = std::get_if<CountsReported>(&fact)) {
    add("completed", c->completed);
    add("failed", c->failed);
    add("skipped", c->skipped);
    add("total", c->total);
    add("bytesDone", c->bytes_done);
  } else if (const auto* u = std::get_if<SessionUpdated>(&fact)) {
    add("totalFiles", u->facts.total_files);
  } else if (const auto* s = std::get_if<SessionStarted>(&fact)) {
    add("totalFiles", s->facts.total_files);
    add("concurrency", s->facts.concurrency);
    if (s->facts.config.throughput_window)
      text.append(" window=" + std::to_string(s->facts.config.throughput_window->count()));
    if (s->resume) text.append(" resume");
  }
  return text;
}

}  // namespace

std::uint64_t Dice::next() {
  std::uint64_t z = state_ += 0x9e3779b97f4a7c15ULL;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31U);
}

History random_history(std::uint64_t seed) { return Maker(seed).make(); }

std::vector<Step> random_file_events(std::uint64_t seed) {
  Dice dice(seed);
  std::vector<Step> steps;
  for (std::uint64_t i = 2 + dice.below(8); i > 0; --i) {
    FileProgressed e;
    e.file = kFiles[dice.below(2)];
    e.status = static_cast<FileStatus>(dice.below(6));
    steps.push_back({fakes::moment(static_cast<double>(dice.below(4))), fakes::now_at(100), e});
  }
  return steps;
}

std::string describe(const History& history) {
  std::string text;
  for (const Step& step : history.steps) {
    const auto seconds_of = [](Instant t) {
      return std::to_string(std::chrono::floor<std::chrono::seconds>(t - fakes::kEpoch).count());
    };
    text += seconds_of(step.at.wall);
    if (step.fact && step.ts != step.at.wall) text += " (ts " + seconds_of(step.ts) + ")";
    text += "  " + (step.fact ? describe(*step.fact) : std::string("gone stale")) + "\n";
  }
  return text;
}

}  // namespace agent::progress
