#include "agent/log/log.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace agent::log {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Instant kAt{seconds(1'767'603'600) + milliseconds(7)};

TEST(Line, InLogfmtQuotesWhatNeedsIt) {
  EXPECT_EQ(
      line(Format::kLogfmt, kAt, Level::kInfo, "listening",
           {{"address", ":19900"}, {"why", "a b"}, {"empty", ""}, {"files", 12}, {"on", true}}),
      "ts=2026-01-05T09:00:00.007Z level=info msg=listening address=:19900 why=\"a b\" "
      "empty=\"\" files=12 on=true");
}

TEST(Line, InJsonIsOneObject) {
  EXPECT_EQ(
      line(Format::kJson, kAt, Level::kError, "cannot bind",
           {{"address", ":19900"}, {"ratio", 0.5}, {"took_seconds", Duration(milliseconds(20))}}),
      R"({"ts":"2026-01-05T09:00:00.007Z","level":"error","msg":"cannot bind",)"
      R"("address":":19900","ratio":0.5,"took_seconds":0.02})");
}

TEST(Line, LetsNoValueForgeAnother) {
  const std::string_view forged = "x\nlevel=error msg=\"pwned\" \x1b[31m \xC2\x9B";
  EXPECT_EQ(line(Format::kLogfmt, kAt, Level::kWarn, "m", {{"id", forged}}),
            R"(ts=2026-01-05T09:00:00.007Z level=warn msg=m id="x\nlevel=error msg=\"pwned\" )"
            R"(\u001b[31m \u009b")");
  EXPECT_EQ(line(Format::kJson, kAt, Level::kWarn, "m", {{"id", forged}}),
            R"({"ts":"2026-01-05T09:00:00.007Z","level":"warn","msg":"m",)"
            R"("id":"x\nlevel=error msg=\"pwned\" \u001b[31m \u009b"})");
}

TEST(Line, ReplacesBytesThatAreNoUtf8) {
  EXPECT_EQ(line(Format::kJson, kAt, Level::kInfo, "\xFF\xC3", {}),
            R"({"ts":"2026-01-05T09:00:00.007Z","level":"info","msg":"��"})");
}

TEST(Line, WritesWhatJsonHasNoNumberForAsText) {
  EXPECT_NE(line(Format::kJson, kAt, Level::kInfo, "m", {{"x", 1.0 / 0.0}}).find(R"("x":"+Inf")"),
            std::string::npos);
}

TEST(Line, SaysHowManyWereLeftOut) {
  EXPECT_TRUE(line(Format::kLogfmt, kAt, Level::kWarn, "m", {}, 3).ends_with("msg=m left_out=3"));
}

TEST(Levels, DecideWhatIsWritten) {
  configure(Level::kWarn, Format::kLogfmt);
  EXPECT_FALSE(enabled(Level::kInfo));
  EXPECT_TRUE(enabled(Level::kWarn));
  testing::internal::CaptureStderr();
  info("not this");
  warn("this", {{"a", 1}});
  configure(Level::kInfo, Format::kJson);
  info("and this");
  const std::string written = testing::internal::GetCapturedStderr();
  configure(Level::kInfo, Format::kLogfmt);
  EXPECT_EQ(written.find("not this"), std::string::npos);
  EXPECT_NE(written.find("level=warn msg=this a=1\n"), std::string::npos);
  EXPECT_NE(written.find("\"msg\":\"and this\"}\n"), std::string::npos);
}

TEST(Throttle, LetsOneThroughPerInterval) {
  Throttle throttle(seconds(10));
  const SteadyInstant start{};
  EXPECT_TRUE(throttle.admit(start).passes);
  EXPECT_FALSE(throttle.admit(start + seconds(1)).passes);
  EXPECT_FALSE(throttle.admit(start + seconds(9)).passes);
  const Throttle::Verdict later = throttle.admit(start + seconds(10));
  EXPECT_TRUE(later.passes);
  EXPECT_EQ(later.left_out, 2);
  EXPECT_EQ(throttle.admit(start + seconds(20)).left_out, 0);
}

TEST(Throttle, IsSafeFromManyThreads) {
  Throttle throttle(seconds(10));
  std::atomic<int> passed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 1000; ++n) passed += throttle.admit(SteadyInstant{}).passes ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(passed, 1);
  EXPECT_EQ(throttle.admit(SteadyInstant{seconds(10)}).left_out, 3999);
}

}  // namespace
}  // namespace agent::log
