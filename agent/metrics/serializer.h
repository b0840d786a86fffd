// Serializer: writes a page in Prometheus text 0.0.4 or OpenMetrics 1.0: the session families
// straight from snapshots, and whatever prometheus-cpp's model holds. All series of a family stand
// together, in the order of the table and of the sessions; a family without series is left out.
// Sources: "Exposition formats" (prometheus.io) and the OpenMetrics 1.0.0 specification. The event
// loop's thread.
#pragma once

#include <prometheus/metric_family.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/metrics/families.h"
#include "agent/metrics/negotiation.h"
#include "agent/metrics/series.h"
#include "agent/metrics/text.h"

namespace agent::metrics {

// What stands between the numbers of a page, kept for the next page that has the same.
class Outline {
 public:
  // A page begins. Of another revision than the last one everything is written anew.
  void begin(std::uint64_t revision);
  // The next piece, as `write` puts it into a Text. Good until the next call.
  template <typename Write>
  std::string_view next(Write write) {
    const std::size_t begin = at_ == 0 ? 0 : ends_[at_ - 1];
    if (at_ == ends_.size()) {
      write(text_);
      ends_.push_back(text_.size());
    }
    return text_.view().substr(begin, ends_[at_++] - begin);
  }

 private:
  std::optional<std::uint64_t> revision_;
  Text text_;
  std::vector<std::size_t> ends_;  // of the pieces
  std::size_t at_ = 0;
};

class Serializer {
 public:
  explicit Serializer(std::span<const Family> families = metrics::families());

  // The families of the table. With `created`, OpenMetrics gets `_created` samples. Returns the
  // number of series written.
  std::uint64_t write_sessions(std::span<const Shown> sessions, const Everything& everything,
                               Format format, bool created, Text& out);

  // Families in prometheus-cpp's model. Their label names and metric names are taken as they are.
  // `revision` rises whenever anything but a number is other than before: until it does, nothing
  // else is read of them.
  void write_collected(std::span<const prometheus::MetricFamily> families, std::uint64_t revision,
                       Format format, Text& out);

  // What ends the page.
  static void write_end(Format format, Text& out);

 private:
  struct Row {
    const Family* family;
    FamilyText text;
    std::array<std::string, 2> headers;  // text, OpenMetrics
  };

  std::vector<Row> rows_;
  BoundTexts bounds_;
  std::array<Outline, 2> outlines_;  // of what was collected: text, OpenMetrics
};

// The HELP, TYPE and (OpenMetrics) UNIT lines before a family's samples. `name` is as in the text
// format.
[[nodiscard]] std::string header_text(std::string_view name, std::string_view type,
                                      std::string_view unit, std::string_view help,
                                      bool openmetrics);

// The unit that a metric's name ends in, as Prometheus names them; empty: none.
[[nodiscard]] std::string_view unit_of(std::string_view name);

}  // namespace agent::metrics
