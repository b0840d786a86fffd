// FileTable: the files of one session, by id and in the order first seen. Records lie one behind
// the other in blocks, each followed by its id, so that finding one costs two cache misses and a
// million files cost about 120 bytes each. A record is never removed alone; `clear` drops all.
// Pure; not thread-safe.
#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/clock.h"
#include "agent/progress/label_set.h"
#include "agent/progress/names.h"
#include "agent/progress/text.h"

namespace agent::progress {

inline constexpr Instant kNever = Instant::min();  // in File: not known

// What most files never have, kept apart.
struct RareFacts {
  double units = -1, quality = -1, stage_progress = -1;  // -1: not known
  std::string error;
};

struct File {
  Instant updated = kNever;      // `ts` of the last event applied
  Instant started = kNever;      // first `processing` of the present try
  Instant ended = kNever;        // when it came into its final state
  Instant stage_since = kNever;  // when it came into its stage
  std::int64_t bytes = -1;       // size; -1: not known
  std::int64_t bytes_done = 0;   // of the present try, like progress, tokens, and cost
  double progress = 0;           // 0..100
  std::int64_t tokens = 0;
  double cost = 0;
  std::uint32_t retries = 0;
  std::uint32_t in_flight = 0;  // its place in the list of files being processed
  std::uint32_t rare = 0;       // its RareFacts, counted from 1; 0: none
  std::uint16_t tries = 0;
  std::uint16_t retries_seen = 0;  // failed -> processing
  LabelId stage = 0;               // 0: none
  LabelId model = 0;               // 0: none
  std::uint16_t id_bytes = 0;
  FileStatus status = FileStatus::kPending;
  bool restored : 1 = false;    // done by an earlier attempt
  bool state_told : 1 = false;  // by an event of the instant `updated`
  bool changed : 1 = false;     // since storage last took it

  [[nodiscard]] std::string_view id() const {  // the id follows the record
    return {reinterpret_cast<const char*>(this + 1), id_bytes};
  }
};

using FileRef = std::uint32_t;

class FileTable {
 public:
  FileTable() : index_(0, SlotHash{}, SlotEqual{this}) {}
  FileTable(const FileTable&) = delete;
  FileTable& operator=(const FileTable&) = delete;
  FileTable(FileTable&&) = delete;
  FileTable& operator=(FileTable&&) = delete;
  ~FileTable() = default;

  // References stay valid until the next insert or clear.
  [[nodiscard]] std::optional<FileRef> find(std::string_view id) const {
    return find(id, hash(id));
  }
  [[nodiscard]] static std::uint32_t hash(std::string_view id) {
    return static_cast<std::uint32_t>(seeded_hash(id));
  }
  [[nodiscard]] std::optional<FileRef> find(std::string_view id, std::uint32_t hash) const;
  FileRef insert(std::string_view id, std::uint32_t hash);  // of an id not there yet
  [[nodiscard]] File& at(FileRef ref) { return *record(ref); }
  [[nodiscard]] const File& at(FileRef ref) const { return *record(ref); }

  // Soon needed: a hint.
  void prefetch(FileRef ref) const {
    const auto* at = reinterpret_cast<const std::byte*>(record(ref));
    __builtin_prefetch(at);
    __builtin_prefetch(at + sizeof(File));  // the id
  }

  [[nodiscard]] std::size_t size() const { return index_.size(); }
  // Beyond every record that is there.
  [[nodiscard]] FileRef end() const {
    if (blocks_.empty()) return 0;
    return static_cast<FileRef>((blocks_.size() - 1) * kBlockUnits + blocks_.back().used);
  }
  void clear();
  void reserve(std::size_t files) { index_.reserve(files); }

  // In the order first seen: the first record at or after `ref` (0 to begin), empty at the end.
  [[nodiscard]] std::optional<FileRef> next_from(FileRef ref) const;
  // The same for a number from outside, which need not be a record's.
  [[nodiscard]] std::optional<FileRef> seek(std::uint64_t cursor) const;
  [[nodiscard]] static FileRef after(FileRef ref, const File& file) {
    return ref + units_of(file.id_bytes);
  }

  RareFacts& rare(File& file);  // makes them when there are none
  [[nodiscard]] const RareFacts* rare_of(const File& file) const {
    return file.rare == 0 ? nullptr : &rare_[file.rare - 1];
  }

 private:
  static constexpr std::size_t kUnit = alignof(File);         // a FileRef counts these
  static constexpr std::size_t kBlockUnits = 65'536 / kUnit;  // of a full block
  struct Block {
    std::unique_ptr<std::byte[]> bytes;
    std::uint32_t capacity = 0, used = 0;  // units
  };
  struct Slot {
    std::uint32_t hash;
    FileRef ref;
  };
  struct Key {
    std::string_view id;
    std::uint32_t hash;
  };
  struct SlotHash {
    using is_transparent = void;
    std::size_t operator()(const Slot& s) const { return s.hash; }
    std::size_t operator()(const Key& k) const { return k.hash; }
  };
  struct SlotEqual {
    using is_transparent = void;
    const FileTable* table;
    bool operator()(const Slot& a, const Slot& b) const { return a.ref == b.ref; }
    bool operator()(const Key& k, const Slot& s) const {
      return k.hash == s.hash && table->at(s.ref).id() == k.id;
    }
    bool operator()(const Slot& s, const Key& k) const { return (*this)(k, s); }
  };

  static constexpr FileRef units_of(std::size_t id_bytes) {
    return static_cast<FileRef>((sizeof(File) + id_bytes + kUnit - 1) / kUnit);
  }
  [[nodiscard]] File* record(FileRef ref) const {
    return std::launder(reinterpret_cast<File*>(blocks_[ref / kBlockUnits].bytes.get() +
                                                (ref % kBlockUnits) * kUnit));
  }
  void make_room(std::uint32_t units);

  std::vector<Block> blocks_;
  boost::unordered_flat_set<Slot, SlotHash, SlotEqual> index_;
  std::vector<RareFacts> rare_;
};

}  // namespace agent::progress
