// Files: every file of a session, each in exactly one state, with tallies that are kept while
// events come, so that no answer ever walks over files. O(1) per event. Pure; not thread-safe.
// Source of every rule: the contract, section 3 ("Rules that decide totals and ETAs").
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/progress/change.h"
#include "agent/progress/event.h"
#include "agent/progress/file_table.h"
#include "agent/progress/label_set.h"
#include "agent/progress/rules.h"
#include "agent/progress/snapshot.h"
#include "agent/progress/work.h"

namespace agent::progress {

enum class Applied : std::uint8_t {
  kApplied,
  kDuplicate,  // its seq was applied before: acknowledged, counted, not applied again
  kStale,      // older than what is known already: counted, not applied
};

// One file as the API shows it. Owns its strings.
struct FileSnapshot {
  std::string file, stage, model, error;
  FileStatus status = FileStatus::kPending;
  double progress = 0;
  std::optional<double> stage_progress, units, quality;
  std::optional<std::int64_t> bytes;
  std::int64_t bytes_done = 0, tokens = 0, retries = 0, tries = 0;
  double cost = 0;
  bool restored = false;
  std::optional<Instant> started, ended, updated;
};

// One file being processed.
struct InFlight {
  Instant started;
  FileRef file;
};

// Sums over the files as they are now, of the present attempt.
struct FileTally {
  FileCounts counts{};
  std::int64_t retries = 0;
  double quality_sum = 0;
  std::int64_t quality_count = 0;
  // Final state - first `processing`, of completed files that were processed.
  double processing_seconds = 0;
  std::int64_t processing_count = 0;
  std::int64_t most_in_flight = 0;

  template <typename Archive, typename Self>
  static void fields(Archive& archive, Self& self) {
    archive(self.counts, self.retries, self.quality_sum, self.quality_count,
            self.processing_seconds, self.processing_count, self.most_in_flight);
  }
};

// What one event did beyond the file itself.
struct FileEffect {
  Applied applied = Applied::kApplied;
  std::optional<FileChange> change;
  std::int64_t bytes = 0, tokens = 0;  // added by this event
  double cost = 0;
  std::int64_t retries = 0;
  std::optional<FileStatus> ended;   // the final state it came into
  std::optional<Duration> took;      // with `ended`: since its first `processing`
  std::optional<std::int64_t> size;  // learned now
  LabelId model = 0, stage = 0;      // what tokens and cost were spent in
  LabelId stage_left = 0;            // with `stage_took`
  std::optional<Duration> stage_took;
};

class Files {
 public:
  explicit Files(const Rules& rules) : rules_(&rules) {
    stages_.intern("", 1);
    models_.intern("", 1);
  }

  // `at` is the event's time. The views in the effect hold until the next call. Empty: applied, and
  // mere progress of the file, as most events are.
  std::optional<FileEffect> apply(const FileProgressed& event, Instant at);
  // Registers one announced file.
  FileEffect announce(const AnnouncedFile& announced, Instant at);
  [[nodiscard]] bool has(std::string_view id) const { return table_.find(id).has_value(); }
  [[nodiscard]] LabelId stage_of(std::string_view id) const {  // 0: none, or no such file
    const auto ref = table_.find(id);
    return ref ? table_.at(*ref).stage : LabelId{0};
  }
  // How many of them are not known yet; no more are looked at than `enough` calls for.
  [[nodiscard]] std::size_t fresh(std::span<const AnnouncedFile> files, std::size_t enough) const;

  // The next attempt takes over what is done: completed and skipped files stay and count as
  // restored, all others are pending again.
  void restore();
  void clear();         // forgets all files and tallies
  void free_records();  // frees the files' memory; tallies stay

