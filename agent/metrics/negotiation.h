// Negotiation: which format and encoding a scraper gets, from its Accept and Accept-Encoding
// headers (RFC 9110, sections 12.4 and 12.5). Never refuses: who asks for nothing that there is
// gets the text format, as from every Prometheus client. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace agent::metrics {

enum class Format : std::uint8_t {
  kText,          // Prometheus text 0.0.4
  kOpenMetrics1,  // OpenMetrics 1.0.0
  kOpenMetrics0,  // the same page under the name it had in drafts, 0.0.1
};
[[nodiscard]] constexpr bool is_openmetrics(Format format) { return format != Format::kText; }

// As the Prometheus client libraries send it.
[[nodiscard]] std::string_view content_type(Format format);

// The acceptable format with the highest quality; of several the first in the header; text when the
// header does not say (absent, empty, `*/*`, or nothing known).
[[nodiscard]] Format choose_format(std::string_view accept);

// Whether to compress: `gzip` is named (or `*` covers it), and liked no less than plain text.
[[nodiscard]] bool wants_gzip(std::string_view accept_encoding);

}  // namespace agent::metrics
