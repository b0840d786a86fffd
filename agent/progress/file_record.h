// FileRecord: one file as storage keeps it, unpacked. Its place and id come first, then the fields
// of File, then the rare facts. Pure.
#pragma once

#include <string_view>

#include "agent/progress/archive.h"
#include "agent/progress/file_table.h"

namespace agent::progress {

struct FileRecord {
  FileRef ref = 0;
  std::string_view id;  // into the bytes it was loaded from
  File file;            // without what only memory knows: its place in flight, its rare facts'
  bool has_rare = false;
  RareFacts rare;

  // What saves a file's record; `id` and what follows are as here.
  static void save(Packer& packer, FileRef ref, const File& f, const RareFacts* rare) {
    packer.number(ref);
    packer.text(f.id());
    fields(packer, f);
    packer.number((f.restored ? kRestored : 0U) | (f.state_told ? kStateTold : 0U) |
                  (rare != nullptr ? kRare : 0U));
    if (rare != nullptr) packer(rare->units, rare->quality, rare->stage_progress, rare->error);
  }
  // False: damaged.
  [[nodiscard]] bool load(std::string_view bytes) {
    Unpacker unpacker(bytes);
    ref = static_cast<FileRef>(unpacker.number());
    id = unpacker.text();
    fields(unpacker, file);
    const std::uint64_t flags = unpacker.number();
    file.restored = (flags & kRestored) != 0;
    file.state_told = (flags & kStateTold) != 0;
    has_rare = (flags & kRare) != 0;
    if (has_rare) unpacker(rare.units, rare.quality, rare.stage_progress, rare.error);
    return unpacker.ok() && unpacker.empty() && !id.empty() && id.size() <= UINT16_MAX;
  }
  // Only the place, which orders records.
  [[nodiscard]] static FileRef ref_of(std::string_view bytes) {
    return static_cast<FileRef>(Unpacker(bytes).number());
  }

 private:
  static constexpr std::uint64_t kRestored = 1, kStateTold = 2, kRare = 4;
  template <typename Archive, typename Self>
  static void fields(Archive& archive, Self& f) {
    archive(f.status, f.updated, f.started, f.ended, f.stage_since, f.bytes, f.bytes_done,
            f.progress, f.tokens, f.cost, f.retries, f.retries_seen, f.tries, f.stage, f.model);
  }
};

}  // namespace agent::progress
