#include "agent/alert/text.h"

#include <algorithm>
#include <cctype>
#include <cstdio>

namespace agent::alert {
namespace {

constexpr std::string_view kPrefix = "Progress";

std::string compact(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

}  // namespace

std::string decimal(double value, int digits) {
  char text[352];  // the longest double has 309 digits before the point
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string format_value(double value, std::string_view unit) {
  if (unit == "ratio") return decimal(value * 100, 1) + " %";
  if (unit == "%") return decimal(value, 0) + " %";
  if (unit == "ms") return decimal(value / 1000, 1) + " s";
  if (unit == "s") return decimal(value, 0) + " s";
  if (unit == "money") return decimal(value, 2);
  return unit.empty() ? compact(value) : compact(value) + " " + std::string(unit);
}

std::string replace_all(std::string_view text, std::string_view what, std::string_view with) {
  std::string out;
  for (std::size_t at; (at = text.find(what)) != text.npos; text.remove_prefix(at + what.size())) {
    out.append(text.substr(0, at)).append(with);
  }
  return out.append(text);
}

std::string message_of(const Rule& rule, const Reading& reading, double threshold) {
  std::string text =
      replace_all(rule.description, "{value}", format_value(reading.value, rule.unit));
  text = replace_all(text, "{threshold}", format_value(threshold, rule.unit));
  if (!reading.detail.empty()) text += " (" + reading.detail + ")";
  return text;
}

std::string alert_name(const Rule& rule) { return std::string(kPrefix).append(rule.name); }

std::string runbook_url(std::string_view runbooks, std::string_view alert_name) {
  std::string anchor(alert_name);
  std::ranges::transform(anchor, anchor.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::string(runbooks) + anchor;
}

}  // namespace agent::alert
