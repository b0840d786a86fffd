#include "agent/metrics/negotiation.h"

#include <gtest/gtest.h>

#include <string>

namespace agent::metrics {
namespace {

constexpr auto kText = Format::kText;
constexpr auto kOne = Format::kOpenMetrics1;
constexpr auto kDraft = Format::kOpenMetrics0;

TEST(Negotiation, ChoosesTheFormat) {
  const struct {
    std::string_view accept;
    Format format;
  } cases[] = {
      {"", kText},
      {"*/*", kText},
      {"text/plain", kText},
      {"text/*", kText},
      {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", kText},
      {"image/png", kText},
      {"application/json", kText},
      // Prometheus 2.42 and 3.0.
      {"application/openmetrics-text;version=1.0.0,application/"
       "openmetrics-text;version=0.0.1;q=0.75,"
       "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
       kOne},
      {"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
       "application/openmetrics-text;version=0.0.1;q=0.5,text/"
       "plain;version=1.0.0;escaping=allow-utf-8;"
       "q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
       kOne},
      // With native histograms Prometheus would rather have protobuf.
      {"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,"
       "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
       kOne},
      // Prometheus 2.0 to 2.4.
      {"application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
       kDraft},
      {"text/plain;version=0.0.4;q=1,*/*;q=0.1", kText},
      {"application/openmetrics-text", kOne},
      {"application/openmetrics-text; version=1.0.0", kOne},
      {"application/openmetrics-text; version=\"1.0.0\"; charset=utf-8", kOne},
      {"APPLICATION/OpenMetrics-Text;VERSION=1.0.0", kOne},
      {"application/openmetrics-text;version=2.0.0", kText},
      {"application/*", kOne},
      // Quality decides, then the order of the header.
      {"application/openmetrics-text;q=0.4,text/plain;q=0.5", kText},
      {"application/openmetrics-text;q=0.5,text/plain;q=0.4", kOne},
      {"text/plain,application/openmetrics-text", kText},
      {"application/openmetrics-text,text/plain", kOne},
      {"application/openmetrics-text;version=0.0.1,application/"
       "openmetrics-text;version=1.0.0;q=0.9",
       kDraft},
      {"text/plain;version=0.0.4;q=0.3,*/*;q=0.9", kOne},
      {"application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.5", kOne},
      // The closest range counts, whatever else covers it.
      {"text/plain;q=0,*/*", kOne},
      {"application/openmetrics-text;q=0,*/*;q=0.1", kText},
      {"application/openmetrics-text;version=1.0.0;q=0,application/openmetrics-text", kDraft},
      {"*/*;q=0", kText},
      // Malformed.
      {"application/openmetrics-text;q=2", kText},
      {"application/openmetrics-text;q=", kText},
      {"application/openmetrics-text;q=0.x", kText},
      {"application/openmetrics-text;q=0.1234", kText},
      {",,;;,=,application/openmetrics-text , ;", kOne},
      {"application/openmetrics-text;version", kText},
  };
  for (const auto& c : cases) EXPECT_EQ(choose_format(c.accept), c.format) << c.accept;
}

TEST(Negotiation, ChoosesTheEncoding) {
  const struct {
    std::string_view accept_encoding;
    bool gzip;
  } cases[] = {
      {"", false},
      {"gzip", true},
      {"GZIP", true},
      {"x-gzip", true},
      {"gzip, deflate, br", true},
      {"deflate, br", false},
      {"identity", false},
      {"gzip;q=0", false},
      {"gzip;q=0.0", false},
      {"gzip;q=0.001", true},
      {"*", true},
      {"*;q=0", false},
      {"gzip;q=0,*", false},
      {"identity, gzip;q=0.5", false},
      {"identity;q=0.5, gzip", true},
      {"gzip;q=nonsense", false},
      {" ,\t gzip ;\tq=1.000", true},
      {"gzipped", false},
  };
  for (const auto& c : cases) EXPECT_EQ(wants_gzip(c.accept_encoding), c.gzip) << c.accept_encoding;
}

TEST(Negotiation, ContentTypesAreThoseOfTheClientLibraries) {
  EXPECT_EQ(content_type(kText), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(content_type(kOne), "application/openmetrics-text; version=1.0.0; charset=utf-8");
  EXPECT_EQ(content_type(kDraft), "application/openmetrics-text; version=0.0.1; charset=utf-8");
}

}  // namespace
}  // namespace agent::metrics
