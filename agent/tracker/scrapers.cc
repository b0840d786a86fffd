#include "agent/tracker/scrapers.h"

#include <algorithm>

namespace agent::tracker {

void Scrapers::received(std::string_view address, std::uint64_t generation, SteadyInstant now) {
  const auto found = by_address_.find(address);
  if (found != by_address_.end()) {
    Scraper& scraper = found->second;
    scraper.interval = now - scraper.last;
    scraper.last = now;
    scraper.generation = std::max(scraper.generation, generation);
    return;
  }
  if (by_address_.size() >= kMost) {
    by_address_.erase(std::ranges::min_element(
        by_address_, {}, [](const auto& entry) { return entry.second.last; }));
  }
  by_address_.emplace(address, Scraper{now, std::nullopt, generation});
}

bool Scrapers::all_have(std::uint64_t generation, SteadyInstant now) const {
  bool anybody = false;
  for (const auto& [address, scraper] : by_address_) {
    const bool has_it = scraper.generation >= generation;
    if (!has_it && !scraper.is_forgotten(now)) return false;
    anybody = anybody || has_it;
  }
  return anybody;
}

bool Scrapers::any_has(std::uint64_t generation) const {
  return std::ranges::any_of(
      by_address_, [&](const auto& entry) { return entry.second.generation >= generation; });
}

std::size_t Scrapers::known(SteadyInstant now) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      by_address_, [&](const auto& entry) { return !entry.second.is_forgotten(now); }));
}

}  // namespace agent::tracker
