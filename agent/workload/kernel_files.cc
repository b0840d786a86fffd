#include "agent/workload/kernel_files.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace agent::workload {
namespace {

constexpr std::string_view kBlanks = " \t\n";

// The next word; empty at the end.
std::string_view take_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(kBlanks));
  text.remove_prefix(word.size());
  return word;
}

std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

std::optional<std::int64_t> number(std::string_view word) {
  std::int64_t value = 0;
  const char* end = word.data() + word.size();
  const auto parsed = std::from_chars(word.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end || value < 0) return std::nullopt;
  return value;
}

// Counters of the kernel may stand anywhere; their sum stays a number.
void add_up(std::int64_t& sum, std::int64_t more) {
  sum += std::min(more, std::numeric_limits<std::int64_t>::max() - sum);
}

}  // namespace

std::optional<std::int64_t> amount(std::string_view text) {
  const auto value = number(take_word(text));
  return take_word(text).empty() ? value : std::nullopt;
}

std::optional<std::int64_t> keyed_amount(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (take_word(line) == key) return amount(line);
  }
  return std::nullopt;
}

std::optional<double> cpu_limit(std::string_view text) {
  const auto quota = number(take_word(text));
  const auto period = amount(text);
  if (!quota || !period || *period == 0) return std::nullopt;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

// "  eth0: RECEIVED... SENT...", eight numbers each, of which the first are bytes and the third
// errors. Two lines of headings have no colon.
std::optional<NetworkCounts> network_counts(std::string_view text) {
  constexpr std::size_t kColumns = 16, kRxBytes = 0, kRxErrors = 2, kTxBytes = 8, kTxErrors = 10;
  std::optional<NetworkCounts> sums;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    const std::size_t colon = line.rfind(':');
    if (colon == std::string_view::npos) continue;
    std::string_view name = line.substr(0, colon);
    if (take_word(name) == "lo") continue;
    line.remove_prefix(colon + 1);
    std::array<std::int64_t, kColumns> columns{};
    for (std::int64_t& column : columns) column = number(take_word(line)).value_or(0);
    if (!sums) sums.emplace();
    add_up(sums->rx_bytes, columns[kRxBytes]);
    add_up(sums->tx_bytes, columns[kTxBytes]);
    add_up(sums->errors, columns[kRxErrors]);
    add_up(sums->errors, columns[kTxErrors]);
  }
  return sums;
}

}  // namespace agent::workload
