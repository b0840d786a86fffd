// What storage keeps of files: see files.h.
#include "agent/progress/archive.h"
#include "agent/progress/file_record.h"
#include "agent/progress/files.h"

namespace agent::progress {

void Files::keep_changes() {
  if (keeps_changes_) return;
  keeps_changes_ = true;
  mark_all_changed();
}

void Files::mark_all_changed() {
  for (auto ref = table_.next_from(0); ref;
       ref = table_.next_from(FileTable::after(*ref, table_.at(*ref))))
    mark_changed(*ref, table_.at(*ref));
}

void Files::save_changed(Packer& packer) {
  packer.number(changed_.size());
  for (const FileRef ref : changed_) {
    File& f = table_.at(ref);
    f.changed = false;
    const std::size_t part = packer.open();
    FileRecord::save(packer, ref, f, table_.rare_of(f));
    packer.close(part);
  }
  changed_.clear();
}

bool Files::load_record(std::string_view bytes) {
  FileRecord record;
  if (!record.load(bytes) || record.file.stage >= stages_.size() ||
      record.file.model >= models_.size())
    return false;
  const std::uint32_t hash = FileTable::hash(record.id);
  if (table_.find(record.id, hash)) return false;
  const FileRef ref = table_.insert(record.id, hash);
  if (ref != record.ref) return false;
  File& f = table_.at(ref);
  const std::uint16_t id_bytes = f.id_bytes;
  f = record.file;
  f.id_bytes = id_bytes;
  if (record.has_rare) table_.rare(f) = std::move(record.rare);
  if (f.status == FileStatus::kProcessing) enter_flight(ref);
  return true;
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
