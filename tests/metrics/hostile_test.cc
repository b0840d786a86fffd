// Whatever sessions hold, the page can be read: by our own strict reader over many random pages,
// and by promtool and the OpenMetrics reference parser over some.
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "agent/metrics/exposition.h"
#include "tests/metrics/page_reader.h"
#include "tests/metrics/samples.h"

namespace agent::metrics {
namespace {

using testing::read_page;

// Random sessions of the nastiest kind. The identifiers differ, as the tracker makes sure; nothing
// else is left out.
class Hostile {
 public:
  explicit Hostile(std::uint32_t seed) : random_(seed) {}

  View view() {
    View view;
    const int sessions = below(6);
    for (int i = 0; i < sessions; ++i)
      view.sessions.push_back(session(std::to_string(i) + "\n\\\""));
    return view;
  }
  AgentCounts counts() {
    AgentCounts counts = testing::sample_counts();
    for (int i = below(20); i > 0; --i) {
      counts.eta_errors.push_back(
          {progress::EtaMethod(below(4)), std::to_string(i) + text(200), histogram()});
    }
    return counts;
  }
  Settings settings() {
    Settings settings;
    settings.session_labels = {"team", "tier"};
    settings.per_file = one_in(2) ? PerFile::kActive : PerFile::kOff;
    settings.max_file_series = static_cast<std::size_t>(below(6));
    settings.max_sessions = static_cast<std::size_t>(below(8));
    settings.max_label_values = static_cast<std::size_t>(below(6));
    settings.openmetrics_created = one_in(2);
    return settings;
  }

 private:
  int below(int n) { return static_cast<int>(random_() % static_cast<std::uint32_t>(n)); }
  bool one_in(int n) { return below(n) == 0; }

