// What the kernel's files may hold: whatever they say, amounts are never negative and limits are
// numbers.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "agent/workload/kernel_files.h"

namespace {

void require(bool holds, const char* what) {
  if (holds) return;
  std::cerr << what << '\n';
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace agent::workload;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  require(amount(text).value_or(0) >= 0, "a negative amount");
  for (const std::string_view key : {"inactive_file", "usage_usec", ""})
    require(keyed_amount(text, key).value_or(0) >= 0, "a negative amount of a key");
  const double limit = cpu_limit(text).value_or(0);
  require(std::isfinite(limit) && limit >= 0, "a limit of the CPU that is none");
  if (const auto counts = network_counts(text)) {
    require(counts->rx_bytes >= 0 && counts->tx_bytes >= 0 && counts->errors >= 0,
            "a negative count of the network");
  }
  return 0;
}
