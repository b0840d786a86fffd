#include "agent/metrics/registry.h"

#include <algorithm>

namespace agent::metrics {
namespace {

// Seconds: 0.1 ms to 1 s.
constexpr std::array<double, 9> kScrapeBounds = {0.0001, 0.0005, 0.001, 0.0025, 0.005,
                                                 0.01,   0.05,   0.25,  1};

prometheus::MetricType model_type(Type type) {
  switch (type) {
    case Type::kGauge:
      return prometheus::MetricType::Gauge;
    case Type::kCounter:
      return prometheus::MetricType::Counter;
    case Type::kHistogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

const AgentFamily& row(std::string_view name) {
  return *std::ranges::find(agent_families(), name, &AgentFamily::name);
}

// A family of prometheus-cpp's with the name and the help of its row.
template <typename Builder>
auto& add_family(Builder builder, std::string_view name, prometheus::Registry& registry) {
  return builder.Name(std::string(name)).Help(std::string(row(name).help)).Register(registry);
}

}  // namespace

void Samples::add(std::initializer_list<std::string_view> values, Number number) {
  if (!number.is_known()) return;
  if (count_ == out_.size()) out_.emplace_back();
  prometheus::ClientMetric& metric = out_[count_++];
  metric.label.resize(values.size());
  const std::string_view* name = labels_.begin();
  auto label = metric.label.begin();
  for (const std::string_view value : values) {
    label->name = *name++;
    label++->value = value;
  }
  (type_ == Type::kCounter ? metric.counter.value : metric.gauge.value) = number.as_double();
}

Registry::Registry(const Build& build) {
  auto& dropped =
      add_family(prometheus::BuildCounter(), "progress_agent_series_dropped_total", registry_);
  for (std::size_t i = 0; i < dropped_.size(); ++i) {
    dropped_[i] = &dropped.Add({{"reason", std::string(kDropReasonNames[i])}});
  }
  scrapes_ =
      &add_family(prometheus::BuildHistogram(), "progress_agent_scrape_duration_seconds", registry_)
           .Add({}, prometheus::Histogram::BucketBoundaries(kScrapeBounds.begin(),
                                                            kScrapeBounds.end()));
  add_family(prometheus::BuildGauge(), "progress_agent_build_info", registry_)
      .Add({{"version", build.version}, {"revision", build.revision}, {"compiler", build.compiler}})
      .Set(1);
  for (const AgentFamily& family : agent_families()) {
    families_.push_back(
        {std::string(family.name), std::string(family.help), model_type(family.type), {}});
  }
}

void Registry::count_dropped(DropReason reason, std::uint64_t times) {
  if (times > 0) dropped_[static_cast<std::size_t>(reason)]->Increment(static_cast<double>(times));
}

void Registry::observe_scrape(Duration taken) { scrapes_->Observe(seconds(taken)); }

std::span<const prometheus::MetricFamily> Registry::collect(const Everything& everything) {
  std::vector<prometheus::MetricFamily> kept = registry_.Collect();
  auto collected = families_.begin();
  for (const AgentFamily& family : agent_families()) {
    if (family.collect == nullptr) {
      *collected++ =
          std::move(*std::ranges::find(kept, family.name, &prometheus::MetricFamily::name));
      continue;
    }
    Samples samples(family.labels, family.type, collected++->metric);
    family.collect(everything, samples);
  }
  return families_;
}

}  // namespace agent::metrics
