#include "agent/history/image.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <functional>

#include "agent/progress/file_record.h"

namespace agent::history {

using progress::FileRecord;

namespace {

void keep_last(std::vector<FileImage>& files) {
  if (std::ranges::adjacent_find(files, std::ranges::greater_equal(), &FileImage::ref) ==
      files.end())
    return;
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

std::optional<std::vector<FileImage>> last_records(const RecordLists& lists) {
  std::vector<FileImage> files;
  for (const std::string_view list : lists) {
    if (!progress::read_parts(list, [&](std::string_view record) {
          files.push_back({FileRecord::ref_of(record), record});
        }))
      return std::nullopt;
  }
  keep_last(files);
  return files;
}

void Image::add_session(std::uint64_t serial, std::uint64_t epoch, std::uint64_t revision,
                        std::string_view kept, std::string_view forecast, std::string_view state) {
  SessionImage& session = add(serial);
  session.epoch = epoch;
  session.revision = revision;
  session.stored = true;
  session.kept = kept;
  session.forecast_void = false;
  if (!progress::read_parts(forecast,
                            [&](std::string_view part) { session.forecasts.push_back(part); }))
    session.forecasts.clear();  // of another version: done without
  session.states.assign(1, state);
}

void Image::add_files(std::uint64_t serial, std::uint64_t epoch, std::string_view records) {
  SessionImage* const session = find(serial);
  if (session == nullptr || session->epoch != epoch) return;  // void by now
  session->files.push_back(records);
}

bool Image::add_changes(std::string_view changes) {
  struct Visitor {
    Image& image;
    void operator()(const progress::ChangesHead& head) const { image.head_ = head; }
    void operator()(const progress::SessionChange& change) const { image.take(change); }
    void operator()(const progress::AlertChange& change) const { image.take(change); }
    void operator()(const progress::SessionGone& gone) const {
      SessionImage& session = image.changing(gone.serial);
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
  return progress::read_changes(changes, Visitor{*this});
}

SessionImage* Image::find(std::uint64_t serial) {
  const auto found = places_.find(serial);
  return found == places_.end() ? nullptr : &sessions_[found->second].second;
}

SessionImage& Image::add(std::uint64_t serial) {
  places_.emplace(serial, static_cast<std::uint32_t>(sessions_.size()));
  return sessions_.emplace_back(serial, SessionImage()).second;
}

SessionImage& Image::changing(std::uint64_t serial) {
  if (SessionImage* const known = find(serial)) return *known;
  SessionImage& session = add(serial);
  if (!look_up_) return session;
  if (const auto stored = look_up_(serial)) {
    session.stored = true;
    session.epoch = stored->epoch;
    session.revision = stored->revision;
    session.forecast_void = false;
    session.states.emplace_back();
  }
  return session;
}

void Image::take(const progress::SessionChange& change) {
  SessionImage& session = changing(change.serial);
  const bool is_new = session.states.empty();
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
  session.files.push_back(change.files);
}

void Image::take(const progress::AlertChange& change) {
  SessionImage* const session = find(change.serial);
  if (session == nullptr || !session->changed) return;  // the tables have it
  session->alerts.push_back(change);
}

void Image::settle() {
  places_ = {};
  constexpr auto kSerial = &Sessions::value_type::first;
  if (!std::ranges::is_sorted(sessions_, {}, kSerial)) std::ranges::sort(sessions_, {}, kSerial);
  keep_last_by_name(producers_);
  keep_last_by_name(families_);
}

}  // namespace agent::history
