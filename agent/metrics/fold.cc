#include "agent/metrics/fold.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "agent/metrics/text.h"

namespace agent::metrics {
namespace {

using progress::ProviderTally;
using progress::StageTally;

// How each list is folded: the label that is bounded, what else tells its elements apart, and the
// sum of two elements.
std::string& label_of(ProviderTally& tally) { return tally.provider; }
std::string& label_of(StageTally& tally) { return tally.stage; }
std::string& label_of(EtaErrorSeries& series) { return series.family; }
const std::string& label_of(const ProviderTally& tally) { return tally.provider; }
const std::string& label_of(const StageTally& tally) { return tally.stage; }
const std::string& label_of(const EtaErrorSeries& series) { return series.family; }

char kind_of(const ProviderTally& /*tally*/) { return 0; }
char kind_of(const StageTally& /*tally*/) { return 0; }
char kind_of(const EtaErrorSeries& series) { return static_cast<char>(series.method); }

void add(ProviderTally& to, const ProviderTally& from) {
  to.calls_ok += from.calls_ok;
  to.calls_failed += from.calls_failed;
  to.rate_limit_hits += from.rate_limit_hits;
  to.rate_limit_delay += from.rate_limit_delay;
  to.cost += from.cost;
  to.tokens += from.tokens;
  to.call_seconds.merge(from.call_seconds);
  if (from.quota.remaining()) to.quota = from.quota;
}

void add(StageTally& to, const StageTally& from) {
  to.seconds.merge(from.seconds);
  to.tokens += from.tokens;
  to.cost += from.cost;
}

void add(EtaErrorSeries& to, const EtaErrorSeries& from) { to.errors.merge(from.errors); }

template <typename T>
Fit fit_list(std::span<const T> list, std::size_t max_values) {
  std::size_t values = 0;
  for (const T& element : list) {
    if (!is_label_value(label_of(element))) return Fit::kNot;
    if (label_of(element) != kOther) ++values;
  }
  if (values > max_values) return Fit::kNot;
  // An "other" beside a full list took what came later.
  return values == max_values && values < list.size() ? Fit::kFolded : Fit::kWhole;
}

template <typename T>
Folded<T> fold_list(std::span<const T> list, std::size_t max_values) {
  Folded<T> result;
  std::unordered_set<std::string> shown = {std::string(kOther)};
  std::unordered_map<std::string, std::size_t> place;
  for (const T& element : list) {
    std::string label = label_value(label_of(element));
    if (shown.size() <= max_values) shown.insert(label);
    if (!shown.contains(label)) {
      label = kOther;
      ++result.folded;
    }
    const auto [at, is_new] = place.try_emplace(label + kind_of(element), result.list.size());
    if (!is_new) {
      add(result.list[at->second], element);
      continue;
    }
    result.list.push_back(element);
    label_of(result.list.back()) = std::move(label);
  }
  return result;
}

}  // namespace

Fit fit(std::span<const ProviderTally> providers, std::size_t max_values) {
  return fit_list(providers, max_values);
}
Fit fit(std::span<const StageTally> stages, std::size_t max_values) {
  return fit_list(stages, max_values);
}
Fit fit(std::span<const EtaErrorSeries> errors, std::size_t max_values) {
  return fit_list(errors, max_values);
}

Folded<ProviderTally> fold(std::span<const ProviderTally> providers, std::size_t max_values) {
  return fold_list(providers, max_values);
}
Folded<StageTally> fold(std::span<const StageTally> stages, std::size_t max_values) {
  return fold_list(stages, max_values);
}
Folded<EtaErrorSeries> fold(std::span<const EtaErrorSeries> errors, std::size_t max_values) {
  return fold_list(errors, max_values);
}

}  // namespace agent::metrics
