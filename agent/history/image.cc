#include "agent/history/image.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <ranges>

#include "agent/progress/file_record.h"

namespace agent::history {

using progress::FileRecord;

namespace {

// By ref, and only the last record of each.
void keep_last(std::vector<FileImage>& files) {
  std::ranges::stable_sort(files, {}, &FileImage::ref);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (i + 1 < files.size() && files[i + 1].ref == files[i].ref) continue;
    files[kept++] = files[i];
  }
  files.resize(kept);
}

// The last word on each name.
template <typename Named>
void keep_last_by_name(std::vector<Named>& all) {
  boost::unordered_flat_map<std::string_view, std::size_t> last;
  for (std::size_t i = 0; i < all.size(); ++i) last[all[i].name] = i;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (last[all[i].name] == i) all[kept++] = all[i];
  }
  all.resize(kept);
}

}  // namespace

void Image::add_session(std::uint64_t serial, std::uint64_t epoch, std::uint64_t revision,
                        std::string_view kept, std::string_view forecast, std::string_view state) {
  SessionImage& session = sessions_[serial];
  session.epoch = epoch;
  session.revision = revision;
  session.kept = kept;
  session.forecast_void = false;
  if (!forecast.empty()) session.forecasts.assign(1, forecast);
  session.states.assign(1, state);
}

bool Image::add_files(std::uint64_t serial, std::uint64_t epoch, std::string_view records) {
  const auto found = sessions_.find(serial);
  if (found == sessions_.end() || found->second.epoch != epoch) return true;  // void by now
  return progress::read_file_records(records, [&](std::string_view record) {
    found->second.files.push_back({FileRecord::ref_of(record), record});
  });
}

bool Image::add_changes(std::string_view changes) {
  struct Visitor {
    Image& image;
    void operator()(const progress::ChangesHead& head) const { image.head_ = head; }
    void operator()(const progress::SessionChange& change) const { image.take(change); }
    void operator()(const progress::SessionGone& gone) const {
      SessionImage& session = image.sessions_[gone.serial];
      session.gone = session.changed = true;
    }
    void operator()(const progress::ProducerChange& change) const {
      image.producers_.push_back(change);
    }
    void operator()(const progress::StoppedChange& change) const {
      image.stopped_.push_back(change);
    }
    void operator()(const progress::FamilyChange& change) const {
      image.families_.push_back(change);
    }
  };
  return progress::read_changes(changes, Visitor{*this}) && !damaged_;
}

void Image::take(const progress::SessionChange& change) {
  const auto [place, is_new] = sessions_.try_emplace(change.serial);
  SessionImage& session = place->second;
  if (!is_new && head_.revision <= session.revision) return;  // the tables have it
  session.revision = head_.revision;
  session.changed = true;
  session.kept = change.kept;
  session.told = change.told;
  if (change.forecast.empty()) {
    session.forecasts.clear();
    session.forecast_void = true;
  } else {
    session.forecasts.push_back(change.forecast);
  }
  if (is_new) session.epoch = change.epoch;
  if (change.epoch != session.epoch) {
    session.epoch = change.epoch;
    session.epoch_changed = true;
    session.former.push_back({session.states.size(), std::move(session.files)});
    session.files.clear();
  }
  session.states.push_back(change.state);
  if (!progress::read_file_records(change.files, [&](std::string_view record) {
        session.files.push_back({FileRecord::ref_of(record), record});
      }))
    damaged_ = true;
}

void Image::settle() {
  for (SessionImage& session : sessions_ | std::views::values) {
    keep_last(session.files);
    for (FormerFiles& former : session.former) keep_last(former.files);
  }
  keep_last_by_name(producers_);
  keep_last_by_name(families_);
}

}  // namespace agent::history