  std::string text(int longest) {
    static const std::array<std::string, 14> kPieces = {"a",
                                                        "\"",
                                                        "\\",
                                                        "\n",
                                                        "\r",
                                                        "}",
                                                        "{",
                                                        ",",
                                                        "# EOF\n",
                                                        "\xFF",
                                                        "é",
                                                        "🦉",
                                                        std::string(1, '\0'),
                                                        "le=\""};
    std::string text;
    for (int n = below(longest); n > 0; --n) text += kPieces[static_cast<std::size_t>(below(14))];
    return text;
  }
  double real() {
    switch (below(6)) {
      case 0:
        return std::bit_cast<double>((static_cast<std::uint64_t>(random_()) << 32U) | random_());
      case 1:
        return std::numeric_limits<double>::infinity();
      case 2:
        return std::numeric_limits<double>::quiet_NaN();
      case 3:
        return -1.5 * below(100);
      default:
        return below(1000) / 7.0;
    }
  }
  std::int64_t integer() {
    return one_in(4) ? -below(1000) : static_cast<std::int64_t>(random_()) << below(30);
  }
  std::optional<double> maybe_real() { return one_in(3) ? std::nullopt : std::optional(real()); }
  Duration duration() { return Duration(integer()); }
  std::optional<Instant> maybe_instant() {
    return one_in(3) ? std::nullopt : std::optional(Instant(duration()));
  }
  progress::Histogram histogram() {
    progress::Histogram histogram(one_in(2) ? std::span<const double>(progress::kFileDurationBounds)
                                            : std::span<const double>(progress::kFileSizeBounds));
    for (int n = below(5); n > 0; --n)
      histogram.observe(one_in(3) ? real() : below(10'000), below(9));
    return histogram;
  }

  progress::SnapshotPtr session(std::string id) {
    auto identity = testing::sample_identity(std::move(id));
    identity->name = text(300);
    identity->family = text(300);
    identity->currency = text(20);
    identity->labels = {{"team", text(300)}, {"tier", text(3)}};
    identity->config.mode = progress::Mode(below(4));
    auto session = std::make_shared<progress::SessionSnapshot>();
    session->identity = identity;
    session->state = progress::SessionState(below(10));
    session->first_started = Instant(duration());
    session->end_time = maybe_instant();
    session->deadline = maybe_instant();
    fill(session->metrics);
    fill(session->counters);
    if (one_in(2)) session->eta = forecast();
    fill_lists(*session);
    return session;
  }
  void fill(progress::Metrics& m) {
    m.total_files = integer();
    for (auto& count : m.files) count = integer();
    m.progress_percentage = real();
    m.current_throughput = maybe_real();
    m.bytes_per_second = maybe_real();
    m.quality_score = maybe_real();
  }
  void fill(progress::Counters& c) {
    for (auto& count : c.files_ended) count = integer();
    c.bytes = integer();
    c.cost = real();
    c.tokens_in = integer();
  }
  progress::Forecast forecast() {
    progress::Forecast eta;
    eta.remaining = duration();
    eta.completion = Instant(duration());
    eta.confidence = maybe_real();
    eta.methods = {duration(), std::nullopt, duration(), duration()};
    return eta;
  }
  void fill_lists(progress::SessionSnapshot& session) {
    for (int n = below(8); n > 0; --n) {
      auto& provider = session.providers.emplace_back();
      provider.provider = text(200) + std::to_string(n);
      provider.calls_ok = integer();
      provider.rate_limit_delay = duration();
      provider.quota.report({.limit = maybe_real(), .remaining = maybe_real(), .reset_at = {}}, {});
      provider.call_seconds = histogram();
      auto& stage = session.stages.emplace_back();
      stage.stage = std::to_string(n) + text(200);
      stage.seconds = histogram();
      session.slowest_files.push_back({text(400), text(10), real(), duration()});
    }
    session.file_seconds = {histogram(), histogram()};
    session.file_bytes = histogram();
  }

  std::mt19937 random_;
};

std::string page_of(std::uint32_t seed, bool openmetrics) {
  Hostile hostile(seed);
  Exposition exposition(hostile.settings(), Build{});
  const Request request{.accept = openmetrics ? "application/openmetrics-text;version=1.0.0" : ""};
  return std::string(exposition.render(hostile.view(), hostile.counts(), request).body->view());
}

TEST(HostileSessions, MakeAPageThatCanBeRead) {
  for (std::uint32_t seed = 0; seed < 250; ++seed) {
    SCOPED_TRACE(seed);
    ASSERT_NO_THROW(read_page(page_of(seed, false)));
    ASSERT_NO_THROW(read_page(page_of(seed, true), true));
  }
}

// Runs a program with `input` on its standard input; its output and whether it was content.
struct Outcome {
  bool content;
  std::string output;
};
Outcome run(const std::string& command, const std::string& input) {
  const std::filesystem::path path =
      std::filesystem::path(::testing::TempDir()) / ("page-" + std::to_string(getpid()));
  std::ofstream(path, std::ios::binary) << input;
  FILE* const pipe = popen((command + " < '" + path.string() + "' 2>&1").c_str(), "r");
  std::string output;
  for (int c = std::getc(pipe); c != EOF; c = std::getc(pipe)) output += static_cast<char>(c);
  const bool content = pclose(pipe) == 0;
  std::filesystem::remove(path);
  return {content, output};
}

constexpr const char* kReference =
    "/usr/bin/python3 -c '\n"
    "import io, sys\n"
    "from prometheus_client.openmetrics.parser import text_fd_to_metric_families as read\n"
    "text = sys.stdin.buffer.read().decode(\"utf-8\")\n"
    "list(read(io.StringIO(text, newline=\"\\n\")))'";

bool is_installed(const std::string& command) { return run(command, "").content; }

TEST(HostileSessions, AreReadByPromtool) {
  if (!is_installed("promtool --version"))
    GTEST_SKIP() << "promtool is not installed: ./dev deps test";
  for (std::uint32_t seed = 0; seed < 8; ++seed) {
    const Outcome outcome = run("promtool check metrics", page_of(seed, false));
    EXPECT_TRUE(outcome.content) << "seed " << seed << ": " << outcome.output;
    EXPECT_EQ(outcome.output, "");
  }
}

TEST(HostileSessions, AreReadByTheReferenceParser) {
  if (!is_installed("/usr/bin/python3 -c 'import prometheus_client'")) {
    GTEST_SKIP() << "python3-prometheus-client is not installed: ./dev deps test";
  }
  for (std::uint32_t seed = 0; seed < 8; ++seed) {
    const Outcome outcome = run(kReference, page_of(seed, true));
    EXPECT_TRUE(outcome.content) << "seed " << seed << ": " << outcome.output;
  }
}

}  // namespace
}  // namespace agent::metrics
