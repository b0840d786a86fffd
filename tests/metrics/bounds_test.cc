// What keeps the page bounded, whatever the events hold: sessions, label values, files, label
// names.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "agent/metrics/exposition.h"
#include "agent/metrics/families.h"
#include "agent/metrics/fold.h"
#include "agent/metrics/selection.h"
#include "agent/settings/values.h"
#include "tests/metrics/page_reader.h"
#include "tests/metrics/samples.h"

namespace agent::metrics {
namespace {

using progress::SessionState;
using testing::kEpoch;
using testing::Labels;
using testing::read_page;
using testing::ReadPage;
using testing::sample_identity;
using testing::sample_provider;
using testing::sample_stage;

std::shared_ptr<progress::SessionSnapshot> bare_session(
    const std::string& id, SessionState state = SessionState::kWorking) {
  auto session = std::make_shared<progress::SessionSnapshot>();
  session->identity = sample_identity(id);
  session->state = state;
  return session;
}

std::shared_ptr<progress::SessionSnapshot> ended_session(const std::string& id, Duration after) {
  auto session = bare_session(id, SessionState::kCompleted);
  session->end_time = kEpoch + after;
  return session;
}

std::vector<std::string> ids(const View& view) {
  std::vector<std::string> all;
  for (const auto& session : view.sessions) all.push_back(session->id());
  return all;
}

View view_of(std::vector<progress::SnapshotPtr> sessions) {
  View view;
  view.sessions = std::move(sessions);
  return view;
}

ReadPage render(Settings settings, const View& view, const AgentCounts& counts = {},
                int times = 1) {
  Exposition exposition(std::move(settings), Build{});
  Page page;
  for (int i = 0; i < times; ++i) page = exposition.render(view, counts, {});
  return read_page(page.body->view());
}

double dropped(const ReadPage& page, const std::string& reason) {
  return page.value("progress_agent_series_dropped_total", {{"reason", reason}});
}

using Ids = std::vector<std::string>;
using std::chrono::seconds;

TEST(Sessions, RunningOnesThenTheNewestEnded) {
  const View view =
      view_of({ended_session("old", seconds(1)), bare_session("a"),
               ended_session("new", seconds(9)), bare_session("b"),
               bare_session("stale", SessionState::kStale), ended_session("mid", seconds(5))});
  EXPECT_EQ(ids(within_bound(view, 6)), (Ids{"old", "a", "new", "b", "stale", "mid"}));
  EXPECT_EQ(ids(within_bound(view, 4)), (Ids{"a", "new", "b", "mid"}));
  EXPECT_EQ(ids(within_bound(view, 3)), (Ids{"a", "new", "b"}));
  EXPECT_EQ(ids(within_bound(view, 1)), (Ids{"a"}));
  EXPECT_EQ(ids(within_bound(view, 0)), (Ids{}));
}

TEST(Sessions, ThoseLeftOutAreCountedAndNotInThePagesView) {
  Exposition exposition({.max_sessions = 2}, Build{});
  const View view = view_of({bare_session("a"), bare_session("b"), bare_session("c")});
  const Page page = exposition.render(view, {}, {});
  EXPECT_EQ(ids(page.view), (Ids{"a", "b"}));
  const ReadPage read = read_page(page.body->view());
  EXPECT_EQ(read.count("progress_session_expected_files"), 2U);
  EXPECT_EQ(dropped(read, "max_sessions"), 1);
  EXPECT_EQ(read.value("progress_agent_sessions", {{"state", "working"}}), 3);
}

TEST(LabelValues, ThoseBeyondTheBoundAreAddedUpAsOther) {
  auto session = bare_session("s");
  for (int i = 0; i < 5; ++i) {
    session->providers.push_back(sample_provider("p" + std::to_string(i), i));
    session->stages.push_back(sample_stage("stage" + std::to_string(i), i));
  }
  const ReadPage page = render({.max_label_values = 2}, view_of({session}));
  const auto calls = [&](const std::string& provider) {
    return page.value("progress_session_api_calls_total",
                      {{"session", "s"}, {"provider", provider}, {"outcome", "success"}});
  };
  EXPECT_EQ(calls("p0"), 90);
  EXPECT_EQ(calls("p1"), 91);
  EXPECT_EQ(calls("other"), 92 + 93 + 94);
  EXPECT_EQ(page.count("progress_session_rate_limit_hits_total"), 3U);
  EXPECT_EQ(page.value("progress_session_rate_limit_delay_seconds_total",
                       {{"session", "s"}, {"provider", "other"}}),
            3 * 4.5);
  EXPECT_EQ(page.value("progress_api_call_duration_seconds_count",
                       {{"session", "s"}, {"provider", "other"}}),
            3 * 20);
  EXPECT_EQ(page.value("progress_stage_duration_seconds_count",
                       {{"session", "s"}, {"processing_stage", "other"}}),
            3 * (32 + 33 + 34));
  EXPECT_EQ(dropped(page, "max_label_values"), 6);
}

TEST(LabelValues, OfStagesAllThatIsCountedIsAddedUp) {
  std::vector<progress::StageTally> stages;
  for (int i = 0; i < 4; ++i) {
    stages.push_back(sample_stage("stage" + std::to_string(i), i));
    stages.back().tokens = 10 + i;
    stages.back().cost = 0.5 * i;
  }
  const auto folded = fold(std::span<const progress::StageTally>(stages), 2);
  ASSERT_EQ(folded.list.size(), 3U);
  EXPECT_EQ(folded.list[1].tokens, 11);
  EXPECT_EQ(folded.list[2].stage, kOther);
  EXPECT_EQ(folded.list[2].seconds.count(), 3U * (32 + 33));
  EXPECT_EQ(folded.list[2].tokens, 12 + 13);
  EXPECT_EQ(folded.list[2].cost, 1 + 1.5);
}

// What a session folded while events came counts like what the page folds; a value that merely is
// called "other" does not.
TEST(LabelValues, ThoseThatTheSessionFoldedAreCountedToo) {
  const auto dropped_with = [](std::initializer_list<const char*> providers) {
    auto session = bare_session("s");
    for (const char* name : providers) session->providers.push_back(sample_provider(name, 0));
    return dropped(render({.max_label_values = 2}, view_of({session})), "max_label_values");
  };
  EXPECT_EQ(dropped_with({"a", "b", "other"}), 1);
  EXPECT_EQ(dropped_with({"a", "b"}), 0);
  EXPECT_EQ(dropped_with({"a", "other"}), 0);
}

TEST(LabelValues, OtherNeedsNoPlaceOfItsOwn) {
  auto session = bare_session("s");
  for (const char* name : {"a", "b", "other"})
    session->providers.push_back(sample_provider(name, 0));
  const ReadPage page = render({.max_label_values = 2}, view_of({session}));
  EXPECT_EQ(page.count("progress_session_rate_limit_hits_total"), 3U);
}

TEST(LabelValues, ThoseEqualOnceCutAreMerged) {
  auto session = bare_session("s");
  const std::string stem(kMaxLabelValue, 'x');
  for (const char* tail : {"1", "2", ""}) {
    session->providers.push_back(sample_provider(stem + tail, 0));
  }
  session->providers.push_back(sample_provider("bad\xFF", 0));
  session->providers.push_back(sample_provider("bad\xFE", 0));
  session->providers.back().quota.report({.limit = 10, .remaining = 9, .reset_at = std::nullopt},
                                         kEpoch);
  const ReadPage page = render({}, view_of({session}));
  EXPECT_EQ(
      page.value("progress_session_rate_limit_hits_total", {{"session", "s"}, {"provider", stem}}),
      9);
  const Labels bad = {{"session", "s"}, {"provider", "bad\xEF\xBF\xBD"}};
  EXPECT_EQ(page.value("progress_session_rate_limit_hits_total", bad), 6);
  EXPECT_EQ(page.value("progress_session_rate_limit_remaining_ratio", bad), 0.9);  // the last known
  EXPECT_EQ(dropped(page, "max_label_values"), 0);
}

TEST(LabelValues, FamiliesOfEtaErrorsAreBoundedToo) {
  AgentCounts counts;
  for (int i = 0; i < 10; ++i) {
    for (const auto method : {progress::EtaMethod::kLinear, progress::EtaMethod::kAdaptive}) {
      EtaErrorSeries series{method, "f" + std::to_string(i),
                            progress::Histogram(progress::kFileDurationBounds)};
      series.errors.observe(0.1);
      counts.eta_errors.push_back(series);
    }
  }
  const ReadPage page = render({.max_label_values = 4}, {}, counts);
  EXPECT_EQ(page.count("progress_eta_error_ratio_count"), 10U);
  EXPECT_EQ(
      page.value("progress_eta_error_ratio_count", {{"family", "other"}, {"method", "linear"}}), 6);
}

// A job that invents a provider for every call: what the page shows of each grows, and no counter
// falls.
TEST(LabelValues, CountersNeverFallWhileValuesArrive) {
  Exposition exposition({.max_label_values = 3}, Build{});
  std::map<std::pair<std::string, Labels>, double> before;
  auto session = bare_session("s");
  for (int i = 0; i < 12; ++i) {
    session->providers.push_back(sample_provider("p" + std::to_string(i * 7 % 12), i));
    const ReadPage page = read_page(exposition.render(view_of({session}), {}, {}).body->view());
    for (const auto& [series, value] : before) {
      if (!series.first.ends_with("_total")) continue;
      ASSERT_GE(page.value(series.first, series.second), value);
    }
    before = page.samples;
  }
}

progress::FileProgress file(const std::string& name, int age) {
  return {name, "parsing", 0.5, seconds(age)};
}

TEST(Files, AreShownOnlyWhenAskedFor) {
  auto session = bare_session("s");
  session->slowest_files = {file("a", 9)};
  EXPECT_EQ(render({}, view_of({session})).count("progress_file_progress_ratio"), 0U);
  const ReadPage page = render({.per_file = PerFile::kActive}, view_of({session}));
  EXPECT_EQ(page.value("progress_file_progress_ratio",
                       {{"session", "s"}, {"file", "a"}, {"processing_stage", "parsing"}}),
            0.5);
}

TEST(Files, TheSlowestOfThePageHaveTheSeries) {
  auto first = bare_session("first"), second = bare_session("second");
  first->slowest_files = {file("a", 50), file("b", 10)};
  second->slowest_files = {file("c", 40), file("d", 30), file("e", 5)};
  const ReadPage page =
      render({.per_file = PerFile::kActive, .max_file_series = 3}, view_of({first, second}));
  const auto shows = [&](const std::string& session, const std::string& name) {
    return page.has("progress_file_progress_ratio",
                    {{"session", session}, {"file", name}, {"processing_stage", "parsing"}});
  };
  EXPECT_TRUE(shows("first", "a") && shows("second", "c") && shows("second", "d"));
  EXPECT_EQ(page.count("progress_file_progress_ratio"), 3U);
  EXPECT_EQ(dropped(page, "max_file_series"), 2);
}

TEST(Files, ThoseEqualOnceCutShareTheSeriesOfTheSlowest) {
  auto session = bare_session("s");
  const std::string folder(200, '/');
  session->slowest_files = {file(folder + "a", 50), file(folder + "b", 40)};
  session->slowest_files[0].ratio = 0.125;
  const ReadPage page = render({.per_file = PerFile::kActive}, view_of({session}));
  EXPECT_EQ(page.value("progress_file_progress_ratio", {{"session", "s"},
                                                        {"file", folder.substr(0, kMaxLabelValue)},
                                                        {"processing_stage", "parsing"}}),
            0.125);
  EXPECT_EQ(dropped(page, "max_file_series"), 1);
}

TEST(Dropped, IsCountedAtEachScrape) {
  const View view = view_of({bare_session("a"), bare_session("b")});
  EXPECT_EQ(dropped(render({.max_sessions = 1}, view, {}, 3), "max_sessions"), 3);
}

// The rule of the settings for `metrics.session_labels`, held against the table.
TEST(LabelNames, OfTheTableAreNoSessionLabels) {
  EXPECT_EQ(settings::check_session_label("team"), "");
  EXPECT_NE(settings::check_session_label("session"), "");
  EXPECT_NE(settings::check_session_label("le"), "");
  for (const Family& family : families()) {
    if (family.name != "progress_session_info") continue;
    for (const std::string_view label : family.labels) {
      EXPECT_NE(settings::check_session_label(label), "") << label;
    }
  }
}

TEST(LabelNames, OfTheTableAreNoTargetLabels) {
  constexpr std::array<std::string_view, 8> kTargetLabels = {
      "stage", "job", "instance", "namespace", "pod", "env", "service", "cluster"};
  for (const Family& family : families()) {
    for (const std::string_view label : family.labels) {
      EXPECT_EQ(std::ranges::find(kTargetLabels, label), kTargetLabels.end()) << family.name;
    }
  }
}

}  // namespace
}  // namespace agent::metrics
