#include "agent/metrics/serializer.h"

#include <algorithm>

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

// One collected sample: name, labels, and up to one label more.
struct Sample {
  std::string_view name, suffix;
  const std::vector<prometheus::ClientMetric::Label>& labels;
  std::string_view extra_name = {}, extra_value = {};  // le, quantile
};

void write_sample(const Sample& sample, Number number, Text& out) {
  if (!number.is_known()) return;
  out.append(sample.name);
  out.append(sample.suffix);
  const bool has_labels = !sample.labels.empty() || !sample.extra_name.empty();
  if (has_labels) out.append("{");
  for (const auto& label : sample.labels) append_label(out, label.name, label.value);
  if (!sample.extra_name.empty()) append_label(out, sample.extra_name, sample.extra_value);
  out.append(has_labels ? "} " : " ");
  char* at = number.put(out.room(Number::kRoom + 1));
  *at++ = '\n';
  out.commit(at);
}

void write_histogram(std::string_view name, const prometheus::ClientMetric& metric, Text& out) {
  const auto& histogram = metric.histogram;
  for (const auto& bucket : histogram.bucket) {
    const bool is_last = std::isinf(bucket.upper_bound);
    const std::string bound = is_last ? "+Inf" : bound_text(bucket.upper_bound);
    write_sample({name, "_bucket", metric.label, "le", bound}, bucket.cumulative_count, out);
  }
  if (histogram.bucket.empty() || !std::isinf(histogram.bucket.back().upper_bound)) {
    write_sample({name, "_bucket", metric.label, "le", "+Inf"}, histogram.sample_count, out);
  }
  write_sample({name, "_sum", metric.label}, histogram.sample_sum, out);
  write_sample({name, "_count", metric.label}, histogram.sample_count, out);
}

void write_summary(std::string_view name, const prometheus::ClientMetric& metric, Text& out) {
  for (const auto& quantile : metric.summary.quantile) {
    const std::string q = bound_text(quantile.quantile);
    write_sample({name, "", metric.label, "quantile", q}, quantile.value, out);
  }
  write_sample({name, "_sum", metric.label}, metric.summary.sample_sum, out);
  write_sample({name, "_count", metric.label}, metric.summary.sample_count, out);
}

void write_metric(const prometheus::MetricFamily& family, const prometheus::ClientMetric& metric,
                  bool openmetrics, Text& out) {
  const std::string_view name = family.name;
  switch (family.type) {
    case prometheus::MetricType::Counter: {
      const bool adds_total = openmetrics && !name.ends_with(kTotal);
      write_sample({name, adds_total ? kTotal : "", metric.label}, metric.counter.value, out);
      return;
    }
    case prometheus::MetricType::Gauge:
      write_sample({name, "", metric.label}, metric.gauge.value, out);
      return;
    case prometheus::MetricType::Untyped:
      write_sample({name, "", metric.label}, metric.untyped.value, out);
      return;
    case prometheus::MetricType::Histogram:
      write_histogram(name, metric, out);
      return;
    case prometheus::MetricType::Summary:
      write_summary(name, metric, out);
      return;
  }
}

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

void Serializer::write_collected(std::span<const prometheus::MetricFamily> families, Format format,
                                 Text& out) {
  const bool openmetrics = is_openmetrics(format);
  for (std::size_t i = 0; i < families.size(); ++i) {
    const prometheus::MetricFamily& family = families[i];
    if (family.metric.empty()) continue;
    out.append(header_of(family, i, openmetrics));
    for (const auto& metric : family.metric) write_metric(family, metric, openmetrics, out);
  }
}

const std::string& Serializer::header_of(const prometheus::MetricFamily& family, std::size_t i,
                                         bool openmetrics) {
  if (collected_.size() <= i) collected_.resize(i + 1);
  Header& known = collected_[i];
  if (known.name != family.name || known.help != family.help || known.type != family.type) {
    const auto text = [&](bool in_openmetrics) {
      return header_text(family.name, type_text(family.type, in_openmetrics), unit_of(family.name),
                         family.help, in_openmetrics);
    };
    known = {family.name, family.help, family.type, {text(false), text(true)}};
  }
  return known.texts[openmetrics ? 1 : 0];
}

void Serializer::write_end(Format format, Text& out) {
  if (is_openmetrics(format)) out.append("# EOF\n");
}

}  // namespace agent::metrics
