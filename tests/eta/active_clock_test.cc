#include "agent/eta/active_clock.h"

#include <gtest/gtest.h>

#include "tests/eta/simulated_job.h"

namespace agent::eta {
namespace {

TEST(ActiveClock, StandsStillWhilePaused) {
  ActiveClock clock(job_start());
  clock.pause(after(10));
  EXPECT_DOUBLE_EQ(clock.at(after(25)), 10);
  clock.pause(after(12));  // changes nothing
  clock.resume(after(30));
  clock.resume(after(31));  // nor does this
  EXPECT_DOUBLE_EQ(clock.at(after(40)), 20);
  EXPECT_DOUBLE_EQ(clock.at(after(5)), 5);    // before it
  EXPECT_DOUBLE_EQ(clock.at(after(20)), 10);  // in it
}

TEST(ActiveClock, StandsStillForAnAnnouncedWaitUntilItIsOverOrWorkGoesOn) {
  ActiveClock clock(job_start());
  clock.wait(after(10), after(40));
  EXPECT_TRUE(clock.standing(after(20)));
  EXPECT_DOUBLE_EQ(clock.wait_left(after(20)), 20);
  EXPECT_DOUBLE_EQ(clock.at(after(20)), 10);
  EXPECT_DOUBLE_EQ(clock.at(after(50)), 20);  // over by itself
  clock.wait(after(60), after(100));
  clock.went_on(after(65));
  EXPECT_DOUBLE_EQ(clock.at(after(70)), 35);
  EXPECT_FALSE(clock.standing(after(70)));
  EXPECT_DOUBLE_EQ(clock.waited(after(70)), 35);
}

TEST(ActiveClock, APauseDuringAWaitStopsItOnce) {
  ActiveClock clock(job_start());
  clock.wait(after(10), after(40));
  clock.pause(after(20));
  clock.resume(after(30));
  EXPECT_DOUBLE_EQ(clock.at(after(35)), 10);
  EXPECT_DOUBLE_EQ(clock.at(after(50)), 20);
}

TEST(ActiveClock, NeverRunsBackwards) {
  ActiveClock clock(job_start());
  double before = 0;
  for (int i = 1; i < 1000; ++i) {
    switch (i % 7) {
      case 1:
        clock.pause(after(i));
        break;
      case 3:
        clock.resume(after(i));
        break;
      case 5:
        clock.wait(after(i), after(i + i % 11));
        break;
      case 6:
        clock.went_on(after(i));
        break;
      default:
        break;
    }
    const double now = clock.at(after(i));
    EXPECT_GE(now, before - 1e-9) << i;
    EXPECT_LE(now, i);
    before = now;
  }
}

}  // namespace
}  // namespace agent::eta
