// Where live_files keeps a file's record: the records of neighbouring files share a row, the chunk,
// whose key says which session's it is and which of its chunks. Pure.
#pragma once

#include <cstdint>

#include "agent/progress/file_table.h"

namespace agent::history {

inline constexpr unsigned kChunkBits = 9;  // 512 units of a FileTable, about 36 files
inline constexpr unsigned kPlaceBits = 32 - kChunkBits;

constexpr std::uint64_t chunk_of(progress::FileRef ref) { return ref >> kChunkBits; }
constexpr std::uint64_t first_place(std::uint64_t serial) { return serial << kPlaceBits; }
constexpr std::uint64_t session_of(std::uint64_t place) { return place >> kPlaceBits; }

}  // namespace agent::history
