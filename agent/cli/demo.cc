// `demo`: the agent with made-up jobs, fed through the same intake as events from outside.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>

#include "agent/cli/output.h"
#include "agent/cli/sample.h"
#include "agent/cli/serve.h"
#include "agent/settings/values.h"

namespace agent::cli {
namespace {

namespace asio = boost::asio;

constexpr Duration kStep = std::chrono::milliseconds(100);

void take(wire::Intake& intake, wire::Framer& framer, std::string lines, Now now) {
  const std::size_t size = lines.size();
  lines.append(wire::kPadding, ' ');
  tracker::Tracker::Batch batch(intake.tracker(), now);
  framer.feed({lines.data(), size});
  while (const auto line = framer.next()) {
    // One that is refused (too many sessions) is counted as any other.
    static_cast<void>(intake.take(wire::Source::kReplay, *line, batch, now));
  }
}

// Feeds what is due of the sample every tenth of a second, until the agent leaves.
asio::awaitable<void> feed(Agent& agent, SampleOptions options) {
  Sample sample(options);
  wire::Framer framer(agent.intake().max_line_bytes());
  asio::steady_timer timer(agent.loop());
  const SteadyInstant start = agent.clock().now().steady;
  while (!agent.is_leaving()) {
    const Now now = agent.clock().now();
    take(agent.intake(), framer, sample.until(now.steady - start), now);
    timer.expires_after(kStep);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

Result<double> number(const Invocation& invocation, std::string_view option, double least,
                      double greatest) {
  const auto value = settings::read_number(invocation.option(option));
  const settings::Range range{least, greatest};
  if (value && range.holds(*value)) return *value;
  return failure(std::string(option) + ": \"" + invocation.option(option) +
                 "\" is no number from " + settings::show(least) + " to " +
                 settings::show(greatest));
}

Result<SampleOptions> options_of(const Invocation& invocation) {
  const auto speed = number(invocation, "--speed", 0.1, 1000);
  const auto sessions = number(invocation, "--sessions", 1, 200);
  const auto seed = number(invocation, "--seed", 0, 1e15);
  for (const auto* read : {&speed, &sessions, &seed}) {
    if (!*read) return failure(read->error());
  }
  return SampleOptions{*speed, static_cast<std::size_t>(*sessions),
                       static_cast<std::uint64_t>(*seed)};
}

// Whether nobody else can put something into the folder.
bool is_own(const std::string& folder) {
  struct stat there {};
  if (::lstat(folder.c_str(), &there) != 0) return ::mkdir(folder.c_str(), S_IRWXU) == 0;
  return S_ISDIR(there.st_mode) && there.st_uid == ::geteuid() &&
         (there.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

// A newcomer may not be allowed to write below /run: the demo's socket is the user's own. None,
// where somebody else was there first.
void use_own_socket(settings::Settings& settings) {
  if (settings.sources.contains("ingest.socket")) return;
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  const std::string folder = runtime != nullptr && *runtime == '/'
                                 ? std::string(runtime) + "/progress-agent"
                                 : "/tmp/progress-agent-" + std::to_string(::geteuid());
  settings.ingest.socket = is_own(folder) ? folder + "/agent.sock" : "";
}

}  // namespace

int demo(const Invocation& invocation) {
  auto settings = settings::load(invocation.given);
  if (!settings) return complain_of(settings.error());
  const auto options = options_of(invocation);
  if (!options) {
    complain("demo: " + options.error().message);
    return kUsage;
  }
  use_own_socket(*settings);
  return run_agent(*settings, invocation.given, [&](Agent& agent) {
    asio::co_spawn(agent.loop(), feed(agent, *options), asio::detached);
  });
}

}  // namespace agent::cli