  [[nodiscard]] const FileTally& tally() const { return tally_; }
  [[nodiscard]] const Work& work() const { return work_; }
  [[nodiscard]] std::size_t size() const { return table_.size(); }
  [[nodiscard]] std::span<const InFlight> in_flight() const { return in_flight_; }
  // When the oldest file being processed was begun; O(files in flight) at most once per change.
  [[nodiscard]] std::optional<Instant> oldest_start() const;
  [[nodiscard]] const FileTable& table() const { return table_; }
  // The last one that an event named; empty: none since they were cleared.
  [[nodiscard]] std::optional<FileRef> latest() const { return latest_; }
  [[nodiscard]] const LabelSet& stages() const { return stages_; }
  [[nodiscard]] const LabelSet& models() const { return models_; }
  LabelId model_number(std::string_view name) {
    return models_.intern(name, rules_->limits.max_label_values + 1);  // "none" is one
  }
  LabelId stage_number(std::string_view name) {
    return stages_.intern(name, rules_->limits.max_label_values + 1);
  }

  [[nodiscard]] FileSnapshot snapshot(FileRef ref) const;

  // For storage (file_records.h): which files changed, from `keep_changes` on.
  void keep_changes();
  [[nodiscard]] std::span<const FileRef> changed() const { return changed_; }
  // Rises whenever all records before it are void: the list was cleared, freed, or taken over.
  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }
  // Packs the record of each changed file, one by one, and calls them unchanged.
  void save_changed(Packer& packer);
  // Takes lists that `save_changed` gave, the earliest first: the last record of a file counts.
  [[nodiscard]] bool load_records(std::string_view list);
  // Once all lists are taken. False: files are missing.
  [[nodiscard]] bool end_loading();
  // The tallies and names, without the files' records.
  void save(Packer& packer);
  void load(Unpacker& unpacker);
  void forget_saved();

 private:
  void mark_changed(FileRef ref, File& f) {
    if (!keeps_changes_ || f.changed) return;
    f.changed = true;
    changed_.push_back(ref);
  }
  void mark_all_changed();
  [[nodiscard]] bool load_record(std::string_view record);
  struct Before;
  [[nodiscard]] Before look(const File& f, bool is_new) const;
  void tell(const File& f, const Before& before, Instant at, FileEffect& effect) const;
  [[nodiscard]] bool is_mere_progress(const File& f, const FileProgressed& e, Instant at) const;
  std::pair<FileRef, bool> find_or_register(std::string_view id);  // whether it is new
  void take_sizes(File& f, std::optional<std::int64_t> bytes, std::optional<double> units);
  void take_amounts(File& f, const FileProgressed& e, FileEffect& effect);
  void take_progress(File& f, const FileProgressed& e);
  void fill_completed(File& f, FileEffect& effect);
  void take_quality(File& f, double quality);
  void take_rare(File& f, const FileProgressed& e);
  void take_stage(File& f, std::string_view stage, Instant at, FileEffect& effect);
  void merge_same_instant(File& f, const FileProgressed& e, Instant at, FileEffect& effect);
  void become(FileRef ref, FileStatus to, Instant at, FileEffect& effect);
  void begin_try(File& f);
  void leave_stage(File& f, Instant at, FileEffect& effect);
  void enter_flight(FileRef ref);
  void leave_flight(FileRef ref);
  void uncount(const File& f);
  void count(const File& f);
  void count_retries(File& f, std::int64_t retries, FileEffect& effect);
  [[nodiscard]] FileWeight weight(const File& f) const;
  [[nodiscard]] std::optional<double> units(const File& f) const;

  const Rules* rules_;
  FileTable table_;
  std::optional<FileRef>
      latest_;  // the last one named: jobs speak of one file several times in a row
  Work work_;
  LabelSet stages_, models_;  // number 0 is "none"
  FileTally tally_;
  std::vector<InFlight> in_flight_;
  mutable std::optional<Instant> oldest_;  // of in_flight_; empty: look again
  bool keeps_changes_ = false;
  std::vector<FileRef> changed_;
  std::uint64_t epoch_ = 0;
  std::size_t expected_ = 0;  // records that belong to what was loaded
};

}  // namespace agent::progress
