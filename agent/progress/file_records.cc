// What storage keeps of files: see files.h.
#include <algorithm>

#include "agent/progress/archive.h"
#include "agent/progress/changes.h"
#include "agent/progress/file_record.h"
#include "agent/progress/files.h"

namespace agent::progress {

void Files::keep_changes() {
  if (keeps_changes_) return;
  keeps_changes_ = true;
  mark_all_changed();
}

// In the order first seen, in which they must come to who has none of them.
void Files::mark_all_changed() {
  for (const FileRef ref : changed_) table_.at(ref).changed = false;
  changed_.clear();
  for (auto ref = table_.next_from(0); ref;
       ref = table_.next_from(FileTable::after(*ref, table_.at(*ref))))
    mark_changed(*ref, table_.at(*ref));
}

void Files::save_changed(Packer& packer) {
  packer.number(changed_.size());
  constexpr std::size_t kAhead = 6;  // files hit at random are in no cache
  for (std::size_t i = 0; i < changed_.size(); ++i) {
    if (i + kAhead < changed_.size()) table_.prefetch(changed_[i + kAhead]);
    const FileRef ref = changed_[i];
    File& f = table_.at(ref);
    f.changed = false;
    const std::size_t part = packer.open();
    FileRecord::save(packer, ref, f, table_.rare_of(f));
    packer.close(part);
  }
  changed_.clear();
}

bool Files::load_records(std::string_view list) {
  constexpr std::size_t kLeastRecord = 16;  // bytes: what is expected may be damaged
  table_.reserve(std::min(expected_, table_.size() + list.size() / kLeastRecord));
  bool fits = true;
  const bool whole =
      read_parts(list, [&](std::string_view record) { fits = fits && load_record(record); });
  return whole && fits;
}

bool Files::load_record(std::string_view bytes) {
  FileRecord record;
  if (!record.load(bytes) || record.file.stage >= stages_.size() ||
      record.file.model >= models_.size())
    return false;
  const std::uint32_t hash = FileTable::hash(record.id);
  const auto ref = record.ref < table_.end() ? table_.find(record.id, hash)
                                             : std::optional(table_.insert(record.id, hash));
  if (ref != record.ref) return false;
  File& f = table_.at(*ref);
  record.file.id_bytes = f.id_bytes;
  record.file.rare = f.rare;
  f = record.file;
  if (record.has_rare) table_.rare(f) = std::move(record.rare);
  return true;
}

bool Files::end_loading() {
  for (auto ref = table_.next_from(0); ref;
       ref = table_.next_from(FileTable::after(*ref, table_.at(*ref)))) {
    if (table_.at(*ref).status == FileStatus::kProcessing) enter_flight(*ref);
  }
  return table_.size() == expected_;
}

void Files::save(Packer& packer) {
  packer(tally_, work_, epoch_);
  packer.number(table_.size() > 0 ? table_.size() : expected_);
  stages_.save(packer);
  models_.save(packer);
}

void Files::load(Unpacker& unpacker) {
  unpacker(tally_, work_, epoch_);
  expected_ = unpacker.number();
  stages_.load(unpacker);
  models_.load(unpacker);
}

void Files::forget_saved() {
  stages_.forget_saved();
  models_.forget_saved();
  if (keeps_changes_) mark_all_changed();
}

}  // namespace agent::progress
