#include "agent/cli/storage.h"

#include <utility>

#include "agent/log/log.h"

namespace agent::cli {
namespace {

history::WriterOptions writer_options(const settings::Settings& settings) {
  history::WriterOptions options;
  options.store.folder = settings.storage.path;
  options.store.most_producers = static_cast<std::int64_t>(settings.ingest.max_producers);
  return options;
}

history::Pace pace(const settings::Settings& settings) {
  return {settings.storage.commit_interval, settings.storage.retention};
}

}  // namespace

Storage::Storage(const settings::Settings& settings, tracker::Tracker& tracker, const Clock& clock,
                 std::function<void()> changed)
    : tracker_(tracker),
      clock_(clock),
      changed_(std::move(changed)),
      reader_(settings.storage.path),
      writer_(writer_options(settings), pace(settings), *this, clock) {}

void Storage::start() {
  tracker_.keep_changes([this] { writer_.wake(); }, clock_.now());
  writer_.open();
  writer_.start();
}

void Storage::configure(const settings::Settings& settings) { writer_.configure(pace(settings)); }

bool Storage::restore(std::shared_ptr<const progress::SavedState> state, Now at) {
  if (!tracker_.restore(state, at)) return false;
  if (!state->sessions.empty()) {
    log::info("restored from storage",
              {{"sessions", state->sessions.size()}, {"producers", state->producers.size()}});
  }
  return true;
}

std::optional<std::uint64_t> Storage::gather(progress::Packer& into, Now at) {
  return tracker_.checkpoint(into, at);
}

void Storage::committed() {
  tracker_.committed();
  changed_();
}

void Storage::storage_fails(bool failing) {
  tracker_.storage_fails(failing);
  changed_();
}

}  // namespace agent::cli
