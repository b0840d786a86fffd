#include "agent/metrics/exposition.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "tests/metrics/page_reader.h"
#include "tests/metrics/samples.h"

namespace agent::metrics {
namespace {

using testing::kEpoch;
using testing::Labels;
using testing::read_page;
using testing::ReadPage;
using testing::sample_counts;
using testing::sample_identity;
using testing::sample_session;

constexpr Request kPlain{};
constexpr Request kOpenMetrics{.accept = "application/openmetrics-text;version=1.0.0"};

View view_of(std::vector<progress::SnapshotPtr> sessions) {
  View view;
  view.sessions = std::move(sessions);
  return view;
}

std::string body_of(const Page& page) { return std::string(page.body->view()); }

// The part of a page that is about sessions; what follows differs from machine to machine.
std::string sessions_part(const std::string& page) {
  return page.substr(0, page.find("# HELP progress_agent_build_info"));
}

std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string unzip(std::string_view compressed) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
  std::string input(compressed), plain(1 << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(plain.data());
  stream.avail_out = static_cast<uInt>(plain.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  EXPECT_EQ(stream.avail_in, 0U);
  plain.resize(stream.total_out);
  inflateEnd(&stream);
  return plain;
}

class ExpositionTest : public ::testing::Test {
 protected:
  Page render(std::vector<progress::SnapshotPtr> sessions, const Request& request = kPlain) {
    return exposition_.render(view_of(std::move(sessions)), counts_, request);
  }
  ReadPage read(std::vector<progress::SnapshotPtr> sessions) {
    return read_page(render(std::move(sessions)).body->view());
  }

  Settings settings_;
  AgentCounts counts_ = sample_counts();
  Exposition exposition_{settings_, Build{}};
};

// One session with everything, beside one that has just begun. After a deliberate change:
//   UPDATE_GOLDEN=1 build/dev/tests/metrics_test --gtest_filter='*Golden*', then read the
//   difference.
void compare_with_golden(const std::string& page, const std::string& name) {
  const std::string path = "tests/metrics/golden/" + name;
  if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(path, std::ios::binary) << page;
  EXPECT_EQ(page, file_text(path)) << path;
}

std::vector<progress::SnapshotPtr> golden_sessions() {
  auto full = sample_session(sample_identity("nightly-2026-01-05"));
  full->slowest_files = {{"inbox/\"big\" one.pdf", "parsing", 0.25, std::chrono::hours(2)}};
  auto fresh = std::make_shared<progress::SessionSnapshot>();
  auto identity = std::make_shared<progress::SessionIdentity>();
  identity->id = "fresh";
  identity->config.mode = progress::Mode::kMinimal;
  fresh->identity = identity;
  fresh->metrics.start_time = fresh->last_event_time = kEpoch;
  return {full, fresh};
}

TEST_F(ExpositionTest, GoldenPages) {
  settings_ = {.session_labels = {"tier", "absent"}, .per_file = PerFile::kActive};
  exposition_.configure(settings_);
  compare_with_golden(sessions_part(body_of(render(golden_sessions()))), "text.txt");
  compare_with_golden(sessions_part(body_of(render(golden_sessions(), kOpenMetrics))),
                      "openmetrics.txt");
  settings_.openmetrics_created = true;
  exposition_.configure(settings_);
  compare_with_golden(sessions_part(body_of(render(golden_sessions(), kOpenMetrics))),
                      "created.txt");
  EXPECT_EQ(body_of(render(golden_sessions())).find("_created"), std::string::npos);
}

TEST_F(ExpositionTest, AnEmptyAgentHasAPage) {
  const ReadPage page = read({});
  EXPECT_EQ(page.value("progress_agent_sessions", {{"state", "working"}}), 0);
  for (const auto& sample : page.samples)
    EXPECT_FALSE(sample.first.first.starts_with("progress_session_"));
  const Page openmetrics = render({}, kOpenMetrics);
  EXPECT_NO_THROW(read_page(openmetrics.body->view(), true));
  EXPECT_EQ(openmetrics.series, 0U);
}

TEST_F(ExpositionTest, SaysWhatItIs) {
  const Page text = render({});
  EXPECT_EQ(text.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(text.content_encoding, "");
  const Page openmetrics = render({}, kOpenMetrics);
  EXPECT_EQ(openmetrics.content_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
}

TEST_F(ExpositionTest, CountsTheSeriesOnThePage) {
  const Page page = render({sample_session(sample_identity("a"))});
  const std::string part = sessions_part(body_of(page));
  std::size_t lines = 0;
  for (std::size_t at = 0; at < part.size(); at = part.find('\n', at) + 1)
    lines += part[at] != '#' ? 1 : 0;
  EXPECT_EQ(page.series, lines);
}

TEST_F(ExpositionTest, GzipHoldsTheSamePage) {
  for (int round = 0; round < 3; ++round) {  // the state of zlib is used again
    const auto session = sample_session(sample_identity("zipped"), round);
    const Page zipped = render({session}, {.accept_encoding = "gzip"});
    EXPECT_EQ(zipped.content_encoding, "gzip");
    EXPECT_EQ(sessions_part(unzip(zipped.body->view())), sessions_part(body_of(render({session}))));
  }
}

// A page that is still being sent stays as it is while later ones are made.
TEST_F(ExpositionTest, PagesInFlightAreLeftAlone) {
  std::vector<Page> pages;
  std::vector<std::string> bodies;
  for (int i = 0; i < 8; ++i) {
    pages.push_back(render({sample_session(sample_identity("s" + std::to_string(i)))}));
    bodies.push_back(body_of(pages.back()));
  }
  for (std::size_t i = 0; i < pages.size(); ++i) EXPECT_EQ(body_of(pages[i]), bodies[i]);
}

TEST_F(ExpositionTest, ABufferIsUsedAgain) {
  const auto session = sample_session(sample_identity("a"));
  const char* const first = render({session}).body->view().data();
  EXPECT_EQ(render({session}).body->view().data(), first);
}

TEST_F(ExpositionTest, ABufferFarTooLargeGoes) {
  std::vector<progress::SnapshotPtr> many;
  for (int i = 0; i < 300; ++i) many.push_back(sample_session(sample_identity(std::to_string(i))));
  const std::size_t large = render(many).body->capacity();
  render({many.front()});
  EXPECT_LT(render({many.front()}).body->capacity(), large / 8);
}

// What a mode does not compute, and what is unknown, is absent.
TEST_F(ExpositionTest, UnknownIsAbsent) {
  auto session = std::make_shared<progress::SessionSnapshot>();
  session->identity = sample_identity("bare");
  session->metrics.quality_score = std::numeric_limits<double>::quiet_NaN();
  session->metrics.current_throughput = std::numeric_limits<double>::infinity();
  const ReadPage page = read({session});
  for (const char* name :
       {"progress_session_eta_seconds", "progress_session_end_timestamp_seconds",
        "progress_session_quality_score_ratio", "progress_session_error_ratio",
        "progress_session_throughput_files_per_second", "progress_session_memory_bytes",
        "progress_file_oldest_in_flight_seconds"}) {
    EXPECT_EQ(page.count(name), 0U) << name;
  }
  EXPECT_EQ(page.value("progress_session_files", {{"session", "bare"}, {"state", "pending"}}), 0);
}

TEST_F(ExpositionTest, ModesBelowEnhancedShowNoMethods) {
  auto identity = sample_identity("basic");
  identity->config.mode = progress::Mode::kBasic;
  const ReadPage page = read({sample_session(identity)});
  EXPECT_EQ(page.count("progress_session_eta_method_seconds"), 0U);
  EXPECT_EQ(page.value("progress_session_eta_seconds", {{"session", "basic"}}), 754);
}

TEST_F(ExpositionTest, TheModeMinimalShowsNoHistograms) {
  auto identity = sample_identity("small");
  identity->config.mode = progress::Mode::kMinimal;
  const ReadPage page = read({sample_session(identity)});
  for (const char* name :
       {"progress_file_duration_seconds_count", "progress_stage_duration_seconds_count",
        "progress_api_call_duration_seconds_count", "progress_file_size_bytes_count"}) {
    EXPECT_EQ(page.count(name), 0U) << name;
  }
}

TEST_F(ExpositionTest, ThroughputIsPerSecond) {
  auto session = sample_session(sample_identity("a"));
  session->metrics.current_throughput = 90;  // files per minute
  EXPECT_EQ(
      read({session}).value("progress_session_throughput_files_per_second", {{"session", "a"}}),
      1.5);
}

TEST_F(ExpositionTest, TheAgentsOwnFigures) {
  counts_.duplicates = 3;
  counts_.storage = StorageCounts{.is_failing = true, .errors = 5, .waiting = 1, .dropped = 2};
  const ReadPage page = read({sample_session(sample_identity("a"))});
  const auto value = [&](const std::string& name, const Labels& labels) {
    return page.value("progress_agent_" + name, labels);
  };
  EXPECT_EQ(value("events_total", {{"source", "stream"}, {"event", "file"}}), 1'000'000);
  EXPECT_EQ(value("events_total", {{"source", "http"}, {"event", "session.end"}}), 0);
  EXPECT_EQ(value("events_rejected_total", {{"source", "http"}, {"reason", "missing_field"}}), 2);
  EXPECT_EQ(value("events_duplicate_total", {}), 3);
  EXPECT_EQ(value("connections", {{"source", "datagram"}}), 4);
  EXPECT_EQ(value("lines_unfinished_total", {{"source", "stream"}}), 10);
  EXPECT_EQ(value("replies_dropped_total", {{"source", "stream"}}), 11);
  EXPECT_EQ(value("access_refused_total", {{"listener", "stream"}, {"reason", "connections"}}), 12);
  EXPECT_EQ(value("sessions", {{"state", "working"}}), 1);
  EXPECT_EQ(value("files", {}), 100'000);
  EXPECT_EQ(value("storage_degraded", {}), 1);
  EXPECT_EQ(value("storage_errors_total", {}), 5);
  EXPECT_EQ(value("storage_dropped_total", {}), 2);
  EXPECT_EQ(value("config_last_reload_successful", {}), 1);
  EXPECT_EQ(value("config_last_reload_success_timestamp_seconds", {}), 1767603600);
  EXPECT_EQ(
      value("build_info",
            {{"version", AGENT_VERSION}, {"revision", "unknown"}, {"compiler", Build{}.compiler}}),
      1);
}

TEST_F(ExpositionTest, ScrapesAreTimed) {
  exposition_.observe_scrape(std::chrono::milliseconds(2));
  const ReadPage page = read({});
  EXPECT_EQ(page.value("progress_agent_scrape_duration_seconds_count", {}), 1);
  EXPECT_EQ(page.value("progress_agent_scrape_duration_seconds_sum", {}), 0.002);
  EXPECT_EQ(page.value("progress_agent_scrape_duration_seconds_bucket", {{"le", "0.001"}}), 0);
  EXPECT_EQ(page.value("progress_agent_scrape_duration_seconds_bucket", {{"le", "0.0025"}}), 1);
}

// What the agent says of itself is kept from page to page but for its numbers: names come and go.
TEST_F(ExpositionTest, APageIsTheSameWhateverPagesWereBefore) {
  const auto agent_part = [](const std::string& page) {
    const std::size_t begin = page.find("# HELP progress_agent_build_info");
    return page.substr(begin, page.find("# HELP process_") - begin);
  };
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp)
  const auto some = [&random](std::vector<std::string_view> names) {
    std::erase_if(names, [&random](auto) { return random() % 3 == 0; });
    std::ranges::shuffle(names, random);
    return names;
  };
  for (int round = 0; round < 300; ++round) {
    if (round % 3 > 0) {  // else only numbers are other than before
      counts_.refusals.clear();
      counts_.limits.clear();
      counts_.notifications.clear();
      for (const auto listener : some({"web", "ingest", "we", "b"}))
        counts_.refusals.push_back({listener, "user", 0});
      for (const auto limit : some({"sessions", "files", "producers"}))
        counts_.limits.push_back({limit, 0});
      for (const auto target : some({"b", "bc", "", "web \"1\""}))
        counts_.notifications.push_back({std::string(target)});
      // Neighbours whose labels, one after the other, are at times the same in another division.
      for (SourceCounts& source : counts_.sources) {
        for (auto* count : {&source.connections, &source.unfinished_lines, &source.dropped_replies})
          *count = random() % 2 == 0 ? std::optional<std::uint64_t>(1) : std::nullopt;
      }
    }
    for (auto& refusal : counts_.refusals) refusal.count = random();
    for (auto& limit : counts_.limits) limit.ratio = random() % 5 == 0 ? NAN : 0.5;
    counts_.duplicates = random();
    const Request& request = random() % 2 == 0 ? kPlain : kOpenMetrics;
    const std::string page = body_of(render({}, request));
    const std::string fresh =
        body_of(Exposition(settings_, Build{}).render(view_of({}), counts_, request));
    ASSERT_EQ(agent_part(page), agent_part(fresh)) << round;
    read_page(page, request.accept == kOpenMetrics.accept);
  }
}

TEST_F(ExpositionTest, TheProcessAsTheKernelSeesIt) {
  const ReadPage page = read({});
  const double now = static_cast<double>(time(nullptr));
  EXPECT_GT(page.value("process_cpu_seconds_total", {}), 0);
  EXPECT_GT(page.value("process_resident_memory_bytes", {}), 1e6);
  EXPECT_GE(page.value("process_virtual_memory_bytes", {}),
            page.value("process_resident_memory_bytes", {}));
  EXPECT_GE(page.value("process_open_fds", {}), 3);
  EXPECT_GT(page.value("process_max_fds", {}), page.value("process_open_fds", {}));
  EXPECT_NEAR(page.value("process_start_time_seconds", {}), now, 600);
}

TEST_F(ExpositionTest, EtaErrorsAreByFamilyAndMethod) {
  EtaErrorSeries errors{progress::EtaMethod::kAdaptive, "nightly",
                        progress::Histogram(progress::kFileDurationBounds)};
  errors.errors.observe(0.2);
  counts_.eta_errors = {errors};
  const ReadPage page = read({});
  const Labels labels = {{"family", "nightly"}, {"method", "adaptive"}};
  EXPECT_EQ(page.value("progress_eta_error_ratio_count", labels), 1);
}

}  // namespace
}  // namespace agent::metrics
