// The state machine, in virtual time.
#include "agent/alert/watch.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "tests/alert/watched.h"

namespace agent::alert {
namespace {

using fakes::moment;
using fakes::now_at;
using progress::SessionState;

constexpr std::string_view kErrors = "HighErrorRate";  // for 1 minute, kept for nothing
constexpr std::string_view kLimited = "RateLimited";   // for 2 minutes, kept for 1

TEST(Watch, ForgetsABreachThatWasTooShort) {
  Watched w;
  w.finish(10, 10);
  w.look_until(59);
  w.finish(100, 0);
  const auto changed = w.look(60);
  ASSERT_EQ(changed.size(), 1U);
  EXPECT_EQ(changed[0].state, State::kResolved);
  EXPECT_FALSE(changed[0].starts_at) << "never fired";
  EXPECT_FALSE(w.last_resolved());
  EXPECT_TRUE(w.watch.standing()->fired.empty());
  w.finish(10, 10);
  w.look_until(119);
  EXPECT_EQ(w.state(kErrors), "pending") << "the hold begins anew";
}

TEST(Watch, TellsEachChangeOnce) {
  Watched w;
  w.finish(10, 10);
  std::vector<std::string> told;
  for (int t = 1; t <= 200; ++t) {
    if (t == 100) w.finish(100, 0);
    for (const Alert& alert : w.look(t)) told.emplace_back(name_of(alert.state));
  }
  EXPECT_EQ(told, (std::vector<std::string>{"pending", "firing", "resolved"}));
}

TEST(Watch, KeepsAnAlertThatFlickers) {
  Watched w;
  for (int t = 1; t <= 400; ++t) {
    const bool breached = t <= 130 || t % 50 == 0;
    w.session.metrics.rate_limited_share = breached ? 0.5 : 0.1;
    w.look(t);
    if (t >= 121) {
      EXPECT_EQ(w.state(kLimited), "firing") << t;
    }
  }
  EXPECT_EQ(w.watch.standing()->fired[0].times, 1U);
}

TEST(Watch, KeepsThroughSilenceOfTheMetricToo) {
  Watched w;
  w.session.metrics.rate_limited_share = 0.5;
  w.look_until(121);
  w.session.metrics.rate_limited_share.reset();
  w.look_until(180);
  EXPECT_EQ(w.state(kLimited), "firing");
  w.look_until(182);
  EXPECT_EQ(w.state(kLimited), "");
}

TEST(Watch, HasOneAlertForEachRule) {
  Watched w;
  w.finish(10, 10);
  w.look_until(300);
  EXPECT_EQ(w.watch.standing()->current.size(), 1U);
  EXPECT_EQ(w.watch.standing()->fired.size(), 1U);
  EXPECT_EQ(w.watch.standing()->fired[0].times, 1U);
}

TEST(Watch, GivesANewBreachANewId) {
  Watched w;
  w.finish(10, 10);
  w.look_until(61);
  const std::string first = w.find(kErrors)->id;
  w.look_until(100);
  EXPECT_EQ(w.find(kErrors)->id, first);
  w.finish(100, 0);
  w.look(101);
  w.finish(10, 10);
  w.look(102);
  EXPECT_NE(w.find(kErrors)->id, first);
}

TEST(Watch, StaysQuietAfterADismissalUntilANewBreach) {
  Watched w;
  w.finish(10, 10);
  w.look_until(61);
  const auto dismissed = w.watch.dismiss(w.find(kErrors)->id);
  ASSERT_TRUE(dismissed);
  EXPECT_TRUE(dismissed->dismissed);
  w.look_until(200);
  EXPECT_FALSE(w.find(kErrors)->active());
  EXPECT_FALSE(w.find(kErrors)->firing());
  w.finish(100, 0);
  w.look(201);
  w.finish(10, 10);
  w.look_until(263);
  EXPECT_TRUE(w.find(kErrors)->firing());
  EXPECT_EQ(w.watch.standing()->fired[0].times, 2U);
}

TEST(Watch, DismissesWhatIsPendingBeforeItFires) {
  Watched w;
  w.finish(10, 10);
  w.look(1);
  ASSERT_TRUE(w.watch.dismiss(w.find(kErrors)->id));
  w.look_until(100);
  EXPECT_FALSE(w.find(kErrors)->firing());
}

TEST(Watch, KnowsOnlyActiveOnesToDismiss) {
  Watched w;
  EXPECT_FALSE(w.watch.dismiss("0123456789abcdef"));
  w.finish(10, 10);
  w.look_until(61);
  const std::string id = w.find(kErrors)->id;
  w.finish(100, 0);
  w.look(62);
  EXPECT_FALSE(w.watch.dismiss(id));
}

TEST(Watch, EndsWithASessionThatEndsWell) {
  Watched w;
  w.finish(90, 10);
  w.session.metrics.rate_limited_share = 0.9;
  w.policy.set(rule_of(kErrors), {.threshold = std::nullopt, .hold = Duration::zero()});
  w.identity.config.thresholds.high_error_rate = 0.05;
  w.look_until(121);
  ASSERT_EQ(w.state(kErrors), "firing");
  ASSERT_EQ(w.state(kLimited), "firing");
  w.finish(190, 10);  // 95 %: enough
  w.end(122, SessionState::kCompleted);
  const auto changed = w.look(122);
  ASSERT_EQ(changed.size(), 2U);
  for (const Alert& alert : changed) {
    EXPECT_EQ(alert.state, State::kResolved);
    EXPECT_EQ(alert.reason, Reason::kEnded);
  }
}

TEST(Watch, KeepsWhatABadEndDoesNotMend) {
  Watched w;
  w.finish(10, 10);
  w.session.metrics.rate_limited_share = 0.9;
  w.look_until(121);
  w.end(122, SessionState::kFailed);
  w.look(122);
  EXPECT_EQ(w.state(kErrors), "firing");
  EXPECT_EQ(w.state("SuccessRateBelowTarget"), "firing");
  EXPECT_EQ(w.state(kLimited), "") << "nobody waits any more";
}

TEST(Watch, EndsWhatALaterRunSupersedes) {
  Watched w;
  w.finish(10, 10);
  w.end(0, SessionState::kFailed);
  w.look_until(61);
  EXPECT_EQ(w.state(kErrors), "firing");
  w.superseded = true;
  const auto changed = w.look(62);
  ASSERT_EQ(changed.size(), 2U);
  EXPECT_EQ(changed[0].reason, Reason::kSuperseded);
  EXPECT_TRUE(w.watch.idle());
}

TEST(Watch, EndsWithAStaleSession) {
  Watched w;
  w.finish(10, 10);
  w.look_until(61);
  w.end(62, SessionState::kStale);
  const auto changed = w.look(62);
  ASSERT_EQ(changed.size(), 1U);
  EXPECT_EQ(changed[0].reason, Reason::kStale);
  EXPECT_TRUE(w.watch.idle());
}

TEST(Watch, EndsWithTracking) {
  Watched w;
  w.finish(10, 10);
  w.look_until(61);
  w.session.is_tracking = false;
  EXPECT_EQ(w.look(62).at(0).reason, Reason::kGone);
}

TEST(Watch, EndsWhatIsSwitchedOff) {
  Watched w;
  w.finish(10, 10);
  w.look_until(61);
  w.policy.set(rule_of(kErrors), {.enabled = false});
  EXPECT_EQ(w.look(62).at(0).reason, Reason::kSwitchedOff);
  EXPECT_FALSE(w.watch.standing()->findings[rule_of(kErrors)].threshold);
}

TEST(Watch, ObeysTheOperator) {
  Watched w;
  w.policy.set(
      rule_of(kLimited),
      {.threshold = 0.4, .hold = std::chrono::seconds(10), .severity = Severity::kCritical});
  w.session.metrics.rate_limited_share = 0.4;
  w.look_until(30);
  EXPECT_EQ(w.state(kLimited), "");
  w.session.metrics.rate_limited_share = 0.41;
  w.look_until(41);
  EXPECT_EQ(w.state(kLimited), "firing");
  EXPECT_EQ(w.find(kLimited)->severity, Severity::kCritical);
  EXPECT_EQ(w.find(kLimited)->threshold, 0.4);
}

TEST(Watch, PrefersTheSessionsOwnThreshold) {
  Watched w;
  w.policy.set(rule_of(kErrors), {.threshold = 0.9});
  w.identity.config.thresholds.high_error_rate = 0.3;
  w.finish(13, 7);
  w.look(1);
  EXPECT_EQ(w.find(kErrors)->threshold, 0.3);
}

TEST(Watch, TellsWhenTheSeverityChanges) {
  Watched w;
  w.finish(10, 10);
  w.look_until(61);
  w.policy.set(rule_of(kErrors), {.severity = Severity::kInfo});
  const auto changed = w.look(62);
  ASSERT_EQ(changed.size(), 1U);
  EXPECT_EQ(changed[0].state, State::kFiring);
  EXPECT_EQ(changed[0].severity, Severity::kInfo);
  EXPECT_EQ(*changed[0].starts_at, moment(61));
}

TEST(Watch, CarriesTheConfiguredLabelsOnly) {
  Watched w;
  w.policy.carry({"team", "absent"});
  w.finish(10, 10);
  w.look(1);
  const Alert alert = *w.find(kErrors);
  EXPECT_EQ(alert.session, "nightly-1");
  EXPECT_EQ(alert.family, "nightly");
  ASSERT_EQ(alert.labels.size(), 1U);
  EXPECT_EQ(alert.labels[0], (std::pair<std::string, std::string>("team", "search")));
}

TEST(Watch, SaysWhatItSawOfEveryRule) {
  Watched w;
  w.finish(95, 5);
  w.look(1);
  const auto standing = w.watch.standing();
  const Finding& finding = standing->findings.at(rule_of(kErrors));
  EXPECT_DOUBLE_EQ(*finding.value, 0.05);
  EXPECT_DOUBLE_EQ(*finding.threshold, 0.1);
  EXPECT_FALSE(standing->findings.at(rule_of("SlowProcessing")).threshold) << "off";
  EXPECT_FALSE(standing->findings.at(rule_of("AgentNearLimit")).threshold) << "not of sessions";
}

TEST(Watch, KeepsABoundedNumberOfResolvedOnes) {
  Watched w;
  w.policy.set(rule_of(kErrors), {.hold = Duration::zero()});
  for (int t = 1; t < 100; ++t) {
    w.finish(10, t % 2 == 0 ? 10 : 0);
    w.look(t);
  }
  EXPECT_EQ(w.watch.standing()->resolved.size(), Watch::kResolvedKept);
  EXPECT_EQ(*w.last_resolved()->ends_at, moment(99));
}

// What was saved at `at` seconds, in an agent that starts at `restart`.
Watch restored(const Watch& watch, double at, double restart) {
  progress::Packer packer;
  packer.clear(now_at(at));
  watch.save(packer);
  progress::Unpacker unpacker(packer.bytes(), now_at(restart));
  Watch fresh;
  EXPECT_TRUE(fresh.load(unpacker));
  EXPECT_TRUE(unpacker.empty());
  return fresh;
}

TEST(Watch, GoesOnAfterARestartWithTheSameStart) {
  Watched w;
  w.finish(10, 10);
  w.look_until(100);
  const Alert before = *w.find(kErrors);
  w.watch = restored(w.watch, 100, 130);
  const auto changed = w.look(131);
  EXPECT_TRUE(changed.empty()) << "nothing new about it";
  const Alert after = *w.find(kErrors);
  EXPECT_EQ(after.id, before.id);
  EXPECT_EQ(after.starts_at, before.starts_at);
  EXPECT_EQ(after.breached_at, before.breached_at);
  EXPECT_EQ(w.watch.standing()->fired.at(0).times, 1U);
}

TEST(Watch, CountsTheHoldOnThroughARestart) {
  Watched w;
  w.finish(10, 10);
  w.look_until(40);
  w.watch = restored(w.watch, 40, 50);
  w.look(60);
  EXPECT_EQ(w.state(kErrors), "pending");
  w.look(61);
  EXPECT_EQ(w.state(kErrors), "firing");
}

TEST(Watch, ResolvesAfterARestartWhatIsOver) {
  Watched w;
  w.finish(10, 10);
  w.look_until(100);
  w.watch = restored(w.watch, 100, 130);
  w.finish(100, 0);
  const auto changed = w.look(131);
  ASSERT_EQ(changed.size(), 1U);
  EXPECT_EQ(changed[0].state, State::kResolved);
  EXPECT_EQ(*changed[0].starts_at, moment(61));
}

TEST(Watch, RemembersDismissalsThroughARestart) {
  Watched w;
  w.finish(10, 10);
  w.look_until(100);
  ASSERT_TRUE(w.watch.dismiss(w.find(kErrors)->id));
  w.watch = restored(w.watch, 100, 130);
  w.look(131);
  EXPECT_FALSE(w.find(kErrors)->firing());
}

TEST(Watch, RefusesWhatIsDamaged) {
  Watched w;
  w.finish(10, 10);
  w.look_until(100);
  progress::Packer packer;
  packer.clear(now_at(100));
  w.watch.save(packer);
  for (std::size_t size = 0; size < packer.bytes().size(); ++size) {
    progress::Unpacker unpacker(packer.bytes().substr(0, size), now_at(100));
    Watch fresh;
    EXPECT_FALSE(fresh.load(unpacker)) << size;
  }
}

TEST(Watch, SaysWhoseThresholdItIs) {
  Watched w;
  w.identity.config.thresholds.high_error_rate = 0.3;
  w.look(1);
  const auto findings = w.watch.standing()->findings;
  EXPECT_EQ(findings[rule_of("HighErrorRate")].threshold, 0.3);
  EXPECT_TRUE(findings[rule_of("HighErrorRate")].is_own);
  EXPECT_FALSE(findings[rule_of("QualityDegradation")].is_own);
  EXPECT_FALSE(findings[rule_of("CostOverBudget")].threshold);
  w.session.cost_budget = 5;
  w.look(2);
  EXPECT_TRUE(w.watch.standing()->findings[rule_of("CostOverBudget")].is_own);
}

TEST(Watch, OfTheAgentSaysWhatHoldsForSessions) {
  Watched w;
  w.policy.fall_back("HighErrorRate", 0.2);
  w.policy.set(rule_of("RateLimited"), {.enabled = false});
  w.look_at_agent(1, {});
  const auto findings = w.watch.standing()->findings;
  EXPECT_EQ(findings[rule_of("HighErrorRate")].threshold, 0.2);
  EXPECT_EQ(findings[rule_of("AgentNearLimit")].threshold, 0.9);
  EXPECT_FALSE(findings[rule_of("RateLimited")].threshold);
  EXPECT_FALSE(findings[rule_of("LowThroughput")].threshold);
}

// Whatever happens: who fires was pending for its `for`; who resolves had fired or been pending;
// ids are of one breach; the standing agrees with what was told.
TEST(Watch, KeepsItsPromisesWhateverHappens) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    std::mt19937 random(seed);
    Watched w;
    std::map<std::string, Alert> open;  // by id
    std::map<std::string, double> began;
    double t = 0;
    for (int step = 0; step < 400; ++step) {
      t += 1 + static_cast<double>(random() % 40) / 10;
      if (random() % 4 == 0) w.finish(20, static_cast<std::int64_t>(random() % 5));
      if (random() % 4 == 0)
        w.session.metrics.rate_limited_share = static_cast<double>(random() % 10) / 20;
      if (random() % 8 == 0) w.session.eta_deviation_percent = static_cast<double>(random() % 90);
      if (random() % 100 == 0) w.superseded = !w.superseded;
      if (random() % 60 == 0) {
        const bool ends = !w.session.end_time;
        w.end(t, static_cast<SessionState>(random() % 3));
        if (!ends) {
          w.session.end_time.reset();
          w.session.state = SessionState::kWorking;
        }
      }
      for (const Alert& alert : w.look(t)) {
        const Rule& rule = rules()[alert.rule];
        switch (alert.state) {
          case State::kPending:
            EXPECT_FALSE(open.contains(alert.id));
            open[alert.id] = alert;
            began[alert.id] = t;
            break;
          case State::kFiring:
            began.try_emplace(alert.id, t);
            EXPECT_GE(fakes::span(t - began[alert.id]), rule.hold) << rule.name;
            EXPECT_EQ(*alert.starts_at, moment(t));
            open[alert.id] = alert;
            break;
          case State::kResolved:
            EXPECT_EQ(open.erase(alert.id), 1U);
            EXPECT_EQ(*alert.ends_at, moment(t));
            break;
        }
      }
      const auto standing = w.watch.standing();
      EXPECT_EQ(standing->current.size(), open.size());
      for (const Alert& alert : standing->current) {
        EXPECT_EQ(open.at(alert.id).state, alert.state);
      }
    }
  }
}

}  // namespace
}  // namespace agent::alert
