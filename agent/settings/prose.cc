#include "agent/settings/prose.h"

#include <algorithm>

namespace agent::settings {

std::vector<std::string> wrap(std::string_view prose, std::size_t width) {
  std::vector<std::string> lines;
  while (!prose.empty()) {
    const std::size_t end = std::min(prose.find(' '), prose.size());
    const std::string_view word = prose.substr(0, end);
    prose.remove_prefix(std::min(end + 1, prose.size()));
    if (lines.empty() || lines.back().size() + 1 + word.size() > width) {
      lines.emplace_back(word);
    } else {
      (lines.back() += ' ') += word;
    }
  }
  return lines;
}

}  // namespace agent::settings
