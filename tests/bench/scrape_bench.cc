// scrape_bench: what a page of /metrics costs, with every session changed between two scrapes.
// Prints CPU time and bytes for each format; the making of the snapshots is not counted.
//
//   scrape_bench [SESSIONS=100] [SCRAPES=400]
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

#include "agent/metrics/exposition.h"
#include "tests/metrics/samples.h"

namespace agent::metrics {
namespace {

double cpu_nanoseconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

std::vector<std::shared_ptr<progress::SessionIdentity>> identities(int sessions) {
  std::vector<std::shared_ptr<progress::SessionIdentity>> all;
  for (int i = 0; i < sessions; ++i) {
    std::string number = std::to_string(i);
    number.insert(0, 3 - std::min<std::size_t>(number.size(), 3), '0');
    all.push_back(testing::sample_identity("batch-2026-" + number));
  }
  return all;
}

struct Cost {
  double nanoseconds = 0;  // of a scrape, the median
  std::uint64_t series = 0;
  std::size_t bytes = 0;
};

Cost measure(Exposition& exposition, int sessions, int scrapes, const Request& request) {
  const auto who = identities(sessions);
  const AgentCounts counts = testing::sample_counts();
  std::vector<double> samples;
  Cost cost;
  for (int scrape = 0; scrape < scrapes; ++scrape) {
    View view;
    for (const auto& identity : who) {
      view.sessions.push_back(testing::sample_session(identity, scrape % 300));
    }
    const double begin = cpu_nanoseconds();
    const Page page = exposition.render(std::move(view), counts, request);
    samples.push_back(cpu_nanoseconds() - begin);
    cost.series = page.series;
    cost.bytes = page.body->size();
  }
  std::ranges::nth_element(samples, samples.begin() + scrapes / 2);
  cost.nanoseconds = samples[static_cast<std::size_t>(scrapes / 2)];
  return cost;
}

void report(const char* name, const Cost& cost, int sessions) {
  std::printf("%-12s %7.1f ns/series  %6.2f us/session  %8.1f us/page  %6llu series  %8zu bytes\n",
              name, cost.nanoseconds / static_cast<double>(cost.series),
              cost.nanoseconds / 1e3 / sessions, cost.nanoseconds / 1e3,
              static_cast<unsigned long long>(cost.series), cost.bytes);
}

int run(int sessions, int scrapes) {
  Exposition exposition(Settings{}, Build{});
  constexpr std::string_view kOpenMetrics = "application/openmetrics-text;version=1.0.0";
  report("plain", measure(exposition, sessions, scrapes, {}), sessions);
  report("openmetrics", measure(exposition, sessions, scrapes, {.accept = kOpenMetrics}), sessions);
  report("gzip", measure(exposition, sessions, scrapes / 10 + 1, {.accept_encoding = "gzip"}),
         sessions);
  return 0;
}

// The number in argument `i`, or `otherwise` without it; 0 for what is no number.
int argument(int argc, char** argv, int i, int otherwise) {
  if (i >= argc) return otherwise;
  int value = 0;
  const char* const end = argv[i] + std::strlen(argv[i]);
  const auto parsed = std::from_chars(argv[i], end, value);
  return parsed.ec == std::errc() && parsed.ptr == end ? value : 0;
}

}  // namespace
}  // namespace agent::metrics

int main(int argc, char** argv) {
  const int sessions = agent::metrics::argument(argc, argv, 1, 100);
  const int scrapes = agent::metrics::argument(argc, argv, 2, 400);
  if (argc > 3 || sessions <= 0 || scrapes <= 0) {
    std::fputs("usage: scrape_bench [SESSIONS=100] [SCRAPES=400]\n", stderr);
    return 2;
  }
  return agent::metrics::run(sessions, scrapes);
}
