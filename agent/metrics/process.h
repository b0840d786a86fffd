// ProcessProbe: reads what the kernel says about the agent's own process, for the standard
// `process_*` metrics. A read costs a few microseconds: two system calls on a file kept open, and
// three more. The event loop's thread.
#pragma once

#include "agent/metrics/agent_counts.h"

namespace agent::metrics {

class ProcessProbe {
 public:
  ProcessProbe();  // what cannot be opened will be absent
  ~ProcessProbe();
  ProcessProbe(const ProcessProbe&) = delete;
  ProcessProbe& operator=(const ProcessProbe&) = delete;

  [[nodiscard]] ProcessUsage read() const;

 private:
  int statm_, open_files_;            // /proc/self/statm, /proc/self/fd
  std::optional<double> start_time_;  // Unix seconds
};

}  // namespace agent::metrics
