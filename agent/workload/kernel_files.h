// What the kernel writes about a control group (v2) and a network: its files' texts as numbers.
// Untrusted bytes: whatever is not as the kernel's documentation says is unknown. Pure; any thread.
// Sources: Documentation/admin-guide/cgroup-v2.rst, net/core/net-procfs.c.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace agent::workload {

// "1234\n"; empty for "max", and for what is no amount.
std::optional<std::int64_t> amount(std::string_view text);
// The value in the line "KEY VALUE" of memory.stat or cpu.stat.
std::optional<std::int64_t> keyed_amount(std::string_view text, std::string_view key);
// Cores, from cpu.max: "QUOTA PERIOD" in microseconds; empty for "max PERIOD".
std::optional<double> cpu_limit(std::string_view text);

// Of all interfaces but the loopback one.
struct NetworkCounts {
  std::int64_t rx_bytes = 0, tx_bytes = 0;
  std::int64_t errors = 0;  // received and sent
};
// From /proc/net/dev; empty when it names no interface.
std::optional<NetworkCounts> network_counts(std::string_view text);

}  // namespace agent::workload
