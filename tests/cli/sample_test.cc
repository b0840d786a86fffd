#include "agent/cli/sample.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "agent/cli/player.h"
#include "agent/wire/parser.h"

namespace agent::cli {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

TEST(Sample, IsTheSameForTheSameSeed) {
  Sample a({10, 6, 7}), b({10, 6, 7}), other({10, 6, 8});
  const std::string first = a.until(seconds(20));
  EXPECT_EQ(first, b.until(seconds(20)));
  EXPECT_NE(first, other.until(seconds(20)));
}

TEST(Sample, DoesNotDependOnHowOftenItIsAsked) {
  Sample once({10, 6, 1}), often({10, 6, 1});
  std::string pieces;
  for (int i = 1; i <= 200; ++i) pieces += often.until(std::chrono::milliseconds(100) * i);
  EXPECT_EQ(once.until(seconds(20)), pieces);
}

TEST(Sample, RunsAtTheSpeedAskedFor) {
  Sample slow({1, 6, 1}), fast({10, 6, 1});
  // What stalls waits in real time, so compare before anything stalls.
  EXPECT_FALSE(slow.until(seconds(30)).empty());
  Sample same({1, 1, 1}), tenfold({10, 1, 1});
  EXPECT_EQ(same.until(seconds(100)), tenfold.until(seconds(10)));
}

// Plays the sample through the domain, with the time at which each piece was due.
class Played {
 public:
  Played(const SampleOptions& options, Duration length)
      : player_({}, wire::kDefaultMaxLineBytes, {}) {
    Sample sample(options);
    // A second of the jobs' time at once.
    const Duration step(static_cast<std::int64_t>(1e6 / options.speed));
    for (Duration at{}; at <= length; at += step) play(sample.until(at), at);
    view_ = player_.view();
  }
  [[nodiscard]] const View& view() const { return view_; }
  [[nodiscard]] std::vector<progress::SnapshotPtr> of(std::string_view family) const {
    std::vector<progress::SnapshotPtr> out;
    std::ranges::copy_if(view_.sessions, std::back_inserter(out),
                         [&](const auto& s) { return s->identity->family == family; });
    return out;
  }

 private:
  void play(const std::string& lines, Duration at) {
    std::istringstream stream(lines);
    for (std::string line; std::getline(stream, line);) {
      line.pop_back();
      line += fmt_time(at);
      line.reserve(line.size() + wire::kPadding);
      const auto played = player_.play({line, ++number_, false});
      ASSERT_TRUE(played) << line << ": " << played.error().message;
    }
  }
  static std::string fmt_time(Duration at) {
    return ",\"tsMs\":" + std::to_string(1'700'000'000'000 + at / std::chrono::milliseconds(1)) +
           "}";
  }

  Player player_;
  View view_;
  std::uint64_t number_ = 0;
};

TEST(Sample, TellsEveryStory) {
  const Played played({20, 6, 1}, minutes(6));
  using progress::FileStatus;
  const auto sum = [&](std::string_view family, auto value) {
    std::int64_t out = 0;
    for (const auto& session : played.of(family)) out += value(*session);
    return out;
  };
  for (const Story& story : stories()) {
    EXPECT_GE(played.of(story.family).size(), 2) << story.family << " is run again";
    EXPECT_GT(
        sum(story.family, [](const auto& s) { return s.metrics.count(FileStatus::kCompleted); }),
        0);
  }
  EXPECT_GT(sum("embeddings", [](const auto& s) { return s.metrics.rate_limit_hits; }), 3);
  EXPECT_GT(sum("legacy-import", [](const auto& s) { return s.metrics.retry_count; }), 10);
  EXPECT_EQ(sum("thumbnails", [](const auto& s) { return s.metrics.rate_limit_hits; }), 0);
  EXPECT_GT(sum("warehouse-sync", [](const auto& s) { return s.identity->attempt > 1 ? 1 : 0; }), 0)
      << "broken off and resumed";
}

TEST(Sample, StallsLongEnoughToBeNoticed) {
  Sample sample({10, 4, 1});
  Duration silent{}, longest{};
  for (Duration at{}; at < minutes(10); at += seconds(1)) {
    const bool speaks = sample.until(at).find("\"session\":\"scans-") != std::string::npos;
    silent = speaks ? Duration{} : silent + seconds(1);
    longest = std::max(longest, silent);
  }
  EXPECT_GT(longest, Duration(seconds(80)));
}

TEST(Sample, EndsWhatItBegan) {
  const Played played({20, 6, 3}, minutes(6));
  std::set<std::string> families;
  for (const auto& session : played.view().sessions) {
    if (session->state != progress::SessionState::kCompleted) continue;
    families.insert(session->identity->family);
    EXPECT_EQ(session->metrics.count(progress::FileStatus::kPending), 0) << session->id();
    EXPECT_EQ(session->metrics.count(progress::FileStatus::kProcessing), 0) << session->id();
  }
  EXPECT_EQ(families.size(), stories().size());
}

}  // namespace
}  // namespace agent::cli
