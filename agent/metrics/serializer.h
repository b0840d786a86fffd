// Serializer: writes a page in Prometheus text 0.0.4 or OpenMetrics 1.0: the session families
// straight from snapshots, and whatever prometheus-cpp's model holds. All series of a family stand
// together, in the order of the table and of the sessions; a family without series is left out.
// Sources: "Exposition formats" (prometheus.io) and the OpenMetrics 1.0.0 specification. The event
// loop's thread.
#pragma once

#include <prometheus/metric_family.h>

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/metrics/families.h"
#include "agent/metrics/negotiation.h"
#include "agent/metrics/series.h"
#include "agent/metrics/text.h"

namespace agent::metrics {

class Serializer {
 public:
  explicit Serializer(std::span<const Family> families = metrics::families());

  // The families of the table. With `created`, OpenMetrics gets `_created` samples. Returns the
  // number of series written.
  std::uint64_t write_sessions(std::span<const Shown> sessions, const Everything& everything,
                               Format format, bool created, Text& out);

  // Families as prometheus-cpp collects them. Their label names and metric names are taken as they
  // are.
  void write_collected(std::span<const prometheus::MetricFamily> families, Format format,
                       Text& out);

  // What ends the page.
  static void write_end(Format format, Text& out);

 private:
  struct Row {
    const Family* family;
    FamilyText text;
    std::array<std::string, 2> headers;  // text, OpenMetrics
  };

  // The header of a family from elsewhere, which is the same in the next page.
  struct Header {
    std::string name, help;
    prometheus::MetricType type;
    std::array<std::string, 2> texts;
  };
  const std::string& header_of(const prometheus::MetricFamily& family, std::size_t i,
                               bool openmetrics);

  std::vector<Row> rows_;
  BoundTexts bounds_;
  std::vector<Header> collected_;
};

// The HELP, TYPE and (OpenMetrics) UNIT lines before a family's samples. `name` is as in the text
// format.
[[nodiscard]] std::string header_text(std::string_view name, std::string_view type,
                                      std::string_view unit, std::string_view help,
                                      bool openmetrics);

// The unit that a metric's name ends in, as Prometheus names them; empty: none.
[[nodiscard]] std::string_view unit_of(std::string_view name);

}  // namespace agent::metrics
