// Image: what storage knows of the sessions, put together from tables and from changes that are not
// in the tables yet: the parts of each session's state and the lists of its files' records, in
// order. The writer folds with it, a restart begins with it. Pure: bytes in, views out; the bytes
// given must outlive it. Not thread-safe.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/progress/changes.h"
#include "agent/progress/file_table.h"

namespace agent::history {

// Lists of file records (Files::save_changed), the earliest first.
using RecordLists = std::vector<std::string_view>;

struct FileImage {
  progress::FileRef ref = 0;
  std::string_view record;
};
// The last record of each file, by ref. Empty: damaged.
std::optional<std::vector<FileImage>> last_records(const RecordLists& lists);

// Files that became void by a change, as they were: of an attempt that is over.
struct FormerFiles {
  std::size_t states = 0;  // how many of the session's states came before that change
  RecordLists files;
};

struct SessionImage {
  std::uint64_t epoch = 0;     // of the files
  std::uint64_t revision = 0;  // of the newest change in it
  bool stored = false;         // the tables have it
  bool changed = false;        // by changes that the tables do not have
  bool epoch_changed = false;  // by a change: files that the tables have are void
  bool gone = false;           // no longer tracked
  std::string_view kept;
  std::string_view told;  // empty: nothing
  std::vector<std::string_view> states;
  std::vector<std::string_view> forecasts;  // after what the tables have, unless that is void
  bool forecast_void = true;
  RecordLists files;
  std::vector<FormerFiles> former;
  std::vector<progress::AlertChange> alerts;  // in the order of their changes
};

class Image {
 public:
  // What the tables have of a session.
  struct Stored {
    std::uint64_t epoch = 0;
    std::uint64_t revision = 0;
  };
  using Lookup = std::function<std::optional<Stored>(std::uint64_t serial)>;

  Image() = default;
  // Asks when the first change of a session comes, instead of being told of all of them.
  explicit Image(Lookup look_up) : look_up_(std::move(look_up)) {}

  // From the tables, before any changes. `revision` is the newest change in the row, `forecast` a
  // list of parts.
  void add_session(std::uint64_t serial, std::uint64_t epoch, std::uint64_t revision,
                   std::string_view kept, std::string_view forecast, std::string_view state);
  // File records of that epoch, of a session that is there.
  void add_files(std::uint64_t serial, std::uint64_t epoch, std::string_view records);

  // Changes in the order in which they were committed. False: damaged.
  [[nodiscard]] bool add_changes(std::string_view changes);

  // Call once, before reading: puts the sessions in order, and drops all but the last word on each
  // producer and family.
  void settle();

  // By serial.
  using Sessions = std::vector<std::pair<std::uint64_t, SessionImage>>;
  [[nodiscard]] const Sessions& sessions() const { return sessions_; }
  [[nodiscard]] Sessions take_sessions() { return std::move(sessions_); }
  // In the order of their last change.
  [[nodiscard]] const std::vector<progress::ProducerChange>& producers() const {
    return producers_;
  }
  [[nodiscard]] const std::vector<progress::StoppedChange>& stopped() const { return stopped_; }
  // The last of each that changed, in the order of their last change.
  [[nodiscard]] const std::vector<progress::FamilyChange>& families() const { return families_; }
  // Of the newest changes.
  [[nodiscard]] const progress::ChangesHead& head() const { return head_; }

 private:
  // Null: it is not there.
  SessionImage* find(std::uint64_t serial);
  SessionImage& add(std::uint64_t serial);
  // Of a session whose changes come.
  SessionImage& changing(std::uint64_t serial);
  void take(const progress::SessionChange& change);
  void take(const progress::AlertChange& change);

  Lookup look_up_;
  Sessions sessions_;
  boost::unordered_flat_map<std::uint64_t, std::uint32_t> places_;  // in sessions_, until settled
  std::vector<progress::ProducerChange> producers_;
  std::vector<progress::StoppedChange> stopped_;
  std::vector<progress::FamilyChange> families_;
  progress::ChangesHead head_;
};

}  // namespace agent::history
