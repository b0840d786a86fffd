// How the live feed follows sessions and their files: see tracker.h.
#include <algorithm>
#include <utility>

#include "agent/tracker/tracker.h"

namespace agent::tracker {
namespace {

// Files noted for one session between two looks; beyond it the oldest are forgotten.
constexpr std::size_t kMostNoted = 65'536;

}  // namespace

void Tracked::note_files(const progress::Event& event) {
  if (std::exchange(noted_epoch_, session_.files().epoch()) != session_.files().epoch()) {
    noted_files_.clear();
  }
  const auto note = [&](std::optional<progress::FileRef> ref) {
    if (ref && (noted_files_.empty() || noted_files_.back() != *ref)) noted_files_.push_back(*ref);
  };
  if (std::holds_alternative<progress::FileProgressed>(event.fact)) {
    note(session_.files().latest());
  } else if (const auto* announced = std::get_if<progress::FilesAnnounced>(&event.fact)) {
    for (const progress::AnnouncedFile& each : announced->files) {
      note(session_.files().table().find(each.file));
    }
  }
  if (noted_files_.size() >= 2 * kMostNoted) {
    noted_files_.erase(noted_files_.begin(), noted_files_.end() - kMostNoted);
  }
}

std::vector<progress::FileRef> Tracked::take_noted_files() {
  if (noted_epoch_ != session_.files().epoch()) noted_files_.clear();
  std::ranges::sort(noted_files_);
  noted_files_.erase(std::unique(noted_files_.begin(), noted_files_.end()), noted_files_.end());
  return std::exchange(noted_files_, {});
}

void Sessions::watch_files(bool on) {
  watches_files_ = on;
  for (const auto& [serial, tracked] : by_serial_) {
    static_cast<void>(tracked->take_noted_files());
  }
}

void Tracker::watch_files(bool on) {
  const MutexLock lock(mutex_);
  sessions_.watch_files(on);
}

std::vector<progress::SnapshotPtr> Tracker::sessions_after(std::uint64_t serial, Now at) {
  const MutexLock lock(mutex_);
  std::vector<progress::SnapshotPtr> found;
  const auto& all = sessions_.all();
  for (auto it = all.upper_bound(serial); it != all.end(); ++it) {
    auto snapshot = shown(*it->second, at);
    if (!snapshot) break;  // not to be seen yet, like those behind it
    found.push_back(std::move(snapshot));
  }
  return found;
}

Watched Tracker::watched(std::uint64_t serial, Now at) {
  const MutexLock lock(mutex_);
  const auto& all = sessions_.all();
  const auto found = all.find(serial);
  if (found == all.end()) return {};
  Tracked& tracked = *found->second;
  return {shown(tracked, at), tracked.take_noted_files(), tracked.session().files().epoch()};
}

std::optional<progress::FileSnapshot> Tracker::touched_file(std::uint64_t serial,
                                                            std::uint64_t epoch,
                                                            progress::FileRef file) {
  const MutexLock lock(mutex_);
  const auto& all = sessions_.all();
  const auto found = all.find(serial);
  if (found == all.end()) return std::nullopt;
  const progress::Files& files = found->second->session().files();
  if (files.epoch() != epoch) return std::nullopt;
  return files.snapshot(file);
}

}  // namespace agent::tracker
