#include "agent/metrics/serializer.h"

#include <cmath>
#include <limits>

namespace agent::metrics {
namespace {

constexpr std::string_view kTotal = "_total";

// The text format escapes backslash and newline in help, OpenMetrics quotes too.
std::string escaped_help(std::string_view help, bool openmetrics) {
  std::string text;
  for (const char c : help) {
    if (c == '\\' || c == '\n' || (openmetrics && c == '"')) text += '\\';
    text += c == '\n' ? 'n' : c;
  }
  return text;
}

std::string_view type_text(prometheus::MetricType type, bool openmetrics) {
  switch (type) {
    case prometheus::MetricType::Counter:
      return "counter";
    case prometheus::MetricType::Gauge:
      return "gauge";
    case prometheus::MetricType::Summary:
      return "summary";
    case prometheus::MetricType::Histogram:
      return "histogram";
    case prometheus::MetricType::Untyped:
      return openmetrics ? "unknown" : "untyped";
  }
  return "untyped";
}

// Writes what the model holds: each line's text from the outline, its number from the model.
class CollectedLines {
 public:
  CollectedLines(Outline& outline, bool openmetrics, Text& out)
      : outline_(outline), openmetrics_(openmetrics), out_(out) {}

  void write(const prometheus::MetricFamily& family) {
    if (family.metric.empty()) return;
    out_.append(outline_.next([&](Text& text) {
      text.append(header_text(family.name, type_text(family.type, openmetrics_),
                              unit_of(family.name), family.help, openmetrics_));
    }));
    for (const auto& metric : family.metric) write(family, metric);
  }

 private:
  // One sample: name, labels, and up to one label more, whose value is spelled when it is needed.
  struct Sample {
    std::string_view name, suffix;
    const std::vector<prometheus::ClientMetric::Label>& labels;
    std::string_view extra_name = {};  // le, quantile
    double extra_value = 0;
  };

  void write(const prometheus::MetricFamily& family, const prometheus::ClientMetric& metric) {
    const std::string_view name = family.name;
    switch (family.type) {
      case prometheus::MetricType::Counter: {
        const bool adds_total = openmetrics_ && !name.ends_with(kTotal);
        return write({name, adds_total ? kTotal : "", metric.label}, metric.counter.value);
      }
      case prometheus::MetricType::Gauge:
        return write({name, "", metric.label}, metric.gauge.value);
      case prometheus::MetricType::Untyped:
        return write({name, "", metric.label}, metric.untyped.value);
      case prometheus::MetricType::Histogram:
        return write_histogram(name, metric);
      case prometheus::MetricType::Summary:
        return write_summary(name, metric);
    }
  }

  void write_histogram(std::string_view name, const prometheus::ClientMetric& metric) {
    constexpr double kAll = std::numeric_limits<double>::infinity();
    const auto& histogram = metric.histogram;
    for (const auto& bucket : histogram.bucket) {
      write({name, "_bucket", metric.label, "le", bucket.upper_bound}, bucket.cumulative_count);
    }
    if (histogram.bucket.empty() || !std::isinf(histogram.bucket.back().upper_bound)) {
      write({name, "_bucket", metric.label, "le", kAll}, histogram.sample_count);
    }
    write({name, "_sum", metric.label}, histogram.sample_sum);
    write({name, "_count", metric.label}, histogram.sample_count);
  }

  void write_summary(std::string_view name, const prometheus::ClientMetric& metric) {
    for (const auto& quantile : metric.summary.quantile) {
      write({name, "", metric.label, "quantile", quantile.quantile}, quantile.value);
    }
    write({name, "_sum", metric.label}, metric.summary.sample_sum);
    write({name, "_count", metric.label}, metric.summary.sample_count);
  }

  void write(const Sample& sample, Number number) {
    const std::string_view line = outline_.next([&](Text& text) { begin_line(sample, text); });
    if (!number.is_known()) return;
    char* at = put(out_.room(line.size() + Number::kRoom + 1), line);
    at = number.put(at);
    *at++ = '\n';
    out_.commit(at);
  }

  static void begin_line(const Sample& sample, Text& text) {
    text.append(sample.name);
    text.append(sample.suffix);
    const bool has_labels = !sample.labels.empty() || !sample.extra_name.empty();
    if (has_labels) text.append("{");
    for (const auto& label : sample.labels) append_label(text, label.name, label.value);
    if (!sample.extra_name.empty()) {
      const bool is_all = std::isinf(sample.extra_value);
      append_label(text, sample.extra_name, is_all ? "+Inf" : bound_text(sample.extra_value));
    }
    text.append(has_labels ? "} " : " ");
  }

  Outline& outline_;
  const bool openmetrics_;
  Text& out_;
};

}  // namespace

std::string_view unit_of(std::string_view name) {
  constexpr std::array<std::string_view, 3> kUnits = {"seconds", "bytes", "ratio"};
  name = without_total(name);
  for (const std::string_view unit : kUnits) {
    if (name.size() > unit.size() && name.ends_with(unit) &&
        name[name.size() - unit.size() - 1] == '_') {
      return unit;
    }
  }
  return {};
}

std::string header_text(std::string_view name, std::string_view type, std::string_view unit,
                        std::string_view help, bool openmetrics) {
  const bool drops_total = openmetrics && type == "counter";
  const std::string family(drops_total ? without_total(name) : name);
  std::string text = "# HELP " + family + ' ' + escaped_help(help, openmetrics) + '\n';
  text += "# TYPE " + family + ' ' + std::string(type) + '\n';
  if (openmetrics && !unit.empty()) text += "# UNIT " + family + ' ' + std::string(unit) + '\n';
  return text;
}

void Outline::begin(std::uint64_t revision) {
  at_ = 0;
  if (revision == revision_) return;
  revision_ = revision;
  text_.clear();
  ends_.clear();
}

Serializer::Serializer(std::span<const Family> families) {
  for (const Family& family : families) {
    const auto header = [&family](bool openmetrics) {
      return header_text(family.name, name_of(family.type), family.unit, family.help, openmetrics);
    };
    rows_.push_back({&family, FamilyText(family), {header(false), header(true)}});
  }
}

std::uint64_t Serializer::write_sessions(std::span<const Shown> sessions,
                                         const Everything& everything, Format format, bool created,
                                         Text& out) {
  std::uint64_t total = 0;
  for (const Row& row : rows_) {
    const std::size_t begin = out.size();
    out.append(row.headers[is_openmetrics(format) ? 1 : 0]);
    Series series(row.text, bounds_, created && is_openmetrics(format), out);
    if (row.family->of_page != nullptr) row.family->of_page(everything, series);
    if (row.family->of_session != nullptr) {
      for (const Shown& session : sessions) {
        series.begin_session(session.label, session.snapshot.first_started);
        row.family->of_session(session, series);
      }
    }
    if (series.count() == 0) out.truncate(begin);
    total += series.count();
  }
  return total;
}

void Serializer::write_collected(std::span<const prometheus::MetricFamily> families,
                                 std::uint64_t revision, Format format, Text& out) {
  const bool openmetrics = is_openmetrics(format);
  Outline& outline = outlines_[openmetrics ? 1 : 0];
  outline.begin(revision);
  CollectedLines lines(outline, openmetrics, out);
  for (const prometheus::MetricFamily& family : families) lines.write(family);
}

void Serializer::write_end(Format format, Text& out) {
  if (is_openmetrics(format)) out.append("# EOF\n");
}

}  // namespace agent::metrics
