// Alerts as the tracker follows them: for all sessions, each second, and at once when one ends.
#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <string>

#include "agent/alert/alert.h"
#include "tests/fakes/one_tracker.h"

namespace agent::tracker {
namespace {

using alert::Alert;
using fakes::now_at;
using fakes::OneTracker;
using progress::FileStatus;

class AlertsTest : public ::testing::Test {
 protected:
  // A run of a family whose files fail in that share, in percent.
  void run(double at, std::string_view session, int failed, std::string_view family = "nightly",
           progress::Mode mode = progress::Mode::kComprehensive) {
    progress::SessionStarted started;
    started.facts.family = family;
    started.facts.mode = mode;
    (void)tracker_.send(at, session, started);
    for (int i = 0; i < 100; ++i)
      (void)tracker_.file(at, session, "f" + std::to_string(i),
                          i < failed ? FileStatus::kFailed : FileStatus::kCompleted);
  }
  void tick_until(double from, double to) {
    for (double t = from; t <= to; ++t) tracker_.tick(t);
  }
  // Silence and haste, of which there is much here, have alerts of their own.
  static bool is_meant(const Alert& alert) {
    return alert.name() == "HighErrorRate" || alert.name() == "SuccessRateBelowTarget";
  }
  // "name state" of the session's current alerts.
  std::string alerts(double at, std::string_view session) {
    const auto snapshot = tracker_.session(at, session);
    if (!snapshot) return "gone";
    if (!snapshot->alerts) return "off";
    std::string text;
    for (const Alert& alert : snapshot->alerts->current) {
      if (!is_meant(alert)) continue;
      text += (text.empty() ? "" : ", ") + std::string(alert.name()) + " " +
              std::string(name_of(alert.state));
    }
    return text;
  }
  bool is_active(double at, std::string_view session, std::string_view name) {
    const auto standing = tracker_.session(at, session)->alerts;
    if (!standing) return false;
    const auto& current = standing->current;
    return std::ranges::any_of(current, [&](const Alert& a) { return a.name() == name; });
  }
  static double cpu_seconds() {
    timespec t{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
  }
  std::string changes() {
    std::string text;
    for (const Alert& alert : tracker_.tracker().take_alert_changes()) {
      if (!is_meant(alert)) continue;
      text += (text.empty() ? "" : ", ") + std::string(alert.name()) + " " +
              std::string(name_of(alert.state)) + ": " + std::string(name_of(alert.reason));
    }
    return text;
  }

  static Settings without_haste() {
    Settings settings;
    settings.alerts.set(*alert::find_rule("EtaDeviation"), {.enabled = false});
    return settings;
  }

  OneTracker tracker_{without_haste()};
};

TEST_F(AlertsTest, FollowTheTick) {
  run(0, "a", 20);
  tracker_.tick(1);
  EXPECT_EQ(alerts(1, "a"), "HighErrorRate pending");
  tick_until(2, 61);
  EXPECT_EQ(alerts(61, "a"), "HighErrorRate firing");
  EXPECT_EQ(changes(), "HighErrorRate pending: breached, HighErrorRate firing: held");
  EXPECT_EQ(changes(), "");
}

TEST_F(AlertsTest, LookAtOnceWhenASessionEnds) {
  run(0, "a", 6);
  (void)tracker_.end(1, "a");
  EXPECT_EQ(alerts(1, "a"), "SuccessRateBelowTarget firing");
}

TEST_F(AlertsTest, OfAFailedRunEndWhenALaterOneBegins) {
  run(0, "a", 20);
  (void)tracker_.end(1, "a");
  tracker_.tick(2);
  ASSERT_EQ(alerts(2, "a"), "SuccessRateBelowTarget firing");
  run(10, "b", 0);
  tracker_.tick(10);
  EXPECT_EQ(alerts(10, "a"), "");
  (void)tracker_.end(11, "b");
  tracker_.tick(12);
  EXPECT_EQ(alerts(12, "b"), "") << "none is left";
}

TEST_F(AlertsTest, OfAFailedRunStayAwayWhenTheLaterOneIsGone) {
  run(0, "a", 20);
  (void)tracker_.end(1, "a");
  run(10, "b", 0);
  (void)tracker_.end(11, "b");
  tracker_.tick(12);
  tracker_.tracker().stop("b", now_at(13));
  tracker_.scrape(13);
  tick_until(14, 16);
  ASSERT_FALSE(tracker_.has(16, "b"));
  (void)tracker_.file(17, "a", "late", FileStatus::kCompleted);
  tracker_.tick(18);
  EXPECT_EQ(alerts(18, "a"), "");
  (void)tracker_.start(20, "a");
  run(20, "a", 20);
  (void)tracker_.end(21, "a");
  EXPECT_EQ(alerts(21, "a"), "SuccessRateBelowTarget firing") << "of the next attempt";
}

TEST_F(AlertsTest, OfAFailedRunStayWhileAnotherRanBesideIt) {
  run(0, "a", 20);
  run(1, "b", 0);
  (void)tracker_.end(5, "a");
  tracker_.tick(6);
  EXPECT_EQ(alerts(6, "a"), "SuccessRateBelowTarget firing")
      << "the other had begun before this one failed";
}

TEST_F(AlertsTest, OfAnotherFamilySupersedeNothing) {
  run(0, "a", 20);
  (void)tracker_.end(1, "a");
  run(10, "b", 0, "weekly");
  tracker_.tick(11);
  EXPECT_EQ(alerts(11, "a"), "SuccessRateBelowTarget firing");
}

TEST_F(AlertsTest, EndWithANewAttempt) {
  run(0, "a", 20);
  (void)tracker_.end(1, "a");
  (void)tracker_.start(10, "a");
  tracker_.tick(11);
  EXPECT_EQ(alerts(11, "a"), "");
}

TEST_F(AlertsTest, EndWhenTrackingIsStopped) {
  run(0, "a", 20);
  tick_until(1, 61);
  (void)changes();
  tracker_.tracker().stop("a", now_at(62));
  EXPECT_EQ(changes(), "HighErrorRate resolved: gone");
}

TEST_F(AlertsTest, EndWhenTheSessionIsRemoved) {
  run(0, "a", 20);
  tick_until(1, 61);
  (void)changes();
  EXPECT_EQ(tracker_.tracker().clean_up(Duration::zero(), now_at(62)), 1U);
  EXPECT_EQ(changes(), "HighErrorRate resolved: gone");
}

TEST_F(AlertsTest, EndWithAStaleSession) {
  run(0, "a", 20);
  tick_until(1, 61);
  tracker_.tick(3601);
  tracker_.tick(3602);
  EXPECT_EQ(alerts(3602, "a"), "");
  EXPECT_EQ(name_of(tracker_.session(3602, "a")->state), "stale");
}

TEST_F(AlertsTest, AreOffBelowModeEnhanced) {
  run(0, "a", 20, "nightly", progress::Mode::kBasic);
  run(0, "b", 20, "nightly", progress::Mode::kEnhanced);
  tracker_.tick(1);
  EXPECT_EQ(alerts(1, "a"), "off");
  EXPECT_EQ(alerts(1, "b"), "HighErrorRate pending");
}

TEST_F(AlertsTest, EndWhenTheSessionSwitchesThemOff) {
  run(0, "a", 20);
  tick_until(1, 61);
  (void)changes();
  progress::SessionUpdated update;
  update.facts.config.performance_alerts = false;
  (void)tracker_.send(62, "a", update);
  tracker_.tick(63);
  EXPECT_EQ(alerts(63, "a"), "off");
  EXPECT_EQ(changes(), "HighErrorRate resolved: switched off");
}

TEST_F(AlertsTest, AreDismissedByTheirId) {
  run(0, "a", 20);
  tick_until(1, 61);
  const std::string id = tracker_.session(61, "a")->alerts->current.at(0).id;
  EXPECT_FALSE(tracker_.tracker().dismiss("no such id"));
  const auto dismissed = tracker_.tracker().dismiss(id);
  ASSERT_TRUE(dismissed);
  EXPECT_TRUE(tracker_.session(61, "a")->alerts->current.at(0).dismissed) << "seen at once";
}

TEST_F(AlertsTest, SeeAtOnceThatASilentSessionStalls) {
  (void)tracker_.file(0, "a", "e", FileStatus::kProcessing);
  (void)tracker_.file(0, "a", "e", FileStatus::kCompleted);
  (void)tracker_.file(0, "a", "f", FileStatus::kProcessing);
  tick_until(1, 60);
  EXPECT_FALSE(is_active(60, "a", "SessionStalled"));
  tick_until(61, 61);
  EXPECT_TRUE(is_active(61, "a", "SessionStalled"));
  tick_until(62, 300);
  (void)tracker_.file(300, "a", "f", FileStatus::kProcessing);
  tracker_.tick(301);
  EXPECT_FALSE(is_active(301, "a", "SessionStalled")) << "looked at with the next event";
}

TEST_F(AlertsTest, CostLittleWhileNothingHappens) {
  const auto all = [this](double at) {
    for (int i = 0; i < 300; ++i)
      (void)tracker_.file(at, "s" + std::to_string(i), "f", FileStatus::kProcessing);
  };
  const auto cost = [&](double from, bool busy) {
    double used = 0;
    for (double t = from; t < from + 30; ++t) {
      if (busy) all(t);
      const double before = cpu_seconds();
      tracker_.tick(t);
      used += cpu_seconds() - before;
    }
    return used;
  };
  all(0);
  const double busy = cost(1, true);
  tracker_.tick(600);  // makes up for the forecasts that were due meanwhile
  const double idle = cost(601, false);
  EXPECT_LT(idle, busy / 3);
}

TEST_F(AlertsTest, AreFollowedAFewAtATime) {
  constexpr int kSessions = 1'000;
  const auto name = [](int i) { return "s" + std::to_string(i); };
  const auto stalls = [&](int i) { return is_active(61, name(i), "SessionStalled"); };
  for (int i = 0; i < kSessions; ++i) {
    for (const auto status : {FileStatus::kProcessing, FileStatus::kCompleted})
      (void)tracker_.file(0, name(i), "done", status);
    (void)tracker_.file(0, name(i), "hangs", FileStatus::kProcessing);
  }
  Tracker& t = tracker_.tracker();
  t.tick(now_at(61));
  ASSERT_TRUE(t.look_on(now_at(61)));
  EXPECT_TRUE(stalls(0));
  EXPECT_FALSE(stalls(kSessions / 2)) << "others have their turn first";
  // What comes in between is no obstacle.
  for (int i = 0; i < kSessions; i += 2) t.stop(name(i), now_at(61));
  tracker_.scrape(61);
  t.tick(now_at(62));
  while (t.look_on(now_at(62))) {
  }
  for (int i = 1; i < kSessions; i += 2) EXPECT_TRUE(stalls(i)) << i;
  EXPECT_FALSE(t.look_on(now_at(62))) << "the round is over";
}

TEST_F(AlertsTest, TakeNewDefaultsFromAReload) {
  run(0, "a", 20);
  tick_until(1, 61);
  Settings settings;
  settings.rules.thresholds.high_error_rate = 0.3;
  tracker_.tracker().configure(settings, now_at(62));
  tracker_.tick(62);
  EXPECT_EQ(alerts(62, "a"), "");
  EXPECT_EQ(tracker_.session(62, "a")->identity->config.thresholds.high_error_rate, 0.3);
  settings.rules.thresholds.high_error_rate = 0.1;
  settings.alerts.set(*alert::find_rule("HighErrorRate"), {.hold = Duration::zero()});
  tracker_.tracker().configure(settings, now_at(63));
  tracker_.tick(63);
  EXPECT_EQ(alerts(63, "a"), "HighErrorRate firing");
}

TEST_F(AlertsTest, KeepTheSessionsOwnThresholdThroughAReload) {
  progress::SessionStarted started;
  started.facts.config.thresholds.high_error_rate = 0.5;
  (void)tracker_.send(0, "a", started);
  tracker_.tracker().configure({}, now_at(1));
  EXPECT_EQ(tracker_.session(1, "a")->identity->config.thresholds.high_error_rate, 0.5);
}

TEST_F(AlertsTest, OfTheAgentAreInTheView) {
  alert::AgentHealth ill;
  ill.fullest = 0.99;
  tracker_.tracker().tick(now_at(0), ill);
  tracker_.tracker().tick(now_at(61), ill);
  const View view = tracker_.tracker().view(now_at(61));
  ASSERT_TRUE(view.own_alerts);
  ASSERT_EQ(view.own_alerts->current.size(), 1U);
  EXPECT_EQ(view.own_alerts->current[0].name(), "AgentNearLimit");
  EXPECT_EQ(view.own_alerts->current[0].session, "");
}

TEST_F(AlertsTest, OfTheAgentSeeStorageFail) {
  tracker_.tracker().storage_fails(true);
  tracker_.tick(0);
  tracker_.tick(61);
  EXPECT_EQ(tracker_.tracker().view(now_at(61)).own_alerts->current.at(0).name(),
            "AgentStorageFailing");
}

// A change of an alert is a change of what outputs show.
TEST_F(AlertsTest, RaiseTheGeneration) {
  run(0, "a", 20);
  tracker_.tick(1);
  const auto before = tracker_.tracker().generation();
  tracker_.tick(2);
  EXPECT_EQ(tracker_.tracker().generation(), before);
  tick_until(3, 61);
  EXPECT_GT(tracker_.tracker().generation(), before);
}

}  // namespace
}  // namespace agent::tracker
