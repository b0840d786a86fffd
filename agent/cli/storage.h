// Storage: the tracker's state in the database, wired together: what the writer gathers and gives
// back, and who hears that something became durable. The writer's thread calls the overrides; all
// else is the event loop's.
#pragma once

#include <functional>

#include "agent/history/reader.h"
#include "agent/history/writer.h"
#include "agent/settings/settings.h"
#include "agent/tracker/tracker.h"

namespace agent::cli {

class Storage final : public history::Source {
 public:
  // `changed` is called from the writer's thread whenever something became durable, or storage
  // failed or works again; it must not block.
  Storage(const settings::Settings& settings, tracker::Tracker& tracker, const Clock& clock,
          std::function<void()> changed);

  // Restores what was stored, and begins to store. Faults are logged and tried again.
  void start();
  void configure(const settings::Settings& settings);  // after a reload
  void stop() { writer_.stop(); }
  [[nodiscard]] history::Reader& reader() { return reader_; }
  [[nodiscard]] history::WriterState state() const { return writer_.state(); }

  bool restore(std::shared_ptr<const progress::SavedState> state, Now at) override;
  progress::Restoring restore_more() override { return tracker_.restore_more(); }
  std::optional<std::uint64_t> gather(progress::Packer& into, Now at) override;
  void committed() override;
  void storage_fails(bool failing) override;
  void forget_saved() override { tracker_.forget_saved(); }

 private:
  tracker::Tracker& tracker_;
  const Clock& clock_;
  const std::function<void()> changed_;
  history::Reader reader_;
  history::Writer writer_;
};

}  // namespace agent::cli
