// Random histories: agent/progress agrees with the model, and holds what must hold of every session
// at every moment. AGENT_HISTORIES says how many (default 30,000), AGENT_SEED where to begin.

#include "tests/progress/history.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <string>

#include "agent/progress/session.h"
#include "tests/fakes/one_session.h"
#include "tests/progress/model.h"

namespace agent::progress {
namespace {

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}
std::uint64_t histories() { return setting("AGENT_HISTORIES", 30'000); }
std::uint64_t first_seed() { return setting("AGENT_SEED", 1); }

// Names what differs; empty: nothing.
class Differences {
 public:
  template <typename T>
  void exact(const char* what, const T& model, const T& session) {
    if (!(model == session)) note(what, text_of(model), text_of(session));
  }
  void near(const char* what, double model, double session) {
    if (!(std::abs(model - session) <= 1e-9 * std::max(1.0, std::abs(model))))
      note(what, std::to_string(model), std::to_string(session));
  }
  void near(const char* what, std::optional<double> model, std::optional<double> session) {
    if (model.has_value() != session.has_value())
      note(what, model ? "known" : "absent", session ? "known" : "absent");
    else if (model)
      near(what, *model, *session);
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  template <typename T>
  static std::string text_of(const T& value) {
    if constexpr (requires { value.count(); })
      return std::to_string(value.count());
    else if constexpr (std::is_enum_v<T>)
      return std::string(name_of(value));
    else if constexpr (std::is_arithmetic_v<T>)
      return std::to_string(value);
    else {
      std::string text;
      for (const auto& element : value) text += std::to_string(element) + " ";
      return text;
    }
  }
  void note(const char* what, const std::string& model, const std::string& session) {
    text_ += std::string(what) + ": " + model + " by the contract, " + session + " found\n";
  }
  std::string text_;
};

std::string differences(const ModelAnswer& a, const Session& session, Now at) {
  const SessionSnapshot s = session.snapshot(at);
  const Metrics& m = s.metrics;
  const WorkDone work = session.work();
  Differences d;
  d.exact("files by state", a.files, m.files);
  d.exact("totalFiles", a.total_files, m.total_files);
  d.near("work in all", a.total_work, work.total);
  d.near("work done", a.work_done, work.done);
  d.near("work earned", a.work_earned, work.earned);
  d.near("progressPercentage", a.percentage, m.progress_percentage);
  d.near("complexityFactor", a.complexity, m.complexity_factor);
  d.exact("elapsed", a.elapsed, m.elapsed);
  d.exact("active elapsed", a.active, m.active_elapsed);
  d.near("averageProcessingTimeMs", a.average_processing_ms, m.average_processing_ms);
  d.near("currentThroughput", a.current_throughput, m.current_throughput);
  d.near("averageThroughput", a.average_throughput, m.average_throughput);
  if (a.peak_throughput) d.near("peakThroughput", a.peak_throughput, m.peak_throughput);
  d.near("errorRate", a.error_rate, m.error_rate);
  d.near("qualityScore", a.quality_score, m.quality_score);
  d.near("apiSuccessRate", a.api_success_rate, m.api_success_rate);
  d.near("apiEfficiency", a.api_efficiency, m.api_efficiency);
  d.near("rateLimitingImpact", a.rate_limiting_impact, m.rate_limiting_impact);
  d.near("estimatedCost", a.cost, m.estimated_cost);
  d.exact("totalTokensUsed", a.tokens, m.total_tokens);
  d.exact("retryCount", a.retries, m.retry_count);
  d.exact("apiCallsTotal", a.calls, m.api_calls_total);
  d.exact("files ended, ever", a.ended_ever, s.counters.files_ended);
  d.exact("bytes, ever", a.bytes_ever, s.counters.bytes);
  d.exact("tokens, ever", a.tokens_ever, s.counters.tokens());
  d.exact("stale events", a.stale_events, s.stale_events);
  d.exact("attempt", a.attempt, s.identity->attempt);
  d.exact("state", a.state, s.state);
  return d.text();
}

std::string differences(const Model& model, const Session& session) {
  if (!session.live() && session.files().size() == 0) return {};  // stale: freed
  std::string text;
  for (const ModelFile& f : model.files()) {
    const auto ref = session.files().table().find(f.id);
    if (!ref) return "file " + f.id + " is missing";
    const FileSnapshot s = session.files().snapshot(*ref);
    Differences d;
    d.exact("status", f.status, s.status);
    d.near("progress", f.progress, s.progress);
    d.exact("retries", f.retries(), s.retries);
    d.exact("tokens", f.tokens, s.tokens);
    d.exact("bytesDone", f.bytes_done, s.bytes_done);
    if (!d.text().empty()) text += "file " + f.id + ": " + d.text();
  }
  return text;
}

// Tells whether one event may have made the total grow or opened a file again.
class Growth final : public FileObserver {
 public:
  void on_file(const FileChange& c) override {
    const bool resized = c.bytes_from != c.bytes_to || c.units_from != c.units_to;
    const bool given_back = c.from == FileStatus::kProcessing && c.to == FileStatus::kPending;
    seen_ = seen_ || c.is_new || c.new_try || resized || given_back;
  }
  bool take() { return std::exchange(seen_, false); }

 private:
  bool seen_ = false;
};

// What must hold after every event, whatever came before.
class Invariants {
 public:
  std::string check(const Session& session, bool may_fall) {
    const FileCounts counts = session.counts();
    const std::int64_t total = session.total_files();
    const double percentage = session.work().percentage();
    const bool grown = total > total_ || session.identity()->attempt != attempt_;
    std::string text;
    if (std::ranges::any_of(counts, [](auto n) { return n < 0; })) text += "a negative count\n";
    if (std::accumulate(counts.begin(), counts.end(), std::int64_t{0}) != total)
      text += "the states do not add up to the total\n";
    if (!(percentage >= 0 && percentage <= 100)) text += "progress beyond its bounds\n";
    if (percentage < percentage_ - 1e-9 && !grown && !may_fall && !session.counts_only())
      text += "progress fell though nothing grew or was reopened\n";
    total_ = total;
    attempt_ = session.identity()->attempt;
    percentage_ = percentage;
    return text;
  }

  // Counters never go down.
  std::string check(const Counters& now) {
    const Counters& was = counters_;
    bool fell =
        now.bytes < was.bytes || now.tokens_in < was.tokens_in || now.tokens_out < was.tokens_out ||
        now.tokens_unspecified < was.tokens_unspecified || now.retries < was.retries ||
        now.cost < was.cost || now.api_ok < was.api_ok || now.api_failed < was.api_failed ||
        now.rate_limit_hits < was.rate_limit_hits || now.rate_limit_delay < was.rate_limit_delay;
    for (std::size_t i = 0; i < now.files_ended.size(); ++i)
      fell = fell || now.files_ended[i] < was.files_ended[i];
    counters_ = now;
    return fell ? "a counter went down\n" : "";
  }

 private:
  std::int64_t total_ = 0, attempt_ = 1;
  double percentage_ = 0;
  Counters counters_;
};

// What is wrong with a history; empty: nothing. `every`: look at all answers after each event.
std::string faults(const History& history, bool every) {
  static const Rules kRules;
  const Step& first = history.steps.front();
  Session session("s", kRules, first.fact ? first.ts : first.at.wall, first.at);
  Model model;
  Growth growth;
  Invariants invariants;
  for (const Step& step : history.steps) {
    bool accepted = true;
    if (step.fact) {
      Event event;
      event.session = "s";
      event.ts = step.ts;
      event.fact = *step.fact;
      accepted = session.apply(event, step.ts, step.at, 1'000'000, growth).has_value();
    } else if (session.live()) {
      session.become_stale(step.at);
    }
    if (accepted != model.apply(step))
      return accepted ? "taken, not refused" : "refused, not taken";
    std::string text = invariants.check(session, growth.take());
    if (every) {
      text += differences(model.answer(step.at), session, step.at) + differences(model, session) +
              invariants.check(session.snapshot(step.at).counters);
    }
    if (!text.empty()) return text;
  }
  return differences(model.answer(history.end), session, history.end) + differences(model, session);
}

// The same failure in fewer steps: drops whatever it does not need.
History shrink(History history) {
  for (bool shorter = true; shorter;) {
    shorter = false;
    for (std::size_t i = 0; i < history.steps.size() && history.steps.size() > 1; ++i) {
      History less = {history.steps, history.end, history.in_order, {}};
      less.steps.erase(less.steps.begin() + static_cast<std::ptrdiff_t>(i));
      if (!less.steps.front().fact || faults(less, true).empty()) continue;
      history.steps.swap(less.steps);
      shorter = true;
      --i;
    }
  }
  return history;
}

TEST(Histories, AgreeWithTheModelAndKeepTheInvariants) {
  for (std::uint64_t seed = first_seed(); seed < first_seed() + histories(); ++seed) {
    const History history = random_history(seed);
    const std::string fault = faults(history, seed % 16 == 0);
    if (fault.empty()) continue;
    const History least = shrink(random_history(seed));
    FAIL() << "AGENT_SEED=" << seed << "\n"
           << fault << "in short:\n"
           << describe(least) << faults(least, true) << "looked at "
           << history.end.wall - fakes::kEpoch;
  }
}

std::map<std::string, FileStatus> final_states(const std::vector<Step>& steps) {
  fakes::OneSession session;
  for (const Step& step : steps) {
    EXPECT_TRUE(session.send(seconds(step.ts - fakes::kEpoch), *step.fact, 100));
  }
  std::map<std::string, FileStatus> states;
  const FileTable& table = session.session().files().table();
  for (auto ref = table.next_from(0); ref;
       ref = table.next_from(FileTable::after(*ref, table.at(*ref)))) {
    states.emplace(table.at(*ref).id(), table.at(*ref).status);
  }
  return states;
}

TEST(Histories, DuplicatesAndReorderingLeaveTheFinalStateOfEveryFileTheSame) {
  for (std::uint64_t seed = first_seed(); seed < first_seed() + histories() / 4; ++seed) {
    std::vector<Step> steps = random_file_events(seed);
    const auto states = final_states(steps);
    Dice dice(seed);
    for (int round = 0; round < 3; ++round) {
      steps.push_back(steps[dice.below(steps.size())]);
      for (std::size_t i = steps.size() - 1; i > 0; --i)
        std::swap(steps[i], steps[dice.below(i + 1)]);
      ASSERT_EQ(final_states(steps), states) << "AGENT_SEED=" << seed;
    }
  }
}

}  // namespace
}  // namespace agent::progress
