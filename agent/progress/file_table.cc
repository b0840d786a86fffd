#include "agent/progress/file_table.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <type_traits>

namespace agent::progress {

static_assert(std::is_trivially_copyable_v<File>);  // the last block grows by copying

std::optional<FileRef> FileTable::find(std::string_view id, std::uint32_t hash) const {
  const auto found = index_.find(Key{id, hash});
  if (found == index_.end()) return std::nullopt;
  return found->ref;
}

FileRef FileTable::insert(std::string_view id, std::uint32_t hash) {
  const std::uint32_t units = units_of(id.size());
  make_room(units);
  Block& block = blocks_.back();
  const auto ref = static_cast<FileRef>((blocks_.size() - 1) * kBlockUnits + block.used);
  std::byte* place = block.bytes.get() + block.used * kUnit;
  block.used += units;
  File* file = new (place) File;
  file->id_bytes = static_cast<std::uint16_t>(id.size());
  std::memcpy(place + sizeof(File), id.data(), id.size());
  index_.insert(Slot{hash, ref});
  return ref;
}

// The last block starts small and doubles up to its full size, so that a session of twenty files
// costs little.
void FileTable::make_room(std::uint32_t units) {
  constexpr std::uint32_t kFirst = 2'048 / kUnit;
  if (blocks_.empty() || blocks_.back().used + units > kBlockUnits) {
    const std::uint32_t capacity = blocks_.empty() ? kFirst : kBlockUnits;
    blocks_.push_back({std::make_unique_for_overwrite<std::byte[]>(capacity * kUnit), capacity, 0});
  }
  Block& block = blocks_.back();
  if (block.used + units <= block.capacity) return;
  const std::uint32_t capacity =
      std::min<std::uint32_t>(kBlockUnits, std::max(block.capacity * 2, block.used + units));
  auto grown = std::make_unique_for_overwrite<std::byte[]>(capacity * kUnit);
  std::memcpy(grown.get(), block.bytes.get(), block.used * kUnit);
  block.bytes = std::move(grown);
  block.capacity = capacity;
}

void FileTable::clear() {
  index_ = decltype(index_)(0, SlotHash{}, SlotEqual{this});
  blocks_ = std::vector<Block>();
  rare_ = std::vector<RareFacts>();
}

std::optional<FileRef> FileTable::next_from(FileRef ref) const {
  std::size_t block = ref / kBlockUnits;
  std::size_t offset = ref % kBlockUnits;
  while (block < blocks_.size() && offset >= blocks_[block].used) {
    ++block;
    offset = 0;
  }
  if (block >= blocks_.size()) return std::nullopt;
  return static_cast<FileRef>(block * kBlockUnits + offset);
}

std::optional<FileRef> FileTable::seek(std::uint64_t cursor) const {
  const std::uint64_t block = cursor / kBlockUnits;
  if (block >= blocks_.size()) return std::nullopt;
  auto ref = next_from(static_cast<FileRef>(block * kBlockUnits));
  while (ref && *ref < cursor) ref = next_from(after(*ref, at(*ref)));
  return ref;
}

RareFacts& FileTable::rare(File& file) {
  if (file.rare == 0) {
    rare_.emplace_back();
    file.rare = static_cast<std::uint32_t>(rare_.size());
  }
  return rare_[file.rare - 1];
}

}  // namespace agent::progress
