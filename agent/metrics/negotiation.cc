#include "agent/metrics/negotiation.h"

#include <algorithm>
#include <array>
#include <optional>

namespace agent::metrics {
namespace {

constexpr std::string_view kBlank = " \t";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

bool same(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

// Takes the next part of a list off its front. Neither header has commas or semicolons in quotes.
std::string_view next(std::string_view& list, char separator) {
  const std::size_t end = std::min(list.find(separator), list.size());
  const std::string_view part = list.substr(0, end);
  list.remove_prefix(std::min(end + 1, list.size()));
  return trimmed(part);
}

std::string_view unquoted(std::string_view text) {
  const bool quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
  return quoted ? text.substr(1, text.size() - 2) : text;
}

// A quality in thousandths: "1", "0.5", "0.125". What is malformed is worth nothing.
int quality(std::string_view text) {
  constexpr int kWhole = 1000;
  if (text.empty() || (text[0] != '0' && text[0] != '1')) return 0;
  int value = (text[0] - '0') * kWhole;
  if (text.size() == 1) return value;
  if (text[1] != '.' || text.size() > 5) return 0;
  int place = kWhole / 10;
  for (const char c : text.substr(2)) {
    if (c < '0' || c > '9') return 0;
    value += (c - '0') * place;
    place /= 10;
  }
  return value <= kWhole ? value : 0;
}

// One element of either header: "application/openmetrics-text;version=1.0.0;q=0.5".
struct Range {
  std::string_view name;
  std::optional<std::string_view> version;
  int quality = 1000;
};

Range parse_range(std::string_view element) {
  Range range{.name = next(element, ';'), .version = std::nullopt};
  while (!element.empty()) {
    std::string_view parameter = next(element, ';');
    const std::string_view name = next(parameter, '=');
    if (same(name, "q")) range.quality = quality(trimmed(parameter));
    if (same(name, "version")) range.version = unquoted(trimmed(parameter));
  }
  return range;
}

struct Offer {
  Format format;
  std::string_view type, any_subtype, version, content_type;
};
// In the order of preference where the header leaves it open.
constexpr std::array<Offer, 3> kOffers = {{
    {Format::kText, "text/plain", "text/*", "0.0.4", "text/plain; version=0.0.4; charset=utf-8"},
    {Format::kOpenMetrics1, "application/openmetrics-text", "application/*", "1.0.0",
     "application/openmetrics-text; version=1.0.0; charset=utf-8"},
    {Format::kOpenMetrics0, "application/openmetrics-text", "application/*", "0.0.1",
     "application/openmetrics-text; version=0.0.1; charset=utf-8"},
}};

// How closely a range describes an offer; 0: not at all.
int closeness(const Range& range, const Offer& offer) {
  if (same(range.name, offer.type)) {
    if (!range.version) return 3;
    return *range.version == offer.version ? 4 : 0;
  }
  if (same(range.name, offer.any_subtype)) return 2;
  return range.name == "*/*" ? 1 : 0;
}

// What the header says of one offer: the closest range counts.
struct Verdict {
  int closeness = 0, quality = 0;
  std::size_t place = 0;  // of the range in the header

  [[nodiscard]] bool is_better_than(const Verdict& other) const {
    if (quality != other.quality) return quality > other.quality;
    const bool both_named = closeness > 1 && other.closeness > 1;
    if (!both_named) return closeness > other.closeness;
    return place < other.place;
  }
};

Verdict judge(const Offer& offer, std::string_view accept) {
  Verdict verdict;
  for (std::size_t place = 0; !accept.empty(); ++place) {
    const Range range = parse_range(next(accept, ','));
    const int close = closeness(range, offer);
    if (close > verdict.closeness) verdict = {close, range.quality, place};
  }
  return verdict;
}

}  // namespace

std::string_view content_type(Format format) {
  return kOffers[static_cast<std::size_t>(format)].content_type;
}

Format choose_format(std::string_view accept) {
  Verdict best;
  Format chosen = Format::kText;
  for (const Offer& offer : kOffers) {
    const Verdict verdict = judge(offer, accept);
    if (verdict.quality == 0 || !verdict.is_better_than(best)) continue;
    best = verdict;
    chosen = offer.format;
  }
  return chosen;
}

bool wants_gzip(std::string_view accept_encoding) {
  std::optional<int> gzip, identity, any;
  while (!accept_encoding.empty()) {
    const Range range = parse_range(next(accept_encoding, ','));
    if (same(range.name, "gzip") || same(range.name, "x-gzip")) gzip = range.quality;
    if (same(range.name, "identity")) identity = range.quality;
    if (range.name == "*") any = range.quality;
  }
  const int liked = gzip.value_or(any.value_or(0));
  return liked > 0 && liked >= identity.value_or(0);
}

}  // namespace agent::metrics
