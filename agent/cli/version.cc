#include "agent/cli/version.h"

#include <crypt.h>
#include <fmt/format.h>
#include <seccomp.h>
#include <xxhash.h>

#include <CLI/Version.hpp>
#include <boost/version.hpp>
#include <tl/expected.hpp>

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
  const auto named = [](std::string_view name, auto major, auto minor, auto patch) {
    return fmt::format("{} {}.{}.{}", name, major, minor, patch);
  };
  const std::string libraries[] = {
      named("Boost", BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100),
      "CLI11 " CLI11_VERSION,
      named("expected", TL_EXPECTED_VERSION_MAJOR, TL_EXPECTED_VERSION_MINOR,
            TL_EXPECTED_VERSION_PATCH),
      named("fmt", FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100),
      named("libseccomp", SCMP_VER_MAJOR, SCMP_VER_MINOR, SCMP_VER_MICRO),
      "libxcrypt " XCRYPT_VERSION_STR,
      named("xxHash", XXH_VERSION_MAJOR, XXH_VERSION_MINOR, XXH_VERSION_RELEASE),
      AGENT_LIBRARIES,
  };
  return fmt::format(
      "progress-agent {}\n"
      "  revision   {}\n"
      "  compiler   {}, C++20\n"
      "  libraries  {}\n",
      version(), revision(), compiler(), fmt::join(libraries, ", "));
}

}  // namespace agent::cli
