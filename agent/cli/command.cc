#include "agent/cli/command.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>

#include "agent/cli/board.h"
#include "agent/cli/emit.h"
#include "agent/cli/help.h"
#include "agent/cli/output.h"
#include "agent/cli/parse.h"
#include "agent/cli/version.h"
#include "agent/progress/event.h"

namespace agent::cli {
namespace {

constexpr std::size_t kAny = std::numeric_limits<std::size_t>::max();

constexpr std::array kDemoOptions = {
    Option{"--speed", "N", "how much faster than real time the samples run (0.1 to 1000)", "10"},
    Option{"--sessions", "N", "how many sessions run at a time (1 to 200)", "6"},
    Option{"--seed", "N", "the same seed gives the same samples", "1"},
};
constexpr std::array kReplayOptions = {
    Option{"--alert.log", kFileValue, "write each alert that begins or ends to this file", ""},
    Option{"--eta.log", kFileValue, "write each session's predictions over time to this file", ""},
    Option{"--metrics.out", kFileValue, "write the final exposition to this file", ""},
};
constexpr std::array kRunOptions = {
    Option{"--session", "NAME", "the session that the job is; needed"},
    Option{"--name", "TEXT", "what people call it; default: the session"},
    Option{"--family", "TEXT", "what repeated runs of it share; default: the name"},
};
constexpr std::array kPipeOptions = {
    Option{"--session", "NAME", "the session that the copying is; needed"},
    Option{"--size", "BYTES", "how many bytes will come, for percentage and ETA"},
    Option{"--lines", "", "count lines instead of bytes"},
    Option{"--expect", "N", "with --lines: how many will come"},
};
constexpr std::array<std::string_view, 2> kTopFormats = {"table", "json"};
constexpr std::array kTopOptions = {
    Option{"--once", "", "print one table and end; so it is too where the output is no terminal"},
    Option{"--format",
           "FORMAT",
           "table, or json: the sessions as the API lists them",
           "table",
           {},
           kTopFormats},
    Option{"--sort",
           "ORDER",
           "started, name, state (what needs looking at first), progress, remaining, errors, cost",
           "state",
           {},
           kBoardOrderNames},
    Option{"--filter", "TEXT", "only sessions whose id, name, family or state holds this"},
    Option{"--session", "ID", "print one session in full"},
    Option{"--url", "URL",
           "the agent's web listener; default: that of the settings, on this machine"},
    Option{"--ca-file", kFileValue, "of https: certificates to trust, instead of the system's"},
    Option{"--server-name", "HOST",
           "of https: the name that its certificate must have, instead of the URL's host"},
    Option{"--cert-file", kFileValue, "of https: a client certificate"},
    Option{"--key-file", kFileValue, "its key"},
    Option{"--username", "NAME", "who asks, where the agent wants to know; with --password-file"},
    Option{"--password-file", kFileValue, "file that holds the password"},
    Option{"--bearer-token-file", kFileValue, "file that holds a bearer token, instead of these"},
};
constexpr std::array<std::string_view, 3> kDocsFormats = {"yaml", "markdown", "kubernetes"};
constexpr std::array<std::string_view, 6> kDocsTopics = {"metrics", "flags", "config",
                                                         "rules",   "man",   "completion"};
constexpr std::array kDocsOptions = {
    Option{
        "--format",
        "FORMAT",
        "of config: yaml (a file with every default) or markdown; of rules: yaml (a rule file of "
        "Prometheus) or kubernetes (a PrometheusRule)",
        "yaml",
        {},
        kDocsFormats},
};

constexpr std::string_view kEmitRemarks =
    "Sends one event; with - every line of standard input is one. Fields are as in the agent's\n"
    "events, with dashes: --total-files is totalFiles. Without an agent it warns and is done.\n\n"
    "  progress-agent emit session.start --session nightly --total-files 400\n"
    "  progress-agent emit file --session nightly --file a.pdf --status completed --bytes 1048576\n"
    "  progress-agent emit session.end --session nightly --status completed\n";
constexpr std::string_view kRunRemarks =
    "  progress-agent run --session nightly -- ./import.sh --all\n\n"
    "The command's input, output, signals and exit code pass through unchanged. The session "
    "starts\n"
    "with it and ends with it: completed, failed with its exit code, or cancelled by a signal.\n"
    "Progress comes from events that it writes to file descriptor 3, a line of JSON each (session "
    "and\n"
    "ts may be left out); from N/M lines in the file $ARGO_PROGRESS_FILE; or else from what its "
    "output\n"
    "shows: 12/400, 37%, and the bars of tqdm, rich, pv, curl, rclone and their like.\n";
constexpr std::string_view kPipeRemarks =
    "  tar c data | progress-agent pipe --session backup --size 52428800 | ssh host 'cat > "
    "data.tar'\n"
    "  progress-agent pipe --session load --lines --expect 1000000 < rows.csv | psql -c 'copy …'\n";

constexpr std::array kCommands = {
    Command{"serve", "", "run the agent", 0, 0, true, {}, serve},
    Command{"demo", "", "run the agent with sample sessions, to look around", 0, 0, true,
            kDemoOptions, demo},
    Command{"check-config",
            "FILE...",
            "check configuration files: every fault, with its place",
            1,
            kAny,
            false,
            {},
            check_config},
    Command{"replay", "FILE|-", "run recorded events through the agent in event time", 1, 1, true,
            kReplayOptions, replay},
    Command{"emit", "EVENT|-", "send an event from a shell, or the lines of standard input", 1, 1,
            true, kEmitOptions, emit, kEmitRemarks, false, progress::kEventNames},
    Command{"run", "", "run a command and report its progress", 0, 0, true, kRunOptions, run_job,
            kRunRemarks, true},
    Command{"pipe", "", "copy standard input to standard output and report its progress", 0, 0,
            true, kPipeOptions, pipe_through, kPipeRemarks},
    Command{"top", "", "watch the sessions of a running agent in the terminal", 0, 0, true,
            kTopOptions, top},
    Command{"docs",
            "metrics|flags|config|rules|man|completion",
            "print reference text",
            1,
            1,
            true,
            kDocsOptions,
            docs,
            {},
            false,
            kDocsTopics},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

const Command* find_command(std::string_view name) {
  const auto command = std::ranges::find(kCommands, name, &Command::name);
  return command == kCommands.end() ? nullptr : &*command;
}

int run(std::vector<std::string> arguments) {
  const auto request = parse(std::move(arguments), settings::environment());
  if (!request) {
    complain(request.error().message);
    return kUsage;
  }
  switch (request->kind) {
    case Request::Kind::kHelp:
      return print(request->command ? help_of(*request->command) : help());
    case Request::Kind::kVersion:
      return print(version_text());
    case Request::Kind::kRun:
      return request->command->run(request->invocation);
  }
  return kUsage;
}

}  // namespace agent::cli
