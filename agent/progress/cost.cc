#include "agent/progress/cost.h"

#include <algorithm>

namespace agent::progress {

double cost_of(const Price& price, const TokenUse& use) {
  const std::int64_t cached = std::min(use.cached, use.input);
  const double cached_price = price.cached_per_million.value_or(price.input_per_million);
  return (static_cast<double>(use.input - cached) * price.input_per_million +
          static_cast<double>(cached) * cached_price +
          static_cast<double>(use.output) * price.output_per_million) /
         1e6;
}

}  // namespace agent::progress
