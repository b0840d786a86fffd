#include "agent/progress/cost.h"

#include <algorithm>
#include <cmath>

namespace agent::progress {

double cost_of(const Price& price, const TokenUse& use) {
  const std::int64_t cached = std::min(use.cached, use.input);
  const double cached_price = price.cached_per_million.value_or(price.input_per_million);
  return (static_cast<double>(use.input - cached) * price.input_per_million +
          static_cast<double>(cached) * cached_price +
          static_cast<double>(use.output) * price.output_per_million) /
         1e6;
}

std::optional<CostForecast> forecast_cost(double spent, const WorkDone& work,
                                          std::int64_t finished) {
  if (spent <= 0 || work.earned <= 0 || finished <= 0) return std::nullopt;
  const double ahead = spent / work.earned * work.remaining();
  const double spread = std::min(1.0, 1.28 / std::sqrt(static_cast<double>(finished)));
  return CostForecast{spent + ahead * (1 - spread), spent + ahead, spent + ahead * (1 + spread)};
}

}  // namespace agent::progress
