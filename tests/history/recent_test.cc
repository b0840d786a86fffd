#include "agent/history/recent.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "agent/history/timeline.h"
#include "tests/fakes/manual_clock.h"

namespace agent::history {
namespace {

using fakes::moment;
using fakes::now_at;

Moment at(double seconds, double remaining = 0) {
  Moment m{.timestamp = moment(seconds)};
  if (remaining > 0) m.remaining = std::optional(remaining);
  return m;
}

TEST(Timeline, KeepsMomentsEvenlySpreadHoweverLongItRuns) {
  Timeline timeline;
  for (int second = 0; second <= 100'000; ++second) timeline.add(at(second), false);
  const auto& moments = timeline.moments();
  ASSERT_GE(moments.size(), Timeline::kMost / 2);
  ASSERT_LE(moments.size(), Timeline::kMost);
  EXPECT_EQ(moments.front().timestamp, moment(0));
  const Duration spacing = moments[1].timestamp - moments[0].timestamp;
  for (std::size_t i = 1; i < moments.size(); ++i) {
    EXPECT_EQ(moments[i].timestamp - moments[i - 1].timestamp, spacing);
  }
  EXPECT_LE(moment(100'000) - moments.back().timestamp, spacing);
}

TEST(Timeline, TheLastMomentIsAlwaysThere) {
  Timeline timeline;
  timeline.add(at(0), false);
  timeline.add(at(1), false);  // too soon
  EXPECT_EQ(timeline.moments().size(), 1U);
  timeline.add(at(2), true);
  EXPECT_EQ(timeline.moments().back().timestamp, moment(2));
  timeline.add(at(2), true);  // told twice
  EXPECT_EQ(timeline.moments().size(), 2U);
}

TEST(EtaError, IsHowFarTheForecastsWereOff) {
  const std::vector<Moment> moments = {at(0, 100), at(50, 40), at(75, 50)};
  EXPECT_NEAR(*eta_error(moments, moment(0), moment(100)), (0 + 0.1 + 0.25) / 3, 1e-6);
  EXPECT_FALSE(eta_error({at(0)}, moment(0), moment(100)));
}

// A view of one session of a family.
class RecentPast : public ::testing::Test {
 protected:
  void look(double seconds, progress::SessionState state, std::string family = "import") {
    auto identity = std::make_shared<progress::SessionIdentity>();
    identity->id = "nightly";
    identity->family = std::move(family);
    identity->attempt = attempt_;
    progress::SessionSnapshot s;
    s.identity = identity;
    s.serial = 1;
    s.state = state;
    s.metrics.start_time = moment(started_);
    s.metrics.current_time = moment(seconds);
    if (is_ended(state)) s.end_time = moment(seconds);
    recent_.look({now_at(seconds), {std::make_shared<const progress::SessionSnapshot>(s)}});
  }
  std::size_t minutes() { return recent_.minutes(1, attempt_, Instant{}, 1000)->size(); }
  std::size_t runs(const std::string& family = "import") {
    return recent_.runs(family, 1000)->size();
  }

  Recent recent_;
  std::int64_t attempt_ = 1;
  double started_ = 0;
};

using progress::SessionState;

TEST_F(RecentPast, FollowsAttemptsAndForgetsWhoLeft) {
  look(0, SessionState::kWorking);
  look(10, SessionState::kWorking);
  look(20, SessionState::kCompleted);
  look(30, SessionState::kCompleted);  // recorded once
  EXPECT_EQ(minutes(), 3U);
  EXPECT_EQ(recent_.minutes(1, 1, moment(10), 1)->front().minute, moment(10));
  EXPECT_EQ(runs(), 1U);
  attempt_ = 2;
  look(40, SessionState::kWorking);
  EXPECT_EQ(minutes(), 1U);
  EXPECT_TRUE(recent_.minutes(1, 1, Instant{}, 9)->empty());
  recent_.look({now_at(50), {}});
  EXPECT_EQ(minutes(), 0U);
  EXPECT_EQ(runs(), 1U);
}

TEST_F(RecentPast, IsBounded) {
  for (std::size_t i = 0; i < Recent::kRunsEach + 10; ++i) {
    ++attempt_;
    started_ = static_cast<double>(10 * i);
    look(started_ + 1, SessionState::kCompleted);
  }
  EXPECT_EQ(runs(), Recent::kRunsEach);
  EXPECT_EQ(recent_.runs("import", 1)->front().start, moment(started_));  // the newest
  for (std::size_t i = 0; i < Recent::kFamilies; ++i) {
    ++attempt_;
    look(started_ + 1, SessionState::kCompleted, "f" + std::to_string(i));
  }
  EXPECT_EQ(runs(), 0U);  // added to least recently
  EXPECT_EQ(recent_.families("", 1000)->size(), Recent::kFamilies);
  EXPECT_EQ(recent_.families("f1", 2)->front().family, "f10");
}

}  // namespace
}  // namespace agent::history
