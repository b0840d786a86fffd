#include "agent/cli/version.h"

#include <fmt/core.h>

#include <CLI/Version.hpp>
#include <boost/version.hpp>

namespace agent::cli {

std::string_view version() { return AGENT_VERSION; }

std::string_view revision() {
  constexpr std::string_view kRevision = AGENT_REVISION;
  return kRevision.empty() ? "unknown" : kRevision;
}

std::string_view compiler() {
#ifdef __clang__
  return "Clang " __clang_version__;
#else
  return "GCC " __VERSION__;
#endif
}

metrics::Build build() {
  return {std::string(version()), std::string(revision()), std::string(compiler())};
}

std::string version_text() {
  const std::string boost =
      fmt::format("Boost {}.{}", BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000);
  const std::string fmt_text =
      fmt::format("fmt {}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100);
  return fmt::format(
      "progress-agent {}\n"
      "  revision   {}\n"
      "  compiler   {}, C++20\n"
      "  libraries  {}, CLI11 {}, {}, {}\n",
      version(), revision(), compiler(), boost, CLI11_VERSION, fmt_text, AGENT_LIBRARIES);
}

}  // namespace agent::cli
