// How much is logged and how a line is written; the settings `log.level` and `log.format`. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace agent::log {

enum class Level : std::uint8_t { kDebug, kInfo, kWarn, kError };
inline constexpr std::array<std::string_view, 4> kLevelNames = {"debug", "info", "warn", "error"};

enum class Format : std::uint8_t { kLogfmt, kJson };
inline constexpr std::array<std::string_view, 2> kFormatNames = {"logfmt", "json"};

}  // namespace agent::log
