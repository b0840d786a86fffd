// Every rule: the condition that makes it fire, one beside it that does not, and its end.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>
#include <string>

#include "agent/alert/text.h"
#include "tests/alert/watched.h"

namespace agent::alert {
namespace {

using fakes::moment;
using fakes::span;
using progress::SessionState;
using Change = std::function<void(Watched&)>;

// What happens to a session that is well, in three steps; and how long the breach is held.
struct Story {
  std::string_view rule;
  Change breach, near;  // over the threshold; just not
  Change mend;
  double hold = 0, keep = 0;
};

void quota(Watched& w, double remaining_at_start, double remaining_later, double reset) {
  progress::ProviderTally p;
  p.provider = "openai";
  p.quota.report({100, remaining_at_start, moment(reset)}, moment(-10));
  p.quota.report({100, remaining_later, moment(reset)}, moment(0));
  w.session.providers = {p};
}
void forecast(Watched& w, double risk) {
  w.session.eta.emplace();
  w.session.eta->deadline_risk = risk;
}
void resources(Watched& w, std::int64_t memory, double cpu, double errors) {
  progress::Resources& r = w.session.resources;
  r.memory_bytes = memory;
  r.memory_limit_bytes = 1000;
  r.cpu_cores = cpu;
  r.cpu_limit_cores = 2;
  r.network_errors_in_window = errors;
}

const std::vector<Story>& stories() {
  static const std::vector<Story> kStories = {
      {"SlowProcessing",
       [](Watched& w) {
         w.identity.config.thresholds.slow_processing_ms = 60'000;
         w.session.oldest_in_flight = span(60.001);
       },
       [](Watched& w) {
         w.identity.config.thresholds.slow_processing_ms = 60'000;
         w.session.oldest_in_flight = span(60);
       },
       [](Watched& w) { w.session.oldest_in_flight.reset(); }},
      {"HighErrorRate", [](Watched& w) { w.finish(17, 3); }, [](Watched& w) { w.finish(18, 2); },
       [](Watched& w) { w.finish(27, 3); }, 60},
      {"HighErrorRate", [](Watched& w) { w.finish(10, 10); },
       [](Watched& w) { w.finish(9, 10); },  // too few to mean something
       [](Watched& w) { w.finish(90, 10); }, 60},
      {"LowThroughput",
       [](Watched& w) {
         w.identity.config.thresholds.low_throughput = 10;
         w.session.metrics.current_throughput = 9.9;
       },
       [](Watched& w) {
         w.identity.config.thresholds.low_throughput = 10;
         w.session.metrics.current_throughput = 10;
       },
       [](Watched& w) { w.session.metrics.current_throughput = 11; }, 60, 60},
      {"LowThroughput",
       [](Watched& w) {
         w.identity.config.thresholds.low_throughput = 10;
         w.session.metrics.current_throughput = 0;
       },
       [](Watched& w) {
         w.identity.config.thresholds.low_throughput = 10;
         w.session.metrics.current_throughput = 0;
         w.session.state = SessionState::kWaiting;  // for work: not its fault
       },
       [](Watched& w) { w.session.state = SessionState::kPaused; }, 60, 60},
      {"QualityDegradation",
       [](Watched& w) {
         w.finish(20, 0);
         w.session.metrics.quality_score = 0.69;
       },
       [](Watched& w) {
         w.finish(20, 0);
         w.session.metrics.quality_score = 0.7;
       },
       [](Watched& w) { w.session.metrics.quality_score = 0.9; }, 60},
      {"RateLimited", [](Watched& w) { w.session.metrics.rate_limited_share = 0.26; },
       [](Watched& w) { w.session.metrics.rate_limited_share = 0.25; },
       [](Watched& w) { w.session.metrics.rate_limited_share = 0.1; }, 120, 60},
      {"QuotaExhaustionAhead", [](Watched& w) { quota(w, 100, 50, 1000); },
       [](Watched& w) { quota(w, 100, 50, 9); }, [](Watched& w) { w.session.providers.clear(); }, 0,
       60},
      {"EtaDeviation", [](Watched& w) { w.session.eta_deviation_percent = 50.1; },
       [](Watched& w) { w.session.eta_deviation_percent = 50; },
       [](Watched& w) { w.session.eta_deviation_percent = 10; }, 120, 120},
      {"SessionStalled",
       [](Watched& w) {
         w.session.state = SessionState::kStalled;
         w.session.metrics.current_time = moment(61);
       },
       [](Watched& w) { w.session.metrics.current_time = moment(61); },
       [](Watched& w) { w.session.state = SessionState::kWorking; }},
      {"DeadlineAtRisk", [](Watched& w) { forecast(w, 0.51); },
       [](Watched& w) { forecast(w, 0.5); }, [](Watched& w) { forecast(w, 0.2); }, 120, 120},
      {"CostOverBudget",
       [](Watched& w) {
         w.session.cost_budget = 10;
         w.session.metrics.cost_forecast = progress::CostForecast{10.01, 12, 14};
       },
       [](Watched& w) {
         w.session.cost_budget = 10;
         w.session.metrics.cost_forecast = progress::CostForecast{9.99, 12, 14};
       },
       [](Watched& w) { w.session.cost_budget = 20; }},
      {"CostOverBudget",  // what is spent is certain, whatever the forecast says
       [](Watched& w) {
         w.session.cost_budget = 10;
         w.session.metrics.estimated_cost = 10.5;
         w.session.metrics.cost_forecast = progress::CostForecast{9.9, 10.5, 11};
       },
       [](Watched& w) { w.session.metrics.estimated_cost = 10.5; },  // without a budget
       [](Watched& w) { w.session.cost_budget = 20; }},
      {"WorkloadMemoryHigh", [](Watched& w) { resources(w, 901, 0, 0); },
       [](Watched& w) { resources(w, 900, 0, 0); }, [](Watched& w) { resources(w, 500, 0, 0); },
       120, 60},
      {"WorkloadCpuHigh", [](Watched& w) { resources(w, 0, 1.95, 0); },
       [](Watched& w) { resources(w, 0, 1.9, 0); }, [](Watched& w) { resources(w, 0, 1, 0); }, 120,
       60},
      {"WorkloadNetworkErrors", [](Watched& w) { resources(w, 0, 0, 1); },
       [](Watched& w) { resources(w, 0, 0, 0); }, [](Watched& w) { resources(w, 0, 0, 0); }, 120},
      {"SuccessRateBelowTarget",
       [](Watched& w) {
         w.finish(94, 6);
         w.end(0, SessionState::kFailed);
       },
       [](Watched& w) {
         w.finish(95, 5);
         w.end(0, SessionState::kFailed);
       },
       [](Watched& w) { w.superseded = true; }},
      {"SuccessRateBelowTarget",
       [](Watched& w) {
         w.finish(94, 6);
         w.end(0, SessionState::kCompleted);  // good in its own eyes only
       },
       [](Watched& w) { w.finish(9, 1); },  // still runs
       [](Watched& w) {
         w.session.state = SessionState::kWorking;  // begun anew
         w.session.end_time.reset();
       }},
  };
  return kStories;
}

TEST(Rules, FireWhenTheirConditionHeldAndNotBefore) {
  for (const Story& story : stories()) {
    SCOPED_TRACE(story.rule);
    Watched w;
    w.look(0);
    EXPECT_EQ(w.state(story.rule), "");
    story.breach(w);
    w.look(1);
    EXPECT_EQ(w.state(story.rule), story.hold > 0 ? "pending" : "firing");
    if (story.hold > 0) {
      w.look_until(story.hold);
      EXPECT_EQ(w.state(story.rule), "pending");
      w.look_until(story.hold + 1);
    }
    const auto alert = w.find(story.rule);
    ASSERT_TRUE(alert);
    EXPECT_EQ(alert->state, State::kFiring);
    EXPECT_EQ(alert->breached_at, moment(1));
    EXPECT_EQ(*alert->starts_at, moment(story.hold + 1));
  }
}

TEST(Rules, DoNotFireBesideTheirCondition) {
  for (const Story& story : stories()) {
    SCOPED_TRACE(story.rule);
    Watched w;
    story.near(w);
    w.look_until(600);
    EXPECT_EQ(w.state(story.rule), "");
    EXPECT_FALSE(w.last_resolved());
  }
}

TEST(Rules, ResolveOnceTheConditionIsOverForAsLongAsTheyKeep) {
  for (const Story& story : stories()) {
    SCOPED_TRACE(story.rule);
    Watched w;
    story.breach(w);
    w.look_until(story.hold + 1);
    ASSERT_EQ(w.state(story.rule), "firing");
    story.mend(w);
    w.look_until(story.hold + story.keep);
    if (story.keep > 0) {
      EXPECT_EQ(w.state(story.rule), "firing");
    }
    w.look_until(story.hold + story.keep + 2);
    EXPECT_EQ(w.state(story.rule), "");
    const auto resolved = w.last_resolved();
    ASSERT_TRUE(resolved);
    EXPECT_EQ(resolved->name(), story.rule);
    EXPECT_EQ(resolved->state, State::kResolved);
    EXPECT_TRUE(resolved->ends_at);
  }
}

TEST(Rules, AreAllToldOf) {
  std::set<std::string_view> told;
  for (const Story& story : stories()) told.insert(story.rule);
  for (const Rule& rule : rules()) {
    if (rule.scope == Scope::kSession) {
      EXPECT_TRUE(told.contains(rule.name)) << rule.name;
    }
  }
}

TEST(Rules, OfTheAgentFollowItsHealth) {
  const std::map<std::string_view, std::pair<AgentHealth, double>> ills = {
      {"AgentStorageFailing", {{.storage_failing = true}, 60}},
      {"AgentNotificationsFailing", {{.notifications_failing = true}, 300}},
      {"AgentNearLimit", {{.fullest = 0.91, .fullest_limit = "files"}, 60}}};
  for (const auto& [rule, ill] : ills) {
    SCOPED_TRACE(rule);
    Watched w;
    w.look_at_agent(0, {.fullest = 0.9});
    EXPECT_EQ(w.state(rule), "");
    w.look_at_agent(1, ill.first);
    EXPECT_EQ(w.state(rule), "pending");
    w.look_at_agent(1 + ill.second, ill.first);
    EXPECT_EQ(w.state(rule), "firing");
    w.look_at_agent(2 + ill.second, {});
    w.look_at_agent(2 + ill.second + 60, {});
    EXPECT_EQ(w.state(rule), "");
  }
}

TEST(Rules, SayWhichLimitIsNear) {
  Watched w;
  w.look_at_agent(0, {.fullest = 0.95, .fullest_limit = "files"});
  EXPECT_EQ(w.find("AgentNearLimit")->message,
            "95.0 % of a limit is used, more than 90.0 %. (files)");
}

TEST(Rules, RecommendARateThatTheQuotaLastsFor) {
  Watched w;
  quota(w, 100, 50, 100);  // 5/s for the last ten seconds; 50 left for 100 s
  w.session.concurrency = 20;
  w.look(0);
  const auto alert = w.find("QuotaExhaustionAhead");
  ASSERT_TRUE(alert);
  EXPECT_DOUBLE_EQ(alert->value, 90);  // dry after 10 s
  EXPECT_EQ(alert->recommendation,
            "Use at most 0.50/s until the reset instead of 5.00/s, or work on 2 files at once "
            "instead of 20.");
  EXPECT_EQ(alert->message,
            "At the present burn a quota ends 90 s before it resets. (openai: 50 left, used at "
            "5.00/s, resets in 100 s)");
}

TEST(Rules, RecommendTheRateThatTheApiLetsThrough) {
  Watched w;
  w.session.metrics.rate_limited_share = 0.5;
  w.session.metrics.api_successes_per_second = 3.2;
  w.session.concurrency = 8;
  w.look(0);
  EXPECT_EQ(w.find("RateLimited")->recommendation,
            "Pace the calls to 3.20/s, all workers together, or work on 4 files at once instead of "
            "8; raise it again once there are no more refusals.");
}

TEST(Rules, TakeTheProviderThatRunsDryTheLongest) {
  Watched w;
  quota(w, 100, 50, 100);
  progress::ProviderTally other;
  other.provider = "voyage";
  other.quota.report({100, 100, moment(1000)}, moment(-10));
  other.quota.report({100, 90, moment(1000)}, moment(0));
  w.session.providers.push_back(other);
  w.look(0);
  EXPECT_NE(w.find("QuotaExhaustionAhead")->message.find("voyage"), std::string::npos);
}

TEST(Rules, AreComplete) {
  std::set<std::string_view> names;
  for (const Rule& rule : rules()) {
    SCOPED_TRACE(rule.name);
    EXPECT_TRUE(names.insert(rule.name).second);
    EXPECT_FALSE(rule.promql.empty());
    EXPECT_FALSE(rule.summary.empty());
    EXPECT_TRUE(rule.description.ends_with('.'));
    EXPECT_TRUE(rule.recommendation.ends_with('.'));
    EXPECT_GT(rule.to_base, 0);
  }
  EXPECT_EQ(names.size(), 17U);
}

}  // namespace
}  // namespace agent::alert
