// `replay FILE|-`: recorded events in event time; every session as GET /v1/sessions/{id} shows it.
// Refused lines are reported on standard error and do not change the exit code: what the agent
// would refuse is a finding of the replay, not a fault of it.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "agent/cli/command.h"
#include "agent/cli/eta_model.h"
#include "agent/cli/output.h"
#include "agent/cli/player.h"
#include "agent/cli/translate.h"
#include "agent/cli/version.h"
#include "agent/metrics/exposition.h"
#include "agent/web/json.h"
#include "agent/wire/framer.h"

namespace agent::cli {
namespace {

// A file that is written front to back and checked when it is closed.
class OutputFile {
 public:
  explicit OutputFile(std::string path)
      : path_(std::move(path)), file_(path_.empty() ? nullptr : std::fopen(path_.c_str(), "we")) {}

  [[nodiscard]] bool is_wanted() const { return !path_.empty(); }
  void write(std::string_view text) {
    if (file_) std::fwrite(text.data(), 1, text.size(), file_.get());
  }
  // Whether everything written has reached the file.
  [[nodiscard]] Result<void> close() {
    if (!is_wanted()) return {};
    const bool good = file_ && !std::ferror(file_.get()) && std::fclose(file_.release()) == 0;
    if (good) return {};
    return failure("cannot write " + path_ + ": " + std::strerror(errno));
  }

 private:
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::string path_;
  std::unique_ptr<std::FILE, Closer> file_;
};

// Feeds a file's lines to the player.
class Reading {
 public:
  Reading(std::string name, Player& player, std::size_t max_line_bytes)
      : name_(std::move(name)), player_(player), framer_(max_line_bytes), buffer_(max_line_bytes) {}

  Result<void> run() {
    const bool is_stdin = name_ == "-";
    const int file = is_stdin ? STDIN_FILENO : ::open(name_.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return failure("cannot read " + name_ + ": " + std::strerror(errno));
    Result<void> read = read_all(file);
    if (!is_stdin) ::close(file);
    return read;
  }

 private:
  Result<void> read_all(int file) {
    const std::span<char> room = buffer_.room();
    for (;;) {
      const ssize_t got = ::read(file, room.data(), room.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return failure("cannot read " + name_ + ": " + std::strerror(errno));
      if (got == 0) break;
      framer_.feed(room.first(static_cast<std::size_t>(got)));
      while (const auto line = framer_.next()) play(*line);
    }
    if (const auto last = framer_.finish()) play(*last);
    player_.finish();
    return {};
  }

  void play(const wire::Line& line) {
    const auto played = player_.play(line);
    if (played) return;
    const progress::Rejection& rejection = played.error();
    const std::string field = rejection.field.empty() ? "" : rejection.field + ": ";
    complain_plainly(name_ + ":" + std::to_string(line.number) + ": " +
                     std::string(name_of(rejection.reason)) + ": " + field + rejection.message);
  }

  std::string name_;
  Player& player_;
  wire::Framer framer_;
  wire::ReadBuffer buffer_;
};

int print_sessions(const View& view) {
  for (const progress::SnapshotPtr& session : view.sessions) {
    if (print(web::session_json(*session) + "\n") != kSuccess) return kFault;
  }
  return kSuccess;
}

void write_page(const Player& player, const View& view, metrics::Settings settings,
                OutputFile& out) {
  settings.max_sessions = view.sessions.size() + 1;  // nothing is left out
  metrics::Exposition exposition(std::move(settings), build());
  metrics::AgentCounts counts;
  metrics::SourceCounts& source = counts.sources.emplace_back();
  source.source = "replay";
  source.events = player.applied();
  source.rejected = player.rejected();
  const tracker::Totals totals = player.totals();
  counts.duplicates = totals.duplicates;
  counts.stale = totals.stale;
  counts.gaps = totals.gaps;
  counts.files = totals.files;
  counts.eta_errors = eta_error_series(player.eta_errors());
  out.write(exposition.render(view, counts, {}).body->view());
}

}  // namespace

int replay(const Invocation& invocation) {
  const auto settings = settings::load(invocation.given);
  if (!settings) return complain_of(settings.error());
  auto model = load_eta_model(*settings);
  if (!model) {
    complain_plainly(model.error().message);
    return kUsage;
  }
  OutputFile eta_log(invocation.option("--eta.log"));
  OutputFile alert_log(invocation.option("--alert.log"));
  OutputFile page(invocation.option("--metrics.out"));
  EtaLog::Write write_prediction, write_alert;
  if (eta_log.is_wanted()) write_prediction = [&](std::string_view line) { eta_log.write(line); };
  if (alert_log.is_wanted()) write_alert = [&](std::string_view line) { alert_log.write(line); };

  const auto max_line = static_cast<std::size_t>(settings->ingest.max_line_bytes.count);
  Player player(tracker_settings(*settings, *std::move(model)), max_line, write_prediction,
                write_alert);
  Result<void> done = Reading(invocation.arguments[0], player, max_line).run();
  const View view = player.view();
  int code = print_sessions(view);
  if (page.is_wanted()) write_page(player, view, metrics_settings(*settings), page);
  for (Result<void> result : {std::move(done), eta_log.close(), alert_log.close(), page.close()}) {
    if (result) continue;
    complain("replay: " + result.error().message);
    code = kFault;
  }
  return code;
}

}  // namespace agent::cli
