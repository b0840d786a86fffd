// Reader: what the job beside the agent uses, read from its control group and its process, where
// the Pod shares its process namespace. A few small files a call; event loop only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/clock.h"
#include "agent/progress/snapshot.h"
#include "agent/result.h"

namespace agent::workload {

// Which job, as configured.
struct Source {
  std::string process;         // its name; empty: none, the network is then the agent's own
  std::string cgroup;          // a directory; empty: the one that the process sees as its own
  std::string proc = "/proc";  // where the kernel shows processes

  [[nodiscard]] bool is_given() const { return !process.empty() || !cgroup.empty(); }
};

struct Usage {
  progress::Resources resources;  // what is known
  std::string fault;              // why the rest is not; empty: all could be read
};

class Reader {
 public:
  explicit Reader(Source source) : source_(std::move(source)) {}

  [[nodiscard]] bool is_wanted() const { return source_.is_given(); }
  // As of now; the CPU since the call before.
  Usage read(SteadyInstant now);

 private:
  // Its directory below /proc; of several processes with this name the one that came first.
  Result<std::string> find_process();
  Result<void> read_cgroup(const std::string& folder, SteadyInstant now, progress::Resources& into);

  struct Burned {
    SteadyInstant at;
    std::int64_t microseconds = 0;  // of CPU
    std::string folder;
  };
  const Source source_;
  std::string process_;  // its directory, as found last
  std::optional<Burned> burned_;
};

}  // namespace agent::workload
