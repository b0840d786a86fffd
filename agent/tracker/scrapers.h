// Scrapers: who scrapes /metrics, how often, and what each has read. Says when the final values
// have reached everybody who reads them (contract, section 8). Pure: time is an argument; event
// loop only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "agent/clock.h"

namespace agent::tracker {

class Scrapers {
 public:
  // A scraper has fully received a page that shows everything up to `generation`.
  void received(std::string_view address, std::uint64_t generation, SteadyInstant now);

  // At least one scraper, and every one not forgotten, has received a page of `generation` or
  // later. One that stayed away for three of its own intervals is forgotten; one seen only once is
  // not.
  [[nodiscard]] bool all_have(std::uint64_t generation, SteadyInstant now) const;

  // Some scraper has.
  [[nodiscard]] bool any_has(std::uint64_t generation) const;

  [[nodiscard]] std::size_t known(SteadyInstant now) const;

 private:
  struct Scraper {
    SteadyInstant last;
    std::optional<Duration> interval;  // between its last two scrapes
    std::uint64_t generation = 0;      // of the newest page it has

    [[nodiscard]] bool is_forgotten(SteadyInstant now) const {
      return interval && now - last > 3 * *interval;
    }
  };
  // So many addresses are remembered; of more, the one silent longest goes.
  static constexpr std::size_t kMost = 64;

  std::map<std::string, Scraper, std::less<>> by_address_;
};

}  // namespace agent::tracker
