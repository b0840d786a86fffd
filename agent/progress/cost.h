// What tokens cost, by model. Pure; any thread.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/progress/text.h"
#include "agent/progress/work.h"

namespace agent::progress {

// Money per million tokens, in the session's currency.
struct Price {
  double input_per_million = 0, output_per_million = 0;
  std::optional<double> cached_per_million;  // absent: cached tokens cost what other input does
};
using Pricing = boost::unordered_flat_map<std::string, Price, TextHash, TextEqual>;

struct TokenUse {
  std::int64_t input = 0;  // with the cached ones among them
  std::int64_t output = 0;
  std::int64_t cached = 0;  // of the input, read from a cache
};

// input and output at their price; the cached part of the input at its own.
double cost_of(const Price& price, const TokenUse& use);

// What the session will have cost at its end: a range that holds in four cases of five.
struct CostForecast {
  double low = 0, likely = 0, high = 0;
};
// Cost so far / work earned x work remaining, +- 1.28 sigma of a mean over `finished` files whose
// costs vary as much as an exponential distribution's (coefficient of variation 1). Empty while
// nothing was earned or spent.
std::optional<CostForecast> forecast_cost(double spent, const WorkDone& work,
                                          std::int64_t finished);

}  // namespace agent::progress
