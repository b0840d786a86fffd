#include "agent/settings/fault.h"

namespace agent::settings {

std::string Origin::text() const {
  if (mark.line == 0) return where;
  return where + ":" + std::to_string(mark.line) + ":" + std::to_string(mark.column);
}

std::string Fault::text() const {
  std::string out = origin.text() + ": " + message;
  if (!suggestion.empty()) out += " (did you mean \"" + suggestion + "\"?)";
  return out;
}

}  // namespace agent::settings
