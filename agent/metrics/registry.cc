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

bool LabelRecord::next(std::initializer_list<std::string_view> values) {
  bool is_same = true;
  std::size_t text_at = text_at_, size_at = size_at_;
  for (const std::string_view value : values) {
    is_same = is_same && size_at < sizes_.size() && sizes_[size_at] == value.size() &&
              std::string_view(text_).substr(text_at).starts_with(value);
    text_at += value.size();
    ++size_at;
  }
  if (!is_same) {
    forget_rest();
    for (const std::string_view value : values) {
      text_ += value;
      sizes_.push_back(value.size());
    }
  }
  text_at_ = text_at;
  size_at_ = size_at;
  return is_same;
}

void LabelRecord::forget_rest() {
  text_.resize(text_at_);
  sizes_.resize(size_at_);
}

void Samples::add(std::initializer_list<std::string_view> values, Number number) {
  if (!number.is_known()) return;
  const bool is_new = count_ == out_.size();
  if (is_new) {
    note_change();
    out_.emplace_back();
  }
  prometheus::ClientMetric& metric = out_[count_++];
  if (!record_.next(values) || is_new) {
    changed_ = true;
    metric.label.resize(values.size());
    const std::string_view* name = labels_.begin();
    auto label = metric.label.begin();
    for (const std::string_view value : values) {
      label->name = *name++;
      label++->value = value;
    }
  }
  (type_ == Type::kCounter ? metric.counter.value : metric.gauge.value) = number.as_double();
}

Registry::Registry(const Build& build) {
  auto& dropped =
      add_family(prometheus::BuildCounter(), "progress_agent_series_dropped_total", registry_);
  for (std::size_t i = 0; i < dropped_.size(); ++i) {
    dropped_[i].metric = &dropped.Add({{"reason", std::string(kDropReasonNames[i])}});
  }
  scrapes_.metric =
      &add_family(prometheus::BuildHistogram(), "progress_agent_scrape_duration_seconds", registry_)
           .Add({}, prometheus::Histogram::BucketBoundaries(kScrapeBounds.begin(),
                                                            kScrapeBounds.end()));
  add_family(prometheus::BuildGauge(), "progress_agent_build_info", registry_)
      .Add({{"version", build.version}, {"revision", build.revision}, {"compiler", build.compiler}})
      .Set(1);
  take_kept();
}

// Once: the registry copies names, texts and labels each time it is asked.
void Registry::take_kept() {
  std::vector<prometheus::MetricFamily> kept = registry_.Collect();
  for (const AgentFamily& family : agent_families()) {
    prometheus::MetricFamily& here = families_.emplace_back(prometheus::MetricFamily{
        std::string(family.name), std::string(family.help), model_type(family.type), {}});
    if (family.collect != nullptr) continue;
    here = std::move(*std::ranges::find(kept, family.name, &prometheus::MetricFamily::name));
    if (here.type == prometheus::MetricType::Histogram) scrapes_.sample = &here.metric.front();
    if (here.type != prometheus::MetricType::Counter) continue;
    for (prometheus::ClientMetric& sample : here.metric) {
      const auto reason = std::ranges::find(kDropReasonNames, sample.label.front().value);
      dropped_[static_cast<std::size_t>(reason - kDropReasonNames.begin())].sample = &sample;
    }
  }
}

void Registry::count_dropped(DropReason reason, std::uint64_t times) {
  if (times == 0) return;
  dropped_[static_cast<std::size_t>(reason)].metric->Increment(static_cast<double>(times));
}

void Registry::observe_scrape(Duration taken) { scrapes_.metric->Observe(seconds(taken)); }

Collected Registry::collect(const Everything& everything) {
  for (const auto& [metric, sample] : dropped_) sample->counter.value = metric->Value();
  scrapes_.sample->histogram = scrapes_.metric->Collect().histogram;
  record_.begin();
  bool changed = false;
  auto collected = families_.begin();
  for (const AgentFamily& family : agent_families()) {
    prometheus::MetricFamily& here = *collected++;
    if (family.collect == nullptr) continue;
    Samples samples(family.labels, family.type, record_, here.metric, changed);
    family.collect(everything, samples);
  }
  if (changed) ++revision_;
  return {families_, revision_};
}

}  // namespace agent::metrics
