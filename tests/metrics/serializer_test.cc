// The serializer on families made for the test, and on prometheus-cpp's model.
#include "agent/metrics/serializer.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "tests/metrics/page_reader.h"

namespace agent::metrics {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

std::string collected(const MetricFamily& family, Format format) {
  Text text;
  Serializer().write_collected(std::span(&family, 1), 1, format, text);
  return std::string(text.view());
}

MetricFamily family_of(std::string name, MetricType type, std::vector<ClientMetric> metrics) {
  return {std::move(name), "Help.", type, std::move(metrics)};
}

TEST(Header, EscapesHelpAsEachFormatWantsIt) {
  EXPECT_EQ(header_text("x", "gauge", "", "a\\b \"c\"\nd", false),
            "# HELP x a\\\\b \"c\"\\nd\n# TYPE x gauge\n");
  EXPECT_EQ(header_text("x", "gauge", "", "a\\b \"c\"\nd", true),
            "# HELP x a\\\\b \\\"c\\\"\\nd\n# TYPE x gauge\n");
}

TEST(Header, NamesCountersAndUnitsAsOpenMetricsDoes) {
  EXPECT_EQ(header_text("x_seconds_total", "counter", "seconds", "h", false),
            "# HELP x_seconds_total h\n# TYPE x_seconds_total counter\n");
  EXPECT_EQ(header_text("x_seconds_total", "counter", "seconds", "h", true),
            "# HELP x_seconds h\n# TYPE x_seconds counter\n# UNIT x_seconds seconds\n");
}

TEST(Header, UnitsComeFromNames) {
  EXPECT_EQ(unit_of("process_cpu_seconds_total"), "seconds");
  EXPECT_EQ(unit_of("x_bytes"), "bytes");
  EXPECT_EQ(unit_of("x_ratio"), "ratio");
  EXPECT_EQ(unit_of("x_files"), "");
  EXPECT_EQ(unit_of("bytes"), "");
  EXPECT_EQ(unit_of("kilobytes"), "");
}

// Each row's unit is what its name ends in: OpenMetrics parsers refuse the page otherwise.
TEST(Header, TheTablesUnitsFitTheirNames) {
  for (const Family& family : families()) {
    std::string_view name = family.name;
    if (name.ends_with("_total")) name.remove_suffix(6);
    const std::string ending = family.unit.empty() ? "" : '_' + std::string(family.unit);
    EXPECT_TRUE(name.ends_with(ending)) << name;
    EXPECT_TRUE(family.unit.ends_with(unit_of(family.name))) << name;
    EXPECT_EQ(family.type == Type::kCounter, family.name.ends_with("_total")) << name;
  }
}

TEST(Collected, Counter) {
  ClientMetric metric;
  metric.label = {{"path", "a\"\\\n"}};
  metric.counter.value = 2.5;
  const auto family = family_of("hits_total", MetricType::Counter, {metric});
  EXPECT_EQ(collected(family, Format::kText),
            "# HELP hits_total Help.\n# TYPE hits_total counter\nhits_total{path=\"a\\\"\\\\\\n\"} "
            "2.5\n");
  EXPECT_EQ(collected(family, Format::kOpenMetrics1),
            "# HELP hits Help.\n# TYPE hits counter\nhits_total{path=\"a\\\"\\\\\\n\"} 2.5\n");
}

TEST(Collected, CounterNamedWithoutTotal) {
  const auto family = family_of("hits", MetricType::Counter, {ClientMetric()});
  EXPECT_EQ(collected(family, Format::kText), "# HELP hits Help.\n# TYPE hits counter\nhits 0\n");
  EXPECT_EQ(collected(family, Format::kOpenMetrics1),
            "# HELP hits Help.\n# TYPE hits counter\nhits_total 0\n");
}

TEST(Collected, Untyped) {
  const auto family = family_of("x", MetricType::Untyped, {ClientMetric()});
  EXPECT_EQ(collected(family, Format::kText), "# HELP x Help.\n# TYPE x untyped\nx 0\n");
  EXPECT_EQ(collected(family, Format::kOpenMetrics1), "# HELP x Help.\n# TYPE x unknown\nx 0\n");
}

TEST(Collected, Histogram) {
  ClientMetric metric;
  metric.histogram.sample_count = 3;
  metric.histogram.sample_sum = 1.5;
  metric.histogram.bucket = {{1, 0.5}, {3, std::numeric_limits<double>::infinity()}};
  const std::string text =
      collected(family_of("x", MetricType::Histogram, {metric}), Format::kText);
  EXPECT_EQ(text,
            "# HELP x Help.\n# TYPE x histogram\nx_bucket{le=\"0.5\"} 1\nx_bucket{le=\"+Inf\"} 3\n"
            "x_sum 1.5\nx_count 3\n");
  metric.histogram.bucket.pop_back();  // the model does not insist on +Inf, the formats do
  EXPECT_EQ(collected(family_of("x", MetricType::Histogram, {metric}), Format::kText), text);
}

TEST(Collected, Summary) {
  ClientMetric metric;
  metric.summary.sample_count = 2;
  metric.summary.sample_sum = 4;
  metric.summary.quantile = {{0.5, 1.5}, {0.99, std::numeric_limits<double>::quiet_NaN()}};
  EXPECT_EQ(collected(family_of("x", MetricType::Summary, {metric}), Format::kText),
            "# HELP x Help.\n# TYPE x summary\nx{quantile=\"0.5\"} 1.5\nx_sum 4\nx_count 2\n");
}

TEST(Collected, AFamilyWithoutMetricsIsLeftOut) {
  EXPECT_EQ(collected(family_of("x", MetricType::Gauge, {}), Format::kText), "");
}

// The shapes that a row can have, beside those in use.
TEST(Rows, LabelsOfThePageHaveNoSession) {
  static constexpr std::array<std::string_view, 2> kColours = {"red", "blue"};
  static constexpr Family kFamilies[] = {
      {.name = "closed",
       .labels = {"colour"},
       .values = kColours,
       .help = "Help.",
       .of_page =
           [](const Everything&, Series& out) {
             out.each(std::array{1, 2});
           }},
      {.name = "open",
       .labels = {"name"},
       .help = "Help.",
       .of_page = [](const Everything&, Series& out) { out.add("a", 3); }},
      {.name = "both_total",
       .type = Type::kCounter,
       .labels = {"name", "colour"},
       .values = kColours,
       .help = "Help.",
       .of_page =
           [](const Everything&, Series& out) {
             out.each("a", std::array{4, -5});
           }},
      {.name = "lines",
       .labels = {"x", "y"},
       .help = "Help.",
       .of_page =
           [](const Everything&, Series& out) {
             out.line().label("x", 1).label("y", "\"").value(0.5);
             out.line().label("x", 2).label("y", "").value(std::nullopt);
           }},
      {.name = "none", .help = "Help.", .of_page = [](const Everything&, Series& out) {
         out.add(std::nullopt);
       }}};
  Serializer serializer(kFamilies);
  const AgentCounts counts;
  const ProcessUsage process;
  Text text;
  const Everything everything{counts, process, {}, {}};
  EXPECT_EQ(serializer.write_sessions({}, everything, Format::kText, false, text), 5U);
  EXPECT_EQ(text.view(),
            "# HELP closed Help.\n# TYPE closed gauge\nclosed{colour=\"red\"} "
            "1\nclosed{colour=\"blue\"} 2\n"
            "# HELP open Help.\n# TYPE open gauge\nopen{name=\"a\"} 3\n"
            "# HELP both_total Help.\n# TYPE both_total "
            "counter\nboth_total{name=\"a\",colour=\"red\"} 4\n"
            "# HELP lines Help.\n# TYPE lines gauge\nlines{x=\"1\",y=\"\\\"\"} 0.5\n");
}

}  // namespace
}  // namespace agent::metrics
