// Recent: the past where there is no database: of each session with analytics a timeline, of each
// family its last runs, within bounds, for as long as the agent runs. Event loop only.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "agent/clock.h"
#include "agent/history/timeline.h"
#include "agent/progress/past.h"
#include "agent/result.h"
#include "agent/view.h"

namespace agent::history {

class Recent {
 public:
  static constexpr std::size_t kFamilies = 256, kRunsEach = 50;

  // Whether it is time to look again. Looking costs a snapshot of every session that changed.
  [[nodiscard]] bool is_due(SteadyInstant now) const {
    return now - looked_ >= Timeline::kFirstSpacing;
  }
  void look(const View& view);

  // As progress::PastSource; these never fail.
  Result<std::vector<progress::PastMinute>> minutes(std::uint64_t serial, std::int64_t attempt,
                                                    Instant from, std::size_t limit) const;
  Result<std::vector<progress::PastRun>> runs(const std::string& family, std::size_t limit) const;
  Result<std::vector<progress::PastFamily>> families(const std::string& after,
                                                     std::size_t limit) const;

 private:
  struct Followed {
    Timeline timeline;
    std::int64_t attempt = 0;
    bool is_recorded = false;  // its run
    std::uint64_t seen = 0;    // the look at which it was there last
  };
  struct Family {
    std::deque<progress::PastRun> runs;  // the oldest first
    std::uint64_t touched = 0;
  };
  void follow(const progress::SessionSnapshot& session);
  void record(const progress::SessionSnapshot& session, const Timeline& timeline);

  boost::unordered_flat_map<std::uint64_t, Followed> followed_;  // by serial
  std::map<std::string, Family> families_;
  SteadyInstant looked_{};
  std::uint64_t looks_ = 0, touches_ = 0;
};

}  // namespace agent::history
